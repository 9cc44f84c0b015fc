package googlesql

import (
	"fmt"
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
