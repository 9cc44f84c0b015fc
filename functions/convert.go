package functions

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

type number interface{ integer | ~float32 | ~float64 }

// converter writes n elements at src as the tensor's type at dst. It returns the first element that does not fit, or -1.
type converter func(dst, src unsafe.Pointer, n int) int

func slices2[S, D any](dst, src unsafe.Pointer, n int) ([]D, []S) {
	return unsafe.Slice((*D)(dst), n), unsafe.Slice((*S)(src), n)
}

func copied[T any](dst, src unsafe.Pointer, n int) int {
	d, s := slices2[T, T](dst, src, n)
	copy(d, s)
	return -1
}

func widened[S, D number](dst, src unsafe.Pointer, n int) int {
	d, s := slices2[S, D](dst, src, n)
	for len(d) >= 4 && len(s) >= 4 { // four at a time: nearly twice as fast
		d[0], d[1], d[2], d[3] = D(s[0]), D(s[1]), D(s[2]), D(s[3])
		d, s = d[4:], s[4:]
	}
	for i := range d {
		d[i] = D(s[i])
	}
	return -1
}

// narrowed is widened from float64 to float32. A finite number that would become infinite does not fit, as in DuckDB's CAST.
func narrowed(dst, src unsafe.Pointer, n int) int {
	const block = 256 // short enough to be looked through again where something is infinite
	d, s := slices2[float64, float32](dst, src, n)
	for at := 0; at < n; at += block {
		end := min(at+block, n)
		if !rounded(d[at:end], s[at:end]) {
			continue
		}
		for i := at; i < end; i++ {
			if math.IsInf(float64(d[i]), 0) && !math.IsInf(s[i], 0) {
				return i
			}
		}
	}
	return -1
}

// rounded rounds s to d and reports whether any number became infinite or is NaN: all bits of its exponent are set then,
// and one more carries into the place of the sign.
func rounded(d []float32, s []float64) bool {
	const magnitude, carry = 1<<31 - 1, 1 << 23
	var sum uint32
	for len(d) >= 4 && len(s) >= 4 {
		a, b, c, e := float32(s[0]), float32(s[1]), float32(s[2]), float32(s[3])
		d[0], d[1], d[2], d[3] = a, b, c, e
		sum |= (math.Float32bits(a)&magnitude + carry) | (math.Float32bits(b)&magnitude + carry) |
			(math.Float32bits(c)&magnitude + carry) | (math.Float32bits(e)&magnitude + carry)
		d, s = d[4:], s[4:]
	}
	for i := range d {
		d[i] = float32(s[i])
		sum |= math.Float32bits(d[i])&magnitude + carry
	}
	return sum>>31 == 1
}

func ranged[S, D integer](dst, src unsafe.Pointer, n int) int {
	d, s := slices2[S, D](dst, src, n)
	for i := range d {
		v := D(s[i])
		if S(v) != s[i] || v < 0 != (s[i] < 0) {
			return i
		}
		d[i] = v
	}
	return -1
}

func halved[S number](dst, src unsafe.Pointer, n int) int {
	d, s := slices2[S, uint16](dst, src, n)
	for i := range d {
		f := float64(s[i])
		d[i] = float16(f)
		if d[i]&0x7fff == 0x7c00 && !math.IsInf(f, 0) {
			return i
		}
	}
	return -1
}

func brained[S number](dst, src unsafe.Pointer, n int) int {
	d, s := slices2[S, uint16](dst, src, n)
	for i := range d {
		f := float64(s[i])
		d[i] = bfloat16(f)
		if d[i]&0x7fff == 0x7f80 && !math.IsInf(f, 0) {
			return i
		}
	}
	return -1
}

func fromFloat[S number](to DType) converter {
	switch to {
	case Float16:
		return halved[S]
	case BFloat16:
		return brained[S]
	case Float32:
		if _, wide := any(S(0)).(float64); wide {
			return narrowed
		}
		return widened[S, float32]
	case Float64:
		return widened[S, float64]
	}
	return nil
}

func fromInteger[S integer](to DType) converter {
	switch to {
	case Int8:
		return ranged[S, int8]
	case Int16:
		return ranged[S, int16]
	case Int32:
		return ranged[S, int32]
	case Int64:
		return ranged[S, int64]
	case Uint8:
		return ranged[S, uint8]
	case Uint16:
		return ranged[S, uint16]
	case Uint32:
		return ranged[S, uint32]
	case Uint64:
		return ranged[S, uint64]
	}
	return fromFloat[S](to)
}

