package duckfmt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// Format says how values are written. The zero value is ready to use.
type Format struct {
	// Location is the time zone in which TIMESTAMP WITH TIME ZONE is written; nil means UTC.
	Location *time.Location
	// Floats, if it is not nil, gets where AppendText wrote each FLOAT and DOUBLE: from and to in dst.
	Floats *[][2]int
}

// Text gives v as CAST(v AS VARCHAR) would, and NULL for nil.
func (t *Type) Text(v any) string { return string(Format{}.AppendText(nil, v, t)) }

// JSON gives v as JSON; see [Format.AppendJSON].
func (t *Type) JSON(v any) string { return string(Format{}.AppendJSON(nil, v, t)) }

// AppendText appends v, a value of type t from a duckdb-go row, as CAST(v AS VARCHAR) would write it, and NULL for nil.
func (f Format) AppendText(dst []byte, v any, t *Type) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "NULL"...)
	case json.RawMessage:
		return append(dst, v...)
	}
	if t.Name == "JSON" {
		if b, ok := v.([]byte); ok {
			return append(dst, b...)
		}
		return appendPlainJSON(dst, v)
	}
	if whole, ok := appendInteger(dst, v); ok {
		return whole
	}
	switch v := v.(type) {
	case string:
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	case float32:
		return f.appendFloat(dst, float64(v), 32)
	case float64:
		return f.appendFloat(dst, v, 64)
	case *big.Int:
		return v.Append(dst, 10)
	case duckdb.Decimal:
		return appendDecimal(dst, v)
	case duckdb.Interval:
		return appendInterval(dst, v)
	case duckdb.UUID:
		return append(dst, v.String()...)
	case []byte:
		if t.Name == "UUID" && len(v) == 16 {
			id := duckdb.UUID(v)
			return append(dst, id.String()...)
		}
		return appendBlob(dst, v)
	case time.Time:
		return f.appendTime(dst, v, t)
	case duckdb.Union:
		return f.AppendText(dst, v.Value, t.member(v.Tag))
	case []any:
		if t.Name == "STRUCT" {
			return f.appendRow(dst, v, t)
		}
		return f.appendList(dst, v, t)
	case duckdb.OrderedMap:
		return f.appendMap(dst, v, t)
	case map[string]any:
		if t.Name != "STRUCT" {
			return appendPlainJSON(dst, v) // JSON inside a nested type, which duckdb-go names VARCHAR
		}
		return f.appendStruct(dst, v, t)
	case fmt.Stringer:
		return append(dst, v.String()...)
	}
	return fmt.Append(dst, v)
}

func appendInteger(dst []byte, v any) (_ []byte, ok bool) {
	switch v := v.(type) {
	case int8:
		return strconv.AppendInt(dst, int64(v), 10), true
	case int16:
		return strconv.AppendInt(dst, int64(v), 10), true
	case int32:
		return strconv.AppendInt(dst, int64(v), 10), true
	case int64:
		return strconv.AppendInt(dst, v, 10), true
	case uint8:
		return strconv.AppendUint(dst, uint64(v), 10), true
	case uint16:
		return strconv.AppendUint(dst, uint64(v), 10), true
	case uint32:
		return strconv.AppendUint(dst, uint64(v), 10), true
	case uint64:
		return strconv.AppendUint(dst, v, 10), true
	}
	return dst, false
}

// appendRow writes a STRUCT without names.
func (f Format) appendRow(dst []byte, v []any, t *Type) []byte {
	dst = append(dst, '(')
	for i, e := range v {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = f.appendNested(dst, e, t.Fields[i].Type)
	}
	return append(dst, ')')
}

func (f Format) appendList(dst []byte, v []any, t *Type) []byte {
	dst = append(dst, '[')
	for i, e := range v {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if raw, ok := e.(json.RawMessage); ok { // DuckDB quotes JSON in a STRUCT and in a MAP only
			dst = append(dst, raw...)
		} else {
			dst = f.appendNested(dst, e, t.elem())
		}
	}
	return append(dst, ']')
}

