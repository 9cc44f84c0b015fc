package catalog

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/objecttable"
)

// ObjectTableMark is in the text of every object table's view, and of no other view unless its author wants it to be.
const ObjectTableMark = "mallard_objects("

// ExternalTableMark is in the text of the view of every external table over files.
const ExternalTableMark = "mallard external table"

// ExternalTable is the text of the view of an external table over files, whose rows a query gives.
func ExternalTable(query string) string {
	return "SELECT * FROM (" + query + ") WHERE " + quote.Text(ExternalTableMark) + " IS NOT NULL"
}

// External reports whether a view is an external table over files.
func (c *Catalog) External(ctx context.Context, p QualifiedName) (bool, error) {
	rows, err := c.viewsWith(ctx, p, ExternalTableMark)
	return len(rows) == 1, err
}

// viewsWith gives the text of a view that holds a mark; no row for another.
func (c *Catalog) viewsWith(ctx context.Context, p QualifiedName, mark string) ([][]driver.Value, error) {
	return c.Rows(ctx, "SELECT sql FROM duckdb_views() WHERE lower(database_name) = lower("+quote.Text(p.Database)+
		") AND lower(schema_name) = lower("+
		quote.Text(p.Schema)+") AND lower(view_name) = lower("+quote.Text(p.Name)+") AND contains(sql, "+quote.Text(mark)+")")
}

// ObjectTable reads the description of an object table out of its view; ok is false for anything else.
func (c *Catalog) ObjectTable(ctx context.Context, p QualifiedName) (spec objecttable.Spec, ok bool, err error) {
	rows, err := c.viewsWith(ctx, p, ObjectTableMark)
	if err != nil || len(rows) != 1 {
		return spec, false, err
	}
	sql, _ := rows[0][0].(string)
	_, rest, found := strings.Cut(sql, "mallard_objects('")
	if !found {
		return spec, false, nil
	}
	var text strings.Builder
	for {
		piece, after, closed := strings.Cut(rest, "'")
		if !closed {
			return spec, false, nil
		}
		text.WriteString(piece)
		if rest = after; !strings.HasPrefix(rest, "'") {
			break
		}
		text.WriteByte('\'') // doubled: the quote itself
		rest = rest[1:]
	}
	if spec, err = objecttable.ParseSpec(text.String()); err != nil {
		return spec, false, fmt.Errorf("object table %s: %w", p, err)
	}
	return spec, true, nil
}
