package shell

import (
	"strconv"
	"strings"
)

// LargeNumbers says where a duckbox has large numbers in words.
type LargeNumbers int

// The places of large numbers in words. LargeDefault is LargeFooter on a terminal and LargeOff elsewhere, as in DuckDB's shell.
const (
	LargeDefault LargeNumbers = iota
	LargeOff
	LargeFooter // below a result of one row that has nothing else, and in the count of the rows
	LargeAll    // in the place of the numbers
)

// inWords gives a number of a million and more as DuckDB's shell has it, 1.23 million; nothing for others.
func inWords(number string, decimal byte) string {
	digits, sign := number, ""
	if rest, negative := strings.CutPrefix(number, "-"); negative {
		digits, sign = rest, "-"
	}
	digits, _, _ = strings.Cut(digits, ".")
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || len(digits) > 19 {
		return "" // among them 1e+30 and inf
	}
	base, unit := uint64(0), ""
	for i, name := range []string{"million", "billion", "trillion", "quadrillion", "quintillion"} {
		size := uint64(1_000_000)
		for range i {
			size *= 1000
		}
		if n+size/200 >= size {
			base, unit = size, name
		}
	}
	if unit == "" {
		return ""
	}
	hundredths := strconv.FormatUint((n+base/200)/(base/100), 10)
	if decimal == 0 {
		decimal = '.'
	}
	cut := len(hundredths) - 2
	return sign + hundredths[:cut] + string(decimal) + hundredths[cut:] + " " + unit
}

// number gives a number as the format wants it.
func (f Format) number(s string) string {
	if f.Large == LargeAll {
		if w := inWords(s, f.Decimal); w != "" {
			return w
		}
	}
	if f.Thousands == 0 && f.Decimal == 0 {
		return s
	}
	start := 0
	for start < len(s) && s[start] == '-' {
		start++
	}
	whole := start
	for whole < len(s) && '0' <= s[whole] && s[whole] <= '9' {
		whole++
	}
	b := []byte(s[:start])
	for i := start; i < len(s); i++ {
		if f.Thousands != 0 && i > start && i < whole && (whole-i)%3 == 0 {
			b = append(b, f.Thousands)
		}
		if s[i] == '.' && f.Decimal != 0 {
			b = append(b, f.Decimal)
		} else {
			b = append(b, s[i])
		}
	}
	return string(b)
}
