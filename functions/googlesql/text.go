package googlesql

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// texts are functions of STRING and of BYTES (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/string_functions);
// the form over BYTES has _bytes behind its name.
var texts = map[string]definition{
	"upper":                  unary(upper),
	"lower":                  unary(lower),
	"upper_bytes":            unary(func(b []byte) ([]byte, error) { return mapASCII(b, 'a', 'z'), nil }),
	"lower_bytes":            unary(func(b []byte) ([]byte, error) { return mapASCII(b, 'A', 'Z'), nil }),
	"initcap":                binary(initcap),
	"normalize":              binary(normalize),
	"normalize_and_casefold": binary(normalizeAndCasefold),
	"reverse":                unary(reverse),
	"reverse_bytes":          unary(reverseBytes),
	"repeat":                 binary(repeat[string]),
	"repeat_bytes":           binary(repeat[[]byte]),
	"replace":                ternary(replace),
	"replace_bytes":          ternary(replaceBytes),
	"translate":              ternary(translate),
	"translate_bytes":        ternary(translateBytes),
	"split":                  binary(split),
	"split_bytes":            binary(splitBytes),
	"soundex":                unary(soundex),
	"edit_distance": ternary(func(a, b string, most sql.Null[int64]) (int64, error) {
		return editDistance([]rune(a), []rune(b), most)
	}),
	"edit_distance_bytes": ternary(func(a, b []byte, most sql.Null[int64]) (int64, error) { return editDistance(a, b, most) }),
	"starts_with_bytes":   binary(func(b, prefix []byte) (bool, error) { return bytes.HasPrefix(b, prefix), nil }),
	"ends_with_bytes":     binary(func(b, suffix []byte) (bool, error) { return bytes.HasSuffix(b, suffix), nil }),
}

// maxOutput is BigQuery's bound of what the functions give that make long values of short ones.
const maxOutput = 1 << 20

func outputOf(name string, size int) error {
	if size > maxOutput {
		return fmt.Errorf("Output of %s exceeds max allowed output size of 1MB", name)
	}
	return nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func upper(s string) (string, error) {
	if isASCII(s) {
		return strings.ToUpper(s), nil
	}
	return cases.Upper(language.Und).String(s), nil
}

func lower(s string) (string, error) {
	if isASCII(s) {
		return strings.ToLower(s), nil
	}
	return cases.Lower(language.Und).String(s), nil
}

// mapASCII changes the case of the letters from first to last.
func mapASCII(b []byte, first, last byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if first <= c && c <= last {
			out[i] = c ^ 0x20
		}
	}
	return out
}

