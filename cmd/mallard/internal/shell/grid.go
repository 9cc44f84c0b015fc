package shell

import (
	"slices"
	"strings"
)

// gridPrinter holds the rows, so that it knows how wide their columns are, and draws them as a plain table, as DuckDB's shell does.
type gridPrinter struct {
	text
	grid   grid
	rows   [][]string
	widths []int
}

// grid is how a table looks.
type grid struct {
	left, mid, right string // of a row
	// sided lets .width set names to the right as it does values, else they stand in the middle; ever shows them whatever .headers says.
	sided, ever bool
	escape      *strings.Replacer  // of names and values
	before      func(*gridPrinter) // draws what is above the names,
	below       func(*gridPrinter) // below them
	end         func(*gridPrinter) // and below the rows
}

func (p *gridPrinter) cell(s string) string {
	if p.grid.escape != nil {
		return p.grid.escape.Replace(s)
	}
	return s
}

func (p *gridPrinter) row(values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = p.cell(string(p.value(v, i)))
	}
	p.rows = append(p.rows, cells)
	return nil
}

func (p *gridPrinter) end() error {
	names := make([]string, len(p.cols))
	p.widths = make([]int, len(p.cols))
	for i, c := range p.cols {
		names[i] = p.cell(c.name)
		p.widths[i] = max(p.least(i), span(names[i]))
		for _, r := range p.rows {
			p.widths[i] = max(p.widths[i], span(r[i]))
		}
	}
	draw := func(f func(*gridPrinter)) {
		if f != nil {
			f(p)
		}
	}
	draw(p.grid.before)
	if p.grid.ever || !p.f.NoHeader {
		p.line(names, !p.grid.sided)
		draw(p.grid.below)
	}
	for _, r := range p.rows {
		p.line(r, false)
	}
	draw(p.grid.end)
	return p.flush()
}

// least is how wide .width wants a column.
func (p *gridPrinter) least(i int) int {
	if i >= len(p.f.Widths) {
		return 0
	}
	return max(p.f.Widths[i], -p.f.Widths[i])
}

func (p *gridPrinter) line(cells []string, centered bool) {
	p.buf = append(p.buf, p.grid.left...)
	for i, c := range cells {
		if i > 0 {
			p.buf = append(p.buf, p.grid.mid...)
		}
		pad, before := p.widths[i]-span(c), 0
		switch {
		case centered:
			before = pad / 2
		case i < len(p.f.Widths) && p.f.Widths[i] < 0:
			before = pad
		}
		p.buf = append(p.buf, strings.Repeat(" ", before)+c+strings.Repeat(" ", pad-before)...)
	}
	p.buf = append(p.buf, p.grid.right+"\n"...)
}

// rule draws a line through the columns, which are wider by more than their values.
func (p *gridPrinter) rule(left, mid, right, dash string, more int) {
	parts := make([]string, len(p.widths))
	for i, w := range p.widths {
		parts[i] = strings.Repeat(dash, w+more)
	}
	p.buf = append(p.buf, left+strings.Join(parts, mid)+right+"\n"...)
}

func (p *gridPrinter) write(s string) { p.buf = append(p.buf, s...) }

// gridOf gives the table of a form of output, if it is one.
func gridOf(m Mode) (grid, bool) {
	switch m {
	case Column:
		return grid{mid: "  ", sided: true, below: func(p *gridPrinter) { p.rule("", "  ", "", "-", 0) }}, true
	case Table:
		rule := func(p *gridPrinter) { p.rule("+", "+", "+", "-", 2) }
		return grid{left: "| ", mid: " | ", right: " |", ever: true, before: rule, below: rule, end: rule}, true
	case Box:
		return grid{left: "│ ", mid: " │ ", right: " │", ever: true, escape: strings.NewReplacer("\n", `\n`),
			before: func(p *gridPrinter) { p.rule("┌", "┬", "┐", "─", 2) },
			below:  func(p *gridPrinter) { p.rule("├", "┼", "┤", "─", 2) },
			end:    func(p *gridPrinter) { p.rule("└", "┴", "┘", "─", 2) }}, true
	case Markdown:
		return grid{left: "| ", mid: " | ", right: " |", ever: true, escape: strings.NewReplacer("|", `\|`), below: markdownRule}, true
	case LaTeX:
		return grid{mid: " & ", right: ` \\`, ever: true, before: latexBegin,
			below: func(p *gridPrinter) { p.write("\\hline\n") },
			end:   func(p *gridPrinter) { p.write("\\hline\n\\end{tabular}\n") }}, true
	}
	return grid{}, false
}

func markdownRule(p *gridPrinter) {
	for i, w := range p.widths {
		if p.cols[i].typ.Numeric() {
			p.write("|" + strings.Repeat("-", w+1) + ":")
		} else {
			p.write("|" + strings.Repeat("-", w+2))
		}
	}
	p.write("|\n")
}

// latexBegin sets those columns to the right that DuckDB's shell does.
func latexBegin(p *gridPrinter) {
	right := []string{"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL"}
	p.write(`\begin{tabular}{|`)
	for _, c := range p.cols {
		if slices.Contains(right, c.typ.Name) {
			p.write("r")
		} else {
			p.write("l")
		}
	}
	p.write("|}\n\\hline\n")
}

// span is how wide the widest line of a text is, with tabs that go on to the next multiple of eight; other control characters take no room.
func span(s string) (widest int) {
	for line := range strings.SplitSeq(s, "\n") {
		at := 0
		for i, part := range strings.Split(line, "\t") {
			if i > 0 {
				at += 8 - at%8
			}
			if strings.IndexFunc(part, control) >= 0 {
				part = strings.Map(func(r rune) rune {
					if control(r) {
						return -1
					}
					return r
				}, part)
			}
			at += width(part)
		}
		widest = max(widest, at)
	}
	return widest
}

// trashPrinter computes a result and writes nothing.
type trashPrinter struct{ text }

func (p *trashPrinter) row([]any) error { return nil }
func (p *trashPrinter) end() error      { return nil }
