package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
)

// The ways in which a statement ends what is around it.
type jump struct {
	kind  dialect.ScriptKind // Leave, Iterate or Return
	label string
}

func (j *jump) Error() string { return "a jump" }

// control gives the statement of the procedural language that a text is, or nil. SET is DuckDB's where no variable has the name, and
// one of DuckDB's settings has.
func (s *session) control(ctx context.Context, src string, st dialect.Statement) *dialect.ScriptStatement {
	if s.lang != dialect.GoogleSQL && st.Lang != dialect.GoogleSQL {
		return nil
	}
	n := dialect.Control(src, st)
	if n != nil || st.Lang == dialect.GoogleSQL && !dialect.Assigns(src, st) {
		return n
	}
	if n = dialect.Assignment(src, st); n == nil || len(n.Names) > 1 || strings.HasPrefix(n.Names[0], "@@") ||
		s.script.find(n.Names[0]) != nil {
		return n
	}
	if st.Lang != dialect.GoogleSQL && s.own(ctx, n.Names[0]) {
		return nil
	}
	return n
}

// errReturned says that RETURN has ended a script.
var errReturned = errors.New("the script has returned")

// procedural runs a statement of the procedural language that is in no other.
func (s *session) procedural(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	if err := s.checked(ctx, src, n); err != nil {
		return (&execution{s: s, ctx: ctx, src: src}).fault(err)
	}
	err := s.procedure(ctx, src, n, exec)
	var j *jump
	if errors.As(err, &j) { // the others are where they can be
		return errReturned
	}
	return err
}

// checked says what is wrong with a statement of the procedural language, and with the syntax of those inside it, before any runs: no
// handler handles that.
func (s *session) checked(ctx context.Context, src string, n *dialect.ScriptStatement) error {
	err := n.Check(src)
	n.Walk(func(inner *dialect.ScriptStatement) {
		if inner.Kind == dialect.Plain && inner != n && err == nil {
			err = s.planner(ctx).Syntax(ctx, src, inner.Expr)
		}
	})
	return err
}

// procedure runs a statement of the procedural language. exec runs a query among those inside it.
func (s *session) procedure(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	hidden := s.script.hidden
	err := s.statement(ctx, src, n, exec)
	s.script.hidden = hidden
	return failedIn(err, src, n)
}

// failedIn gives an error of a statement the statement's place, unless it has a better one.
func failedIn(err error, src string, n *dialect.ScriptStatement) error {
	var e *Error
	if !errors.As(err, &e) || e.statement != "" || e.Source != src {
		return err
	}
	at := *e
	at.statement = src[n.Pos:n.End]
	if at.Pos < 0 {
		at.Pos, at.End = n.Pos, n.End
		at.Line, at.Col = dialect.LineCol(src, n.Pos)
	}
	return &at
}

func (s *session) statement(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t, _ := ctx.Value(stepsKey{}).(*steps); t != nil && t.branch != nil {
		if done, err := t.branch(ctx, src, n); done {
			return err
		}
	}
	switch n.Kind {
	case dialect.Plain:
		st := dialect.Statement{Span: n.Expr, Lang: dialect.GoogleSQL, Stop: n.Expr.End}
		return s.run(ctx, src, st, exec)
	case dialect.Declare:
		return s.declare(ctx, src, n)
	case dialect.Set:
		return s.set(ctx, src, n)
	case dialect.If:
		for _, c := range n.Clauses {
			yes, err := s.condition(ctx, "SELECT ", src, c.Expr)
			if err != nil {
				return err
			}
			if yes {
				return s.list(ctx, src, c.Body, exec)
			}
		}
		return s.list(ctx, src, n.Else, exec)
	case dialect.Case:
		return s.caseStatement(ctx, src, n, exec)
	case dialect.Begin:
		return s.handled(ctx, src, n, exec)
	case dialect.Loop, dialect.While, dialect.Repeat:
		return s.loop(ctx, src, n, exec)
	case dialect.For:
		return s.forLoop(ctx, src, n, exec)
	case dialect.Leave, dialect.Iterate, dialect.Return:
		j := &jump{kind: n.Kind}
		if len(n.Names) > 0 {
			j.label = n.Names[0]
		}
		return j
	case dialect.Raise:
		return s.raise(ctx, src, n)
	case dialect.ExecuteImmediate:
		return s.immediate(ctx, src, n, exec)
	case dialect.Invoke:
		return s.invoke(ctx, src, n, exec)
	}
	return s.scriptFault(ctx, src, n.Span, fmt.Errorf("this statement of a script is not supported"))
}

