// Package amount words how many and how much: `1 row`, `1,200 rows`, `12 retries`, a cost of 0.000012. Messages of all packages
// count with it.
package amount

import (
	"math"
	"strconv"
	"strings"
)

// Of gives a number with its noun, which is given in the singular.
func Of[N ~int | ~int32 | ~int64](n N, noun string) string {
	if n != 1 {
		noun = plural(noun)
	}
	return Grouped(n) + " " + noun
}

func plural(noun string) string {
	if stem, ok := strings.CutSuffix(noun, "y"); ok && stem != "" && !strings.ContainsAny(stem[len(stem)-1:], "aeiou") {
		return stem + "ies"
	}
	for _, end := range []string{"s", "x", "ch", "sh"} {
		if strings.HasSuffix(noun, end) {
			return noun + "es"
		}
	}
	return noun + "s"
}

// Grouped writes 10,000.
func Grouped[N ~int | ~int32 | ~int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Money writes a sum with four decimals, or with as many more as its first two digits need: no sum but none is 0.0000.
func Money(sum float64) string {
	decimals := 4
	if abs := math.Abs(sum); abs > 0 && abs < 0.001 {
		decimals = min(18, 1-int(math.Floor(math.Log10(abs))))
	}
	return strconv.FormatFloat(sum, 'f', decimals, 64)
}
