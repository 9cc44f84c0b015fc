package sqllogic

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Failure says where and how a test file failed.
type Failure struct {
	File string
	Line int
	// Msg is the failure in one line.
	Msg string
	// SQL is the statement, empty if the record has none.
	SQL string
	// Detail shows what was wanted and what came.
	Detail string
}

// Error gives the failure with all its parts, on several lines.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: %s", f.File, f.Line, f.Msg)
	if f.SQL != "" {
		fmt.Fprintf(&b, "\n\n%s", indent(f.SQL))
	}
	if f.Detail != "" {
		fmt.Fprintf(&b, "\n\n%s", f.Detail)
	}
	return b.String()
}

func indent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(s, "\n")) {
		if strings.TrimSpace(line) != "" {
			b.WriteString("    ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// How much of a long result a failure shows.
const (
	maxShownRows  = 30
	maxShownWidth = 60
)

// sideBySide shows expected rows and actual ones; rows that differ are marked.
func sideBySide(want, got table, differs func(row int) bool) string {
	first := 0
	for n := max(len(want), len(got)); first < n && !differs(first); first++ {
	}
	from := 0
	if first > maxShownRows-5 {
		from = first - 5
	}
	line := func(t table, i int) string {
		if i >= len(t) {
			return "(no row)"
		}
		return cut(joined(t[i], "  "))
	}
	to := min(max(len(want), len(got)), from+maxShownRows)
	width := len("wanted")
	for i := from; i < to; i++ {
		width = max(width, utf8.RuneCountInString(line(want, i)))
	}
	var b strings.Builder
	row := func(mark, w, g string) {
		pad := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(w)))
		fmt.Fprintf(&b, "  %s %s%s | %s\n", mark, w, pad, g)
	}
	row(" ", "wanted", "got")
	if from > 0 {
		row(" ", fmt.Sprintf("… %d equal rows", from), "…")
	}
	for i := from; i < to; i++ {
		mark := " "
		if differs(i) {
			mark = "≠"
		}
		row(mark, line(want, i), line(got, i))
	}
	if rest := max(len(want), len(got)) - to; rest > 0 {
		row(" ", fmt.Sprintf("… %d more rows", rest), "…")
	}
	return strings.TrimRight(b.String(), "\n")
}

func cut(s string) string {
	r := []rune(s)
	if len(r) <= maxShownWidth {
		return s
	}
	return string(r[:maxShownWidth-1]) + "…"
}
