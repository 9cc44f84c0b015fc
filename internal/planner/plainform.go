package planner

import (
	"context"
	"errors"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
)

// PlainForm gives a failure of ML_PREDICT('m', 'SELECT …') and the like its place in the texts of the call, which DuckDB knows nothing
// of: it points at the function. cause is DuckDB's error, ours what a function of ours has said, if that was it. locate asks DuckDB for
// its error of a query by itself, and the error's place; nil is none.
func (pl *Planner) PlainForm(ctx context.Context, e *Wording, p *Plan, src string, cause, ours error,
	locate func(sql string) (int, error)) {
	if p == nil || p.Lang != dialect.DuckDB {
		return
	}
	calls := dialect.TextCalls(src)
	var inside *InputFault
	if errors.As(ours, &inside) {
		for _, c := range calls {
			if c.Input.End > 0 && c.Input.Value == inside.Input {
				e.Msg = inside.Err.Error()
				e.Span = dialect.Span{Pos: c.Input.Place(src, inside.Pos), End: c.Input.Place(src, inside.End)}
				return
			}
		}
	}
	for _, c := range calls {
		switch {
		case e.Pos != c.Name.Pos && (e.Pos >= 0 || len(calls) > 1):
			continue
		case pl.plainInput(ctx, e, c, src, cause, ours, locate):
		case e.Pos < 0 && c.Input.End > 0 && c.Model.End > 0 && strings.HasPrefix(e.Msg, "model "+c.Model.Value+": input "):
			e.Span = c.Input.Span
		case e.Pos < 0 && ours == nil: // DuckDB gave no place, and it may be anywhere
		case e.Pos < 0 && c.Model.End > 0 && speaksOf(e.Msg, c.Model.Value):
			e.Span = c.Model.Span
		case e.Pos < 0 && c.Input.End > 0 && strings.HasPrefix(e.Msg, notOneQuery):
			e.Span = c.Input.Span
		case e.Pos < 0:
			e.Span = c.Name
		}
		return
	}
}

// speaksOf reports whether a message names a model.
func speaksOf(msg, model string) bool {
	return strings.Contains(msg, "`"+model+"`") || strings.Contains(msg, "model "+model) || strings.Contains(msg, " "+model+" is a ")
}

// plainInput words and places a fault of the input of a call.
func (pl *Planner) plainInput(
	ctx context.Context, e *Wording, c dialect.TextCall, src string, cause, ours error, locate func(sql string) (int, error),
) bool {
	var ddb *duckdb.Error
	if !errors.As(cause, &ddb) || e.Pos < 0 && ours == nil || c.Input.End == 0 {
		return false
	}
	if table, ok := duckapi.LacksColumnOf(ddb); ok && isInput(table) && c.Model.End > 0 {
		w, ok := pl.plainLacks(ctx, c, ddb)
		if ok {
			*e = *w
		}
		return ok
	}
	pos, err := locate(c.Input.Value)
	parser := duckapi.Is(cause, duckdb.ErrorTypeParser, duckdb.ErrorTypeSyntax)
	switch {
	case err == nil && parser: // it is a statement, and cannot stand in brackets
		e.Msg, e.Span = notOneQuery+"a query, such as 'SELECT title AS input FROM news'", c.Input.Span
		return true
	case err == nil, !parser && !duckapi.SameFault(ddb, err):
		return false // it is another fault
	case parser: // where the brackets around the text may be to blame
		ddb = &duckdb.Error{Msg: err.Error()}
	}
	e.Msg, e.Span = duckapi.WithoutExcerpt(ddb.Msg), c.Input.Span
	if pos >= 0 {
		e.Pos, e.End = c.Input.Place(src, pos), c.Input.Place(src, duckapi.WordEnd(c.Input.Value, pos))
	}
	return true
}

// plainLacks words that the input of a call lacks a column that its model takes.
func (pl *Planner) plainLacks(ctx context.Context, c dialect.TextCall, err *duckdb.Error) (*Wording, bool) {
	parts, perr := catalog.SplitName(c.Model.Value)
	if perr != nil {
		return nil, false
	}
	f, perr := pl.Catalog.Resolve(ctx, parts, "")
	if perr != nil {
		return nil, false
	}
	w := &expander{Planner: pl}
	text, perr := w.input(ctx, c.Input.Value, dialect.DuckDB)
	if perr != nil {
		return nil, false
	}
	columns := pl.Describe(ctx, text)
	x, perr := w.call(ctx, f, c.Func, nil, functions.Native, kindOfInput(columns))
	if perr != nil {
		return nil, false
	}
	m := UsedModel{Name: f.QualifiedName.String(), call: &dialect.Call{Func: c.Func, Input: c.Input.Span}, inputs: x.inputs}
	return m.lacks(nameList(columns), err)
}
