package extension

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
)

// importer runs the scripts of an exported database on a connection. DuckDB runs the statements of schema.sql in the order of their
// entries in the catalog, so that a view fails whose model or object table was replaced after it, and a model made by one
// statement is not seen by the functions that bind the next. So here views wait for what they stand on.
type importer struct{ *session }

// scripts runs the statements of schema.sql, the views last and with them macros over views, and those of load.sql.
func (i importer) scripts(ctx context.Context, schema, load string) error {
	var views []importedView
	for _, st := range dialect.Split(schema, dialect.DuckDB) {
		text := schema[st.Pos:st.End]
		made := dialect.Relations(schema, st)
		if len(made) > 0 && made[0].Role == dialect.Makes && strings.HasPrefix(text, "CREATE VIEW") {
			views = append(views, importedView{text, made[0].Parts})
			continue
		}
		_, err := i.duck.ExecContext(ctx, text, nil)
		switch {
		case err == nil:
		case strings.HasPrefix(text, "CREATE MACRO"): // over a view, perhaps; and tables and views may need those that are over none
			views = append(views, importedView{text, nil})
		default:
			return err
		}
	}
	if err := i.views(ctx, views); err != nil {
		return err
	}
	if strings.TrimSpace(load) == "" {
		return nil
	}
	_, err := i.duck.ExecContext(ctx, load, nil)
	return err
}

// importedView is a statement CREATE VIEW and the name it makes, or CREATE MACRO, without a name.
type importedView struct {
	sql   string
	parts []string
}

// model reports whether the view holds a model's spec.
func (v importedView) model() bool {
	return v.parts != nil && strings.Contains(v.sql, quote.Text(modelspec.Format))
}

// views makes views, models first, and those again that could not be bound before others were there. A statement that
// cannot be bound leaves the transaction as it was.
func (i importer) views(ctx context.Context, views []importedView) error {
	slices.SortStableFunc(views, func(a, b importedView) int {
		if a.model() == b.model() {
			return 0
		} else if a.model() {
			return -1
		}
		return 1
	})
	for len(views) > 0 {
		var again []importedView
		var first error
		for _, v := range views {
			if err := i.view(ctx, v); err != nil {
				again, first = append(again, v), cmp.Or(first, err)
				continue
			}
			if err := i.model(ctx, v); err != nil {
				return err
			}
		}
		if len(again) == len(views) {
			return first
		}
		views = again
	}
	return nil
}

// view makes one view, as a statement of its own: the functions that it calls may have to be registered first.
func (i importer) view(ctx context.Context, v importedView) error {
	st := dialect.Split(v.sql, dialect.DuckDB)[0]
	return i.run(ctx, v.sql, st, func(x *execution) error {
		_, err := i.duck.ExecContext(ctx, x.plan.SQL, nil)
		return err
	})
}

// model lets the functions that bind views over a model find it: they read the catalog over another connection.
func (i importer) model(ctx context.Context, v importedView) error {
	if !v.model() {
		return nil
	}
	p, err := i.planner(ctx).Catalog.Target(ctx, v.parts)
	if err != nil {
		return err
	}
	k, rec, err := i.planner(ctx).Catalog.Lookup(ctx, p)
	if err == nil && k == catalog.Model {
		i.Remember(p, rec)
	}
	return err
}

// Import implements [planner.Session]: in the open transaction, or in one of its own that is rolled back when it fails.
func (s *session) Import(ctx context.Context, schema, load string) error {
	if s.active() {
		return s.scripts(ctx, schema, load)
	}
	return s.transact(ctx, func() error { return s.scripts(ctx, schema, load) })
}
