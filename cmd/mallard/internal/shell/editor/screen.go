package editor

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// screen draws the text where the cursor of the terminal stands, and draws it again in the same place.
type screen struct {
	out           io.Writer
	size          func() (columns, rows int)
	drawn         []int // widths of the rows that stand there
	cursorRow     int   // among them
	columns, rows int
	paint         func(text []byte, cursor int) []Span
}

// Span is a part of the text, in bytes, with the escape sequence that gives it its look.
type Span struct {
	From, To int
	Look     string
}

// maxPainted is the longest text that is painted.
const maxPainted = 16 << 10

// looks gives the look of each byte of the text, nil for a plain one. A later span goes before an earlier one.
func (s *screen) looks(text []byte, cursor int) []string {
	if s.paint == nil || len(text) > maxPainted {
		return nil
	}
	spans := s.paint(text, cursor)
	if len(spans) == 0 {
		return nil
	}
	looks := make([]string, len(text))
	for _, sp := range spans {
		for i := max(0, sp.From); i < min(sp.To, len(text)); i++ {
			looks[i] = sp.Look
		}
	}
	return looks
}

// row is a piece of the text that has a row of the screen.
type row struct {
	from, to int // in bytes
	prefix   string
	width    int // with the prefix
}

const tabWidth = 4

// cell gives how a grapheme looks and how wide it is.
func cell(cluster []byte) (string, int) {
	switch r, n := utf8.DecodeRune(cluster); {
	case cluster[0] == '\t':
		return strings.Repeat(" ", tabWidth), tabWidth
	case r < ' ' || r == 0x7f:
		return "^" + string(r^0x40), 2
	case r == utf8.RuneError && n == 1, 0x80 <= r && r < 0xa0:
		return "\ufffd", 1
	}
	if !utf8.Valid(cluster) {
		return "\ufffd", 1
	}
	return string(cluster), uniseg.StringWidth(string(cluster))
}

