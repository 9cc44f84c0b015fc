package extension

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/translator"
)

// immediate runs EXECUTE IMMEDIATE: its parameters become variables.
func (s *session) immediate(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	text, err := s.text(ctx, src, n.Expr, "the statement of EXECUTE IMMEDIATE")
	if err != nil {
		return err
	}
	before := len(s.script.variables)
	defer func() { s.script.variables = s.script.variables[:before] }()
	for i, u := range n.Using {
		sql, columns, err := s.expression(ctx, "SELECT ", src, u.Expr)
		if err != nil {
			return err
		}
		name, err := s.hide(ctx, src, u.Expr, sql)
		if err != nil {
			return err
		}
		s.script.variables = append(s.script.variables, translator.Variable{
			Name: usingName(i, u.Name), Type: columns[0].Type, Expr: valueOf(name, columns[0].Type),
		})
	}
	if text, err = s.withVariables(text, n.Using); err != nil {
		return s.scriptFault(ctx, src, n.Span, err)
	}
	all := dialect.Split(text, dialect.GoogleSQL)
	if len(all) != 1 {
		return s.scriptFault(ctx, src, n.Expr, fmt.Errorf("EXECUTE IMMEDIATE runs one statement, and this text has %d", len(all)))
	}
	if len(n.Names) == 0 {
		return s.run(ctx, text, all[0], exec)
	}
	sql, columns, err := s.expression(ctx, "", text, all[0].Span)
	if err != nil {
		return err
	}
	if len(columns) != len(n.Names) {
		return s.scriptFault(ctx, src, n.Span, fmt.Errorf("INTO names %s, and the query has %s", amount.Of(len(n.Names), "variable"),
			amount.Of(len(columns), "column")))
	}
	return s.spread(ctx, src, n.Span, "SELECT t FROM ("+sql+") AS t", columns, n.Names)
}

func usingName(i int, name string) string {
	if name == "" {
		name = strconv.Itoa(i + 1)
	}
	return "mallard_using_" + strings.ToLower(name)
}

// withVariables writes the variables of USING for the parameters of a text.
func (s *session) withVariables(text string, using []dialect.ScriptArgument) (string, error) {
	var b strings.Builder
	pos := 0
	for i, p := range dialect.Parameters(text, dialect.GoogleSQL) {
		name := usingName(i, strings.TrimPrefix(text[p.Pos:p.End], "@"))
		if text[p.Pos] == '?' {
			name = usingName(i, "")
		}
		if s.script.find(name) == nil {
			return "", fmt.Errorf("USING gives no value for the parameter %s", text[p.Pos:p.End])
		}
		b.WriteString(text[pos:p.Pos] + name)
		pos = p.End
	}
	return b.String() + text[pos:], nil
}
