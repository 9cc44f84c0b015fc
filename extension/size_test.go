package extension_test

import (
	"strings"
	"testing"

	settings "github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/installed/installedtest"
)

// TestSizes: texts of GoogleSQL that took minutes, or the process, are refused by a bound that the message names; smaller ones run.
func TestSizes(t *testing.T) {
	installedtest.Need(t)
	cfg := config(t)
	cfg.BigQuery.Dialect = settings.Dialect(dialect.GoogleSQL)
	db := open(t, "", cfg)
	repeat := func(s, between string, n int) string {
		return strings.TrimSuffix(strings.Repeat(s+between, n), between)
	}
	for _, c := range []struct{ sql, want string }{
		{"SELECT " + repeat("x", " AND ", 10_001) + " FROM (SELECT TRUE AS x)", "AND of more than 10000 conditions"},
		{"SELECT " + repeat("x", " OR ", 10_001) + " FROM (SELECT TRUE AS x)", "OR of more than 10000 conditions"},
		{repeat("SELECT 1", " UNION ALL ", 1001), "UNION ALL of more than 1000 queries in all"},
		{"SELECT JSON '{}'" + strings.Repeat(".a", 20_000), "a chain of fields, has more than 500 parts"},
		{"SELECT CAST(NULL AS " + strings.Repeat("ARRAY<", 20_000) + "INT64" + strings.Repeat(">", 20_000) + ")", "nested more than 500 levels deep"},
		{"SELECT COUNT(*) FROM (SELECT 1 a, 1 b, 1 c, 1 d, 1 e, 1 f, 1 g, 1 h, 1 i, 1 j) " +
			"GROUP BY GROUPING SETS (ROLLUP(a), CUBE(a, b, c, d, e, f, g, h, i, j))", "GROUP BY with more than 1024 grouping sets"},
		{"SELECT COUNT(*) FROM (SELECT 1 a) GROUP BY GROUPING SETS (" + repeat("a", ", ", 1025) + ")", "GROUP BY with more than 1024 grouping"},
		{"SELECT STRUCT(" + repeat("x", ", ", 10_001) + ") FROM (SELECT 1 AS x)", "a STRUCT of more than 10000 fields"},
		{"SELECT x" + strings.Repeat(" OR x", 100_000) + " FROM (SELECT TRUE AS x)", "more than 20000 ANDs and ORs"},
		{"SELECT IF(x NOT LIKE ANY ('b', " + repeat("'a%'", ", ", 1500) + ") AND x LIKE ALL (" + repeat("'c%'", ", ", 1500) +
			"), 1, ERROR('wrong')) FROM (SELECT 'c' AS x)", ""},
		{"SELECT " + repeat("x", " AND ", 1000) + " FROM (SELECT TRUE AS x)", ""},
		{"(" + repeat("SELECT 1", " UNION ALL ", 300) + ") EXCEPT DISTINCT SELECT 2", ""},
		{"SELECT JSON '{}'" + strings.Repeat(".a", 400), ""},
		{"SELECT JSON_VALUE('{}', '$" + strings.Repeat(".a", 100_000) + "')", ""},
		{"SELECT CASE" + strings.Repeat(" WHEN x THEN 1", 2000) + " END FROM (SELECT FALSE AS x)", ""},
	} {
		rows, err := db.Query(c.sql)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
			rows.Close()
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%.60s: %.200v", c.sql, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%.60s: %.200v, not %s", c.sql, err, c.want)
		}
	}
}
