package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/mallardml/mallard/googlesql"
)

// Values of rows are nil, bool, int64, float64, json.Number (DECIMAL and wide integers), string, jsonText, []byte, []any,
// []float64 and record.

// record is a STRUCT of an input.
type record struct {
	names  []string
	values []any
}

func (r record) field(name string) any {
	for i, n := range r.names {
		if strings.EqualFold(n, name) {
			return r.values[i]
		}
	}
	return nil
}

func (r record) has(name string) bool {
	for _, n := range r.names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// text is a field that is text, or "".
func (r record) text(name string) string { return asText(r.field(name)) }

// jsonText is a text of type JSON.
type jsonText string

// asText gives a text, also one of type JSON; "" for anything else.
func asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case jsonText:
		return string(v)
	}
	return ""
}

// appendJSON writes a value as the REST API wants it.
func appendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		switch {
		case math.IsNaN(v):
			return append(b, `"NaN"`...), nil
		case math.IsInf(v, 1):
			return append(b, `"Infinity"`...), nil
		case math.IsInf(v, -1):
			return append(b, `"-Infinity"`...), nil
		}
	case string:
		return appendText(b, v)
	case jsonText:
		return appendText(b, string(v))
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendJSON(b, e); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case record:
		b = append(b, '{')
		for i, e := range v.values {
			if i > 0 {
				b = append(b, ',')
			}
			name, err := marshal(v.names[i])
			if err != nil {
				return nil, err
			}
			b = append(append(b, name...), ':')
			if b, err = appendJSON(b, e); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
	j, err := marshal(v) // strings, []byte as base64, numbers
	return append(b, j...), err
}

// mismatch says what stands where a type was declared.
func mismatch(t googlesql.Type, raw json.RawMessage) error {
	return fmt.Errorf("should be %s, but is %s", t, clip(string(raw), 40))
}

// jsonValue turns JSON into a value of the type. Missing and null are NULL.
func jsonValue(t googlesql.Type, raw json.RawMessage) (any, error) {
	if t.Kind == googlesql.Array && t.Elem.Kind == googlesql.Float64 {
		if fs, ok := readFloats(raw); ok {
			return fs, nil
		}
	}
	raw = given(raw)
	if raw == nil {
		return nil, nil
	}
	switch t.Kind {
	case googlesql.Bool:
		var b bool
		if json.Unmarshal(raw, &b) != nil {
			return nil, mismatch(t, raw)
		}
		return b, nil
	case googlesql.Int64:
		if n, ok := readInt(raw); ok {
			return n, nil
		}
	case googlesql.Float64:
		if f, ok := readFloat(raw); ok {
			return f, nil
		}
	case googlesql.Numeric, googlesql.BigNumeric:
		if r, ok := readDecimal(raw, decimalScale(t)); ok {
			return r, nil
		}
	case googlesql.String:
		var s string
		if json.Unmarshal(raw, &s) == nil {
			if !utf8.ValidString(s) {
				return nil, errors.New("is not valid UTF-8")
			}
			return s, nil
		}
	case googlesql.JSON:
		return compact(raw)
	case googlesql.Array:
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return nil, mismatch(t, raw)
		}
		out := make([]any, len(list))
		for i, e := range list {
			v, err := jsonValue(*t.Elem, e)
			if err != nil {
				return nil, fmt.Errorf("has an element that %w", err)
			}
			out[i] = v
		}
		return out, nil
	case googlesql.Struct:
		var m map[string]json.RawMessage
		if json.Unmarshal(raw, &m) != nil {
			return nil, mismatch(t, raw)
		}
		out := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			v, err := jsonValue(f.Type, member(m, f.Name))
			if err != nil {
				return nil, fmt.Errorf("has a field %s that %w", f.Name, err)
			}
			out[i] = v
		}
		return out, nil
	}
	return nil, mismatch(t, raw)
}

func decimalScale(t googlesql.Type) int {
	if t.Kind == googlesql.BigNumeric {
		return 18
	}
	return 9
}

// readInt takes an integral number, also in the form 3.0 or as the string that APIs write for 64 bits.
func readInt(raw json.RawMessage) (int64, bool) {
	s := strings.Trim(string(raw), `"`)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	if raw[0] == '"' {
		return 0, false
	}
	r, ok := readNumber(s) // by way of a float 9007199254740993.0 would become another number
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}

// readNumber reads a number of moderate length exactly.
func readNumber(s string) (*big.Rat, bool) {
	if len(s) > 100 || strings.ContainsAny(s, "/_xXpPbBoO") {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 { // 1e999999999 would fill the memory
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > 60 || e < -100 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

func readFloat(raw json.RawMessage) (float64, bool) {
	if raw[0] == '"' {
		switch string(raw) {
		case `"NaN"`, `"nan"`:
			return math.NaN(), true
		case `"Infinity"`, `"inf"`, `"+Infinity"`:
			return math.Inf(1), true
		case `"-Infinity"`, `"-inf"`:
			return math.Inf(-1), true
		}
		return 0, false
	}
	var f float64
	return f, json.Unmarshal(raw, &f) == nil
}

// readFloats is the way of embeddings, without an allocation per element. It takes plain numbers only.
func readFloats(raw json.RawMessage) ([]float64, bool) {
	s := strings.TrimSpace(unsafe.String(unsafe.SliceData(raw), len(raw)))
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return nil, false
	}
	s = s[1 : len(s)-1]
	if strings.TrimSpace(s) == "" {
		return []float64{}, true
	}
	out := make([]float64, 0, strings.Count(s, ",")+1)
	for {
		e, rest, more := strings.Cut(s, ",")
		e = strings.Trim(e, " \t\r\n")
		if e == "" || e[0] != '-' && (e[0] < '0' || e[0] > '9') || strings.ContainsAny(e, "_xXpPnN") {
			return nil, false
		}
		f, err := strconv.ParseFloat(e, 64)
		if err != nil {
			return nil, false
		}
		out = append(out, f)
		if !more {
			return out, true
		}
		s = rest
	}
}

// appendText writes a text as JSON.
func appendText(b []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			j, err := marshal(s)
			return append(b, j...), err
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"'), nil
}

var decimalLimit = new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)

// readDecimal gives the number times 10^scale, rounded half away from zero. It must fit DECIMAL(38).
func readDecimal(raw json.RawMessage, scale int) (*big.Int, bool) {
	r, ok := readNumber(strings.Trim(string(raw), `"`))
	if !ok {
		return nil, false
	}
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
	half := new(big.Int).Rsh(r.Denom(), 1)
	num := new(big.Int).Abs(r.Num())
	num.Add(num, half).Quo(num, r.Denom())
	if num.Cmp(decimalLimit) >= 0 {
		return nil, false
	}
	if r.Sign() < 0 {
		num.Neg(num)
	}
	return num, true
}
