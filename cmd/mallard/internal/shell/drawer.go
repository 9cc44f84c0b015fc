package shell

import "strings"

type alignment int

const (
	leftward alignment = iota
	rightward
	center
)

// boxDrawer puts the lines of a box together.
type boxDrawer struct {
	strings.Builder
	style         style
	shown, widths []int // shown has -1 for the … column
}

// piece is what stands in a cell of a line.
type piece struct {
	text  string
	align alignment
	look  string
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
	var line strings.Builder
	line.WriteString(left)
	for i, w := range b.widths {
		if i > 0 {
			line.WriteString(middle)
		}
		line.WriteString(strings.Repeat("─", w+2))
	}
	line.WriteString(right)
	b.WriteString(b.style.in(gray, line.String()) + "\n")
}

// row draws a line of the box; at gives what stands in a column of the result.
func (b *boxDrawer) row(at func(col int) piece) {
	border := b.style.in(gray, "│")
	for i, col := range b.shown {
		b.WriteString(border + " ")
		if col < 0 {
			b.WriteString(b.style.in(gray, "…") + " ")
			continue
		}
		p := at(col)
		text := cutTo(p.text, b.widths[i])
		pad := b.widths[i] - width(text)
		left := 0
		switch p.align {
		case rightward:
			left = pad
		case center:
			left = pad / 2
		}
		b.WriteString(strings.Repeat(" ", left))
		b.WriteString(b.style.in(p.look, text))
		b.WriteString(strings.Repeat(" ", pad-left+1))
	}
	b.WriteString(border + "\n")
}

// widthOf is the width of a column of the result.
func (b *boxDrawer) widthOf(col int) int {
	for i, c := range b.shown {
		if c == col {
			return b.widths[i]
		}
	}
	return 0
}
