package duckfmt

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2"
)

// AppendJSON appends v, a value of type t from a duckdb-go row, as DuckDB's shell has it in JSON, on one line.
//
// Numbers are JSON numbers, but those of UBIGINT, HUGEINT, UHUGEINT and DECIMAL, which not every reader of JSON can hold, are strings;
// within other values they are numbers too. NaN, Infinity and -Infinity, which JSON lacks, stand there bare, as Python's reader takes
// them. LIST and ARRAY are arrays, STRUCT and MAP objects (the keys of a MAP as text), a UNION an object with its tag, JSON itself. A
// STRUCT without names is an object whose keys are all "", as DuckDB's to_json has it. Everything else is its text as a string.
func (f Format) AppendJSON(dst []byte, v any, t *Type) []byte {
	switch t.Name {
	case "UBIGINT", "HUGEINT", "UHUGEINT", "DECIMAL":
		if v != nil {
			return AppendJSONString(dst, string(f.AppendText(nil, v, t)))
		}
	}
	return f.appendJSON(dst, v, t)
}

// appendJSON appends a value within others.
func (f Format) appendJSON(dst []byte, v any, t *Type) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case json.RawMessage:
		return append(dst, v...)
	}
	if t.Name == "JSON" {
		if b, ok := v.([]byte); ok {
			return append(dst, b...)
		}
		return appendPlainJSON(dst, v)
	}
	switch v := v.(type) {
	case string:
		return AppendJSONString(dst, v)
	case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, *big.Int:
		return f.AppendText(dst, v, t)
	case duckdb.Decimal:
		if v.Width <= maxDoubleDigits { // DuckDB makes a DOUBLE of it
			return appendJSONFloat(dst, v.Float64())
		}
		v.Width++ // so that there is a digit before the point, as JSON wants it
		return appendDecimal(dst, v)
	case float32:
		return appendJSONFloat(dst, float64(v))
	case float64:
		return appendJSONFloat(dst, v)
	case []any:
		if t.Name == "STRUCT" { // without names
			dst = append(dst, '{')
			for i, e := range v {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = AppendJSONString(dst, t.Fields[i].Name)
				dst = f.appendJSON(append(dst, ':'), e, t.Fields[i].Type)
			}
			return append(dst, '}')
		}
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = f.appendJSON(dst, e, t.elem())
		}
		return append(dst, ']')
	case duckdb.OrderedMap:
		dst = append(dst, '{')
		vals := v.Values()
		for i, k := range v.Keys() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSONString(dst, string(f.AppendText(nil, k, t.key())))
			dst = append(dst, ':')
			dst = f.appendJSON(dst, vals[i], t.elem())
		}
		return append(dst, '}')
	case duckdb.Union:
		dst = AppendJSONString(append(dst, '{'), v.Tag)
		dst = f.appendJSON(append(dst, ':'), v.Value, t.member(v.Tag))
		return append(dst, '}')
	case map[string]any:
		if t.Name != "STRUCT" {
			return appendPlainJSON(dst, v)
		}
		dst = append(dst, '{')
		for i, fld := range t.Fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSONString(dst, fld.Name)
			dst = f.appendJSON(append(dst, ':'), v[fld.Name], fld.Type)
		}
		return append(dst, '}')
	}
	return AppendJSONString(dst, string(f.AppendText(nil, v, t)))
}

// maxDoubleDigits is how many digits a DECIMAL has that DuckDB makes a DOUBLE of.
const maxDoubleDigits = 18

// jsonExponent takes the + and the leading zero out of an exponent.
var jsonExponent = strings.NewReplacer("e+0", "e", "e+", "e", "e-0", "e-")

// appendJSONFloat writes a float as the library does that DuckDB writes JSON with: with a point, or with an exponent but no + in it.
func appendJSONFloat(dst []byte, v float64) []byte {
	switch abs := math.Abs(v); {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	case abs != 0 && (abs < 1e-6 || abs >= 1e21):
		return append(dst, jsonExponent.Replace(strconv.FormatFloat(v, 'e', -1, 64))...)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
	if !bytes.ContainsRune(dst[start:], '.') {
		dst = append(dst, ".0"...)
	}
	return dst
}

// appendPlainJSON writes a value that duckdb-go has decoded from a JSON column. Objects come out sorted by key: their order is lost.
func appendPlainJSON(dst []byte, v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return AppendJSONString(dst, err.Error())
	}
	return append(dst, bytes.TrimRight(b.Bytes(), "\n")...)
}

// AppendJSONString appends s as a JSON string. Bytes that are no UTF-8 become U+FFFD.
func AppendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\b':
			dst = append(dst, `\b`...)
		case r == '\f':
			dst = append(dst, `\f`...)
		case r < ' ':
			dst = append(dst, `\u00`...)
			if r < 0x10 {
				dst = append(dst, '0')
			}
			dst = strconv.AppendInt(dst, int64(r), 16)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