func initcap(s, delimiters string) (string, error) {
	var b strings.Builder
	first := true
	for _, r := range s {
		switch {
		case strings.ContainsRune(delimiters, r):
			first = true
		case first:
			r, first = unicode.ToUpper(r), false
		default:
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String(), nil
}

var forms = map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD}

func normalize(s, mode string) (string, error) {
	form, ok := forms[mode]
	if !ok {
		return "", fmt.Errorf("Invalid normalize mode %q", mode)
	}
	return form.String(s), nil
}

func normalizeAndCasefold(s, mode string) (string, error) {
	form, ok := forms[mode]
	if !ok {
		return "", fmt.Errorf("Invalid normalize mode %q", mode)
	}
	return cases.Fold().String(form.String(s)), nil
}

func reverse(s string) (string, error) {
	out := make([]byte, len(s))
	at := len(s)
	for i := 0; i < len(s); {
		_, n := utf8.DecodeRuneInString(s[i:])
		at -= n
		copy(out[at:], s[i:i+n])
		i += n
	}
	return string(out), nil
}

func reverseBytes(b []byte) ([]byte, error) {
	out := make([]byte, len(b))
	for i, c := range b {
		out[len(b)-1-i] = c
	}
	return out, nil
}

func repeat[T string | []byte](s T, n int64) (T, error) {
	if n < 0 {
		return s[:0], errors.New("Second argument (repeat count) for REPEAT cannot be negative")
	}
	if len(s) == 0 || n == 0 {
		return s[:0], nil
	}
	if n > maxOutput {
		return s[:0], outputOf("REPEAT", maxOutput+1)
	}
	if err := outputOf("REPEAT", len(s)*int(n)); err != nil {
		return s[:0], err
	}
	return T(strings.Repeat(string(s), int(n))), nil
}

func replace(s, old, by string) (string, error) {
	if old == "" {
		return s, nil
	}
	n := strings.Count(s, old)
	if n == 0 {
		return s, nil
	}
	if err := outputOf("REPLACE", len(s)+n*(len(by)-len(old))); err != nil {
		return "", err
	}
	return strings.ReplaceAll(s, old, by), nil
}

func replaceBytes(b, old, by []byte) ([]byte, error) {
	s, err := replace(string(b), string(old), string(by))
	return []byte(s), err
}

func translate(s, from, to string) (string, error) {
	by := map[rune]rune{}
	target := []rune(to)
	i := 0
	for _, r := range from {
		if _, twice := by[r]; twice {
			return "", fmt.Errorf("Duplicate character %q in TRANSLATE source characters", string(r))
		}
		by[r] = -1
		if i < len(target) {
			by[r] = target[i]
		}
		i++
	}
	out := strings.Map(func(r rune) rune {
		if to, ok := by[r]; ok {
			return to
		}
		return r
	}, s)
	return out, outputOf("TRANSLATE", len(out))
}

func translateBytes(b, from, to []byte) ([]byte, error) {
	const gone, same = 256, 257
	var by [256]int
	for i := range by {
		by[i] = same
	}
	for i, c := range from {
		if by[c] != same {
			return nil, fmt.Errorf("Duplicate byte 0x%02x in TRANSLATE source bytes", c)
		}
		by[c] = gone
		if i < len(to) {
			by[c] = int(to[i])
		}
	}
	out := make([]byte, 0, len(b))
	for _, c := range b {
		switch to := by[c]; to {
		case gone:
		case same:
			out = append(out, c)
		default:
			out = append(out, byte(to))
		}
	}
	return out, nil
}

func split(s, by string) ([]string, error) {
	if s == "" {
		return []string{""}, nil
	}
	return strings.Split(s, by), nil
}

func splitBytes(b, by []byte) ([][]byte, error) {
	if len(b) > 0 && len(by) == 0 {
		out := make([][]byte, len(b))
		for i := range b {
			out[i] = b[i : i+1]
		}
		return out, nil
	}
	if len(b) == 0 {
		return [][]byte{{}}, nil
	}
	return bytes.Split(b, by), nil
}

// soundexCodes are those of the letters A to Z; a letter of code 0 counts only at the beginning, and parts no equal codes.
const soundexCodes = "01230120022455012623010202"

func soundex(s string) (string, error) {
	out := make([]byte, 0, 4)
	last := byte(0)
	for i := 0; i < len(s) && len(out) < 4; i++ {
		c := s[i]
		letter := c &^ 0x20
		if letter < 'A' || letter > 'Z' || c >= utf8.RuneSelf {
			continue
		}
		code := soundexCodes[letter-'A']
		switch {
		case len(out) == 0:
			out, last = append(out, c), code
		case code != '0' && code != last:
			out, last = append(out, code), code
		}
	}
	if len(out) == 0 {
		return "", nil
	}
	return (string(out) + "000")[:4], nil
}

// editDistance is Levenshtein's distance, bounded by most, which may be NULL.
func editDistance[T rune | byte](x, y []T, most sql.Null[int64]) (int64, error) {
	if most.Valid && most.V < 0 {
		return 0, errors.New("Max distance must be non-negative")
	}
	if len(x)*len(y) > 1<<28 {
		return 0, errors.New("EDIT_DISTANCE of texts this long is not supported")
	}
	row := make([]int64, len(y)+1)
	for j := range row {
		row[j] = int64(j)
	}
	for i, r := range x {
		before := row[0]
		row[0] = int64(i + 1)
		for j, q := range y {
			cost := before
			if r != q {
				cost = min(before, row[j], row[j+1]) + 1
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	d := row[len(y)]
	if most.Valid {
		d = min(d, most.V)
	}
	return d, nil
}
