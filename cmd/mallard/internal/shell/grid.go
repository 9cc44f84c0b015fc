package shell

import "strings"

// gridPrinter holds the rows, so that it knows how wide their columns are, and draws them as a table of plain characters, as DuckDB's
// shell does.
type gridPrinter struct {
	text
	grid grid
	rows [][]string
}

// grid is how a table looks.
type grid struct {
	left, mid, right   string                             // of a row
	centered, ever     bool                               // names stand in the middle; and are there whatever .headers says
	before, below, end func(p *gridPrinter, widths []int) // what is drawn around the names and the rows
}

func (p *gridPrinter) row(values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = string(p.value(v, i))
	}
	p.rows = append(p.rows, cells)
	return nil
}

func (p *gridPrinter) end() error {
	names, widths := make([]string, len(p.cols)), make([]int, len(p.cols))
	headed := p.grid.ever || !p.f.NoHeader
	for i, c := range p.cols {
		names[i] = c.name
		if headed {
			widths[i] = span(c.name)
		}
		for _, r := range p.rows {
			widths[i] = max(widths[i], span(r[i]))
		}
	}
	p.grid.before(p, widths)
	if headed {
		p.line(names, widths, p.grid.centered)
		p.grid.below(p, widths)
	}
	for _, r := range p.rows {
		p.line(r, widths, false)
	}
	p.grid.end(p, widths)
	return p.flush()
}

func (p *gridPrinter) line(cells []string, widths []int, centered bool) {
	p.buf = append(p.buf, p.grid.left...)
	for i, c := range cells {
		if i > 0 {
			p.buf = append(p.buf, p.grid.mid...)
		}
		pad, before := widths[i]-span(c), 0
		if centered {
			before = pad / 2
		}
		p.buf = append(p.buf, strings.Repeat(" ", before)+c+strings.Repeat(" ", pad-before)...)
	}
	p.buf = append(p.buf, p.grid.right+"\n"...)
}

func (p *gridPrinter) dashes(widths []int, left, mid, right string, more int) {
	parts := make([]string, len(widths))
	for i, w := range widths {
		parts[i] = strings.Repeat("-", w+more)
	}
	p.buf = append(p.buf, left+strings.Join(parts, mid)+right+"\n"...)
}

func (p *gridPrinter) write(s string) { p.buf = append(p.buf, s...) }

// gridOf gives the table of a form of output, if it is one.
func gridOf(m Mode) (grid, bool) {
	nothing := func(*gridPrinter, []int) {}
	switch m {
	case Column:
		return grid{mid: "  ", before: nothing, end: nothing,
			below: func(p *gridPrinter, w []int) { p.dashes(w, "", "  ", "", 0) }}, true
	case Table:
		rule := func(p *gridPrinter, w []int) { p.dashes(w, "+", "+", "+", 2) }
		return grid{left: "| ", mid: " | ", right: " |", centered: true, ever: true, before: rule, below: rule, end: rule}, true
	case LaTeX:
		return grid{mid: " & ", right: ` \\`, centered: true, ever: true,
			before: func(p *gridPrinter, _ []int) {
				p.write(`\begin{tabular}{|`)
				for _, c := range p.cols {
					if latexRight[c.typ.Name] {
						p.write("r")
					} else {
						p.write("l")
					}
				}
				p.write("|}\n\\hline\n")
			},
			below: func(p *gridPrinter, _ []int) { p.write("\\hline\n") },
			end:   func(p *gridPrinter, _ []int) { p.write("\\hline\n\\end{tabular}\n") }}, true
	}
	return grid{}, false
}

// span is how wide the widest line of a text is, with tabs that go on to the next multiple of eight.
func span(s string) (widest int) {
	for line := range strings.SplitSeq(s, "\n") {
		at := 0
		for i, part := range strings.Split(line, "\t") {
			if i > 0 {
				at += 8 - at%8
			}
			at += width(part)
		}
		widest = max(widest, at)
	}
	return widest
}

// latexRight are the types whose columns DuckDB's shell sets to the right there.
var latexRight = map[string]bool{"TINYINT": true, "SMALLINT": true, "INTEGER": true, "BIGINT": true, "FLOAT": true, "DOUBLE": true,
	"DECIMAL": true}

// trashPrinter computes a result and writes nothing.
type trashPrinter struct{ text }

func (p *trashPrinter) row([]any) error { return nil }
func (p *trashPrinter) end() error      { return nil }
