package dialect

import (
	"strings"
	"unicode/utf8"
)

type kind uint8

const (
	kindSpace   kind = iota
	kindComment      // with its marks; a line comment ends before its newline
	kindWord         // an identifier or keyword without quotes
	kindQuoted       // a quoted identifier: "…" in DuckDB, `…` in GoogleSQL
	kindString       // any string literal with prefix and quotes
	kindBytes        // a GoogleSQL bytes literal
	kindNumber
	kindParam // ?, $1, $name, @name
	kindPunct // a single character
)

// token is a span of the source; its text is src[Pos:End], the lexer copies nothing. Tokens tile the source.
type token struct {
	Span
	kind kind
	bad  string // what is wrong with it: an open literal, a character of no use
}

// lexer cuts a source into tokens, one at a time, by the rules of one dialect.
type lexer struct {
	src string
	pos int
	end int
	sql Lang // DuckDB or GoogleSQL

	depth int // of the block comment that was read last
}

// next gives the token at the current place; ok is false at the end of the source.
func (l *lexer) next() (t token, ok bool) {
	if l.pos >= l.end {
		return token{}, false
	}
	start := l.pos
	if l.sql == GoogleSQL {
		t = l.googleSQL()
	} else {
		t = l.duckDB()
	}
	t.Pos, t.End = start, l.pos
	return t, true
}

// lex gives all tokens of src[pos:end].
func lex(src string, pos, end int, sql Lang) []token {
	l := lexer{src: src, pos: pos, end: end, sql: sql}
	var tokens []token
	for {
		t, ok := l.next()
		if !ok {
			return tokens
		}
		tokens = append(tokens, t)
	}
}

func (l *lexer) rest() string { return l.src[l.pos:l.end] }

// peek gives the byte n places on, 0 beyond the end. A NUL of the source is no character of any token, so that does no harm.
func (l *lexer) peek(n int) byte {
	if l.pos+n < l.end {
		return l.src[l.pos+n]
	}
	return 0
}

func (l *lexer) duckDB() token {
	c := l.peek(0)
	if n := spaceLen(l.rest()); n > 0 {
		return l.space()
	}
	switch {
	case c == '-' && l.peek(1) == '-':
		return l.lineComment()
	case c == '/' && l.peek(1) == '*':
		return l.blockComment(true)
	case c == '\'':
		return l.doubled(0, '\'', kindString)
	case c == '"':
		return l.doubled(0, '"', kindQuoted)
	case (c == 'e' || c == 'E') && l.peek(1) == '\'':
		return l.escapeString()
	case strings.IndexByte("xXbBnN", c) >= 0 && l.peek(1) == '\'':
		return l.doubled(1, '\'', kindString)
	case c == '$':
		return l.dollar()
	case c == '?':
		l.pos++
		for isDigit(l.peek(0)) {
			l.pos++
		}
		return token{kind: kindParam}
	case isDigit(c), c == '.' && isDigit(l.peek(1)):
		return l.number(true)
	case isWordStart(c):
		for l.pos < l.end && (isWordByte(l.src[l.pos]) || l.src[l.pos] == '$') && spaceLen(l.rest()) == 0 {
			l.pos++
		}
		return token{kind: kindWord}
	}
	l.pos++
	return token{kind: kindPunct}
}

func (l *lexer) googleSQL() token {
	c := l.peek(0)
	if n := spaceLen(l.rest()); n > 0 {
		return l.space()
	}
	switch {
	case c == '#', c == '-' && l.peek(1) == '-':
		return l.lineComment()
	case c == '/' && l.peek(1) == '*':
		return l.blockComment(false)
	case c == '`':
		return l.quoted(0, false, kindQuoted)
	case c == '@':
		return l.atParam()
	case c == '?':
		l.pos++
		return token{kind: kindParam}
	case isDigit(c), c == '.' && isDigit(l.peek(1)):
		return l.number(false)
	}
	if n, raw, k := literalPrefix(l.rest()); n >= 0 {
		return l.quoted(n, raw, k)
	}
	switch {
	case c >= utf8.RuneSelf:
		for l.pos < l.end && isWordByte(l.src[l.pos]) && spaceLen(l.rest()) == 0 {
			l.pos++
		}
		return token{kind: kindWord, bad: "GoogleSQL names outside ASCII need backticks"}
	case isWordStart(c):
		for l.pos < l.end && isWordByte(l.src[l.pos]) && l.src[l.pos] < utf8.RuneSelf {
			l.pos++
		}
		return token{kind: kindWord}
	}
	l.pos++
	t := token{kind: kindPunct}
	if strings.IndexByte("\\$\x00", c) >= 0 {
		t.bad = "GoogleSQL has no use for this character here"
	}
	return t
}

