package planner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/mallardml/mallard/dialect"
	native "github.com/mallardml/mallard/functions/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	gsqlwriter "github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/quote"
)

// translate plans a GoogleSQL statement without constructs of ours; nil for one that it leaves to package dialect.
func (pl *Planner) translate(ctx context.Context, src string, q *dialect.Query) (*Plan, error) {
	if q.Lang != dialect.GoogleSQL || len(q.Calls)+len(q.Functions)+len(q.TableFunctions)+len(q.Data) > 0 {
		return nil, nil
	}
	if pl.GoogleSQL == nil {
		return nil, nil
	}
	t, err := pl.GoogleSQL()
	if t == nil || err != nil {
		return nil, err
	}
	s, err := t.Translate(ctx, src[q.Pos:q.End], described{pl}, analyzer.Parameters{Undeclared: true})
	var unsupported *gsqlwriter.Error
	var wrong *analyzer.Error
	switch {
	case errors.As(err, &unsupported):
		if os.Getenv("MALLARD_GOOGLESQL_ONLY") != "" {
			return nil, fmt.Errorf("%w is not translated from GoogleSQL to DuckDB", err)
		}
		return nil, nil
	case errors.As(err, &wrong) && wrong.Line > 0:
		pos := q.Pos + offset(src[q.Pos:], wrong.Line, wrong.Col)
		return nil, dialect.At(dialect.Span{Pos: pos, End: pos}, errors.New(wrong.Message))
	case err != nil:
		return nil, err
	}
	for _, name := range s.Natives {
		if err := pl.Models.NativeFunction(ctx, name); err != nil {
			return nil, err
		}
	}
	return &Plan{SQL: s.SQL, Pos: -1, Verb: q.Verb, Lang: q.Lang}, nil
}

// described describes tables to the translator.
type described struct{ *Planner }

// Table implements [translator.Database].
func (d described) Table(ctx context.Context, path []string) (translator.Table, error) {
	parts, err := splitPath(path), error(nil)
	if parts, err = d.Catalog.WithoutProject(ctx, parts); err != nil {
		return translator.Table{}, err
	}
	t := translator.Table{From: quote.Path(parts...)}
	columns := d.Describe(ctx, "SELECT * FROM "+t.From)
	if columns == nil {
		return t, translator.ErrNotFound
	}
	for _, c := range columns {
		of, err := c.Type.GoogleSQL()
		if err != nil {
			continue
		}
		x := quote.Name(c.Name)
		if c.Type.String() != of.DuckDB() {
			x = "CAST(" + x + " AS " + of.DuckDB() + ")"
		}
		t.Columns = append(t.Columns, translator.Column{Name: c.Name, Type: of, Expr: x})
	}
	return t, nil
}

// Function implements [translator.Database].
func (d described) Function(name string) string {
	return "system.main." + d.Models.FunctionName(native.Prefix+name)
}

// splitPath gives the parts of a path: what stands in one pair of backticks may be several.
func splitPath(path []string) []string {
	var parts []string
	for _, p := range path {
		parts = append(parts, strings.Split(p, ".")...)
	}
	return parts
}

// offset gives the byte of a line and a column of a text, both from 1.
func offset(s string, line, col int) int {
	pos := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(s[pos:], '\n')
		if i < 0 {
			return len(s)
		}
		pos += i + 1
	}
	for ; col > 1 && pos < len(s); col-- {
		_, n := utf8.DecodeRuneInString(s[pos:])
		pos += n
	}
	return pos
}
