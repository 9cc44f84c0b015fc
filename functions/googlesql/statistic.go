package googlesql

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// statistics are the parts of aggregate functions that DuckDB has not: over lists, or over what its own functions gave.
var statistics = merge(decimalStatistics[numeric]("numeric"), decimalStatistics[bignumeric]("bignumeric"), map[string]definition{
	// double_sum takes the sum, whether all values are finite, and a sum of the values divided by 2^64.
	"double_sum": ternary(func(sum float64, finite bool, small float64) (float64, error) {
		if finite && (math.IsInf(sum, 0) || math.IsNaN(sum)) {
			if sum = small * 0x1p64; math.IsInf(sum, 0) || math.IsNaN(sum) {
				return 0, errors.New("double overflow")
			}
		}
		return sum, nil
	}),
	"separator_string": unary(separator[string]),
	"separator_bytes":  unary(separator[[]byte]),
	"approx_number": binary(func(n sql.Null[int64], function string) (int64, error) {
		switch {
		case !n.Valid:
			return 0, fmt.Errorf("The second argument to %s function must not be NULL", function)
		case n.V <= 0:
			return 0, fmt.Errorf("The second argument to %s function must be positive", function)
		case n.V > 100000:
			return 0, fmt.Errorf("The second argument to %s function cannot be greater than 100000", function)
		}
		return n.V, nil
	}),
	"top_places_int64":  ternary(topPlaces(addInt64, cmp.Compare[int64], func(x int64) string { return fmt.Sprint(x) })),
	"top_sums_int64":    ternary(topSums(addInt64, cmp.Compare[int64], func(x int64) string { return fmt.Sprint(x) })),
	"top_places_double": ternary(topPlaces(addDouble, compareDoubles, shortFloat)),
	"top_sums_double":   ternary(topSums(addDouble, compareDoubles, shortFloat)),
})

func separator[T any](by sql.Null[T]) (T, error) {
	if !by.Valid {
		return by.V, errors.New("Illegal NULL separator in STRING_AGG")
	}
	return by.V, nil
}

func decimalStatistics[T decimal](name string) map[string]definition {
	add := func(a, b T) (T, error) {
		r := T{new(big.Int).Add(coefficient(a), coefficient(b))}
		if !fits(coefficient(r)) {
			return worded(r, errOverflow, "%s + %s", a, b)
		}
		return r, nil
	}
	compare := func(a, b T) int { return coefficient(a).Cmp(coefficient(b)) }
	return map[string]definition{
		"top_places_" + name:  ternary(topPlaces(add, compare, decimalText[T])),
		"top_sums_" + name:    ternary(topSums(add, compare, decimalText[T])),
		"var_pop_" + name:     unary(func(x []T) (sql.Null[float64], error) { return covariance(x, x, 0), nil }),
		"var_samp_" + name:    unary(func(x []T) (sql.Null[float64], error) { return covariance(x, x, 1), nil }),
		"stddev_pop_" + name:  unary(func(x []T) (sql.Null[float64], error) { return root(covariance(x, x, 0)), nil }),
		"stddev_samp_" + name: unary(func(x []T) (sql.Null[float64], error) { return root(covariance(x, x, 1)), nil }),
		"covar_pop_" + name:   binary(func(y, x []T) (sql.Null[float64], error) { return covariance(y, x, 0), nil }),
		"covar_samp_" + name:  binary(func(y, x []T) (sql.Null[float64], error) { return covariance(y, x, 1), nil }),
		"corr_" + name: binary(func(y, x []T) (sql.Null[float64], error) {
			if len(x) < 2 {
				return sql.Null[float64]{}, nil
			}
			both, first, second := covariance(y, x, 0), root(covariance(y, y, 0)), root(covariance(x, x, 0))
			return sql.Null[float64]{V: both.V / first.V / second.V, Valid: true}, nil
		}),
	}
}

