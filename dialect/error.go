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
}

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
func (e *Error) Render(name, src string) string {
	pos := min(max(e.Pos, 0), len(src))
	end := min(max(e.End, pos), len(src))
	line, col := LineCol(src, pos)
	start := strings.LastIndexByte(src[:pos], '\n') + 1
	stop := len(src)
	if i := strings.IndexByte(src[pos:], '\n'); i >= 0 {
		stop = pos + i
	}
	text := strings.TrimSuffix(src[start:stop], "\r")
	stop = start + len(text)
	pos = min(pos, stop)
	end = min(end, stop)

	// Of a long line only the surroundings are shown.
	head, tail := "", ""
	if from := pos - widestLine; from > start {
		for ; from < pos && !utf8.RuneStart(src[from]); from++ {
		}
		start, head = from, "…"
	}
	if to := pos + widestLine; to < stop {
		for ; to > pos && !utf8.RuneStart(src[to]); to-- {
		}
		stop, tail = to, "…"
	}
	end = min(end, stop)

	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s\n", name, line, col, e.Msg)
	label := fmt.Sprintf("  %d | ", line)
	b.WriteString(label + head + src[start:stop] + tail + "\n")
	b.WriteString(strings.Repeat(" ", len(label)))
	b.WriteString(padding(head + src[start:pos]))
	b.WriteByte('^')
	if n := uniseg.StringWidth(src[pos:end]); n > 1 {
		b.WriteString(strings.Repeat("~", n-1))
	}
	if e.Hint != "" {
		b.WriteString("\n  " + e.Hint)
	}
	return b.String()
}

// widestLine is how many bytes of a source line are shown on each side of a fault.
const widestLine = 120

// padding is blank text as wide as s. Tabs stay tabs, since only the terminal knows how wide they are.
func padding(s string) string {
	parts := strings.Split(s, "\t")
	for i, p := range parts {
		parts[i] = strings.Repeat(" ", uniseg.StringWidth(p))
	}
	return strings.Join(parts, "\t")
}
