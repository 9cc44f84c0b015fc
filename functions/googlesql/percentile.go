package googlesql

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/big"
)

// percentiles are PERCENTILE_CONT and PERCENTILE_DISC over sorted lists, with the NULLs counted that stand before them, where
// DuckDB's quantiles have no such form: NUMERIC, RESPECT NULLS, fractions that are no constant. Places are exact.
var percentiles = map[string]definition{
	"percentile_cont_double": ternary(func(sorted []float64, nulls int64, p sql.Null[float64]) (sql.Null[float64], error) {
		fraction, err := fractionOf("PERCENTILE_CONT", p, shortFloat, rationalOfDouble)
		if err != nil {
			return sql.Null[float64]{}, err
		}
		low, high, weight, ok := neighbours(sorted, nulls, fraction)
		if !ok {
			return sql.Null[float64]{}, nil
		}
		if weight.Sign() == 0 || low == high {
			return sql.Null[float64]{V: low, Valid: true}, nil
		}
		f, _ := weight.Float64()
		return sql.Null[float64]{V: low*(1-f) + high*f, Valid: true}, nil
	}),
	"percentile_cont_numeric":    ternary(interpolatedDecimal[numeric]),
	"percentile_cont_bignumeric": ternary(interpolatedDecimal[bignumeric]),
	"percentile_place_double": ternary(func(n, nulls int64, p sql.Null[float64]) (sql.Null[int64], error) {
		return placeOf(n, nulls, p, shortFloat, rationalOfDouble)
	}),
	"percentile_place_numeric": ternary(func(n, nulls int64, p sql.Null[numeric]) (sql.Null[int64], error) {
		return placeOf(n, nulls, p, decimalText, rationalOf)
	}),
	"percentile_place_bignumeric": ternary(func(n, nulls int64, p sql.Null[bignumeric]) (sql.Null[int64], error) {
		return placeOf(n, nulls, p, decimalText, rationalOf)
	}),
}

func rationalOfDouble(f float64) *big.Rat {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return big.NewRat(-1, 1) // out of the range, as they are
	}
	return new(big.Rat).SetFloat64(f)
}

func rationalOf[T decimal](x T) *big.Rat {
	kept, _, _ := scaleOf[T]()
	return new(big.Rat).SetFrac(coefficient(x), tenTo(kept))
}

// fractionOf checks the fraction of a percentile.
func fractionOf[T any](name string, p sql.Null[T], text func(T) string, rat func(T) *big.Rat) (*big.Rat, error) {
	if !p.Valid {
		return nil, fmt.Errorf("The second argument to the function %s must not be null", name)
	}
	r := rat(p.V)
	if r.Sign() < 0 || r.Cmp(big.NewRat(1, 1)) > 0 {
		return nil, errors.New("Percentile value must be in the range [0, 1]; was " + text(p.V))
	}
	return r, nil
}

// neighbours gives the two values around the place of a fraction, and the weight of the second; not ok is NULL. A NULL beside a
// value is the value.
func neighbours[T any](sorted []T, nulls int64, fraction *big.Rat) (low, high T, weight *big.Rat, ok bool) {
	n := int64(len(sorted)) + nulls
	if n == 0 {
		return low, high, nil, false
	}
	at := new(big.Rat).Mul(fraction, big.NewRat(n-1, 1))
	whole := new(big.Int).Quo(at.Num(), at.Denom())
	weight = at.Sub(at, new(big.Rat).SetInt(whole))
	first := whole.Int64() - nulls
	second := first
	if weight.Sign() > 0 {
		second++
	}
	if second < 0 {
		return low, high, nil, false
	}
	return sorted[max(first, 0)], sorted[second], weight, true
}

func interpolatedDecimal[T decimal](sorted []T, nulls int64, p sql.Null[T]) (sql.Null[T], error) {
	fraction, err := fractionOf("PERCENTILE_CONT", p, decimalText, rationalOf)
	if err != nil {
		return sql.Null[T]{}, err
	}
	low, high, weight, ok := neighbours(sorted, nulls, fraction)
	if !ok {
		return sql.Null[T]{}, nil
	}
	a, b := rationalOf(low), rationalOf(high)
	b.Sub(b, a).Mul(b, weight).Add(b, a)
	r, err := exactly[T](b.Num(), b.Denom())
	return sql.Null[T]{V: r, Valid: err == nil}, err
}

// placeOf is the place in a list, from 1, of the first value whose part of the values up to it is the fraction.
func placeOf[T any](n, nulls int64, p sql.Null[T], text func(T) string, rat func(T) *big.Rat) (sql.Null[int64], error) {
	fraction, err := fractionOf("PERCENTILE_DISC", p, text, rat)
	if err != nil {
		return sql.Null[int64]{}, err
	}
	at := fraction.Mul(fraction, big.NewRat(n+nulls, 1))
	place := new(big.Int).Add(at.Num(), new(big.Int).Sub(at.Denom(), big.NewInt(1)))
	place.Quo(place, at.Denom())
	index := max(place.Int64(), 1) - nulls
	return sql.Null[int64]{V: index, Valid: index > 0}, nil
}
