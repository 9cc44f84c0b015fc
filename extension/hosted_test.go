package extension_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/extension"
)

// hostOf opens a database as a host does that has loaded Mallard: its connections are duckdb-go's own.
func hostOf(t *testing.T) *sql.DB {
	t.Helper()
	file := filepath.Join(t.TempDir(), "host.db")
	c, err := duckdb.NewConnector(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { db.Close() })
	host, err := extension.Host(file, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close() })
	return db
}

// told gives the rows of a query, or its error.
func told(db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, query string) string {
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		return "error: " + err.Error()
	}
	defer rows.Close()
	names, _ := rows.Columns()
	var all []string
	for rows.Next() {
		row, into := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return "error: " + err.Error()
		}
		all = append(all, strings.Trim(fmt.Sprint(row), "[]"))
	}
	if err := rows.Err(); err != nil {
		return "error: " + err.Error()
	}
	return strings.Join(all, "; ")
}

// Binding looks at statements only, and each scan runs them once.
func TestHost(t *testing.T) {
	db := hostOf(t)
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	told(conn, "EXPLAIN FROM mallard('CREATE TABLE made (i INT)')")
	model := `CREATE MODEL p OPTIONS (MODEL_TYPE=''TENSORFLOW'', MODEL_PATH=''../testdata/models/perceptron/*'')`
	const input = "SELECT 1.0 AS a, 2.0 AS b, 3.0 AS c, 4.0 AS d"
	for _, c := range []struct{ query, want string }{
		{"PREPARE later AS FROM mallard('CREATE TABLE made (i INT)')", ""},
		{"CREATE VIEW later AS FROM mallard('CREATE TABLE made (i INT); SELECT 7 AS n, * FROM made')", ""},
		{"SELECT column_name FROM (DESCRIBE FROM later)", "n; i"},
		{"SELECT count(*) FROM duckdb_tables() WHERE table_name = 'made'", "0"},
		{"FROM later", ""},
		{"SELECT count(*) FROM duckdb_tables() WHERE table_name = 'made'", "1"},
		{"SELECT rows_changed FROM mallard('INSERT INTO made VALUES (1), (2)')", "2"},
		{"SELECT count(*) FROM made", "2"},
		{"SELECT notices FROM mallard('" + model + "')", "Successfully created model named p."},
		{"SELECT round(score, 3) FROM ml_predict('p', '" + input + "')", "1"},
		{"SELECT round(score, 3) FROM mallard('SELECT * FROM ML.PREDICT(MODEL p, (" + input + "))')", "1"},
		{"CREATE TEMP TABLE mine AS " + input, "1"},
		{"SELECT round(score, 3) FROM mallard.predict('p', 'FROM mine')", "1"},
		{"SELECT n FROM mallard.googlesql('SELECT COUNT(*) AS n FROM ML.PREDICT(MODEL p, (" + input + "))')", "1"},
		{"SELECT model_name FROM ml_models()", "p"},
		{"SELECT x::VARCHAR || y::VARCHAR || z::VARCHAR FROM mallard('SELECT ''b''::ENUM (''a'', ''b'') x, union_value(k := 1) y, MAP {1: [2]} z')",
			"b1{1=[2]}"},
	} {
		if got := told(conn, c.query); got != c.want {
			t.Errorf("%s\ngives %s\nnot   %s", c.query, got, c.want)
		}
	}
}
