// Package sqllogic runs DuckDB's sqllogictest files (.test) against any [database/sql] database that speaks DuckDB's SQL.
//
// In a Go test every file becomes a subtest with a database of its own:
//
//	func TestSQL(t *testing.T) {
//		sqllogic.Run(t, "testdata/sql", sqllogic.Options{})
//	}
//
// A file is a list of records, parted by blank lines. A line that begins with # between records is a comment.
//
//	# name: test/predict.test
//	# description: predictions come in the order of the rows
//
//	require tensorflow
//
//	statement ok
//	CREATE TABLE t AS SELECT 1.5 AS x;
//
//	columns x DOUBLE, label VARCHAR
//	query RT rowsort
//	SELECT x, 'a\tb' AS label FROM t
//	----
//	1.5	a\tb
//
//	statement error
//	SELECT * FROM nowhere
//	----
//	Table with name nowhere does not exist
//
// # Records
//
//   - statement ok|error|maybe [CONNECTION], then SQL until a blank line or ----. With ok it must succeed, with maybe it may fail. With
//     error it must fail, and the text after ----, which may not be left out, must occur in the error (blank lines do not count), or
//     match it whole if it begins with <REGEX>:, or not match if with <!REGEX>:.
//   - query TYPES [nosort|rowsort|valuesort] [CONNECTION|LABEL], then SQL, ---- and the expected result. TYPES has a letter per
//     column: R for floats that are compared with a tolerance (see Results), I for integers and booleans, T for everything else. The third
//     word names a connection
//     if it begins with "con", as in DuckDB, else a label: queries of one label must have equal results, and a labelled query may leave
//     out ---- .
//   - columns NAME TYPE, …: on the line before a query: its columns must have these names and types, in this order. A name in
//     double quotes may hold anything; types are written as in DuckDB, in any case, with the usual aliases.
//   - require NAME: Options.Require decides. Names it does not know are DuckDB extensions: they must be loaded, else the file fails.
//   - require-env NAME [VALUE]: skips the file unless the environment has the variable (with that value); ${NAME} gives it.
//   - test-env NAME VALUE: a variable with a default that Options.Vars and the environment override.
//   - load [FILE [readonly]], restart, reconnect: another database file (none: a new one in memory), the same one closed and opened
//     again, a new default connection. The database is in memory at first, but a file in __TEST_DIR__ where the test restarts.
//   - tolerance RELATIVE [ABSOLUTE]: on the line before a query, for it alone; with a blank line below it, for all queries that follow.
//   - loop NAME FROM BELOW, foreach NAME VALUE…, endloop: ${NAME} is the value. foreach A,B 1,x 2,y has several names. The words <signed>,
//     <unsigned>, <integral>, <numeric>, <alltypes> and <compression> stand for DuckDB's names of that kind, and !WORD takes one out again.
//   - skipif, onlyif NAME: on the line before a record; NAME is duckdb, or a loop variable's test such as i=2 or i!=2.
//   - mode skip, mode unskip: leave out what stands between. halt: ends the file.
//
// Options.Begin may give files records of their own, such as those of package emulate, which starts a Vertex AI for a file, scripts its
// answers and
// faults, replays recorded traffic and shows the requests as a table.
//
// Other records of DuckDB (concurrentloop, hash-threshold, unzip, …) are refused by name.
//
// # Variables
//
// __TEST_DIR__ is a directory of the file's own, removed afterwards; __WORKING_DIRECTORY__ the working directory. ${NAME} is a
// loop variable, one of test-env or require-env, or one of Options.Vars, of which those called __LIKE_THIS__ are also replaced without ${}.
// They
// stand for their values in SQL, results and arguments; a ${NAME} that nobody defined is an error.
//
// # Results
//
// One line per row with tabs between columns or one line per value; a query with one column has one line per row either
// way. NULL is NULL, the empty string (empty); everything else is what CAST(x AS VARCHAR) gives ([1, 2], {'a': 1}), but for tabs,
// newlines, carriage returns and zero bytes, which are \t, \n, \r and \0 as they would break a line; times with a zone are in UTC. A value
// that begins with
// <REGEX>: must match whole, with <!REGEX>: it must not.
//
// A result of the single line `N values hashing to …` is compared by its hash, the MD5 of all values with a line end each, as DuckDB's
// runner and
// SQLite's compute it.
//
// The letter R says that a column's floats were computed in an order that the statement does not fix: by a model above all, whose sums a
// processor
// with AVX-512 rounds otherwise than one without. The runner cannot see that in a result, so the file says it, as in SQLite's and DuckDB's
// files.
// What is of type FLOAT or DOUBLE there, also within lists, arrays, structs and maps, may differ by 1e-5 of the larger number or by 1e-6
// (models of
// few layers in float32 do; deep ones want a tolerance of their own, such as 1e-3); nan equals nan. Everything else in the column is
// compared
// exactly: integers, decimals (as numbers), text, what stands around the floats. A DOUBLE that no model made belongs into a T column, which
// is exact,
// or below `tolerance 0`. DuckDB's own runner lets FLOATs and DOUBLEs of every column differ by 1 %, which hides a wrong model, and
// compares
// those within nested values as text, which fails on another processor. Options.Tolerance is for all files of a run.
//
// In an I column 1 and 0 also stand for true and false.
//
// rowsort sorts the rows by their text, valuesort all values, both the expected and the actual ones. Rows whose floats are within the
// tolerance may
// come in another order.
package sqllogic
