// Package writer writes a statement that Google's analyzer has resolved as SQL of DuckDB's.
//
// Each scan of the resolved tree is one SELECT, whose columns are called c1, c2, … after the numbers that the analyzer gave
// them: no two columns of a statement share one, so names never clash. Each function of GoogleSQL is an entry of one table
// in the file of its kin; function.go joins the tables, and call.go says how a call is written.
// What has no entry, and every node that the writer does not know, is refused by name ([Error]); nothing is left out in silence.
//
// A value of GoogleSQL lies in DuckDB as googlesql.Type.DuckDB says. A STRUCT's field without a name, or whose name stands
// twice, is called _field_n there.
//
// From the top: statement.go dispatches to a file for each kind of statement; query.go and scan.go to those for scans; expr.go to those
// for expressions, whose calls are written by the functions' entries over call.go; writer.go has what the writing of one statement
// knows, written.go what comes of it. Arrows run up only where SQL is recursive: a scan has expressions, an expression a subquery, and
// a call arguments.
package writer
