// Package googlesql has the scalar functions of GoogleSQL that DuckDB lacks, or computes otherwise, over DuckDB's vectors.
//
// A statement that is translated from GoogleSQL calls them by names that begin with [Prefix]; each is registered with
// [Register] when a statement of the instance first uses it. Functions are pure,
// and safe for concurrent use. Their rules and texts are BigQuery's
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/functions-all), errors included.
//
// # Adding one
//
// Write a Go function of a row's values and give it a name in one of the tables that functions in function.go merges:
//
//	"soundex":   unary(soundex),                      // func soundex(s string) (string, error)
//	"safe_chr":  unary(func(n int64) (sql.Null[string], error) { … }),
//	"split":     binary(split),                       // func split(s, by string) ([]string, error)
//
// The Go types tell DuckDB's: see kindOf in kind.go. A NULL argument makes the result NULL, unless its Go type is a
// [database/sql.Null], which sees it; a result that may be NULL is one as well. Values of a type that differs from call to
// call are an any argument (anyValue, see value.go). A function that prepares something for a statement, such as a cache of
// expressions, is made by perStatement.
//
// In the writer (internal/googlesql/writer) an entry goFunction("soundex") calls it with the function's own arguments, and in
// the text of a template @soundex($1) does.
package googlesql
