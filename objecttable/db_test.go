package objecttable

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
	"go.uber.org/goleak"

	"github.com/mallardml/mallard/connectors/localfs"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"))
}

// testHost lends stores to one database.
type testHost struct {
	mu      sync.Mutex
	stores  map[string]Store
	ctx     context.Context
	strict  bool
	notes   []string
	failed  error
	objects atomic.Int64
}

func (h *testHost) Store(_ context.Context, scheme, _ string) (Store, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.stores[scheme]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("no store for %s://", scheme)
}

func (h *testHost) Query(uint64) *Query {
	h.mu.Lock()
	defer h.mu.Unlock()
	return &Query{
		Context: h.ctx, Strict: h.strict, Objects: &h.objects,
		Note: func(uri string, err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.notes = append(h.notes, fmt.Sprintf("%s: %v", Reason(err), err))
		},
		Fail: func(err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.failed = err
		},
	}
}

func (h *testHost) noted() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := strings.Join(h.notes, "\n")
	h.notes = nil
	return s
}

type testDB struct {
	*sql.DB
	tb   testing.TB
	host *testHost
	r    *Runtime
}

func openDB(tb testing.TB, o Options) *testDB {
	tb.Helper()
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		tb.Fatal(err)
	}
	host := &testHost{stores: map[string]Store{"file": localfs.FS{}}, ctx: context.Background()}
	db := &testDB{sql.OpenDB(connector), tb, host, New(host, o)}
	tb.Cleanup(func() { _ = db.Close() })
	c, err := db.Conn(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close()
	if err := c.Raw(func(dc any) error {
		return db.r.Register(mapping.Connection{Ptr: reflect.ValueOf(dc.(*duckdb.Conn)).Elem().FieldByName("conn").FieldByName("Ptr").UnsafePointer()})
	}); err != nil {
		tb.Fatal(err)
	}
	return db
}

func (db *testDB) query(q string, args ...any) ([]string, error) {
	rows, err := db.Query(q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out []string
	for rows.Next() {
		vals, ptrs := make([]any, len(cols)), make([]any, len(cols))
		for i := range vals {
			ptrs[i] = &vals[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return nil, err
		}
		line := make([]string, len(cols))
		for i, v := range vals {
			line[i] = fmt.Sprint(v)
			if b, ok := v.([]byte); ok {
				line[i] = string(b)
			}
		}
		out = append(out, strings.Join(line, "|"))
	}
	return out, rows.Err()
}

func (db *testDB) want(want, q string, args ...any) {
	db.tb.Helper()
	rows, err := db.query(q, args...)
	if err != nil {
		db.tb.Errorf("%s: %v", q, err)
		return
	}
	if got := strings.Join(rows, "\n"); got != want {
		db.tb.Errorf("%s:\n%s\nwant\n%s", q, got, want)
	}
}

func (db *testDB) wantError(want, q string, args ...any) {
	db.tb.Helper()
	if _, err := db.query(q, args...); err == nil || !strings.Contains(err.Error(), want) {
		db.tb.Errorf("%s: %v, want %q", q, err, want)
	}
}
