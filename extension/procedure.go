package extension

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/quote"
)

// maxCalls bounds the calls of procedures inside each other, as BigQuery does
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language#call).
const maxCalls = 50

// invoke runs CALL: the procedure sees its arguments alone, and what it gives to those that are OUT or INOUT becomes the caller's when
// it ends.
func (s *session) invoke(ctx context.Context, src string, n *dialect.ScriptStatement, exec func(*execution) error) error {
	if done, err := s.systemProcedure(ctx, src, n); done {
		return err
	}
	name := strings.Join(n.Names, ".")
	values, columns, err := s.expression(ctx, "", src, n.Span) // Google's word on the name and on the arguments
	if err != nil {
		return err
	}
	r, err := s.planner(ctx).Procedure(ctx, n.Names)
	if err != nil {
		return s.scriptFault(ctx, src, n.Span, err)
	}
	if s.script.depth == maxCalls {
		return s.scriptFault(ctx, src, n.Span, fmt.Errorf("Out of stack space due to deeply-nested procedure call to %s", name))
	}
	args := r.Arguments()
	given := make([]*translator.Variable, len(args)) // the caller's for those that are OUT
	for i, a := range args {
		if a.Mode == "IN" {
			continue
		}
		at := n.Using[i].Expr
		v := s.script.find(unquoted(src[at.Pos:at.End]))
		if v == nil {
			return s.scriptFault(ctx, src, at, fmt.Errorf("argument %s of %s is %s, and takes the name of a variable", a.Name, name, a.Mode))
		}
		given[i] = v
	}
	whole, err := s.hide(ctx, src, dialect.Span{}, "SELECT t FROM ("+values+") AS t")
	if err != nil {
		return err
	}
	caller := s.script
	s.script.variables, s.script.depth = nil, caller.depth+1
	err = s.body(ctx, src, r, args, columns, whole, exec)
	called := s.script
	s.script.variables, s.script.depth = caller.variables, caller.depth
	if err != nil {
		return inProcedure(err, s.fullName(n.Names), r.Body(), src, n.Span)
	}
	for i, v := range given {
		if v == nil {
			continue
		}
		from := called.variables[i]
		sql, err := coerced("SELECT "+from.Expr, from.Type, v.Type, "")
		if err != nil {
			return s.scriptFault(ctx, src, n.Using[i].Expr, err)
		}
		if err := s.assign(ctx, src, s.script.place(v.Name), sql); err != nil {
			return err
		}
	}
	return nil
}

// body runs the statements of a procedure over its arguments, which are the fields of a variable.
func (s *session) body(ctx context.Context, src string, r *writer.Routine, args []writer.RoutineArgument, values []googlesql.Field,
	whole string, exec func(*execution) error) error {
	for i, a := range args {
		if a.Type.Kind == 0 {
			a.Type = values[i].Type
		}
		value := "SELECT NULL::" + a.Type.DuckDB()
		if a.Mode != "OUT" {
			value = fmt.Sprintf("SELECT struct_extract_at(getvariable(%s), %d)", quote.Text(whole), i+1)
		}
		s.script.limit(a.Name, nil)
		if err := s.assign(ctx, src, s.script.place(a.Name), value); err != nil {
			return err
		}
		s.script.variables = append(s.script.variables, s.script.variable(a.Name, a.Type))
	}
	for _, st := range dialect.Split(r.Body(), dialect.GoogleSQL) {
		n := dialect.Control(r.Body(), st)
		if n == nil {
			n = &dialect.ScriptStatement{Span: st.Span, Expr: st.Span}
		}
		if err := s.checked(ctx, r.Body(), n); err != nil {
			return (&execution{s: s, ctx: ctx, src: r.Body()}).fault(err)
		}
		err := s.procedure(ctx, r.Body(), n, exec)
		var j *jump
		if errors.As(err, &j) && j.kind == dialect.Return {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// systemProcedure runs a procedure of BigQuery's own, and reports whether it was one.
func (s *session) systemProcedure(ctx context.Context, src string, n *dialect.ScriptStatement) (bool, error) {
	if !strings.EqualFold(n.Names[0], "BQ") || len(n.Names) == 1 {
		return false, nil
	}
	name := strings.ToUpper(strings.Join(n.Names, "."))
	switch {
	case name == "BQ.ABORT_SESSION" && len(n.Using) == 0:
		s.script = script{}
		rows, err := s.rows(ctx, "SELECT table_name FROM duckdb_tables() WHERE temporary")
		for _, r := range rows {
			if err == nil {
				_, err = s.rows(ctx, "DROP TABLE "+quote.Path("temp", "main", fmt.Sprint(r[0])))
			}
		}
		return true, err
	case name == "BQ.ABORT_SESSION":
		return true, s.scriptFault(ctx, src, n.Using[0].Expr, errors.New("BQ.ABORT_SESSION of another session than this one is not supported"))
	case name == "BQ.REFRESH_MATERIALIZED_VIEW":
		notify(ctx, "A materialized view is a view here, and is always fresh.")
		return true, nil
	}
	return true, s.scriptFault(ctx, src, n.Span, fmt.Errorf("the procedure %s is not supported", name))
}

// fullName completes the name of a procedure.
func (s *session) fullName(path []string) string {
	switch project := s.in.cfg.BigQuery.Project; {
	case len(path) == 1:
		_, schema := s.where()
		return s.fullName([]string{schema, path[0]})
	case len(path) == 2 && project != "":
		return project + "." + strings.Join(path, ".")
	}
	return strings.Join(path, ".")
}

func unquoted(name string) string { return strings.Trim(strings.TrimSpace(name), "`") }

// inProcedure makes an error of a procedure's body one of the call: a place in the body is none of the caller's text.
func inProcedure(err error, procedure, body, src string, at dialect.Span) error {
	var e *Error
	if !errors.As(err, &e) || e.Source != body {
		return err
	}
	called := *e
	called.said = errorText(e)
	f := frame{e.Line, e.Col, procedure}
	called.frames = append(append([]frame(nil), e.frames...), f)
	if len(e.frames) == 0 {
		called.Msg = fmt.Sprintf("%s at [%s:%d:%d]", e.Msg, procedure, e.Line, e.Col)
	}
	called.Source, called.Pos, called.End, called.plain = src, at.Pos, at.End, false
	called.Line, called.Col = dialect.LineCol(src, at.Pos)
	return &called
}
