package functions

import "math/bits"

// buffer is the scratch memory of one input of one run.
type buffer struct {
	shape   []int64
	bytes   []byte
	strings []string
}

// takeBytes returns n bytes, aligned for any element.
func (b *buffer) takeBytes(n int) []byte {
	if cap(b.bytes) < n || b.bytes == nil {
		room := max(64, n+n/4)
		if n < 1<<20 {
			room = max(64, 1<<bits.Len(uint(max(n, 1)-1)))
		}
		b.bytes = make([]byte, room)
	}
	return b.bytes[:n]
}

func (b *buffer) takeStrings(n int) []string {
	if cap(b.strings) < n {
		b.strings = make([]string, 1<<bits.Len(uint(n)))
	}
	b.strings = b.strings[:n]
	return b.strings
}

// release drops the views: a stale pointer must not outlive DuckDB's memory, which Go's heap may get one day.
func (b *buffer) release() {
	clear(b.strings)
	b.strings = b.strings[:0]
}
