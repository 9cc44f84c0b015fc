package googlesql

import (
	"errors"
	"fmt"
	"math/bits"
)

var errShift = errors.New("Bitwise shift by negative offset.")

// bitFunctions are the functions over bits, of INT64 and of BYTES.
var bitFunctions = map[string]definition{
	"shift_left": binary(func(x, n int64) (int64, error) {
		if n < 0 {
			return 0, errShift
		}
		return int64(uint64(x) << uint64(n)), nil
	}),
	"shift_right": binary(func(x, n int64) (int64, error) { // of the bits: no sign follows
		if n < 0 {
			return 0, errShift
		}
		return int64(uint64(x) >> uint64(n)), nil
	}),
	"bit_count": unary(func(x int64) (int64, error) { return int64(bits.OnesCount64(uint64(x))), nil }),
	"bit_count_bytes": unary(func(b []byte) (int64, error) {
		n := 0
		for _, c := range b {
			n += bits.OnesCount8(c)
		}
		return int64(n), nil
	}),
	"bytes_and": bytewise(func(a, b byte) byte { return a & b }),
	"bytes_or":  bytewise(func(a, b byte) byte { return a | b }),
	"bytes_xor": bytewise(func(a, b byte) byte { return a ^ b }),
	"bytes_not": unary(func(b []byte) ([]byte, error) {
		r := make([]byte, len(b))
		for i := range b {
			r[i] = ^b[i]
		}
		return r, nil
	}),
	"bytes_shift_left":  binary(func(b []byte, n int64) ([]byte, error) { return shiftBytes(b, n, false) }),
	"bytes_shift_right": binary(func(b []byte, n int64) ([]byte, error) { return shiftBytes(b, n, true) }),
}

func bytewise(f func(a, b byte) byte) definition {
	return binary(func(a, b []byte) ([]byte, error) {
		if len(a) != len(b) {
			return nil, fmt.Errorf("Bitwise binary operator for BYTES requires equal length of the inputs. Got %d bytes on the left hand side "+
				"and %d bytes on the right hand side.", len(a), len(b))
		}
		r := make([]byte, len(a))
		for i := range a {
			r[i] = f(a[i], b[i])
		}
		return r, nil
	})
}

// shiftBytes shifts the bits of a text of bytes, whose first byte is the highest.
func shiftBytes(b []byte, n int64, right bool) ([]byte, error) {
	if n < 0 {
		return nil, errShift
	}
	r := make([]byte, len(b))
	if n/8 >= int64(len(b)) {
		return r, nil
	}
	by, bit := int(n/8), uint(n%8)
	for i := range r {
		var high, low byte
		if right {
			if j := i - by; j >= 0 {
				low = b[j]
			}
			if j := i - by - 1; j >= 0 {
				high = b[j]
			}
			r[i] = low>>bit | byte(uint16(high)<<(8-bit))
			continue
		}
		if j := i + by; j < len(b) {
			high = b[j]
		}
		if j := i + by + 1; j < len(b) {
			low = b[j]
		}
		r[i] = high<<bit | byte(uint16(low)>>(8-bit))
	}
	return r, nil
}
