package planner

import (
	"context"
	"fmt"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/quote"
)

// Plan plans a statement.
func (pl *Planner) Plan(ctx context.Context, src string, st dialect.Statement) (*Plan, error) {
	node, err := dialect.Parse(src, st)
	if err != nil {
		return nil, err
	}
	if err := pl.confine(src[st.Pos:st.End], st, node); err != nil {
		return nil, err
	}
	p, err := pl.statement(ctx, src, st, node)
	if _, query := node.(*dialect.Query); p != nil && !query && p.Touches == nil && p.Verb != "IMPORT" {
		p.Touches = []string{} // models have no rows
	}
	return p, err
}

// statement reads a statement and writes what DuckDB is to run. Statements about models do their checks, and import files.
func (pl *Planner) statement(ctx context.Context, src string, st dialect.Statement, node dialect.Node) (*Plan, error) {
	switch s := node.(type) {
	case *dialect.Query:
		if s.Verb != dialect.ProcedureVerb { // its statements are looked at when they run
			if err := pl.guard(ctx, src, st, s); err != nil {
				return nil, err
			}
		}
		if s.Untouched {
			return &Plan{SQL: src[st.Pos:max(st.End, st.Stop)], Pos: st.Pos, Verb: s.Verb, Lang: st.Lang, Plain: true}, nil
		}
		return pl.Query(ctx, src, s)
	case *dialect.CreateModel:
		return pl.createModel(ctx, s)
	case *dialect.AlterModel:
		return pl.alterModel(ctx, s)
	case *dialect.DropModel:
		return pl.dropModel(ctx, s)
	case *dialect.ExportModel:
		return pl.exportModel(ctx, s)
	case *dialect.ShowModels:
		return pl.showModels(ctx, src, st, s)
	case *dialect.DescribeModel:
		return pl.describeModel(ctx, s)
	case *dialect.CreateExternalTable:
		return pl.createObjectTable(ctx, s)
	case *dialect.DropExternalTable:
		return pl.dropObjectTable(ctx, s)
	case *dialect.RefreshMetadata:
		return pl.refreshMetadata(ctx, s)
	case *dialect.ImportDatabase:
		return pl.importDatabase(ctx, src, s)
	case *dialect.Estimate:
		// EXPLAIN ML is ml_estimate('…') in other words.
		return &Plan{SQL: "SELECT * FROM ml_estimate(" + quote.Text(src[s.Query.Pos:s.Query.End]) + ")", Pos: -1, Verb: "EXPLAIN"}, nil
	}
	return nil, fmt.Errorf("statement of type %T is not supported", node)
}
