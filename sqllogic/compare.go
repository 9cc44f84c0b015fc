package sqllogic

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Tolerances of numbers in an R column, relative and absolute.
const (
	relTolerance = 1e-5
	absTolerance = 1e-8
)

// table is a result, or the expected one, as text.
type table [][]string

// printed gives a value as it stands in a test file.
func printed(s string) string {
	if s == "" {
		return "(empty)"
	}
	return escaper.Replace(s)
}

var escaper = strings.NewReplacer("\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

// wantTable turns expected lines into rows of n columns: tab-separated rows, or one value a line.
func wantTable(lines []string, n int) (table, error) {
	if n == 1 {
		t := make(table, len(lines))
		for i, l := range lines {
			t[i] = []string{l}
		}
		return t, nil
	}
	if len(lines) > 0 && strings.Contains(lines[0], "\t") {
		t := make(table, len(lines))
		for i, l := range lines {
			if t[i] = strings.Split(l, "\t"); len(t[i]) != n {
				return nil, fmt.Errorf("expected line %d has %d values between tabs, the query has %d columns", i+1, len(t[i]), n)
			}
		}
		return t, nil
	}
	if len(lines)%n != 0 {
		return nil, fmt.Errorf("%d expected values do not make whole rows of %d columns; part the columns of a row with tabs", len(lines), n)
	}
	var t table
	for row := range slices.Chunk(lines, n) {
		t = append(t, row)
	}
	return t, nil
}

// sorted applies a sort mode; with valuesort the table becomes one column.
func (t table) sorted(mode string) table {
	switch mode {
	case "rowsort":
		t = slices.Clone(t)
		slices.SortStableFunc(t, slices.Compare[[]string])
	case "valuesort":
		var all []string
		for _, row := range t {
			all = append(all, row...)
		}
		slices.Sort(all)
		t = make(table, len(all))
		for i, v := range all {
			t[i] = []string{v}
		}
	}
	return t
}

// typeOf gives the letter of a column; a value-sorted table has one column of any type.
func typeOf(types, sort string, col int) byte {
	if sort == "valuesort" {
		if strings.Contains(types, "R") {
			return 'R'
		}
		return types[0]
	}
	return types[col]
}

// difference finds the first place where two tables differ, -1 if none.
func difference(want, got table, types, sort string) (row, col int) {
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) {
			return i, 0
		}
		for j := range got[i] {
			if !equalValue(want[i][j], got[i][j], typeOf(types, sort, j)) {
				return i, j
			}
		}
	}
	return -1, -1
}

func equalValue(want, got string, letter byte) bool {
	if want == got {
		return true
	}
	if expr, not, ok := cutRegexp(want); ok {
		re, err := compileRegexp(expr)
		return err == nil && re.MatchString(got) != not
	}
	switch letter {
	case 'R':
		return equalNumbers(want, got)
	case 'I':
		return want == "1" && got == "true" || want == "0" && got == "false"
	}
	return false
}

// equalNumbers compares two texts number by number with a tolerance; what stands between the numbers must be equal.
func equalNumbers(want, got string) bool {
	for want != "" && got != "" {
		w, wn, wok := cutNumber(want)
		g, gn, gok := cutNumber(got)
		switch {
		case wok && gok:
			if !closeTo(w, g) {
				return false
			}
			want, got = want[wn:], got[gn:]
		case wok != gok || want[0] != got[0]:
			return false
		default:
			inWord := wordByte(want[0])
			want, got = want[1:], got[1:]
			// A digit after a letter belongs to a word, not to a number.
			for inWord && want != "" && got != "" && want[0] == got[0] && wordByte(want[0]) {
				want, got = want[1:], got[1:]
			}
		}
	}
	return want == got
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

func closeTo(a, b float64) bool {
	if a == b || math.IsNaN(a) && math.IsNaN(b) {
		return true
	}
	if math.IsInf(a, 0) || math.IsInf(b, 0) {
		return false
	}
	d := math.Abs(a - b)
	return d <= absTolerance || d <= relTolerance*max(math.Abs(a), math.Abs(b))
}

// equalError tells whether an error has the expected text.
func equalError(want, got string) bool {
	want, got = withoutBlankLines(want), withoutBlankLines(got)
	if expr, not, ok := cutRegexp(want); ok {
		re, err := compileRegexp(expr)
		return err == nil && re.MatchString(got) != not
	}
	return strings.Contains(got, want)
}

func withoutBlankLines(s string) string {
	var lines []string
	for l := range strings.Lines(s) {
		if l = strings.TrimRight(l, " \t\r\n"); l != "" {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "\n")
}