func ascii(s []byte) bool {
	for _, c := range s {
		if c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

func textWidth(s []byte) (w int) {
	if ascii(s) {
		return len(s)
	}
	eachCell(s, func(_ int, _ string, width int) { w += width })
	return w
}

// eachCell goes over the graphemes of a line.
func eachCell(s []byte, f func(at int, look string, width int)) {
	at := 0
	for state := -1; at < len(s); {
		if s[at] >= ' ' && s[at] < 0x7f && (at+1 == len(s) || s[at+1] < 0x7f) {
			f(at, string(s[at:at+1]), 1)
			at, state = at+1, -1
			continue
		}
		var cluster []byte
		cluster, _, _, state = uniseg.FirstGraphemeCluster(s[at:], state)
		look, w := cell(cluster)
		f(at, look, w)
		at += len(cluster)
	}
}

// wrap cuts the line from..to into rows.
func wrap(text []byte, from, to int, prefix string, columns int) []row {
	room := columns - 1 - uniseg.StringWidth(prefix) // the last column stays free: beyond it terminals differ
	room = max(room, 2)
	indent := uniseg.StringWidth(prefix)
	var rows []row
	if ascii(text[from:to]) {
		for {
			n := min(room, to-from)
			rows = append(rows, row{from, from + n, prefix, indent + n})
			if from += n; from == to {
				return rows
			}
			prefix = strings.Repeat(" ", indent)
		}
	}
	start, used := from, 0
	eachCell(text[from:to], func(at int, _ string, w int) {
		if used+w > room {
			rows = append(rows, row{start, from + at, prefix, indent + used})
			prefix, start, used = strings.Repeat(" ", indent), from+at, 0
		}
		used += w
	})
	return append(rows, row{start, to, prefix, indent + used})
}

// window lays out the rows around the cursor, at most so many, and tells which of them has the cursor.
func (s *screen) window(b *buffer, prompt, continuation string, most int) (rows []row, cursor int) {
	lines := func(from, to int) []row {
		if from == 0 {
			return wrap(b.text, from, to, prompt, s.columns)
		}
		return wrap(b.text, from, to, continuation, s.columns)
	}
	from, to := b.line(b.cursor)
	rows = lines(from, to)
	for cursor < len(rows)-1 && b.cursor >= rows[cursor].to {
		cursor++
	}
	for len(rows)-cursor <= most && to < len(b.text) {
		var next int
		to++
		_, next = b.line(to)
		rows = append(rows, lines(to, next)...)
		to = next
	}
	for cursor <= most && from > 0 {
		start, stop := b.line(from - 1)
		above := lines(start, stop)
		rows, cursor, from = append(above, rows...), cursor+len(above), start
	}
	if len(rows) > most {
		top := min(max(0, cursor-most*3/4), len(rows)-most)
		rows, cursor = rows[top:top+most], cursor-top
	}
	return rows, cursor
}

// draw shows the text and, below it, the lines of a menu.
func (s *screen) draw(b *buffer, prompt, continuation string, menu []string) error {
	columns, height := s.size()
	old, oldRow := s.reflowed(columns)
	s.columns, s.rows = columns, height
	most := max(1, height-1-len(menu))
	rows, cursor := s.window(b, prompt, continuation, most)
	looks := s.looks(b.text, b.cursor)
	var w bytes.Buffer
	s.top(&w, oldRow)
	s.drawn = s.drawn[:0]
	for i, r := range rows {
		if i > 0 {
			w.WriteString("\r\n")
		}
		writeRow(&w, b.text, r, looks)
		s.drawn = append(s.drawn, r.width)
	}
	for _, m := range menu {
		w.WriteString("\r\n\x1b[K" + m)
		s.drawn = append(s.drawn, columns-1)
	}
	if old > len(s.drawn) {
		w.WriteString("\x1b[J")
	}
	if up := len(s.drawn) - 1 - cursor; up > 0 {
		fmt.Fprintf(&w, "\x1b[%dA", up)
	}
	w.WriteByte('\r')
	at := rows[cursor]
	if column := uniseg.StringWidth(at.prefix) + textWidth(b.text[at.from:b.cursor]); column > 0 {
		fmt.Fprintf(&w, "\x1b[%dC", column)
	}
	s.cursorRow = cursor
	_, err := s.out.Write(w.Bytes())
	return err
}

// finish shows the whole text for good and leaves the cursor below it.
func (s *screen) finish(b *buffer, prompt, continuation, mark string) error {
	columns, height := s.size()
	_, oldRow := s.reflowed(columns)
	s.columns, s.rows = columns, height
	looks := s.looks(b.text, -1)
	var w bytes.Buffer
	s.top(&w, oldRow)
	w.WriteString("\x1b[J")
	for from := 0; ; {
		_, to := b.line(from)
		prefix := prompt
		if from > 0 {
			prefix = continuation
		}
		for _, r := range wrap(b.text, from, to, prefix, s.columns) {
			writeRow(&w, b.text, r, looks)
			w.WriteString("\r\n")
		}
		if to == len(b.text) {
			break
		}
		from = to + 1
	}
	if mark != "" {
		w.Truncate(w.Len() - 2)
		w.WriteString(mark + "\r\n")
	}
	s.drawn, s.cursorRow = s.drawn[:0], 0
	_, err := s.out.Write(w.Bytes())
	return err
}

// reflowed gives how many rows stand there and in which of them the cursor is, when the terminal has become narrower.
func (s *screen) reflowed(columns int) (rows, cursor int) {
	for i, w := range s.drawn {
		n := 1
		if s.columns > columns {
			n = max(1, (w+columns-1)/columns)
		}
		if i < s.cursorRow {
			cursor += n
		}
		rows += n
	}
	return rows, cursor
}

// top goes to the first of the drawn rows.
func (s *screen) top(w *bytes.Buffer, cursorRow int) {
	w.WriteByte('\r')
	if cursorRow > 0 {
		fmt.Fprintf(w, "\x1b[%dA", cursorRow)
	}
}

func writeRow(w *bytes.Buffer, text []byte, r row, looks []string) {
	w.WriteString("\x1b[K")
	w.WriteString(r.prefix)
	line, look := text[r.from:r.to], ""
	if looks == nil && ascii(line) {
		w.Write(line)
		return
	}
	eachCell(line, func(at int, s string, _ int) {
		if looks != nil && looks[r.from+at] != look {
			if look != "" {
				w.WriteString("\x1b[0m")
			}
			look = looks[r.from+at]
			w.WriteString(look)
		}
		w.WriteString(s)
	})
	if look != "" {
		w.WriteString("\x1b[0m")
	}
}
