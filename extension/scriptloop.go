package extension

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/quote"
)

func (s *session) caseStatement(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	before := "SELECT "
	if n.Expr.End > n.Expr.Pos {
		sql, columns, err := s.expression(ctx, "SELECT ", src, n.Expr)
		if err != nil {
			return err
		}
		name, err := s.hide(ctx, src, n.Expr, sql)
		if err != nil {
			return err
		}
		variable := strings.ReplaceAll(name, " ", "_")
		count := len(s.script.variables)
		s.script.variables = append(s.script.variables, translator.Variable{
			Name: variable, Type: columns[0].Type, Expr: valueOf(name, columns[0].Type),
		})
		defer func() { s.script.variables = s.script.variables[:count] }()
		before = "SELECT " + variable + " = "
	}
	for _, c := range n.Clauses {
		yes, err := s.condition(ctx, before, src, c.Expr)
		if err != nil {
			return err
		}
		if yes {
			return s.list(ctx, src, c.Body, exec)
		}
	}
	return s.list(ctx, src, n.Else, exec)
}

func (s *session) loop(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	for {
		if n.Kind == dialect.While {
			if yes, err := s.condition(ctx, "SELECT ", src, n.Expr); err != nil || !yes {
				return err
			}
		}
		if out, err := s.turn(ctx, src, n, exec); out || err != nil {
			return err
		}
		if n.Kind == dialect.Repeat {
			if yes, err := s.condition(ctx, "SELECT ", src, n.Expr); err != nil || yes {
				return err
			}
		}
	}
}

// turn runs the body of a loop once. out says that the loop is left.
func (s *session) turn(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) (out bool, err error) {
	if err := ctx.Err(); err != nil {
		return true, err
	}
	err = s.list(ctx, src, n.Body, exec)
	var j *jump
	if errors.As(err, &j) && j.kind != dialect.Return && (j.label == "" || strings.EqualFold(j.label, n.Label)) {
		return j.kind == dialect.Leave, nil
	}
	return err != nil, err
}

func (s *session) forLoop(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	sql, columns, err := s.expression(ctx, "SELECT * FROM ", src, n.Expr)
	if err != nil {
		return err
	}
	list, err := s.hide(ctx, src, dialect.Span{}, "SELECT list(t) FROM ("+sql+") AS t")
	if err != nil {
		return err
	}
	all := "getvariable(" + quote.Text(list) + ")"
	count, err := s.read(ctx, "coalesce(len("+all+"), 0)::BIGINT")
	if err != nil {
		return err
	}
	t := googlesql.StructOf(columns...)
	before := len(s.script.variables)
	s.script.limit(n.Names[0], nil)
	s.script.variables = append(s.script.variables, s.script.variable(n.Names[0], t))
	defer func() { s.script.variables = s.script.variables[:before] }()
	rows, _ := count.(int64)
	for i := range rows {
		if err := s.assign(ctx, src, s.script.place(n.Names[0]), fmt.Sprintf("SELECT %s[%d]", all, i+1)); err != nil {
			return err
		}
		if out, err := s.turn(ctx, src, n, exec); out || err != nil {
			return err
		}
	}
	return nil
}
