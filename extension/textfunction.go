package extension

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/functions/jsonfn"
	"github.com/mallardml/mallard/internal/planner"
)

// registerTextFunctions adds the functions that write SQL while a statement binds. They are not volatile, so that DuckDB
// folds them.
func (in *instance) registerTextFunctions() error {
	return in.private(context.Background(), func(_ *duckdb.Conn, h mapping.Connection) error {
		return errors.Join(
			functions.RegisterText(h, "mallard_call", 6, false, false, in.texts(func(id uint64, args []string, null []bool) (string, error) {
				if null[1] || null[2] {
					return "", fmt.Errorf("%s needs the name of a model and an input "+
						"query, not NULL", strings.Replace(args[0], ".", "_", 1))
				}
				a := make([]string, len(args))
				for i := range args {
					if !null[i] {
						a[i] = strings.Clone(args[i])
					}
				}
				return in.planned(id, func(ctx context.Context, pl *planner.Planner, lang dialect.Lang) (string, error) {
					return pl.CallText(ctx, lang, a[0], a[1], a[2], a[3], a[4], a[5])
				})
			})),
			functions.RegisterText(h, "mallard_estimate", 1, false, false, in.texts(func(id uint64, args []string, null []bool) (string, error) {
				if null[0] {
					return "", errors.New("ml_estimate needs a query, not NULL")
				}
				return in.estimateText(id, strings.Clone(args[0]))
			})),
			functions.RegisterText(h, "mallard_usage", 0, false, false, in.texts(func(uint64, []string, []bool) (string, error) {
				return planner.UsageText(in.remote.Session().Usage()), nil
			})),
			functions.RegisterText(h, "mallard_cache", 0, false, false, in.texts(func(id uint64, _ []string, _ []bool) (string, error) {
				return in.remote.Answers().ListSQL(in.Query(id).Context)
			})),
			functions.RegisterText(h, "ml_cache_clear", 0, false, true, in.texts(func(id uint64, _ []string, _ []bool) (string, error) {
				return in.remote.Answers().Clear(in.Query(id).Context)
			})),
			functions.RegisterText(h, "mallard_models", 0, false, false, in.texts(func(id uint64, _ []string, _ []bool) (string, error) {
				return in.planned(id, func(ctx context.Context, pl *planner.Planner, _ dialect.Lang) (string, error) {
					return pl.ModelsText(ctx)
				})
			})),
			functions.RegisterText(h, "mallard_model_info", 1, false, false, in.texts(func(id uint64, args []string, null []bool) (string, error) {
				if null[0] {
					return "", errors.New("ml_model_info needs the name of a model, not NULL")
				}
				name := strings.Clone(args[0])
				return in.planned(id, func(ctx context.Context, pl *planner.Planner, _ dialect.Lang) (string, error) {
					return pl.ModelInfoText(ctx, name)
				})
			})),
			functions.RegisterText(h, "mallard_json_query", 2, false, false, jsonFunction(jsonfn.Query)),
			functions.RegisterText(h, "mallard_json_value", 1, true, false, jsonFunction(jsonfn.Value)),
		)
	})
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
func (in *instance) texts(f func(id uint64, args []string, null []bool) (string, error)) functions.TextFunc {
	return func(id uint64, args []string, null []bool) (string, bool, error) {
		if n, ok := in.conns.Load(id); ok && n.(*conn).making.Load() {
			return "SELECT 1", false, nil
		}
		s, err := f(id, args, null)
		if err != nil {
			if q := in.Query(id); q.Fail != nil {
				q.Fail(err)
			}
		}
		return s, false, err
	}
}

// caller finds the connection that a text function serves, and the context of its statement.
func (in *instance) caller(id uint64) (*conn, context.Context, error) {
	n, ok := in.conns.Load(id)
	if !ok {
		return nil, nil, errors.New("this connection was not opened by Mallard; ML functions need one of extension.NewConnector")
	}
	return n.(*conn), in.Query(id).Context, nil
}

// planned gives what the planner writes for a text function, which runs while its statement is bound: it asks a private
// connection.
func (in *instance) planned(id uint64, write func(context.Context, *planner.Planner, dialect.Lang) (string, error)) (text string, err error) {
	n, ctx, err := in.caller(id)
	if err != nil {
		return "", err
	}
	err = in.private(ctx, func(c *duckdb.Conn, _ mapping.Connection) error {
		text, err = write(ctx, n.session.behind(ctx, c), n.c.lang)
		return err
	})
	return text, err
}
