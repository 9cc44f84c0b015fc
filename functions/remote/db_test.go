package remote

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/udf/udftest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// testDB is an in-memory database with one connection, and the Host of its functions.
type testDB struct {
	*sql.DB
	tb         testing.TB
	mu         sync.Mutex
	specs      map[int64]*Spec
	refs       map[int64]int
	registered map[string]bool
	st         *dispatch.Statement
	o          dispatch.StatementOptions
	last       *dispatch.Statement
}

func (db *testDB) Spec(v int64) (*Spec, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	s, ok := db.specs[v]
	if !ok {
		return nil, errors.New("no such version")
	}
	db.refs[v]++
	return s, nil
}

func (db *testDB) Asks(uint64) {}

func (db *testDB) ReleaseSpec(v int64) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.refs[v]--
}

func (db *testDB) Statement(uint64) *dispatch.Statement {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.st
}

func openDB(tb testing.TB) *testDB {
	tb.Helper()
	db := &testDB{DB: udftest.Open(tb), tb: tb, specs: map[int64]*Spec{}, refs: map[int64]int{}, registered: map[string]bool{}}
	db.SetMaxOpenConns(1)
	return db
}

// add makes a spec known and registers what its SQL calls.
func (db *testDB) add(s *Spec) *Spec {
	db.tb.Helper()
	if err := s.Init(); err != nil {
		db.tb.Fatal(err)
	}
	db.specs[s.Version] = s
	udftest.Raw(db.tb, db.DB, func(conn mapping.Connection) error {
		for _, f := range append(s.Functions(), s.ScalarFunction()) {
			if db.registered[f.Name] {
				continue
			}
			db.registered[f.Name] = true
			if err := f.Register(conn, f.Name, db); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

// over is `FROM` a call of s over a query.
func over(s *Spec, input string) string {
	before, after := s.SQL(nil)
	return before + input + after
}

func (db *testDB) query(ctx context.Context, q string, args ...any) (cols []string, out [][]string, err error) {
	st := dispatch.NewStatement(ctx, db.o)
	db.mu.Lock()
	db.st, db.last = st, st
	db.mu.Unlock()
	defer st.End()
	return udftest.Rows(ctx, db.DB, q, args...)
}

func (db *testDB) must(q string, args ...any) [][]string {
	db.tb.Helper()
	_, rows, err := db.query(context.Background(), q, args...)
	if err != nil {
		db.tb.Fatalf("%s: %v", q, err)
	}
	return rows
}

func (db *testDB) exec(q string) {
	db.tb.Helper()
	if _, err := db.Exec(q); err != nil {
		db.tb.Fatalf("%s: %v", q, err)
	}
}

// text prints rows as lines of cells.
func text(rows [][]string) string {
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = strings.Join(r, " | ")
	}
	return strings.Join(lines, "\n")
}

var versions int64

// textSpec is ML.GENERATE_TEXT over a fake Gemini.
func textSpec(tb testing.TB, svc Service, options ...Option) *Spec {
	return specFor(tb, "ML.GENERATE_TEXT", geminiURL, svc, options...)
}

func specFor(tb testing.TB, function, endpoint string, svc Service, options ...Option) *Spec {
	tb.Helper()
	f := FamilyOf(endpoint)
	if function == "ML.PREDICT" {
		f = Custom
	}
	o, err := ParseOptions(function, f, options)
	if err != nil {
		tb.Fatal(err)
	}
	versions++
	return &Spec{
		Func: function, Model: "demo.m", Version: versions, Endpoint: endpoint, Family: f, Options: o,
		Connection: dispatch.NewConnection(dispatch.ConnectionOptions{Name: "test", Concurrency: 8}),
		Service:    func(context.Context) (Service, error) { return svc, nil },
	}
}

var flat = Option{Name: "FLATTEN_JSON_OUTPUT", Value: true}
