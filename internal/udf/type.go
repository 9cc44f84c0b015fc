package udf

import (
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Type describes a DuckDB type: of an argument, as [TypeOf] reads it, or of a parameter or result, made with [Of],
// [ListOf], [ArrayOf], [StructOf], [Decimal] or [JSON]. The zero Type is no type.
type Type struct {
	Kind     mapping.Type
	Alias    string       // JSON, of a VARCHAR; others only of types to be made
	Storage  mapping.Type // of DECIMAL and ENUM: the integer that lies in the vector
	Width    uint8        // of DECIMAL
	Scale    uint8        // of DECIMAL
	Size     int          // of ARRAY: the elements of a row
	Names    []string     // of STRUCT: the fields; of ENUM: the values
	Children []Type       // of STRUCT: the fields; of LIST and ARRAY: the element; of MAP: key and value
}

// Field is a field of a STRUCT, or a column.
type Field struct {
	Name string
	Type Type
}

// Of is a type without parameters, such as VARCHAR or ANY.
func Of(kind mapping.Type) Type { return Type{Kind: kind} }

// JSON is DuckDB's JSON.
func JSON() Type { return Type{Kind: mapping.TypeVarchar, Alias: "JSON"} }

// Decimal is DECIMAL(width, scale).
func Decimal(width, scale uint8) Type {
	return Type{Kind: mapping.TypeDecimal, Width: width, Scale: scale}
}

// ListOf is elem[].
func ListOf(elem Type) Type { return Type{Kind: mapping.TypeList, Children: []Type{elem}} }

// ArrayOf is elem[size]. DuckDB has arrays of 1 to 99,999 elements.
func ArrayOf(elem Type, size int) Type {
	return Type{Kind: mapping.TypeArray, Size: size, Children: []Type{elem}}
}

// StructOf is STRUCT(fields…).
func StructOf(fields ...Field) Type {
	t := Type{Kind: mapping.TypeStruct}
	for _, f := range fields {
		t.Names, t.Children = append(t.Names, f.Name), append(t.Children, f.Type)
	}
	return t
}

// TypeOf reads a type. It leaves t to the caller.
func TypeOf(t mapping.LogicalType) Type {
	d := Type{Kind: mapping.GetTypeId(t)}
	child := func(t mapping.LogicalType) {
		d.Children = append(d.Children, TypeOf(t))
		mapping.DestroyLogicalType(&t)
	}
	switch d.Kind {
	case mapping.TypeVarchar:
		if mapping.LogicalTypeGetAlias(t) == "JSON" {
			d.Alias = "JSON"
		}
	case mapping.TypeList:
		child(mapping.ListTypeChildType(t))
	case mapping.TypeArray:
		d.Size = int(mapping.ArrayTypeArraySize(t))
		child(mapping.ArrayTypeChildType(t))
	case mapping.TypeStruct:
		for i := range mapping.StructTypeChildCount(t) {
			d.Names = append(d.Names, mapping.StructTypeChildName(t, i))
			child(mapping.StructTypeChildType(t, i))
		}
	case mapping.TypeMap:
		d.Names = []string{"key", "value"}
		child(mapping.MapTypeKeyType(t))
		child(mapping.MapTypeValueType(t))
	case mapping.TypeDecimal:
		d.Storage, d.Width, d.Scale = mapping.DecimalInternalType(t), mapping.DecimalWidth(t), mapping.DecimalScale(t)
	case mapping.TypeEnum:
		d.Storage = mapping.EnumInternalType(t)
		for i := range int(mapping.EnumDictionarySize(t)) {
			d.Names = append(d.Names, mapping.EnumDictionaryValue(t, mapping.IdxT(i)))
		}
	}
	return d
}

// Logical makes the type; the caller destroys it. ENUM, MAP and UNION are read only: they give DuckDB's invalid type, which
// registration refuses.
func (t Type) Logical() mapping.LogicalType {
	switch t.Kind {
	case mapping.TypeDecimal:
		return mapping.CreateDecimalType(t.Width, t.Scale)
	case mapping.TypeList:
		elem := t.Children[0].Logical()
		defer mapping.DestroyLogicalType(&elem)
		return mapping.CreateListType(elem)
	case mapping.TypeArray:
		elem := t.Children[0].Logical()
		defer mapping.DestroyLogicalType(&elem)
		return mapping.CreateArrayType(elem, mapping.IdxT(t.Size))
	case mapping.TypeStruct:
		types := make([]mapping.LogicalType, len(t.Children))
		for i, c := range t.Children {
			types[i] = c.Logical()
		}
		defer func() {
			for i := range types {
				mapping.DestroyLogicalType(&types[i])
			}
		}()
		return mapping.CreateStructType(types, t.Names)
	}
	l := mapping.CreateLogicalType(t.Kind)
	if t.Alias != "" {
		mapping.LogicalTypeSetAlias(l, t.Alias)
	}
	return l
}

var kindNames = map[mapping.Type]string{
	mapping.TypeBoolean: "BOOLEAN", mapping.TypeTinyInt: "TINYINT", mapping.TypeSmallInt: "SMALLINT", mapping.TypeInteger: "INTEGER",
	mapping.TypeBigInt: "BIGINT", mapping.TypeUTinyInt: "UTINYINT", mapping.TypeUSmallInt: "USMALLINT",
	mapping.TypeUInteger: "UINTEGER", mapping.TypeUBigInt: "UBIGINT", mapping.TypeHugeInt: "HUGEINT", mapping.TypeUHugeInt: "UHUGEINT",
	mapping.TypeFloat: "FLOAT", mapping.TypeDouble: "DOUBLE", mapping.TypeDecimal: "DECIMAL", mapping.TypeBigNum: "BIGNUM",
	mapping.TypeVarchar: "VARCHAR", mapping.TypeBlob: "BLOB", mapping.TypeBit: "BIT", mapping.TypeUUID: "UUID", mapping.TypeEnum: "ENUM",
	mapping.TypeDate: "DATE", mapping.TypeTime: "TIME", mapping.TypeTimeTZ: "TIME WITH TIME ZONE", mapping.TypeTimeNS: "TIME_NS",
	mapping.TypeTimestamp: "TIMESTAMP", mapping.TypeTimestampTZ: "TIMESTAMP WITH TIME ZONE", mapping.TypeInterval: "INTERVAL",
	mapping.TypeTimestampS: "TIMESTAMP_S", mapping.TypeTimestampMS: "TIMESTAMP_MS", mapping.TypeTimestampNS: "TIMESTAMP_NS",
	mapping.TypeStruct: "STRUCT", mapping.TypeMap: "MAP", mapping.TypeUnion: "UNION", mapping.TypeSQLNull: "NULL", mapping.TypeAny: "ANY",
	mapping.TypeGeometry: "GEOMETRY", mapping.TypeVariant: "VARIANT",
}

// KindName is the SQL name of a kind of type, for messages. Lists and arrays have none.
func KindName(kind mapping.Type) string {
	if name, ok := kindNames[kind]; ok {
		return name
	}
	return fmt.Sprintf("DuckDB type %d", kind)
}

// String writes the type for a message: as SQL, but bare DECIMAL and ENUM.
func (t Type) String() string {
	switch {
	case t.Alias != "":
		return t.Alias
	case t.Kind == mapping.TypeList:
		return t.Children[0].String() + "[]"
	case t.Kind == mapping.TypeArray:
		return fmt.Sprintf("%s[%d]", t.Children[0], t.Size)
	case t.Kind == mapping.TypeStruct:
		parts := make([]string, len(t.Children))
		for i, c := range t.Children {
			parts[i] = strings.TrimSpace(t.Names[i] + " " + c.String())
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	}
	return KindName(t.Kind)
}
