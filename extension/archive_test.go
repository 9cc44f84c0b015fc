package extension_test

import (
	"path/filepath"
	"testing"
)

// TestArchiveRefused: an archive whose model a statement does not want leaves nothing in the store.
func TestArchiveRefused(t *testing.T) {
	cfg := config(t)
	db := open(t, "", cfg)
	file := filepath.Join(t.TempDir(), "m.mallard")
	exec(t, db, createModel("m", "perceptron", t), "EXPORT MODEL m OPTIONS(URI='"+file+"')")
	before, err := filepath.Glob(filepath.Join(cfg.Store.Path, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE MODEL n OPTIONS(MODEL_PATH='"+file+"', SIGNATURE='no_such')"); err == nil {
		t.Error("a signature that is not there was taken")
	}
	after, err := filepath.Glob(filepath.Join(cfg.Store.Path, "*"))
	if err != nil || len(before) == 0 || len(after) != len(before) {
		t.Errorf("the store had %q and has %q, %v", before, after, err)
	}
}
