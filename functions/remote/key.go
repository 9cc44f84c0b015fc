package remote

import (
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// key is the type of versions, and of the keys of rows.
var key = udf.Of(mapping.TypeBigInt)

// rowKey is the key of a row: what it is called between the functions.
type rowKey struct {
	valid   bool // an outer join leaves keys NULL
	several bool // the row may give several rows
	group   uint32
	row     int
}

func (k rowKey) uint64() uint64 {
	v := uint64(k.group)<<32 | uint64(k.row)
	if k.several {
		v |= severalMark
	}
	return v
}

// severalMark is in the key of a row that may give several rows.
const severalMark = 1 << 31

// readKeys reads the keys of a chunk: its second column.
func readKeys(chunk mapping.DataChunk) []rowKey {
	keys := make([]rowKey, mapping.DataChunkGetSize(chunk))
	if len(keys) == 0 {
		return keys
	}
	v := mapping.DataChunkGetVector(chunk, 1)
	data, mask := mapping.VectorGetData(v), mapping.VectorGetValidity(v)
	for r := range keys {
		if udf.Valid(mask, r) {
			k := *udf.At[uint64](data, r)
			keys[r] = rowKey{valid: true, several: k&severalMark != 0, group: uint32(k >> 32), row: int(k & (severalMark - 1))}
		}
	}
	return keys
}

// keyed are the rows of a group in a chunk.
type keyed struct{ numbers, places []int }

// byGroup sorts the keys by their groups. Nearly always all are of one.
func byGroup(keys []rowKey) map[uint32]keyed {
	groups := map[uint32]keyed{}
	for r, k := range keys {
		if k.valid {
			g := groups[k.group]
			groups[k.group] = keyed{append(g.numbers, k.row), append(g.places, r)}
		}
	}
	return groups
}
