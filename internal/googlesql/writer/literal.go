package writer

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// literal writes a constant.
func literal(at *resolved.ParseLocationRangeProto, v *resolved.ValueProto, t googlesql.Type) string {
	if v.GetValue() == nil && t.Kind == 0 {
		return "NULL"
	}
	if v.GetValue() == nil {
		return "NULL::" + duckType(at, t)
	}
	switch x := v.GetValue().(type) {
	case *resolved.ValueProto_EnumValue: // the part of a date, a mode: entries read it themselves
		return strconv.Itoa(int(x.EnumValue))
	case *resolved.ValueProto_Int64Value:
		if x.Int64Value == math.MinInt64 {
			return "(-9223372036854775807::BIGINT - 1)"
		}
		return strconv.FormatInt(x.Int64Value, 10) + "::BIGINT"
	case *resolved.ValueProto_BoolValue:
		return strconv.FormatBool(x.BoolValue)
	case *resolved.ValueProto_DoubleValue:
		return double(x.DoubleValue)
	case *resolved.ValueProto_StringValue:
		return text(x.StringValue)
	case *resolved.ValueProto_JsonValue:
		return text(x.JsonValue) + "::JSON"
	case *resolved.ValueProto_BytesValue:
		return "unhex('" + hex.EncodeToString(x.BytesValue) + "')"
	case *resolved.ValueProto_DateValue:
		return "DATE '" + time.Unix(0, 0).UTC().AddDate(0, 0, int(x.DateValue)).Format("2006-01-02") + "'"
	case *resolved.ValueProto_NumericValue:
		return decimal(x.NumericValue, 9) + "::" + duckType(at, t)
	case *resolved.ValueProto_BignumericValue:
		d := decimal(x.BignumericValue, 38)
		whole, fraction, _ := strings.Cut(strings.Trim(d, "-'"), ".")
		if len(strings.TrimLeft(whole, "0")) > 20 || len(fraction) > 18 {
			refuse(at, "the BIGNUMERIC %s, for which DuckDB's DECIMAL(38,18) has no place,", strings.Trim(d, "'"))
		}
		return d + "::" + duckType(at, t)
	case *resolved.ValueProto_TimestampValue:
		s := time.Unix(x.TimestampValue.GetSeconds(), int64(x.TimestampValue.GetNanos())).UTC()
		return "TIMESTAMPTZ '" + s.Format("2006-01-02 15:04:05.999999") + "+00'"
	case *resolved.ValueProto_DatetimeValue:
		return "TIMESTAMP '" + civil(x.DatetimeValue).Format("2006-01-02 15:04:05.999999") + "'"
	case *resolved.ValueProto_TimeValue:
		n := x.TimeValue // hour, minute, second and nanosecond in 5, 6, 6 and 30 bits
		return fmt.Sprintf("TIME '%02d:%02d:%02d.%06d'", n>>42, n>>36&63, n>>30&63, n&(1<<30-1)/1000)
	case *resolved.ValueProto_IntervalValue:
		return interval(at, x.IntervalValue)
	case *resolved.ValueProto_ArrayValue:
		parts := make([]string, len(x.ArrayValue.GetElement()))
		for i, e := range x.ArrayValue.GetElement() {
			parts[i] = literal(at, e, *t.Elem)
		}
		return arrayOf(parts) + "::" + duckType(at, t)
	case *resolved.ValueProto_StructValue:
		parts := make([]string, len(x.StructValue.GetField()))
		for i, name := range fieldNames(t) {
			parts[i] = quote.Name(name) + " := " + literal(at, x.StructValue.GetField()[i], t.Fields[i].Type)
		}
		if len(parts) == 0 {
			refuse(at, "a STRUCT without fields")
		}
		return "struct_pack(" + strings.Join(parts, ", ") + ")"
	}
	if r, ok := v.GetValue().(*resolved.ValueProto_RangeValue); ok {
		return rangeLiteral(at, r.RangeValue, t)
	}
	refuse(at, "a constant of type %s", t)
	return ""
}

