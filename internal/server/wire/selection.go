package wire

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/quote"
)

// Selection is the fields that a client selects: a tree, in which a node without children is a whole field.
type Selection map[string]Selection

// mostNames is how many names a selected field has at most.
const mostNames = 16

// SelectionOf reads paths such as a and a.b.
func SelectionOf(fields []string) (Selection, error) {
	all := Selection{}
	for _, path := range fields {
		names := strings.Split(path, ".")
		if len(names) > mostNames {
			return nil, failed("selected field %.100q has more than %d parts", path, mostNames)
		}
		at := all
		for i, name := range names {
			key := strings.ToLower(name)
			next, seen := at[key]
			switch {
			case seen && len(next) == 0: // all of it is wanted already
			case i == len(names)-1:
				at[key] = Selection{}
			case !seen:
				next = Selection{}
				at[key] = next
			}
			if seen && len(next) == 0 {
				break
			}
			at = next
		}
	}
	return all, nil
}

// Of gives the selected ones of columns, in the order of the table, with their expressions in DuckDB's SQL. Values are cast to the type in
// which DuckDB keeps GoogleSQL's, which does nothing where they have it.
func (s Selection) Of(columns []googlesql.Field) (fields []googlesql.Field, expressions []string, err error) {
	some, err := s.fields(columns, "")
	if err != nil {
		return nil, nil, err
	}
	whole := map[string]googlesql.Type{}
	for _, c := range columns {
		whole[c.Name] = c.Type
	}
	for _, f := range some {
		of := f.Type.DuckDB()
		if of == "" {
			return nil, nil, failed("column %s: %s is a type that is not read here: DuckDB has no counterpart of it", f.Name, f.Type)
		}
		expressions = append(expressions, fmt.Sprintf("CAST(%s AS %s) AS %s", pick(quote.Name(f.Name), whole[f.Name], f.Type, 0), of,
			quote.Name(f.Name)))
	}
	return some, expressions, nil
}

// fields gives the selected ones; all where none is named.
func (s Selection) fields(all []googlesql.Field, path string) ([]googlesql.Field, error) {
	if len(s) == 0 {
		return all, nil
	}
	var some []googlesql.Field
	found := 0
	for _, f := range all {
		inner, ok := s[strings.ToLower(f.Name)]
		if !ok {
			continue
		}
		found++
		t, err := inner.within(f.Type, path+f.Name)
		if err != nil {
			return nil, err
		}
		some = append(some, googlesql.Field{Name: f.Name, Type: t})
	}
	if found < len(s) {
		for name := range s {
			if !has(all, name) {
				return nil, failed("The following selected fields do not exist in the table schema: %s%s", path, name)
			}
		}
	}
	return some, nil
}

func has(fields []googlesql.Field, name string) bool {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

func (s Selection) within(t googlesql.Type, path string) (googlesql.Type, error) {
	switch {
	case len(s) == 0:
		return t, nil
	case t.Kind == googlesql.Array:
		elem, err := s.within(*t.Elem, path)
		return googlesql.ArrayOf(elem), err
	case t.Kind == googlesql.Struct:
		fields, err := s.fields(t.Fields, path+".")
		return googlesql.StructOf(fields...), err
	}
	return t, failed("selected field %s is a %s, which has no fields", path, t)
}

// pick writes the expression that makes a value of type some of the value x of type whole: fields of STRUCTs fall away.
func pick(x string, whole, some googlesql.Type, depth int) string {
	switch {
	case whole.Equal(some):
		return x
	case some.Kind == googlesql.Array:
		v := fmt.Sprintf("x%d", depth)
		return fmt.Sprintf("list_transform(%s, lambda %s: %s)", x, v, pick(v, *whole.Elem, *some.Elem, depth+1))
	}
	parts := make([]string, len(some.Fields))
	for i, f := range some.Fields {
		of := f.Type
		for _, w := range whole.Fields {
			if strings.EqualFold(w.Name, f.Name) {
				of = w.Type
			}
		}
		parts[i] = quote.Name(f.Name) + " := " + pick(fmt.Sprintf("struct_extract(%s, %s)", x, quote.Text(f.Name)), of, f.Type, depth)
	}
	return fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN struct_pack(%s) END", x, strings.Join(parts, ", "))
}
