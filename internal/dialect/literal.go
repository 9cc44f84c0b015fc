package dialect

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// decodeString gives the content of a string, bytes or quoted-name token. Errors point into the token.
func decodeString(src string, t token, sql Lang) (string, *Error) {
	if t.bad != "" {
		return "", errorf(t.Span, "Syntax error: %s", t.bad)
	}
	s := src[t.Pos:t.End]
	if sql == GoogleSQL {
		n, raw, k := 0, false, t.kind
		if t.kind != kindQuoted {
			n, raw, k = literalPrefix(s)
		}
		quotes := 1
		if t.kind != kindQuoted && len(s) >= n+6 && strings.HasPrefix(s[n:], strings.Repeat(s[n:n+1], 3)) {
			quotes = 3
		}
		body := s[n+quotes : len(s)-quotes]
		if raw {
			return body, nil
		}
		return unescape(body, t.Pos+n+quotes, k)
	}
	switch c := s[0]; {
	case c == '\'' || c == '"':
		q := s[:1]
		return strings.ReplaceAll(s[1:len(s)-1], q+q, q), nil
	case c == 'e' || c == 'E':
		return unescapeE(s[2 : len(s)-1]), nil
	case c == '$':
		n := strings.IndexByte(s[1:], '$') + 2
		return s[n : len(s)-n], nil
	}
	return "", errorf(t.Span, "Syntax error: only plain, E'…' and $$…$$ strings can stand here")
}

// unescape decodes GoogleSQL's escapes. In a bytes literal a character outside ASCII stands for its UTF-8 bytes, and
// \x and octal escapes for bytes; in a string they stand for code points.
func unescape(s string, pos int, k kind) (string, *Error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			i++
			continue
		}
		bad := func(n int) *Error {
			n = min(n, len(s)-i)
			return errorf(Span{pos + i, pos + i + n}, "Syntax error: Illegal escape sequence: %s", s[i:i+n])
		}
		if i+1 >= len(s) {
			return "", bad(1)
		}
		c := s[i+1]
		if j := strings.IndexByte(`abfnrtv\?"'`+"`", c); j >= 0 {
			b.WriteByte("\a\b\f\n\r\t\v\\?\"'`"[j])
			i += 2
			continue
		}
		from, n, base := i+2, 0, 16
		switch c {
		case 'x', 'X':
			n = 2
		case 'u':
			n = 4
		case 'U':
			n = 8
		case '0', '1', '2', '3':
			from, n, base = i+1, 3, 8
		}
		if n == 0 || from+n > len(s) || k == kindBytes && n > 3 {
			return "", bad(2)
		}
		// ParseUint takes no sign but would take underscores only with base 0.
		v, err := strconv.ParseUint(s[from:from+n], base, 32)
		switch {
		case err != nil:
			return "", bad(from + n - i)
		case k == kindBytes:
			b.WriteByte(byte(v))
		case v > utf8.MaxRune || v >= 0xD800 && v <= 0xDFFF:
			return "", bad(from + n - i)
		default:
			b.WriteRune(rune(v))
		}
		i = from + n
	}
	return b.String(), nil
}

// unescapeE decodes the body of DuckDB's E'…'.
func unescapeE(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\'' {
			i++ // a quote is doubled here, or the literal would have ended
		}
		if c != '\\' || i+1 >= len(s) {
			b.WriteByte(c)
			continue
		}
		i++
		number := func(base, most int) {
			n := 0
			for n < most && i+n < len(s) && (base == 16 && isHex(s[i+n]) || base == 8 && s[i+n] >= '0' && s[i+n] <= '7') {
				n++
			}
			v, _ := strconv.ParseUint(s[i:i+n], base, 32)
			b.WriteByte(byte(v))
			i += n - 1
		}
		switch c := s[i]; {
		case strings.IndexByte("bfnrt", c) >= 0:
			b.WriteByte("\b\f\n\r\t"[strings.IndexByte("bfnrt", c)])
		case c == 'x' && i+1 < len(s) && isHex(s[i+1]):
			i++
			number(16, 2)
		case c >= '0' && c <= '7':
			number(8, 3)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// quoteString writes a DuckDB string literal.
func quoteString(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// quoteName writes a DuckDB quoted identifier.
func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
