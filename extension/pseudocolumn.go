package extension

import (
	"context"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/dialect"
)

// data writes a reference to the pseudo-column data of an object table: the bytes of the row's object. It is "" for a
// column of that name of another table.
func (w *writer) data(ctx context.Context, d *dialect.DataRef) (string, error) {
	named := len(d.Qualifier) > 0
	last := 0
	for _, t := range d.Tables {
		last = max(last, t.Outer)
	}
	for outer := range last + 1 {
		var objects, others []dialect.TableRef
		for _, t := range d.Tables {
			if t.Outer != outer || named && !names(t, d.Qualifier) {
				continue
			}
			ok := false
			if len(t.Path.Parts) > 0 {
				var err error
				if _, ok, err = w.objectTable(ctx, t.Path.Parts); err != nil {
					return "", at(d.Span, err)
				}
			}
			if ok {
				objects = append(objects, t)
			} else {
				others = append(others, t)
			}
		}
		switch {
		case len(others) > 0 && len(objects) == 0:
			return "", nil
		case len(objects) == 1 && len(others) == 0:
			return bytesOf(objects[0]), nil
		case len(objects) > 0:
			return "", at(d.Span, fmt.Errorf("`data` may be a column of several tables here; name the object table before it, as in %s.data", alias(objects[0])))
		}
	}
	return "", nil
}

// names reports whether a qualifier means a table of a FROM clause: its alias, or the end of its path.
func names(t dialect.TableRef, qualifier []string) bool {
	if t.Alias != "" {
		return len(qualifier) == 1 && strings.EqualFold(qualifier[0], t.Alias)
	}
	parts := t.Path.Parts
	if len(qualifier) > len(parts) {
		return false
	}
	for i, q := range qualifier {
		if !strings.EqualFold(q, parts[len(parts)-len(qualifier)+i]) {
			return false
		}
	}
	return true
}

func alias(t dialect.TableRef) string {
	if t.Alias != "" {
		return ident(t.Alias)
	}
	return ident(t.Path.Parts[len(t.Path.Parts)-1])
}

func bytesOf(t dialect.TableRef) string {
	a := alias(t)
	return "system.main.object_bytes(" + a + ".uri, " + a + ".generation, " + a + ".ref.authorizer)"
}

// errNoData is DuckDB's complaint about a column data that no table has; the statement is then read once more, with
// pseudo-columns.
func errNoData(err error) bool {
	s := strings.ToLower(err.Error()) // the column as the user wrote it
	return strings.Contains(s, `column "data"`) || strings.Contains(s, `column named "data"`)
}
