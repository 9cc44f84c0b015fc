package googlesql

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	dateForm   = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})$`)
	timeForm   = regexp.MustCompile(`^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{0,6}))?$`)
	momentForm = regexp.MustCompile(`^(\d{4}-\d{1,2}-\d{1,2})(?:[ Tt](\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d{0,6})?))?(.*)$`)
	offsetForm = regexp.MustCompile(`^([+-])(\d{1,2})(?::?(\d{2}))?$`)
)

func numbers(parts []string) (all [4]int) {
	for i, p := range parts {
		all[i], _ = strconv.Atoi(p)
	}
	return all
}

// readDate reads year-month-day.
func readDate(s string) (time.Time, bool) {
	m := dateForm.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	n := numbers(m[1:])
	t := time.Date(n[0], time.Month(n[1]), n[2], 0, 0, 0, 0, time.UTC)
	return t, n[0] > 0 && t.Month() == time.Month(n[1]) && t.Day() == n[2]
}

// readTime reads hours, minutes, seconds and a fraction. Second 60 is the next minute's first.
func readTime(s string) (time.Duration, bool) {
	m := timeForm.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n := numbers(m[1:4])
	micros, _ := strconv.Atoi((m[4] + "000000")[:6])
	if n[2] == 60 {
		micros = 0
	}
	d := time.Duration(n[0]*3600+n[1]*60+n[2])*time.Second + time.Duration(micros)*time.Microsecond
	return d, n[0] < 24 && n[1] < 60 && n[2] <= 60
}

func castDate(s string) (date, error) {
	t, ok := readDate(s)
	if !ok {
		return 0, fmt.Errorf("Invalid date: '%s'", s)
	}
	return date(t.Unix() / 86400), nil
}

func castTime(s string) (timeOfDay, error) {
	d, ok := readTime(s)
	if !ok {
		return 0, fmt.Errorf("Invalid time string %q", s)
	}
	return timeOfDay((d % (24 * time.Hour)).Microseconds()), nil
}

func castDateTime(s string) (datetime, error) {
	t, zone, ok := readMoment(s)
	if !ok || zone != "" || t.Year() > 9999 {
		return 0, fmt.Errorf("Invalid datetime string %q", s)
	}
	return datetime(t.UnixMicro()), nil
}

// readMoment reads a date with or without a time, and leaves the zone behind it.
func readMoment(s string) (t time.Time, zone string, ok bool) {
	m := momentForm.FindStringSubmatch(s)
	if m == nil {
		return t, "", false
	}
	if t, ok = readDate(m[1]); !ok {
		return t, "", false
	}
	if m[2] != "" {
		d, valid := readTime(m[2])
		t, ok = t.Add(d), valid
	}
	return t, m[3], ok
}

// castTimestamp reads a moment in the zone that stands behind it, or another. A name has one blank before, an offset none.
func castTimestamp(s, otherwise string) (timestamp, error) {
	wrong := fmt.Errorf("Invalid timestamp: '%s'", s)
	t, rest, ok := readMoment(s)
	if !ok {
		return 0, wrong
	}
	name := otherwise
	switch {
	case rest == "":
	case rest == "Z" || rest == "z":
		name = "UTC"
	case offsetForm.MatchString(rest) && strings.Contains(s, ":"):
		name = rest
	case rest[0] == ' ' && len(rest) > 1 && rest[1] != ' ' && rest[1] != '+' && rest[1] != '-':
		name = rest[1:]
	default:
		return 0, wrong
	}
	z, err := loadZone(name)
	if err != nil {
		return 0, err
	}
	at := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), z).UTC()
	if at.Year() < 1 || at.Year() > 9999 {
		return 0, wrong
	}
	return timestamp(at.UnixMicro()), nil
}

// loadZone finds a zone by its name or offset.
func loadZone(name string) (*time.Location, error) {
	if m := offsetForm.FindStringSubmatch(name); m != nil {
		n := numbers(m[2:])
		seconds := n[0]*3600 + n[1]*60
		if n[1] > 59 || seconds > 14*3600 {
			return nil, fmt.Errorf("Invalid time zone: %s", name)
		}
		if m[1] == "-" {
			seconds = -seconds
		}
		return time.FixedZone("", seconds), nil
	}
	return zone(name)
}
