// Package completion says what may follow a typed statement. Functions, their arguments and the options of statements come from
// package functiontable, all else from the database and the configuration. Start with [Source.Suggest].
//
// The rules are tried from the narrowest place to the widest: inside a text, behind MODEL or CONNECTION, inside OPTIONS(…) or a
// call of ours, behind an alias; what none of them knows is DuckDB's to complete.
package completion
