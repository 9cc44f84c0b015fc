package remote

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// stringT is DuckDB's string: up to 12 bytes lie behind the length, longer ones behind a pointer.
type stringT struct {
	length uint32
	prefix [4]byte
	ptr    unsafe.Pointer
}

const inlined = 12

// view returns the bytes where they lie; they live as long as the vector.
func (s *stringT) view() string {
	if s.length <= inlined {
		return unsafe.String(&s.prefix[0], int(s.length))
	}
	return unsafe.String((*byte)(s.ptr), int(s.length))
}

// listEntry is the place of one row's elements in a list's child vector.
type listEntry struct{ offset, length uint64 }

// hugeInt is DuckDB's 128-bit integer.
type hugeInt struct {
	lower uint64
	upper int64
}

func (h hugeInt) big() *big.Int {
	v := big.NewInt(h.upper)
	return v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(h.lower))
}

func hugeOf(v *big.Int) hugeInt {
	mask := new(big.Int).SetUint64(^uint64(0))
	lower := new(big.Int).And(v, mask).Uint64() // of the two's complement, also for negative numbers
	return hugeInt{lower, new(big.Int).Rsh(v, 64).Int64()}
}

// at returns element i of a vector's data.
func at[T any](data unsafe.Pointer, i int) *T {
	var t T
	return (*T)(unsafe.Add(data, uintptr(i)*unsafe.Sizeof(t)))
}

// isValid reads a validity mask; a nil mask has no NULLs.
func isValid(mask unsafe.Pointer, i int) bool {
	return mask == nil || *at[uint64](mask, i>>6)>>(uint(i)&63)&1 == 1
}

func setNull(v mapping.Vector, row int) {
	mapping.VectorEnsureValidityWritable(v)
	*at[uint64](mapping.VectorGetValidity(v), row>>6) &^= 1 << (uint(row) & 63)
}

// shape is the type of an argument, and how to read it.
type shape struct {
	kind     mapping.Type
	storage  mapping.Type // of DECIMAL and ENUM
	scale    int          // of DECIMAL
	size     int          // of ARRAY
	names    []string     // of ENUM and STRUCT
	children []shape
}

var kindText = map[mapping.Type]string{
	mapping.TypeBlob: "BLOB", mapping.TypeVarchar: "VARCHAR", mapping.TypeBoolean: "BOOLEAN", mapping.TypeDouble: "DOUBLE",
	mapping.TypeFloat: "FLOAT", mapping.TypeTinyInt: "TINYINT", mapping.TypeSmallInt: "SMALLINT", mapping.TypeInteger: "INTEGER",
	mapping.TypeBigInt: "BIGINT", mapping.TypeUTinyInt: "UTINYINT", mapping.TypeUSmallInt: "USMALLINT",
	mapping.TypeUInteger: "UINTEGER", mapping.TypeUBigInt: "UBIGINT", mapping.TypeHugeInt: "HUGEINT", mapping.TypeUHugeInt: "UHUGEINT",
	mapping.TypeUUID: "UUID", mapping.TypeDate: "DATE", mapping.TypeTime: "TIME", mapping.TypeTimestamp: "TIMESTAMP",
	mapping.TypeTimestampTZ: "TIMESTAMP WITH TIME ZONE", mapping.TypeTimeTZ: "TIME WITH TIME ZONE", mapping.TypeInterval: "INTERVAL",
	mapping.TypeTimestampS: "TIMESTAMP_S", mapping.TypeTimestampMS: "TIMESTAMP_MS", mapping.TypeTimestampNS: "TIMESTAMP_NS",
	mapping.TypeMap: "MAP", mapping.TypeUnion: "UNION", mapping.TypeBit: "BIT", mapping.TypeBigNum: "BIGNUM",
	mapping.TypeSQLNull: "NULL", mapping.TypeEnum: "ENUM",
}

func shapeOf(t mapping.LogicalType) shape {
	s := shape{kind: mapping.GetTypeId(t)}
	child := func(t mapping.LogicalType) {
		s.children = append(s.children, shapeOf(t))
		mapping.DestroyLogicalType(&t)
	}
	switch s.kind {
	case mapping.TypeList:
		child(mapping.ListTypeChildType(t))
	case mapping.TypeArray:
		s.size = int(mapping.ArrayTypeArraySize(t))
		child(mapping.ArrayTypeChildType(t))
	case mapping.TypeStruct:
		for i := range mapping.StructTypeChildCount(t) {
			s.names = append(s.names, mapping.StructTypeChildName(t, i))
			child(mapping.StructTypeChildType(t, i))
		}
	case mapping.TypeDecimal:
		s.storage, s.scale = mapping.DecimalInternalType(t), int(mapping.DecimalScale(t))
	case mapping.TypeEnum:
		s.storage = mapping.EnumInternalType(t)
		for i := range int(mapping.EnumDictionarySize(t)) {
			s.names = append(s.names, mapping.EnumDictionaryValue(t, mapping.IdxT(i)))
		}
	}
	return s
}

