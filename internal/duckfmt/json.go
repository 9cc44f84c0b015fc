package duckfmt

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2"
)

// AppendJSON appends v, a value of type t from a duckdb-go row, as valid JSON on one line.
//
// Numbers of every type, also HUGEINT and DECIMAL, are JSON numbers with all their digits. NaN and the infinities, which JSON
// lacks, are the strings "NaN", "Infinity" and "-Infinity", as BigQuery writes them. LIST and ARRAY are arrays, STRUCT and MAP
// objects (the keys of a MAP as text), a UNION an object with its tag, JSON itself. A STRUCT without names is an object
// whose keys are all "", as DuckDB's to_json has it. Everything else is its text as a string.
func (f Format) AppendJSON(dst []byte, v any, t *Type) []byte {
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
		v.Width++ // so that there is a digit before the point, as JSON wants it
		return appendDecimal(dst, v)
	case float32:
		return appendJSONFloat(dst, float64(v), 32)
	case float64:
		return appendJSONFloat(dst, v, 64)
	case []any:
		if t.Name == "STRUCT" { // without names
			dst = append(dst, '{')
			for i, e := range v {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = AppendJSONString(dst, t.Fields[i].Name)
				dst = f.AppendJSON(append(dst, ':'), e, t.Fields[i].Type)
			}
			return append(dst, '}')
		}
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = f.AppendJSON(dst, e, t.elem())
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
			dst = f.AppendJSON(dst, vals[i], t.elem())
		}
		return append(dst, '}')
	case duckdb.Union:
		dst = AppendJSONString(append(dst, '{'), v.Tag)
		dst = f.AppendJSON(append(dst, ':'), v.Value, t.member(v.Tag))
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
			dst = f.AppendJSON(append(dst, ':'), v[fld.Name], fld.Type)
		}
		return append(dst, '}')
	}
	return AppendJSONString(dst, string(f.AppendText(nil, v, t)))
}

func appendJSONFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...)
	}
	return appendFloat(dst, v, bits)
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
