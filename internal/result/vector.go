// Package result reads the values of DuckDB's results as Go values.
package result

import (
	"encoding/binary"
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
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
	mapping.TypeHugeInt: {"HUGEINT", reflect.TypeFor[*big.Int](), func(v *Vector, row int) any {
		return udf.At[udf.HugeInt](v.Data, row).Big(true)
	}},
	mapping.TypeUHugeInt: {"UHUGEINT", reflect.TypeFor[*big.Int](), func(v *Vector, row int) any {
		return udf.At[udf.HugeInt](v.Data, row).Big(false)
	}},
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
