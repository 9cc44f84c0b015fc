package googlesql

import (
	"math/big"
	"math/bits"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// multiplyNumeric multiplies NUMERICs. Coefficients of at most 63 bits, numbers up to some nine thousand million, are multiplied
// without a big integer.
func multiplyNumeric(exactly func(a, b numeric) (numeric, error)) definition {
	d := binary(exactly)
	d.bind = bound(func(chunk mapping.DataChunk, out mapping.Vector) error {
		left, right := udf.Read(mapping.DataChunkGetVector(chunk, 0)), udf.Read(mapping.DataChunkGetVector(chunk, 1))
		results := mapping.VectorGetData(out)
		for i := range int(mapping.DataChunkGetSize(chunk)) {
			if left.Null(i) || right.Null(i) {
				udf.SetNull(out, i)
				continue
			}
			a, b, r := *udf.At[udf.HugeInt](left.Data, i), *udf.At[udf.HugeInt](right.Data, i), udf.At[udf.HugeInt](results, i)
			if a.Upper == int64(a.Lower)>>63 && b.Upper == int64(b.Lower)>>63 {
				*r = timesSmall(int64(a.Lower), int64(b.Lower))
				continue
			}
			n, err := exactly(numeric{a.Big(true)}, numeric{b.Big(true)})
			if err != nil {
				return err
			}
			*r = udf.HugeOf(n.Int)
		}
		return nil
	})
	return d
}

// timesSmall is a * b / 10^9, halves away from zero.
func timesSmall(a, b int64) udf.HugeInt {
	const unit = 1000000000
	high, low := bits.Mul64(abs64(a), abs64(b)) // less than 2^126
	var carry uint64
	low, carry = bits.Add64(low, unit/2, 0)
	high += carry
	upper, rest := high/unit, high%unit
	lower, _ := bits.Div64(rest, low, unit)
	r := udf.HugeInt{Lower: lower, Upper: int64(upper)}
	if (a < 0) != (b < 0) {
		return negated(r)
	}
	return r
}

// times is the product by big integers.
func times[T decimal](a, b T) (T, error) {
	kept, _, _ := scaleOf[T]()
	r, err := exactly[T](new(big.Int).Mul(coefficient(a), coefficient(b)), tenTo(2*kept))
	return worded(r, err, "%s * %s", a, b)
}

// meanNumeric divides a sum by a number of values, halves away from zero.
func meanNumeric() definition {
	d := binary(func(numeric, int64) (numeric, error) { return numeric{}, nil })
	d.bind = bound(func(chunk mapping.DataChunk, out mapping.Vector) error {
		sum, count := udf.Read(mapping.DataChunkGetVector(chunk, 0)), udf.Read(mapping.DataChunkGetVector(chunk, 1))
		results := mapping.VectorGetData(out)
		for i := range int(mapping.DataChunkGetSize(chunk)) {
			if sum.Null(i) || count.Null(i) || *udf.At[int64](count.Data, i) <= 0 {
				udf.SetNull(out, i)
				continue
			}
			*udf.At[udf.HugeInt](results, i) = mean(*udf.At[udf.HugeInt](sum.Data, i), uint64(*udf.At[int64](count.Data, i)))
		}
		return nil
	})
	return d
}

// mean is sum / n, halves away from zero.
func mean(sum udf.HugeInt, n uint64) udf.HugeInt {
	negative := sum.Upper < 0
	if negative {
		sum = negated(sum)
	}
	high, rest := uint64(sum.Upper)/n, uint64(sum.Upper)%n
	low, rest := bits.Div64(rest, sum.Lower, n)
	if rest >= n-rest {
		var carry uint64
		low, carry = bits.Add64(low, 1, 0)
		high += carry
	}
	r := udf.HugeInt{Lower: low, Upper: int64(high)}
	if negative {
		return negated(r)
	}
	return r
}

// negated is -x in two's complement.
func negated(x udf.HugeInt) udf.HugeInt {
	lower, carry := bits.Add64(^x.Lower, 1, 0)
	return udf.HugeInt{Lower: lower, Upper: ^x.Upper + int64(carry)}
}
