package engine_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/modelspec"
)

// none is a kind without models.
type none string

func (n none) ModelType() string { return string(n) }

func (none) Inspect(string, engine.Import) (*modelspec.Spec, error) {
	return nil, &engine.OptionError{Option: "signature", Err: fs.ErrNotExist}
}

func (none) Open(context.Context, string, *modelspec.Spec) (engine.Engine, error) {
	return nil, fs.ErrNotExist
}

func (none) Describe(string) ([]engine.Tensor, error) { return nil, nil }

func TestFind(t *testing.T) {
	kinds := engine.Kinds{none("ONE"), none("TWO")}
	k, err := kinds.Find("two")
	if err != nil || k != none("TWO") {
		t.Fatalf("two: %v, %v", k, err)
	}
	if _, err := k.Inspect("", engine.Import{}); !errors.Is(err, fs.ErrNotExist) || err.Error() != fs.ErrNotExist.Error() {
		t.Errorf("an option's failure keeps its text and cause: %v", err)
	}
	if _, err := kinds.Find("three"); err == nil || err.Error() != "MODEL_TYPE 'three' is not supported; use 'ONE' or 'TWO'" {
		t.Errorf("three: %v", err)
	}
}
