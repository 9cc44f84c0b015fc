package udf

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// At is element i of a vector's data, where it lies. T must be what DuckDB stores for the type: int32 for INTEGER, int64
// for TIMESTAMP, [String] for VARCHAR and BLOB, [List] for lists, [HugeInt] for HUGEINT, [Interval] for INTERVAL.
func At[T any](data unsafe.Pointer, i int) *T {
	var t T
	return (*T)(unsafe.Add(data, uintptr(i)*unsafe.Sizeof(t)))
}

// Inlined is the length of the longest string that lies in the vector itself.
const Inlined = 12

// String is DuckDB's string: up to [Inlined] bytes lie behind the length, longer ones behind a pointer. It holds no Go
// pointer, so that storing one into DuckDB's memory passes no write barrier: the barrier would read the slot's garbage.
type String struct {
	length uint32
	prefix [4]byte
	rest   uint64
}

// Len is the length in bytes.
func (s *String) Len() int { return int(s.length) }

// View returns the bytes where they lie. They live as long as the vector, and the slot must not be moved meanwhile.
func (s *String) View() string {
	if s.length <= Inlined {
		return unsafe.String(&s.prefix[0], int(s.length))
	}
	return unsafe.String(*(**byte)(unsafe.Pointer(&s.rest)), int(s.length))
}

// Set stores a text of up to [Inlined] bytes: the short way around [SetBytes].
func (s *String) Set(text string) {
	*s = String{length: uint32(len(text))}
	copy(unsafe.Slice(&s.prefix[0], Inlined), text)
}

// List is the place of one row's elements in a list's child vector.
type List struct{ Offset, Length uint64 }

// Interval is DuckDB's INTERVAL. Its parts may have different signs and are not carried over.
type Interval struct {
	Months, Days int32
	Micros       int64
}

// Valid reads a validity mask; a nil mask has no NULLs.
func Valid(mask unsafe.Pointer, i int) bool {
	return mask == nil || *At[uint64](mask, i>>6)>>(uint(i)&63)&1 == 1
}

// AnyNull reports whether one of n slots from start on is NULL. A nil mask has no NULLs.
func AnyNull(mask unsafe.Pointer, start, n int) bool {
	if mask == nil || n == 0 {
		return false
	}
	first, last := start>>6, (start+n-1)>>6
	head := ^uint64(0) << (uint(start) & 63)
	tail := ^uint64(0) >> (63 - uint(start+n-1)&63)
	if first == last {
		head &= tail
		return *At[uint64](mask, first)&head != head
	}
	if *At[uint64](mask, first)&head != head || *At[uint64](mask, last)&tail != tail {
		return true
	}
	for w := first + 1; w < last; w++ {
		if *At[uint64](mask, w) != ^uint64(0) {
			return true
		}
	}
	return false
}

// Column is a vector that is read: an argument, or a child of one. It lives as long as the vector.
type Column struct{ Data, Mask unsafe.Pointer }

// Read finds the data of a vector.
func Read(v mapping.Vector) Column {
	return Column{mapping.VectorGetData(v), mapping.VectorGetValidity(v)}
}

// Null reports whether slot i is NULL; its data is garbage then.
func (c Column) Null(i int) bool { return !Valid(c.Mask, i) }

// Text views the text of slot i where it lies; see [String.View].
func (c Column) Text(i int) string { return At[String](c.Data, i).View() }

