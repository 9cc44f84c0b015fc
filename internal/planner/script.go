package planner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/writer"
)

// Expression writes a query for a part of a script: an expression behind SELECT, or a query behind SELECT * FROM. It gives the
// types of its columns.
func (pl *Planner) Expression(ctx context.Context, before, src string, at dialect.Span) (sql string, columns []googlesql.Field, err error) {
	text := before + src[at.Pos:at.End]
	q, err := dialect.ParseQuery(text, dialect.Statement{Span: dialect.Span{Pos: 0, End: len(text)}, Lang: dialect.GoogleSQL})
	if err != nil {
		return "", nil, shifted(err, at.Pos-len(before))
	}
	w := &expander{Planner: pl, plan: &Plan{}}
	out, err := w.expand(ctx, text, q)
	if err != nil {
		return "", nil, shifted(err, at.Pos-len(before))
	}
	return out.String(), w.columns, nil
}

// Syntax says what of a statement cannot be read, before it runs. Those with calls of ours are not looked at.
func (pl *Planner) Syntax(ctx context.Context, src string, at dialect.Span) error {
	node, err := dialect.Parse(src, dialect.Statement{Span: at, Lang: dialect.GoogleSQL, Stop: at.End})
	if err != nil {
		return err
	}
	q, ok := node.(*dialect.Query)
	if !ok || q.Untouched || len(q.Calls)+len(q.Functions)+len(q.TableFunctions) > 0 || pl.GoogleSQL == nil {
		return nil
	}
	t, err := pl.GoogleSQL()
	if err != nil {
		return dialect.At(at, err)
	}
	var wrong *analyzer.Error
	if err = t.Syntax(ctx, src[q.Pos:q.End]); !errors.As(err, &wrong) {
		return nil // it is said where it runs
	}
	return placed(src, q.Span, err)
}

// shifted moves the place of an error by so many bytes.
func shifted(err error, by int) error {
	var own *dialect.Error
	var located *dialect.Located
	switch {
	case errors.As(err, &own):
		own.Pos, own.End = max(own.Pos+by, 0), max(own.End+by, 0)
	case errors.As(err, &located):
		located.Pos, located.End = max(located.Pos+by, 0), max(located.End+by, 0)
	}
	return err
}

// Procedure gives a procedure of the user's by its path.
func (pl *Planner) Procedure(ctx context.Context, path []string) (*writer.Routine, error) {
	r, err := described{&expander{Planner: pl}}.Routine(ctx, path)
	if err == nil && r.Kind != writer.Procedure {
		err = fmt.Errorf("%s is a %s and no procedure", strings.Join(path, "."), strings.ToLower(r.Kind))
	}
	return r, err
}
