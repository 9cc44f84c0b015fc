package objecttable

import (
	"errors"
	"math"
	"math/big"
	"strings"
)

var (
	errZero   = errors.New("the cosine distance of a zero vector is not defined: leave such rows out")
	errBeyond = errors.New("the distance is beyond FLOAT64, whose largest number is 1.7976931348623157e+308: scale the vectors")
)

// A sum of squares between these is as exact as it can be: nothing has overflowed, and what has underflowed counts for
// nothing beside it. Others are summed again, scaled.
const smallest, largest = 0x1p-900, 0x1p+900

// metric is a kind of distance of two vectors of one length. A distance of finite vectors that FLOAT64 does not have is an
// error; infinity and NaN in a vector go the way of IEEE 754.
type metric func(x, y []float64) (float64, error)

// metricNamed finds what ML.DISTANCE and VECTOR_SEARCH call by that name; nil for another.
func metricNamed(name string) metric {
	switch strings.ToUpper(name) {
	case "EUCLIDEAN":
		return euclidean
	case "MANHATTAN":
		return manhattan
	case "COSINE":
		return cosine
	case "DOT_PRODUCT":
		return product
	}
	return nil
}

func euclidean(x, y []float64) (float64, error) {
	var a, b float64 // two sums: neither waits for the other
	n := len(x) &^ 1
	y = y[:len(x)]
	for i := 0; i < n; i += 2 {
		d, e := x[i]-y[i], x[i+1]-y[i+1]
		a += d * d
		b += e * e
	}
	if n < len(x) {
		a += (x[n] - y[n]) * (x[n] - y[n])
	}
	sum := a + b
	if sum > smallest && sum < largest || sum == 0 && same(x, y) || !finite(x, y) {
		return math.Sqrt(sum), nil
	}
	half := 1.0
	if max(magnitude(x), magnitude(y)) > math.MaxFloat64/2 {
		half = 0.5 // or a difference might be infinite
	}
	most := 0.0
	for i, v := range x {
		most = max(most, math.Abs(v*half-y[i]*half))
	}
	_, exp := math.Frexp(most)
	sum = 0
	for i, v := range x {
		d := math.Ldexp(v*half-y[i]*half, -exp)
		sum += d * d
	}
	return within(math.Ldexp(math.Sqrt(sum), exp) / half)
}

func manhattan(x, y []float64) (float64, error) {
	var sum float64
	for i, v := range x {
		sum += math.Abs(v - y[i])
	}
	if math.IsInf(sum, 0) && finite(x, y) {
		return 0, errBeyond
	}
	return sum, nil
}

func cosine(x, y []float64) (float64, error) {
	dot, xx, yy := moments(x, y)
	if !(xx > smallest && xx < largest && yy > smallest && yy < largest) && finite(x, y) {
		x, y = scaled(x), scaled(y)
		if x == nil || y == nil {
			return 0, errZero
		}
		dot, xx, yy = moments(x, y)
	}
	// Rounding makes equal directions differ by less than nothing.
	return max(1-dot/(math.Sqrt(xx)*math.Sqrt(yy)), 0), nil
}

// moments sums products and squares.
func moments(x, y []float64) (xy, xx, yy float64) {
	var dot, dot2, x2, x3, y2, y3 float64
	n := len(x) &^ 1
	y = y[:len(x)]
	for i := 0; i < n; i += 2 {
		a, b, c, d := x[i], y[i], x[i+1], y[i+1]
		dot += a * b
		x2 += a * a
		y2 += b * b
		dot2 += c * d
		x3 += c * c
		y3 += d * d
	}
	if n < len(x) {
		a, b := x[n], y[n]
		dot += a * b
		x2 += a * a
		y2 += b * b
	}
	return dot + dot2, x2 + x3, y2 + y3
}

// product is the negated dot product: near is small.
func product(x, y []float64) (float64, error) {
	var sum float64
	for i, v := range x {
		sum += v * y[i]
	}
	inside := func(v float64) bool { return v > smallest && v < largest }
	if inside(math.Abs(sum)) || !finite(x, y) || inside(magnitude(x)*magnitude(y)) {
		return 0 - sum, nil // never -0
	}
	// Terms that cancel each other may have overflowed, so the sum is taken as if there were no limits.
	const bits = 4500 // of all numbers from the smallest square to many times the largest
	exact, term, a, b := new(big.Float).SetPrec(bits), new(big.Float).SetPrec(bits), new(big.Float), new(big.Float)
	for i, v := range x {
		exact.Add(exact, term.Mul(a.SetFloat64(v), b.SetFloat64(y[i])))
	}
	sum, _ = exact.Float64()
	return within(0 - sum)
}

// scaled multiplies a vector by a power of two that brings its largest number near to 1; nil for a zero vector.
func scaled(x []float64) []float64 {
	m := magnitude(x)
	if m == 0 {
		return nil
	}
	_, exp := math.Frexp(m)
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Ldexp(v, -exp)
	}
	return out
}

func magnitude(x []float64) (m float64) {
	for _, v := range x {
		m = max(m, math.Abs(v))
	}
	return m
}

func within(d float64) (float64, error) {
	if math.IsInf(d, 0) {
		return 0, errBeyond
	}
	return d, nil
}

func finite(vectors ...[]float64) bool {
	for _, x := range vectors {
		for _, v := range x {
			if math.IsInf(v, 0) || v != v {
				return false
			}
		}
	}
	return true
}

func same(x, y []float64) bool {
	for i, v := range x {
		if v != y[i] {
			return false
		}
	}
	return true
}
