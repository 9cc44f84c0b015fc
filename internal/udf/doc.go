// Package udf registers Go functions in DuckDB and reads and writes the vectors that they work on.
//
// It is the bridge between Go and DuckDB's C API, and knows nothing of models: declare a [Scalar] or a [Table] and call its
// Register. It works on whole chunks and boxes no value; a numeric vector is an array, to be read where it lies.
//
// # Ownership
//
// DuckDB owns what it hands to a callback: chunks, vectors and the strings in them live until the callback returns, so what
// is kept must be cloned. What Bind returns belongs to the statement: DuckDB copies it freely, the copies share one value,
// and its Close follows the end of the last copy, once, also after an error or a cancelled run. For a prepared statement that
// is when the statement is closed, not when a run ends. The function itself lives until the database closes, since DuckDB
// can drop none, or until it is replaced by one of the same name and types and the last statement that uses it has ended.
//
// # Threads
//
// Execute runs on several of DuckDB's threads at once; Bind may, for different statements. The Fill of one scan runs on one
// thread at a time.
//
// # NULLs
//
// A function sees the rows with NULL arguments, and the slot of a NULL row holds garbage: look at the validity mask first
// ([Column.Null]). A mask is nil where a chunk has no NULL. A result is NULL only where the function says so, and a NULL
// struct or array needs every child set NULL as well, at every level: the bit of the parent alone would show what lies in
// the children's slots. An untyped NULL argument arrives at an ANY parameter as type SQLNULL.
//
// # Errors
//
// Only the text of an error crosses DuckDB. A panic in a callback becomes an error around [ErrPanic]: unwinding into
// DuckDB's frames would end the process.
//
// # Types and names
//
// DuckDB tells overloads apart by their parameters: two functions that differ in the result alone make every call
// ambiguous, so let the name tell the result type. Arguments for an ANY parameter are not cast; [Binding.Argument] is the
// type as it was written.
package udf
