package planner

import (
	"context"
	"strings"

	"github.com/mallardml/mallard/internal/dialect"
)

// Plan is what is to be done for one statement of the user's.
type Plan struct {
	SQL    string        // what DuckDB gets
	Text   *dialect.Text // how SQL came from the source; nil when it stands there
	Pos    int           // where SQL stands in the source when Text is nil; -1 when it does not
	Verb   string        // upper-case first keywords
	Lang   dialect.Lang
	Plain  bool // DuckDB gets the user's bytes
	Models []UsedModel
	uses   []use        // of the functions of ours
	source dialect.Span // of a statement of GoogleSQL's
	Done   func()       // after success; nil for nothing
	Undo   func()       // after failure; nil for nothing
	Notice string       // for the person, after success

	// What else runs in the statement's transaction: Before it, and after it the statements Then and After. All nil for nothing.
	Before, After func(ctx context.Context) error
	Then          []string

	// Touches are the keys of the tables that the statement changes; nil where it is not known, and the kind of DuckDB's statement tells
	// whether it changes any.
	Touches []string
	// Passing says that the plan holds for this moment only: it is made anew for each execution.
	Passing bool
}

// Together reports whether the statement needs a transaction around what it runs.
func (p *Plan) Together() bool { return p.Before != nil || p.After != nil || len(p.Then) > 0 }

// UsedModel is a call and the model it reached.
type UsedModel struct {
	Name   string
	call   *dialect.Call
	inputs []inputColumn
}

// OnlyModel is where the model of the only call is named; both ends are -1 where there is none, or several.
func (p *Plan) OnlyModel() dialect.Span {
	if p == nil || len(p.Models) != 1 {
		return dialect.Span{Pos: -1, End: -1}
	}
	return p.Models[0].call.Model.Span
}

// ChangesNames reports whether the statement may change what a name means, for prepared statements.
func (p *Plan) ChangesNames() bool {
	first, _, _ := strings.Cut(p.Verb, " ")
	switch first {
	case "CREATE", "DROP", "ALTER", "ATTACH", "DETACH", "USE", "SET", "RESET", "IMPORT", "COMMENT",
		"COMMIT", "ROLLBACK", "PRAGMA", "CALL", "EXECUTE":
		return true
	}
	return false
}

// Selects reports whether the statement is a query.
func (p *Plan) Selects() bool {
	first, _, _ := strings.Cut(p.Verb, " ")
	return first == "SELECT" || first == "WITH" || first == "FROM" || first == "("
}

// MakesNames reports whether the statement may have given models and object tables new names, or shown those that another
// connection has made.
func (p *Plan) MakesNames() bool {
	switch p.Verb {
	case "CREATE MODEL", "CREATE EXTERNAL TABLE", "CREATE VIEW", "ALTER VIEW", "ALTER TABLE", "ATTACH", "IMPORT", "COPY", "EXECUTE",
		"CALL", "COMMIT":
		return true
	}
	return false
}

// ChangesSettings reports whether the statement may change where unqualified names are looked up.
func (p *Plan) ChangesSettings() bool {
	first, _, _ := strings.Cut(p.Verb, " ")
	switch first {
	case "USE", "SET", "RESET", "PRAGMA":
		return true
	}
	return false
}

// use is a function of ours in a statement: what the user wrote, and what DuckDB was given for it.
type use struct {
	dialect.Span
	name     string       // of the user's, upper-case
	internal string       // of the function that DuckDB calls; "" for a table function
	first    dialect.Span // the first argument
	args     int          // how many the user gave
}
