package dialect

import (
	"sort"
	"strings"
)

// Text is a rewritten statement that remembers where each byte came from.
type Text struct {
	s    string
	segs []segment
	end  int // of the statement in the source
}

// segment is a run of the text: copied from the source, or written by us in place of what stands at pos there.
type segment struct {
	out    int // where it starts in the text
	pos    int // where it comes from
	copied bool
	s      string
}

// String is the text for DuckDB.
func (t *Text) String() string { return t.s }

// SourcePos leads from a byte offset of String() to a byte offset of the source. exact is false when the byte was
// written by us; pos is then the start of what it stands for.
func (t *Text) SourcePos(out int) (pos int, exact bool) {
	if out >= len(t.s) || len(t.segs) == 0 {
		return t.end, out == len(t.s)
	}
	i := sort.Search(len(t.segs), func(i int) bool { return t.segs[i].out > max(out, 0) }) - 1
	g := t.segs[max(i, 0)]
	if g.copied {
		return g.pos + max(out, 0) - g.out, true
	}
	return g.pos, false
}

// newText joins segments.
func newText(segs []segment, end int) *Text {
	t := &Text{end: end}
	var b strings.Builder
	for _, g := range segs {
		if g.s == "" {
			continue
		}
		g.out = b.Len()
		b.WriteString(g.s)
		t.segs = append(t.segs, g)
	}
	t.s = b.String()
	return t
}

// edit replaces a span of the source; a span without width is an insertion. place settles the order of what is
// inserted at one position.
type edit struct {
	Span
	s     string
	place place
}

type place uint8

const (
	after   place = iota // closes what ends here: in the order of the edits
	before               // opens what starts here: the latest edit, being the outermost, comes first
	instead              // takes the place of the span
)

// edits is a list of edits of one source text.
type edits struct{ list []edit }

func (e *edits) replace(at Span, s string) { e.list = append(e.list, edit{at, s, instead}) }

func (e *edits) insertBefore(pos int, s string) {
	e.list = append(e.list, edit{Span{pos, pos}, s, before})
}

func (e *edits) insertAfter(pos int, s string) {
	e.list = append(e.list, edit{Span{pos, pos}, s, after})
}

// wrap puts text around a span.
func (e *edits) wrap(at Span, open, close string) {
	e.insertBefore(at.Pos, open)
	e.insertAfter(at.End, close)
}

// take removes the edits inside a span and gives them out. Insertions at its borders belong to it when they are on its
// inner side; the brackets of a call's input keep others from standing there.
func (e *edits) take(at Span) edits {
	var in, out []edit
	for _, d := range e.list {
		if d.Pos >= at.Pos && d.End <= at.End {
			in = append(in, d)
		} else {
			out = append(out, d)
		}
	}
	e.list = out
	return edits{in}
}

// inside gives the edits of a span; insertions at its borders belong to it when they are on its inner side.
func (e *edits) inside(at Span) edits {
	var in edits
	for _, d := range e.list {
		if d.Pos >= at.Pos && d.End <= at.End && (d.Pos > at.Pos || d.place != after) && (d.Pos < at.End || d.place == after) {
			in.list = append(in.list, d)
		}
	}
	return in
}

// apply gives the segments of src[at] after the edits.
func (e *edits) apply(src string, at Span) []segment {
	order := make([]int, len(e.list))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool {
		x, y := e.list[order[a]], e.list[order[b]]
		switch {
		case x.Pos != y.Pos:
			return x.Pos < y.Pos
		case x.place != y.place:
			return x.place < y.place
		case x.place == before:
			return order[a] > order[b]
		}
		return order[a] < order[b]
	})
	var segs []segment
	pos := at.Pos
	for _, i := range order {
		d := e.list[i]
		if d.Pos < pos {
			continue // inside what an edit replaced
		}
		segs = append(segs, segment{pos: pos, copied: true, s: src[pos:d.Pos]}, segment{pos: d.Pos, s: d.s})
		pos = d.End
	}
	return append(segs, segment{pos: pos, copied: true, s: src[pos:at.End]})
}

// Part is a piece of a text that was written for what stands at Pos of the source.
type Part struct {
	Pos int
	SQL string
}

// Assemble joins parts to a text. end is that of the statement in the source.
func Assemble(parts []Part, end int) *Text {
	segs := make([]segment, len(parts))
	for i, p := range parts {
		segs[i] = segment{pos: p.Pos, s: p.SQL}
	}
	return newText(segs, end)
}
