package modelstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSweep: what a killed import left goes with a later one, and what is being imported stays.
func TestSweep(t *testing.T) {
	s, model := Store{Dir: t.TempDir()}, t.TempDir()
	if err := os.WriteFile(filepath.Join(model, "saved_model.pb"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{unfinished + "old": 2 * abandoned, unfinished + "new": time.Hour, "sha256-x": 2 * abandoned} {
		dir := filepath.Join(s.Dir, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	digest, err := Digest(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), model, digest); err != nil {
		t.Fatal(err)
	}
	for name, stays := range map[string]bool{unfinished + "old": false, unfinished + "new": true, "sha256-x": true, digest: true} {
		if _, err := os.Stat(filepath.Join(s.Dir, name)); (err == nil) != stays {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCancelledPut: an import that is cancelled takes no files from models that have the same ones; one of damaged files mends them.
func TestCancelledPut(t *testing.T) {
	s, model := Store{Dir: t.TempDir()}, t.TempDir()
	if err := os.WriteFile(filepath.Join(model, "saved_model.pb"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	digest, err := Digest(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := s.Put(t.Context(), model, digest)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Put(ctx, model, digest); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := s.Open(t.Context(), digest); err != nil {
		t.Errorf("after it: %v", err)
	}
	if err := os.WriteFile(filepath.Join(entry, "saved_model.pb"), []byte("y"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), model, digest); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), digest); err != nil {
		t.Errorf("mended: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(s.Dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("left in the store: %v, %v", left, err)
	}
	if left, err := filepath.Glob(filepath.Join(s.Dir, ".*")); err != nil || len(left) != 0 {
		t.Errorf("left in the store: %v, %v", left, err)
	}
}

// TestForeignDigest: a digest that a record brings leads to no folder outside of the store.
func TestForeignDigest(t *testing.T) {
	for _, digest := range []string{"", ".", "..", "../x", "/etc", "sha256-x", "library-sha256-x"} {
		if dir, err := (Store{Dir: t.TempDir()}).Open(t.Context(), digest); err == nil {
			t.Errorf("%q opens %s", digest, dir)
		}
	}
}