func (f Format) appendMap(dst []byte, v duckdb.OrderedMap, t *Type) []byte {
	dst = append(dst, '{')
	vals := v.Values()
	for i, k := range v.Keys() {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if text, ok := k.(string); ok && t.key().nested() { // a key that Go cannot compare is its text already
			dst = append(dst, text...)
		} else {
			dst = f.appendNested(dst, k, t.key())
		}
		dst = append(dst, '=')
		dst = f.appendNested(dst, vals[i], t.elem())
	}
	return append(dst, '}')
}

func (f Format) appendStruct(dst []byte, v map[string]any, t *Type) []byte {
	dst = append(dst, '{')
	for i, fld := range t.Fields {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendQuoted(dst, fld.Name)
		dst = append(dst, ": "...)
		dst = f.appendNested(dst, v[fld.Name], fld.Type)
	}
	return append(dst, '}')
}

var unknown = &Type{Name: "UNKNOWN"}

func (t *Type) elem() *Type {
	if t.Elem == nil {
		return unknown
	}
	return t.Elem
}

func (t *Type) nested() bool {
	switch t.Name {
	case "STRUCT", "LIST", "ARRAY", "MAP":
		return true
	}
	return false
}

func (t *Type) key() *Type {
	if t.Key == nil {
		return unknown
	}
	return t.Key
}

func (t *Type) member(name string) *Type {
	for _, f := range t.Fields {
		if f.Name == name {
			return f.Type
		}
	}
	return unknown
}

// appendNested appends an element of a nested value: text that could be misread is quoted.
func (f Format) appendNested(dst []byte, v any, t *Type) []byte {
	start := len(dst)
	dst = f.AppendText(dst, v, t)
	switch v := v.(type) {
	case nil, bool, []any, duckdb.OrderedMap, []byte, duckdb.Union,
		int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, duckdb.Decimal, *big.Int:
		return dst
	case map[string]any:
		if t.Name == "STRUCT" {
			return dst
		}
	case string:
		if !needsQuotes(v) {
			return dst
		}
	}
	if text := string(dst[start:]); needsQuotes(text) {
		return appendQuoted(dst[:start], text)
	}
	return dst
}

func needsQuotes(s string) bool {
	return s == "" || space(s[0]) || space(s[len(s)-1]) || strings.EqualFold(s, "null") || strings.ContainsAny(s, `"'(),:=[]{}`)
}

func space(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '\'')
	for i := 0; i < len(s); i++ {
		if s[i] == '\'' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '\'')
}

func (f Format) appendFloat(dst []byte, v float64, bits int) []byte {
	from := len(dst)
	dst = appendFloat(dst, v, bits)
	if f.Floats != nil {
		*f.Floats = append(*f.Floats, [2]int{from, len(dst)})
	}
	return dst
}

// appendFloat writes the shortest text that reads back as the same number: 1.0, 0.1, 1e+16, 1e-05, nan, inf.
func appendFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "nan"...)
	case math.IsInf(v, 1):
		return append(dst, "inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-inf"...)
	}
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(dst, v, 'e', -1, bits)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, v, 'f', -1, bits)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}

func appendDecimal(dst []byte, v duckdb.Decimal) []byte {
	digits := v.Value.String()
	if strings.HasPrefix(digits, "-") {
		dst, digits = append(dst, '-'), digits[1:]
	}
	scale := int(v.Scale)
	whole := 1
	if v.Width == v.Scale {
		whole = 0 // DuckDB writes DECIMAL(1,1) as .1
	}
	if pad := scale + whole - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	if scale > 0 {
		dst = append(dst, '.')
		dst = append(dst, digits[len(digits)-scale:]...)
	}
	return dst
}

