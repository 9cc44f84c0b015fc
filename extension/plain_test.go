package extension_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard/extension"
)

// TestDuckDBsOwnWords: the errors of a statement that is all DuckDB's are DuckDB's, to the byte; the place stands beside them.
func TestDuckDBsOwnWords(t *testing.T) {
	db := open(t, "", config(t))
	duck, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer duck.Close()
	for query, col := range map[string]int{
		"SELECT a": 8, "SELECT 1 +, 2": 11, "SELECT 1 FROM nowhere": 15, "SELEC 1": 1, "SELECT nofunction(1)": 8, "SELECT 'a'::INTEGER": 11,
		"SELECT a::INTEGER FROM (VALUES ('1'), ('x')) t(a)": 9, "SELECT 1; SELECT b FROM (SELECT 1 AS a);": 18, "SELECT error('x')": 0,
		"INSERT INTO nowhere VALUES (1)": 0, "SELECT 'é', a ;": 13, "DROP TABLE nowhere": 0, "SELECT 100::TINYINT * 100::TINYINT": 0,
		"SELECT list_value(1, {'a': 1})": 0, "SELECT sum('a')": 0, "CREATE TABLE t (a INTEGER, a INTEGER)": 0,
	} {
		_, want := duck.Exec(query)
		_, got := db.Exec(query)
		if want == nil || got == nil || got.Error() != want.Error() && !strings.HasPrefix(query, "SELECT 1;") {
			t.Errorf("%s\n%v\nwant\n%v", query, got, want)
			continue
		}
		var e *extension.Error
		if !errors.As(got, &e) || col > 0 && (e.Line != 1 || e.Col != col) {
			t.Errorf("%s: place %d:%d, want column %d", query, e.Line, e.Col, col)
		}
		if shown := e.Render(""); e.Line > 0 && strings.Contains(shown, "LINE ") {
			t.Errorf("two excerpts:\n%s", shown)
		}
	}
	if s := one[string](t, db, "SELECT current_query() ;"); s != "SELECT current_query() ;" {
		t.Errorf("DuckDB was given %q", s)
	}
	if s := one[string](t, db, "SELECT current_query() -- why\n;"); s != "SELECT current_query() -- why\n;" {
		t.Errorf("DuckDB was given %q", s)
	}
}

