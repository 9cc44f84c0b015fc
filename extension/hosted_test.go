package extension_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/extension"
	settings "github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/installed/installedtest"
)

// hostOf opens a database as a host does that has loaded Mallard: its connections are duckdb-go's own.
func hostOf(t *testing.T, cfg *mallard.Config) *sql.DB {
	t.Helper()
	file := filepath.Join(t.TempDir(), "host.db")
	c, err := duckdb.NewConnector(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { db.Close() })
	host, err := extension.Host(file, cfg, nil)
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
	db := hostOf(t, nil)
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

// The columns of what a script ends in are found without running it.
func TestHostScript(t *testing.T) {
	installedtest.Need(t)
	cfg := config(t)
	cfg.BigQuery.Dialect = settings.Dialect(dialect.GoogleSQL)
	db := hostOf(t, cfg)
	for _, c := range []struct{ query, want string }{
		{"CREATE TABLE made AS FROM (VALUES (1), (2)) t(i)", "2"},
		{"SELECT a, b FROM mallard('EXECUTE IMMEDIATE ''SELECT 1 AS a, \"x\" AS b''')", "1 x"},
		{"SELECT n + 1 FROM mallard('DECLARE t STRING DEFAULT ''made''; EXECUTE IMMEDIATE FORMAT(''SELECT COUNT(*) AS n FROM %s'', t)')", "3"},
		{"SELECT n FROM mallard('EXECUTE IMMEDIATE ''SELECT @x + @y AS n'' USING 2 AS x, 3 AS y')", "5"},
		{"SELECT i FROM mallard('DECLARE x INT64 DEFAULT 4; SELECT ''other'' AS o; BEGIN SELECT x AS i; SELECT x + 1 AS i; END')", "5"},
		{"SELECT i FROM mallard('DECLARE x INT64 DEFAULT 4; IF x = 4 THEN SELECT 1 AS i; ELSEIF x = 5 THEN SELECT 2 AS i; END IF')", "1"},
		{"SELECT i FROM mallard('DECLARE x INT64 DEFAULT 4; IF x = 5 THEN SELECT 2 AS i; END IF')", ""},
		{"SELECT notices[1][:28] FROM mallard('DECLARE x INT64; IF x = 4 THEN SELECT 1 AS i; ELSE SELECT ''a'' AS i; END IF')",
			"Rows of the script are not s"},
		{"SELECT x FROM mallard('DECLARE x INT64 DEFAULT 0; WHILE x < 3 DO SET x = x + 1; INSERT INTO made VALUES (9); SELECT x; END WHILE')", "3"},
		{"SELECT i FROM mallard('FOR r IN (SELECT i FROM made WHERE i < 9 ORDER BY i) DO SELECT r.i AS i; END FOR')", "2"},
		{"SELECT m FROM mallard('BEGIN SELECT 1/0 AS m; EXCEPTION WHEN ERROR THEN SELECT 2.5e0 AS m; END')", "2.5"},
		{"SELECT x FROM mallard('CREATE PROCEDURE twice(n INT64) BEGIN INSERT INTO made VALUES (n); SELECT 2 * n AS x; END; CALL twice(8)')", "16"},
		{"SELECT rows_changed FROM mallard('BEGIN INSERT INTO made VALUES (5); END')", "1"},
		{"SELECT array_to_string(list(i ORDER BY i), ',') FROM made", "1,2,5,8,9,9,9"},
	} {
		if got := told(db, c.query); got != c.want {
			t.Errorf("%s\ngives %s\nnot   %s", c.query, got, c.want)
		}
	}
}
