package shell

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/duckfmt"
)

// measure gives which columns are shown and how wide, so that the foot fits below them if it must.
func (p *boxPrinter) measure(t *table, f *foot) (shown, widths []int) {
	n := len(t.names)
	full, body := make([]int, n), make([]int, n)
	for _, rows := range [][][]cell{t.head, t.tail} {
		for _, cells := range rows {
			for i, c := range cells {
				w := width(c.text)
				if c.long != "" && strings.ContainsAny(c.long, "\n\r") {
					w = min(w, max(minColumn, span(oneLineBut(c.long))))
				}
				body[i] = max(body[i], w)
			}
		}
	}
	total := 1
	for i := range n {
		full[i] = body[i]
		if !p.f.NoHeader {
			full[i] = max(full[i], width(t.names[i]))
			if t.types != nil {
				full[i] = max(full[i], width(t.types[i]))
			}
		}
		if t.words != nil {
			full[i] = max(full[i], width(t.words[i]))
		}
		total += full[i] + 3
	}
	if f.must && total < f.width && !p.f.NoHeader {
		full[0] += f.width - total
	}
	return p.fit(full, body, t.rigid, p.first(t))
}

// first gives the columns that are shown before others, nil where it does not matter.
func (p *boxPrinter) first(t *table) []int {
	if p.lead == nil || !p.terminal || p.f.Upright {
		return nil
	}
	return p.lead(t.names)
}

// turn makes rows of the columns.
func (t *table) turn(rows int64) {
	cols := len(t.names)
	turned := &table{names: []string{"Column", "Type"}, right: make([]bool, 2), rigid: []bool{true, true}}
	for i := range cols {
		turned.head = append(turned.head, []cell{{text: t.names[i]}, {text: t.types[i]}})
	}
	add := func(list [][]cell, first int64) {
		for k, cells := range list {
			turned.names = append(turned.names, "Row "+strconv.FormatInt(first+int64(k)+1, 10))
			turned.right, turned.rigid = append(turned.right, true), append(turned.rigid, false)
			for i, c := range cells {
				turned.head[i] = append(turned.head[i], c)
			}
		}
	}
	add(t.head, 0)
	add(t.tail, rows-int64(len(t.tail)))
	*t = *turned
}

// upright draws a single row that is too wide with a line for each column, so that none is left out: an estimate, one model's answer.
func (p *boxPrinter) upright(t *table) error {
	columns := len(t.names)
	titles := []string{"column", "type", "value"}
	w := []int{width(titles[0]), width(titles[1]), width(titles[2])}
	values := t.head[0]
	for i, c := range values {
		if p.cols[i].typ.Name == "JSON" && !c.null {
			values[i].long = string(laidOut([]byte(c.long), ""))
		}
		w[0], w[1], w[2] = max(w[0], width(t.names[i])), max(w[1], width(t.types[i])), max(w[2], width(c.text))
	}
	w[0], w[1] = min(w[0], p.maxWidth/3), min(w[1], maxTypeWidth)
	w[2] = max(width(titles[2]), min(w[2], p.maxWidth-10-w[0]-w[1]))
	b := &boxDrawer{style: p.style, shown: []int{0, 1, 2}, widths: w}
	b.rule("┌", "┬", "┐")
	b.row(func(i int) piece { return piece{titles[i], center, bold} })
	b.rule("├", "┼", "┤")
	rows := &table{names: titles, right: make([]bool, 3)}
	for i, c := range values {
		p.drawRow(b, rows, []cell{{text: t.names[i]}, {text: t.types[i], null: true}, c}, maxLines)
	}
	b.rule("└", "┴", "┘")
	b.WriteString(b.style.in(gray, "  1 row, "+amount.Of(columns, "column")) + "\n")
	p.buf = append(p.buf, b.String()...)
	return p.flush()
}

// fit chooses the columns to show and their widths; -1 stands for the … column. When a table is too wide, first its wide columns are cut,
// down to minColumn or to a number's or time's own width in body, then columns are left out of its middle, or behind those that are shown
// first, and what room is left over goes back to the cut ones.
func (p *boxPrinter) fit(full, body []int, rigid []bool, first []int) (shown, widths []int) {
	for i := range full {
		shown = append(shown, i)
	}
	if p.maxWidth <= 0 {
		return shown, full
	}
	room := func(n int) int { return p.maxWidth - 1 - 3*n }
	// A cut text is still worth something, a cut number is not.
	at := func(i, limit int) int {
		if body[i] <= maxRigid && rigid[i] {
			limit = max(limit, body[i])
		}
		return min(full[i], limit, room(1))
	}
	least := func(cols []int) (sum int) {
		for _, i := range cols {
			sum += at(i, minColumn)
		}
		return sum
	}
	n := len(full)
	switch {
	case least(shown) <= room(n):
	case first != nil:
		shown = nil
		for _, i := range first {
			if try := append(slices.Clone(shown), i); len(shown) > 0 && least(try)+1 > room(len(try)+1) {
				break
			}
			shown = append(shown, i)
		}
		shown = append(shown, -1)
	default:
		// Columns are taken from both ends in turn until no more fit beside the … column.
		var left, right []int
		for l, r := 0, n-1; l <= r; {
			takeLeft := len(left) <= len(right)
			next := r
			if takeLeft {
				next = l
			}
			try := append(append(append([]int{}, left...), right...), next)
			if len(left) > 0 && least(try)+1 > room(len(try)+1) {
				break
			}
			if takeLeft {
				left = append(left, l)
				l++
			} else {
				right = append([]int{r}, right...)
				r--
			}
		}
		shown = append(append(append([]int{}, left...), -1), right...)
	}
	// The widest cut that fits.
	sum := func(limit int) (sum int) {
		for _, i := range shown {
			if i < 0 {
				sum++
			} else {
				sum += at(i, limit)
			}
		}
		return sum
	}
	limit := max(1, sort.Search(slices.Max(full)+1, func(limit int) bool { return sum(limit) > room(len(shown)) })-1)
	for _, i := range shown {
		if i < 0 {
			widths = append(widths, 1)
		} else {
			widths = append(widths, at(i, limit))
		}
	}
	return shown, widths
}

// typeLabel gives a type as DuckDB's shell names it below the column's name.
func typeLabel(t *duckfmt.Type) string {
	switch t.Name {
	case "TINYINT":
		return "int8"
	case "SMALLINT":
		return "int16"
	case "INTEGER":
		return "int32"
	case "BIGINT":
		return "int64"
	case "HUGEINT":
		return "int128"
	case "UTINYINT":
		return "uint8"
	case "USMALLINT":
		return "uint16"
	case "UINTEGER":
		return "uint32"
	case "UBIGINT":
		return "uint64"
	case "UHUGEINT":
		return "uint128"
	case "SQLNULL":
		return "null"
	case "TIMESTAMPTZ":
		return "timestamp with time zone"
	case "TIMETZ":
		return "time with time zone"
	case "LIST":
		if t.Elem != nil {
			return typeLabel(t.Elem) + "[]"
		}
	}
	return strings.ToLower(oneLine(t.String()))
}