// via converts through a float64 or a range-checked integer, for the rare wide types.
func via[S any](to DType, float func(S) float64, whole func(S) (*big.Int, bool)) converter {
	if to.Float() {
		put := fromFloat[float64](to)
		size := uintptr(to.Size())
		return func(dst, src unsafe.Pointer, n int) int {
			for i := range n {
				f := float(*udf.At[S](src, i))
				if put(unsafe.Add(dst, uintptr(i)*size), unsafe.Pointer(&f), 1) >= 0 {
					return i
				}
			}
			return -1
		}
	}
	if whole == nil {
		return nil
	}
	put := fromInteger[int64](to)
	if to == Uint64 {
		put = nil
	}
	size := uintptr(to.Size())
	return func(dst, src unsafe.Pointer, n int) int {
		for i := range n {
			b, _ := whole(*udf.At[S](src, i))
			p := unsafe.Add(dst, uintptr(i)*size)
			if put == nil {
				if !b.IsUint64() {
					return i
				}
				*(*uint64)(p) = b.Uint64()
				continue
			}
			if !b.IsInt64() {
				return i
			}
			v := b.Int64()
			if put(p, unsafe.Pointer(&v), 1) >= 0 {
				return i
			}
		}
		return -1
	}
}

func decimal[S integer](to DType, scale uint8) converter {
	div := math.Pow10(int(scale))
	return via(to, func(v S) float64 { return float64(v) / div }, nil)
}

// converterFor returns nil where the leaf does not fit the tensor's type.
func converterFor(l leaf, to DType) converter {
	switch l.kind {
	case mapping.TypeBoolean:
		if to == Bool {
			return copied[uint8]
		}
		return nil
	case mapping.TypeTinyInt:
		return same(l, to, fromInteger[int8])
	case mapping.TypeSmallInt:
		return same(l, to, fromInteger[int16])
	case mapping.TypeInteger:
		return same(l, to, fromInteger[int32])
	case mapping.TypeBigInt:
		return same(l, to, fromInteger[int64])
	case mapping.TypeUTinyInt:
		return same(l, to, fromInteger[uint8])
	case mapping.TypeUSmallInt:
		return same(l, to, fromInteger[uint16])
	case mapping.TypeUInteger:
		return same(l, to, fromInteger[uint32])
	case mapping.TypeUBigInt:
		return same(l, to, fromInteger[uint64])
	case mapping.TypeFloat:
		return same(l, to, fromFloat[float32])
	case mapping.TypeDouble:
		return same(l, to, fromFloat[float64])
	case mapping.TypeHugeInt, mapping.TypeUHugeInt:
		if to == Bool || to == String {
			return nil
		}
		signed := l.kind == mapping.TypeHugeInt
		return via(to, func(h udf.HugeInt) float64 { return h.Float(signed) }, func(h udf.HugeInt) (*big.Int, bool) {
			return h.Big(signed), true
		})
	case mapping.TypeDecimal:
		if !to.Float() {
			return nil
		}
		switch l.storage {
		case mapping.TypeSmallInt:
			return decimal[int16](to, l.scale)
		case mapping.TypeInteger:
			return decimal[int32](to, l.scale)
		case mapping.TypeBigInt:
			return decimal[int64](to, l.scale)
		}
		div := math.Pow10(int(l.scale))
		return via(to, func(h udf.HugeInt) float64 { return h.Float(true) / div }, nil)
	}
	return nil
}

// same copies where the type in DuckDB is the tensor's own.
func same(l leaf, to DType, other func(DType) converter) converter {
	if l.dtype() != to {
		return other(to)
	}
	switch to.Size() {
	case 1:
		return copied[uint8]
	case 2:
		return copied[uint16]
	case 4:
		return copied[uint32]
	}
	return copied[uint64]
}

