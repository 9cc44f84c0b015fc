package shell

import (
	"fmt"
	"strings"
)

// lines gives a value as at most so many lines of a width: a text is broken between its words, a list is shortened and tells its length.
func (c cell) lines(w, most int) []string {
	switch {
	case c.long != "" && most > 1 && (width(c.text) > w || strings.ContainsAny(c.long, "\n\r")):
		return wrapped(c.long, w, most)
	case c.items > 0 && width(c.text) > w:
		return []string{shortened(c.text, c.items, w)}
	}
	return []string{c.text}
}

// shortened gives the first values of a list and how many there are.
func shortened(s string, items, w int) string {
	end := fmt.Sprintf("… %d]", items)
	room := w - width(end) - 1
	if room < 1 {
		return cutTo(s, w)
	}
	s = s[:fitting(s, room)]
	if i := strings.LastIndex(s, ", "); i > 0 {
		s = s[:i+1] + " "
	}
	return s + end
}

// wrapped breaks a text into lines of a width, at its own line ends and between its words, and cuts what is beyond most.
func wrapped(text string, w, most int) []string {
	var lines []string
	for _, para := range strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n") {
		para = oneLine(strings.ReplaceAll(para, "\t", "    "))
		for {
			if len(lines) == most {
				lines[most-1] = cutTo(lines[most-1]+" …", w)
				if !strings.HasSuffix(lines[most-1], "…") {
					lines[most-1] = cutTo(lines[most-1], max(w-1, 1)) + "…"
				}
				return lines
			}
			if width(para) <= w {
				lines = append(lines, para)
				break
			}
			end := fitting(para, w)
			if end == 0 {
				end = fitting(para, 2) // a wide character has its own line
			}
			if at := strings.LastIndexByte(para[:min(len(para), end+1)], ' '); at > 0 {
				lines, para = append(lines, para[:at]), strings.TrimLeft(para[at:], " ")
			} else {
				lines, para = append(lines, para[:end]), para[end:]
			}
		}
	}
	return lines
}

// linesOfRows is how many lines a row may take: more than one when there are few rows, and of some not all fits.
func (p *boxPrinter) linesOfRows(b *boxDrawer, t *table) int {
	rows := len(t.head) + len(t.tail)
	if !p.terminal || int64(rows) < p.rows || rows == 0 || p.maxRows > 0 && rows+5 >= p.maxRows {
		return 1
	}
	most := maxLines
	if p.maxRows > 0 {
		most = (p.maxRows - 5) / rows
	}
	for _, list := range [][][]cell{t.head, t.tail} {
		for _, cells := range list {
			for i, c := range cells {
				if w := b.widthOf(i); w > 0 && len(c.lines(w, most)) > 1 {
					return most
				}
			}
		}
	}
	return 1
}

// maxLines is how many lines a row has where it may have all that it needs.
const maxLines = 10_000

// oneLineBut escapes what would move the cursor, but for the ends of lines.
func oneLineBut(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = oneLine(l)
	}
	return strings.Join(lines, "\n")
}
