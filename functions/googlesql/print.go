package googlesql

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mallardml/mallard/googlesql"
)

// prints are the conversions to STRING.
var prints = map[string]definition{
	"float64_to_string":    unary(func(f float64) (string, error) { return floatString(f), nil }),
	"numeric_to_string":    unary(func(x numeric) (string, error) { return decimalText(x), nil }),
	"bignumeric_to_string": unary(func(x bignumeric) (string, error) { return decimalText(x), nil }),
	"datetime_to_string":   unary(func(d datetime) (string, error) { return d.String(), nil }),
	"time_to_string":       unary(func(t timeOfDay) (string, error) { return t.String(), nil }),
	"timestamp_to_string": binary(func(t timestamp, zone string) (string, error) {
		z, err := loadZone(zone)
		if err != nil {
			return "", err
		}
		return timestampText(t, z), nil
	}),
}

// floatString has 15 digits where they tell the number, else 17.
func floatString(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64)), "+")
	case f == 0:
		return "0"
	}
	s := strconv.FormatFloat(f, 'g', 15, 64)
	if back, _ := strconv.ParseFloat(s, 64); back != f {
		s = strconv.FormatFloat(f, 'g', 17, 64)
	}
	return s
}

// fraction writes microseconds as none, three or six digits.
func fraction(micros int64) string {
	switch {
	case micros == 0:
		return ""
	case micros%1000 == 0:
		return fmt.Sprintf(".%03d", micros/1000)
	}
	return fmt.Sprintf(".%06d", micros)
}

func (t timeOfDay) String() string { return withFraction(time.UnixMicro(int64(t)).UTC(), "15:04:05") }

// timestampText writes a moment in a zone, with the zone's offset.
func timestampText(t timestamp, zone *time.Location) string {
	at := time.UnixMicro(int64(t)).In(zone)
	_, offset := at.Zone()
	return withFraction(at, "2006-01-02 15:04:05") + offsetString(offset)
}

// offsetString writes +01 or +05:30.
func offsetString(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	s := fmt.Sprintf("%c%02d", sign, seconds/3600)
	if m := seconds / 60 % 60; m != 0 {
		s += fmt.Sprintf(":%02d", m)
	}
	return s
}

// text writes a value as %t does: a STRING as it is, also inside of arrays.
func (v value) text() string {
	switch x := v.data.(type) {
	case nil:
		return "NULL"
	case string:
		return x
	case []byte:
		return escapeBytes(x, 0)
	case jsonText:
		return canonicalJSON(x)
	case []value:
		return v.list(x, value.text, "")
	}
	return v.scalar()
}

// literal writes a value as %T does: a text that GoogleSQL reads as the value.
func (v value) literal() string {
	switch x := v.data.(type) {
	case nil:
		return "NULL"
	case string:
		return quoteString(x)
	case []byte:
		q := quoteFor(string(x))
		return "b" + string(q) + escapeBytes(x, q) + string(q)
	case jsonText:
		return "JSON " + quoteString(canonicalJSON(x))
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return `CAST("` + floatString(x) + `" AS FLOAT64)`
		}
	case numeric, bignumeric, date, datetime, timeOfDay, timestamp:
		return v.of.Kind.String() + ` "` + v.scalar() + `"`
	case interval:
		return `INTERVAL "` + v.scalar() + `" YEAR TO SECOND`
	case []value:
		return v.list(x, value.literal, "STRUCT")
	}
	return v.scalar()
}

// list writes an ARRAY or a STRUCT; before stands where a STRUCT has one field only.
func (v value) list(all []value, write func(value) string, before string) string {
	parts := make([]string, len(all))
	for i, e := range all {
		parts[i] = write(e)
	}
	s := strings.Join(parts, ", ")
	switch {
	case v.of.Kind == googlesql.Array:
		return "[" + s + "]"
	case len(all) == 1:
		return before + "(" + s + ")"
	}
	return "(" + s + ")"
}

// scalar writes a value that has one text; a FLOAT64 has a point or an exponent.
func (v value) scalar() string {
	switch x := v.data.(type) {
	case float64:
		s := floatString(x)
		if x == 0 && math.Signbit(x) {
			s = "-0"
		}
		if strings.Trim(s, "-0123456789") == "" {
			s += ".0"
		}
		return s
	case numeric:
		return decimalText(x)
	case bignumeric:
		return decimalText(x)
	case interval:
		return intervalText(x)
	case timestamp:
		return timestampText(x, time.UTC)
	}
	return fmt.Sprint(v.data)
}

// quoteFor chooses quotes: single ones for a text that has double ones, and no single ones.
func quoteFor(s string) byte {
	if strings.Contains(s, `"`) && !strings.Contains(s, "'") {
		return '\''
	}
	return '"'
}

func quoteString(s string) string { return quoteWith(s, quoteFor(s)) }

func quoteWith(s string, quote byte) string {
	var b strings.Builder
	b.WriteByte(quote)
	hex := false // the last is written in hexadecimals, to which no further digit may seem to belong
	for _, r := range s {
		after := hex
		hex = false
		switch {
		case r == rune(quote) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < utf8.RuneSelf && (unicode.IsControl(r) || after && strings.ContainsRune("0123456789abcdefABCDEF", r)):
			hex = true
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte(quote)
	return b.String()
}

// escapeBytes writes bytes; 0 escapes all quotes.
func escapeBytes(s []byte, quote byte) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '\\', quote != 0 && c == quote, quote == 0 && (c == '"' || c == '\'' || c == '`'):
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
