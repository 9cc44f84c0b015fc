package planner

import (
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/translator"
)

// expander writes calls of ours as SQL.
type expander struct {
	*Planner
	plan  *Plan        // collects what is used; nil for the input of a call
	shown bool         // EXPLAIN may show what is written
	lang  dialect.Lang // of the statement

	columns []googlesql.Field // of a translated query
	tables  []tableCall       // DuckDB's table functions in it
	left    []string          // columns of its tables that GoogleSQL has no types for

	fused map[*dialect.Function]*dialect.Function // see fuse
	own   map[string]map[string]bool              // the user's functions in schemas ml, obj and ai, as far as they were looked for
}

// use notes a function for the errors of its statement.
func (ex *expander) use(f *dialect.Function, internal string) {
	if ex.plan == nil {
		return
	}
	u := use{Span: f.Span, name: f.Name, internal: internal, args: len(f.Args)}
	if len(f.Args) > 0 {
		u.first = f.Args[0].Span
	}
	ex.plan.uses = append(ex.plan.uses, u)
}

// called is the SQL of a call: what stands around its input, and the columns it reads from it.
type called struct {
	open, after string
	inputs      []inputColumn
}

// tableCall is a call of a table function of DuckDB's in a GoogleSQL query, such as read_parquet('x.parquet'). The analyzer
// sees a table of that name.
type tableCall struct {
	name    string
	sql     string
	columns []translator.Column
}
