// Package functiontable is the table of the SQL functions that Mallard adds, and the only list of their names. It is data, and
// imports nothing of Mallard's.
package functiontable
