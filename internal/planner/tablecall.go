package planner

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/quote"
)

// tableCalls puts tables into the place of the calls of DuckDB's table functions, with the columns that DuckDB tells.
func (ex *expander) tableCalls(ctx context.Context, src string, at dialect.Span) ([]translator.Construct, error) {
	calls, wrong := dialect.TableCalls(src, at)
	if wrong != nil {
		return nil, wrong
	}
	var all []translator.Construct
	for _, c := range calls {
		if ex.Config.BigQuery.Confined && c.Name != "range" && c.Name != "generate_series" {
			err := fmt.Errorf("%s reads files, which statements do not here", c.Name)
			return nil, dialect.At(c.Span, failure.As(failure.ErrNoExternalAccess, err))
		}
		args := make([]string, len(c.Args))
		for i, a := range c.Args {
			args[i] = ex.duckConstant(a.Value)
			if a.Name != "" {
				args[i] = quote.Name(a.Name) + " := " + args[i]
			}
		}
		t := tableCall{name: c.Name + " " + strconv.Itoa(len(ex.tables)+1), sql: c.Name + "(" + strings.Join(args, ", ") + ")"}
		columns, err := ex.Columns(ctx, "SELECT * FROM "+t.sql)
		if err != nil {
			return nil, dialect.At(c.Span, errors.New(c.Name+": "+strings.TrimSpace(duckapi.WithoutExcerpt(err.Error()))))
		}
		t.columns = described{ex}.columns(columns)
		ex.tables = append(ex.tables, t)
		all = append(all, translator.Construct{Span: translator.Span(c.Span), Text: googlesql.QuoteName(t.name)})
	}
	return all, nil
}

// duckConstant writes a constant for DuckDB. gs://NAME/… of a bucket of the configuration is a file in its folder.
func (ex *expander) duckConstant(v dialect.Value) string {
	switch v.Kind {
	case dialect.String:
		if rest, ok := strings.CutPrefix(v.Str, "gs://"); ok {
			bucket, object, _ := strings.Cut(rest, "/")
			if folder, ok := config.BucketDirs(ex.Config)[bucket]; ok {
				return quote.Text(filepath.Join(folder, filepath.FromSlash(object)))
			}
		}
		return quote.Text(v.Str)
	case dialect.Int:
		return strconv.FormatInt(v.Int, 10)
	case dialect.Float:
		return strconv.FormatFloat(v.Float, 'g', -1, 64) + "::DOUBLE"
	case dialect.Bool:
		return strconv.FormatBool(v.Bool)
	case dialect.Interval:
		return "INTERVAL " + quote.Text(v.Str)
	case dialect.Ident:
		return quote.Text(v.Str)
	case dialect.Array:
		items := make([]string, len(v.List))
		for i, e := range v.List {
			items[i] = ex.duckConstant(e)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case dialect.Struct:
		items := make([]string, len(v.Fields))
		for i, f := range v.Fields {
			items[i] = quote.Text(f.Name) + ": " + ex.duckConstant(f.Value)
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	return "NULL"
}

// tableCall describes what stands in the place of a call.
func (d described) tableCall(path []string) (translator.Table, bool) {
	for _, t := range d.tables {
		if len(path) == 1 && path[0] == t.name {
			return translator.Table{From: t.sql, Columns: t.columns, Snapshot: true}, true
		}
	}
	return translator.Table{}, false
}
