package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/quote"
)

// step runs one statement that is none of the procedural language.
func (t *steps) step(ctx context.Context, s *session, src string, st dialect.Statement) error {
	return t.each(Step{Source: src, Statement: st}, func() (r StepResult, err error) {
		args := t.arguments(src, st)
		var from driver.Rows
		ctx := context.WithValue(withArguments(ctx, args), stepsKey{}, nil)
		err = s.run(ctx, src, st, func(x *execution) (err error) {
			r = StepResult{Verb: x.plan.Verb}
			if from, err = nil, closeRows(from); err != nil { // another attempt
				return err
			}
			if err := x.tellScans(args); err != nil {
				return &final{err}
			}
			if x.plan.Selects() {
				from, err = x.query(args)
				return err
			}
			res, err := x.exec(args)
			if err == nil {
				r.Changed, err = res.RowsAffected()
			}
			return err
		})
		if err != nil {
			return r, errors.Join(err, closeRows(from))
		}
		if from != nil {
			r.Chunks, err = chunksOf(s, from)
		}
		return r, err
	})
}

// value runs the query in an expression of the procedural language, which set gives to a variable of DuckDB's.
func (t *steps) value(ctx context.Context, s *session, src string, at dialect.Span, place string, set func() error) error {
	st := dialect.Statement{Span: at, Lang: dialect.GoogleSQL, Stop: at.End}
	return t.each(Step{Source: src, Statement: st, Value: true}, func() (r StepResult, err error) {
		r.Verb = "SELECT"
		if err := set(); err != nil {
			return r, err
		}
		x := s.execute(context.WithValue(ctx, streamKey{}, false), src)
		defer x.done()
		x.plan = &planner.Plan{SQL: "SELECT getvariable(" + quote.Text(place) + ") AS f0_", Pos: -1, Verb: r.Verb, Lang: dialect.GoogleSQL}
		from, err := x.query(nil)
		if err != nil {
			return r, err
		}
		r.Chunks, err = chunksOf(s, from)
		return r, err
	})
}

// queries reports whether an expression has a query inside.
func queries(expression string) bool {
	return slices.ContainsFunc(dialect.Lexemes(expression), func(l dialect.Lexeme) bool { return !l.Literal() && l.Is("SELECT") })
}

func closeRows(r driver.Rows) error {
	if r == nil {
		return nil
	}
	return r.Close()
}
