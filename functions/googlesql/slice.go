package googlesql

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parts are the functions that take parts of a STRING or BYTES, find places in it and fill it up.
var parts = map[string]definition{
	"substr":       ternary(func(s string, pos, n int64) (string, error) { return substr(s, pos, n) }),
	"substr_bytes": ternary(func(b []byte, pos, n int64) ([]byte, error) { return substr(b, pos, n) }),
	"left":         binary(func(s string, n int64) (string, error) { return left(s, n) }),
	"left_bytes":   binary(func(b []byte, n int64) ([]byte, error) { return left(b, n) }),
	"right":        binary(func(s string, n int64) (string, error) { return right(s, n) }),
	"right_bytes":  binary(func(b []byte, n int64) ([]byte, error) { return right(b, n) }),
	"lpad":         ternary(func(s string, n int64, by string) (string, error) { return pad(s, n, by, true) }),
	"rpad":         ternary(func(s string, n int64, by string) (string, error) { return pad(s, n, by, false) }),
	"lpad_bytes":   ternary(func(s []byte, n int64, by []byte) ([]byte, error) { return pad(s, n, by, true) }),
	"rpad_bytes":   ternary(func(s []byte, n int64, by []byte) ([]byte, error) { return pad(s, n, by, false) }),
	"trim":         unary(func(s string) (string, error) { return strings.TrimSpace(s), nil }),
	"ltrim":        unary(func(s string) (string, error) { return strings.TrimLeftFunc(s, unicode.IsSpace), nil }),
	"rtrim":        unary(func(s string) (string, error) { return strings.TrimRightFunc(s, unicode.IsSpace), nil }),
	"trim_set":     binary(func(s, set string) (string, error) { return strings.Trim(s, set), nil }),
	"ltrim_set":    binary(func(s, set string) (string, error) { return strings.TrimLeft(s, set), nil }),
	"rtrim_set":    binary(func(s, set string) (string, error) { return strings.TrimRight(s, set), nil }),
	"trim_bytes": binary(func(b, set []byte) ([]byte, error) {
		return trimLeft(trimRight(b, set), set), nil
	}),
	"ltrim_bytes":  binary(func(b, set []byte) ([]byte, error) { return trimLeft(b, set), nil }),
	"rtrim_bytes":  binary(func(b, set []byte) ([]byte, error) { return trimRight(b, set), nil }),
	"strpos":       binary(func(s, find string) (int64, error) { return int64(1 + place(s, strings.Index(s, find))), nil }),
	"strpos_bytes": binary(func(b, find []byte) (int64, error) { return int64(1 + bytes.Index(b, find)), nil }),
	"instr":        quaternary(func(s, find string, pos, nth int64) (int64, error) { return instr(s, find, pos, nth) }),
	"instr_bytes":  quaternary(func(s, find []byte, pos, nth int64) (int64, error) { return instr(s, find, pos, nth) }),
}

// place gives the number of characters before byte i; -1 stays.
func place(s string, i int) int {
	if i < 0 {
		return i
	}
	return utf8.RuneCountInString(s[:i])
}

// step gives the length of the first character: of BYTES each byte is one.
func step[T string | []byte](s T) int {
	if t, ok := any(s).(string); ok {
		_, n := utf8.DecodeRuneInString(t)
		return n
	}
	return min(1, len(s))
}

// count is the number of characters.
func count[T string | []byte](s T) int64 {
	if t, ok := any(s).(string); ok {
		return int64(utf8.RuneCountInString(t))
	}
	return int64(len(s))
}

// skip gives what follows n characters.
func skip[T string | []byte](s T, n int64) T {
	for ; n > 0 && len(s) > 0; n-- {
		s = s[step(s):]
	}
	return s
}