// number prints element i for an error.
func (l leaf) number(src unsafe.Pointer, i int) string {
	switch l.kind {
	case mapping.TypeTinyInt:
		return fmt.Sprint(*udf.At[int8](src, i))
	case mapping.TypeSmallInt:
		return fmt.Sprint(*udf.At[int16](src, i))
	case mapping.TypeInteger:
		return fmt.Sprint(*udf.At[int32](src, i))
	case mapping.TypeBigInt:
		return fmt.Sprint(*udf.At[int64](src, i))
	case mapping.TypeUTinyInt:
		return fmt.Sprint(*udf.At[uint8](src, i))
	case mapping.TypeUSmallInt:
		return fmt.Sprint(*udf.At[uint16](src, i))
	case mapping.TypeUInteger:
		return fmt.Sprint(*udf.At[uint32](src, i))
	case mapping.TypeUBigInt:
		return fmt.Sprint(*udf.At[uint64](src, i))
	case mapping.TypeHugeInt, mapping.TypeUHugeInt:
		return udf.At[udf.HugeInt](src, i).Big(l.kind == mapping.TypeHugeInt).String()
	case mapping.TypeFloat:
		return strconv.FormatFloat(float64(*udf.At[float32](src, i)), 'g', -1, 32)
	case mapping.TypeDouble:
		return strconv.FormatFloat(*udf.At[float64](src, i), 'g', -1, 64)
	case mapping.TypeDecimal:
		return pointed(leaf{kind: l.storage}.number(src, i), int(l.scale))
	}
	return "a value"
}

// pointed sets the point of a decimal: the last scale digits stand behind it.
func pointed(digits string, scale int) string {
	if scale == 0 {
		return digits
	}
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	digits = strings.Repeat("0", max(scale+1-len(digits), 0)) + digits
	point := len(digits) - scale
	return sign + digits[:point] + "." + digits[point:]
}

// limits is the range of a type of numbers, for an error.
func (d DType) limits() string {
	switch d {
	case Float16:
		return "-65504 to 65504"
	case BFloat16:
		return "-3.3895314e+38 to 3.3895314e+38"
	case Float32:
		return "-3.4028235e+38 to 3.4028235e+38"
	}
	bits := d.Size() * 8
	if d >= Uint8 {
		return fmt.Sprintf("0 to %d", uint64(math.MaxUint64)>>(64-bits))
	}
	return fmt.Sprintf("%d to %d", int64(math.MinInt64)>>(64-bits), int64(math.MaxInt64)>>(64-bits))
}

// odd32 cuts f down to a float32 and sets the last bit if anything was lost, so that a second rounding to fewer bits
// gives what a single rounding would have given.
func odd32(f float64) uint32 {
	r := float32(f)
	b := math.Float32bits(r)
	if f != f || float64(r) == f {
		return b
	}
	if math.IsInf(float64(r), 0) {
		return b - 1 // the largest finite number, whose last bit is set
	}
	if math.Abs(float64(r)) > math.Abs(f) {
		b-- // towards zero
	}
	return b | 1
}

// bfloat16 rounds to the nearest, ties to even.
func bfloat16(f float64) uint16 {
	b := odd32(f)
	if f != f {
		return uint16(b>>16) | 0x40 // stays a NaN
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// float16 rounds to the nearest, ties to even.
func float16(f float64) uint16 {
	b := odd32(f)
	sign := uint16(b >> 16 & 0x8000)
	exp := int(b>>23&0xff) - 127
	m := b & 0x7fffff
	switch {
	case f != f:
		return sign | 0x7e00
	case exp > 15:
		return sign | 0x7c00
	case exp >= -14:
		h := uint32(exp+15)<<10 | m>>13
		return sign + uint16(roundEven(h, m<<19, 1<<31))
	case exp >= -25:
		m |= 0x800000
		shift := uint(-exp - 1) // 14 for 2^-15
		return sign | uint16(roundEven(m>>shift, m<<(32-shift), 1<<31))
	}
	return sign
}

// roundEven rounds h by the bits that were cut off, left-aligned; half is their middle.
func roundEven(h, rest, half uint32) uint32 {
	if rest > half || rest == half && h&1 == 1 {
		return h + 1
	}
	return h
}

// widen16 turns a float16 into a float32, exactly.
func widen16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp := uint32(h >> 10 & 0x1f)
	m := uint32(h & 0x3ff)
	switch exp {
	case 0: // zero and the subnormal numbers: m times 2^-24
		f := float32(m) * 0x1p-24
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | m<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | m<<13)
}
