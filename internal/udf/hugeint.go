package udf

import "math/big"

// HugeInt is DuckDB's 128-bit integer, signed or not by its type.
type HugeInt struct {
	Lower uint64
	Upper int64
}

// HugeOf is v modulo 2^128, in two's complement.
func HugeOf(v *big.Int) HugeInt {
	lower := new(big.Int).And(v, new(big.Int).SetUint64(^uint64(0))).Uint64()
	upper := new(big.Int).Rsh(v, 64)
	return HugeInt{lower, int64(upper.And(upper, new(big.Int).SetUint64(^uint64(0))).Uint64())}
}

// Big is the value of a HUGEINT (signed) or UHUGEINT.
func (h HugeInt) Big(signed bool) *big.Int {
	v := new(big.Int)
	if signed {
		v.SetInt64(h.Upper)
	} else {
		v.SetUint64(uint64(h.Upper))
	}
	return v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(h.Lower))
}

// Float is the nearest value, or one beside it, in float64.
func (h HugeInt) Float(signed bool) float64 {
	if !signed {
		return float64(uint64(h.Upper))*0x1p64 + float64(h.Lower)
	}
	if h.Upper == -1 { // small negative numbers would lose their digits in the sum below
		if h.Lower == 0 {
			return -0x1p64
		}
		return -float64(-h.Lower)
	}
	return float64(h.Upper)*0x1p64 + float64(h.Lower)
}
