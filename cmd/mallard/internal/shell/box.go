package shell

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/duckfmt"
	"github.com/rivo/uniseg"
)

const (
	// minColumn is how far a wide column is cut before columns are left out.
	minColumn = 20
	// maxTypeWidth keeps the type line of a large STRUCT from widening its column.
	maxTypeWidth = 24
	// maxRigid is up to which width a number or a time is never cut.
	maxRigid = 32
	// maxUpright is how many columns a single row may have to be drawn a column a line.
	maxUpright = 40
	// fewRows is how many rows need no count below them.
	fewRows = 9
)

// boxPrinter draws a table. It holds the rows that it will show: all of them, or with maxRows the first and the last ones.
type boxPrinter struct {
	text
	maxWidth int // 0: as wide as it gets
	maxRows  int // 0 and less: all

	rows int64
	head [][]string
	tail [][]string // a ring once it is full
}

func (p *boxPrinter) limited() bool { return p.maxWidth > 0 && p.maxRows > 0 }

func (p *boxPrinter) row(values []any) error {
	p.rows++
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = p.cell(v, i)
	}
	half := (p.maxRows + 1) / 2
	switch {
	case !p.limited() || len(p.head) < half:
		p.head = append(p.head, cells)
	case len(p.tail) < p.maxRows-half+3: // leaving out up to three rows would save nothing, the dots take three lines
		p.tail = append(p.tail, cells)
	default:
		p.tail[p.tailStart()] = cells
	}
	return nil
}

// tailStart is the place in the ring of the row just counted.
func (p *boxPrinter) tailStart() int {
	return int((p.rows - 1 - int64(len(p.head))) % int64(len(p.tail)))
}

// cell gives a value as one line of text, cut to what could be shown at most.
func (p *boxPrinter) cell(v any, i int) string {
	b := p.value(v, i)
	if p.maxWidth > 0 && len(b) > 16*p.maxWidth {
		b = b[:16*p.maxWidth] // a character takes 4 bytes or a few more; the rest is cut by its width
		for len(b) > 0 && !utf8.Valid(b[max(0, len(b)-4):]) && !utf8.RuneStart(b[len(b)-1]) {
			b = b[:len(b)-1]
		}
	}
	return oneLine(string(b))
}

