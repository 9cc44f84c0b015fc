package extension

import (
	"fmt"
	"reflect"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// handle reads the C connection out of a driver connection. Functions that work on whole vectors are registered through
// the low-level API, which needs it, and the driver keeps it in an unexported field. The field's type is compared first,
// so that a driver that changed gives an error and not a crash.
func handle(c *duckdb.Conn) (mapping.Connection, error) {
	var none mapping.Connection
	f := reflect.ValueOf(c).Elem().FieldByName("conn")
	if !f.IsValid() || f.Type() != reflect.TypeOf(none) {
		return none, fmt.Errorf("duckdb-go: Conn has no field conn of type %T; this Mallard was built for duckdb-go v2.10506", none)
	}
	p := f.FieldByName("Ptr")
	if !p.IsValid() || p.Kind() != reflect.UnsafePointer {
		return none, fmt.Errorf("duckdb-go: %T has no pointer Ptr; this Mallard was built for duckdb-go v2.10506", none)
	}
	return mapping.Connection{Ptr: p.UnsafePointer()}, nil
}

// connectionID is DuckDB's number of a connection; callbacks know the connection they serve by it.
func connectionID(h mapping.Connection) uint64 {
	var ctx mapping.ClientContext
	mapping.ConnectionGetClientContext(h, &ctx)
	defer mapping.DestroyClientContext(&ctx)
	return uint64(mapping.ClientContextGetConnectionId(ctx))
}
