package extension_test

import (
	"fmt"
	"io/fs"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/tensorflow"
)

// copyModel gives a copy of a tiny model, to be damaged.
func copyModel(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(models(t), name))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func createIn(dir string) string {
	return "CREATE OR REPLACE MODEL m OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='" + dir + "/*')"
}

const predictM = "SELECT len(embedding) FROM ML.PREDICT(MODEL m, (SELECT 'duck' AS content))"

// TestDamagedModels: each damage is named at creation, and the connection works on.
func TestDamagedModels(t *testing.T) {
	tests := []struct {
		name   string
		damage func(dir string) error
		want   string
	}{
		{"no saved_model.pb", func(d string) error { return os.Remove(filepath.Join(d, "saved_model.pb")) }, "no saved_model.pb"},
		{"empty saved_model.pb", func(d string) error { return os.WriteFile(filepath.Join(d, "saved_model.pb"), nil, 0o600) }, "saved_model.pb"},
		{"corrupt saved_model.pb", func(d string) error {
			return os.WriteFile(filepath.Join(d, "saved_model.pb"), []byte(strings.Repeat("no protobuf ", 99)), 0o600)
		}, "saved_model.pb"},
		{"cut saved_model.pb", func(d string) error { return os.Truncate(filepath.Join(d, "saved_model.pb"), 500) }, "saved_model.pb"},
		{"no variables", func(d string) error { return os.RemoveAll(filepath.Join(d, "variables")) }, "variables"},
		{"no variables data", func(d string) error {
			return os.Remove(filepath.Join(d, "variables", "variables.data-00000-of-00001"))
		}, "variables"},
		{"cut variables data", func(d string) error {
			return os.Truncate(filepath.Join(d, "variables", "variables.data-00000-of-00001"), 10)
		}, "variables"},
	}
	db := open(t, "", config(t))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := copyModel(t, "swivel_like")
			if err := tt.damage(dir); err != nil {
				t.Fatal(err)
			}
			_, err := db.ExecContext(t.Context(), createIn(dir))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %s", err, tt.want)
			}
			if n := one[int](t, db, "SELECT count(*) FROM ml_models()"); n != 0 {
				t.Errorf("%d models are left", n)
			}
		})
	}
}

// TestModelIsFrozen: what happens to the files after creation does not matter; what happens to the store is noticed.
func TestModelIsFrozen(t *testing.T) {
	cfg := config(t)
	file := filepath.Join(t.TempDir(), "m.db")
	dir := copyModel(t, "swivel_like")
	db := open(t, file, cfg)
	exec(t, db, createIn(dir))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if n := one[int](t, db, predictM); n != 20 {
		t.Fatalf("without the original files: %d", n)
	}
	reopen := func() {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = open(t, file, cfg)
	}
	reopen()
	if n := one[int](t, db, predictM); n != 20 {
		t.Fatalf("reopened: %d", n)
	}

	reopen()
	entries, err := filepath.Glob(filepath.Join(cfg.Store.Path, "sha256-*"))
	if err != nil || len(entries) != 1 {
		t.Fatalf("store: %v, %v", entries, err)
	}
	data := filepath.Join(entries[0], "variables", "variables.data-00000-of-00001")
	b, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(data, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), predictM); err == nil || !strings.Contains(err.Error(), "were changed") {
		t.Errorf("one bit changed: %v", err)
	}
	if err := os.RemoveAll(entries[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), predictM); err == nil || !strings.Contains(err.Error(), "missing from the model store") {
		t.Errorf("entry deleted: %v", err)
	}
	exec(t, db, createIn(filepath.Join(models(t), "swivel_like")))
	if n := one[int](t, db, predictM); n != 20 {
		t.Errorf("created again: %d", n)
	}
}

