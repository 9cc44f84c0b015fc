package tensorflow

import (
	"os"
	"os/exec"
	"testing"
)

// TestQuiet: opening the library and running a model writes nothing to stderr,
// which is the user's.
func TestQuiet(t *testing.T) {
	if os.Getenv("MALLARD_TEST_CHILD") != "" {
		open(t)
		return
	}
	open(t) // fails here, with advice, when there is no library
	var stderr quietBuffer
	cmd := exec.Command(os.Args[0], "-test.run=^TestQuiet$")
	cmd.Env = append(os.Environ(), "MALLARD_TEST_CHILD=1")
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if len(stderr) != 0 {
		t.Errorf("stderr: %s", stderr)
	}
}

type quietBuffer []byte

func (b *quietBuffer) Write(p []byte) (int, error) { *b = append(*b, p...); return len(p), nil }
