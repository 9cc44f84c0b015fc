package extension

import "github.com/mallardml/mallard/internal/duckapi"

// TypedValue is an argument of a statement with its GoogleSQL type, which a NULL, an empty ARRAY, a DATE and a STRUCT do not
// tell by themselves. Value is nil for NULL; by its type a bool, int64, float64, string (STRING and JSON), []byte, time.Time (DATE,
// DATETIME and TIME by what it shows in UTC, TIMESTAMP), duckdb.Decimal (NUMERIC and BIGNUMERIC), duckdb.Interval, []any for an
// ARRAY, and for a STRUCT a []any with a value for each field in their order. A value of another Go type is an error of the
// statement. It may be the value of a [database/sql.NamedArg].
type TypedValue = duckapi.TypedValue
