package dialect

import (
	"sort"
	"strings"

	"github.com/mallardml/mallard/internal/functiontable"
)

// TextCall is a call in plain DuckDB form: ML_PREDICT('m', 'SELECT …').
type TextCall struct {
	Func         string // ML.PREDICT; "" for ml_estimate, which takes no model
	Name         Span
	Model, Input TextLiteral // zero for what is no literal
}

// TextLiteral is a string literal.
type TextLiteral struct {
	Span
	Value string
	body  Span // between the quotes
	plain bool // the value stands there as it is
}

// TextCalls finds the calls in plain form in a text of DuckDB's dialect.
func TextCalls(src string) (all []TextCall) {
	var toks []token
	for _, t := range lex(src, 0, len(src), DuckDB) {
		if t.kind != kindSpace && t.kind != kindComment {
			toks = append(toks, t)
		}
	}
	text := func(i int) string {
		if i < 0 || i >= len(toks) {
			return ""
		}
		return src[toks[i].Pos:toks[i].End]
	}
	for i, t := range toks {
		if t.kind != kindWord || text(i-1) == "." || text(i+1) != "(" {
			continue
		}
		c := TextCall{Name: t.Span}
		if strings.EqualFold(text(i), "ml_estimate") {
			if text(i+3) == ")" {
				c.Input = textLiteral(src, toks[i+2])
			}
			all = append(all, c)
			continue
		}
		f, ok := functiontable.Named(text(i))
		if !ok || f.Kind != functiontable.Model || !strings.EqualFold(f.Plain, text(i)) {
			continue
		}
		c.Func = f.Name
		if text(i+3) == "," {
			c.Model = textLiteral(src, toks[i+2])
			if text(i+5) == "," || text(i+5) == ")" {
				c.Input = textLiteral(src, toks[i+4])
			}
		}
		all = append(all, c)
	}
	return all
}

func textLiteral(src string, t token) (l TextLiteral) {
	if t.kind != kindString {
		return l
	}
	v, err := decodeString(src, t, DuckDB)
	if err != nil {
		return l
	}
	l = TextLiteral{Span: t.Span, Value: v, body: Span{t.Pos + 1, t.End - 1}}
	switch src[t.Pos] {
	case '$':
		n := strings.IndexByte(src[t.Pos+1:], '$') + 2
		l.body, l.plain = Span{t.Pos + n, t.End - n}, true
	case 'e', 'E':
		l.body.Pos++
	}
	return l
}

// Place gives the place in the text of a byte of the value.
func (l TextLiteral) Place(src string, at int) int {
	at = max(0, min(at, len(l.Value)))
	body := src[l.body.Pos:l.body.End]
	if l.plain {
		return l.body.Pos + at
	}
	decode := unescapeE
	if src[l.Pos] == '\'' {
		decode = func(s string) string { return strings.ReplaceAll(s, "''", "'") }
	}
	n := sort.Search(len(body), func(n int) bool { return len(decode(body[:n+1])) > at })
	return l.body.Pos + n
}

// Called gives where a text of DuckDB's SQL calls a function by its name.
func Called(src, name string) (all []Span) {
	l := lexer{src: src, end: len(src), sql: DuckDB}
	var named Span
	for t, ok := l.next(); ok; t, ok = l.next() {
		text := src[t.Pos:t.End]
		switch {
		case t.kind == kindSpace, t.kind == kindComment:
			continue
		case text == "(" && named.End > 0:
			all = append(all, named)
		}
		if named = (Span{}); strings.EqualFold(strings.Trim(text, `"`), name) && (t.kind == kindWord || t.kind == kindQuoted) {
			named = t.Span
		}
	}
	return all
}
