package extension_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	settings "github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
)

// googleSQL opens a database of the dialect bigquery.
func googleSQL(t *testing.T) *sql.DB {
	t.Helper()
	cfg := config(t)
	cfg.BigQuery.Dialect = settings.Dialect(dialect.GoogleSQL)
	return open(t, "", cfg)
}

// TestScript runs statements of the procedural language. Results are what its page says
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language).
func TestScript(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"declare", "DECLARE x, y INT64 DEFAULT 3; SELECT x + y;", "[[6]]"},
		{"type of the default", "DECLARE d DEFAULT DATE '2020-02-29'; SELECT d = DATE '2020-02-29';", "[[true]]"},
		{"null", "DECLARE s STRING; SELECT s IS NULL;", "[[true]]"},
		{"set", "DECLARE x INT64; SET x = 5; SELECT x;", "[[5]]"},
		{"set several", "DECLARE x INT64; DECLARE s STRING; SET (x, s) = (1, 'a'); SELECT x, s;", "[[1 a]]"},
		{"set from a query", "DECLARE x INT64; DECLARE s STRING; SET (x, s) = (SELECT AS STRUCT 2, 'b'); SELECT x, s;", "[[2 b]]"},
		{"array", "DECLARE a ARRAY<INT64> DEFAULT [1, 2]; SELECT x FROM UNNEST(a) AS x ORDER BY x;", "[[1] [2]]"},
		{"a column comes first", "DECLARE x INT64 DEFAULT 9; SELECT x FROM (SELECT 1 AS x);", "[[1]]"},
		{"if", "DECLARE x INT64 DEFAULT 2; IF x = 1 THEN SELECT 'one'; ELSEIF x = 2 THEN SELECT 'two'; ELSE SELECT 'many'; END IF;", "[[two]]"},
		{"a null condition", "IF NULL THEN SELECT 1; ELSE SELECT 2; END IF;", "[[2]]"},
		{"case", "DECLARE x INT64 DEFAULT 2; CASE WHEN x = 1 THEN SELECT 'one'; WHEN x = 2 THEN SELECT 'two'; END CASE;", "[[two]]"},
		{"case of a value", "CASE 1 + 1 WHEN 1 THEN SELECT 'one'; WHEN 2 THEN SELECT 'two'; ELSE SELECT 'many'; END CASE;", "[[two]]"},
		{"while", "DECLARE x INT64 DEFAULT 0; WHILE x < 3 DO SET x = x + 1; END WHILE; SELECT x;", "[[3]]"},
		{"loop", "DECLARE x INT64 DEFAULT 0; LOOP SET x = x + 1; IF x >= 4 THEN LEAVE; END IF; END LOOP; SELECT x;", "[[4]]"},
		{"repeat", "DECLARE x INT64 DEFAULT 0; REPEAT SET x = x + 2; UNTIL x >= 5 END REPEAT; SELECT x;", "[[6]]"},
		{"continue", "DECLARE x, n INT64 DEFAULT 0; WHILE x < 5 DO SET x = x + 1; IF x = 2 THEN CONTINUE; END IF; SET n = n + x; END WHILE; SELECT n;", "[[13]]"},
		{"labels", "DECLARE n INT64 DEFAULT 0; outside: LOOP LOOP SET n = n + 1; LEAVE outside; END LOOP; SET n = 100; END LOOP outside; SELECT n;", "[[1]]"},
		{"for", "DECLARE n INT64 DEFAULT 0; FOR r IN (SELECT x FROM UNNEST([1, 2, 3]) AS x) DO SET n = n + r.x; END FOR; SELECT n;", "[[6]]"},
		{"handler", "BEGIN SELECT 1 / 0; EXCEPTION WHEN ERROR THEN SELECT @@error.message; END;", "[[division by zero: 1 / 0]]"},
		{"raise", "BEGIN RAISE USING MESSAGE = CONCAT('a', 'b'); EXCEPTION WHEN ERROR THEN SELECT @@error.message; END;", "[[ab]]"},
		{"raise again", "BEGIN BEGIN RAISE USING MESSAGE = 'x'; EXCEPTION WHEN ERROR THEN RAISE; END; EXCEPTION WHEN ERROR THEN SELECT @@error.message; END;", "[[x]]"},
		{"scope", "BEGIN DECLARE x INT64 DEFAULT 1; SELECT x; END;", "[[1]]"},
		{"execute immediate", "EXECUTE IMMEDIATE 'SELECT ? + @y' USING 5, 6 AS y;", "[[11]]"},
		{"into", "DECLARE x INT64; DECLARE s STRING; EXECUTE IMMEDIATE \"SELECT 1, 'a'\" INTO x, s; SELECT x, s;", "[[1 a]]"},
		{"return", "CREATE TABLE t (x INT64); SELECT 1; RETURN; DROP TABLE t;", "[]"},
		{"the last query is the result", "BEGIN SELECT 1; CREATE TEMP TABLE u (x INT64); INSERT INTO u (x) VALUES (1); END;", "[[1]]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, err := googleSQL(t).QueryContext(t.Context(), c.script)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(all(t, rows)); got != c.want {
				t.Errorf("%s\ngives %s, not %s", c.script, got, c.want)
			}
		})
	}
}

