package dialect

import "strings"

// parser walks over the tokens of one statement without its blanks and comments.
type parser struct {
	src   string
	sql   Lang
	toks  []token
	i     int
	end   int   // where the statement ends
	deep  int   // how deep the current bracket is nested
	pairs []int // by index of an opening bracket, that of the closing one; made when first asked for

	functions      []*Function // what calls has found
	tableFunctions []*TableFunction
	items          []column // what dataRefs has found
}

// maxDepth bounds the nesting of brackets, since a Go stack that overflows ends the process.
const maxDepth = 400

// nest counts one level of nesting; the caller gives it back with p.deep--.
func (p *parser) nest() *Error {
	p.deep++
	if p.deep > maxDepth {
		return errorf(p.at(0).Span, "this statement nests more than %d levels deep", maxDepth)
	}
	return nil
}

func newParser(src string, st Statement) *parser {
	p := &parser{src: src, sql: st.Lang, end: st.End}
	for _, t := range lex(src, st.Pos, st.End, st.Lang) {
		if t.kind != kindSpace && t.kind != kindComment || t.bad != "" {
			p.toks = append(p.toks, t)
		}
	}
	return p
}

// at gives the token n places on; beyond the end it is an empty punctuation at the statement's end.
func (p *parser) at(n int) token {
	if p.i+n < len(p.toks) && p.i+n >= 0 {
		return p.toks[p.i+n]
	}
	return token{Span: Span{p.end, p.end}, kind: kindPunct}
}

func (p *parser) done() bool { return p.i >= len(p.toks) }

func (p *parser) text(t token) string { return p.src[t.Pos:t.End] }

// word gives the upper-case word n places on, "" when there is none.
func (p *parser) word(n int) string {
	if t := p.at(n); t.kind == kindWord {
		return strings.ToUpper(p.text(t))
	}
	return ""
}

func (p *parser) isWord(n int, want string) bool {
	t := p.at(n)
	return t.kind == kindWord && len(want) == t.End-t.Pos && strings.EqualFold(p.text(t), want)
}

// words reports whether these words come next.
func (p *parser) words(want ...string) bool {
	for n, w := range want {
		if !p.isWord(n, w) {
			return false
		}
	}
	return true
}

// accept steps over these words when they come next.
func (p *parser) accept(want ...string) bool {
	if !p.words(want...) {
		return false
	}
	p.i += len(want)
	return true
}

func (p *parser) isPunct(n int, c byte) bool {
	t := p.at(n)
	return t.kind == kindPunct && t.End > t.Pos && p.src[t.Pos] == c
}

func (p *parser) acceptPunct(c byte) bool {
	if !p.isPunct(0, c) {
		return false
	}
	p.i++
	return true
}

// got describes the next token the way GoogleSQL's messages do.
func (p *parser) got() string {
	t := p.at(0)
	s := p.text(t)
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	switch {
	case p.done():
		return "end of statement"
	case t.kind == kindWord && (reserved[strings.ToUpper(s)] || clauseWords[strings.ToUpper(s)]):
		return "keyword " + strings.ToUpper(s)
	case t.kind == kindWord, t.kind == kindQuoted:
		return "identifier " + s
	case t.kind == kindString:
		return "string literal " + s
	case t.kind == kindNumber:
		return "number " + s
	}
	return `"` + s + `"`
}

// clauseWords are GoogleSQL's keywords that are not reserved, as far as our statements have them.
var clauseWords = wordSet("CASCADE CONNECTION INPUT MODEL OPTIONS OUTPUT REMOTE RENAME RESTRICT TABLE TRANSFORM")

// expected reports that something else should stand at the next token.
func (p *parser) expected(what string) *Error {
	if t := p.at(0); t.bad != "" {
		return errorf(t.Span, "Syntax error: %s", t.bad)
	}
	return errorf(p.at(0).Span, "Syntax error: Expected %s but got %s", what, p.got())
}

func (p *parser) expect(want ...string) *Error {
	for _, w := range want {
		if !p.accept(w) {
			return p.expected("keyword " + w)
		}
	}
	return nil
}

func (p *parser) expectPunct(c byte) *Error {
	if !p.acceptPunct(c) {
		return p.expected(`"` + string(c) + `"`)
	}
	return nil
}

func (p *parser) expectEnd() *Error {
	if !p.done() {
		return p.expected("end of input")
	}
	return nil
}

// since is the span from pos to the end of the last token read.
func (p *parser) since(pos int) Span { return Span{pos, max(pos, p.at(-1).End)} }

