package googlesql

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

var errParsed = errors.New("Out-of-range datetime field in parsing function")

// moment is what was read of a date and a time.
type moment struct {
	year, month, day       int
	hour, minute, second   int
	micro                  int
	century, yearOfCentury int // -1 when not read
	hour12, afternoon      bool
	yearDay, week, weekday int  // -1 when not read
	weekElement            byte // U or W
	isoYear, isoWeek       int  // 0 when not read
	isoDay                 int  // of the ISO year, 0 when not read
	calendar               bool // year, month or day was read, which stand above those of ISO
	epoch                  bool // the number of seconds was read
	seconds                int64
	zone                   *time.Location
	wrong                  error // what is wrong with a part, though it reads well
}

// reader reads a text.
type reader struct {
	text     string
	at       int
	m        moment
	elements string
}

var errElement = errors.New("an element that is not there")

// parseTime reads a text by a format. Blanks of the format stand for any number of blanks.
func parseTime(f, s, elements string) (*moment, error) {
	r := &reader{text: s, elements: elements, m: moment{year: 1970, month: 1, day: 1, century: -1, yearOfCentury: -1, yearDay: -1, week: -1,
		weekday: -1}}
	r.blanks()
	for i := 0; i < len(f); i++ {
		switch c := f[i]; {
		case isBlank(c):
			r.blanks()
		case c == '%' && i+1 == len(f):
			return nil, errors.New("Format string cannot end with a single '%'")
		case c == '%':
			n, err := r.element(f[i+1:])
			if errors.Is(err, errElement) {
				return nil, fmt.Errorf("Failed to parse input string %q", s)
			}
			if err != nil {
				return nil, err
			}
			if n == 0 {
				return nil, fmt.Errorf("Failed to parse input string %q", s)
			}
			if r.m.wrong != nil {
				return nil, r.m.wrong
			}
			i += n
		case r.at < len(s) && s[r.at] == c:
			r.at++
		default:
			if r.at == len(s) {
				return nil, fmt.Errorf("Failed to parse input string %q", s)
			}
			return nil, fmt.Errorf("Mismatch between format character '%c' and string character '%s' at string index: %d with format: '%s'", c,
				r.here(), r.at, f)
		}
	}
	r.blanks()
	if r.at < len(s) {
		return nil, fmt.Errorf("Failed to parse input string %q", s)
	}
	return &r.m, nil
}

func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func (r *reader) here() string {
	if r.at < len(r.text) {
		return r.text[r.at : r.at+1]
	}
	return ""
}

func (r *reader) blanks() {
	for r.at < len(r.text) && isBlank(r.text[r.at]) {
		r.at++
	}
}

// number reads a number of one to most digits, behind blanks.
func (r *reader) number(least, most, from, to int) (int, bool) {
	n, digits := 0, 0
	for digits < most && r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' {
		n = n*10 + int(r.text[r.at]-'0')
		r.at++
		digits++
	}
	return n, digits >= least && n >= from && n <= to
}

// name reads one of some names, whole or its first three letters.
func (r *reader) name(names func(i int) string, count int) (int, bool) {
	for i := range count {
		for _, n := range []string{names(i), names(i)[:3]} {
			if len(r.text)-r.at >= len(n) && strings.EqualFold(r.text[r.at:r.at+len(n)], n) {
				r.at += len(n)
				return i, true
			}
		}
	}
	return 0, false
}

// element reads what an element stands for, and tells how long it is; 0 when the text does not fit.
func (r *reader) element(f string) (size int, err error) {
	size, c := 1, f[0]
	if (c == 'E' || c == 'O') && len(f) > 1 {
		switch {
		case strings.HasPrefix(f, "E4Y"):
			return r.modified(f[:3], func() (ok bool) {
				r.m.year, ok = r.number(4, 4, 0, 9999)
				r.m.century, r.m.yearOfCentury, r.m.calendar = -1, -1, true
				return ok
			})
		case strings.HasPrefix(f, "E*S"):
			return r.modified(f[:3], func() bool { return r.fraction(9) })
		case f[1] == 'z':
			return r.modified(f[:2], func() bool { return r.offset(true) })
		case f[1] >= '0' && f[1] <= '9' && c == 'E' && strings.IndexByte(f, 'S') > 0 &&
			strings.Trim(f[1:strings.IndexByte(f, 'S')], "0123456789") == "":
			return r.modified(f[:strings.IndexByte(f, 'S')+1], func() bool { return r.fraction(int(f[1] - '0')) })
		}
		size, c = 2, f[1]
	}
	if strings.IndexByte(freeElements, c) < 0 && !r.has(c) {
		if strings.IndexByte(dateElements+timeElements+bothElements+zoneElements, c) >= 0 {
			return 0, r.notAllowed(f[:size])
		}
		return 0, errElement
	}
	ok, err := r.read(c)
	if err != nil {
		return 0, err
	}
	return sizeIf(size, ok)
}

