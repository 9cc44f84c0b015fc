package dialect

import "strings"

// Lexeme is a word, a name in backticks, a literal or a mark of a GoogleSQL text, for those who need no more than its outline.
type Lexeme struct {
	Span
	Text   string // of a name what stands inside the backticks, of a literal a quote
	Quoted bool   // a name in backticks, or a literal
	Depth  int    // of round and square brackets around it
}

// Is reports whether it is a word, whatever its case.
func (l Lexeme) Is(word string) bool { return !l.Quoted && strings.EqualFold(l.Text, word) }

// Literal reports whether it is a literal of a STRING or of BYTES.
func (l Lexeme) Literal() bool { return l.Quoted && l.Text == "'" }

// Lexemes reads a GoogleSQL text without its comments. A word has the dashes inside it: a project's name is one.
func Lexemes(src string) (all []Lexeme) {
	depth, dash := 0, -1 // where a dash behind a word ends
	put := func(text string, quoted bool, at Span) { all = append(all, Lexeme{at, text, quoted, depth}) }
	word := func(from, to int) {
		n := len(all) - 1
		if dash == from {
			n--
			all = all[:n+1]
		}
		if n >= 0 && (dash == from || all[n].End == from && isWordByte(src[from-1]) && !all[n].Quoted) {
			all[n].End, all[n].Text = to, src[all[n].Pos:to]
		} else {
			put(src[from:to], false, Span{from, to})
		}
	}
	l := lexer{src: src, end: len(src), sql: GoogleSQL}
	for t, ok := l.next(); ok; t, ok = l.next() {
		text := src[t.Pos:t.End]
		switch t.kind {
		case kindSpace, kindComment:
		case kindString, kindBytes:
			put("'", true, t.Span)
		case kindQuoted:
			put(strings.Trim(text, "`"), true, t.Span)
		case kindWord:
			word(t.Pos, t.End)
		case kindNumber: // of a name, perhaps: my-project-1.data
			for from := t.Pos; ; from++ {
				i := strings.IndexByte(src[from:t.End], '.')
				if i < 0 {
					i = t.End - from
				}
				if i > 0 {
					word(from, from+i)
				}
				if from += i; from == t.End {
					break
				}
				put(".", false, Span{from, from + 1})
			}
		default:
			switch text {
			case "(", "[":
				depth++
			case ")", "]":
				depth--
			case "-":
				if t.Pos > 0 && len(all) > 0 && !all[len(all)-1].Quoted && all[len(all)-1].End == t.Pos && isWordByte(src[t.Pos-1]) {
					dash = t.End
				}
			}
			put(text, false, t.Span)
		}
	}
	return all
}
