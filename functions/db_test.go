package functions

import (
	"context"
	"database/sql"
	"testing"

	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/udf/udftest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// testDB is an in-memory database whose connections are raw ones too.
type testDB struct {
	*sql.DB
	tb testing.TB
}

func openDB(tb testing.TB) *testDB {
	tb.Helper()
	return &testDB{udftest.Open(tb), tb}
}

// raw calls f with a connection that registers functions.
func (db *testDB) raw(f func(mapping.Connection) error) {
	db.tb.Helper()
	udftest.Raw(db.tb, db.DB, f)
}

// query returns all rows, printed.
func (db *testDB) query(q string, args ...any) ([][]string, error) {
	_, rows, err := udftest.Rows(context.Background(), db.DB, q, args...)
	return rows, err
}

func (db *testDB) must(q string, args ...any) [][]string {
	db.tb.Helper()
	rows, err := db.query(q, args...)
	if err != nil {
		db.tb.Fatalf("%s: %v", q, err)
	}
	return rows
}

func (db *testDB) one(q string, args ...any) string {
	db.tb.Helper()
	rows := db.must(q, args...)
	if len(rows) != 1 || len(rows[0]) != 1 {
		db.tb.Fatalf("%s: %d rows, want a single value", q, len(rows))
	}
	return rows[0][0]
}