// all reads every value of a result.
func all(t *testing.T, rows *sql.Rows) [][]any {
	t.Helper()
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	list := [][]any{}
	for rows.Next() {
		values, at := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			at[i] = &values[i]
		}
		if err := rows.Scan(at...); err != nil {
			t.Fatal(err)
		}
		list = append(list, values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestScriptParameters: a script of GoogleSQL has one list of parameters, and each statement those that it names; by position they are
// counted in the text, also in a loop.
func TestScriptParameters(t *testing.T) {
	named := []any{sql.Named("n", 2), sql.Named("s", "a"), sql.Named("b", []byte{255}), sql.Named("z", nil)}
	for _, c := range []struct {
		script, want string
		args         []any
	}{
		{"DECLARE x INT64 DEFAULT ?; SET x = x + ?; SELECT x, ?;", "[[5 b]]", []any{2, 3, "b"}},
		{"DECLARE x INT64 DEFAULT 0; WHILE x < ? DO SET x = x + ?; END WHILE; SELECT x + ?;", "[[17]]", []any{5, 3, 11}},
		{"DECLARE x INT64 DEFAULT @n; IF @s = 'a' THEN SELECT x, @s, TO_HEX(@b), @z IS NULL; END IF;", "[[2 a ff true]]", named},
		{"DECLARE z STRING DEFAULT @z; CREATE TEMP TABLE t AS SELECT @n AS n; INSERT t VALUES (@n + 1); SELECT SUM(n), z IS NULL FROM t;", "[[5 true]]", named},
		{"BEGIN EXECUTE IMMEDIATE 'SELECT ? + @m' USING ?, 1 AS m; END", "[[8]]", []any{7}},
		{"SELECT 1; SELECT ?", "[[9]]", []any{9}},
	} {
		rows, err := googleSQL(t).QueryContext(t.Context(), c.script, c.args...)
		if err != nil {
			t.Errorf("%s\n%v", c.script, err)
			continue
		}
		if got := fmt.Sprint(all(t, rows)); got != c.want {
			t.Errorf("%s\ngives %s, not %s", c.script, got, c.want)
		}
	}
}

func TestScriptFaults(t *testing.T) {
	for script, want := range map[string]string{
		"SET x = 1":                              "x",
		"DECLARE x INT64 DEFAULT 'a' || 'b'":     "cannot coerce expression of type STRING to type INT64",
		"BREAK":                                  "BREAK without label is only allowed inside of a loop body",
		"IF 1 THEN SELECT 1; END IF":             "the condition must be BOOL, and is INT64",
		"RAISE":                                  "RAISE without a message stands in a handler only",
		"DECLARE x INT64; SET (x, x) = 1":        "2 variables need a STRUCT of as many fields, not INT64",
		"EXECUTE IMMEDIATE 'SELECT 1; SELECT 2'": "EXECUTE IMMEDIATE runs one statement, and this text has 2",
		"EXECUTE IMMEDIATE 'SELECT @a'":          "USING gives no value for the parameter @a",
		"BEGIN SELECT 1; SELECT nowhere; END":    "1:24: Unrecognized name: nowhere",
		"DECLARE x INT64; BEGIN DECLARE z INT64; END; SELECT z": "Unrecognized name: z",
	} {
		_, err := googleSQL(t).ExecContext(t.Context(), script)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nsays %v, not %s", script, err, want)
		}
	}
}

// TestTransaction: the statements of transactions are GoogleSQL's, too.
func TestTransaction(t *testing.T) {
	db := googleSQL(t)
	db.SetMaxOpenConns(1)
	exec(t, db, "CREATE TABLE t (x INT64)", "BEGIN TRANSACTION", "INSERT INTO t (x) VALUES (1)", "ROLLBACK TRANSACTION",
		"BEGIN", "INSERT INTO t (x) VALUES (2)", "COMMIT TRANSACTION")
	if got := one[int64](t, db, "SELECT SUM(x) FROM t"); got != 2 {
		t.Errorf("the table has %d", got)
	}
	rows, err := db.QueryContext(t.Context(), "EXPLAIN SELECT x FROM t")
	if err != nil {
		t.Fatal(err)
	}
	if len(all(t, rows)) == 0 {
		t.Error("EXPLAIN shows nothing")
	}
}
