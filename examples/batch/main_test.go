package main

import (
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/mallardml/mallard"
)

func TestScore(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	c, err := mallard.NewConnector("", mallard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.parquet"), filepath.Join(dir, "it's out.parquet")
	const make = "COPY (SELECT i AS id, CASE WHEN i % 10 > 0 THEN 'title ' || i END AS input FROM range(3000) r(i)) TO "
	if _, err := db.ExecContext(t.Context(), make+text(in)); err != nil {
		t.Fatal(err)
	}
	const model = "../../testdata/models/text_classifier"
	if err := score(t.Context(), model, in, out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var rows, scored, sum int
	row := db.QueryRowContext(t.Context(), "SELECT count(*), count(dense_1), sum(id)::BIGINT FROM read_parquet("+text(out)+")")
	if err := row.Scan(&rows, &scored, &sum); err != nil || rows != 3000 || scored != 2700 || sum != 2999*3000/2 {
		t.Errorf("%d rows, %d scored, ids make %d: %v", rows, scored, sum, err)
	}
	if err := score(t.Context(), model, filepath.Join(dir, "none.parquet"), filepath.Join(dir, "b"), io.Discard); err == nil {
		t.Error("a file that is not there is scored")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left %v, %v", left, err)
	}
}