var lineEscaper = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`)

// oneLine escapes what would move the cursor.
func oneLine(s string) string {
	s = lineEscaper.Replace(strings.ToValidUTF8(s, "\ufffd"))
	if strings.IndexFunc(s, control) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if control(r) {
			fmt.Fprintf(&b, `\x%02X`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func control(r rune) bool { return r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 }

// width is how many columns of a terminal a text takes.
func width(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return uniseg.StringWidth(s)
		}
	}
	return len(s)
}

// cutTo shortens a text to a width, with … in the place of its end.
func cutTo(s string, w int) string {
	if width(s) <= w {
		return s
	}
	if w < 1 {
		return ""
	}
	used, end, state := 0, 0, -1
	for rest := s; rest != ""; {
		var cluster string
		var cw int
		cluster, rest, cw, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used+cw > w-1 {
			break
		}
		used += cw
		end += len(cluster)
	}
	return s[:end] + "…"
}

// shownTail gives the last rows, in their order, that are shown behind the first ones.
func (p *boxPrinter) shownTail() [][]string {
	tail := p.tail
	if p.limited() && len(tail) > 0 {
		half := (p.maxRows + 1) / 2
		start := 0
		if hidden := p.rows - int64(len(p.head)+len(tail)); hidden > 0 {
			start = (p.tailStart() + 1) % len(tail)
		}
		tail = append(append([][]string{}, tail[start:]...), tail[:start]...)
		if p.rows > int64(half+len(tail)) {
			tail = tail[len(tail)-(p.maxRows-half):]
		}
	}
	return tail
}

func (p *boxPrinter) end() error {
	tail := p.shownTail()
	hidden := p.rows - int64(len(p.head)+len(tail))

	// Widths over what is shown.
	n := len(p.cols)
	names, types, full, body := make([]string, n), make([]string, n), make([]int, n), make([]int, n)
	for _, rows := range [][][]string{p.head, tail} {
		for _, cells := range rows {
			for i, c := range cells {
				body[i] = max(body[i], width(c))
			}
		}
	}
	for i, c := range p.cols {
		names[i], types[i] = oneLine(c.name), typeLabel(c.typ)
		full[i] = body[i]
		if !p.f.NoHeader {
			full[i] = max(full[i], width(names[i]), min(width(types[i]), maxTypeWidth))
		}
	}
	shown, widths := p.fit(full, body)
	if hidden := n - shownColumns(shown); hidden > 0 && p.rows == 1 && len(p.head) == 1 && !p.f.NoHeader && n <= maxUpright {
		return p.upright(names, types, p.head[0])
	}

	right := make([]bool, n)
	for i, c := range p.cols {
		right[i] = c.typ.Numeric()
	}
	b := &boxDrawer{shown: shown, widths: widths}
	b.rule("┌", "┬", "┐")
	if !p.f.NoHeader {
		b.row(names, center)
		b.row(types, center)
		if p.rows > 0 {
			b.rule("├", "┼", "┤")
		}
	}
	align := func(i int) alignment {
		if right[i] {
			return rightward
		}
		return leftward
	}
	for _, cells := range p.head {
		b.rowBy(cells, align)
	}
	if hidden > 0 {
		dots := make([]string, n)
		for i := range dots {
			dots[i] = "·"
		}
		for range 3 {
			b.rowBy(dots, func(i int) alignment {
				if right[i] {
					return rightward
				}
				return center
			})
		}
	}
	for _, cells := range tail {
		b.rowBy(cells, align)
	}
	b.rule("└", "┴", "┘")
	p.footer(b, hidden, n-shownColumns(shown))
	p.buf = append(p.buf, b.String()...)
	return p.flush()
}

// upright draws a single row that is too wide with a line for each column, so that none is left out: an estimate, one model's answer.
func (p *boxPrinter) upright(names, types, cells []string) error {
	titles := []string{"column", "type", "value"}
	w := []int{width(titles[0]), width(titles[1]), width(titles[2])}
	for i := range cells {
		w[0], w[1], w[2] = max(w[0], width(names[i])), max(w[1], width(types[i])), max(w[2], width(cells[i]))
	}
	w[0], w[1] = min(w[0], p.maxWidth/3), min(w[1], maxTypeWidth)
	w[2] = max(width(titles[2]), min(w[2], p.maxWidth-10-w[0]-w[1]))
	b := &boxDrawer{shown: []int{0, 1, 2}, widths: w}
	b.rule("┌", "┬", "┐")
	b.row(titles, center)
	b.rule("├", "┼", "┤")
	for i := range cells {
		b.row([]string{names[i], types[i], cells[i]}, leftward)
	}
	b.rule("└", "┴", "┘")
	b.WriteString("  1 row, " + amount.Of(len(cells), "column") + "\n")
	p.buf = append(p.buf, b.String()...)
	return p.flush()
}

func shownColumns(shown []int) (n int) {
	for _, i := range shown {
		if i >= 0 {
			n++
		}
	}
	return n
}

func (p *boxPrinter) footer(b *boxDrawer, hiddenRows int64, hiddenCols int) {
	if p.rows > 0 && p.rows <= fewRows && hiddenCols == 0 || p.f.NoHeader {
		return
	}
	left := "  " + amount.Of(p.rows, "row")
	if hiddenRows > 0 {
		left += fmt.Sprintf(" (%s shown)", amount.Grouped(p.rows-hiddenRows))
	}
	rightText := ""
	if hiddenCols > 0 {
		n := len(p.cols)
		rightText = fmt.Sprintf("%s (%d shown)  ", amount.Of(n, "column"), n-hiddenCols)
	}
	b.WriteString(left)
	if rightText != "" {
		pad := b.total() - width(left) - width(rightText)
		b.WriteString(strings.Repeat(" ", max(3, pad)))
		b.WriteString(strings.TrimRight(rightText, " "))
	}
	b.WriteString("\n")
}

// fit chooses the columns to show and their widths; -1 stands for the … column. When a table is too wide, first its wide columns are cut,
// down to minColumn or to a number's or time's own width in body, then columns are left out of its middle, and what room is left over goes
// back to the cut ones.
func (p *boxPrinter) fit(full, body []int) (shown, widths []int) {
	for i := range full {
		shown = append(shown, i)
	}
	if p.maxWidth <= 0 {
		return shown, full
	}
	room := func(n int) int { return p.maxWidth - 1 - 3*n }
	// A cut text is still worth something, a cut number is not.
	at := func(i, limit int) int {
		if body[i] <= maxRigid && !cuttable(p.cols[i].typ) {
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
	if least(shown) > room(n) {
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
	limit := 1
	for limit < p.maxWidth && sum(limit+1) <= room(len(shown)) {
		limit++
	}
	for _, i := range shown {
		if i < 0 {
			widths = append(widths, 1)
		} else {
			widths = append(widths, at(i, limit))
		}
	}
	return shown, widths
}

// cuttable tells whether a shortened value still says something.
func cuttable(t *duckfmt.Type) bool {
	switch t.Name {
	case "VARCHAR", "JSON", "BLOB", "BIT", "ENUM", "LIST", "ARRAY", "STRUCT", "MAP", "UNION", "GEOMETRY", "VARIANT":
		return true
	}
	return false
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
	case "ARRAY":
		if t.Elem != nil {
			return fmt.Sprintf("%s[%d]", typeLabel(t.Elem), t.Size)
		}
	}
	return strings.ToLower(oneLine(t.String()))
}

type alignment int

const (
	leftward alignment = iota
	rightward
	center
)

// boxDrawer puts the lines of a box together.
type boxDrawer struct {
	strings.Builder
	shown, widths []int
}

// total is the width of the box.
func (b *boxDrawer) total() int {
	sum := 1
	for _, w := range b.widths {
		sum += w + 3
	}
	return sum
}

func (b *boxDrawer) rule(left, middle, right string) {
	b.WriteString(left)
	for i, w := range b.widths {
		if i > 0 {
			b.WriteString(middle)
		}
		b.WriteString(strings.Repeat("─", w+2))
	}
	b.WriteString(right)
	b.WriteByte('\n')
}

func (b *boxDrawer) row(cells []string, a alignment) {
	b.rowBy(cells, func(int) alignment { return a })
}

func (b *boxDrawer) rowBy(cells []string, align func(col int) alignment) {
	for i, col := range b.shown {
		b.WriteString("│ ")
		if col < 0 {
			b.WriteString("… ")
			continue
		}
		cell := cutTo(cells[col], b.widths[i])
		pad := b.widths[i] - width(cell)
		left := 0
		switch align(col) {
		case rightward:
			left = pad
		case center:
			left = pad / 2
		}
		b.WriteString(strings.Repeat(" ", left))
		b.WriteString(cell)
		b.WriteString(strings.Repeat(" ", pad-left+1))
	}
	b.WriteString("│\n")
}
