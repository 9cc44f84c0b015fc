package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// dataset are the rows: in memory for the bare loops, in a DuckDB file for Mallard and Python.
type dataset struct {
	file  string
	texts map[string][]string    // by table
	nums  map[string][][]float32 // by table and column
	files string                 // folder of text files for the slow model
	slow  int
}

// writer makes texts of words that a fixed seed has drawn.
type writer struct {
	*rand.Rand
	words []string
}

func newWriter() *writer {
	w := &writer{Rand: rand.New(rand.NewPCG(7, 2024))}
	for range 5000 {
		word := make([]byte, 2+w.IntN(8))
		for i := range word {
			word[i] = byte('a' + w.IntN(26))
		}
		w.words = append(w.words, string(word))
	}
	return w
}

func (w *writer) text(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = w.words[w.IntN(len(w.words))]
	}
	return strings.Join(parts, " ")
}

// mixed is a text as people write them: mostly short, a few very long.
func (w *writer) mixed() string {
	return w.text(int(min(128, max(2, math.Exp(3.2+0.9*w.NormFloat64())))))
}

func makeData(ctx context.Context, b *bench) (*dataset, error) {
	d := &dataset{file: b.file("data.duckdb"), texts: map[string][]string{}, nums: map[string][][]float32{}, files: b.file("texts"),
		slow: max(b.rows/50, 40)}
	b.progress("making data")
	w := newWriter()
	for range b.rows {
		d.texts["titles"] = append(d.texts["titles"], w.text(4+w.IntN(8)))
		d.texts["names"] = append(d.texts["names"], w.text(4+w.IntN(8)))
	}
	for range transformer.rows(b.options) {
		d.texts["reviews"] = append(d.texts["reviews"], w.mixed())
	}
	for range d.slow {
		d.texts["essays"] = append(d.texts["essays"], w.text(330))
	}
	for range 4 {
		col := make([]float32, b.rows)
		for i := range col {
			col[i] = w.Float32() * 8
		}
		d.nums["flowers"] = append(d.nums["flowers"], col)
	}
	if err := d.writeFiles(); err != nil {
		return nil, err
	}
	return d, d.writeDB(ctx)
}

// writeFiles gives read_text something to read: one file for every text of the slow model.
func (d *dataset) writeFiles() error {
	if err := os.RemoveAll(d.files); err != nil {
		return err
	}
	if err := os.MkdirAll(d.files, 0o755); err != nil {
		return err
	}
	for i, t := range d.texts["essays"] {
		if err := os.WriteFile(filepath.Join(d.files, fmt.Sprintf("%06d.txt", i)), []byte(t), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (d *dataset) writeDB(ctx context.Context) (err error) {
	for _, f := range []string{d.file, d.file + ".wal"} {
		if err := os.RemoveAll(f); err != nil {
			return err
		}
	}
	c, err := duckdb.NewConnector(d.file, nil)
	if err != nil {
		return err
	}
	db := sql.OpenDB(c)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	column := map[string]string{"titles": "input", "names": "text", "reviews": "text", "essays": "text"}
	for table, texts := range d.texts {
		err := fill(ctx, conn, table, "id BIGINT, "+column[table]+" VARCHAR", len(texts), func(i int, row []driver.Value) []driver.Value {
			return append(row, texts[i])
		})
		if err != nil {
			return err
		}
	}
	cols := d.nums["flowers"]
	err = fill(ctx, conn, "flowers", "id BIGINT, "+strings.Join(perceptron.columns, " FLOAT, ")+" FLOAT", len(cols[0]),
		func(i int, row []driver.Value) []driver.Value {
			for _, c := range cols {
				row = append(row, c[i])
			}
			return row
		})
	if err != nil {
		return err
	}
	// A hundredth of these rows passes the filter that the slow model is given.
	_, err = conn.ExecContext(ctx, `CREATE TABLE sparse AS SELECT i AS id, coalesce(e.text, '') AS text
		FROM range(100 * (SELECT count(*) FROM essays)) AS r(i) LEFT JOIN essays e ON e.id * 100 = i ORDER BY i`)
	return err
}

// fill makes a table with an id and what row appends.
func fill(ctx context.Context, conn *sql.Conn, table, columns string, n int, row func(i int, row []driver.Value) []driver.Value) error {
	if _, err := conn.ExecContext(ctx, "CREATE TABLE "+table+" ("+columns+")"); err != nil {
		return err
	}
	return conn.Raw(func(dc any) error {
		a, err := duckdb.NewAppenderFromConn(dc.(driver.Conn), "", table)
		if err != nil {
			return err
		}
		for i := range n {
			if err := a.AppendRow(row(i, []driver.Value{int64(i)})...); err != nil {
				return err
			}
		}
		return a.Close()
	})
}
