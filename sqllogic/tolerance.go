package sqllogic

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Tolerance is how far a FLOAT or a DOUBLE of an R column may be from the expected number: by Relative of the larger of the two, or by
// Absolute.
type Tolerance struct{ Relative, Absolute float64 }

// defaultTolerance is about 80 roundings of a float32 number, and 8 of one near 1: what models of a few layers differ by from one kind of
// processor to another, where their sums are rounded in another order. The absolute part is for numbers near zero that are sums of larger
// ones.
var defaultTolerance = Tolerance{Relative: 1e-5, Absolute: 1e-6}

// parseTolerance reads `RELATIVE [ABSOLUTE]`.
func parseTolerance(words []string) (Tolerance, bool) {
	var n [2]float64
	for i, w := range words {
		v, err := strconv.ParseFloat(w, 64)
		if err != nil || !(v >= 0) || math.IsInf(v, 0) {
			return Tolerance{}, false
		}
		n[i] = v
	}
	return Tolerance{n[0], n[1]}, true
}

// equal compares an expected text with a value: its floats within the tolerance, all that stands around them exactly.
func (t Tolerance) equal(want string, got value) bool {
	if len(got.floats) == 0 {
		return got.number && sameDecimal(want, got.text)
	}
	from := 0
	for _, f := range got.floats {
		rest, ok := strings.CutPrefix(want, got.text[from:f[0]])
		if !ok {
			return false
		}
		w, n, ok := cutNumber(rest)
		if !ok {
			return false
		}
		g, err := strconv.ParseFloat(got.text[f[0]:f[1]], 64)
		if err != nil || !t.close(w, g) {
			return false
		}
		want, from = rest[n:], f[1]
	}
	return want == got.text[from:]
}

func (t Tolerance) close(a, b float64) bool {
	if a == b || math.IsNaN(a) && math.IsNaN(b) {
		return true
	}
	if math.IsInf(a, 0) || math.IsInf(b, 0) {
		return false
	}
	d := math.Abs(a - b)
	return d <= t.Absolute || d <= t.Relative*max(math.Abs(a), math.Abs(b))
}

// sameDecimal tells whether two texts are one number, such as 1.5 and 1.50.
func sameDecimal(a, b string) bool {
	if strings.Trim(a+b, "-.0123456789") != "" { // no exponent, which could be of any size
		return false
	}
	x, ok := new(big.Rat).SetString(a)
	y, also := new(big.Rat).SetString(b)
	return ok && also && x.Cmp(y) == 0
}

func wordByte(c byte) bool {
	return c == '_' || c >= 0x80 || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// cutNumber reads the number, nan or inf that s begins with.
func cutNumber(s string) (v float64, n int, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	for _, w := range []string{"nan", "infinity", "inf"} {
		if len(s) >= i+len(w) && strings.EqualFold(s[i:i+len(w)], w) && (len(s) == i+len(w) || !wordByte(s[i+len(w)])) {
			v, err := strconv.ParseFloat(s[:i+len(w)], 64)
			return v, i + len(w), err == nil
		}
	}
	digits := func() (n int) {
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
			n++
		}
		return n
	}
	whole := digits()
	if i < len(s) && s[i] == '.' {
		i++
		whole += digits()
	}
	if whole == 0 {
		return 0, 0, false
	}
	if end := i; i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '-' || s[i] == '+') {
			i++
		}
		if digits() == 0 {
			i = end
		}
	}
	v, err := strconv.ParseFloat(s[:i], 64)
	return v, i, err == nil || math.IsInf(v, 0)
}
