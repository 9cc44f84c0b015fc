package private

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := Folder(dir); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "x")
	if err := Write(name, strings.NewReader("text")); err != nil {
		t.Fatal(err)
	}
	if err := Whole(name); err != nil {
		t.Error(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func() error{
		"damaged": func() error { return os.WriteFile(name, []byte("tex!\x00\x00\x00\x00"), 0o600) },
		"cut off": func() error { return os.Truncate(name, 3) },
		"empty":   func() error { return os.Truncate(name, 0) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if Whole(name) == nil {
			t.Errorf("a file that is %s passes", what)
		}
		if err := Write(name, strings.NewReader("text")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(name, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := Whole(name); err == nil || !strings.Contains(err.Error(), "others may use") {
		t.Errorf("a file for others: %v", err)
	}
	if err := Whole(link); err == nil {
		t.Error("a link passes")
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	for range 2 {
		if err := Folder(dir); err != nil {
			t.Fatal(err)
		}
	}
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if err := os.Chmod(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	if err := Folder(dir); err == nil || !strings.Contains(err.Error(), "mode 0770") {
		t.Errorf("a folder for others: %v", err)
	}
}

// TestOnce: a check runs again when the file has changed, or has failed.
func TestOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x")
	if err := os.WriteFile(file, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := 0
	fails := errors.New("no")
	check := func(err error) func() error { return func() error { n++; return err } }
	for i, step := range []struct {
		result error
		want   int
		change bool
	}{{fails, 1, false}, {nil, 2, false}, {nil, 2, false}, {nil, 3, true}, {nil, 3, false}, {fails, 4, true}, {fails, 5, false}} {
		if step.change {
			if err := os.WriteFile(file, []byte(strings.Repeat("b", i+2)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := Once(dir, file, check(step.result))
		if n != step.want || step.want > 3 && err == nil {
			t.Errorf("step %d: the check ran %d times, want %d; %v", i, n, step.want, err)
		}
	}
}
