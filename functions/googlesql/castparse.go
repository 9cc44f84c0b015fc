package googlesql

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// momentParts is what a text told of a moment; -1 for what it did not.
type momentParts struct {
	year, month, day                   int
	hour, hour12, minute, second, nano int
	secondOfDay                        int
	afternoon                          bool
	offset                             *int // of the zone, in minutes
	negative                           bool
}

// checkFormat holds a format to BigQuery's rules for reading.
func checkFormat(of string, all []element) error {
	seen := map[string]string{}
	for _, e := range all {
		if e.name == "" {
			continue
		}
		switch {
		case slices.Contains([]string{"CC", "Q", "WW", "IW", "W", "DAY", "DY", "D", "DDD", "AM", "PM"}, e.name):
			return fmt.Errorf("Format element '%s' is not supported for parsing", e.name)
		case seen[e.name] != "":
			return fmt.Errorf("Format element '%s' appears more than once in the format string", e.name)
		case !e.has(of):
			return fmt.Errorf("Format element in category %s ('%s') is not allowed for output type %s", e.category, e.name, of)
		}
		seen[e.name] = e.category
		switch e.category {
		case "YEAR", "MONTH", "DAY", "HOUR", "MERIDIAN_INDICATOR":
			if other := seen["="+e.category]; other != "" {
				return fmt.Errorf("More than one format element in category %s exist: '%s' and '%s'", e.category, other, e.name)
			}
			seen["="+e.category] = e.name
		}
	}
	twelve := seen["=HOUR"] == "HH12" || seen["=HOUR"] == "HH"
	switch {
	case twelve && seen["=MERIDIAN_INDICATOR"] == "":
		return fmt.Errorf("Format element in category MERIDIAN_INDICATOR is required when format element '%s' exists", seen["=HOUR"])
	case seen["=MERIDIAN_INDICATOR"] != "" && !twelve:
		return fmt.Errorf("Format element 'HH12' or 'HH' is required when format element '%s' exists", seen["=MERIDIAN_INDICATOR"])
	case seen["SSSSS"] != "" && (seen["=HOUR"] != "" || seen["MI"] != "" || seen["SS"] != ""):
		return errors.New("Format element 'SSSSS' cannot exist together with elements of hours, minutes and seconds")
	}
	return nil
}

// readByFormat reads a text as a format says. What it does not tell is the current year and month, day 1 and midnight.
func readByFormat(of, s, format string, zone *time.Location) (time.Time, error) {
	all, err := readFormat(format)
	if err == nil {
		err = checkFormat(of, all)
	}
	if err != nil {
		return time.Time{}, err
	}
	p := momentParts{year: -1, month: -1, day: 1, secondOfDay: -1, hour12: -1}
	now := time.Now().In(zone)
	rest := strings.TrimLeft(s, " \t\n")
	for i, e := range all {
		at := len(s) - len(rest)
		if e.name == "" && strings.TrimSpace(e.text) == "" {
			rest = strings.TrimLeft(rest, " \t\n")
			continue
		}
		name := e.name
		if name == "" {
			name = e.text
		}
		if rest == "" {
			return time.Time{}, fmt.Errorf("Entire timestamp string has been parsed before dealing with format element '%s'", name)
		}
		after, ok := p.read(e, rest, delimited(all, i), now)
		if !ok {
			return time.Time{}, fmt.Errorf("Failed to parse input timestamp string at %d with format element '%s'", at, name)
		}
		rest = after
	}
	if rest = strings.TrimLeft(rest, " \t\n"); rest != "" {
		return time.Time{}, fmt.Errorf("Illegal non-space trailing data '%s' in timestamp string", rest)
	}
	return p.moment(of, now, zone)
}

// delimited reports whether an element is followed by no digit's element.
func delimited(all []element, i int) bool {
	if i+1 >= len(all) {
		return true
	}
	next := all[i+1]
	switch next.name {
	case "":
		return next.text == "" || next.text[0] < '0' || next.text[0] > '9'
	case "MON", "MONTH", "A.M.", "P.M.", "TZH":
		return true
	}
	return false
}

func number1(s string, most int, all bool) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && i < most && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	n, err := strconv.Atoi(s[:i])
	return n, s[i:], err == nil && (!all || i == most)
}

