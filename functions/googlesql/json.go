package googlesql

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A value of JSON is nil, bool, number, string, *array or object.
type (
	number string // as canonical texts have it
	array  struct{ elements []any }
	object map[string]any
)

// wide says what becomes of a number that no FLOAT64 tells exactly.
type wide int

const (
	rounded wide = iota
	exact
)

// maxNesting bounds the depth of a JSON text.
const maxNesting = 500

// parseJSON reads a whole text. Of a repeated name the first counts.
func parseJSON(text string, mode wide) (any, error) {
	if halfPair(text) {
		return nil, errors.New("syntax error while parsing value - invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF")
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := readJSON(d, mode, 0)
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("attempting to parse an empty input; check that your input string or stream contains the expected JSON")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("syntax error while parsing value - unexpected end of input")
	case err != nil:
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("syntax error while parsing value - expected end of input")
	}
	return v, nil
}

// halfPair reports whether an escape is half of a surrogate pair, which Go would read as U+FFFD.
func halfPair(text string) bool {
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 || i+1 == len(text) {
			return false
		}
		first, ok := escapedUnit(text[i:])
		text = text[i+2:]
		if !ok || !utf16.IsSurrogate(first) {
			continue
		}
		second, _ := escapedUnit(text[4:])
		if utf16.DecodeRune(first, second) == utf8.RuneError {
			return true
		}
		text = text[10:]
	}
}

// escapedUnit reads the escape \uXXXX at the beginning of a text.
func escapedUnit(text string) (rune, bool) {
	if len(text) < 6 || text[:2] != `\u` {
		return 0, false
	}
	n, err := strconv.ParseUint(text[2:6], 16, 16)
	return rune(n), err == nil
}

func readJSON(d *json.Decoder, mode wide, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, syntaxError(err)
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("Max nesting of %d has been exceeded while parsing JSON document", maxNesting)
	}
	switch t := t.(type) {
	case json.Number:
		return readNumber(string(t), mode)
	case json.Delim:
		if t == '{' {
			return readObject(d, mode, depth)
		}
		all := &array{elements: []any{}}
		for d.More() {
			e, err := readJSON(d, mode, depth+1)
			if err != nil {
				return nil, unfinished(err)
			}
			all.elements = append(all.elements, e)
		}
		_, err := d.Token()
		return all, unfinished(syntaxError(err))
	}
	return t, nil
}

func readObject(d *json.Decoder, mode wide, depth int) (any, error) {
	o := object{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, unfinished(syntaxError(err))
		}
		v, err := readJSON(d, mode, depth+1)
		if err != nil {
			return nil, unfinished(err)
		}
		if _, twice := o[k.(string)]; !twice {
			o[k.(string)] = v
		}
	}
	_, err := d.Token()
	return o, unfinished(syntaxError(err))
}

func unfinished(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func syntaxError(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return fmt.Errorf("syntax error while parsing value - %w", err)
}

func readNumber(s string, mode wide) (any, error) {
	if !strings.ContainsAny(s, ".eE") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return number(strconv.FormatInt(n, 10)), nil
		}
		if n, err := strconv.ParseUint(s, 10, 64); err == nil {
			return number(strconv.FormatUint(n, 10)), nil
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, fmt.Errorf("number overflow parsing '%s'", s)
	}
	if mode == exact && len(s) > 15 {
		if in, ok := new(big.Rat).SetString(s); len(s) > 400 || !ok || in.Cmp(shortest(f)) != 0 {
			return nil, fmt.Errorf("Input number: %s cannot round-trip through string representation", s)
		}
	}
	return floatNumber(f), nil
}

func shortest(f float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'e', -1, 64))
	return r
}

// floatNumber writes a FLOAT64 with the fewest digits, and a point or an exponent.
func floatNumber(f float64) number {
	s := strconv.FormatFloat(f, 'e', -1, 64)
	_, e, _ := strings.Cut(s, "e")
	if exponent, _ := strconv.Atoi(e); exponent < -4 || exponent >= 15 {
		return number(s)
	}
	s = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return number(s)
}

// jsonWriter writes values. indent is what stands before each level; "" writes all in one line.
type jsonWriter struct {
	b      strings.Builder
	indent string
}

func (w *jsonWriter) line(depth int) {
	if w.indent != "" {
		w.b.WriteByte('\n')
		for range depth {
			w.b.WriteString(w.indent)
		}
	}
}

func (w *jsonWriter) value(v any, depth int) {
	switch x := v.(type) {
	case nil:
		w.b.WriteString("null")
	case bool:
		w.b.WriteString(strconv.FormatBool(x))
	case number:
		w.b.WriteString(string(x))
	case string:
		writeJSONString(&w.b, x, false)
	case *array:
		w.list('[', ']', len(x.elements), depth, func(i int) { w.value(x.elements[i], depth+1) })
	case object:
		keys := slices.Sorted(maps.Keys(x))
		w.list('{', '}', len(keys), depth, func(i int) {
			w.key(keys[i], false)
			w.value(x[keys[i]], depth+1)
		})
	}
}

func (w *jsonWriter) key(k string, separators bool) {
	writeJSONString(&w.b, k, separators)
	w.b.WriteByte(':')
	if w.indent != "" {
		w.b.WriteByte(' ')
	}
}

func (w *jsonWriter) list(open, end byte, n, depth int, element func(i int)) {
	w.b.WriteByte(open)
	for i := range n {
		if i > 0 {
			w.b.WriteByte(',')
		}
		w.line(depth + 1)
		element(i)
	}
	if n > 0 {
		w.line(depth)
	}
	w.b.WriteByte(end)
}

// writeJSONString writes a text in quotes; separators escapes U+2028 and U+2029 too, as TO_JSON_STRING does.
func writeJSONString(b *strings.Builder, s string, separators bool) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' && strings.ContainsRune("\b\f\n\r\t", r):
			b.WriteByte('\\')
			b.WriteByte("btn_fr"[r-'\b'])
		case r < ' ', separators && (r == '\u2028' || r == '\u2029'):
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

func jsonString(v any) string {
	var w jsonWriter
	w.value(v, 0)
	return w.b.String()
}

// valueOf reads a value of type JSON. DuckDB holds texts of other writers in such columns, too.
func valueOf(t jsonText) (any, error) {
	v, err := parseJSON(string(t), rounded)
	if err != nil {
		return nil, fmt.Errorf("Invalid JSON: %w", err)
	}
	return v, nil
}

func canonicalJSON(t jsonText) string {
	v, err := valueOf(t)
	if err != nil {
		return string(t)
	}
	return jsonString(v)
}

func prettyJSON(t jsonText) string {
	v, err := valueOf(t)
	if err != nil {
		return string(t)
	}
	w := jsonWriter{indent: "  "}
	w.value(v, 0)
	return w.b.String()
}

func parseJSONFunction(text, mode string) (jsonText, error) {
	var m wide
	switch mode {
	case "exact":
		m = exact
	case "round":
	default:
		return "", fmt.Errorf("Invalid `wide_number_mode` specified for PARSE_JSON: %s", mode)
	}
	v, err := parseJSON(text, m)
	if err != nil {
		return "", fmt.Errorf("Invalid input to PARSE_JSON: %w", err)
	}
	return jsonText(jsonString(v)), nil
}

var errNoKey = errors.New("Invalid input to JSON_OBJECT: A key cannot be NULL")
