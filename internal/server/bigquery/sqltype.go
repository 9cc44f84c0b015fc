package bigquery

import (
	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
)

// standardType is a type in the form that models and routines have.
func standardType(t googlesql.Type) *api.StandardSqlDataType {
	s := &api.StandardSqlDataType{TypeKind: t.Kind.String()}
	switch t.Kind {
	case 0:
		return nil
	case googlesql.Array:
		s.ArrayElementType = standardType(*t.Elem)
	case googlesql.Range:
		s.RangeElementType = standardType(*t.Elem)
	case googlesql.Struct:
		s.StructType = &api.StandardSqlStructType{Fields: []*api.StandardSqlField{}, ForceSendFields: []string{"Fields"}}
		for _, f := range t.Fields {
			s.StructType.Fields = append(s.StructType.Fields, standardField(f))
		}
	}
	return s
}

func standardField(f googlesql.Field) *api.StandardSqlField {
	return &api.StandardSqlField{Name: f.Name, Type: standardType(f.Type)}
}

// typeDepth bounds the nesting of types, as BigQuery does.
const typeDepth = 15

// typeText writes a type of that form as GoogleSQL does.
func typeText(s *api.StandardSqlDataType) (string, error) {
	t, err := googlesqlType(s, 0)
	return t.String(), err
}

func googlesqlType(s *api.StandardSqlDataType, depth int) (googlesql.Type, error) {
	if s == nil || s.TypeKind == "" {
		return googlesql.Type{}, invalid("A type has no typeKind")
	}
	if depth > typeDepth {
		return googlesql.Type{}, invalid("A type is nested more than %d levels deep", typeDepth)
	}
	switch s.TypeKind {
	case "ARRAY", "RANGE":
		inner, kind := s.ArrayElementType, googlesql.Array
		if s.TypeKind == "RANGE" {
			inner, kind = s.RangeElementType, googlesql.Range
		}
		elem, err := googlesqlType(inner, depth+1)
		return googlesql.Type{Kind: kind, Elem: &elem}, err
	case "STRUCT":
		t := googlesql.Type{Kind: googlesql.Struct}
		if s.StructType == nil {
			return t, invalid("A STRUCT has no structType")
		}
		for _, f := range s.StructType.Fields {
			if f == nil {
				return t, invalid("A field of a STRUCT is null")
			}
			of, err := googlesqlType(f.Type, depth+1)
			if err != nil {
				return t, err
			}
			t.Fields = append(t.Fields, googlesql.Field{Name: f.Name, Type: of})
		}
		return t, nil
	}
	t, err := googlesql.ParseType(s.TypeKind)
	if err != nil {
		return t, invalid("typeKind %q is no type of GoogleSQL", s.TypeKind)
	}
	return t, nil
}