// read reads one element.
func (p *momentParts) read(e element, s string, delimited bool, now time.Time) (rest string, ok bool) {
	between := func(to *int, digits, least, most int) (string, bool) {
		n, rest, ok := number1(s, digits, !delimited)
		*to = n
		return rest, ok && n >= least && n <= most
	}
	switch e.name {
	case "":
		rest, ok := strings.CutPrefix(s, e.text)
		return rest, ok
	case "YYYY", "RRRR":
		digits := 4
		if delimited && e.name == "YYYY" {
			digits = 5
		}
		n, rest, ok := number1(s, digits, !delimited)
		if e.name == "RRRR" && len(s)-len(rest) <= 2 {
			n = nearYear(n, now)
		}
		p.year = n
		return rest, ok && n >= 1 && n <= 10000
	case "YYY", "YY", "Y":
		unit := map[int]int{3: 1000, 2: 100, 1: 10}[len(e.name)]
		n, rest, ok := number1(s, len(e.name), true)
		p.year = now.Year()/unit*unit + n
		return rest, ok
	case "RR":
		n, rest, ok := number1(s, 2, true)
		p.year = nearYear(n, now)
		return rest, ok
	case "MM":
		return between(&p.month, 2, 1, 12)
	case "MON", "MONTH":
		for m := time.January; m <= time.December; m++ {
			name := m.String()
			if e.name == "MON" {
				name = name[:3]
			}
			if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
				p.month = int(m)
				return s[len(name):], true
			}
		}
		return s, false
	case "DD":
		return between(&p.day, 2, 1, 31)
	}
	return p.readClock(e, s, between)
}

// nearYear completes a year of two digits: to the century that is nearest, by halves.
func nearYear(n int, now time.Time) int {
	century := now.Year() / 100
	switch this := now.Year() % 100; {
	case n < 50 && this >= 50:
		century++
	case n >= 50 && this < 50:
		century--
	}
	return century*100 + n
}

func (p *momentParts) readClock(e element, s string, between func(to *int, digits, least, most int) (string, bool)) (string, bool) {
	switch e.name {
	case "HH24":
		return between(&p.hour, 2, 0, 23)
	case "HH12", "HH":
		return between(&p.hour12, 2, 1, 12)
	case "MI":
		return between(&p.minute, 2, 0, 59)
	case "SS":
		return between(&p.second, 2, 0, 59)
	case "SSSSS":
		return between(&p.secondOfDay, 5, 0, 86399)
	case "A.M.", "P.M.":
		if len(s) < 4 || !strings.EqualFold(s[1:4], ".M.") || !strings.ContainsRune("aApP", rune(s[0])) {
			return s, false
		}
		p.afternoon = s[0]|0x20 == 'p'
		return s[4:], true
	case "TZH":
		sign := strings.IndexByte("+- ", s[0])
		if sign >= 0 {
			s = s[1:]
		}
		n, rest, ok := number1(s, 2, false)
		n *= 60
		if p.negative = sign == 1; p.negative {
			n = -n
		}
		p.addOffset(n)
		return rest, ok && n <= 14*60 && n >= -14*60
	case "TZM":
		n, rest, ok := number1(s, 2, false)
		if p.negative {
			n = -n
		}
		p.addOffset(n)
		return rest, ok && n < 60 && n > -60
	}
	most := int(e.name[2] - '0') // FF1 to FF9
	_, rest, ok := number1(s, most, false)
	micros := s[:len(s)-len(rest)]
	p.nano, _ = strconv.Atoi((micros + "000000000")[:9])
	return rest, ok
}

func (p *momentParts) addOffset(minutes int) {
	if p.offset == nil {
		p.offset = new(int)
	}
	*p.offset += minutes
}

func (p *momentParts) moment(of string, now time.Time, zone *time.Location) (time.Time, error) {
	if p.year < 0 {
		p.year = now.Year()
	}
	if p.month < 0 {
		p.month = int(now.Month())
	}
	if p.hour12 >= 0 {
		p.hour = p.hour12 % 12
		if p.afternoon {
			p.hour += 12
		}
	}
	if p.secondOfDay >= 0 {
		p.second = p.secondOfDay
	}
	if p.offset != nil {
		zone = time.FixedZone("", *p.offset*60)
	}
	t := time.Date(p.year, time.Month(p.month), p.day, 0, 0, 0, 0, time.UTC)
	if of != "TIME" && (t.Month() != time.Month(p.month) || t.Year() > 9999) {
		return t, fmt.Errorf("Invalid result from year, month, day values %d-%d-%d", p.year, p.month, p.day)
	}
	return time.Date(p.year, time.Month(p.month), p.day, p.hour, p.minute, p.second, p.nano/1000*1000, zone), nil
}