// TestReadOnly: models of a read-only database work, none can be made, and nothing is imported for the attempt.
func TestReadOnly(t *testing.T) {
	cfg := config(t)
	file := filepath.Join(t.TempDir(), "m.db")
	db := open(t, file, cfg)
	exec(t, db, createIn(filepath.Join(models(t), "swivel_like")), "CREATE VIEW v AS "+predictM)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Models = map[string]mallard.ModelConfig{"demo.declared": {Path: filepath.Join(models(t), "nnlm_like")}}
	db = open(t, file+"?access_mode=READ_ONLY", cfg)
	if n := one[int](t, db, predictM); n != 20 {
		t.Errorf("model of the file: %d", n)
	}
	if n := one[int](t, db, "SELECT * FROM v"); n != 20 {
		t.Errorf("view of the file: %d", n)
	}
	if n := one[int](t, db, "SELECT len(embedding) FROM ML_PREDICT('m', 'SELECT ''duck'' AS content')"); n != 20 {
		t.Errorf("plain form: %d", n)
	}
	if n := one[int](t, db, "SELECT len(embedding) FROM ML.PREDICT(MODEL demo.declared, (SELECT 'duck' AS content))"); n != 50 {
		t.Errorf("model of the configuration: %d", n)
	}
	before := storeEntries(t, cfg)
	_, err := db.ExecContext(t.Context(), strings.Replace(createIn(filepath.Join(models(t), "text_classifier")), "MODEL m", "MODEL n", 1))
	if err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("CREATE MODEL: %v", err)
	}
	if after := storeEntries(t, cfg); after != before {
		t.Errorf("%d entries in the store after the refused CREATE MODEL, %d before", after, before)
	}
	if n := one[int](t, db, predictM); n != 20 {
		t.Errorf("afterwards: %d", n)
	}
}

func storeEntries(t *testing.T, cfg *mallard.Config) int {
	t.Helper()
	entries, err := fs.Glob(os.DirFS(cfg.Store.Path), "*")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestDeclaredModel: a model of the configuration is listed, predicts, and cannot be dropped by SQL.
func TestDeclaredModel(t *testing.T) {
	cfg := config(t)
	cfg.Models = map[string]mallard.ModelConfig{"demo.declared": {Path: filepath.Join(models(t), "nnlm_like"), Description: "words"}}
	db := open(t, "", cfg)
	if s := one[string](t, db, "SELECT description FROM ml_models() WHERE model_name = 'demo.declared'"); s != "words" {
		t.Errorf("listed as %q", s)
	}
	for _, name := range []string{"demo.declared", "`my-project.demo.declared`"} {
		if n := one[int](t, db, "SELECT ARRAY_LENGTH(embedding) FROM ML.PREDICT(MODEL "+name+", (SELECT 'duck' AS content))"); n != 50 {
			t.Errorf("%s: %d", name, n)
		}
	}
	if _, err := db.ExecContext(t.Context(), "DROP MODEL demo.declared"); err == nil || !strings.Contains(err.Error(), "declared in the configuration") {
		t.Errorf("DROP MODEL: %v", err)
	}
}

// TestNoTensorFlow: without the library the error says how to get it, and everything else works.
func TestNoTensorFlow(t *testing.T) {
	cfg := config(t)
	cfg.TensorFlow.Library = t.TempDir()
	db := open(t, "", cfg)
	_, err := db.ExecContext(t.Context(), createIn(filepath.Join(models(t), "swivel_like")))
	if err == nil || !strings.Contains(err.Error(), "mallard doctor -install") && !strings.Contains(err.Error(), cfg.TensorFlow.Library) {
		t.Errorf("CREATE MODEL: %v", err)
	}
	if n := one[int](t, db, "SELECT 42"); n != 42 {
		t.Errorf("afterwards: %d", n)
	}
}

// TestSharedFile: two connectors to one file share models and sessions, and each can be closed first.
func TestSharedFile(t *testing.T) {
	cfg := config(t)
	file := filepath.Join(t.TempDir(), "m.db")
	a, b := open(t, file, cfg), open(t, file, cfg)
	exec(t, a, createIn(filepath.Join(models(t), "swivel_like")))
	if n := one[int](t, b, predictM); n != 20 {
		t.Errorf("second connector: %d", n)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if n := one[int](t, b, predictM); n != 20 {
		t.Errorf("after the first was closed: %d", n)
	}
}

// TestCustomOpsAreFrozen: a model keeps the custom-op library that it was made with, whatever becomes of the original.
func TestCustomOpsAreFrozen(t *testing.T) {
	gcc, err := osexec.LookPath("gcc")
	if err != nil {
		t.Skip("needs gcc to make a library")
	}
	dir := t.TempDir()
	lib := filepath.Join(dir, "ops.so")
	build := func(source string) {
		t.Helper()
		cmd := osexec.Command(gcc, "-shared", "-x", "c", "-", "-o", lib+".new")
		cmd.Stdin = strings.NewReader(source)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if err := os.Rename(lib+".new", lib); err != nil { // the old one stays mapped
			t.Fatal(err)
		}
	}
	build("int mallard_test_ops = 1;")
	file := filepath.Join(dir, "m.duckdb")
	cfg := config(t)
	db := open(t, file, cfg)
	create := "CREATE OR REPLACE MODEL m OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='" + models(t) + "/two_outputs_case', CUSTOM_OPS=['" + lib + "'])"
	predict := "SELECT * FROM ML.PREDICT(MODEL m, (SELECT 1.0 AS x))"
	exec(t, db, create)
	exec(t, db, predict)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	build("int mallard_test_ops = 2;")
	db = open(t, file, cfg)
	exec(t, db, predict) // the copy serves
	_, err = db.ExecContext(t.Context(), create)
	if want := "was changed since this process loaded it"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a second library of one name: %v\nwant %s", err, want)
	}
	if err := os.Remove(lib); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, file, cfg)
	exec(t, db, predict)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	copies, err := filepath.Glob(filepath.Join(cfg.Store.Path, "library-*", "ops.so"))
	if err != nil || len(copies) == 0 {
		t.Fatalf("copies %v: %v", copies, err)
	}
	for _, c := range copies {
		if err := os.Remove(c); err != nil {
			t.Fatal(err)
		}
	}
	db = open(t, file, cfg)
	_, err = db.ExecContext(t.Context(), predict)
	if want := "its custom-op library " + lib + " is not there, and the model store has no good copy"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a library that is gone: %v\nwant %s", err, want)
	}
	// A record alone loads no library, also where the file is what the record says: it may be a stranger's record of a stranger's file.
	build("int mallard_test_ops = 1;")
	_, err = db.ExecContext(t.Context(), predict)
	if want := "its custom-op library " + lib + " was not imported into the model store of this machine"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a library that only a record names: %v\nwant %s", err, want)
	}
}