func (s shape) String() string {
	switch s.kind {
	case mapping.TypeList:
		return s.children[0].String() + "[]"
	case mapping.TypeArray:
		return fmt.Sprintf("%s[%d]", s.children[0], s.size)
	case mapping.TypeDecimal:
		return "DECIMAL"
	case mapping.TypeStruct:
		parts := make([]string, len(s.names))
		for i, n := range s.names {
			parts[i] = strings.TrimSpace(n + " " + s.children[i].String())
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	}
	if t, ok := kindText[s.kind]; ok {
		return t
	}
	return fmt.Sprintf("DuckDB type %d", s.kind)
}

func (s shape) integer() bool {
	switch s.kind {
	case mapping.TypeTinyInt, mapping.TypeSmallInt, mapping.TypeInteger, mapping.TypeBigInt, mapping.TypeUTinyInt, mapping.TypeUSmallInt,
		mapping.TypeUInteger, mapping.TypeUBigInt, mapping.TypeHugeInt, mapping.TypeUHugeInt:
		return true
	}
	return false
}

func (s shape) text() bool { return s.kind == mapping.TypeVarchar || s.kind == mapping.TypeEnum }

func (s shape) null() bool { return s.kind == mapping.TypeSQLNull }

// reads reports whether a column of this shape may feed a value of the type. An integer that is too large is noticed row
// by row.
func (t Type) reads(s shape) bool {
	if s.null() {
		return true
	}
	switch t.Kind {
	case Bool:
		return s.kind == mapping.TypeBoolean
	case Int64:
		return s.integer()
	case Float64:
		return s.integer() || s.kind == mapping.TypeFloat || s.kind == mapping.TypeDouble || s.kind == mapping.TypeDecimal
	case Numeric, BigNumeric:
		return s.integer() || s.kind == mapping.TypeDecimal
	case String:
		return s.text()
	case Array:
		return (s.kind == mapping.TypeList || s.kind == mapping.TypeArray) && t.Elem.reads(s.children[0])
	}
	return false
}

// prompt reports whether a column of this shape can be a prompt: texts, files, and structs and lists of these.
func (s shape) prompt() bool {
	switch s.kind {
	case mapping.TypeStruct:
		for i, c := range s.children {
			// Of an ObjectRef only what is read matters.
			if !c.prompt() && !(s.has("uri") && !strings.EqualFold(s.names[i], "uri")) {
				return false
			}
		}
		return true
	case mapping.TypeList, mapping.TypeArray:
		return s.children[0].prompt()
	}
	return s.text() || s.null()
}

func (s shape) has(name string) bool {
	for _, n := range s.names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// read gives the value of a row. Texts are views on the vector.
func (s shape) read(v mapping.Vector, row int) any {
	if s.null() || !isValid(mapping.VectorGetValidity(v), row) {
		return nil
	}
	data := mapping.VectorGetData(v)
	switch s.kind {
	case mapping.TypeBoolean:
		return *at[bool](data, row)
	case mapping.TypeTinyInt:
		return int64(*at[int8](data, row))
	case mapping.TypeSmallInt:
		return int64(*at[int16](data, row))
	case mapping.TypeInteger:
		return int64(*at[int32](data, row))
	case mapping.TypeBigInt:
		return *at[int64](data, row)
	case mapping.TypeUTinyInt:
		return int64(*at[uint8](data, row))
	case mapping.TypeUSmallInt:
		return int64(*at[uint16](data, row))
	case mapping.TypeUInteger:
		return int64(*at[uint32](data, row))
	case mapping.TypeUBigInt:
		return json.Number(fmt.Sprint(*at[uint64](data, row)))
	case mapping.TypeHugeInt, mapping.TypeUHugeInt:
		h := *at[hugeInt](data, row)
		b := h.big()
		if s.kind == mapping.TypeUHugeInt && b.Sign() < 0 {
			b.Add(b, new(big.Int).Lsh(big.NewInt(1), 128))
		}
		return json.Number(b.String())
	case mapping.TypeFloat:
		return float64(*at[float32](data, row))
	case mapping.TypeDouble:
		return *at[float64](data, row)
	case mapping.TypeDecimal:
		var b *big.Int
		switch s.storage {
		case mapping.TypeSmallInt:
			b = big.NewInt(int64(*at[int16](data, row)))
		case mapping.TypeInteger:
			b = big.NewInt(int64(*at[int32](data, row)))
		case mapping.TypeBigInt:
			b = big.NewInt(*at[int64](data, row))
		default:
			b = at[hugeInt](data, row).big()
		}
		return decimalNumber(b, s.scale)
	case mapping.TypeVarchar:
		return at[stringT](data, row).view()
	case mapping.TypeEnum:
		i := 0
		switch s.storage {
		case mapping.TypeUTinyInt:
			i = int(*at[uint8](data, row))
		case mapping.TypeUSmallInt:
			i = int(*at[uint16](data, row))
		default:
			i = int(*at[uint32](data, row))
		}
		return s.names[i]
	case mapping.TypeBlob:
		return []byte(at[stringT](data, row).view())
	case mapping.TypeList:
		e := *at[listEntry](data, row)
		child := mapping.ListVectorGetChild(v)
		out := make([]any, e.length)
		for i := range out {
			out[i] = s.children[0].read(child, int(e.offset)+i)
		}
		return out
	case mapping.TypeArray:
		child := mapping.ArrayVectorGetChild(v)
		out := make([]any, s.size)
		for i := range out {
			out[i] = s.children[0].read(child, row*s.size+i)
		}
		return out
	case mapping.TypeStruct:
		r := record{names: s.names, values: make([]any, len(s.children))}
		for i, c := range s.children {
			r.values[i] = c.read(mapping.StructVectorGetChild(v, mapping.IdxT(i)), row)
		}
		return r
	}
	return nil // a part of an ObjectRef that is not read
}

// decimalNumber writes v divided by 10^scale.
func decimalNumber(v *big.Int, scale int) json.Number {
	s := new(big.Int).Abs(v).String()
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	if scale > 0 {
		s = strings.TrimRight(strings.TrimRight(s[:len(s)-scale]+"."+s[len(s)-scale:], "0"), ".")
	}
	if v.Sign() < 0 {
		s = "-" + s
	}
	return json.Number(s)
}

// logical builds the DuckDB type. The caller destroys it.
func (t Type) logical() mapping.LogicalType {
	switch t.Kind {
	case Bool:
		return mapping.CreateLogicalType(mapping.TypeBoolean)
	case Int64:
		return mapping.CreateLogicalType(mapping.TypeBigInt)
	case Float64:
		return mapping.CreateLogicalType(mapping.TypeDouble)
	case Numeric, BigNumeric:
		return mapping.CreateDecimalType(38, uint8(t.scale()))
	case JSON:
		l := mapping.CreateLogicalType(mapping.TypeVarchar)
		mapping.LogicalTypeSetAlias(l, "JSON")
		return l
	case Array:
		child := t.Elem.logical()
		defer mapping.DestroyLogicalType(&child)
		return mapping.CreateListType(child)
	case Struct:
		types, names := make([]mapping.LogicalType, len(t.Fields)), make([]string, len(t.Fields))
		for i, f := range t.Fields {
			types[i], names[i] = f.Type.logical(), f.Name
		}
		defer func() {
			for i := range types {
				mapping.DestroyLogicalType(&types[i])
			}
		}()
		return mapping.CreateStructType(types, names)
	}
	return mapping.CreateLogicalType(mapping.TypeVarchar)
}

// write stores values at the slots of a vector from base on. The NULL of a parent is written to all its children: its own
// bit alone would show what lies in the slots.
func (t Type) write(vec mapping.Vector, base int, values []any) error {
	switch t.Kind {
	case Array:
		return t.writeLists(vec, base, values)
	case Struct:
		field := make([]any, len(values))
		for f := range t.Fields {
			for i, v := range values {
				field[i] = nil
				if v != nil {
					field[i] = v.([]any)[f]
				}
			}
			if err := t.Fields[f].Type.write(mapping.StructVectorGetChild(vec, mapping.IdxT(f)), base, field); err != nil {
				return err
			}
		}
		for i, v := range values {
			if v == nil {
				setNull(vec, base+i)
			}
		}
		return nil
	}
	data := mapping.VectorGetData(vec)
	for i, v := range values {
		switch v := v.(type) {
		case nil:
			setNull(vec, base+i)
		case bool:
			*at[bool](data, base+i) = v
		case int64:
			*at[int64](data, base+i) = v
		case float64:
			*at[float64](data, base+i) = v
		case *big.Int:
			*at[hugeInt](data, base+i) = hugeOf(v)
		case string:
			v = strings.ToValidUTF8(v, "\uFFFD") // DuckDB would store NULL, silently
			bindings.UnsafeVectorAssignStringElementLen(vec, mapping.IdxT(base+i), unsafe.Slice(unsafe.StringData(v), len(v)))
		default:
			return fmt.Errorf("%w: a %T stands for a %s", errPanic, v, t)
		}
	}
	return nil
}

func (t Type) writeLists(vec mapping.Vector, base int, values []any) error {
	total := 0
	for _, v := range values {
		switch v := v.(type) {
		case []any:
			total += len(v)
		case []float64:
			total += len(v)
		}
	}
	begin := int(mapping.ListVectorGetSize(vec))
	if mapping.ListVectorReserve(vec, mapping.IdxT(begin+total)) == mapping.StateError ||
		mapping.ListVectorSetSize(vec, mapping.IdxT(begin+total)) == mapping.StateError {
		return fmt.Errorf("DuckDB has no room for a list of %d values", begin+total)
	}
	entries := mapping.VectorGetData(vec)
	child := mapping.ListVectorGetChild(vec)
	next := begin
	for i, v := range values {
		n := 0
		switch v := v.(type) {
		case nil:
			setNull(vec, base+i)
		case []float64:
			if n = len(v); n > 0 {
				copy(unsafe.Slice(at[float64](mapping.VectorGetData(child), next), n), v)
			}
		case []any:
			n = len(v)
			if err := t.Elem.write(child, next, v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: a %T stands for a %s", errPanic, v, t)
		}
		*at[listEntry](entries, base+i) = listEntry{uint64(next), uint64(n)}
		next += n
	}
	return nil
}
