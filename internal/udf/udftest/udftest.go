// Package udftest opens plain DuckDB databases for tests of functions that are registered through package udf.
package udftest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Open makes an empty database in memory. It is closed with the test.
func Open(tb testing.TB) *sql.DB {
	tb.Helper()
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		tb.Fatal(err)
	}
	db := sql.OpenDB(connector)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// Raw calls f with a connection that functions can be registered on, and fails the test with its error.
func Raw(tb testing.TB, db *sql.DB, f func(mapping.Connection) error) {
	tb.Helper()
	c, err := db.Conn(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close()
	err = c.Raw(func(dc any) error {
		conn := reflect.ValueOf(dc.(*duckdb.Conn)).Elem().FieldByName("conn") // the driver does not give it out
		return f(mapping.Connection{Ptr: conn.FieldByName("Ptr").UnsafePointer()})
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// Rows returns the names of a result's columns, and its values printed as [Text] does.
func Rows(ctx context.Context, db *sql.DB, q string, args ...any) (cols []string, out [][]string, err error) {
	cols, rows, err := Values(ctx, db, q, args...)
	for _, vals := range rows {
		line := make([]string, len(cols))
		for i, v := range vals {
			line[i] = Text(v)
		}
		out = append(out, line)
	}
	return cols, out, err
}

// Values returns the names of a result's columns, and its values as the driver gives them.
func Values(ctx context.Context, db *sql.DB, q string, args ...any) (cols []string, out [][]any, err error) {
	rows, err := db.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	if cols, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	for rows.Next() {
		vals, ptrs := make([]any, len(cols)), make([]any, len(cols))
		for i := range vals {
			ptrs[i] = &vals[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return nil, nil, err
		}
		out = append(out, vals)
	}
	return cols, out, rows.Err()
}

// Text prints a value as the driver gave it: NULL, bytes in hexadecimal, the rest as fmt does.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return fmt.Sprintf("%x", v)
	case driver.Valuer:
		if x, err := v.Value(); err == nil {
			return fmt.Sprint(x)
		}
	}
	return fmt.Sprint(v)
}