// modified reads an element with an E before it.
func (r *reader) modified(element string, read func() bool) (size int, err error) {
	if !r.has(element[len(element)-1]) {
		return 0, r.notAllowed(element)
	}
	return sizeIf(len(element), read())
}

func (r *reader) notAllowed(element string) error {
	return fmt.Errorf("Invalid format: %%%s is not allowed for the %s type.", element, r.typeName())
}

// typeName is the type that has the elements.
func (r *reader) typeName() string {
	return map[string]string{dateElements: "DATE", timeElements: "TIME", dateElements + timeElements + bothElements: "DATETIME"}[r.elements]
}

func sizeIf(n int, ok bool) (int, error) {
	if !ok {
		return 0, errElement
	}
	return n, nil
}

func (r *reader) has(c byte) bool { return strings.IndexByte(r.elements, c) >= 0 }

// all reads several elements.
func (r *reader) all(f string) bool {
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			if f[i] == ' ' {
				r.blanks()
				continue
			}
			if r.at >= len(r.text) || r.text[r.at] != f[i] {
				return false
			}
			r.at++
			continue
		}
		i++
		if ok, err := r.read(f[i]); !ok || err != nil {
			return false
		}
	}
	return true
}

// composed are the elements that stand for several.
var composed = map[byte]string{
	'c': "%a %b %e %H:%M:%S %Y", 'D': "%m/%d/%y", 'x': "%m/%d/%y", 'F': "%Y-%m-%d", 'R': "%H:%M", 'r': "%I:%M:%S %p",
	'T': "%H:%M:%S", 'X': "%H:%M:%S",
}

func (r *reader) read(c byte) (ok bool, err error) {
	m := &r.m
	if strings.IndexByte("eklDFRTXcrx", c) >= 0 { // no others may have blanks before them
		r.blanks()
	}
	if strings.IndexByte("BbhCdejmQYy", c) >= 0 {
		m.calendar = true
		if strings.IndexByte("BbhdemQ", c) >= 0 {
			m.yearDay, m.week = -1, -1
		}
	}
	if several, ok := composed[c]; ok {
		return r.all(several), nil
	}
	if strings.IndexByte("GgJUuVWw", c) >= 0 {
		return r.week(c), nil
	}
	switch c {
	case 'A', 'a':
		m.weekday, ok = r.name(func(i int) string { return time.Weekday(i).String() }, 7)
	case 'B', 'b', 'h':
		m.month, ok = r.name(func(i int) string { return time.Month(i + 1).String() }, 12)
		m.month++
	case 'C':
		m.century, ok = r.number(1, 2, 0, 99)
	case 'd', 'e':
		m.day, ok = r.number(1, 2, 1, 31)
	case 'H', 'k':
		m.hour, ok = r.number(1, 2, 0, 23)
		m.hour12 = false
	case 'I', 'l':
		m.hour, ok = r.number(1, 2, 1, 12)
		m.hour12 = true
	case 'j':
		m.yearDay, ok = r.number(1, 3, 1, 366)
	case 'M':
		m.minute, ok = r.number(1, 2, 0, 59)
	case 'm':
		m.month, ok = r.number(1, 2, 1, 12)
	case 'n', 't':
		r.blanks()
		ok = true
	case 'P', 'p':
		if len(r.text)-r.at >= 2 {
			half := strings.ToLower(r.text[r.at : r.at+2])
			m.afternoon, ok = half == "pm", half == "am" || half == "pm"
			r.at += 2
		}
	case 'Q':
		var q int
		q, ok = r.number(1, 1, 1, 4)
		m.month, m.day = (q-1)*3+1, 1
	case 'S':
		m.second, ok = r.number(1, 2, 0, 60)
	case 's':
		return r.epoch(), nil
	case 'Y':
		m.year, ok = r.number(1, 4, 0, 9999)
		m.century, m.yearOfCentury = -1, -1
	case 'y':
		m.yearOfCentury, ok = r.number(1, 2, 0, 99)
	case 'Z':
		return true, r.zoneName()
	case 'z':
		ok = r.offset(false)
	case '%':
		ok = r.here() == "%"
		r.at++
	}
	return ok, nil
}

// week reads an element of weeks and their days.
func (r *reader) week(c byte) (ok bool) {
	m := &r.m
	switch c {
	case 'G':
		m.isoYear, ok = r.number(1, 4, 1, 9999)
	case 'g':
		m.isoYear, ok = r.number(1, 2, 0, 99)
		m.isoYear = ofCentury(m.isoYear)
	case 'J':
		m.isoDay, ok = r.number(1, 3, 1, 371)
	case 'U', 'W':
		m.week, ok = r.number(1, 2, 0, 53)
		m.weekElement = c
	case 'u':
		m.weekday, ok = r.number(1, 1, 1, 7)
		m.weekday %= 7
	case 'V':
		m.isoWeek, ok = r.number(1, 2, 1, 53)
	case 'w':
		m.weekday, ok = r.number(1, 1, 0, 6)
	}
	return ok
}