func (l *lexer) space() token {
	for n := spaceLen(l.rest()); n > 0; n = spaceLen(l.rest()) {
		l.pos += n
	}
	return token{kind: kindSpace}
}

// lineComment reads up to a newline; both dialects take a carriage return for one.
func (l *lexer) lineComment() token {
	if i := strings.IndexAny(l.rest(), "\r\n"); i >= 0 {
		l.pos += i
	} else {
		l.pos = l.end
	}
	return token{kind: kindComment}
}

func (l *lexer) blockComment(nested bool) token {
	depth := 0
	for l.pos < l.end {
		switch {
		case l.peek(0) == '/' && l.peek(1) == '*' && (nested || depth == 0):
			depth++
			l.pos += 2
		case l.peek(0) == '*' && l.peek(1) == '/':
			depth--
			l.pos += 2
			if depth == 0 {
				return token{kind: kindComment}
			}
		default:
			l.pos++
		}
	}
	l.depth = depth
	return token{kind: kindComment, bad: "this comment has no end"}
}

// doubled reads a literal whose quote is written twice inside it, after a prefix of n bytes.
func (l *lexer) doubled(n int, quote byte, k kind) token {
	l.pos += n + 1
	for l.pos < l.end {
		if l.peek(0) == quote {
			if l.peek(1) != quote {
				l.pos++
				return token{kind: k}
			}
			l.pos++
		}
		l.pos++
	}
	if k == kindQuoted {
		return token{kind: k, bad: "this quoted name has no end"}
	}
	return token{kind: k, bad: "this string has no end"}
}

// escapeString reads DuckDB's E'…', where a backslash guards the next byte and a quote may be doubled too.
func (l *lexer) escapeString() token {
	l.pos += 2
	for l.pos < l.end {
		switch c := l.peek(0); {
		case c == '\\' && l.pos+1 < l.end:
			l.pos += 2
		case c == '\'' && l.peek(1) == '\'':
			l.pos += 2
		case c == '\'':
			l.pos++
			return token{kind: kindString}
		default:
			l.pos++
		}
	}
	return token{kind: kindString, bad: "this string has no end"}
}

// dollar reads $tag$…$tag$, $1 or $name.
func (l *lexer) dollar() token {
	n := 1
	for c := l.peek(n); isWordByte(c) && (n > 1 || !isDigit(c)); c = l.peek(n) {
		n++
	}
	if l.peek(n) == '$' {
		mark := l.src[l.pos : l.pos+n+1]
		if i := strings.Index(l.src[l.pos+n+1:l.end], mark); i >= 0 {
			l.pos += n + 1 + i + len(mark)
			return token{kind: kindString}
		}
		l.pos = l.end
		return token{kind: kindString, bad: "this string has no end: " + mark + " is missing"}
	}
	for isDigit(l.peek(n)) {
		n++
	}
	l.pos += n
	if n == 1 {
		return token{kind: kindPunct}
	}
	return token{kind: kindParam}
}

func (l *lexer) atParam() token {
	n := 1
	if l.peek(1) == '@' {
		n = 2
	}
	if n == 1 && l.sql == GoogleSQL && l.peek(1) == '`' { // @`name`, as SQLAlchemy writes it
		from := l.pos + 2
		t := l.quoted(1, false, kindParam)
		if name := l.src[from:max(from, l.pos-1)]; t.bad == "" && (name == "" || strings.IndexFunc(name, notInNames) >= 0) {
			t.bad = "a parameter's name has letters, digits and underscores"
		}
		return t
	}
	for isWordByte(l.peek(n)) && l.peek(n) < utf8.RuneSelf {
		n++
	}
	l.pos += n
	t := token{kind: kindParam}
	switch name := l.src[l.pos-n : l.pos]; {
	case strings.HasPrefix(name, "@@"):
		t.bad = "system variables are not supported"
	case name == "@" || isDigit(name[1]):
		t.bad = "a parameter needs a name: @name"
	}
	return t
}

