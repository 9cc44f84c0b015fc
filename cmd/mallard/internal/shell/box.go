package shell

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/mallardml/mallard/internal/duckfmt"
)

const (
	// minColumn is how far a wide column is cut before columns are left out.
	minColumn = 20
	// maxTypeWidth keeps the type line of a large STRUCT from widening its column on a terminal.
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
	style    style
	terminal bool
	maxWidth int // 0: as wide as it gets
	maxRows  int // 0 and less: all
	lead     func(names []string) []int

	rows int64
	head [][]cell
	tail [][]cell // a ring once it is full
}

// cell is a value as a box has it.
type cell struct {
	text  string // one line
	long  string // of a text that may be wrapped: it with its lines
	items int    // of a list that may be shortened, how many there are
	null  bool
}

func (p *boxPrinter) row(values []any) error {
	p.rows++
	cells := make([]cell, len(values))
	for i, v := range values {
		cells[i] = p.cell(v, i)
	}
	half := (p.maxRows + 1) / 2
	switch {
	case p.maxRows <= 0 || len(p.head) < half:
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

// cell gives a value cut to what could be shown at most.
func (p *boxPrinter) cell(v any, i int) cell {
	typ, b := p.cols[i].typ, p.value(v, i)
	if v == nil {
		return cell{text: oneLine(string(b)), null: true}
	}
	if typ.Numeric() {
		return cell{text: p.f.number(string(b))}
	}
	c := cell{}
	if p.terminal && p.maxWidth > 0 {
		switch typ.Name {
		case "VARCHAR", "JSON":
			c.long = string(b)
			if p.maxRows > 0 {
				c.long = string(cutBytes(b, 4*p.maxWidth*p.maxRows))
			}
		case "LIST", "ARRAY":
			if list, ok := v.([]any); ok {
				c.items = len(list)
			}
		}
	}
	if p.maxWidth > 0 {
		b = cutBytes(b, 16*p.maxWidth) // a character takes 4 bytes or a few more; the rest is cut by its width
	}
	c.text = oneLine(string(b))
	return c
}

// cutBytes cuts a text to a number of bytes, between its characters.
func cutBytes(b []byte, most int) []byte {
	if len(b) <= most {
		return b
	}
	b = b[:most]
	for len(b) > 0 && !utf8.Valid(b[max(0, len(b)-4):]) && !utf8.RuneStart(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// escapes are the control characters that have letters.
var escapes = map[rune]string{'\a': `\a`, '\b': `\b`, '\t': `\t`, '\n': `\n`, '\v': `\v`, '\f': `\f`, '\r': `\r`, 0x1b: `\e`}

// oneLine escapes what would move the cursor, as DuckDB's shell does; it lets through what lies above the space.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if strings.IndexFunc(s, control) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch e, ok := escapes[r]; {
		case ok:
			b.WriteString(e)
		case r < ' ':
			b.WriteString(`\` + strconv.Itoa(int(r)))
		case control(r):
			fmt.Fprintf(&b, `\x%02X`, r)
		default:
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
	return s[:fitting(s, w-1)] + "…"
}

// fitting is how many bytes of a text fit into a width.
func fitting(s string, w int) (end int) {
	used, state := 0, -1
	for rest := s; rest != ""; {
		var cluster string
		var cw int
		cluster, rest, cw, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used+cw > w {
			break
		}
		used += cw
		end += len(cluster)
	}
	return end
}

// shownTail gives the last rows, in their order, that are shown behind the first ones.
func (p *boxPrinter) shownTail() [][]cell {
	tail := p.tail
	if p.maxRows > 0 && len(tail) > 0 {
		half := (p.maxRows + 1) / 2
		start := 0
		if hidden := p.rows - int64(len(p.head)+len(tail)); hidden > 0 {
			start = (p.tailStart() + 1) % len(tail)
		}
		tail = append(append([][]cell{}, tail[start:]...), tail[:start]...)
		if p.rows > int64(half+len(tail)) {
			tail = tail[len(tail)-(p.maxRows-half):]
		}
	}
	return tail
}

// table is what a box shows.
type table struct {
	names, types []string // no types: there is no such line
	right        []bool   // these columns stand to the right
	rigid        []bool   // these lose their meaning when they are cut
	head, tail   [][]cell
	words        []string // a line in words below a single row
}

func (p *boxPrinter) end() error {
	t := &table{head: p.head, tail: p.shownTail()}
	for _, c := range p.cols {
		label := typeLabel(c.typ)
		if p.terminal {
			label = cutTo(label, max(maxTypeWidth, width(c.name)))
		}
		t.names, t.types = append(t.names, oneLine(c.name)), append(t.types, label)
		t.right, t.rigid = append(t.right, c.typ.Numeric()), append(t.rigid, !cuttable(c.typ))
	}
	f := p.foot(int64(len(t.head) + len(t.tail)))
	if p.f.Upright && p.rows > 0 {
		t.turn(p.rows)
		f.many = true
	} else {
		p.putInWords(t)
	}
	shown, widths := p.measure(t, f)
	if hidden := len(t.names) - shownColumns(shown); hidden > 0 {
		if p.rows == 1 && len(p.head) == 1 && !p.f.NoHeader && !p.f.Upright && p.terminal && len(t.names) <= maxUpright {
			return p.upright(t)
		}
		f.hide(p.f.Upright, len(t.names), hidden)
	}
	b := &boxDrawer{style: p.style, shown: shown, widths: widths}
	p.drawHeader(b, t)
	p.drawRows(b, t)
	b.rule("└", "┴", "┘")
	if !p.f.NoHeader {
		f.draw(b)
	}
	p.buf = append(p.buf, b.String()...)
	return p.flush()
}

// wordsBelow tells whether large numbers stand in words below the rows.
func (p *boxPrinter) wordsBelow() bool {
	return p.f.Large == LargeFooter || p.f.Large == LargeDefault && p.terminal
}

// putInWords adds the line in words.
func (p *boxPrinter) putInWords(t *table) {
	if !p.wordsBelow() || p.rows != 1 || len(t.head) != 1 {
		return
	}
	words := make([]string, len(t.names))
	for i, c := range t.head[0] {
		w := ""
		if t.right[i] && !c.null {
			w = inWords(c.text, p.f.Decimal)
		}
		if w == "" {
			return
		}
		words[i] = "(" + w + ")"
	}
	t.words = words
}

func (p *boxPrinter) drawHeader(b *boxDrawer, t *table) {
	b.rule("┌", "┬", "┐")
	if p.f.NoHeader {
		return
	}
	b.row(func(i int) piece { return piece{t.names[i], center, bold} })
	if t.types != nil {
		b.row(func(i int) piece { return piece{t.types[i], center, gray} })
	}
	if p.rows > 0 {
		b.rule("├", "┼", "┤")
	}
}

func (p *boxPrinter) drawRows(b *boxDrawer, t *table) {
	lines := p.linesOfRows(b, t)
	draw := func(list [][]cell) {
		for _, cells := range list {
			if lines > 1 && &cells[0] != &t.head[0][0] {
				b.rule("├", "┼", "┤")
			}
			p.drawRow(b, t, cells, lines)
		}
	}
	draw(t.head)
	if t.words != nil {
		b.row(func(i int) piece { return piece{t.words[i], center, gray} })
	}
	if len(t.tail) > 0 && int64(len(t.head)+len(t.tail)) < p.rows {
		above, below := t.head[len(t.head)-1], t.tail[0]
		for range 3 {
			b.row(func(i int) piece { return dots(b.widthOf(i), above[i], below[i], t.right[i]) })
		}
	}
	draw(t.tail)
}

// dots stand in the middle of the values above and below them.
func dots(column int, above, below cell, right bool) piece {
	w, v := min(column, width(above.text)), min(column, width(below.text))
	switch {
	case w == 0 || v == 0:
		w = max(w, v)
	default:
		w = min(w, v)
	}
	switch pad := w - 1; {
	case w == 0:
		return piece{"·", center, gray}
	case right:
		return piece{strings.Repeat(" ", pad-pad/2) + "·" + strings.Repeat(" ", pad/2), rightward, gray}
	default:
		return piece{strings.Repeat(" ", pad/2) + "·", leftward, gray}
	}
}

func (p *boxPrinter) drawRow(b *boxDrawer, t *table, cells []cell, most int) {
	parts, lines := make([][]string, len(cells)), 1
	for i, w := range b.widths {
		if col := b.shown[i]; col >= 0 {
			parts[col] = cells[col].lines(w, most)
			lines = max(lines, len(parts[col]))
		}
	}
	for line := range lines {
		b.row(func(i int) piece {
			c := piece{align: leftward}
			if line < len(parts[i]) {
				c.text = parts[i][line]
			}
			if t.right[i] {
				c.align = rightward
			}
			if cells[i].null {
				c.look = gray
			}
			return c
		})
	}
}

// cuttable tells whether a shortened value still says something.
func cuttable(t *duckfmt.Type) bool {
	switch t.Name {
	case "VARCHAR", "JSON", "BLOB", "BIT", "ENUM", "LIST", "ARRAY", "STRUCT", "MAP", "UNION", "GEOMETRY", "VARIANT":
		return true
	}
	return false
}

func shownColumns(shown []int) (n int) {
	for _, i := range shown {
		if i >= 0 {
			n++
		}
	}
	return n
}