// list runs statements; the variables that they declare end with it.
func (s *session) list(ctx context.Context, src string, list []*dialect.ScriptStatement, exec func(*execution) error) error {
	before := len(s.script.variables)
	s.script.blocks++
	defer func() {
		s.script.variables = s.script.variables[:min(before, len(s.script.variables))]
		s.script.blocks = max(s.script.blocks-1, 0)
	}()
	for _, n := range list {
		if err := s.procedure(ctx, src, n, exec); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) declare(ctx context.Context, src string, n *dialect.ScriptStatement) error {
	var t googlesql.Type
	var limit *parameterizedType
	value := ""
	if n.Expr.End > n.Expr.Pos {
		sql, columns, err := s.expression(ctx, "SELECT ", src, n.Expr)
		if err != nil {
			return err
		}
		t, value = columns[0].Type, sql
	}
	if n.Type != "" {
		declared, err := googlesql.ParseType(n.Type)
		if err != nil {
			return s.scriptFault(ctx, src, n.Span, err)
		}
		if value != "" {
			if value, err = coerced(value, t, declared, s.written(ctx, src, n.Expr)); err != nil {
				return s.scriptFault(ctx, src, n.Expr, err)
			}
		}
		t = declared
		if limit, err = parametersOf(n.Type, t); err != nil {
			return s.scriptFault(ctx, src, n.Span, err)
		}
	}
	if value == "" {
		value = "SELECT NULL::" + t.DuckDB()
	}
	for _, name := range n.Names {
		old := s.script.find(name)
		if old != nil && s.script.blocks > 0 {
			return s.scriptFault(ctx, src, n.Span, fmt.Errorf("Variable '%s' redeclaration is not allowed", name))
		}
		s.script.limit(name, limit)
		if err := s.evaluate(ctx, src, n.Expr, s.script.place(name), value); err != nil {
			return err
		}
		v := s.script.variable(name, t)
		if old != nil {
			*old = v
		} else {
			s.script.variables = append(s.script.variables, v)
		}
	}
	return nil
}

func (s *session) set(ctx context.Context, src string, n *dialect.ScriptStatement) error {
	if len(n.Names) == 1 && strings.HasPrefix(n.Names[0], "@@") {
		return s.setSystem(ctx, src, n)
	}
	for _, name := range n.Names {
		if s.script.find(name) == nil {
			return s.scriptFault(ctx, src, n.Span, fmt.Errorf("Undeclared variable: %s", name))
		}
	}
	sql, columns, err := s.expression(ctx, "SELECT ", src, n.Expr)
	if err != nil {
		return err
	}
	from := columns[0].Type
	if v := s.script.find(n.Names[0]); len(n.Names) == 1 && !(n.Listed && from.Kind == googlesql.Struct && v.Type.Kind != googlesql.Struct) {
		if sql, err = coerced(sql, from, v.Type, s.written(ctx, src, n.Expr)); err != nil {
			return s.scriptFault(ctx, src, n.Expr, err)
		}
		return s.evaluate(ctx, src, n.Expr, s.script.place(v.Name), sql)
	}
	if from.Kind != googlesql.Struct || len(from.Fields) != len(n.Names) {
		return s.scriptFault(ctx, src, n.Expr, fmt.Errorf("%d variables need a STRUCT of as many fields, not %s", len(n.Names), from))
	}
	return s.spread(ctx, src, n.Expr, sql, from.Fields, n.Names)
}

// handled runs a block with its handler.
func (s *session) handled(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	err := s.list(ctx, src, n.Body, exec)
	var j *jump
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.As(err, &j):
		if j.kind == dialect.Leave && n.Label != "" && strings.EqualFold(j.label, n.Label) {
			return nil
		}
		return err
	case !n.Handles:
		return err
	}
	if err := s.endAborted(ctx); err != nil {
		return s.scriptFault(ctx, src, n.Span, err)
	}
	s.script.errs = append(s.script.errs, err)
	defer func() { s.script.errs = s.script.errs[:len(s.script.errs)-1] }()
	return s.list(ctx, src, n.Handler, exec)
}

func (s *session) raise(ctx context.Context, src string, n *dialect.ScriptStatement) error {
	if n.Expr.End == n.Expr.Pos {
		if last := len(s.script.errs); last > 0 {
			return s.script.errs[last-1]
		}
		return s.scriptFault(ctx, src, n.Span, errors.New("RAISE without a message stands in a handler only"))
	}
	message, err := s.text(ctx, src, n.Expr, "the message of RAISE")
	if err != nil {
		return err
	}
	return s.scriptFault(ctx, src, n.Span, errors.New(message))
}

// noRows is the result of a script without a query.
type noRows struct{}

func (noRows) Columns() []string         { return nil }
func (noRows) Close() error              { return nil }
func (noRows) Next([]driver.Value) error { return io.EOF }
