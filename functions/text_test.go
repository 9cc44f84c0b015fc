package functions

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

func TestText(t *testing.T) {
	db := openDB(t)
	var calls atomic.Int64 // DuckDB calls from its own threads, too
	join := func(_ uint64, args []string, null []bool) (string, bool, error) {
		calls.Add(1)
		var parts []string
		for i, a := range args {
			switch {
			case null[i]:
				parts = append(parts, "-")
			case a == "fail":
				return "", false, errors.New("told to fail")
			case a == "panic":
				panic("boom")
			case a == "null":
				return "", true, nil
			case a == "bytes":
				return "ab\xff", false, nil
			default:
				parts = append(parts, strings.Clone(a))
			}
		}
		return strings.Join(parts, "+"), false, nil
	}
	db.raw(func(c mapping.Connection) error {
		if err := RegisterText(c, "join_text", 1, true, false, join); err != nil {
			return err
		}
		return RegisterText(c, "volatile_text", 0, true, true, join)
	})
	for _, tt := range []struct{ give, want string }{
		{`SELECT join_text('a', 'a text longer than twelve', NULL)`, "a+a text longer than twelve+-"},
		{`SELECT join_text(NULL)`, "-"},
		{`SELECT join_text('null')`, "NULL"},
		{`SELECT volatile_text()`, ""},
		{`SELECT count(DISTINCT join_text('x', i::VARCHAR)) FROM range(5000) t(i)`, "5000"},
		{`SELECT * FROM query(join_text('SELECT 1', '2'))`, "3"},
	} {
		if got := db.one(tt.give); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.give, got, tt.want)
		}
	}
	for _, tt := range []struct{ give, want string }{
		{`SELECT join_text('fail')`, "told to fail"},
		{`SELECT join_text('panic')`, "internal error, please report it: boom"},
		{`SELECT join_text('bytes')`, `join_text: the text is not valid UTF-8: it begins with "ab\xff"`},
	} {
		if _, err := db.query(tt.give); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.give, err, tt.want)
		}
	}
	if got := db.one(`SELECT join_text('after errors')`); got != "after errors" {
		t.Errorf("after errors: got %q", got)
	}
	calls.Store(0)
	db.must(`SELECT join_text('constant') FROM range(1000)`)
	if calls.Load() != 1 {
		t.Errorf("a constant call ran %d times, want 1: not folded", calls.Load())
	}
	calls.Store(0)
	db.must(`SELECT volatile_text('constant') FROM range(1000)`)
	if calls.Load() != 1000 {
		t.Errorf("a volatile call ran %d times, want 1000", calls.Load())
	}
	// A filter above a union is copied into both sides, and its bound function with it.
	if got := db.one(`SELECT count(*) FROM (SELECT i FROM range(9) a(i) UNION ALL SELECT i FROM range(5) b(i)) WHERE join_text(i::VARCHAR) = '3'`); got != "2" {
		t.Errorf("copied call: got %s, want 2", got)
	}
}
