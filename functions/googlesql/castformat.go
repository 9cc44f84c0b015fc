package googlesql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// castFormats are CAST … FORMAT between STRING and moments
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/format-elements).
var castFormats = map[string]definition{
	"date_to_string_format": binary(func(d date, format string) (string, error) { return writeMoment("DATE", d.time(), format) }),
	"datetime_to_string_format": binary(func(d datetime, format string) (string, error) {
		return writeMoment("DATETIME", d.time(), format)
	}),
	"time_to_string_format": binary(func(t timeOfDay, format string) (string, error) {
		return writeMoment("TIME", time.UnixMicro(int64(t)).UTC(), format)
	}),
	"timestamp_to_string_format": ternary(func(t timestamp, format, zone string) (string, error) {
		z, err := loadZone(zone)
		if err != nil {
			return "", err
		}
		return writeMoment("TIMESTAMP", time.UnixMicro(int64(t)).In(z), format)
	}),
	"string_to_date_format": binary(func(s, format string) (date, error) {
		t, err := readByFormat("DATE", s, format, time.UTC)
		return date(floorDiv(t.Unix(), 86400)), err
	}),
	"string_to_datetime_format": binary(func(s, format string) (datetime, error) {
		t, err := readByFormat("DATETIME", s, format, time.UTC)
		return datetime(t.UnixMicro()), err
	}),
	"string_to_time_format": binary(func(s, format string) (timeOfDay, error) {
		t, err := readByFormat("TIME", s, format, time.UTC)
		return timeOfDay(floorMod(t.UnixMicro(), microsPerDay)), err
	}),
	"string_to_timestamp_format": ternary(func(s, format, zone string) (timestamp, error) {
		z, err := loadZone(zone)
		if err != nil {
			return 0, err
		}
		t, err := readByFormat("TIMESTAMP", s, format, z)
		return timestamp(t.UnixMicro()), err
	}),
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// element is an element of a format.
type element struct {
	name     string // upper-case; "" for a literal
	text     string // as it is written; the literal
	category string
}

// categories are those of the elements, the longest names first.
var categories = []element{
	{name: "SSSSS", category: "SECOND"}, {name: "MONTH", category: "MONTH"},
	{name: "YYYY", category: "YEAR"}, {name: "RRRR", category: "YEAR"}, {name: "HH24", category: "HOUR"}, {name: "HH12", category: "HOUR"},
	{name: "A.M.", category: "MERIDIAN_INDICATOR"}, {name: "P.M.", category: "MERIDIAN_INDICATOR"}, {name: "IYYY", category: ""},
	{name: "YYY", category: "YEAR"}, {name: "MON", category: "MONTH"}, {name: "DAY", category: "DAY"}, {name: "DDD", category: "DAY"},
	{name: "TZH", category: "TIME_ZONE"}, {name: "TZM", category: "TIME_ZONE"}, {name: "IYY", category: ""},
	{name: "FF1", category: "SECOND"}, {name: "FF2", category: "SECOND"}, {name: "FF3", category: "SECOND"}, {name: "FF4", category: "SECOND"},
	{name: "FF5", category: "SECOND"}, {name: "FF6", category: "SECOND"}, {name: "FF7", category: "SECOND"}, {name: "FF8", category: "SECOND"},
	{name: "FF9", category: "SECOND"},
	{name: "YY", category: "YEAR"}, {name: "RR", category: "YEAR"}, {name: "MM", category: "MONTH"}, {name: "MI", category: "MINUTE"},
	{name: "DD", category: "DAY"}, {name: "DY", category: "DAY"}, {name: "HH", category: "HOUR"}, {name: "SS", category: "SECOND"},
	{name: "AM", category: "MERIDIAN_INDICATOR"}, {name: "PM", category: "MERIDIAN_INDICATOR"},
	{name: "CC", category: "CENTURY"}, {name: "WW", category: "WEEK"}, {name: "IW", category: "WEEK"}, {name: "IY", category: ""},
	{name: "Y", category: "YEAR"}, {name: "D", category: "DAY"}, {name: "Q", category: "QUARTER"}, {name: "W", category: "WEEK"},
	{name: "J", category: ""}, {name: "I", category: ""},
}

// elements are those of formats that were read.
var elements = newCache[[]element](1000)

func readFormat(format string) ([]element, error) {
	return elements.get(format, func() ([]element, error) { return parseFormat(strings.Clone(format)) })
}

func parseFormat(format string) ([]element, error) {
	all := []element{}
	for at := 0; at < len(format); {
		rest := format[at:]
		if strings.ContainsRune("-./,'; :\t\n", rune(rest[0])) {
			all = append(all, element{text: rest[:1]})
			at++
			continue
		}
		if rest[0] == '"' {
			text, n, ok := quotedLiteral(rest)
			if !ok {
				return nil, fmt.Errorf("Cannot find matching \" for quoted literal at %d", at)
			}
			all = append(all, element{text: text})
			at += n
			continue
		}
		upper := strings.ToUpper(rest[:min(len(rest), 5)])
		i := slices.IndexFunc(categories, func(e element) bool { return strings.HasPrefix(upper, e.name) })
		if i < 0 {
			return nil, fmt.Errorf("Cannot find matched format element at %d", at)
		}
		e := categories[i]
		if e.category == "" {
			return nil, fmt.Errorf("Unsupported format element '%s'", e.name)
		}
		e.text = rest[:len(e.name)]
		all = append(all, e)
		at += len(e.name)
	}
	return all, nil
}

// quotedLiteral reads "…", in which \ stands before " and \.
func quotedLiteral(s string) (text string, n int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), i + 1, true
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, false
}

