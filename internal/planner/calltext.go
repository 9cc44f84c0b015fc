package planner

import (
	"context"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
)

// CallText writes the query that the plain forms and stored views stand for. types is "native" or "bigquery", for an input that
// is rewritten already; lineage is the identity of the model, or ""; options is JSON, or "".
func (pl *Planner) CallText(ctx context.Context, lang dialect.Lang, fn, name, input, types, lineage, options string) (string, error) {
	kind := functions.Native
	if types == "bigquery" {
		kind, lang = functions.BigQuery, dialect.DuckDB
	} else if err := noParameters(input, lang); err != nil {
		return "", err
	}
	given, err := readOptionsJSON(options)
	if err != nil {
		return "", err
	}
	parts, err := catalog.SplitName(name)
	if err != nil {
		return "", err
	}
	f, err := pl.Catalog.Resolve(ctx, parts, lineage)
	if err != nil {
		return "", err
	}
	w := &expander{Planner: pl, shown: true}
	text, err := w.input(ctx, input, lang)
	if err != nil {
		return "", err
	}
	var in inputKind
	if f.Spec.Remote() && fn != "ML.PREDICT" {
		in = kindOfInput(pl.Describe(ctx, text))
	}
	x, err := w.call(ctx, f, fn, given, kind, in)
	if err != nil {
		return "", err
	}
	return "SELECT * FROM " + x.open + text + x.after, nil
}

// InputText writes a query as one of DuckDB's.
func (pl *Planner) InputText(ctx context.Context, src string, lang dialect.Lang) (string, error) {
	return (&expander{Planner: pl}).input(ctx, src, lang)
}
