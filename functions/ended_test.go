package functions

import (
	"errors"
	"testing"
)

type endedError struct{ error }

func (endedError) EngineEnded() bool { return true }

// TestEngineEnded: the end of an engine's process is told with the rows that were in it; other errors are no business of the rows.
func TestEngineEnded(t *testing.T) {
	k := &chunk{size: 2048}
	const want = "a run of 3 rows, which are among rows 5 to 900 of a chunk of 2048: gone"
	if err := k.located(endedError{errors.New("gone")}, []int32{899, 4, 70}); err.Error() != want {
		t.Error(err)
	}
	if err := k.located(errors.New("a fault"), []int32{1}); err.Error() != "a fault" {
		t.Error(err)
	}
}