func (r *reader) epoch() bool {
	sign := int64(1)
	if r.here() == "-" {
		sign = -1
		r.at++
	}
	from := r.at
	n := int64(0)
	for r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' && r.at-from < 13 {
		n = n*10 + int64(r.text[r.at]-'0')
		r.at++
	}
	r.m.epoch, r.m.seconds = true, sign*n
	return r.at > from
}

// fraction reads seconds, and up to so many digits of a fraction.
func (r *reader) fraction(most int) bool {
	var ok bool
	if r.m.second, ok = r.number(1, 2, 0, 60); !ok {
		return false
	}
	r.m.micro = 0
	if most == 0 || r.here() != "." {
		return true
	}
	r.at++
	scale := 100000
	if r.m.second == 60 { // a leap second is the next one, as a whole
		scale = 0
	}
	from := r.at
	for r.at < len(r.text) && r.at-from < most && r.text[r.at] >= '0' && r.text[r.at] <= '9' {
		r.m.micro += int(r.text[r.at]-'0') * scale
		scale /= 10
		r.at++
	}
	return r.at > from
}

// offset reads +hh or +hhmm; extended, +hh:mm and Z as well.
func (r *reader) offset(extended bool) bool {
	sign := r.here()
	if extended && sign == "Z" {
		r.at++
		r.m.zone = time.UTC
		return true
	}
	if sign != "+" && sign != "-" {
		return false
	}
	r.at++
	h, ok := r.number(2, 2, 0, 99)
	if !ok {
		return false
	}
	if extended && r.here() == ":" {
		r.at++
	}
	minutes := 0
	if r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' {
		if minutes, ok = r.number(2, 2, 0, 59); !ok {
			return false
		}
	}
	seconds := h*3600 + minutes*60
	if seconds > 14*3600 {
		r.m.wrong = fmt.Errorf("Timezone offset out of valid range -14:00 to +14:00: %s%02d:%02d", sign, h, minutes)
	}
	if sign == "-" {
		seconds = -seconds
	}
	r.m.zone = time.FixedZone("", seconds)
	return true
}

func (r *reader) zoneName() error {
	from := r.at
	for r.at < len(r.text) && !isBlank(r.text[r.at]) {
		r.at++
	}
	if r.at == from {
		return errors.New("Invalid empty time zone")
	}
	l, err := zone(r.text[from:r.at])
	r.m.zone = l
	return err
}

// ofCentury is the year of two digits: those up to 68 are of this century.
func ofCentury(n int) int {
	if n < 69 {
		return 2000 + n
	}
	return 1900 + n
}

// micros is the moment on its calendar.
func (m *moment) micros() (int64, error) {
	if m.epoch {
		us := m.seconds * microsPerSecond
		if m.seconds > maxMicros/microsPerSecond || m.seconds < minMicros/microsPerSecond {
			return 0, errParsed
		}
		return us, nil
	}
	y := m.year
	switch {
	case m.century >= 0 && m.yearOfCentury >= 0:
		y = m.century*100 + m.yearOfCentury
	case m.century >= 0:
		y = m.century * 100
	case m.yearOfCentury >= 0:
		y = ofCentury(m.yearOfCentury)
	}
	d := dateOf(y, m.month, m.day)
	switch {
	case m.isoYear > 0 && !m.calendar:
		year, week := dateOf(m.isoYear, 12, 28).time().ISOWeek() // the last of the year
		switch {
		case m.isoWeek > week:
			return 0, fmt.Errorf("Invalid ISO week %d specified for ISO year %d", m.isoWeek, year)
		case m.isoWeek > 0:
			return 0, errors.New("ISO parse elements are not supported yet")
		}
		d = weekOf(dateOf(m.isoYear, 1, 4), 1) + date(max(m.isoDay, 1)) - 1
	case m.yearDay >= 0:
		d = dateOf(y, 1, 1) + date(m.yearDay) - 1
		if yy, _, _ := d.civil(); yy != y {
			return 0, fmt.Errorf("Year %d has 365 days, but the specified day of year was %d", y, m.yearDay)
		}
	case m.week >= 0:
		first := int64(0)
		if m.weekElement == 'W' {
			first = 1
		}
		begin := weekOf(dateOf(y, 1, 1)+6, first) // the first week that is not 0
		d = begin + date(m.week-1)*7
		if m.weekday >= 0 {
			return 0, errors.New("Weekday parse elements are not supported yet")
		}
		if d > dateOf(y, 12, 31) {
			return 0, fmt.Errorf("Week number %d is invalid for year %d", m.week, y)
		}
	case m.day > daysIn(y, m.month):
		return 0, errParsed
	}
	hour := m.hour
	if m.hour12 {
		hour %= 12
		if m.afternoon {
			hour += 12
		}
	}
	us := int64(d)*microsPerDay + (int64(hour)*3600+int64(m.minute)*60+int64(m.second))*microsPerSecond + int64(m.micro)
	if !validMicros(us) {
		return 0, errParsed
	}
	return us, nil
}
