package googlesql

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// mostElements is how long an array that GENERATE_ARRAY and its kin make may be, as in BigQuery.
const mostElements = 1<<20 - 1

var (
	errStep     = errors.New("Sequence step cannot be 0.")
	errElements = fmt.Errorf("Cannot generate arrays with more than %d elements.", mostElements)
)

// sequences are the functions that make arrays, and those that find places in them.
var sequences = map[string]definition{
	"generate_array": ternary(func(from, to, step int64) ([]int64, error) {
		if step == 0 {
			return nil, errStep
		}
		if step > 0 && from > to || step < 0 && from < to {
			return []int64{}, nil
		}
		distance := uint64(to) - uint64(from)
		if step < 0 {
			distance = -distance
		}
		n := distance / abs64(step)
		if n >= mostElements {
			return nil, errElements
		}
		all := make([]int64, n+1)
		for i := range all {
			all[i] = from + int64(i)*step
		}
		return all, nil
	}),
	"generate_array_double": ternary(func(from, to, step float64) ([]float64, error) {
		switch {
		case math.IsNaN(from) || math.IsNaN(to) || math.IsNaN(step):
			return nil, errors.New("Sequence start, end, and step cannot be NaN.")
		case step == 0:
			return nil, errStep
		case step > 0 && from > to || step < 0 && from < to:
			return []float64{}, nil
		case (to-from)/step >= mostElements || math.IsInf(from, 0):
			return nil, errElements
		}
		var all []float64
		for i := 0; ; i++ {
			x := from + float64(i)*step
			if step > 0 && x > to || step < 0 && x < to {
				return all, nil
			}
			if all = append(all, x); len(all) > mostElements {
				return nil, errElements
			}
			if math.IsInf(step, 0) {
				return all, nil
			}
		}
	}),
	"generate_array_numeric":    ternary(generateDecimals[numeric]),
	"generate_array_bignumeric": ternary(generateDecimals[bignumeric]),
	"generate_date_array": quaternary(func(from, to date, step, part int64) ([]date, error) {
		if step == 0 {
			return nil, errStep
		}
		all := []date{}
		for d := from; step > 0 && d <= to || step < 0 && d >= to; {
			if all = append(all, d); len(all) > mostElements {
				return nil, errElements
			}
			next, ok := addToDate(d, step, part)
			if !ok {
				break
			}
			d = next
		}
		return all, nil
	}),
	"generate_timestamp_array": quaternary(func(from, to timestamp, step, part int64) ([]timestamp, error) {
		if step == 0 {
			return nil, errStep
		}
		all := []timestamp{}
		for t := from; step > 0 && t <= to || step < 0 && t >= to; {
			if all = append(all, t); len(all) > mostElements {
				return nil, errElements
			}
			next, ok := addToMicros(int64(t), step, part)
			if !ok {
				break
			}
			t = timestamp(next)
		}
		return all, nil
	}),

	"array_to_string":      binary(func(all []sql.Null[string], by string) (string, error) { return join(all, by, nil), nil }),
	"array_to_string_null": ternary(func(all []sql.Null[string], by, null string) (string, error) { return join(all, by, &null), nil }),
	"array_to_bytes":       binary(func(all []sql.Null[[]byte], by []byte) ([]byte, error) { return joinBytes(all, by, nil), nil }),
	"array_to_bytes_null":  ternary(func(all []sql.Null[[]byte], by, null []byte) ([]byte, error) { return joinBytes(all, by, &null), nil }),

	"doubles_distinct": unary(func(all []sql.Null[float64]) (bool, error) {
		seen, nan, null := map[float64]bool{}, 0, 0
		for _, x := range all {
			switch {
			case !x.Valid:
				null++
			case math.IsNaN(x.V):
				nan++
			default:
				seen[x.V] = true
			}
		}
		return nan <= 1 && null <= 1 && len(seen)+nan+null == len(all), nil
	}),

	// Places in DuckDB's lists count from 1.
	"array_offset": binary(func(i, n int64) (int64, error) {
		if i < 0 || i >= n {
			return 0, fmt.Errorf("Array index %d is out of bounds", i)
		}
		return i + 1, nil
	}),
	"array_ordinal": binary(func(i, n int64) (int64, error) {
		if i < 1 || i > n {
			return 0, fmt.Errorf("Array index %d is out of bounds", i)
		}
		return i, nil
	}),
	"safe_array_offset": binary(func(i, n int64) (sql.Null[int64], error) {
		return sql.Null[int64]{V: i + 1, Valid: i >= 0 && i < n}, nil
	}),
	"safe_array_ordinal": binary(func(i, n int64) (sql.Null[int64], error) { return sql.Null[int64]{V: i, Valid: i >= 1 && i <= n}, nil }),
	"array_first": unary(func(n int64) (int64, error) {
		if n == 0 {
			return 0, errors.New("ARRAY_FIRST cannot get the first element of an empty array")
		}
		return 1, nil
	}),
	"array_last": unary(func(n int64) (int64, error) {
		if n == 0 {
			return 0, errors.New("ARRAY_LAST cannot get the last element of an empty array")
		}
		return n, nil
	}),
	"slice_first": binary(func(i, n int64) (int64, error) {
		if i < 0 {
			i = max(i+n, 0)
		}
		return min(i, n) + 1, nil
	}),
	"slice_last": binary(func(i, n int64) (int64, error) {
		if i < 0 {
			i += n
		}
		return max(min(i, n-1)+1, 0), nil
	}),
}

func generateDecimals[T decimal](from, to, step T) ([]T, error) {
	by := coefficient(step)
	switch c := coefficient(from).Cmp(coefficient(to)); {
	case by.Sign() == 0:
		return nil, errStep
	case c*by.Sign() > 0:
		return []T{}, nil
	}
	n := new(big.Int).Sub(coefficient(to), coefficient(from))
	if n.Quo(n, by); n.Cmp(big.NewInt(mostElements)) >= 0 {
		return nil, errElements
	}
	all := make([]T, n.Int64()+1)
	for i := range all {
		x := new(big.Int).Mul(by, big.NewInt(int64(i)))
		all[i] = T{x.Add(x, coefficient(from))}
	}
	return all, nil
}

// join leaves NULLs out, or writes null for them.
func join(all []sql.Null[string], by string, null *string) string {
	return strings.Join(present(all, null), by)
}

func joinBytes(all []sql.Null[[]byte], by []byte, null *[]byte) []byte {
	return bytes.Join(present(all, null), by)
}

// present gives the values without NULLs, or with null for them.
func present[T any](all []sql.Null[T], null *T) []T {
	var parts []T
	for _, s := range all {
		switch {
		case s.Valid:
			parts = append(parts, s.V)
		case null != nil:
			parts = append(parts, *null)
		}
	}
	return parts
}
