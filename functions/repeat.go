package functions

import (
	"bytes"
	"hash/maphash"
	"slices"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// repeat is a row that has the inputs of an earlier one.
type repeat struct{ from, to int32 }

var seed = maphash.MakeSeed()

// unique takes from rows those whose inputs came before in the chunk, and notes them in k.repeats.
func (k *chunk) unique(rows []int32) []int32 {
	size := 1
	for size < 2*len(rows) {
		size *= 2
	}
	if cap(k.table) < size {
		k.table = make([]int32, size)
	}
	k.table = k.table[:size]
	clear(k.table)
	keep := rows[:0]
next:
	for _, r := range rows {
		h := uint64(0)
		for i := range k.feeds {
			h = h*31 ^ k.feeds[i].hash(r)
		}
		i := int(h) & (size - 1)
		for ; k.table[i] != 0; i = (i + 1) & (size - 1) {
			if old := k.table[i] - 1; k.equal(old, r) {
				k.repeats = append(k.repeats, repeat{old, r})
				continue next
			}
		}
		k.table[i] = r + 1
		keep = append(keep, r)
	}
	return keep
}

func (f *feed) hash(row int32) (h uint64) {
	size := f.leaf.size()
	f.elements(row, func(at, n int) {
		if f.plain() {
			h = h*31 ^ maphash.Bytes(seed, unsafe.Slice((*byte)(unsafe.Add(f.data, at*size)), n*size))
			return
		}
		for i := range n {
			h = h*31 ^ maphash.String(seed, udf.At[udf.String](f.data, at+i).View())
		}
	})
	return h
}

// plain reports whether equal elements have equal bytes in the vector.
func (f *feed) plain() bool {
	return f.leaf.kind != mapping.TypeVarchar && f.leaf.kind != mapping.TypeBlob
}

func (k *chunk) equal(a, b int32) bool {
	for i := range k.feeds {
		if !k.feeds[i].equal(a, b) {
			return false
		}
	}
	return true
}

func (f *feed) equal(a, b int32) bool {
	if n := len(f.column.dims); len(f.dims) > 0 && !slices.Equal(f.dims[int(a)*n:][:n], f.dims[int(b)*n:][:n]) {
		return false
	}
	if f.where != nil && (f.starts[a] < 0 || f.starts[b] < 0) {
		return false // never wrong, and too rare to compare piece by piece
	}
	size := f.leaf.size()
	var at, n int
	f.elements(a, func(start, count int) { at, n = start, count })
	other := f.start(b)
	if f.plain() {
		return bytes.Equal(unsafe.Slice((*byte)(unsafe.Add(f.data, at*size)), n*size),
			unsafe.Slice((*byte)(unsafe.Add(f.data, other*size)), n*size))
	}
	for i := range n {
		if udf.At[udf.String](f.data, at+i).View() != udf.At[udf.String](f.data, other+i).View() {
			return false
		}
	}
	return true
}
