package wire

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/googlesql"
)

// parse reads the text of a scalar value, as a query parameter has it. NULL is none of its texts.
func parse(kind googlesql.Kind, s string) (any, error) {
	switch kind {
	case googlesql.Bool:
		switch strings.ToLower(s) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, failed("Invalid boolean value: %s", shortened(s))
	case googlesql.Int64:
		if n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 64); err == nil {
			return n, nil
		}
		return nil, failed("Cannot convert value to integer (bad value): %s", shortened(s))
	case googlesql.Float64:
		return parseFloat(s)
	case googlesql.Numeric, googlesql.BigNumeric:
		return parseDecimal(kind, s)
	case googlesql.String:
		if !utf8.ValidString(s) {
			return nil, failed("A STRING must be UTF-8")
		}
		return s, nil
	case googlesql.Bytes:
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			b, err = base64.URLEncoding.DecodeString(s)
		}
		if err != nil {
			return nil, failed("Could not decode base64 string to bytes. Field: %s", shortened(s))
		}
		return b, nil
	case googlesql.JSON:
		if !json.Valid([]byte(s)) {
			return nil, failed("Invalid JSON value: %s", shortened(s))
		}
		return s, nil
	case googlesql.Date, googlesql.DateTime, googlesql.Time, googlesql.Timestamp:
		return parseTime(kind, s)
	case googlesql.Interval:
		return parseInterval(s)
	}
	return nil, refused(kind.String())
}

// shortened is a text for a message.
func shortened(s string) string {
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

var number = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?$`)

func parseFloat(s string) (any, error) {
	switch strings.ToLower(strings.TrimLeft(s, "+-")) {
	case "nan", "inf", "infinity":
	default:
		if !number.MatchString(s) {
			return nil, failed("Cannot convert value to floating point (bad value): %s", shortened(s))
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		if strings.EqualFold(strings.TrimLeft(s, "+-"), "nan") {
			return math.NaN(), nil
		}
		return nil, failed("Cannot convert value to floating point (bad value): %s", shortened(s))
	}
	return f, nil
}

// scaleOf is the number of digits behind the point that DuckDB keeps.
func scaleOf(kind googlesql.Kind) uint8 {
	if kind == googlesql.BigNumeric {
		return 18
	}
	return 9
}

// parseDecimal reads a NUMERIC or a BIGNUMERIC. A digit too many is an error: nothing is rounded.
func parseDecimal(kind googlesql.Kind, s string) (any, error) {
	scale := scaleOf(kind)
	bad := func() error {
		if kind == googlesql.BigNumeric {
			return failed("Invalid BIGNUMERIC value: %s (DuckDB keeps 38 digits, 18 of them behind the point)", shortened(s))
		}
		return failed("Invalid NUMERIC value: %s", shortened(s))
	}
	if !number.MatchString(s) || len(s) > 1000 {
		return nil, bad()
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	e := 0
	if exponent != "" {
		e, _ = strconv.Atoi(exponent)
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(strings.TrimLeft(whole, "+-")+fraction, "0")
	shift := e - len(fraction) + int(scale) // of the digits as a whole number, to that of units of 10^-scale
	if kept := strings.TrimRight(digits, "0"); shift < 0 {
		drop := min(-shift, len(digits))
		if len(kept) > len(digits)-drop {
			return nil, bad()
		}
		digits, shift = digits[:len(digits)-drop], 0
	}
	if digits == "" {
		return duckdb.Decimal{Width: 38, Scale: scale, Value: new(big.Int)}, nil
	}
	if len(digits)+shift > 38 {
		return nil, bad()
	}
	v, ok := new(big.Int).SetString(digits+strings.Repeat("0", shift), 10)
	if !ok {
		return nil, bad()
	}
	if strings.HasPrefix(mantissa, "-") {
		v.Neg(v)
	}
	return duckdb.Decimal{Width: 38, Scale: scale, Value: v}, nil
}

// appendDecimal writes all digits of a number, without zeros behind the last one.
func appendDecimal(b []byte, v *big.Int, scale int) []byte {
	digits := new(big.Int).Abs(v).String()
	if v.Sign() < 0 {
		b = append(b, '-')
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	b = append(b, digits[:len(digits)-scale]...)
	if fraction := strings.TrimRight(digits[len(digits)-scale:], "0"); fraction != "" {
		b = append(append(b, '.'), fraction...)
	}
	return b
}

// appendFloat writes a number as BigQuery does, which is Java's way: 1.0, 0.001, 1.0E-4, 1.0E7.
func appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	}
	if a := math.Abs(f); a == 0 || a >= 1e-3 && a < 1e7 {
		from := len(b)
		b = strconv.AppendFloat(b, f, 'f', -1, bits)
		if !strings.Contains(string(b[from:]), ".") {
			b = append(b, ".0"...)
		}
		return b
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, bits), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	e, _ := strconv.Atoi(exponent)
	return strconv.AppendInt(append(append(b, mantissa...), 'E'), int64(e), 10)
}

// The patterns of dates, times and intervals.
var (
	dateTime = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,12}))?)?(.*)$`)
	timeOnly = regexp.MustCompile(`^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,12}))?$`)
	offset   = regexp.MustCompile(`^([+-])(\d{1,2})(?::?(\d{2}))?$`)
	interval = regexp.MustCompile(`^([+-]?)(\d{1,5})-(\d{1,6}) ([+-]?\d{1,7}) ([+-]?)(\d{1,8}):(\d{1,9}):(\d{1,10})(?:\.(\d{1,9}))?$`)
)

