package googlesql

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzJSON holds that what is read as JSON is written as JSON that reads as the same.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"b":[1,2.50,null],"a":"\u00e9\n"}`, `1e999`, `-0.0`, `"\ud800\udc00"`, `[[[`, `{"a":1,"a":2}`, "[1] x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseJSON(s, exact)
		if err != nil || !utf8.ValidString(s) {
			return
		}
		once := jsonString(v)
		again, err := parseJSON(once, rounded)
		if err != nil || jsonString(again) != once {
			t.Errorf("%q became %q, then %v, %v", s, once, again, err)
		}
	})
}

// FuzzLike compares LIKE with an expression of the same meaning.
func FuzzLike(f *testing.F) {
	for _, p := range []string{`a%b_`, `%%`, `\%_`, `é%`, `_`, ``} {
		f.Add("aéb\n%", p)
	}
	f.Fuzz(func(t *testing.T, s, pattern string) {
		if !utf8.ValidString(s) || !utf8.ValidString(pattern) || len(pattern) > 100 {
			return
		}
		var b strings.Builder
		escaped := false
		for _, r := range pattern {
			switch {
			case escaped:
				b.WriteString(regexp.QuoteMeta(string(r)))
				escaped = false
			case r == '\\':
				escaped = true
			case r == '%':
				b.WriteString(`.*`)
			case r == '_':
				b.WriteString(`.`)
			default:
				b.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
		got, err := like(s, pattern)
		if (err != nil) != escaped {
			t.Fatalf("%q LIKE %q: %v", s, pattern, err)
		}
		if want := err == nil && regexp.MustCompile(`(?s)\A`+b.String()+`\z`).MatchString(s); got != want {
			t.Errorf("%q LIKE %q = %v", s, pattern, got)
		}
	})
}

// FuzzFormats holds that no pattern of FORMAT, no element of CAST … FORMAT and no path ends the process.
func FuzzFormats(f *testing.F) {
	for _, s := range []string{"%d", "%'*.3f%%", "YYYY-MM \"x\\\"", "$9,999.99EEEE", "lax $.a[0].\"b\"", "%", "S9V9MI"} {
		f.Add(s, "2020-01-02 12")
	}
	f.Fuzz(func(t *testing.T, s, text string) {
		_, _ = parsePattern(s)
		_, _ = parsePath(s, false)
		_, _ = parsePath(s, true)
		_, _ = writeMoment("TIMESTAMP", datetime(0).time(), s)
		_, _ = readByFormat("DATETIME", text, s, datetime(0).time().Location())
		_, _ = castNumber(12.5, s)
		_, _ = castTimestamp(text, s)
		_, _ = (&expressions{}).replace(text, "(a)|b", s)
	})
}
