package shell

import (
	"strconv"
	"strings"
)

// foot is what stands below a box: how many rows and columns there are, and how many of them are shown.
type foot struct {
	rows, columns  string
	shown, inFull  string // "40 shown", and the number of rows in digits where rows has it in words
	count          int64
	many           bool // columns
	hidden, narrow bool // some rows; some columns
	must           bool // it is there whatever the width
	width          int
}

// lastHint stands in a foot where there is room for it.
const lastHint = "use .last to show entire result"

func (p *boxPrinter) foot(shown int64) *foot {
	f := &foot{count: p.rows, many: len(p.cols) > 1, hidden: shown < p.rows}
	f.columns = strconv.Itoa(len(p.cols)) + " column"
	if f.many {
		f.columns += "s"
	}
	digits := strconv.FormatInt(p.rows, 10)
	f.rows = p.f.number(digits) + " rows"
	if p.wordsBelow() {
		if w := inWords(digits, p.f.Decimal); w != "" {
			f.rows, f.inFull = w+" rows", digits+" total"
		}
	}
	if f.hidden {
		f.shown = p.f.number(strconv.FormatInt(shown, 10)) + " shown"
	}
	f.must = f.hidden || p.rows == 0
	f.width = 4 + max(len(f.rows), len(f.shown)+2, len(f.inFull)+2)
	return f
}

// hide tells that columns of the box are left out.
func (f *foot) hide(turned bool, columns, hidden int) {
	if turned {
		f.hidden, f.shown = true, strconv.Itoa(columns-hidden-2)+" shown"
		return
	}
	f.narrow = true
	f.columns += " (" + strconv.Itoa(columns-hidden) + " shown)"
}

// draw writes the foot where there is something to tell and room for it, as DuckDB's shell has it.
func (f *foot) draw(b *boxDrawer) {
	total := b.total()
	both := total >= len(f.rows)+len(f.columns)+6 && (f.narrow && f.count > 0 || f.count > fewRows && f.many)
	alone := total >= f.width && (f.count == 0 || f.count > fewRows)
	switch {
	case both, alone:
	case f.narrow:
		b.WriteString("  " + b.style.in(gray, f.columns) + "\n")
		return
	default:
		return
	}
	room := total - len(f.rows) - 4
	if both {
		room -= len(f.columns)
	}
	first := f.rows
	more := f.shown
	if f.inFull != "" {
		more += ", " + f.inFull
	}
	if more = " (" + more + ")"; f.hidden && room >= len(more) {
		first, room, f.shown, f.inFull = first+more, room-len(more), "", ""
	}
	look := func(s string) string { return b.style.in(gray, s) }
	before, after := room/2, room-room/2
	if both {
		gap := strings.Repeat(" ", room)
		if (f.hidden || f.narrow) && room >= len(lastHint)+10 {
			room -= len(lastHint)
			gap = strings.Repeat(" ", room/2) + look(lastHint) + strings.Repeat(" ", room-room/2)
		}
		b.WriteString("  " + look(first) + gap + look(f.columns) + "\n")
	} else {
		b.WriteString("  " + strings.Repeat(" ", before) + look(first) + strings.Repeat(" ", after) + "\n")
	}
	if f.shown != "" && f.inFull != "" && len(f.shown)+len(f.inFull)+4 <= total {
		b.WriteString("  " + look(f.shown) + strings.Repeat(" ", total-len(f.shown)-len(f.inFull)-4) + look(f.inFull) + "\n")
		return
	}
	for _, s := range []string{f.shown, f.inFull} {
		if s == "" {
			continue
		}
		s = "(" + s + ")"
		pad, left := total-2-len(s), 1
		if !both {
			left = pad / 2
		}
		b.WriteString(" " + strings.Repeat(" ", left) + look(s) + strings.Repeat(" ", pad-left) + "\n")
	}
}
