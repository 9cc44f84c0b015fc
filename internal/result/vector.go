// Package result reads the values of DuckDB's results as Go values.
package result

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/functions/udf"
	"github.com/mallardml/mallard/internal/duckfmt"
	"github.com/mallardml/mallard/internal/quote"
)

// aliasJSON is the name under which DuckDB's VARCHAR is JSON.
const aliasJSON = "JSON"

// Vector reads the values of a column, or of a part of a nested one, as duckdb-go would give them, but for JSON: its text
// stays as it is, where duckdb-go decodes it and so loses the order of keys and the spelling of numbers; and for a STRUCT
// without names: it is a []any, where duckdb-go fails.
type Vector struct {
	kind  mapping.Type
	json  bool
	name  string       // of the type, as in DatabaseTypeName
	goes  reflect.Type // of top-level values
	value func(row int) any

	width, scale uint8    // of DECIMAL
	store        uintptr  // bytes of a DECIMAL's or an ENUM's number
	labels       []string // of ENUM, STRUCT and UNION
	size         int      // of ARRAY
	children     []*Vector

	udf.Column // of the chunk that is attached
}

// NewVector gets ready for a type. It fails for a type that has no Go value.
func NewVector(t mapping.LogicalType) (*Vector, error) {
	v := &Vector{kind: mapping.GetTypeId(t)}
	if mapping.LogicalTypeGetAlias(t) == aliasJSON {
		v.json, v.name, v.goes = true, aliasJSON, reflect.TypeFor[[]byte]()
		v.value = func(row int) any { return json.RawMessage(v.Text(row)) }
		return v, nil
	}
	if s, ok := scalars[v.kind]; ok {
		v.name, v.goes = s.name, s.goes
		v.value = func(row int) any { return s.read(v, row) }
		return v, nil
	}
	return v, v.nest(t)
}

// Name is the type's name, as in DatabaseTypeName.
func (v *Vector) Name() string { return v.name }

// ScanType is the type of the values of a column.
func (v *Vector) ScanType() reflect.Type { return v.goes }