func substr[T string | []byte](s T, pos, n int64) (T, error) {
	if n < 0 {
		return s[:0], errors.New("Third argument in SUBSTR() cannot be negative")
	}
	switch {
	case pos > 0:
		s = skip(s, pos-1)
	case pos < 0:
		if total := count(s); pos > -total {
			s = skip(s, total+pos)
		}
	}
	return s[:len(s)-len(skip(s, n))], nil
}

func left[T string | []byte](s T, n int64) (T, error) {
	if n < 0 {
		return s[:0], errors.New("Second argument in LEFT() cannot be negative")
	}
	return s[:len(s)-len(skip(s, n))], nil
}

func right[T string | []byte](s T, n int64) (T, error) {
	if n < 0 {
		return s[:0], errors.New("Second argument in RIGHT() cannot be negative")
	}
	return skip(s, count(s)-n), nil
}

func pad[T string | []byte](s T, n int64, by T, before bool) (T, error) {
	switch {
	case n < 0:
		return s[:0], errors.New("Second argument (output size) for LPAD/RPAD cannot be negative")
	case len(by) == 0:
		return s[:0], errors.New("Third argument (pad pattern) for LPAD/RPAD cannot be empty")
	case n > maxOutput:
		return s[:0], outputOf("LPAD/RPAD", maxOutput+1)
	}
	missing := n - count(s)
	if missing <= 0 {
		return left(s, n)
	}
	each := count(by)
	rest, _ := left(by, missing%each)
	size := int(missing/each)*len(by) + len(rest) + len(s)
	if err := outputOf("LPAD/RPAD", size); err != nil {
		return s[:0], err
	}
	out := make([]byte, 0, size)
	if !before {
		out = append(out, s...)
	}
	for range missing / each {
		out = append(out, by...)
	}
	out = append(out, rest...)
	if before {
		out = append(out, s...)
	}
	return T(out), nil
}

func trimLeft(b, set []byte) []byte {
	for len(b) > 0 && bytes.IndexByte(set, b[0]) >= 0 {
		b = b[1:]
	}
	return b
}

func trimRight(b, set []byte) []byte {
	for len(b) > 0 && bytes.IndexByte(set, b[len(b)-1]) >= 0 {
		b = b[:len(b)-1]
	}
	return b
}

// instr gives the place of an occurrence, from pos forwards, or for a negative pos from there (-1 is the last character)
// backwards. Occurrences may overlap.
func instr[T string | []byte](s, find T, pos, nth int64) (int64, error) {
	switch {
	case pos == 0:
		return 0, errors.New("Position must be non-zero")
	case nth <= 0:
		return 0, errors.New("Occurrence must be positive")
	}
	text, sought := string(s), string(find)
	if pos > 0 {
		if pos > int64(len(text))+1 {
			return 0, nil
		}
		at := len(text) - len(skip(s, pos-1))
		for ; ; nth-- {
			i := strings.Index(text[at:], sought)
			if i < 0 {
				return 0, nil
			}
			at += i
			if nth == 1 {
				return 1 + count(s[:at]), nil
			}
			if at == len(text) {
				return 0, nil
			}
			at += step(s[at:])
		}
	}
	return instrBackwards(s, sought, pos, nth)
}

func instrBackwards[T string | []byte](s T, sought string, pos, nth int64) (int64, error) {
	text, first := string(s), count(s)+pos // characters before the last one where an occurrence may begin
	if sought == "" {
		first++ // it may begin behind the last character, too
	}
	if first < 0 || pos == -1<<63 {
		return 0, nil
	}
	most := len(text) - len(skip(s, first))
	end := min(len(text), most+len(sought))
	for ; ; nth-- {
		i := strings.LastIndex(text[:end], sought)
		if i < 0 {
			return 0, nil
		}
		if nth == 1 {
			return 1 + count(s[:i]), nil
		}
		if i == 0 {
			return 0, nil
		}
		i--
		if _, ok := any(s).(string); ok {
			for i > 0 && !utf8.RuneStart(text[i]) {
				i--
			}
		}
		end = min(len(text), i+len(sought))
	}
}
