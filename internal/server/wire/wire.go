// Package wire is BigQuery's JSON: schemas, rows and query parameters of its REST API, to and from GoogleSQL types and the Go
// values of a Mallard database.
//
// Out go the values that database/sql gives for a column: [Encoder] writes {"f":[{"v":…}]}. In come the values of
// tabledata.insertAll and of JSON lines ([Reader]) and of query parameters ([Parameters]). A value that comes in has one Go
// form for each type, which a [mallard.TypedValue] takes: bool, int64, float64, string (STRING and JSON), []byte, time.Time
// (DATE, DATETIME, TIME on 1 January of year 1, TIMESTAMP), duckdb.Decimal, duckdb.Interval, []any for an ARRAY, and for a
// STRUCT []any in the order of its fields; nil is NULL.
//
// Forms of values are those of https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/list and of
// https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types. GEOGRAPHY and RANGE, which DuckDB has no
// type for, are refused by name.
package wire

import (
	"fmt"

	"github.com/mallardml/mallard/googlesql"
)

// Error is a value or a type that cannot be taken, in BigQuery's words where it has some.
type Error struct {
	Field   string // the path of the field, such as a.b; "" where there is none
	Message string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

func failed(format string, args ...any) error { return &Error{Message: fmt.Sprintf(format, args...)} }

// within puts the name of a field before the path of an error.
func within(name string, err error) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	path := name
	if e.Field != "" {
		path += "." + e.Field
	}
	return &Error{Field: path, Message: e.Message}
}

// deepest is how far types may be nested, as in BigQuery.
const deepest = 15

// refused says that a type has no counterpart.
func refused(kind string) error {
	return failed("The type %s is not supported here: DuckDB has no counterpart of it", kind)
}

// fieldName is the name of a field of a STRUCT; BigQuery names those without one by their place.
func fieldName(f googlesql.Field, i int) string {
	if f.Name == "" {
		return fmt.Sprintf("_field_%d", i+1)
	}
	return f.Name
}
