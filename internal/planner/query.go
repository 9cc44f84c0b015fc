package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/quote"
)

// Query plans a query, whose calls of ours it writes out.
func (pl *Planner) Query(ctx context.Context, src string, q *dialect.Query) (*Plan, error) {
	if q.InMacro && q.Verb != "PREPARE" && len(q.Calls) > 0 {
		return nil, dialect.At(q.Calls[0].Span, errors.New("ML functions cannot stand in the body of a macro, "+
			"which would stay with today's model; make a view, or use the macro's query as the input"))
	}
	p := &Plan{Verb: q.Verb, Lang: q.Lang}
	var err error
	if p.Text, err = (&expander{Planner: pl, plan: p}).expand(ctx, src, q); err != nil {
		return nil, err
	}
	p.SQL = p.Text.String()
	return p, nil
}

// expand writes out the calls of a query: the statement itself, or the input of a call, which may be GoogleSQL, too.
func (ex *expander) expand(ctx context.Context, src string, q *dialect.Query) (*dialect.Text, error) {
	ex.lang = q.Lang
	if q.Lang == dialect.GoogleSQL {
		return ex.translate(ctx, src, q)
	}
	return ex.rewrite(ctx, src, q)
}

func (ex *expander) rewrite(ctx context.Context, src string, q *dialect.Query) (*dialect.Text, error) {
	ex.fused = fuse(q.Functions)
	r := &dialect.Rewriter{
		Expand: func(c *dialect.Call, quoted bool) (dialect.Expansion, error) {
			return ex.expansion(ctx, src, c, quoted)
		},
		Function: func(f *dialect.Function, _ bool) (*dialect.Substitution, error) {
			return ex.function(ctx, f, q)
		},
		TableFunction: func(f *dialect.TableFunction, args []string, _ bool) (string, error) {
			return ex.tableFunction(ctx, f, args)
		},
		Data: func(d *dialect.DataRef) (string, error) { return ex.data(ctx, d) },
	}
	return r.Rewrite(src, q)
}

// expansion writes a call that stands in FROM.
func (ex *expander) expansion(ctx context.Context, src string, c *dialect.Call, quoted bool) (dialect.Expansion, error) {
	if f, ok := functiontable.Named(c.Func); !ok || f.Kind != functiontable.Model {
		return dialect.Expansion{}, dialect.At(dialect.Span{Pos: c.Pos, End: min(c.Pos+len(c.Func), c.End)}, unknownFunction(c.Func))
	}
	f, err := ex.Catalog.Resolve(ctx, c.Model.Parts, "")
	if err != nil {
		return dialect.Expansion{}, dialect.At(c.Model.Span, err)
	}
	var in inputKind
	if f.Spec.Remote() && c.Func != "ML.PREDICT" {
		columns := ex.inputColumns(ctx, src, c, ex.lang)
		in = kindOfInput(columns)
		if columns == nil { // a table of a WITH, or a correlated query: the argument prompt tells
			in.objects = slices.ContainsFunc(c.Options, func(o dialect.Option) bool { return strings.EqualFold(o.Name, "prompt") })
		}
	}
	if err := ex.keepsDefaults(ctx, src, c, f); err != nil {
		return dialect.Expansion{}, err
	}
	x, err := ex.call(ctx, f, c.Func, c.Options, functions.BigQuery, in)
	if err != nil {
		return dialect.Expansion{}, dialect.At(c.Model.Span, err)
	}
	if ex.plan != nil {
		ex.plan.Models = append(ex.plan.Models, UsedModel{Name: f.QualifiedName.String(), call: c, inputs: x.inputs})
	}
	if quoted {
		return dialect.Expansion{Whole: func(input string) string {
			name := quote.Path(f.Schema, f.Name)
			if f.Database == "" { // of the configuration: its name is all there is
				name = f.Name
			}
			return fmt.Sprintf("query(system.main.mallard_call(%s, %s, %s, 'bigquery', %s, %s))",
				quote.Text(c.Func), quote.Text(name), quote.Text(input), quote.Text(f.Spec.ID), quote.Text(optionsJSON(c.Options)))
		}}, nil
	}
	casts := map[string]string{}
	for _, in := range x.inputs {
		casts[strings.ToLower(in.name)] = in.sqlType
	}
	return dialect.Expansion{Open: x.open, Close: x.after, Casts: casts}, nil
}

// inputColumns gives the columns of a call's input, or nil where they cannot be told by themselves (a correlated query).
func (ex *expander) inputColumns(ctx context.Context, src string, c *dialect.Call, lang dialect.Lang) []Column {
	text := src[c.Input.Pos:c.Input.End]
	if c.InputIsTable {
		text = "SELECT * FROM " + text
	}
	sql, err := (&expander{Planner: ex.Planner}).input(ctx, text, lang)
	if err != nil {
		return nil
	}
	return ex.Describe(ctx, sql)
}

const notOneQuery = "the input must be " // how its faults begin

// input reads the query that stands in a text, or behind a call.
func (ex *expander) input(ctx context.Context, src string, lang dialect.Lang) (string, error) {
	all := dialect.Split(src, lang)
	if len(all) != 1 {
		return "", errors.New(notOneQuery + "one query, such as 'SELECT title AS input FROM news'")
	}
	node, err := dialect.Parse(src, all[0])
	if err != nil {
		return "", inputFault(src, err)
	}
	q, ok := node.(*dialect.Query)
	if !ok {
		return "", errors.New(notOneQuery + "a query, such as 'SELECT title AS input FROM news'")
	}
	if q.Untouched {
		return src[all[0].Pos:all[0].End], nil
	}
	text, err := ex.expand(ctx, src, q)
	if err != nil {
		return "", inputFault(src, err)
	}
	return text.String(), nil
}

// keepsDefaults refuses a column that is named like an input which keeps its default: it would be passed over.
func (ex *expander) keepsDefaults(ctx context.Context, src string, c *dialect.Call, f catalog.Entry) error {
	if len(f.Spec.Defaults) == 0 {
		return nil
	}
	columns := ex.inputColumns(ctx, src, c, ex.lang)
	for _, name := range f.Spec.Defaults {
		if _, ok := named(columns, name); ok {
			return dialect.At(c.Input, fmt.Errorf("input `%s` of model %s keeps its default, since it is one value for all rows; "+
				"rename the column or leave it out", name, f.QualifiedName))
		}
	}
	return nil
}
