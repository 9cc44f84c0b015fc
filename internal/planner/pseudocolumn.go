package planner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/quote"
)

// data writes a reference to the pseudo-column data of an object table: the bytes of the row's object. It is "" for a
// column of that name of another table.
func (ex *expander) data(ctx context.Context, d *dialect.DataRef) (string, error) {
	t, err := ex.objectsOf(ctx, d)
	if t == nil || err != nil {
		return "", err
	}
	return bytesOf(*t), nil
}

// objectsOf gives the object table that a reference to data means, or nil.
func (ex *expander) objectsOf(ctx context.Context, d *dialect.DataRef) (*dialect.TableRef, error) {
	named := len(d.Qualifier) > 0
	last := 0
	for _, t := range d.Tables {
		last = max(last, t.Outer)
	}
	for outer := range last + 1 {
		var objects, others []dialect.TableRef
		for _, t := range d.Tables {
			if t.Outer != outer {
				continue
			}
			fits := !named || names(t, d.Qualifier)
			longer := !fits && isEnd(t.Path.Parts, d.Qualifier) && t.Alias == "" // perhaps: schema.t.data FROM t
			if !fits && !longer {
				continue
			}
			ok := false
			if len(t.Path.Parts) > 0 {
				var p catalog.QualifiedName
				var err error
				if p, ok, err = ex.objectTable(ctx, t.Path.Parts); err != nil {
					return nil, dialect.At(d.Span, err)
				}
				if ok && longer && !isEnd(d.Qualifier, []string{p.Database, p.Schema, p.Name}) {
					continue
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
			return nil, nil
		case len(objects) == 1 && len(others) == 0:
			return &objects[0], nil
		case len(objects) > 0:
			return nil, dialect.At(d.Span, fmt.Errorf("`data` may be a column of several tables here; "+
				"name the object table before it, as in %s.data", alias(objects[0])))
		}
	}
	return nil, nil
}

// objectTable finds the object table that a path names, if it names one.
func (ex *expander) objectTable(ctx context.Context, parts []string) (catalog.QualifiedName, bool, error) {
	ps, err := ex.Catalog.Candidates(ctx, parts)
	if err != nil {
		return catalog.QualifiedName{}, false, err
	}
	for _, p := range ps {
		if _, ok, err := ex.Catalog.ObjectTable(ctx, p); ok || err != nil {
			return p, ok, err
		}
	}
	return catalog.QualifiedName{}, false, nil
}

// names reports whether a qualifier means a table of a FROM clause: its alias, or the end of its path.
func names(t dialect.TableRef, qualifier []string) bool {
	if t.Alias != "" {
		return len(qualifier) == 1 && strings.EqualFold(qualifier[0], t.Alias)
	}
	return isEnd(qualifier, t.Path.Parts)
}

// isEnd reports whether a path ends in the parts, in any case.
func isEnd(parts, path []string) bool {
	if len(parts) == 0 || len(parts) > len(path) {
		return false
	}
	return slices.EqualFunc(parts, path[len(path)-len(parts):], strings.EqualFold)
}

func alias(t dialect.TableRef) string {
	if t.Alias != "" {
		return quote.Name(t.Alias)
	}
	return quote.Name(t.Path.Parts[len(t.Path.Parts)-1])
}

func bytesOf(t dialect.TableRef) string {
	a := alias(t)
	return "system.main.object_bytes(" + a + ".uri, " + a + ".generation, " + a + ".ref.authorizer)"
}

// PseudoColumn is the name whose absence makes a statement be read once more, with pseudo-columns.
const PseudoColumn = "data"
