package dialect

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Error is a fault in a text, with its place: byte offsets of the source that was read.
type Error struct {
	Pos, End int
	Msg      string // subject and cause
	Hint     string // what to do; may be empty
	// Unsupported says that the text is right elsewhere, and not here.
	Unsupported bool
}

// Error is the message and the hint, without the place.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Msg
	}
	return e.Msg + ". " + e.Hint
}

// errorf reports a fault at a span.
func errorf(at Span, format string, args ...any) *Error {
	return &Error{Pos: at.Pos, End: at.End, Msg: fmt.Sprintf(format, args...)}
}

// hint adds the advice to an error and returns it.
func (e *Error) hint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// LineCol gives the line and column of a byte offset, both from 1. A column counts characters (code points); a byte
// that is no valid UTF-8 counts as one. Offsets outside src are moved to its nearest end.
func LineCol(src string, pos int) (line, col int) {
	pos = min(max(pos, 0), len(src))
	start := strings.LastIndexByte(src[:pos], '\n') + 1
	return strings.Count(src[:start], "\n") + 1, utf8.RuneCountInString(src[start:pos]) + 1
}

// Render writes the error the way a person reads it: `name:line:col: message`, the source line, a caret line under the
// fault, and the hint. The text ends without a newline.
func (e *Error) Render(name, src string) string { return e.RenderWidth(name, src, widestLine) }

// RenderWidth is Render for a terminal of so many columns: of a source line that is wider, the part around the fault is shown.
func (e *Error) RenderWidth(name, src string, width int) string {
	pos := min(max(e.Pos, 0), len(src))
	end := min(max(e.End, pos), len(src))
	line, col := LineCol(src, pos)
	start := strings.LastIndexByte(src[:pos], '\n') + 1
	stop := len(src)
	if i := strings.IndexByte(src[pos:], '\n'); i >= 0 {
		stop = pos + i
	}
	text := strings.TrimSuffix(src[start:stop], "\r")
	pos = min(pos-start, len(text))
	end = min(end-start, len(text))

	label := fmt.Sprintf("  %d | ", line)
	text, pos, end = excerpt(text, pos, end, max(width-len(label), 20))
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s\n", name, line, col, e.Msg)
	b.WriteString(label + text + "\n")
	b.WriteString(strings.Repeat(" ", len(label)))
	b.WriteString(padding(text[:pos]))
	b.WriteByte('^')
	if n := uniseg.StringWidth(text[pos:end]); n > 1 {
		b.WriteString(strings.Repeat("~", n-1))
	}
	if e.Hint != "" {
		b.WriteString("\n  " + e.Hint)
	}
	return b.String()
}

// widestLine is how many columns a source line takes where no terminal says otherwise.
const widestLine = 240

// excerpt cuts a line down to room columns around the fault at text[pos:end], which moves with it. Tabs become blanks in a
// line that is cut, since nobody knows their width.
func excerpt(text string, pos, end, room int) (string, int, int) {
	if uniseg.StringWidth(text)+7*strings.Count(text, "\t") <= room {
		return text, pos, end
	}
	text = strings.ReplaceAll(text, "\t", " ")
	type cluster struct{ at, width int }
	var all []cluster
	first := -1
	for at, rest, state := 0, text, -1; rest != ""; {
		var c string
		var w int
		c, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if first < 0 && at+len(c) > pos {
			first = len(all)
		}
		all = append(all, cluster{at, w})
		at += len(c)
	}
	if first < 0 {
		first = len(all) // the fault is the end of the line
	}
	// A third of the room is for what stands before the fault, and more where little follows it.
	from, to, used := first, first, 2 // the two dots
	for from > 0 && used+all[from-1].width <= room/3 {
		from--
		used += all[from].width
	}
	for to < len(all) && used+all[to].width <= room {
		used += all[to].width
		to++
	}
	for from > 0 && used+all[from-1].width <= room {
		from--
		used += all[from].width
	}
	begin, stop := 0, len(text)
	if from < len(all) {
		begin = all[from].at
	}
	if to < len(all) {
		stop = all[to].at
	}
	head, tail := "", ""
	if begin > 0 {
		head = "…"
	}
	if stop < len(text) {
		tail = "…"
	}
	move := len(head) - begin
	return head + text[begin:stop] + tail, max(pos, begin) + move, max(min(end, stop), max(pos, begin)) + move
}

// padding is blank text as wide as s. Tabs stay tabs, since only the terminal knows how wide they are.
func padding(s string) string {
	parts := strings.Split(s, "\t")
	for i, p := range parts {
		parts[i] = strings.Repeat(" ", uniseg.StringWidth(p))
	}
	return strings.Join(parts, "\t")
}