// Bytes views the text or blob of slot i where it lies. It must not be written to.
func (c Column) Bytes(i int) []byte {
	s := c.Text(i)
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// List is the place of slot i's elements in the child of a list.
func (c Column) List(i int) List { return *At[List](c.Data, i) }

// SetNull marks a slot of a result. It is not for hot loops, and leaves children alone: set theirs as well.
func SetNull(v mapping.Vector, i int) {
	mapping.VectorEnsureValidityWritable(v)
	*At[uint64](mapping.VectorGetValidity(v), i>>6) &^= 1 << (uint(i) & 63)
}

// SetNullStruct marks a row of a struct result and its children, of which none may be a struct or an array.
func SetNullStruct(v mapping.Vector, row, children int) {
	SetNull(v, row)
	for k := range children {
		SetNull(mapping.StructVectorGetChild(v, mapping.IdxT(k)), row)
	}
}

// SetNulls marks the slots of some rows, of which each has stride side by side, as the elements of arrays have.
func SetNulls(v mapping.Vector, rows []int32, stride int) {
	mapping.VectorEnsureValidityWritable(v)
	mask := mapping.VectorGetValidity(v)
	for _, r := range rows {
		for i := int(r) * stride; i < (int(r)+1)*stride; {
			if i&63 == 0 && i+64 <= (int(r)+1)*stride {
				*At[uint64](mask, i>>6) = 0
				i += 64
				continue
			}
			*At[uint64](mask, i>>6) &^= 1 << (uint(i) & 63)
			i++
		}
	}
}

// ErrUTF8 is a text that VARCHAR cannot hold. DuckDB does not look: it would stand in the result, or become NULL on the way
// (duckdb_vector_assign_string_element_len), both silently.
var ErrUTF8 = errors.New("the text is not valid UTF-8")

// SetText copies a text into a VARCHAR result. A text that is not valid UTF-8 is an error around [ErrUTF8].
func SetText(v mapping.Vector, i int, text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("%w: it begins with %q", ErrUTF8, text[:min(len(text), 24)])
	}
	return SetBytes(v, i, unsafe.Slice(unsafe.StringData(text), len(text)))
}

// SetBytes copies bytes into a BLOB result, or, unchecked, into a VARCHAR one; 4 GiB and more are an error. One goroutine at a
// time may do so for a vector.
func SetBytes(v mapping.Vector, i int, b []byte) error {
	if uint64(len(b)) > math.MaxUint32 {
		return fmt.Errorf("a value of %d bytes is longer than DuckDB can hold", len(b))
	}
	bindings.UnsafeVectorAssignStringElementLen(v, mapping.IdxT(i), b) // package mapping leaves it out
	return nil
}

// Extend makes room for more elements in the child of a list result and returns where they begin; the entry of the row is
// the caller's to write. The child's data and mask move: find them afterwards. A child of more than 64 GiB is an error.
func Extend(v mapping.Vector, more int) (first int, err error) {
	first = int(mapping.ListVectorGetSize(v))
	n := first + more
	if n > 1<<20 && tooLong(v, n) || mapping.ListVectorReserve(v, mapping.IdxT(n)) == mapping.StateError ||
		mapping.ListVectorSetSize(v, mapping.IdxT(n)) == mapping.StateError {
		return 0, fmt.Errorf("DuckDB has no room for a list of %d values", n)
	}
	return first, nil
}

// SetList makes room for n elements of a row of a list result and returns where they begin in the child; see [Extend].
func SetList(v mapping.Vector, row, n int) (first int, err error) {
	if first, err = Extend(v, n); err == nil {
		*At[List](mapping.VectorGetData(v), row) = List{uint64(first), uint64(n)}
	}
	return first, err
}

// tooLong keeps away from DuckDB's limit of 128 GiB for a vector, past which it throws through the C API and so ends the
// process. It rounds the number of elements up to a power of two.
func tooLong(v mapping.Vector, n int) bool { return n > 1<<36/VectorType(v).Children[0].widest() }

// VectorType is the type of a vector's values.
func VectorType(v mapping.Vector) Type {
	t := mapping.VectorGetColumnType(v)
	defer mapping.DestroyLogicalType(&t)
	return TypeOf(t)
}

// widest bounds the bytes that a row of this type, or of the widest of its children, has in its vector.
func (t Type) widest() int {
	w := 16 // of strings, list entries and wide numbers
	switch t.Kind {
	case mapping.TypeArray:
		w = t.Size * t.Children[0].widest()
	case mapping.TypeStruct:
		for _, c := range t.Children {
			w = max(w, c.widest())
		}
	}
	return w
}
