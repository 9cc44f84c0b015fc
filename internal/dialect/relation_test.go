package dialect

import (
	"fmt"
	"strings"
	"testing"
)

func TestRelations(t *testing.T) {
	roles := map[Role]string{Reads: "reads", Describes: "describes", Changes: "changes", Alters: "alters", Drops: "drops", Makes: "makes", Renames: "renames"}
	for _, tt := range []struct {
		give, want string
		lang       Lang
	}{
		{"SELECT * FROM demo.m", "reads demo.m", DuckDB},
		{"SELECT m FROM (SELECT 1 AS m)", "", DuckDB},
		{"SELECT a, demo.m FROM demo AS d, x.m", "reads demo, reads x.m", DuckDB},
		{"WITH m AS (SELECT * FROM t) SELECT * FROM m JOIN n USING (i)", "reads t, reads n", DuckDB},
		{"WITH m AS (SELECT 1), k AS (SELECT * FROM m) FROM k SELECT *", "", DuckDB},
		{"SELECT (SELECT count(*) FROM m) + 1, i IN (FROM k) FROM t WHERE EXISTS (SELECT 1 FROM n)", "reads m, reads k, reads t, reads n", DuckDB},
		{"SELECT * FROM range(3), LATERAL (SELECT * FROM m), read_csv('m')", "reads m", DuckDB},
		{"CREATE OR REPLACE VIEW demo.m AS SELECT * FROM t", "makes demo.m, reads t", DuckDB},
		{"CREATE TABLE IF NOT EXISTS m (i INTEGER)", "makes m", DuckDB},
		{"CREATE TEMP TABLE m AS SELECT 1", "", DuckDB},
		{"DROP VIEW IF EXISTS a.\"b c\".m CASCADE", "drops a.b c.m", DuckDB},
		{"DROP SCHEMA m", "", DuckDB},
		{"ALTER TABLE m RENAME TO k", "renames m, makes k", DuckDB},
		{"ALTER VIEW IF EXISTS demo.m RENAME TO k", "renames demo.m, makes demo.k", DuckDB},
		{"ALTER TABLE m RENAME a TO b", "alters m", DuckDB},
		{"SELECT * FROM (PIVOT m ON a USING count(*))", "reads m", DuckDB},
		{"WITH c AS (UNPIVOT x.m ON a), d AS (PIVOT c ON a) FROM c, d", "reads x.m", DuckDB},
		{"FROM (DESCRIBE m) JOIN (SUMMARIZE demo.k) ON true, (SHOW n)", "reads DESCRIBE, reads SUMMARIZE, reads SHOW, describes m, describes demo.k, describes n", DuckDB},
		{"COPY (PIVOT m ON a) TO 'x.csv'", "reads m", DuckDB},
		{"CREATE TABLE k AS PIVOT m ON a", "makes k, reads m", DuckDB},
		{"SELECT count(show), f(describe, x), list_sort(table) FROM t", "reads t", DuckDB},
		{"SELECT 1 AS pivot, a AS show FROM t", "reads t", DuckDB},
		{"FROM VECTOR_SEARCH(TABLE base, 'x', TABLE q)", "", DuckDB},
		{"SELECT * FROM query('FROM m')", "reads m", DuckDB},
		{"FROM query('SELECT ''a'' FROM x.m JOIN (FROM query(''FROM k''))')", "reads x.m, reads k", DuckDB},
		{"FROM query_table('m'), query_table(['demo.k', '\"a b\"'], true)", "reads m, reads demo.k, reads a b", DuckDB},
		{"FROM query(getvariable('m')), f('m'), query_table('x' || 'm')", "", DuckDB},
		{"SELECT query, query_table FROM t WHERE query = 'FROM m'", "reads t", DuckDB},
		{"INSERT OR REPLACE INTO m (a) SELECT * FROM t", "changes m, reads t", DuckDB},
		{"INSERT INTO m VALUES (1)", "changes m", DuckDB},
		{"UPDATE m SET a = 1 FROM t", "changes m, reads t", DuckDB},
		{"DELETE FROM m USING t WHERE true", "changes m", DuckDB},
		{"MERGE INTO m USING t ON a = b WHEN MATCHED THEN DELETE", "changes m", DuckDB},
		{"TRUNCATE m", "changes m", DuckDB},
		{"DESCRIBE m", "describes m", DuckDB},
		{"DESCRIBE SELECT * FROM m", "reads m", DuckDB},
		{"SUMMARIZE m", "describes m", DuckDB},
		{"COPY m TO 'x.csv'", "reads m", DuckDB},
		{"COPY (SELECT * FROM m) TO 'x.csv'", "reads m", DuckDB},
		{"COPY m FROM 'x.csv'", "changes m", DuckDB},
		{"COPY FROM DATABASE a TO b", "", DuckDB},
		{"EXPLAIN ANALYZE SELECT * FROM m", "reads m", DuckDB},
		{"TABLE m", "reads m", DuckDB},
		{"PIVOT m ON a USING count(*)", "reads m", DuckDB},
		{"UNPIVOT x.m ON a", "reads x.m", DuckDB},
		{"WITH c AS (SELECT 1 FROM t) INSERT INTO m SELECT * FROM c", "changes m, reads t", DuckDB},
		{"WITH RECURSIVE c(a) USING KEY (a) AS MATERIALIZED (SELECT 1), d AS NOT MATERIALIZED (SELECT 2) DELETE FROM m USING c", "changes m", DuckDB},
		{"WITH c AS (SELECT 1) SELECT update m FROM c", "", DuckDB},
		{"PREPARE q AS DROP VIEW m", "drops m", DuckDB},
		{"PREPARE q(INTEGER) AS INSERT INTO m VALUES ($1)", "changes m", DuckDB},
		{"EXPLAIN WITH c AS (SELECT 1) UPDATE m SET a = 1", "changes m", DuckDB},
		{"SELECT 1 IS DISTINCT FROM m", "", DuckDB},
		{"DROP VIEW `p.d.m`", "drops p.d.m", GoogleSQL},
		{"DROP SNAPSHOT TABLE IF EXISTS d.m", "drops d.m", GoogleSQL},
		{"CREATE OR REPLACE MATERIALIZED VIEW d.m AS SELECT * FROM t", "makes d.m, reads t", GoogleSQL},
		{"ALTER TABLE IF EXISTS d.t RENAME TO m", "renames d.t, makes d.m", GoogleSQL},
		{"SELECT * FROM ML.PREDICT(MODEL demo.m, (SELECT * FROM t))", "reads t", DuckDB},
	} {
		all := Split(tt.give, tt.lang)
		var got []string
		for _, r := range Relations(tt.give, all[0]) {
			got = append(got, fmt.Sprintf("%s %s", roles[r.Role], r.Path))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s: got %q, want %q", tt.give, s, tt.want)
		}
	}
}

