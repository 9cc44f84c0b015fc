package sqllogic

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/duckfmt"
)

// table is a result, or the expected one.
type table [][]value

// value is one value as it stands in a test file. An expected one has the text alone.
type value struct {
	text string
	// hashed is the text as it goes into a hash: tabs and line ends as they are, booleans as 1 and 0.
	hashed string
	// floats are the places of FLOATs and DOUBLEs in text, from and to, in their order.
	floats [][2]int
	// number tells that the column is of another type of numbers.
	number bool
}

func (v value) compare(w value) int { return strings.Compare(v.text, w.text) }

// texts makes a row of expected values.
func texts(words []string) []value {
	row := make([]value, len(words))
	for i, w := range words {
		row[i].text = w
	}
	return row
}

// joined gives a row as one text.
func joined(row []value, sep string) string {
	words := make([]string, len(row))
	for i, v := range row {
		words[i] = v.text
	}
	return strings.Join(words, sep)
}

// printer writes values of columns as they stand in a test file.
type printer struct {
	buf    []byte
	floats [][2]int
}

func (p *printer) value(v any, t *duckfmt.Type) value {
	p.floats = p.floats[:0]
	p.buf = duckfmt.Format{Floats: &p.floats}.AppendText(p.buf[:0], v, t)
	raw := string(p.buf)
	out := value{text: raw, hashed: raw, number: t.Numeric()}
	if b, ok := v.(bool); ok {
		out.hashed = "0"
		if b {
			out.hashed = "1"
		}
	}
	if raw == "" {
		out.text, out.hashed = "(empty)", "(empty)"
		return out
	}
	if !strings.ContainsAny(raw, "\t\n\r\x00") {
		out.floats = slices.Clone(p.floats)
		return out
	}
	out.hashed = strings.ReplaceAll(raw, "\x00", `\0`)
	var b strings.Builder // the places move by what is escaped before them
	from := 0
	for _, f := range p.floats {
		b.WriteString(escaper.Replace(raw[from:f[0]]))
		at := b.Len()
		b.WriteString(raw[f[0]:f[1]])
		out.floats = append(out.floats, [2]int{at, b.Len()})
		from = f[1]
	}
	b.WriteString(escaper.Replace(raw[from:]))
	out.text = b.String()
	return out
}

var escaper = strings.NewReplacer("\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

// wantTable turns expected lines into rows of n columns: tab-separated rows, or one value a line.
func wantTable(lines []string, n int) (table, error) {
	if n == 1 {
		t := make(table, len(lines))
		for i, l := range lines {
			t[i] = texts([]string{l})
		}
		return t, nil
	}
	if len(lines) > 0 && strings.Contains(lines[0], "\t") {
		t := make(table, len(lines))
		for i, l := range lines {
			if t[i] = texts(strings.Split(l, "\t")); len(t[i]) != n {
				return nil, fmt.Errorf("expected line %d has %s between tabs, the query has %s", i+1, amount.Of(len(t[i]), "value"),
					amount.Of(n, "column"))
			}
		}
		return t, nil
	}
	if len(lines)%n != 0 {
		return nil, fmt.Errorf("%s cannot make whole rows of %s; part the columns of a row with tabs", amount.Of(len(lines), "expected value"),
			amount.Of(n, "column"))
	}
	var t table
	for row := range slices.Chunk(lines, n) {
		t = append(t, texts(row))
	}
	return t, nil
}

// sorted applies a sort mode; with valuesort the table becomes one column.
func (t table) sorted(mode string) table {
	switch mode {
	case "rowsort":
		t = slices.Clone(t)
		slices.SortStableFunc(t, func(a, b []value) int { return slices.CompareFunc(a, b, value.compare) })
	case "valuesort":
		all := slices.Concat(t...)
		slices.SortStableFunc(all, value.compare)
		t = make(table, len(all))
		for i, v := range all {
			t[i] = []value{v}
		}
	}
	return t
}

// comparison says how the values of a query are compared.
type comparison struct {
	types, sort string
	tolerance   Tolerance
}

// letter gives the letter of a column; a value-sorted table has one column of any type.
func (c comparison) letter(col int) byte {
	if c.sort == "valuesort" {
		if strings.Contains(c.types, "R") {
			return 'R'
		}
		return c.types[0]
	}
	return c.types[col]
}

// difference finds the first place where two tables differ, -1 if none.
func (c comparison) difference(want, got table) (row, col int) {
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) {
			return i, 0
		}
		if j := c.differentColumn(want[i], got[i]); j >= 0 {
			return i, j
		}
	}
	return -1, -1
}

func (c comparison) differentColumn(want, got []value) int {
	for j := range got {
		if !c.equal(want[j].text, got[j], c.letter(j)) {
			return j
		}
	}
	return -1
}

// aligned puts the rows of a sorted result beside the expected ones that they equal. Rows are sorted by their text, and floats that differ
// within the tolerance may stand in another order: 9.9999e-05 is behind 0.0001 as a text.
func (c comparison) aligned(want, got table) table {
	if c.sort == "nosort" || len(want) != len(got) || !strings.Contains(c.types, "R") || len(got) > maxAligned {
		return got
	}
	if row, _ := c.difference(want, got); row < 0 {
		return got
	}
	rest := slices.Clone(got)
	out := make(table, len(got))
	for i, w := range want {
		j := slices.IndexFunc(rest, func(g []value) bool { return c.differentColumn(w, g) < 0 })
		if j < 0 {
			return got // as it is sorted, which shows best what differs
		}
		out[i] = rest[j]
		rest = slices.Delete(rest, j, j+1)
	}
	return out
}

// maxAligned bounds the rows that are compared each with each.
const maxAligned = 2000

func (c comparison) equal(want string, got value, letter byte) bool {
	if want == got.text {
		return true
	}
	if expr, not, ok := cutRegexp(want); ok {
		re, err := compileRegexp(expr)
		return err == nil && re.MatchString(got.text) != not
	}
	switch letter {
	case 'R':
		return c.tolerance.equal(want, got)
	case 'I':
		return want == "1" && got.text == "true" || want == "0" && got.text == "false"
	}
	return false
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
