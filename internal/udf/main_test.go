package udf

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/udf/udftest"
)

// TestMain demands that nothing is left: no handle that DuckDB held, no goroutine, and, with -tags debug_bindings, no
// object of DuckDB's that we made.
func TestMain(m *testing.M) {
	leak.Main(m, func() error {
		if n := handles.Load(); n != 0 {
			return fmt.Errorf("%d handles are left", n)
		}
		if left := bindings.GetAllocationCounts(); left != "" {
			return fmt.Errorf("objects of DuckDB's are left:\n%s", left)
		}
		return nil
	})
}

// bed is a database with functions.
type bed struct {
	*sql.DB
	tb testing.TB
}

type function interface {
	Register(mapping.Connection) error
}

func newBed(tb testing.TB, fns ...function) *bed {
	b := &bed{udftest.Open(tb), tb}
	b.register(fns...)
	return b
}

func (b *bed) register(fns ...function) {
	b.tb.Helper()
	for _, f := range fns {
		udftest.Raw(b.tb, b.DB, f.Register)
	}
}

// want compares the rows of a query, a line each.
func (b *bed) want(want, q string, args ...any) {
	b.tb.Helper()
	_, rows, err := udftest.Rows(context.Background(), b.DB, q, args...)
	if err != nil {
		b.tb.Errorf("%s: %v", q, err)
		return
	}
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = strings.Join(r, "|")
	}
	if got := strings.Join(lines, "\n"); got != want {
		b.tb.Errorf("%s:\n%s\nwant\n%s", q, got, want)
	}
}

func (b *bed) wantError(want, q string, args ...any) {
	b.tb.Helper()
	if _, _, err := udftest.Rows(context.Background(), b.DB, q, args...); err == nil || !strings.Contains(err.Error(), want) {
		b.tb.Errorf("%s: got error %v, want %q", q, err, want)
	}
}

func (b *bed) exec(q string) {
	b.tb.Helper()
	if _, err := b.Exec(q); err != nil {
		b.tb.Fatalf("%s: %v", q, err)
	}
}
