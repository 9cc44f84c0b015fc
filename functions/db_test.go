package functions

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testDB is an in-memory database whose connections are raw ones too.
type testDB struct {
	*sql.DB
	tb testing.TB
}

func openDB(tb testing.TB) *testDB {
	tb.Helper()
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		tb.Fatal(err)
	}
	db := &testDB{sql.OpenDB(connector), tb}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// raw calls f with a connection that registers functions.
func (db *testDB) raw(f func(mapping.Connection) error) {
	db.tb.Helper()
	c, err := db.Conn(context.Background())
	if err != nil {
		db.tb.Fatal(err)
	}
	defer c.Close()
	if err := c.Raw(func(dc any) error { return f(rawConn(dc)) }); err != nil {
		db.tb.Fatal(err)
	}
}

func rawConn(dc any) mapping.Connection {
	return mapping.Connection{Ptr: reflect.ValueOf(dc.(*duckdb.Conn)).Elem().FieldByName("conn").FieldByName("Ptr").UnsafePointer()}
}

// query returns all rows, printed.
func (db *testDB) query(q string, args ...any) ([][]string, error) {
	rows, err := db.Query(q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out [][]string
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
			line[i] = printed(v)
		}
		out = append(out, line)
	}
	return out, rows.Err()
}

func printed(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return fmt.Sprintf("%x", v)
	case driver.Valuer:
		x, _ := v.Value()
		return fmt.Sprint(x)
	}
	return fmt.Sprint(v)
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