// TestReadsAsGoogleSQL: a statement of BigQuery's that is read by DuckDB's rules gets a hint on a line of its own.
func TestReadsAsGoogleSQL(t *testing.T) {
	db := open(t, "", config(t))
	const hint = "`-dialect bigquery` or a backtick reads this as GoogleSQL"
	for query, want := range map[string]bool{
		"SELECT SAFE_DIVIDE(1, 0)": true, "SELECT x, o FROM UNNEST([1, 2]) AS x WITH OFFSET AS o": true, `SELECT "a" AS x`: true,
		"SELECT SAFE_CAST('a' AS INT64)": true, "SELECT CAST(1 AS FLOAT64)": true, `SELECT r'\d+'`: true, "SELECT 1::nosuch": false,
		"SELECT SAFE.LN(0)": true, "SELECT NET.HOST('x')": true, "SELECT count(*) FROM INFORMATION_SCHEMA.MODELS": true,
		"DECLARE x INT64 DEFAULT 1": true, "EXECUTE IMMEDIATE 'SELECT 1'": true,
		"SELECT count(*) FROM INFORMATION_SCHEMA.NOSUCH": false, "SELECT SAFE.NOSUCH(0)": false,
		"SELECT nofunction(1)": false, "SELECT a": false, "SELECT 1 +": false, "SELECT 'a'::INTEGER": false,
		"DECLARE x INT64": true, "ASSERT 1 = 1": true, "BEGIN SELECT 1; END": true, "CREATE TEMP FUNCTION f(x STRING) RETURNS STRING AS (x)": true,
		"SELECT SAFE.LOG(0)": true, "SELECT @@time_zone": true, "CALL BQ.ABORT_SESSION()": true, "IF TRUE THEN SELECT 1; END IF": true,
		"EXPORT DATA OPTIONS (uri = 'x') AS SELECT 1 AS a": true, "CREATE OR REPLACE PROCEDURE p() BEGIN SELECT 1; END": true,
		"BEGIN TRANSACTIO": false, "SELECT b.c FROM safe": false, "DECLAR x INT64": false,
	} {
		err := db.QueryRow(query).Scan(new(any))
		if err == nil {
			t.Errorf("%s runs", query)
			continue
		}
		var e *extension.Error
		if !errors.As(err, &e) || (e.Hint == hint) != want || strings.HasSuffix(err.Error(), "\n"+hint) != want {
			t.Errorf("%s: %v", query, err)
		}
	}
	for _, text := range []string{"#standardSQL\nSELECT \"a\" AS x", "\n  #standardsql  \nSELECT SAFE_DIVIDE(1, 0) IS NULL, 'b' || \"a\" AS x"} {
		rows, err := db.Query(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		rows.Close()
	}
}

// TestNoInternalError: no text makes DuckDB fail for a reason of its own; forms that cannot work are refused in words.
func TestNoInternalError(t *testing.T) {
	db := open(t, "", config(t))
	db.SetMaxOpenConns(1)
	exec(t, db, createIn(filepath.Join(models(t), "swivel_like")), "CREATE TABLE w AS SELECT 'a' AS content", "CREATE TABLE base AS SELECT [1.0] AS v")
	run := func(query string, args ...any) error {
		rows, err := db.Query(query, args...)
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		return errors.Join(rows.Err(), rows.Close())
	}
	// A parameter in a text.
	for _, query := range []string{"SELECT * FROM ML_PREDICT('m', 'SELECT ? AS content')", "SELECT * FROM ML_PREDICT('m', 'SELECT $1 AS content')",
		"SELECT * FROM ML_PREDICT('m', 'SELECT $x AS content')", "SELECT * FROM ml_estimate('SELECT ?')", "EXPLAIN SELECT * FROM ML_PREDICT('m', 'SELECT ? AS content')"} {
		if err := run(query, "a"); err == nil || !strings.Contains(err.Error(), "stands inside a text") && !strings.Contains(err.Error(), "argument") {
			t.Errorf("%s: %v", query, err)
		}
	}
	// PREPARE and EXECUTE of DuckDB's own.
	exec(t, db, "PREPARE p AS SELECT * FROM ML.PREDICT(MODEL m, (SELECT $1::VARCHAR AS content))")
	if err := run("EXECUTE p('a')"); err != nil {
		t.Error(err)
	}
	exec(t, db, "PREPARE q AS SELECT ML.DISTANCE($1::DOUBLE[], [1.0])")
	if err := run("EXECUTE q([2.0])"); err != nil {
		t.Error(err)
	}
	forms := []string{
		"SELECT * FROM ML.PREDICT(MODEL m, TABLE w)", "SELECT * FROM ML.PREDICT((MODEL m), TABLE w)", "SELECT * FROM ML.PREDICT(MODEL m, (SELECT ? AS content))",
		"SELECT * FROM ML_PREDICT('m', 'FROM w')", "SELECT * FROM ML_PREDICT('m', 'SELECT ? AS content')", "SELECT * FROM ML_PREDICT(?, ?)", "SELECT ML.DISTANCE(?, [1.0])",
		"SELECT * FROM VECTOR_SEARCH(TABLE base, 'v', query_value => ?)", "SELECT * FROM VECTOR_SEARCH((SELECT ? AS v), 'v', TABLE base)", "SELECT * FROM ml_estimate(?)",
		"SELECT ML.DECODE_IMAGE(?)", "SELECT * FROM object_table(?)", "SELECT * FROM ml_model_info(?)", "SHOW MODELS", "DESCRIBE MODEL m", "SELECT * FROM m", "SELECT AI.SIMILARITY(?, 'a')",
	}
	random := rand.New(rand.NewPCG(3, 4))
	mutate := func(s string) string {
		b := []byte(s)
		for range random.IntN(3) {
			if len(b) < 2 {
				break
			}
			i := random.IntN(len(b))
			switch piece := []string{"?", "$1", "(", ")", "'", "''", ";", "NULL", "MODEL ", "TABLE ", ", ", "\x00", "é", "`", "::", "[", "*"}; random.IntN(3) {
			case 0:
				b = append(b[:i:i], b[min(i+1+random.IntN(4), len(b)):]...)
			case 1:
				b = append(b[:i:i], append([]byte(piece[random.IntN(len(piece))]), b[i:]...)...)
			case 2:
				other := forms[random.IntN(len(forms))]
				b = append(b[:i:i], other[random.IntN(len(other)):]...)
			}
		}
		return string(b)
	}
	around := []string{"%s", "EXPLAIN %s", "PREPARE x AS %s", "CREATE OR REPLACE VIEW v AS %s", "CREATE OR REPLACE MACRO mm(x) AS TABLE %s", "WITH c AS (%s) FROM c", "EXPLAIN ANALYZE %s",
		"SELECT (%s)", "CREATE OR REPLACE TABLE tt AS %s", "COPY (%s) TO '/dev/null'", "DESCRIBE %s", "SUMMARIZE %s"}
	args := [][]any{nil, {"a"}, {nil}, {1}, {[]float32{1}}, {"a", "b"}, {"m", "FROM w"}, {[]any{nil}}}
	for range 600 {
		query := fmt.Sprintf(around[random.IntN(len(around))], mutate(forms[random.IntN(len(forms))]))
		if err := run(query, args[random.IntN(len(args))]...); err != nil && (strings.Contains(err.Error(), "INTERNAL") || strings.TrimSpace(err.Error()) == "") {
			t.Errorf("%q: %v", query, err)
			break // DuckDB takes no more statements
		}
	}
}
