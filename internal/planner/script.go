package planner

import (
	"context"
	"errors"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
)

// Expression writes a query for a part of a script: an expression behind SELECT, or a query behind SELECT * FROM. It gives the
// types of its columns.
func (pl *Planner) Expression(ctx context.Context, before, src string, at dialect.Span) (sql string, columns []googlesql.Field, err error) {
	text := before + src[at.Pos:at.End]
	node, err := dialect.Parse(text, dialect.Statement{Span: dialect.Span{Pos: 0, End: len(text)}, Lang: dialect.GoogleSQL})
	if err != nil {
		return "", nil, shifted(err, at.Pos-len(before))
	}
	q, ok := node.(*dialect.Query)
	if !ok {
		return "", nil, dialect.At(at, errors.New("an expression is needed here"))
	}
	w := &expander{Planner: pl, plan: &Plan{}}
	out, err := w.expand(ctx, text, q)
	if err != nil {
		return "", nil, shifted(err, at.Pos-len(before))
	}
	return out.String(), w.columns, nil
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
