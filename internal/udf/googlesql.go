package udf

import (
	"fmt"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
)

// GoogleSQL gives the GoogleSQL type that has room for all values of a type of DuckDB's, or an error that names what has none.
// A MAP is an ARRAY of STRUCTs key and value.
func (t Type) GoogleSQL() (googlesql.Type, error) {
	switch {
	case t.Alias == "JSON":
		return googlesql.Type{Kind: googlesql.JSON}, nil
	case t.Kind == mapping.TypeDecimal:
		return googlesql.Type{Kind: googlesql.DecimalKind(int(t.Width), int(t.Scale))}, nil
	case t.Kind == mapping.TypeList, t.Kind == mapping.TypeArray:
		elem, err := t.Children[0].GoogleSQL()
		if err == nil && elem.Kind == googlesql.Array {
			err = fmt.Errorf("GoogleSQL has no ARRAY of ARRAY, which %s is; put a STRUCT between", t)
		}
		return googlesql.ArrayOf(elem), err
	case t.Kind == mapping.TypeMap:
		fields, err := t.fields()
		return googlesql.ArrayOf(googlesql.StructOf(fields...)), err
	case t.Kind == mapping.TypeStruct:
		fields, err := t.fields()
		if len(fields) == 2 && fields[0].Name == googlesql.RangeStart && fields[1].Name == googlesql.RangeEnd &&
			fields[0].Type.Equal(fields[1].Type) {
			return googlesql.Type{Kind: googlesql.Range, Elem: &fields[0].Type}, err
		}
		return googlesql.StructOf(fields...), err
	}
	kind, err := googlesql.FromDuckDB(KindName(t.Kind))
	return googlesql.Type{Kind: kind}, err
}

func (t Type) fields() ([]googlesql.Field, error) {
	fields := make([]googlesql.Field, len(t.Children))
	for i, c := range t.Children {
		of, err := c.GoogleSQL()
		if err != nil {
			return nil, err
		}
		fields[i] = googlesql.Field{Name: t.Names[i], Type: of}
	}
	return fields, nil
}
