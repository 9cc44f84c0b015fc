package tensorflow

import (
	"os"
	"path/filepath"
	"testing"
)

func TestInProcess(t *testing.T) {
	whole, part := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(whole, "libtensorflow_cc.so.2"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	own := Library{Dir: "/own", Core: "/own/libtensorflow_cc.so.2"}
	for dir, want := range map[string]string{"": own.Core, "/own": own.Core, whole: filepath.Join(whole, "libtensorflow_cc.so.2")} {
		if l, err := inProcess(own, dir); err != nil || l.Core != want {
			t.Errorf("with %q loaded: %s, %v; want %s", dir, l.Core, err, want)
		}
	}
	if _, err := inProcess(own, part); err == nil {
		t.Error("a second copy of TensorFlow is opened")
	}
}