// parseTime reads a DATE, DATETIME, TIME or TIMESTAMP.
func parseTime(kind googlesql.Kind, s string) (any, error) {
	bad := func() error {
		return failed("Invalid %s: %s", strings.ToLower(kind.String()), strconv.Quote(shortened(s)))
	}
	if kind == googlesql.Time {
		m := timeOnly.FindStringSubmatch(s)
		if m == nil {
			return nil, bad()
		}
		t, ok := instant("1", "1", "1", m[1], m[2], m[3], m[4], time.UTC)
		if !ok {
			return nil, bad()
		}
		return t, nil
	}
	m := dateTime.FindStringSubmatch(s)
	if m == nil {
		return nil, bad()
	}
	zone, ok := location(strings.TrimSpace(m[8]))
	if !ok || kind != googlesql.Timestamp && m[8] != "" || kind == googlesql.Date && m[4] != "" || m[4] == "" && m[8] != "" &&
		!strings.ContainsAny(m[8][:1], " +-") {
		return nil, bad()
	}
	t, ok := instant(m[1], m[2], m[3], m[4], m[5], m[6], m[7], zone)
	if t = t.UTC(); !ok || t.Year() < 1 || t.Year() > 9999 {
		return nil, bad()
	}
	return t, nil
}

// instant puts a time together, whose parts are digits; "" is 0. It reports whether there is such a time, of whole microseconds.
func instant(year, month, day, hour, minute, second, fraction string, zone *time.Location) (time.Time, bool) {
	part := func(s string) int { n, _ := strconv.Atoi(s); return n }
	fraction += strings.Repeat("0", 6)
	if strings.Trim(fraction[6:], "0") != "" {
		return time.Time{}, false
	}
	y, mo, d, h, mi, s := part(year), time.Month(part(month)), part(day), part(hour), part(minute), part(second)
	day0 := time.Date(y, mo, d, 0, 0, 0, 0, time.UTC)
	ok := y >= 1 && day0.Month() == mo && day0.Day() == d && h < 24 && mi < 60 && s < 60
	return time.Date(y, mo, d, h, mi, s, part(fraction[:6])*1000, zone), ok
}

// location reads a time zone: an offset, a name, or nothing.
func location(s string) (*time.Location, bool) {
	switch strings.ToUpper(s) {
	case "", "Z", "UTC":
		return time.UTC, true
	case "LOCAL":
		return nil, false
	}
	if m := offset.FindStringSubmatch(s); m != nil {
		h, _ := strconv.Atoi(m[2])
		minutes, _ := strconv.Atoi("0" + m[3])
		seconds := h*3600 + minutes*60
		if m[1] == "-" {
			seconds = -seconds
		}
		return time.FixedZone("", seconds), h <= 14 && minutes < 60
	}
	zone, err := time.LoadLocation(s)
	return zone, err == nil
}

// appendClock writes the time of day, with six digits of a fraction where there is one.
func appendClock(b []byte, t time.Time) []byte {
	if t.Nanosecond()/1000 == 0 {
		return t.AppendFormat(b, "15:04:05")
	}
	return t.AppendFormat(b, "15:04:05.000000")
}

// parseInterval reads an INTERVAL: Y-M D H:M:S.F.
func parseInterval(s string) (any, error) {
	m := interval.FindStringSubmatch(s)
	if m == nil {
		return nil, failed("Invalid INTERVAL value: %s", strconv.Quote(shortened(s)))
	}
	part := func(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }
	fraction := (m[9] + "000000000")[:9]
	v := duckdb.Interval{
		Months: int32(part(m[2])*12 + part(m[3])), Days: int32(part(m[4])),
		Micros: (part(m[6])*3600+part(m[7])*60+part(m[8]))*1_000_000 + part(fraction[:6]),
	}
	if m[1] == "-" {
		v.Months = -v.Months
	}
	if m[5] == "-" {
		v.Micros = -v.Micros
	}
	if strings.Trim(fraction[6:], "0") != "" || abs(int64(v.Months)) > 120_000 || abs(int64(v.Days)) > 3_660_000 ||
		abs(v.Micros) > 87_840_000*3600*1_000_000 {
		return nil, failed("Invalid INTERVAL value: %s", strconv.Quote(shortened(s)))
	}
	return v, nil
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

func appendInterval(b []byte, v duckdb.Interval) []byte {
	sign := func(negative bool) {
		if negative {
			b = append(b, '-')
		}
	}
	months := abs(int64(v.Months))
	sign(v.Months < 0)
	b = strconv.AppendInt(b, months/12, 10)
	b = strconv.AppendInt(append(b, '-'), months%12, 10)
	b = strconv.AppendInt(append(b, ' '), int64(v.Days), 10)
	b = append(b, ' ')
	sign(v.Micros < 0)
	micros := uint64(abs(v.Micros))
	b = strconv.AppendUint(b, micros/3_600_000_000, 10)
	b = strconv.AppendUint(append(b, ':'), micros/60_000_000%60, 10)
	b = strconv.AppendUint(append(b, ':'), micros/1_000_000%60, 10)
	if f := micros % 1_000_000; f > 0 {
		digits := strconv.FormatUint(1_000_000+f, 10)[1:]
		b = append(append(b, '.'), strings.TrimRight(digits, "0")...)
	}
	return b
}
