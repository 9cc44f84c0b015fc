package duckapi

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Functions on whole vectors, streams and cancellation need the C handles, which duckdb-go keeps in unexported fields. The
// type of a field is compared before it is read: a driver that changed gives an error and not a crash.

// field gives the address of a field of what v points at, if it has one of that name and type.
func field[T any](v any, name string) (*T, error) {
	p := reflect.ValueOf(v)
	if p.Kind() == reflect.Pointer && p.Elem().Kind() == reflect.Struct {
		if f := p.Elem().FieldByName(name); f.IsValid() && f.Type() == reflect.TypeFor[T]() {
			return (*T)(unsafe.Pointer(f.UnsafeAddr())), nil
		}
	}
	return nil, fmt.Errorf("duckdb-go: %T has no field %s of type %v; this Mallard was built for duckdb-go v2.10506", v, name,
		reflect.TypeFor[T]())
}

// Connection gives the C connection of a driver connection.
func Connection(c *duckdb.Conn) (mapping.Connection, error) {
	p, err := field[mapping.Connection](c, "conn")
	if err != nil {
		return mapping.Connection{}, err
	}
	return *p, nil
}

// Prepared gives the C statement of a driver statement.
func Prepared(st *duckdb.Stmt) (mapping.PreparedStatement, error) {
	p, err := field[*mapping.PreparedStatement](st, "preparedStmt")
	if err != nil {
		return mapping.PreparedStatement{}, err
	}
	if *p == nil {
		return mapping.PreparedStatement{}, fmt.Errorf("duckdb-go: the statement is not prepared")
	}
	return **p, nil
}

// Result gives the C result of a driver's rows, which keep owning it.
func Result(rows driver.Rows) (mapping.Result, error) {
	p, err := field[mapping.Result](rows, "res")
	if err != nil {
		return mapping.Result{}, err
	}
	return *p, nil
}

// ConnectionID is DuckDB's number of a connection; callbacks know the connection they serve by it.
func ConnectionID(h mapping.Connection) uint64 {
	var ctx mapping.ClientContext
	mapping.ConnectionGetClientContext(h, &ctx)
	defer mapping.DestroyClientContext(&ctx)
	return uint64(mapping.ClientContextGetConnectionId(ctx))
}

// contexts finds the map from connections to contexts in which duckdb-go looks; nil when it is not where it was.
func contexts(c *duckdb.Conn) *sync.Map {
	f := reflect.ValueOf(c).Elem().FieldByName("ctxStore")
	if f.Kind() != reflect.Pointer || f.IsNil() || f.Type().Elem().Kind() != reflect.Struct {
		return nil
	}
	m := f.Elem().FieldByName("m")
	if !m.IsValid() || m.Type() != reflect.TypeFor[sync.Map]() {
		return nil
	}
	return (*sync.Map)(unsafe.Pointer(m.UnsafeAddr()))
}
