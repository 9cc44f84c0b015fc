package main

import (
	"bytes"
	"database/sql"
	"os"
	"strings"
	"testing"

	"github.com/mallardml/mallard"
)

func TestRun(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var out bytes.Buffer
	if err := run(t.Context(), "../../testdata/models/swivel_like", &out); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 3 || !strings.HasSuffix(lines[0], "20 numbers") {
		t.Errorf("got\n%s", out.String())
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
