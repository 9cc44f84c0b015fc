package completion_test

import (
	"context"
	"testing"
	"unicode/utf8"

	"github.com/mallardml/mallard/cmd/mallard/internal/completion"
	"github.com/mallardml/mallard/internal/dialect"
)

// seeds have the places that rules look for.
var seeds = []string{
	"SELECT a.b, (SELECT x.", "é.", "SELECT é FROM (VALUES (1)) é WHERE é.x", "CREATE MODEL m OPTIONS(model_type = 'é", "OPTIONS(", ")(", "MODEL \"", "CONNECTION `a.b",
	"SELECT * FROM ML.PREDICT(MODEL m, (SELECT 1 AS é, ", "SELECT AI.GENERATE('x', endpoint => '", "ML.GENERATE_TEXT(MODEL m, TABLE t, STRUCT(0.5 AS ", "'gs://", "'gs://b/",
	"FROM a.b.c d WHERE d.", "SELECT ML.DISTANCE(a, b, 'CO", "/* ", "-- x", "SELECT '''\"", "SELECT \"a\"\".", "#standardSQL\nSELECT `a-b`.", "JOIN (SELECT (1)) AS q ON q.", "\x00", ".", "..",
}

// FuzzSuggest: whatever is typed, a suggestion begins within it, and nothing panics.
func FuzzSuggest(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, len(s))
		f.Add(s+" FROM a AS x, (SELECT 1) q;", len(s))
	}
	rows := func(context.Context, string) [][2]string {
		return [][2]string{{"one", "1"}, {`"a b"`, ""}, {"é", "x"}, {"", "99"}}
	}
	f.Fuzz(func(t *testing.T, text string, at int) {
		if at < 0 || at > len(text) || !utf8.ValidString(text) || len(text) > 10_000 {
			t.Skip()
		}
		for _, lang := range []dialect.Lang{dialect.Auto, dialect.DuckDB, dialect.GoogleSQL} {
			s := completion.Source{Rows: rows, Columns: rows, Connections: []string{"default", "a.b"}, Buckets: map[string]string{"b": "."}, Lang: lang}
			for _, one := range s.Suggest(t.Context(), text[:at], text[at:]) {
				if one.Start < 0 || one.Text != "" && one.Start > at+99 {
					t.Errorf("%q: %+v", text[:at], one)
				}
			}
			s.Hint(text[:at], text[at:])
		}
	})
}