// has reports whether a type has the part that an element is of.
func (e element) has(of string) bool {
	switch e.category {
	case "YEAR", "MONTH", "DAY":
		return of != "TIME"
	case "HOUR", "MINUTE", "SECOND", "MERIDIAN_INDICATOR":
		return of != "DATE"
	case "TIME_ZONE":
		return of == "TIMESTAMP"
	}
	return e.category == "" && e.name == ""
}

func writeMoment(of string, t time.Time, format string) (string, error) {
	all, err := readFormat(format)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, e := range all {
		switch {
		case e.name == "":
			b.WriteString(e.text)
		case !e.has(of):
			return "", fmt.Errorf("%s does not support '%s'", of, e.name)
		default:
			b.WriteString(e.write(t))
		}
	}
	return b.String(), nil
}

// cased gives a word the case of an element: by its first two letters.
func (e element) cased(word string) string {
	letters := []rune(e.text)
	switch {
	case unicode.IsLower(letters[0]):
		return strings.ToLower(word)
	case len(letters) > 1 && unicode.IsLower(letters[1]):
		return strings.ToUpper(word[:1]) + strings.ToLower(word[1:])
	}
	return strings.ToUpper(word)
}

func (e element) write(t time.Time) string {
	lastDigits := func(n int) string { y := fmt.Sprintf("%05d", t.Year()); return y[len(y)-n:] }
	hour12 := (t.Hour()+11)%12 + 1
	_, offset := t.Zone()
	switch e.name {
	case "YYYY", "RRRR":
		return fmt.Sprintf("%04d", t.Year())
	case "YYY", "YY", "Y":
		return lastDigits(len(e.name))
	case "RR":
		return lastDigits(2)
	case "MONTH":
		return e.cased(t.Month().String())
	case "MON":
		return e.cased(t.Month().String()[:3])
	case "MM":
		return fmt.Sprintf("%02d", t.Month())
	case "DAY":
		return e.cased(t.Weekday().String())
	case "DY":
		return e.cased(t.Weekday().String()[:3])
	case "DDD":
		return fmt.Sprintf("%03d", t.YearDay())
	case "DD":
		return fmt.Sprintf("%02d", t.Day())
	case "D":
		return strconv.Itoa(int(t.Weekday()) + 1)
	case "HH24":
		return fmt.Sprintf("%02d", t.Hour())
	case "HH12", "HH":
		return fmt.Sprintf("%02d", hour12)
	case "MI":
		return fmt.Sprintf("%02d", t.Minute())
	case "SS":
		return fmt.Sprintf("%02d", t.Second())
	case "SSSSS":
		return fmt.Sprintf("%05d", t.Hour()*3600+t.Minute()*60+t.Second())
	case "AM", "PM", "A.M.", "P.M.":
		word := "AM"
		if t.Hour() >= 12 {
			word = "PM"
		}
		if len(e.name) == 4 {
			word = word[:1] + ".M."
		}
		return e.cased(word)
	case "TZH":
		sign := '+'
		if offset < 0 {
			sign, offset = '-', -offset
		}
		return fmt.Sprintf("%c%02d", sign, offset/3600)
	case "TZM":
		return fmt.Sprintf("%02d", max(offset, -offset)/60%60)
	}
	n := int(e.name[2] - '0') // FF1 to FF9
	return fmt.Sprintf("%09d", t.Nanosecond())[:n]
}