// notInNames tells what may not stand in a parameter's name.
func notInNames(c rune) bool { return c >= utf8.RuneSelf || !isWordByte(byte(c)) }

func (l *lexer) number(underscores bool) token {
	digits := func() {
		for isDigit(l.peek(0)) || underscores && l.peek(0) == '_' && isDigit(l.peek(1)) {
			l.pos++
		}
	}
	if !underscores && l.peek(0) == '0' && (l.peek(1) == 'x' || l.peek(1) == 'X') && isHex(l.peek(2)) {
		l.pos += 2
		for isHex(l.peek(0)) {
			l.pos++
		}
		return token{kind: kindNumber}
	}
	digits()
	if l.peek(0) == '.' {
		l.pos++
		digits()
	}
	if c := l.peek(0); c == 'e' || c == 'E' {
		n := 1
		if s := l.peek(1); s == '+' || s == '-' {
			n = 2
		}
		if isDigit(l.peek(n)) {
			l.pos += n
			digits()
		}
	}
	return token{kind: kindNumber}
}

// literalPrefix finds the start of a GoogleSQL string or bytes literal: n bytes of prefix before the quote, or -1.
func literalPrefix(s string) (n int, raw bool, k kind) {
	k = kindString
	for n < len(s) {
		switch s[n] {
		case '\'', '"':
			return n, raw, k
		case 'r', 'R':
			if raw {
				return -1, false, 0
			}
			raw = true
		case 'b', 'B':
			if k == kindBytes {
				return -1, false, 0
			}
			k = kindBytes
		default:
			return -1, false, 0
		}
		n++
	}
	return -1, false, 0
}

// quoted reads a GoogleSQL literal or quoted name after a prefix of n bytes. A backslash guards the next byte, in raw
// strings too. A line break in a plain literal is wrong, but the literal goes on, so that a text splits the same way.
func (l *lexer) quoted(n int, raw bool, k kind) token {
	quote := l.src[l.pos+n]
	l.pos += n
	mark := l.src[l.pos : l.pos+1]
	if quote != '`' && strings.HasPrefix(l.rest(), strings.Repeat(mark, 3)) {
		mark = strings.Repeat(mark, 3)
	}
	l.pos += len(mark)
	t := token{kind: k}
	for l.pos < l.end {
		c := l.src[l.pos]
		switch {
		case c == '\\' && l.pos+1 < l.end:
			l.pos += 2
			continue
		case c == quote && strings.HasPrefix(l.rest(), mark):
			l.pos += len(mark)
			return t
		case (c == '\n' || c == '\r') && len(mark) == 1 && t.bad == "":
			t.bad = "this string runs over the end of its line; use triple quotes for that"
			if k == kindQuoted {
				t.bad = "this quoted name runs over the end of its line"
			}
		}
		l.pos++
	}
	t.bad = "this string has no end"
	if k == kindQuoted {
		t.bad = "this quoted name has no end"
	}
	return t
}

// spaceLen is the length of the blank character that s starts with, or 0. DuckDB takes these Unicode spaces for blanks
// outside literals, and so do we for GoogleSQL.
func spaceLen(s string) int {
	if s == "" {
		return 0
	}
	switch c := s[0]; {
	case c == ' ', c >= '\t' && c <= '\r':
		return 1
	case c < utf8.RuneSelf:
		return 0
	}
	switch r, n := utf8.DecodeRuneInString(s); {
	case r == 0xA0, r >= 0x2000 && r <= 0x200B, r == 0x202F, r == 0x205F, r == 0x2060, r == 0x3000, r == 0xFEFF:
		return n
	}
	return 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func isWordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}

func isWordByte(c byte) bool { return isWordStart(c) || isDigit(c) }
