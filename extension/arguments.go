package extension

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/planner"
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
	// branch, if any, looks at a statement that runs others, or ends them; done says that it is not to be run.
	branch func(ctx context.Context, src string, n *dialect.ScriptStatement) (done bool, err error)
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

// withArguments gives the values of a statement's parameters to its plan.
func withArguments(ctx context.Context, args []driver.NamedValue) context.Context {
	all := make([]planner.Argument, len(args))
	for i, a := range args {
		all[i] = planner.Argument{Name: a.Name, Value: a.Value}
		if typed, ok := a.Value.(TypedValue); ok {
			all[i].Value, all[i].Type = typed.Value, typed.Type
		}
	}
	return planner.WithArguments(ctx, all)
}