// text writes a string. A NUL cannot stand in a statement of DuckDB's.
func text(s string) string {
	if !strings.Contains(s, "\x00") {
		return quote.Text(s)
	}
	parts := strings.Split(s, "\x00")
	for i, p := range parts {
		parts[i] = quote.Text(p)
	}
	return "(" + strings.Join(parts, " || chr(0) || ") + ")"
}

func double(f float64) string {
	switch {
	case math.IsNaN(f):
		return "'nan'::DOUBLE"
	case math.IsInf(f, 1):
		return "'inf'::DOUBLE"
	case math.IsInf(f, -1):
		return "'-inf'::DOUBLE"
	case f == 0 && math.Signbit(f):
		return "'-0'::DOUBLE"
	}
	return "'" + formatDouble(f) + "'::DOUBLE"
}

func formatDouble(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// decimal reads a NUMERIC or BIGNUMERIC: little-endian two's complement, scaled by a power of ten.
func decimal(b []byte, scale int) string {
	n := new(big.Int)
	for i := len(b) - 1; i >= 0; i-- {
		n.Lsh(n, 8).Or(n, big.NewInt(int64(b[i])))
	}
	if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
		n.Neg(n)
	}
	s := n.String()
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	whole, fraction := s[:len(s)-scale], strings.TrimRight(s[len(s)-scale:], "0")
	if fraction != "" {
		whole += "." + fraction
	}
	return "'" + sign + whole + "'"
}

// civil reads a DATETIME: year, month, day, hour, minute and second in 14, 4, 5, 5, 6 and 6 bits.
func civil(v *resolved.ValueProto_Datetime) time.Time {
	n := v.GetBitFieldDatetimeSeconds()
	return time.Date(int(n>>26), time.Month(n>>22&15), int(n>>17&31), int(n>>12&31), int(n>>6&63), int(n&63), int(v.GetNanos()), time.UTC)
}

// Literal writes a constant.
func Literal(v *resolved.ValueProto, t googlesql.Type) (s string, err error) {
	defer refused(&err)
	return literal(nil, v, t), nil
}

// interval reads an INTERVAL: microseconds in eight bytes, days in four, then months and nanoseconds in four, little-endian.
func interval(at *resolved.ParseLocationRangeProto, b []byte) string {
	if len(b) != 16 {
		refuse(at, "a constant INTERVAL of %d bytes", len(b))
	}
	micros := int64(binary.LittleEndian.Uint64(b))
	days := int32(binary.LittleEndian.Uint32(b[8:]))
	rest := binary.LittleEndian.Uint32(b[12:])
	if rest&1023 != 0 { // nanoseconds
		refuse(at, "an INTERVAL of nanoseconds")
	}
	months := int32(rest >> 13 & (1<<18 - 1)) // and a sign before it
	if rest>>31 == 1 {
		months = -months
	}
	return fmt.Sprintf("(to_months((%d)::INTEGER) + to_days((%d)::INTEGER) + to_microseconds((%d)::BIGINT))", months, days, micros)
}

func rangeLiteral(at *resolved.ParseLocationRangeProto, r *resolved.ValueProto_Range, t googlesql.Type) string {
	start, end := bound("-infinity", *t.Elem), bound("infinity", *t.Elem)
	if r.GetStart().GetValue() != nil {
		start = literal(at, r.GetStart(), *t.Elem)
	}
	if r.GetEnd().GetValue() != nil {
		end = literal(at, r.GetEnd(), *t.Elem)
	}
	return packed(start, end)
}

// bound writes an end of a range that is not bounded.
func bound(text string, t googlesql.Type) string { return quote.Text(text) + "::" + t.DuckDB() }

// packed writes a RANGE.
func packed(start, end string) string {
	return "struct_pack(" + googlesql.RangeStart + " := " + start + ", " + googlesql.RangeEnd + " := " + end + ")"
}

// arrayOf writes a list that is cast as a whole.
func arrayOf(elements []string) string { return "[" + strings.Join(bare(elements), ", ") + "]" }

// bare takes the casts from integers that stand in a list of one type, since DuckDB takes its time for each of many.
func bare(list []string) []string {
	list = slices.Clone(list)
	for i, x := range list {
		if n, ok := strings.CutSuffix(x, "::BIGINT"); ok && strings.Trim(n, "-0123456789") == "" {
			list[i] = n
		}
	}
	return list
}
