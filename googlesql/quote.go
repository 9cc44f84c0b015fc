package googlesql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// QuoteName writes a GoogleSQL identifier in backticks.
func QuoteName(s string) string { return "`" + escape(s, '`') + "`" }

// QuoteText writes a STRING literal in double quotes.
func QuoteText(s string) string { return `"` + escape(s, '"') + `"` }

// NameIfNeeded writes a GoogleSQL identifier: bare when it is a plain word that no keyword is, else in backticks.
func NameIfNeeded(s string) string {
	if plainWord(s) && !reserved[strings.ToUpper(s)] {
		return s
	}
	return QuoteName(s)
}

// escape writes the inside of a GoogleSQL literal. Bytes that are no UTF-8 cannot stand in one: they become U+FFFD.
func escape(s string, mark rune) string {
	var w strings.Builder
	for _, r := range strings.ToValidUTF8(s, string(utf8.RuneError)) {
		switch {
		case r == mark || r == '\\':
			w.WriteByte('\\')
			w.WriteRune(r)
		case r == '\n':
			w.WriteString(`\n`)
		case r == '\r':
			w.WriteString(`\r`)
		case r == '\t':
			w.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&w, `\x%02x`, r)
		default:
			w.WriteRune(r)
		}
	}
	return w.String()
}

func plainWord(s string) bool {
	plain := s != ""
	for i := range len(s) {
		c := s[i]
		plain = plain && (c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && '0' <= c && c <= '9')
	}
	return plain
}

// reserved are the keywords of https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords.
var reserved = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS
		CUBE CURRENT DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL
		GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE NATURAL
		NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT
		SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW WITH WITHIN`) {
		m[w] = true
	}
	return m
}()

// Unescape reads the inside of a GoogleSQL literal or quoted name: \n and its like, \xhh, \ooo, \uhhhh, \Uhhhhhhhh, and a backslash
// before a backslash, a quote, a backtick or a question mark.
func Unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var w strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			w.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", fmt.Errorf("a backslash stands at the end")
		}
		if j := strings.IndexByte(`abfnrtv`, s[i]); j >= 0 {
			w.WriteByte("\a\b\f\n\r\t\v"[j])
			continue
		}
		if strings.IndexByte("\\?\"'`", s[i]) >= 0 {
			w.WriteByte(s[i])
			continue
		}
		from, digits, base := i+1, 2, 16
		switch c := s[i]; {
		case c == 'x' || c == 'X':
		case c == 'u':
			digits = 4
		case c == 'U':
			digits = 8
		case c >= '0' && c <= '3':
			from, digits, base = i, 3, 8
		default:
			return "", fmt.Errorf(`\%c is no escape`, c)
		}
		if from+digits > len(s) {
			return "", fmt.Errorf("%q has too few digits", s[i-1:])
		}
		n, err := strconv.ParseUint(s[from:from+digits], base, 32)
		if err != nil || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
			return "", fmt.Errorf("%q is no character", s[i-1:from+digits])
		}
		w.WriteRune(rune(n))
		i = from + digits - 1
	}
	return w.String(), nil
}
