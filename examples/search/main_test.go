package main

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard"
)

func TestSearch(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	dir := t.TempDir()
	notes, database := filepath.Join(dir, "notes.txt"), filepath.Join(dir, "a.db")
	if err := os.WriteFile(notes, []byte("a duck on the pond\n\ninterest rates\nducks on a pond\nit's late\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, args := range [][]string{{database, "index", "../../testdata/models/swivel_like", notes}, {database, "ask", "ducks on a pond"}} {
		if err := run(t.Context(), args, &out); err != nil {
			t.Fatal(err)
		}
	}
	// A text is nearest to itself.
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 3 || !strings.HasSuffix(lines[0], "0.000  ducks on a pond") {
		t.Errorf("got\n%s", out.String())
	}
	if err := run(t.Context(), []string{database, "look", "x"}, &out); err == nil {
		t.Error("a wrong word is taken")
	}
}

// TestImages runs the SQL of examples/images.sql, which needs nothing but this repository.
func TestImages(t *testing.T) {
	text, err := os.ReadFile("../images.sql")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	c, err := mallard.NewConnector("", mallard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	// The last statement's rows are the brightness of each image.
	rows, err := db.QueryContext(t.Context(), string(text))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var file string
		var brightness sql.NullFloat64
		if err := rows.Scan(&file, &brightness); err != nil {
			t.Fatal(err)
		}
		if n++; !brightness.Valid || brightness.Float64 <= 0 || brightness.Float64 >= 1 {
			t.Errorf("%s: %v", file, brightness)
		}
	}
	if err := rows.Err(); err != nil || n != 7 {
		t.Errorf("%d rows, %v", n, err)
	}
}