// path reads a dotted name. Its first part may have dashes when it is not quoted.
func (p *parser) path() (Path, *Error) {
	t := p.at(0)
	out := Path{Span: t.Span}
	if t.bad != "" {
		return out, errorf(t.Span, "Syntax error: %s", t.bad)
	}
	switch t.kind {
	case kindWord, kindQuoted:
	default:
		return out, p.expected("a name")
	}
	if t.kind == kindWord {
		end := t.End
		for end+1 < p.end && p.src[end] == '-' && isASCIIWordByte(p.src[end+1]) {
			end++
			for end < p.end && isASCIIWordByte(p.src[end]) {
				end++
			}
		}
		out.Parts = []string{p.src[t.Pos:end]}
		pos := end
		// A dash may be followed by digits, which the lexer may have read together with the dot: my-project-1.data.
		if end > t.End {
			for pos+1 < p.end && p.src[pos] == '.' && isWordStart(p.src[pos+1]) {
				start := pos + 1
				for pos = start; pos < p.end && isASCIIWordByte(p.src[pos]); pos++ {
				}
				out.Parts = append(out.Parts, p.src[start:pos])
			}
		}
		p.i++
		for !p.done() && p.at(0).Pos < pos {
			p.i++
		}
		if pos != p.at(-1).End {
			return out, errorf(Span{t.Pos, p.at(-1).End}, "Syntax error: a name cannot be read here").hint("Quote it")
		}
	} else {
		parts, err := p.quotedParts(t)
		if err != nil {
			return out, err
		}
		out.Parts = parts
		p.i++
	}
	for p.isPunct(0, '.') {
		p.i++
		t := p.at(0)
		switch t.kind {
		case kindWord:
			if t.bad != "" {
				return out, errorf(t.Span, "Syntax error: %s", t.bad)
			}
			out.Parts = append(out.Parts, p.text(t))
		case kindQuoted:
			parts, err := p.quotedParts(t)
			if err != nil {
				return out, err
			}
			out.Parts = append(out.Parts, parts...)
		default:
			return out, p.expected("a name after the dot")
		}
		p.i++
	}
	out.Span = p.since(out.Pos)
	return out, nil
}

func isASCIIWordByte(c byte) bool { return c < 0x80 && isWordByte(c) }

// quotedParts decodes a quoted name of a path; in GoogleSQL its dots separate parts.
func (p *parser) quotedParts(t token) ([]string, *Error) {
	s, err := decodeString(p.src, t, p.sql)
	if err != nil {
		return nil, err
	}
	if s == "" {
		return nil, errorf(t.Span, "Syntax error: Invalid empty identifier")
	}
	if p.sql != GoogleSQL {
		return []string{s}, nil
	}
	if strings.Contains(s, ":") {
		return nil, errorf(t.Span, "invalid name `%s`: a colon is legacy SQL", s).hint("Write `project.dataset.name`")
	}
	parts := strings.Split(s, ".")
	for _, part := range parts {
		if part == "" {
			return nil, errorf(t.Span, "invalid name `%s`: a part of it is empty", s)
		}
	}
	return parts, nil
}

// name reads one word or quoted name.
func (p *parser) name() (string, *Error) {
	t := p.at(0)
	switch {
	case t.bad != "":
		return "", errorf(t.Span, "Syntax error: %s", t.bad)
	case t.kind == kindWord:
		p.i++
		return p.text(t), nil
	case t.kind == kindQuoted:
		s, err := decodeString(p.src, t, p.sql)
		if err == nil && s == "" {
			err = errorf(t.Span, "Syntax error: Invalid empty identifier")
		}
		if err != nil {
			return "", err
		}
		p.i++
		return s, nil
	}
	return "", p.expected("a name")
}

// options reads ( name = value, … ). A comma before the closing bracket is accepted, as an official example has one.
func (p *parser) options() ([]Option, *Error) {
	if err := p.expectPunct('('); err != nil {
		return nil, err
	}
	list := []Option{}
	seen := map[string]bool{}
	for !p.acceptPunct(')') {
		start := p.at(0).Pos
		at := p.at(0).Span
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		if seen[strings.ToLower(name)] {
			return nil, errorf(at, "Duplicate option %s", name).hint("Give each option once")
		}
		seen[strings.ToLower(name)] = true
		if err := p.expectPunct('='); err != nil {
			return nil, err
		}
		v, err := p.constant()
		if err != nil {
			return nil, err
		}
		list = append(list, Option{Span: p.since(start), Name: name, Value: v})
		if !p.isPunct(0, ')') && !p.acceptPunct(',') {
			return nil, p.expected(`"," or ")"`)
		}
	}
	return list, nil
}

func (p *parser) toksWord(i int) string { return p.word(i - p.i) }

// closing gives the index of the bracket that closes the one at index i, -1 when there is none. Brackets of all kinds
// are one kind to it: what does not pair up is left to DuckDB or the grammar to refuse.
func (p *parser) closing(i int) int {
	if p.pairs == nil {
		p.pairs = make([]int, len(p.toks))
		var open []int
		for j, t := range p.toks {
			p.pairs[j] = -1
			if t.kind != kindPunct {
				continue
			}
			switch p.src[t.Pos] {
			case '(', '[', '{':
				open = append(open, j)
			case ')', ']', '}':
				if n := len(open); n > 0 {
					p.pairs[open[n-1]] = j
					open = open[:n-1]
				}
			}
		}
	}
	if i >= len(p.pairs) {
		return -1
	}
	return p.pairs[i]
}

// selectEnd are the words that end a select list.
var selectEnd = wordSet("WHERE GROUP HAVING QUALIFY WINDOW ORDER LIMIT UNION INTERSECT EXCEPT")

// step goes to the next token, over a bracket as a whole.
func (p *parser) step(i int) int {
	if t := p.toks[i]; t.kind == kindPunct && strings.IndexByte("([{", p.src[t.Pos]) >= 0 {
		if end := p.closing(i); end >= 0 {
			return end + 1
		}
	}
	return i + 1
}
