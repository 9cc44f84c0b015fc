package extension

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
)

// importDatabase reads what EXPORT DATABASE has written of a database with models or object tables. DuckDB runs the
// statements of schema.sql in the order of their entries in the catalog, so that a view fails whose model or object table
// was replaced after it, and a model made by one statement is not seen by the functions that bind the next. So here
// views wait for what they stand on, and all is done in one transaction. A folder without our constructs is DuckDB's own affair.
func (n *conn) importDatabase(ctx context.Context, src string, s *dialect.ImportDatabase) (*plan, error) {
	schema, err := n.importedText(ctx, s.Dir, "schema.sql")
	if err != nil || !strings.Contains(schema, quote.Text(modelspec.Format)) && !strings.Contains(schema, catalog.ObjectTableMark) {
		return &plan{sql: src[s.Pos:s.End], pos: s.Pos, verb: "IMPORT"}, nil // DuckDB says best what is wrong
	}
	load, err := n.importedText(ctx, s.Dir, "load.sql")
	if err != nil {
		return nil, dialect.At(s.Span, err)
	}
	if err := n.atOnce(ctx, func() error { return n.importScripts(ctx, schema, load) }); err != nil {
		return nil, dialect.At(s.Span, fmt.Errorf("IMPORT DATABASE %s: %w", quote.Text(s.Dir), err))
	}
	return &plan{sql: "RESET VARIABLE mallard_imported", pos: -1, verb: "IMPORT"}, nil
}

func (n *conn) importedText(ctx context.Context, dir, name string) (string, error) {
	rows, err := n.rows(ctx, "SELECT content FROM read_text("+quote.Text(strings.TrimRight(dir, "/")+"/"+name)+")")
	if err != nil {
		return "", err
	}
	text, ok := "", len(rows) == 1
	if ok {
		text, ok = rows[0][0].(string)
	}
	if !ok {
		return "", fmt.Errorf("%s cannot be read", name)
	}
	return text, nil
}

// atOnce runs f in the open transaction, or in one of its own that is rolled back when f fails.
func (n *conn) atOnce(ctx context.Context, f func() error) error {
	n.mu.Lock()
	active := n.open.active
	n.mu.Unlock()
	if active {
		return f()
	}
	if _, err := n.Conn.ExecContext(ctx, "BEGIN", nil); err != nil {
		return err
	}
	n.transaction(true)
	defer n.transaction(false)
	if err := f(); err != nil {
		_, back := n.Conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK", nil)
		return errors.Join(err, back)
	}
	_, err := n.Conn.ExecContext(ctx, "COMMIT", nil)
	return err
}

// importScripts runs the statements of schema.sql, the views last and with them macros over views, and those of load.sql.
func (n *conn) importScripts(ctx context.Context, schema, load string) error {
	var views []importedView
	for _, st := range dialect.Split(schema, dialect.DuckDB) {
		text := schema[st.Pos:st.End]
		made := dialect.Relations(schema, st)
		if len(made) > 0 && made[0].Role == dialect.Makes && strings.HasPrefix(text, "CREATE VIEW") {
			views = append(views, importedView{text, made[0].Parts})
			continue
		}
		_, err := n.Conn.ExecContext(ctx, text, nil)
		switch {
		case err == nil:
		case strings.HasPrefix(text, "CREATE MACRO"): // over a view, perhaps; and tables and views may need those that are over none
			views = append(views, importedView{text, nil})
		default:
			return err
		}
	}
	if err := n.importViews(ctx, views); err != nil {
		return err
	}
	if strings.TrimSpace(load) == "" {
		return nil
	}
	_, err := n.Conn.ExecContext(ctx, load, nil)
	return err
}

// importedView is a statement CREATE VIEW and the name it makes, or CREATE MACRO, without a name.
type importedView struct {
	sql   string
	parts []string
}

// model reports whether the view is a model's record.
func (v importedView) model() bool {
	return v.parts != nil && strings.Contains(v.sql, quote.Text(modelspec.Format))
}

// importViews makes views, models first, and those again that could not be bound before others were there. A statement that
// cannot be bound leaves the transaction as it was.
func (n *conn) importViews(ctx context.Context, views []importedView) error {
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
			if err := n.importView(ctx, v); err != nil {
				again, first = append(again, v), cmp.Or(first, err)
				continue
			}
			if err := n.importedModel(ctx, v); err != nil {
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

// importView makes one view, as a statement of its own: the functions that it calls may have to be registered first.
func (n *conn) importView(ctx context.Context, v importedView) error {
	st := dialect.Split(v.sql, dialect.DuckDB)[0]
	return n.run(ctx, v.sql, st, func(x *execution) error {
		_, err := n.Conn.ExecContext(ctx, x.plan.sql, nil)
		return err
	})
}

// importedModel lets the functions that bind views over a model find it: they read the catalog over another connection.
func (n *conn) importedModel(ctx context.Context, v importedView) error {
	if !v.model() {
		return nil
	}
	p, err := n.catalog().Target(ctx, v.parts)
	if err != nil {
		return err
	}
	k, rec, err := n.catalog().Lookup(ctx, p)
	if err == nil && k == catalog.Model {
		n.remember(p, rec)
	}
	return err
}
