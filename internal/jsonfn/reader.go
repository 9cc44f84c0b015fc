package jsonfn

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// reader goes through a JSON text. Its methods report false where the text cannot be read.
type reader struct {
	s string
	i int
}

func (r *reader) blanks() {
	for r.i < len(r.s) {
		switch r.s[r.i] {
		case ' ', '\t', '\n', '\r':
			r.i++
		default:
			return
		}
	}
}

// peek gives the next character that is no blank, 0 at the end.
func (r *reader) peek() byte {
	r.blanks()
	if r.i < len(r.s) {
		return r.s[r.i]
	}
	return 0
}

func (r *reader) accept(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.i++
	return true
}

// find goes to the value that the steps lead to. Of a repeated key the first counts, since reading stops there.
func (r *reader) find(steps []step) bool {
	for _, st := range steps {
		if st.index >= 0 && !r.element(st.index) || st.index < 0 && !r.member(st.key) {
			return false
		}
	}
	return true
}

func (r *reader) member(want string) bool {
	if !r.accept('{') || r.peek() == '}' {
		return false
	}
	for {
		if !r.atText() {
			return false
		}
		key, ok := r.text()
		if !ok || !r.accept(':') {
			return false
		}
		if key == want {
			return true
		}
		if !r.value(nil) || !r.accept(',') {
			return false
		}
	}
}

func (r *reader) element(n int) bool {
	if !r.accept('[') || r.peek() == ']' {
		return false
	}
	for ; n > 0; n-- {
		if !r.value(nil) || !r.accept(',') {
			return false
		}
	}
	return true
}

// atText reports whether a string comes next: BigQuery takes single quotes, too.
func (r *reader) atText() bool { return r.peek() == '"' || r.peek() == '\'' }

// text reads a string and gives its content.
func (r *reader) text() (string, bool) {
	start := r.i + 1
	for i := start; i < len(r.s); i++ {
		switch r.s[i] {
		case '\\':
			i++
		case r.s[r.i]:
			r.i = i + 1
			return unquote(r.s[start:i])
		}
	}
	return "", false
}

// scalar reads a number or a word and gives its text.
func (r *reader) scalar() (string, bool) {
	start := r.i
	for r.i < len(r.s) && strings.IndexByte("+-.", r.s[r.i]) >= 0 || r.i < len(r.s) && isAlphanumeric(r.s[r.i]) {
		r.i++
	}
	s := r.s[start:r.i]
	return s, s == "true" || s == "false" || s == "null" || isNumber(s)
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isNumber follows JSON's grammar.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	digits := func() bool {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n > 0
	}
	if len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' || !digits() {
		return false
	}
	if strings.HasPrefix(s, ".") {
		s = s[1:]
		if !digits() {
			return false
		}
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if !digits() {
			return false
		}
	}
	return s == ""
}

// compact reads a value that is not null, and gives it without blanks.
func (r *reader) compact() (string, bool) {
	var b strings.Builder
	if !r.value(&b) || b.String() == "null" {
		return "", false
	}
	return b.String(), true
}

// content reads a scalar that is not null: what is in a string, or the text of another one.
func (r *reader) content() (string, bool) {
	switch r.peek() {
	case '{', '[':
		return "", false
	case '"', '\'':
		return r.text()
	}
	s, ok := r.scalar()
	if !ok || s == "null" {
		return "", false
	}
	return s, true
}

// value reads one value of any depth, and writes it without blanks when b is given. Brackets are kept in a list of its
// own, so that no text can exhaust the stack.
func (r *reader) value(b *strings.Builder) bool {
	write := func(s string) {
		if b != nil {
			b.WriteString(s)
		}
	}
	var open []byte
	for {
		// A value must start here.
		switch c := r.peek(); c {
		case '{', '[':
			r.i++
			write(string(c))
			closing := c + 2 // { and }, [ and ] lie two apart
			if r.accept(closing) {
				write(string(closing))
				break
			}
			open = append(open, closing)
			if c == '{' && !r.key(write) {
				return false
			}
			continue
		case '"', '\'':
			s, ok := r.text()
			if !ok {
				return false
			}
			if b != nil {
				quote(b, s)
			}
		default:
			s, ok := r.scalar()
			if !ok {
				return false
			}
			write(s)
		}
		// A value has ended.
		for {
			if len(open) == 0 {
				return true
			}
			top := open[len(open)-1]
			if r.accept(',') {
				write(",")
				if top == '}' && !r.key(write) {
					return false
				}
				break
			}
			if !r.accept(top) {
				return false
			}
			write(string(top))
			open = open[:len(open)-1]
		}
	}
}

func (r *reader) key(write func(string)) bool {
	if !r.atText() {
		return false
	}
	s, ok := r.text()
	if !ok || !r.accept(':') {
		return false
	}
	var b strings.Builder
	quote(&b, s)
	write(b.String() + ":")
	return true
}

// unquote decodes the inside of a JSON string. Half a surrogate pair becomes U+FFFD.
func unquote(s string) (string, bool) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i >= len(s) {
			return "", false
		}
		switch c := s[i]; c {
		case '"', '\\', '/', '\'':
			b.WriteByte(c)
		case 'b', 'f', 'n', 'r', 't':
			b.WriteByte("\b\f\n\r\t"[strings.IndexByte("bfnrt", c)])
		case 'u':
			u, ok := hex4(s[i+1:])
			if !ok {
				return "", false
			}
			i += 4
			if utf16.IsSurrogate(u) {
				low, ok := rune(0), false
				if strings.HasPrefix(s[i+1:], `\u`) {
					low, ok = hex4(s[i+3:])
				}
				if u = utf16.DecodeRune(u, low); ok && u != utf8.RuneError {
					i += 6
				}
			}
			b.WriteRune(u)
		default:
			return "", false
		}
	}
	return b.String(), true
}

func hex4(s string) (rune, bool) {
	if len(s) < 4 || strings.ContainsAny(s[:4], "+-_") {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:4], 16, 32)
	return rune(n), err == nil
}

// quote writes a JSON string with the escapes it needs and no others.
func quote(b *strings.Builder, s string) {
	const hex = "0123456789abcdef"
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if j := strings.IndexByte("\"\\\b\f\n\r\t", c); j >= 0 {
			b.WriteByte('\\')
			b.WriteByte(`"\bfnrt`[j])
		} else if c < ' ' {
			b.WriteString(`\u00` + string(hex[c>>4]) + string(hex[c&15]))
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}