func TestAttached(t *testing.T) {
	for give, want := range map[string]string{
		"ATTACH ':memory:' AS a": "a",
		`attach or replace database if not exists 'x''y' AS "a b" (R)`: "a b",
		"DETACH DATABASE IF EXISTS a":                                  "a",
		"ATTACH 'x.db'":                                                "",
		"ATTACH":                                                       "",
		"DETACH":                                                       "",
		"SELECT 1":                                                     "",
	} {
		if name, ok := Attached(give, Split(give+" ", DuckDB)[0]); name != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", give, name, ok)
		}
	}
}

func TestTemporary(t *testing.T) {
	for give, want := range map[string]string{
		"CREATE TEMP TABLE a (b INTEGER)":                          "a",
		"CREATE OR REPLACE TEMPORARY VIEW IF NOT EXISTS temp.b AS": "temp.b",
		"CREATE TEMP MACRO a() AS 1":                               "",
		"CREATE TABLE a (b INTEGER)":                               "",
		"CREATE TEMP TABLE":                                        "",
	} {
		if path, ok := Temporary(give, Split(give, DuckDB)[0]); ok != (want != "") || ok && strings.Join(path.Parts, ".") != want {
			t.Errorf("%s: %v, %v", give, path.Parts, ok)
		}
	}
}
