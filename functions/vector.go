package functions

import (
	"errors"
	"fmt"
	"unicode/utf8"
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

// at returns element i of a vector's data.
func at[T any](data *T, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(data), uintptr(i)*unsafe.Sizeof(*data)))
}

// valid reads a validity mask; a nil mask has no NULLs.
func valid(mask unsafe.Pointer, i int) bool {
	if mask == nil {
		return true
	}
	return *at((*uint64)(mask), i>>6)>>(uint(i)&63)&1 == 1
}

// setNull marks a row of a writable vector. It is not for hot loops.
func setNull(v mapping.Vector, row int) {
	mapping.VectorEnsureValidityWritable(v)
	mask := (*uint64)(mapping.VectorGetValidity(v))
	*at(mask, row>>6) &^= 1 << (uint(row) & 63)
}

var errUTF8 = errors.New("the text is not valid UTF-8")

// assignText copies a text into a VARCHAR vector.
func assignText(v mapping.Vector, row int, text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("%w: it begins with %q", errUTF8, text[:min(len(text), 24)])
	}
	assignBytes(v, row, text)
	return nil
}

// assignBytes copies bytes into a VARCHAR or BLOB vector, unchecked: package mapping leaves this call out.
func assignBytes(v mapping.Vector, row int, s string) {
	bindings.UnsafeVectorAssignStringElementLen(v, mapping.IdxT(row), unsafe.Slice(unsafe.StringData(s), len(s)))
}
