package installed_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
)

// hostile are texts that were written to hurt.
var hostile = map[string]string{
	"10 MB":         "SELECT '" + strings.Repeat("x", 10<<20) + "'",
	"parentheses":   "SELECT " + strings.Repeat("(", 100_000) + "1" + strings.Repeat(")", 100_000),
	"plus":          "SELECT 1" + strings.Repeat("+1", 100_000),
	"subqueries":    strings.Repeat("SELECT (", 20_000) + "1" + strings.Repeat(")", 20_000),
	"struct":        "SELECT " + strings.Repeat("STRUCT(", 20_000) + "1" + strings.Repeat(")", 20_000),
	"joins by name": numbered("SELECT 1 FROM people p", " CROSS JOIN people p%d", 20_000),
	"commas":        numbered("SELECT 1 FROM people p", ", people p%d", 20_000),
	"pipes":         "FROM people" + strings.Repeat(" |> WHERE TRUE", 30_000),
	"with":          "WITH a0 AS (SELECT 1 x)" + with(5_000) + " SELECT * FROM a5000",
	"doubling":      doubling(60),
	"invalid UTF-8": "SELECT '\xff\xfe', \xc3",
	"NUL":           "SELECT 1\x00, 2",
	"backslashes":   "SELECT '" + strings.Repeat(`\`, 99_999),
	"fields":        "SELECT JSON '{}'" + strings.Repeat(".a", 20_000),
	"elements":      "SELECT JSON '{}'" + strings.Repeat(".a[0]", 20_000),
	"fields apart":  "SELECT JSON '{}'" + strings.Repeat(" /* */ . `a`", 20_000),
	"fields below":  "SELECT JSON '{}'" + strings.Repeat(".\fa", 20_000),
	"JSON literals": "SELECT JSON" + strings.Repeat(" '"+strings.Repeat("[", 400)+"'", 1200) + strings.Repeat(" '"+strings.Repeat("]", 400)+"'", 1200),
	"JSON escapes":  "SELECT JSON '" + strings.Repeat(`\x5b`, 130_000) + strings.Repeat(`\x5d`, 130_000) + "'",
	"JSON texts":    "SELECT JSON '" + strings.Repeat(`["]",`, 150_000) + "1" + strings.Repeat("]", 150_000) + "'",
	"types":         "SELECT CAST(NULL AS " + strings.Repeat("ARRAY<", 20_000) + "INT64" + strings.Repeat(">", 20_000) + ")",
	"mixed types":   "SELECT CAST(NULL AS " + strings.Repeat("ARRAY< STRUCT <a ", 20_000) + "INT64" + strings.Repeat(">>", 20_000) + ")",
	"number":        "SELECT " + strings.Repeat("9", 500_000),
}

func with(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, ", a%d AS (SELECT * FROM a%d)", i, i-1)
	}
	return b.String()
}

func numbered(begin, each string, n int) string {
	var b strings.Builder
	b.WriteString(begin)
	for i := range n {
		fmt.Fprintf(&b, each, i)
	}
	return b.String()
}

// doubling gives a text each of whose tables is read twice by the next.
func doubling(n int) string {
	var b strings.Builder
	b.WriteString("WITH a0 AS (SELECT 1 x)")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, ", a%d AS (SELECT p.* FROM a%d p, a%d q)", i, i-1, i-1)
	}
	fmt.Fprintf(&b, " SELECT * FROM a%d", n)
	return b.String()
}

// TestHostile: whatever the text, there is an answer or an error, and the next statement works.
func TestHostile(t *testing.T) {
	each(t, func(t *testing.T, _ analyzer.Service, a *analyzer.Analyzer) {
		for name, sql := range hostile {
			_, err := a.Analyze(context.Background(), sql, people, analyzer.Parameters{Undeclared: true})
			if err != nil && len(err.Error()) > 1<<20 {
				t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
			}
			t.Logf("%s: %.150s", name, message(err))
			if _, err := a.Analyze(context.Background(), "SELECT '"+name+"', id FROM people", people, analyzer.Parameters{}); err != nil {
				t.Errorf("after %s: %v", name, err)
			}
		}
	})
}

// TestManyAtOnce: statements, good, bad and hostile, on 64 goroutines; some are cancelled.
func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, _ analyzer.Service, a *analyzer.Analyzer) {
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				switch i % 4 {
				case 0:
					if _, err := a.Analyze(ctx, fmt.Sprintf("SELECT id + %d FROM people", i), people, analyzer.Parameters{}); err != nil {
						t.Error(err)
					}
				case 1:
					if _, err := a.Analyze(ctx, fmt.Sprintf("SELECT id%d FROM people", i), people, analyzer.Parameters{}); err == nil {
						t.Error("no error")
					}
				case 2:
					_, _ = a.Analyze(ctx, fmt.Sprintf("SELECT %d%s", i, strings.Repeat("+1", 300)), people, analyzer.Parameters{})
				case 3:
					cancel()
					if _, err := a.Analyze(ctx, fmt.Sprintf("SELECT %d%s", i, strings.Repeat("+1", 300)), people, analyzer.Parameters{}); err == nil {
						t.Error("a cancelled statement has an answer")
					} else if !errors.Is(err, context.Canceled) {
						t.Errorf("a cancelled statement: %v", err)
					}
				}
			})
		}
		all.Wait()
	})
}

// TestManyCatalogs: catalogs beyond what the service keeps, and back.
func TestManyCatalogs(t *testing.T) {
	each(t, func(t *testing.T, _ analyzer.Service, a *analyzer.Analyzer) {
		n := 40
		for i := range 2 * n {
			name := fmt.Sprintf("t%d", i%n)
			c := &analyzer.Catalog{Tables: []analyzer.Table{{Path: []string{name}, Columns: []googlesql.Field{{Name: "x", Type: googlesql.Type{Kind: googlesql.Int64}}}}}}
			if _, err := a.Analyze(context.Background(), fmt.Sprintf("SELECT x, %d FROM %s", i, name), c, analyzer.Parameters{}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzAnalyze: no text ends the process, and an error is a text.
func FuzzAnalyze(f *testing.F) {
	for _, sql := range []string{"SELECT id, name FROM people WHERE id IN (1, 2) GROUP BY ALL", "FROM people |> WHERE id > @x |> AGGREGATE COUNT(*) AS n",
		"SELECT * FROM people PIVOT(COUNT(*) FOR name IN ('a', 'b'))", "MERGE people USING (SELECT 1 x) ON id = x WHEN MATCHED THEN DELETE",
		"SELECT CAST('\xff' AS BYTES), TIMESTAMP '2020-01-01 00:00:00 America/New_York'", "SELECT ARRAY(SELECT AS STRUCT * FROM people)[0].id"} {
		f.Add(sql)
	}
	var all []*analyzer.Analyzer
	for _, s := range engines(f) {
		a, err := analyzer.New(context.Background(), s)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, a)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		var first string
		for i, a := range all {
			_, _ = a.Tables(context.Background(), sql)
			_, err := a.Analyze(context.Background(), sql, people, analyzer.Parameters{Undeclared: true})
			if i > 0 && (first == "") != (err == nil) && !strings.Contains(message(err)+first, "Out of stack") {
				t.Errorf("one analyzer says %q, the other %q", first, message(err))
			}
			first = message(err)
		}
	})
}
