package googlesql

import (
	"database/sql"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// codings are the functions between texts, bytes and numbers.
var codings = map[string]definition{
	"ascii":                        unary(ascii),
	"ascii_bytes":                  unary(func(b []byte) (int64, error) { return int64((string(b) + "\x00")[0]), nil }),
	"unicode":                      unary(unicodeOf),
	"chr":                          unary(chr),
	"code_points_to_string":        unary(codePointsToString),
	"code_points_to_bytes":         unary(codePointsToBytes),
	"to_code_points":               unary(toCodePoints),
	"to_code_points_bytes":         unary(toCodePointsBytes),
	"to_hex":                       unary(func(b []byte) (string, error) { return hex.EncodeToString(b), nil }),
	"from_hex":                     unary(fromHex),
	"to_base32":                    unary(func(b []byte) (string, error) { return base32.StdEncoding.EncodeToString(b), nil }),
	"from_base32":                  unary(fromBase32),
	"to_base64":                    unary(func(b []byte) (string, error) { return base64.StdEncoding.EncodeToString(b), nil }),
	"from_base64":                  unary(fromBase64),
	"safe_convert_bytes_to_string": unary(func(b []byte) (string, error) { return toUTF8(b), nil }),
	"bytes_to_string":              unary(bytesToString),
}

func ascii(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	if s[0] >= utf8.RuneSelf {
		return 0, fmt.Errorf("Argument to ASCII is not a structurally valid ASCII string: '%s'", s)
	}
	return int64(s[0]), nil
}

func unicodeOf(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	r, _ := utf8.DecodeRuneInString(s)
	return int64(r), nil
}

func codePoint(n int64) (rune, error) {
	if n < 0 || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return 0, fmt.Errorf("Invalid codepoint %d", n)
	}
	return rune(n), nil
}

func chr(n int64) (string, error) {
	r, err := codePoint(n)
	return string(r), err
}

func codePointsToString(points []sql.Null[int64]) (sql.Null[string], error) {
	var b strings.Builder
	for _, p := range points {
		if !p.Valid {
			return sql.Null[string]{}, nil
		}
		r, err := codePoint(p.V)
		if err != nil {
			return sql.Null[string]{}, err
		}
		b.WriteRune(r)
	}
	return sql.Null[string]{V: b.String(), Valid: true}, nil
}

func codePointsToBytes(points []sql.Null[int64]) (sql.Null[[]byte], error) {
	out := make([]byte, 0, len(points))
	for _, p := range points {
		if !p.Valid {
			return sql.Null[[]byte]{}, nil
		}
		if p.V < 0 || p.V > 255 {
			return sql.Null[[]byte]{}, fmt.Errorf("Invalid ASCII value %d", p.V)
		}
		out = append(out, byte(p.V))
	}
	return sql.Null[[]byte]{V: out, Valid: true}, nil
}

func toCodePoints(s string) ([]int64, error) {
	out := make([]int64, 0, len(s))
	for _, r := range s {
		out = append(out, int64(r))
	}
	return out, nil
}

func toCodePointsBytes(b []byte) ([]int64, error) {
	out := make([]int64, len(b))
	for i, c := range b {
		out[i] = int64(c)
	}
	return out, nil
}

// fromHex reads a text of hexadecimal digits; one of an odd number of them as if a 0 stood before.
func fromHex(s string) ([]byte, error) {
	for i := range len(s) {
		if !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return nil, fmt.Errorf("Failed to decode invalid hexadecimal string due to character at offset %d: %s", i, s)
		}
	}
	if len(s)%2 == 1 {
		s = "0" + s
	}
	return hex.DecodeString(s)
}

func fromBase32(s string) ([]byte, error) {
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, errors.New("Failed to decode invalid base32 string")
	}
	return b, nil
}

// fromBase64 reads a text with or without white space and padding.
func fromBase64(s string) ([]byte, error) {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\n\v\f\r", r) {
			return -1
		}
		return r
	}, s)
	text, padding := strings.TrimRight(s, "="), len(s)-len(strings.TrimRight(s, "="))
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || padding > 0 && len(s)%4 != 0 {
		return nil, errors.New("Failed to decode invalid base64 string")
	}
	return b, nil
}

// toUTF8 puts U+FFFD for each byte that is part of no character.
func toUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	for _, r := range string(b) {
		out.WriteRune(r)
	}
	return out.String()
}

func bytesToString(b []byte) (string, error) {
	if !utf8.Valid(b) {
		return "", errors.New("Invalid cast of bytes to UTF8 string")
	}
	return string(b), nil
}
