package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/quote"
)

// Step is a statement of a text whose statements are run one by one: also those inside blocks, loops and EXECUTE IMMEDIATE.
type Step struct {
	Source string // the text in which the statement stands
	dialect.Statement
	// Value says that it is no statement but an expression of the procedural language that has a query inside, as in SET x = (SELECT 1).
	// Its only row is the value.
	Value bool
}

// StepResult is what a step came to.
type StepResult struct {
	Verb    string          // the statement's first keywords, upper-case
	Chunks  *duckapi.Chunks // the rows of a query, to be read and closed before the step ends; nil for another statement
	Changed int64           // rows that were changed
}

// StepFunc runs a step by calling run, whose error it gives back when there is one.
type StepFunc func(s Step, run func() (StepResult, error)) error

type stepsKey struct{}

// steps are the statements of a text as they run.
type steps struct {
	each   StepFunc // nil where nobody is told
	args   []driver.NamedValue
	src    string
	places []int // of the parameters by position in src
}

// newSteps makes the steps of a text.
func newSteps(src string, lang dialect.Lang, args []driver.NamedValue, f StepFunc) *steps {
	t := &steps{each: f, args: args, src: src}
	if len(args) > 0 {
		for _, p := range dialect.Parameters(src, lang) {
			if src[p.Pos] == '?' {
				t.places = append(t.places, p.Pos)
			}
		}
	}
	return t
}

// positional gives the number of the parameter ? at a place in a text; false where it is none of the caller's.
func (t *steps) positional(src string, pos int) (int, bool) {
	if src != t.src {
		return 0, false
	}
	n, ok := slices.BinarySearch(t.places, pos)
	return n, ok && n < len(t.args)
}

// RunSteps runs the statements of a text and gives each to f as it runs. Each statement has those arguments that it names; those by
// position are used up one after another.
func (n *conn) RunSteps(ctx context.Context, src string, args []driver.NamedValue, f StepFunc) error {
	t := newSteps(src, n.session.lang, args, f)
	ctx = context.WithValue(ctx, stepsKey{}, t)
	all := dialect.Split(src, n.session.lang)
	defer n.session.unbindVariables()
	if err := n.session.bindVariables(ctx, src, all, args); err != nil {
		return err
	}
	n.session.script.began, n.session.script.ran = time.Now(), 0
	for _, st := range all {
		err := n.session.run(ctx, src, st, nil) // each runs them
		if errors.Is(err, errReturned) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

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

// arguments gives those of a statement, numbered anew.
func (t *steps) arguments(src string, st dialect.Statement) []driver.NamedValue {
	if len(t.args) == 0 {
		return nil
	}
	text := src[st.Pos:st.End]
	var own []driver.NamedValue
	for _, p := range dialect.Parameters(text, st.Lang) {
		switch written := text[p.Pos:p.End]; {
		case written == "?":
			if n, ok := t.positional(src, st.Pos+p.Pos); ok {
				own = append(own, driver.NamedValue{Ordinal: len(own) + 1, Value: t.args[n].Value})
			}
		default:
			name := strings.Trim(written[1:], "`")
			same := func(a driver.NamedValue) bool { return strings.EqualFold(a.Name, name) }
			if i := slices.IndexFunc(t.args, same); i >= 0 && !slices.ContainsFunc(own, same) {
				own = append(own, driver.NamedValue{Ordinal: len(own) + 1, Name: name, Value: t.args[i].Value})
			}
		}
	}
	return own
}
