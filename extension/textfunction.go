package extension

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/jsonfn"
	"github.com/mallardml/mallard/internal/planner"
)

// textFunction writes SQL while a statement binds. in.Query(id).Context is the statement's; args are clones.
type textFunction func(id uint64, args []string, null []bool) (string, error)

// registerTextFunctions adds the functions that write SQL while a statement binds. They are not volatile, so that DuckDB
// folds them.
func registerTextFunctions(in *instance, h mapping.Connection) error {
	var errs []error
	add := func(name string, arity int, f textFunction) {
		errs = append(errs, functions.RegisterText(h, name, arity, false, false, in.texts(f)))
	}
	add("mallard_call", 6, func(id uint64, args []string, null []bool) (string, error) {
		if null[1] || null[2] {
			return "", errNullCall(args[0])
		}
		return in.planned(id, func(ctx context.Context, pl *planner.Planner, lang dialect.Lang) (string, error) {
			return pl.CallText(ctx, lang, args[0], args[1], args[2], args[3], args[4], args[5])
		})
	})
	add("mallard_estimate", 1, func(id uint64, args []string, null []bool) (string, error) {
		if null[0] {
			return "", errors.New("ml_estimate needs a query, not NULL")
		}
		return in.estimateText(id, args[0])
	})
	add("mallard_usage", 0, func(uint64, []string, []bool) (string, error) {
		return planner.UsageText(in.remote.Session().Usage()), nil
	})
	add("mallard_connections", 0, func(uint64, []string, []bool) (string, error) {
		return planner.ConnectionsText(in.cfg, in.remote.Spent), nil
	})
	add("mallard_budget", 0, func(uint64, []string, []bool) (string, error) {
		return planner.BudgetText(in.cfg, in.remote.Session().Total(), in.remote.Spent), nil
	})
	add("mallard_cache", 0, func(id uint64, _ []string, _ []bool) (string, error) {
		return in.remote.Answers().ListSQL(in.Query(id).Context)
	})
	add("mallard_models", 0, func(id uint64, _ []string, _ []bool) (string, error) {
		return in.planned(id, func(ctx context.Context, pl *planner.Planner, _ dialect.Lang) (string, error) {
			return pl.ModelsText(ctx)
		})
	})
	add("mallard_model_info", 1, func(id uint64, args []string, null []bool) (string, error) {
		if null[0] {
			return "", errors.New("ml_model_info needs the name of a model, not NULL")
		}
		return in.planned(id, func(ctx context.Context, pl *planner.Planner, _ dialect.Lang) (string, error) {
			return pl.ModelInfoText(ctx, args[0])
		})
	})
	clearing := in.texts(func(id uint64, _ []string, _ []bool) (string, error) {
		return in.remote.Answers().Clear(in.Query(id).Context)
	})
	return errors.Join(append(errs,
		functions.RegisterText(h, "ml_cache_clear", 0, false, true, clearing),
		functions.RegisterText(h, "mallard_json_query", 2, false, false, jsonFunction(jsonfn.Query)),
		functions.RegisterText(h, "mallard_json_value", 1, true, false, jsonFunction(jsonfn.Value)))...)
}

// errNullCall is what a function over a model gives for NULL in place of the model or the input.
func errNullCall(fn string) error {
	return fmt.Errorf("%s needs the name of a model and an input query, not NULL", strings.Replace(fn, ".", "_", 1))
}

// jsonFunction makes BigQuery's JSON_QUERY or JSON_VALUE of a function over text: NULL in, NULL out, and "$" without a path.
func jsonFunction(f func(text, path string) (string, bool, error)) functions.TextFunc {
	return func(_ uint64, args []string, null []bool) (string, bool, error) {
		path := "$"
		if len(args) > 1 {
			path = args[1]
		}
		if null[0] || len(args) > 1 && null[1] {
			return "", true, nil
		}
		s, ok, err := f(args[0], path)
		return s, !ok, err
	}
}

// texts notes the typed error of a text function for the statement it serves.
func (in *instance) texts(f textFunction) functions.TextFunc {
	return func(id uint64, args []string, null []bool) (string, bool, error) {
		if n, ok := in.sessions.Load(id); ok && n.(*session).making.Load() {
			return "SELECT 1", false, nil
		}
		own := make([]string, len(args)) // those given end with the call
		for i, a := range args {
			own[i] = strings.Clone(a)
		}
		s, err := f(id, own, null)
		if err != nil {
			if q := in.Query(id); q.Fail != nil {
				q.Fail(err)
			}
		}
		return s, false, err
	}
}

// planFunc writes SQL with a planner.
type planFunc func(context.Context, *planner.Planner, dialect.Lang) (string, error)

// planned gives what the planner writes for a text function.
func (in *instance) planned(id uint64, write planFunc) (string, error) {
	s, ctx, err := in.caller(id)
	if err != nil {
		return "", err
	}
	return s.planned(ctx, write)
}

// planned gives what the planner writes while a statement of the connection's is bound: it asks a private connection.
func (s *session) planned(ctx context.Context, write planFunc) (text string, err error) {
	err = s.in.private.do(ctx, func(c *duckdb.Conn, h mapping.Connection) error {
		if s.duck == nil { // the host's
			s.duck, s.h = c, h
		}
		text, err = write(ctx, s.behind(ctx, c), s.lang)
		return err
	})
	return text, err
}
