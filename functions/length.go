package functions

import (
	"math"
	"slices"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// grouped sorts rows by shape and notes where each shape ends.
func (k *chunk) grouped(rows []int32) []int32 {
	compare := func(a, b int32) int {
		for i := range k.feeds {
			if f := &k.feeds[i]; f.ragged() {
				n := len(f.column.dims)
				if c := slices.Compare(f.dims[int(b)*n:][:n], f.dims[int(a)*n:][:n]); c != 0 {
					return c
				}
			}
		}
		return 0
	}
	slices.SortStableFunc(rows, compare)
	k.groups = k.groups[:0]
	for i := range rows {
		if i+1 == len(rows) || compare(rows[i], rows[i+1]) != 0 {
			k.groups = append(k.groups, i+1)
		}
	}
	return rows
}

// meanLength is the mean length of the rows' texts, 0 without texts.
func (k *chunk) meanLength(rows []int32) float64 {
	total := int64(0)
	for i := range k.feeds {
		f := &k.feeds[i]
		switch {
		case f.port.DType != String:
		case len(f.nest) == 0 && !f.plain():
			for _, r := range rows {
				total += int64(udf.At[udf.String](f.data, int(r)).Len())
			}
		default:
			for _, r := range rows {
				total += f.bytes(r)
			}
		}
	}
	return float64(total) / float64(len(rows))
}

// byLength sorts rows by the length of their texts, the longest first: as the last they would keep one worker busy alone.
func (k *chunk) byLength(rows []int32) []int32 {
	if len(k.keys) > 0 {
		return rows // they are sorted
	}
	if cap(k.weights) < k.size {
		k.weights = make([]int32, k.size)
	}
	k.weights = k.weights[:k.size]
	texts := false
	for i := range k.feeds {
		f := &k.feeds[i]
		if f.port.DType != String {
			continue
		}
		if !texts {
			clear(k.weights)
			texts = true
		}
		for _, r := range rows {
			k.weights[r] += int32(min(f.bytes(r), math.MaxInt32/int64(len(k.feeds))))
		}
	}
	if !texts {
		return rows
	}
	for _, r := range rows {
		k.keys = append(k.keys, uint64(^uint32(k.weights[r]))<<32|uint64(r))
	}
	slices.Sort(k.keys)
	for i, key := range k.keys {
		rows[i] = int32(uint32(key))
	}
	return rows
}

// bytes is the length of a row's texts.
func (f *feed) bytes(row int32) (n int64) {
	f.elements(row, func(at, count int) {
		for i := range count {
			switch f.leaf.kind {
			case mapping.TypeEnum:
				n += int64(len(f.leaf.names[f.enum(at+i)]))
			case mapping.TypeUUID:
				n += 36
			default:
				n += int64(udf.At[udf.String](f.data, at+i).Len())
			}
		}
	})
	return n
}

// elements walks the places of a row's elements.
func (f *feed) elements(row int32, do func(at, count int)) {
	if f.picture != nil { // one value, whatever its shape
		do(int(row), 1)
		return
	}
	if f.where != nil && f.starts[row] < 0 {
		w := f.where[row]
		for _, p := range f.pieces[w.first : w.first+w.count] {
			do(p, w.elems)
		}
		return
	}
	n := 1
	for i, d := range f.column.dims {
		if d < 0 {
			if len(f.dims) > 0 {
				d = int(f.dims[int(row)*len(f.column.dims)+i])
			} else {
				d = f.openDim(i)
			}
		}
		n *= d
	}
	do(f.start(row), n)
}