// nest gets ready for a type with parts.
func (v *Vector) nest(t mapping.LogicalType) error {
	child := func(t mapping.LogicalType) error {
		defer mapping.DestroyLogicalType(&t)
		c, err := NewVector(t)
		v.children = append(v.children, c)
		return err
	}
	fields := func() string {
		parts := make([]string, len(v.labels))
		for i, l := range v.labels {
			parts[i] = quote.Name(l) + " " + v.children[len(v.children)-len(v.labels)+i].name
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	switch v.kind {
	case mapping.TypeDecimal:
		v.width, v.scale = mapping.DecimalWidth(t), mapping.DecimalScale(t)
		v.name, v.goes = fmt.Sprintf("DECIMAL(%d,%d)", v.width, v.scale), reflect.TypeFor[duckdb.Decimal]()
		v.store = sizes[mapping.DecimalInternalType(t)]
		v.value = func(row int) any { return duckdb.Decimal{Width: v.width, Scale: v.scale, Value: v.integer(row)} }
	case mapping.TypeEnum:
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
	case mapping.TypeList:
		if err := child(mapping.ListTypeChildType(t)); err != nil {
			return err
		}
		v.name, v.goes = v.children[0].name+"[]", reflect.TypeFor[[]any]()
		v.value = func(row int) any {
			e := v.List(row)
			return v.children[0].slice(int(e.Offset), int(e.Length))
		}
	case mapping.TypeArray:
		v.size = int(mapping.ArrayTypeArraySize(t))
		if err := child(mapping.ArrayTypeChildType(t)); err != nil {
			return err
		}
		v.name, v.goes = fmt.Sprintf("%s[%d]", v.children[0].name, v.size), reflect.TypeFor[[]any]()
		v.value = func(row int) any { return v.children[0].slice(row*v.size, v.size) }
	case mapping.TypeStruct:
		for i := range mapping.StructTypeChildCount(t) {
			v.labels = append(v.labels, mapping.StructTypeChildName(t, i))
			if err := child(mapping.StructTypeChildType(t, i)); err != nil {
				return err
			}
		}
		v.name, v.goes = "STRUCT"+fields(), reflect.TypeFor[map[string]any]()
		if slices.Contains(v.labels, "") { // row(1, 2): a map would keep the last field only
			v.goes = reflect.TypeFor[[]any]()
			v.value = func(row int) any {
				s := make([]any, len(v.children))
				for i, c := range v.children {
					s[i] = c.get(row)
				}
				return s
			}
			return nil
		}
		v.value = func(row int) any {
			m := make(map[string]any, len(v.labels))
			for i, l := range v.labels {
				m[l] = v.children[i].get(row)
			}
			return m
		}
	case mapping.TypeMap:
		for _, t := range []mapping.LogicalType{mapping.MapTypeKeyType(t), mapping.MapTypeValueType(t)} {
			if err := child(t); err != nil {
				return err
			}
		}
		v.name, v.goes = fmt.Sprintf("MAP(%s, %s)", v.children[0].name, v.children[1].name), reflect.TypeFor[duckdb.OrderedMap]()
		if v.children[0].json { // a Go map cannot have it for a key; its text is a string, and says so
			v.name = fmt.Sprintf("MAP(VARCHAR, %s)", v.children[1].name)
		}
		keys, err := duckfmt.ParseType(v.children[0].name)
		if err != nil {
			return err
		}
		v.value = func(row int) any {
			e := v.List(row)
			var m duckdb.OrderedMap
			for i := range int(e.Length) {
				k := v.children[0].get(int(e.Offset) + i)
				if k != nil && !reflect.TypeOf(k).Comparable() { // the driver's map compares keys with ==
					k = keys.Text(k)
				}
				m.Set(k, v.children[1].get(int(e.Offset)+i))
			}
			return m
		}
	case mapping.TypeUnion:
		if err := child(mapping.CreateLogicalType(mapping.TypeUTinyInt)); err != nil { // the tag lies before the members
			return err
		}
		for i := range mapping.UnionTypeMemberCount(t) {
			v.labels = append(v.labels, mapping.UnionTypeMemberName(t, i))
			if err := child(mapping.UnionTypeMemberType(t, i)); err != nil {
				return err
			}
		}
		v.name, v.goes = "UNION"+fields(), reflect.TypeFor[duckdb.Union]()
		v.value = func(row int) any {
			tag := int(*udf.At[uint8](v.children[0].Data, row))
			return duckdb.Union{Tag: v.labels[tag], Value: v.children[tag+1].get(row)}
		}
	default:
		return fmt.Errorf("a value of DuckDB's type number %d cannot be read from Go: cast it to VARCHAR", v.kind)
	}
	return nil
}

// Attach points to the vectors of a chunk, which must outlive the reading.
func (v *Vector) Attach(vec mapping.Vector) {
	v.Column = udf.Read(vec)
	switch v.kind {
	case mapping.TypeList:
		v.children[0].Attach(mapping.ListVectorGetChild(vec))
	case mapping.TypeArray:
		v.children[0].Attach(mapping.ArrayVectorGetChild(vec))
	case mapping.TypeMap: // a list of structs
		entries := mapping.ListVectorGetChild(vec)
		for i, c := range v.children {
			c.Attach(mapping.StructVectorGetChild(entries, mapping.IdxT(i)))
		}
	case mapping.TypeStruct, mapping.TypeUnion:
		for i, c := range v.children {
			c.Attach(mapping.StructVectorGetChild(vec, mapping.IdxT(i)))
		}
	}
}

// get gives the value of a row, nil for NULL.
func (v *Vector) get(row int) any {
	if v.Null(row) {
		return nil
	}
	return v.value(row)
}

// Value gives the value of a top-level column: what database/sql can convert, where a nested value is free.
func (v *Vector) Value(row int) any {
	switch x := v.get(row).(type) {
	case json.RawMessage:
		return []byte(x)
	case duckdb.Bit:
		return x.String()
	default:
		return x
	}
}

func (v *Vector) slice(offset, length int) []any {
	s := make([]any, length)
	for i := range s {
		s[i] = v.get(offset + i)
	}
	return s
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

// scalar is a type without parts.
type scalar struct {
	name string
	goes reflect.Type
	read func(v *Vector, row int) any
}

// number is a type whose values lie in the vector as Go has them.
func number[T any](name string) scalar {
	return scalar{name, reflect.TypeFor[T](), func(v *Vector, row int) any { return *udf.At[T](v.Data, row) }}
}

// instant is a point in time that is counted in an int64.
func instant(name string, f func(int64) time.Time) scalar {
	return scalar{name, reflect.TypeFor[time.Time](), func(v *Vector, row int) any { return f(*udf.At[int64](v.Data, row)).UTC() }}
}

// clock puts a time of day into the first day of year 1, as duckdb-go does; 24:00:00 becomes 00:00:00.
func clock(nanos int64) time.Time {
	t := time.Unix(0, nanos).UTC()
	return time.Date(1, time.January, 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

var scalars = map[mapping.Type]scalar{
	mapping.TypeBoolean:     number[bool]("BOOLEAN"),
	mapping.TypeTinyInt:     number[int8]("TINYINT"),
	mapping.TypeSmallInt:    number[int16]("SMALLINT"),
	mapping.TypeInteger:     number[int32]("INTEGER"),
	mapping.TypeBigInt:      number[int64]("BIGINT"),
	mapping.TypeUTinyInt:    number[uint8]("UTINYINT"),
	mapping.TypeUSmallInt:   number[uint16]("USMALLINT"),
	mapping.TypeUInteger:    number[uint32]("UINTEGER"),
	mapping.TypeUBigInt:     number[uint64]("UBIGINT"),
	mapping.TypeFloat:       number[float32]("FLOAT"),
	mapping.TypeDouble:      number[float64]("DOUBLE"),
	mapping.TypeTimestamp:   instant("TIMESTAMP", time.UnixMicro),
	mapping.TypeTimestampTZ: instant("TIMESTAMPTZ", time.UnixMicro),
	mapping.TypeTimestampMS: instant("TIMESTAMP_MS", time.UnixMilli),
	mapping.TypeTimestampS:  instant("TIMESTAMP_S", func(s int64) time.Time { return time.Unix(s, 0) }),
	mapping.TypeTimestampNS: instant("TIMESTAMP_NS", func(n int64) time.Time { return time.Unix(0, n) }),
	mapping.TypeTime:        instant("TIME", func(us int64) time.Time { return clock(us * 1000) }),
	mapping.TypeTimeNS:      instant("TIME_NS", func(ns int64) time.Time { return clock(ns) }),
	mapping.TypeTimeTZ: {"TIMETZ", reflect.TypeFor[time.Time](), func(v *Vector, row int) any {
		// 40 bits of microseconds, then 24 of 57,599 minus the offset in seconds.
		n := *udf.At[uint64](v.Data, row)
		zone := time.UTC
		if offset := 57599 - int(n&(1<<24-1)); offset != 0 {
			zone = time.FixedZone("", offset)
		}
		return time.Date(1, time.January, 1, 0, 0, 0, 0, zone).Add(time.Duration(n>>24) * time.Microsecond)
	}},
	mapping.TypeDate: {"DATE", reflect.TypeFor[time.Time](), func(v *Vector, row int) any {
		return time.Unix(int64(*udf.At[int32](v.Data, row))*86400, 0).UTC()
	}},
	mapping.TypeInterval: {"INTERVAL", reflect.TypeFor[duckdb.Interval](), func(v *Vector, row int) any {
		i := udf.At[struct {
			months, days int32
			micros       int64
		}](v.Data, row)
		return duckdb.Interval{Months: i.months, Days: i.days, Micros: i.micros}
	}},
	mapping.TypeHugeInt:  {"HUGEINT", reflect.TypeFor[*big.Int](), func(v *Vector, row int) any { return udf.At[udf.HugeInt](v.Data, row).Big(true) }},
	mapping.TypeUHugeInt: {"UHUGEINT", reflect.TypeFor[*big.Int](), func(v *Vector, row int) any { return udf.At[udf.HugeInt](v.Data, row).Big(false) }},
	mapping.TypeUUID: {"UUID", reflect.TypeFor[[]byte](), func(v *Vector, row int) any {
		h := udf.At[udf.HugeInt](v.Data, row)
		id := binary.BigEndian.AppendUint64(nil, uint64(h.Upper)^1<<63) // so that they sort as signed numbers
		return binary.BigEndian.AppendUint64(id, h.Lower)
	}},
	mapping.TypeBigNum: {"BIGNUM", reflect.TypeFor[*big.Int](), func(v *Vector, row int) any {
		// Three bytes of header, whose first bit is set for a positive number, then the number; all inverted for a negative one.
		b := []byte(v.Text(row))
		if len(b) < 4 {
			return new(big.Int)
		}
		if b[0]&0x80 != 0 {
			return new(big.Int).SetBytes(b[3:])
		}
		for i := range b {
			b[i] = ^b[i]
		}
		n := new(big.Int).SetBytes(b[3:])
		return n.Neg(n)
	}},
	mapping.TypeVarchar:  {"VARCHAR", reflect.TypeFor[string](), func(v *Vector, row int) any { return strings.Clone(v.Text(row)) }},
	mapping.TypeBlob:     {"BLOB", reflect.TypeFor[[]byte](), func(v *Vector, row int) any { return []byte(v.Text(row)) }},
	mapping.TypeGeometry: {"GEOMETRY", reflect.TypeFor[[]byte](), func(v *Vector, row int) any { return []byte(v.Text(row)) }},
	mapping.TypeBit:      {"BIT", reflect.TypeFor[string](), func(v *Vector, row int) any { return duckdb.Bit{Data: []byte(v.Text(row))} }},
	mapping.TypeSQLNull:  {"SQLNULL", nil, func(*Vector, int) any { return nil }},
}
