package editor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// menu is the list of what may be meant, below the text. Tab goes through it, any other key closes it.
type menu struct {
	list   []string
	notes  []string // beside each; nil where none has one
	start  int      // of what is replaced, in the text
	chosen int      // -1 while none is
}

// complete does Tab: first what all candidates share, then the list, then one after the other.
func (e *Editor) complete(ctx context.Context) {
	b := &e.buffer
	if len(e.menu.list) > 0 {
		e.menu.chosen = (e.menu.chosen + 1) % len(e.menu.list)
		e.replace(e.menu.start, e.menu.list[e.menu.chosen])
		return
	}
	var all []Suggestion
	start := 0
	for _, one := range e.o.Suggest(ctx, string(b.text[:b.cursor]), string(b.text[b.cursor:])) {
		if one.Start < 0 || one.Start > b.cursor || len(all) > 0 && one.Start != start {
			continue
		}
		start, all = one.Start, append(all, one)
	}
	if len(all) == 0 {
		return
	}
	// What is like the typed text, but does not go on from it, is for those who mistyped.
	typed := string(b.text[start:b.cursor])
	goesOn := func(s string) bool { return len(common([]string{typed, s})) == len(typed) }
	if better := slices.DeleteFunc(slices.Clone(all), func(s Suggestion) bool { return !goesOn(s.Text) }); len(better) > 0 {
		all = better
	}
	m := menu{start: start, chosen: -1}
	for _, one := range all {
		m.list, m.notes = append(m.list, one.Text), append(m.notes, one.Note)
	}
	if strings.Join(m.notes, "") == "" {
		m.notes = nil
	}
	b.keep()
	if shared := common(m.list); len(all) == 1 || len(shared) > len(typed) && goesOn(shared) {
		e.replace(start, shared)
		return
	}
	e.menu = m
}

func (e *Editor) replace(start int, s string) {
	e.buffer.delete(start, e.buffer.cursor)
	e.buffer.insert([]byte(s))
}

// The look of what is said about a text, and its end.
const noteLook, plainLook = "\x1b[90m", "\x1b[0m"

// common gives what all texts begin with, whatever its case.
func common(list []string) string {
	shared := list[0]
	for _, s := range list[1:] {
		n := 0
		for n < len(shared) {
			_, size := utf8.DecodeRuneInString(shared[n:])
			if n+size > len(s) || !strings.EqualFold(shared[n:n+size], s[n:n+size]) {
				break
			}
			n += size
		}
		shared = shared[:n]
	}
	return shared
}

// lines draws the list in columns, so many rows of it that the chosen one is among them.
func (m *menu) lines(columns, rows int) (lines []string) {
	if len(m.list) == 0 {
		return nil
	}
	widest := 0
	for _, s := range m.list {
		widest = max(widest, uniseg.StringWidth(s))
	}
	widest = min(widest, columns)
	across := max(1, (columns+2)/(widest+2))
	if m.notes != nil {
		across = 1
	}
	all := (len(m.list) + across - 1) / across
	top := 0
	if all > rows {
		rows = max(1, rows-1) // for the count of the rest
		top = max(0, min(m.chosen/across-rows/2, all-rows))
	}
	for r := top; r < min(all, top+rows); r++ {
		var line strings.Builder
		for i := r * across; i < min(len(m.list), (r+1)*across); i++ {
			s := m.list[i]
			pad := widest - uniseg.StringWidth(s)
			if pad < 0 {
				s, pad = short(s, widest), 0
			}
			if i == m.chosen {
				s = "\x1b[7m" + s + "\x1b[0m"
			}
			line.WriteString(s)
			if room := columns - widest - 2; m.notes != nil && m.notes[i] != "" && room > 4 {
				line.WriteString(strings.Repeat(" ", pad+2) + noteLook + short(m.notes[i], room) + plainLook)
			}
			if i+1 < min(len(m.list), (r+1)*across) {
				line.WriteString(strings.Repeat(" ", pad+2))
			}
		}
		lines = append(lines, line.String())
	}
	if all > rows {
		lines = append(lines, short(fmt.Sprintf("… %d in all, Tab goes through them", len(m.list)), columns))
	}
	return lines
}

// short cuts a text to a width.
func short(s string, w int) string {
	var out strings.Builder
	eachCell([]byte(s), func(_ int, look string, width int) {
		if w -= width; w >= 0 {
			out.WriteString(look)
		}
	})
	return out.String()
}
