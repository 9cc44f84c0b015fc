package shell

import (
	"strings"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell/editor"
)

// Piece is a part of a typed text, in bytes.
type Piece struct {
	Pos, End int
	Class    Class
}

// Class is what a piece of a typed text is.
type Class int

// The classes of pieces.
const (
	Word Class = iota // a keyword, if Options.Keyword says so
	Text
	Name
	Number
	Comment
	Punctuation
)

// looks are how the classes look; what has none is plain.
var looks = map[Class]string{Text: "\x1b[33m", Number: "\x1b[33m", Comment: gray}

const (
	keywordLook  = "\x1b[32m"
	functionLook = "\x1b[36m"
	matchLook    = "\x1b[1;4m"
	openLook     = red
)

// paint gives how a typed text looks: keywords, functions, literals, comments, and the bracket that belongs to the one at the cursor.
func (s *Shell) paint(text []byte, cursor int) []editor.Span {
	if !s.highlight || s.o.Pieces == nil || len(text) == 0 {
		return nil
	}
	src := string(text)
	if strings.HasPrefix(src, ".") {
		end := strings.IndexAny(src, " \t")
		if end < 0 {
			end = len(src)
		}
		return []editor.Span{{From: 0, To: end, Look: keywordLook}}
	}
	pieces := s.o.Pieces(src)
	var spans []editor.Span
	for i, p := range pieces {
		look := looks[p.Class]
		if p.Class == Word {
			switch called := i+1 < len(pieces) && src[pieces[i+1].Pos] == '('; {
			case s.o.Keyword != nil && s.o.Keyword(src[p.Pos:p.End]):
				look = keywordLook
			case called:
				look = functionLook
			}
		}
		if look != "" {
			spans = append(spans, editor.Span{From: p.Pos, To: p.End, Look: look})
		}
	}
	return append(spans, brackets(src, pieces, cursor)...)
}

// brackets marks the bracket at or before the cursor and its partner, or in red the one that has none.
func brackets(src string, pieces []Piece, cursor int) []editor.Span {
	partner := map[int]int{}
	var open []int
	for _, p := range pieces {
		if p.Class != Punctuation {
			continue
		}
		switch c := src[p.Pos]; c {
		case '(', '[', '{':
			open = append(open, p.Pos)
		case ')', ']', '}':
			if n := len(open); n > 0 && src[open[n-1]] == map[byte]byte{')': '(', ']': '[', '}': '{'}[c] {
				partner[p.Pos], partner[open[n-1]] = open[n-1], p.Pos
				open = open[:n-1]
			} else {
				partner[p.Pos] = -1
			}
		}
	}
	one := func(at int, look string) editor.Span { return editor.Span{From: at, To: at + 1, Look: look} }
	var spans []editor.Span
	for at, other := range partner {
		switch {
		case other < 0:
			spans = append(spans, one(at, openLook))
		case at == cursor || at == cursor-1 && at > other:
			spans = append(spans, one(at, matchLook), one(other, matchLook))
		}
	}
	return spans
}