// covariance computes with whole numbers; NULL when there are no more values than less of the divisor.
func covariance[T decimal](y, x []T, less int64) sql.Null[float64] {
	n := int64(len(x))
	if n <= less {
		return sql.Null[float64]{}
	}
	products, ys, xs, p := new(big.Int), new(big.Int), new(big.Int), new(big.Int)
	for i := range x {
		products.Add(products, p.Mul(coefficient(y[i]), coefficient(x[i])))
		ys.Add(ys, coefficient(y[i]))
		xs.Add(xs, coefficient(x[i]))
	}
	products.Mul(products, big.NewInt(n)).Sub(products, ys.Mul(ys, xs))
	kept, _, _ := scaleOf[T]()
	den := new(big.Int).Mul(big.NewInt(n), big.NewInt(n-less))
	den.Mul(den, tenTo(2*kept))
	f, _ := new(big.Rat).SetFrac(products, den).Float64()
	return sql.Null[float64]{V: f, Valid: true}
}

func root(x sql.Null[float64]) sql.Null[float64] {
	x.V = math.Sqrt(x.V)
	return x
}

func addInt64(a, b int64) (int64, error) {
	if c := a + b; (c > a) == (b > 0) {
		return c, nil
	}
	return 0, fmt.Errorf("int64 overflow: %d + %d", a, b)
}

func addDouble(a, b float64) (float64, error) {
	if r := a + b; finite(r) || !finite(a) || !finite(b) {
		return r, nil
	}
	return 0, fmt.Errorf("double overflow: %s + %s", shortFloat(a), shortFloat(b))
}

// compareDoubles puts NaN with the negative numbers, which have no place here.
func compareDoubles(a, b float64) int { return cmp.Compare(a, b) }

// top is a value and the sum of its weights, NULL when it has none.
type top[T any] struct {
	place int64 // of its first row, from 1
	sum   sql.Null[T]
}

// tops adds the weights of equal keys, and gives the most heavy ones.
func tops[T any](keys []sql.Null[string], weights []sql.Null[T], n int64, add func(a, b T) (T, error), compare func(a, b T) int,
	text func(T) string) ([]top[T], error) {
	var zero T
	if _, ok := any(zero).(numeric); ok {
		zero = any(numeric{new(big.Int)}).(T)
	} else if _, ok := any(zero).(bignumeric); ok {
		zero = any(bignumeric{new(big.Int)}).(T)
	}
	places := map[sql.Null[string]]int{}
	var all []top[T]
	for i, key := range keys {
		at, ok := places[key]
		if !ok {
			at = len(all)
			places[key] = at
			all = append(all, top[T]{place: int64(i + 1)})
		}
		w := weights[i]
		if !w.Valid {
			continue
		}
		if f, ok := any(w.V).(float64); compare(w.V, zero) < 0 || ok && math.IsNaN(f) {
			return nil, fmt.Errorf("APPROX_TOP_SUM does not support negative or NaN weights in the second argument; got %s", text(w.V))
		}
		if !all[at].sum.Valid {
			all[at].sum = w
			continue
		}
		sum, err := add(all[at].sum.V, w.V)
		if err != nil {
			return nil, err
		}
		all[at].sum.V = sum
	}
	slices.SortStableFunc(all, func(a, b top[T]) int {
		switch {
		case a.sum.Valid && b.sum.Valid:
			return compare(b.sum.V, a.sum.V)
		case a.sum.Valid:
			return -1
		case b.sum.Valid:
			return 1
		}
		return 0
	})
	return all[:min(len(all), int(n))], nil
}

func topPlaces[T any](add func(a, b T) (T, error), compare func(a, b T) int, text func(T) string) func([]sql.Null[string], []sql.Null[T],
	int64) ([]int64, error) {
	return func(keys []sql.Null[string], weights []sql.Null[T], n int64) ([]int64, error) {
		all, err := tops(keys, weights, n, add, compare, text)
		places := make([]int64, len(all))
		for i, t := range all {
			places[i] = t.place
		}
		return places, err
	}
}

func topSums[T any](add func(a, b T) (T, error), compare func(a, b T) int, text func(T) string) func([]sql.Null[string], []sql.Null[T],
	int64) ([]sql.Null[T], error) {
	return func(keys []sql.Null[string], weights []sql.Null[T], n int64) ([]sql.Null[T], error) {
		all, err := tops(keys, weights, n, add, compare, text)
		sums := make([]sql.Null[T], len(all))
		for i, t := range all {
			sums[i] = t.sum
		}
		return sums, err
	}
}