func appendInterval(dst []byte, v duckdb.Interval) []byte {
	start := len(dst)
	part := func(n int32, unit string) {
		if n == 0 {
			return
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendInt(dst, int64(n), 10)
		dst = append(dst, unit...)
		if n != 1 && n != -1 {
			dst = append(dst, 's')
		}
	}
	part(v.Months/12, " year")
	part(v.Months%12, " month")
	part(v.Days, " day")
	if v.Micros == 0 && len(dst) > start {
		return dst
	}
	if len(dst) > start {
		dst = append(dst, ' ')
	}
	micros := uint64(v.Micros)
	if v.Micros < 0 {
		dst = append(dst, '-')
		micros = -micros
	}
	const second = 1_000_000
	dst = fmt.Appendf(dst, "%02d:%02d:%02d", micros/(3600*second), micros/(60*second)%60, micros/second%60)
	return appendFraction(dst, int(micros%second)*1000)
}

// appendFraction appends the part of a second in nanoseconds without zeros at its end.
func appendFraction(dst []byte, nanos int) []byte {
	if nanos == 0 {
		return dst
	}
	return append(dst, strings.TrimRight(fmt.Sprintf(".%09d", nanos), "0")...)
}

func appendBlob(dst, v []byte) []byte {
	for _, c := range v {
		if c < ' ' || c > '~' || c == '\\' || c == '\'' || c == '"' {
			dst = fmt.Appendf(dst, `\x%02X`, c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

func (f Format) appendTime(dst []byte, v time.Time, t *Type) []byte {
	switch t.Name {
	case "TIME", "TIME_NS":
		return appendClock(dst, v)
	case "TIMETZ":
		_, offset := v.Zone()
		return appendZone(appendClock(dst, v), offset)
	case "DATE":
		// DuckDB's infinite dates, as its C API turns them into a year.
		switch y := v.Year(); {
		case y >= 5881580:
			return append(dst, "infinity"...)
		case y <= -5877641:
			return append(dst, "-infinity"...)
		}
		dst, bc := appendDate(dst, v)
		return append(dst, bc...)
	}
	if inf := infinite(v, t.Name); inf != "" {
		return append(dst, inf...)
	}
	zoned := t.Name == "TIMESTAMPTZ"
	if zoned && f.Location != nil {
		v = v.In(f.Location)
	}
	dst, bc := appendDate(dst, v)
	dst = append(dst, bc...)
	dst = appendClock(append(dst, ' '), v)
	if zoned {
		_, offset := v.Zone()
		dst = appendZone(dst, offset)
	}
	return dst
}

// infinite recognises the two numbers that stand for an infinite timestamp in each unit.
func infinite(v time.Time, name string) string {
	var n int64
	switch name {
	case "TIMESTAMP", "TIMESTAMPTZ":
		n = v.UnixMicro()
	case "TIMESTAMP_S":
		n = v.Unix()
	case "TIMESTAMP_MS":
		n = v.UnixMilli()
	case "TIMESTAMP_NS":
		n = v.UnixNano()
	}
	switch n {
	case math.MaxInt64:
		return "infinity"
	case -math.MaxInt64:
		return "-infinity"
	}
	return ""
}

func appendDate(dst []byte, v time.Time) (_ []byte, era string) {
	y, m, d := v.Date()
	if y <= 0 {
		y, era = 1-y, " (BC)"
	}
	return fmt.Appendf(dst, "%04d-%02d-%02d", y, m, d), era
}

func appendClock(dst []byte, v time.Time) []byte {
	dst = fmt.Appendf(dst, "%02d:%02d:%02d", v.Hour(), v.Minute(), v.Second())
	return appendFraction(dst, v.Nanosecond())
}

func appendZone(dst []byte, offset int) []byte {
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = fmt.Appendf(append(dst, sign), "%02d", offset/3600)
	if m := offset / 60 % 60; m != 0 || offset%60 != 0 {
		dst = fmt.Appendf(dst, ":%02d", m)
	}
	if s := offset % 60; s != 0 {
		dst = fmt.Appendf(dst, ":%02d", s)
	}
	return dst
}
