package analyzer

import (
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

var kinds = map[googlesql.Kind]resolved.TypeKind{
	googlesql.Bool: resolved.TypeKind_TYPE_BOOL, googlesql.Int64: resolved.TypeKind_TYPE_INT64,
	googlesql.Float64: resolved.TypeKind_TYPE_DOUBLE,
	googlesql.Numeric: resolved.TypeKind_TYPE_NUMERIC, googlesql.BigNumeric: resolved.TypeKind_TYPE_BIGNUMERIC,
	googlesql.String: resolved.TypeKind_TYPE_STRING, googlesql.Bytes: resolved.TypeKind_TYPE_BYTES,
	googlesql.Date:     resolved.TypeKind_TYPE_DATE,
	googlesql.DateTime: resolved.TypeKind_TYPE_DATETIME, googlesql.Time: resolved.TypeKind_TYPE_TIME,
	googlesql.Timestamp: resolved.TypeKind_TYPE_TIMESTAMP,
	googlesql.Interval:  resolved.TypeKind_TYPE_INTERVAL, googlesql.JSON: resolved.TypeKind_TYPE_JSON,
	googlesql.Geography: resolved.TypeKind_TYPE_GEOGRAPHY,
	googlesql.Range:     resolved.TypeKind_TYPE_RANGE, googlesql.Array: resolved.TypeKind_TYPE_ARRAY,
	googlesql.Struct: resolved.TypeKind_TYPE_STRUCT,
}

var kindsBack = func() map[resolved.TypeKind]googlesql.Kind {
	m := map[resolved.TypeKind]googlesql.Kind{}
	for k, v := range kinds {
		m[v] = k
	}
	return m
}()

// TypeProto writes a type as the service reads it.
func TypeProto(t googlesql.Type) *resolved.TypeProto {
	p := &resolved.TypeProto{TypeKind: kinds[t.Kind].Enum()}
	switch t.Kind {
	case googlesql.Array:
		p.ArrayType = &resolved.ArrayTypeProto{ElementType: TypeProto(*t.Elem)}
	case googlesql.Range:
		p.RangeType = &resolved.RangeTypeProto{ElementType: TypeProto(*t.Elem)}
	case googlesql.Struct:
		p.StructType = &resolved.StructTypeProto{}
		for _, f := range t.Fields {
			p.StructType.Field = append(p.StructType.Field, &resolved.StructFieldProto{FieldName: &f.Name, FieldType: TypeProto(f.Type)})
		}
	}
	return p
}

// TypeOf reads a type of the service's; the kind is 0 for one that BigQuery lacks.
func TypeOf(p *resolved.TypeProto) googlesql.Type {
	t := googlesql.Type{Kind: kindsBack[p.GetTypeKind()]}
	switch t.Kind {
	case googlesql.Array:
		elem := TypeOf(p.ArrayType.GetElementType())
		t.Elem = &elem
	case googlesql.Range:
		elem := TypeOf(p.RangeType.GetElementType())
		t.Elem = &elem
	case googlesql.Struct:
		for _, f := range p.StructType.GetField() {
			t.Fields = append(t.Fields, googlesql.Field{Name: f.GetFieldName(), Type: TypeOf(f.GetFieldType())})
		}
	}
	return t
}
