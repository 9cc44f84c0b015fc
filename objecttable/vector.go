package objecttable

import (
	"errors"
	"time"
	"unicode/utf8"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// sqlType is a DuckDB type that can be made when it is needed.
type sqlType struct {
	kind   mapping.Type
	alias  string
	item   *sqlType // of a list
	fields []sqlField
}

type sqlField struct {
	name string
	sqlType
}

var (
	varchar      = sqlType{kind: mapping.TypeVarchar}
	blob         = sqlType{kind: mapping.TypeBlob}
	bigint       = sqlType{kind: mapping.TypeBigInt}
	double       = sqlType{kind: mapping.TypeDouble}
	boolean      = sqlType{kind: mapping.TypeBoolean}
	timestamp    = sqlType{kind: mapping.TypeTimestampTZ}
	intervalType = sqlType{kind: mapping.TypeInterval}
	jsonType     = sqlType{kind: mapping.TypeVarchar, alias: "JSON"}
)

func listOf(t sqlType) sqlType            { return sqlType{kind: mapping.TypeList, item: &t} }
func structOf(fields ...sqlField) sqlType { return sqlType{kind: mapping.TypeStruct, fields: fields} }

// make builds the type; the caller destroys it.
func (t sqlType) make() mapping.LogicalType {
	switch {
	case t.item != nil:
		item := t.item.make()
		defer mapping.DestroyLogicalType(&item)
		return mapping.CreateListType(item)
	case t.fields != nil:
		types, names := make([]mapping.LogicalType, len(t.fields)), make([]string, len(t.fields))
		for i, f := range t.fields {
			types[i], names[i] = f.make(), f.name
		}
		defer func() {
			for i := range types {
				mapping.DestroyLogicalType(&types[i])
			}
		}()
		return mapping.CreateStructType(types, names)
	}
	l := mapping.CreateLogicalType(t.kind)
	if t.alias != "" {
		mapping.LogicalTypeSetAlias(l, t.alias)
	}
	return l
}

// stringT is DuckDB's string: up to 12 bytes lie behind the length, longer ones behind a pointer.
type stringT struct {
	length uint32
	prefix [4]byte
	ptr    unsafe.Pointer
}

const inlined = 12

// intervalT is DuckDB's interval.
type intervalT struct {
	months, days int32
	micros       int64
}

// duration takes a month for 30 days, as BigQuery and DuckDB do when they compare.
func (v *intervalT) duration() time.Duration {
	if v.months > 1000 || v.months < -1000 || v.days > 30_000 || v.days < -30_000 || v.micros > 1<<51 || v.micros < -1<<51 {
		return -1 // far more than anything asks for
	}
	return time.Duration(v.months)*30*24*time.Hour + time.Duration(v.days)*24*time.Hour + time.Duration(v.micros)*time.Microsecond
}

// listEntry is the place of one row's elements in a list's child vector.
type listEntry struct{ offset, length uint64 }

// at returns element i of a vector's data.
func at[T any](data unsafe.Pointer, i int) *T {
	var t T
	return (*T)(unsafe.Add(data, uintptr(i)*unsafe.Sizeof(t)))
}

// column is a vector that is read.
type column struct{ data, mask unsafe.Pointer }

func reading(v mapping.Vector) column {
	return column{mapping.VectorGetData(v), mapping.VectorGetValidity(v)}
}

func (c column) null(i int) bool {
	return c.mask != nil && *at[uint64](c.mask, i>>6)>>(uint(i)&63)&1 == 0
}

// bytes returns a text or blob where it lies; it lives as long as the vector.
func (c column) bytes(i int) []byte {
	s := at[stringT](c.data, i)
	if s.length <= inlined {
		return unsafe.Slice(&s.prefix[0], int(s.length))
	}
	return unsafe.Slice((*byte)(s.ptr), int(s.length))
}

func (c column) text(i int) string {
	b := c.bytes(i)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// setNull marks a row of a writable vector.
func setNull(v mapping.Vector, row int) {
	mapping.VectorEnsureValidityWritable(v)
	*at[uint64](mapping.VectorGetValidity(v), row>>6) &^= 1 << (uint(row) & 63)
}

// setBytes copies bytes into a VARCHAR or BLOB vector, unchecked: text must be valid UTF-8.
func setBytes(v mapping.Vector, row int, b []byte) {
	bindings.UnsafeVectorAssignStringElementLen(v, mapping.IdxT(row), b)
}

func setText(v mapping.Vector, row int, s string) {
	setBytes(v, row, unsafe.Slice(unsafe.StringData(s), len(s)))
}

// grow makes room in a list for more elements and returns where they begin.
func grow(v mapping.Vector, row, more int) int {
	size := int(mapping.ListVectorGetSize(v))
	mapping.ListVectorReserve(v, mapping.IdxT(size+more))
	mapping.ListVectorSetSize(v, mapping.IdxT(size+more))
	*at[listEntry](mapping.VectorGetData(v), row) = listEntry{uint64(size), uint64(more)}
	return size
}

// setOrNull writes a text, or NULL for none.
func setOrNull(v mapping.Vector, row int, s string) {
	if s == "" || setChecked(v, row, s) != nil {
		setNull(v, row)
	}
}

var errUTF8 = errors.New("it is not valid UTF-8")

// setChecked writes a text: DuckDB would store NULL for one that is not valid.
func setChecked(v mapping.Vector, row int, s string) error {
	if !utf8.ValidString(s) {
		return errUTF8
	}
	setText(v, row, s)
	return nil
}
