// Package googlesql is the vocabulary of GoogleSQL: its types with their counterparts in DuckDB, and its literals. It reads and
// writes texts only, and imports nothing of Mallard's.
//
// A [Type] is read with [ParseType], as `ARRAY<STRUCT<a INT64>>`, and written by its String; [Type.DuckDB] is the type in
// which DuckDB keeps its values. [FromDuckDB] goes the other way: every type of DuckDB's has a GoogleSQL type with room for all
// its values, or is refused by name. NUMERIC is DECIMAL(38,9); of BIGNUMERIC DuckDB keeps DECIMAL(38,18).
package googlesql