// TestMaxLoaded: of many models few stay in memory, each answers as before, and one that a statement holds is not taken from it.
func TestMaxLoaded(t *testing.T) {
	const many, most = 8, 3
	cfg := config(t)
	cfg.Store.MaxLoaded = most
	db := open(t, "", cfg)
	before := tensorflow.Live()["sessions"]
	for i := range many {
		exec(t, db, createModel(fmt.Sprint("m", i), "perceptron", t))
	}
	ask := func(i int) float64 {
		return one[float64](t, db, fmt.Sprintf("SELECT score FROM ML.PREDICT(MODEL m%d, (SELECT 1 AS a, 1 AS b, 1 AS c, 1 AS d))", i))
	}
	want := ask(0)
	for range 2 {
		for i := range many {
			if got := ask(i); got != want {
				t.Errorf("model %d: %v instead of %v", i, got, want)
			}
		}
	}
	if n := tensorflow.Live()["sessions"] - before; n != most {
		t.Errorf("%d of %d models are loaded, not %d", n, many, most)
	}
	held, err := db.PrepareContext(t.Context(), "SELECT score FROM ML.PREDICT(MODEL m0, (SELECT $1 AS a, 1 AS b, 1 AS c, 1 AS d))")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for i := range 2 * many {
		var got float64
		if err := held.QueryRowContext(t.Context(), 1).Scan(&got); err != nil || got != want {
			t.Errorf("prepared: %v instead of %v, %v", got, want, err)
		}
		ask(i % many)
	}
	err = atOnce(50, 6, func(i int) error {
		var got float64
		err := db.QueryRowContext(t.Context(), fmt.Sprintf("SELECT score FROM ML.PREDICT(MODEL m%d, (SELECT 1 AS a, 1 AS b, 1 AS c, 1 AS d))", i%many)).Scan(&got)
		if err == nil && got != want {
			err = fmt.Errorf("%v instead of %v", got, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
