package result

import (
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/duckfmt"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/udf"
)

// nest gets ready for a type with parts.
func (v *Vector) nest(t mapping.LogicalType) error {
	switch v.kind {
	case mapping.TypeDecimal:
		v.decimal(t)
	case mapping.TypeEnum:
		v.enum(t)
	case mapping.TypeList:
		return v.list(t)
	case mapping.TypeArray:
		return v.array(t)
	case mapping.TypeStruct:
		return v.structure(t)
	case mapping.TypeMap:
		return v.dictionary(t)
	case mapping.TypeUnion:
		return v.union(t)
	default:
		return fmt.Errorf("a value of DuckDB's type number %d cannot be read from Go: cast it to VARCHAR", v.kind)
	}
	return nil
}

// child gets ready for a part, whose type it destroys.
func (v *Vector) child(t mapping.LogicalType) error {
	defer mapping.DestroyLogicalType(&t)
	c, err := NewVector(t)
	v.children = append(v.children, c)
	return err
}

// fields names the parts that have labels, with their types.
func (v *Vector) fields() string {
	parts := make([]string, len(v.labels))
	for i, l := range v.labels {
		parts[i] = quote.Name(l) + " " + v.children[len(v.children)-len(v.labels)+i].name
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func (v *Vector) decimal(t mapping.LogicalType) {
	v.width, v.scale = mapping.DecimalWidth(t), mapping.DecimalScale(t)
	v.name, v.goes = fmt.Sprintf("DECIMAL(%d,%d)", v.width, v.scale), reflect.TypeFor[duckdb.Decimal]()
	v.store = sizes[mapping.DecimalInternalType(t)]
	v.value = func(row int) any { return duckdb.Decimal{Width: v.width, Scale: v.scale, Value: v.integer(row)} }
}

func (v *Vector) enum(t mapping.LogicalType) {
	v.name, v.goes = "ENUM", reflect.TypeFor[string]()
	v.store = sizes[mapping.EnumInternalType(t)]
	for i := range mapping.EnumDictionarySize(t) {
		v.labels = append(v.labels, mapping.EnumDictionaryValue(t, mapping.IdxT(i)))
	}
	v.value = func(row int) any {
		switch v.store {
		case 1:
			return v.labels[*udf.At[uint8](v.Data, row)]
		case 2:
			return v.labels[*udf.At[uint16](v.Data, row)]
		}
		return v.labels[*udf.At[uint32](v.Data, row)]
	}
}

func (v *Vector) list(t mapping.LogicalType) error {
	if err := v.child(mapping.ListTypeChildType(t)); err != nil {
		return err
	}
	v.name, v.goes = v.children[0].name+"[]", reflect.TypeFor[[]any]()
	v.value = func(row int) any {
		e := v.List(row)
		return v.children[0].slice(int(e.Offset), int(e.Length))
	}
	return nil
}

func (v *Vector) array(t mapping.LogicalType) error {
	v.size = int(mapping.ArrayTypeArraySize(t))
	if err := v.child(mapping.ArrayTypeChildType(t)); err != nil {
		return err
	}
	v.name, v.goes = fmt.Sprintf("%s[%d]", v.children[0].name, v.size), reflect.TypeFor[[]any]()
	v.value = func(row int) any { return v.children[0].slice(row*v.size, v.size) }
	return nil
}

func (v *Vector) structure(t mapping.LogicalType) error {
	for i := range mapping.StructTypeChildCount(t) {
		v.labels = append(v.labels, mapping.StructTypeChildName(t, i))
		if err := v.child(mapping.StructTypeChildType(t, i)); err != nil {
			return err
		}
	}
	v.name, v.goes = "STRUCT"+v.fields(), reflect.TypeFor[map[string]any]()
	v.value = func(row int) any {
		m := make(map[string]any, len(v.labels))
		for i, l := range v.labels {
			m[l] = v.children[i].get(row)
		}
		return m
	}
	if slices.Contains(v.labels, "") { // row(1, 2): a map would keep the last field only
		v.goes = reflect.TypeFor[[]any]()
		v.value = func(row int) any {
			s := make([]any, len(v.children))
			for i, c := range v.children {
				s[i] = c.get(row)
			}
			return s
		}
	}
	return nil
}

// dictionary is for a MAP.
func (v *Vector) dictionary(t mapping.LogicalType) error {
	for _, t := range []mapping.LogicalType{mapping.MapTypeKeyType(t), mapping.MapTypeValueType(t)} {
		if err := v.child(t); err != nil {
			return err
		}
	}
	key, value := v.children[0], v.children[1]
	v.name, v.goes = fmt.Sprintf("MAP(%s, %s)", key.name, value.name), reflect.TypeFor[duckdb.OrderedMap]()
	if key.json { // a Go map cannot have it for a key; its text is a string, and says so
		v.name = fmt.Sprintf("MAP(VARCHAR, %s)", value.name)
	}
	keys, err := duckfmt.ParseType(key.name)
	if err != nil {
		return err
	}
	v.value = func(row int) any {
		e := v.List(row)
		var m duckdb.OrderedMap
		for i := range int(e.Length) {
			k := key.get(int(e.Offset) + i)
			if k != nil && !reflect.TypeOf(k).Comparable() { // the driver's map compares keys with ==
				k = keys.Text(k)
			}
			m.Set(k, value.get(int(e.Offset)+i))
		}
		return m
	}
	return nil
}

func (v *Vector) union(t mapping.LogicalType) error {
	if err := v.child(mapping.CreateLogicalType(mapping.TypeUTinyInt)); err != nil { // the tag lies before the members
		return err
	}
	for i := range mapping.UnionTypeMemberCount(t) {
		v.labels = append(v.labels, mapping.UnionTypeMemberName(t, i))
		if err := v.child(mapping.UnionTypeMemberType(t, i)); err != nil {
			return err
		}
	}
	v.name, v.goes = "UNION"+v.fields(), reflect.TypeFor[duckdb.Union]()
	v.value = func(row int) any {
		tag := int(*udf.At[uint8](v.children[0].Data, row))
		return duckdb.Union{Tag: v.labels[tag], Value: v.children[tag+1].get(row)}
	}
	return nil
}

// integer gives the number behind a DECIMAL.
func (v *Vector) integer(row int) *big.Int {
	switch v.store {
	case 2:
		return big.NewInt(int64(*udf.At[int16](v.Data, row)))
	case 4:
		return big.NewInt(int64(*udf.At[int32](v.Data, row)))
	case 8:
		return big.NewInt(*udf.At[int64](v.Data, row))
	}
	return udf.At[udf.HugeInt](v.Data, row).Big(true)
}

// sizes are those of the numbers that may stand for a DECIMAL or an ENUM.
var sizes = map[mapping.Type]uintptr{
	mapping.TypeUTinyInt: 1, mapping.TypeUSmallInt: 2, mapping.TypeUInteger: 4,
	mapping.TypeSmallInt: 2, mapping.TypeInteger: 4, mapping.TypeBigInt: 8, mapping.TypeHugeInt: 16,
}
