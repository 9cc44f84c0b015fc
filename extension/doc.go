// Package extension opens a DuckDB that speaks BigQuery ML.
//
// [NewConnector] gives a connector for [database/sql.OpenDB]; the driver name "mallard" does the same for
// [database/sql.Open]. Every statement passes through package dialect: one without ML reaches DuckDB byte for byte, a
// model statement becomes a view of the model's name, and ML.PREDICT(MODEL m, (Q)) becomes a subquery around Q.
//
// # Models
//
// A model is a view in the user's database: `CREATE VIEW demo.m AS SELECT 'mallard/1' AS mallard_model, '{…}' AS spec`.
// So names are shared with tables, and transactions, DROP SCHEMA CASCADE, ATTACH and EXPORT treat models as they treat
// views. The files are copied at creation into a content-addressed store: what happens to the originals later does not
// matter (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-create-tensorflow).
//
// # Types and NULLs
//
// ML.PREDICT gives BigQuery's types (INT64, FLOAT64, STRING, ARRAY); ML_PREDICT gives the tensor's own (FLOAT, FLOAT[3]).
// A NULL in a dense input gives NULL outputs for its row, and no inference.
//
// Rows hold the Go values that duckdb-go gives, but for JSON: a JSON column is its text as DuckDB holds it, with the order
// of its keys and the spelling of its numbers, where duckdb-go decodes it into maps. It scans into a string, a []byte, a
// [encoding/json.RawMessage] or an any (a []byte then); within a LIST, STRUCT or MAP it is a [encoding/json.RawMessage].
// DatabaseTypeName says JSON, also within a nested type: `STRUCT("a" JSON)`. SQL's NULL is nil, JSON's is `null`. Keys of a
// MAP that Go cannot compare, such as lists, become their text.
//
// # Large results
//
// A result is computed and held before its first row is given, as with duckdb-go. [WithStreaming] computes rows as they are
// read. A COPY, a CREATE TABLE AS and an aggregate never hold their rows.
//
// # Concurrency and cancelling
//
// A [Connector] is safe for concurrent use; a connection is not, as database/sql expects. A cancelled context stops a
// query between two batches, within a second.
//
// # Reaching DuckDB
//
// sql.Conn.Raw yields a value with the method Raw() *duckdb.Conn, for appenders and Arrow.
package extension
