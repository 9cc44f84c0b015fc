package objecttable

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mallardml/mallard/connectors/localfs"
	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/udf/udftest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// testHost lends stores to one database.
type testHost struct {
	mu      sync.Mutex
	stores  map[string]Store
	ctx     context.Context
	strict  bool
	notes   []string
	failed  error // the last
	first   error
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
		Skip: func(uri string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.notes = append(h.notes, fmt.Sprintf("skipped %q", uri))
		},
		Fail: func(err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.failed = err
			if h.first == nil {
				h.first = err
			}
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
	host := &testHost{stores: map[string]Store{"file": localfs.FS{}}, ctx: context.Background()}
	db := &testDB{udftest.Open(tb), tb, host, New(host, o)}
	udftest.Raw(tb, db.DB, db.r.Register)
	return db
}

func (db *testDB) query(q string, args ...any) ([]string, error) {
	_, rows, err := udftest.Values(context.Background(), db.DB, q, args...)
	var out []string
	for _, vals := range rows {
		line := make([]string, len(vals))
		for i, v := range vals {
			line[i] = fmt.Sprint(v)
			if b, ok := v.([]byte); ok {
				line[i] = string(b)
			}
		}
		out = append(out, strings.Join(line, "|"))
	}
	return out, err
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
