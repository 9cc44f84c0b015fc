package extension

import (
	"context"
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/quote"
)

// bindVariables gives the parameters of a script variables of their own, since SET VARIABLE, which keeps what DECLARE, SET and
// conditions evaluate, takes no parameters.
func (s *session) bindVariables(ctx context.Context, src string, all []dialect.Statement, args []driver.NamedValue) error {
	control := func(st dialect.Statement) bool { return s.control(ctx, src, st) != nil }
	if len(args) == 0 || !slices.ContainsFunc(all, control) {
		return nil
	}
	for i, a := range args {
		typed, ok := a.Value.(TypedValue)
		if !ok {
			if typed.Type, ok = planner.TypeOfValue(a.Value); !ok {
				continue // NULL, or its type is not known, and it may stand in other statements
			}
			typed.Value = a.Value
		}
		name := parameterVariable + strings.ToLower(a.Name)
		if a.Name == "" {
			name = parameterVariable + strconv.Itoa(i+1)
		}
		if err := s.bindVariable(ctx, name, typed); err != nil {
			return err
		}
		s.script.variables = append(s.script.variables, s.script.variable(name, typed.Type))
	}
	return nil
}

// distributed gives the arguments of a script of GoogleSQL to those of its statements that name them, as BigQuery does; DuckDB's scripts
// leave all to the last one. all are the statements; done ends it, also after an error.
func (s *session) distributed(ctx context.Context, src string, all []dialect.Statement,
	args []driver.NamedValue) (of context.Context, done func(), err error) {
	if len(args) == 0 {
		return ctx, func() {}, nil
	}
	if !slices.ContainsFunc(all, func(st dialect.Statement) bool { return st.Lang == dialect.GoogleSQL }) ||
		len(all) == 1 && s.control(ctx, src, all[0]) == nil {
		return ctx, func() {}, nil
	}
	ctx = context.WithValue(ctx, stepsKey{}, newSteps(src, s.lang, args, nil))
	return ctx, s.unbindVariables, s.bindVariables(ctx, src, all, args)
}

func (s *session) unbindVariables() {
	s.script.variables = slices.DeleteFunc(s.script.variables, func(v translator.Variable) bool {
		return strings.HasPrefix(v.Name, parameterVariable)
	})
}

// bindVariable sets a variable of DuckDB's to a value, by way of a table, whose query takes parameters.
func (s *session) bindVariable(ctx context.Context, name string, v TypedValue) error {
	const table = `temp.main."mallard parameter"`
	statement := func(sql string, args []driver.NamedValue) error {
		x := s.execute(ctx, "")
		defer x.done()
		return x.retry(&dialect.Statement{}, func(int) error {
			x.plan = &planner.Plan{SQL: sql, Pos: -1, Verb: "CREATE TABLE", Lang: dialect.GoogleSQL}
			_, err := x.exec(args)
			return err
		})
	}
	of := v.Type.DuckDB()
	if of == "" {
		return nil // a statement that uses it says so
	}
	arg := []driver.NamedValue{{Ordinal: 1, Value: v}}
	if err := statement("CREATE OR REPLACE TEMP TABLE "+table+" AS SELECT CAST($1 AS "+of+") AS v", arg); err != nil {
		return err
	}
	if err := statement("SET VARIABLE "+quote.Name(s.script.place(name))+" = (SELECT v FROM "+table+")", nil); err != nil {
		return err
	}
	return statement("DROP TABLE "+table, nil)
}
