package googlesql

import (
	"math/big"
	"math/bits"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/functions/udf"
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
	if (a < 0) != (b < 0) { // two's complement
		r.Lower, carry = bits.Add64(^r.Lower, 1, 0)
		r.Upper = ^r.Upper + int64(carry)
	}
	return r
}

// times is the product by big integers.
func times[T decimal](a, b T) (T, error) {
	kept, _, _ := scaleOf[T]()
	r, err := exactly[T](new(big.Int).Mul(coefficient(a), coefficient(b)), tenTo(2*kept))
	return worded(r, err, "%s * %s", a, b)
}
