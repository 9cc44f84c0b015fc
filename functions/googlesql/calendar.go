package googlesql

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// The parts of dates and times, with the numbers that Google's analyzer gives them.
const (
	partYear         = 1
	partMonth        = 2
	partDay          = 3
	partDayOfWeek    = 4
	partDayOfYear    = 5
	partQuarter      = 6
	partHour         = 7
	partMinute       = 8
	partSecond       = 9
	partMillisecond  = 10
	partMicrosecond  = 11
	partWeek         = 14
	partISOYear      = 17
	partISOWeek      = 18
	partWeekMonday   = 19
	partWeekSaturday = 24
	microsPerSecond  = 1000000
	microsPerHour    = 3600 * microsPerSecond
	microsPerDay     = 24 * microsPerHour
	minDate          = -719162 // 0001-01-01
	maxDate          = 2932896 // 9999-12-31
	minMicros        = minDate * microsPerDay
	maxMicros        = (maxDate+1)*microsPerDay - 1
	monthsOfYear     = 12
	mostMonths       = 120000 // between any two dates
)

var partNames = map[int64]string{
	partYear: "YEAR", partMonth: "MONTH", partDay: "DAY", partQuarter: "QUARTER", partHour: "HOUR", partMinute: "MINUTE",
	partSecond: "SECOND", partMillisecond: "MILLISECOND", partMicrosecond: "MICROSECOND", partWeek: "WEEK", partISOYear: "ISOYEAR",
	partISOWeek: "ISOWEEK", 19: "WEEK(MONDAY)", 20: "WEEK(TUESDAY)", 21: "WEEK(WEDNESDAY)", 22: "WEEK(THURSDAY)",
	23: "WEEK(FRIDAY)", 24: "WEEK(SATURDAY)",
}

// microsOf is how long a part of fixed length is; 0 for another.
func microsOf(part int64) int64 {
	switch part {
	case partWeek:
		return 7 * microsPerDay
	case partDay:
		return microsPerDay
	case partHour:
		return microsPerHour
	case partMinute:
		return 60 * microsPerSecond
	case partSecond:
		return microsPerSecond
	case partMillisecond:
		return 1000
	case partMicrosecond:
		return 1
	}
	return 0
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func (d date) time() time.Time      { return time.Unix(int64(d)*86400, 0).UTC() }
func (d date) civil() (y, m, n int) { t := d.time(); return t.Year(), int(t.Month()), t.Day() }
func (d date) String() string       { return d.time().Format("2006-01-02") }
func (d date) datetime() datetime   { return datetime(int64(d) * microsPerDay) }
func (d datetime) date() date       { return date(floorDiv(int64(d), microsPerDay)) }
func (d datetime) time() time.Time  { return time.UnixMicro(int64(d)).UTC() }
func (d datetime) String() string   { return withFraction(d.time(), "2006-01-02 15:04:05") }
func (d datetime) timeOfDay() timeOfDay {
	return timeOfDay(int64(d) - int64(d.date())*microsPerDay)
}

// withFraction writes a time with 0, 3 or 6 digits of a second's fraction.
func withFraction(t time.Time, layout string) string {
	switch us := t.Nanosecond() / 1000; {
	case us == 0:
		return t.Format(layout)
	case us%1000 == 0:
		return t.Format(layout + ".000")
	}
	return t.Format(layout + ".000000")
}

func (t timestamp) String() string {
	return time.UnixMicro(int64(t)).UTC().Format("2006-01-02 15:04:05.000000") + "+00"
}

// dateOf is the date of a year, month and day, which need not be in their ranges.
func dateOf(y, m, d int) date {
	return date(floorDiv(time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix(), 86400))
}

func (d date) valid() bool { return d >= minDate && d <= maxDate }
func validMicros(us int64) bool {
	return us >= minMicros && us <= maxMicros
}

func daysIn(y, m int) int { return time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day() }

// addMonths keeps the day, or takes the last one of a month that is too short.
func addMonths(d date, months int64) (date, bool) {
	if months > mostMonths || months < -mostMonths {
		return 0, false
	}
	y, m, n := d.civil()
	all := int64(y)*monthsOfYear + int64(m) - 1 + months
	y, m = int(floorDiv(all, monthsOfYear)), int(all-floorDiv(all, monthsOfYear)*monthsOfYear)+1
	if y < 1 || y > 9999 {
		return 0, false
	}
	return dateOf(y, m, min(n, daysIn(y, m))), true
}

// monthsOf is how many months a part has; 0 for one that is no number of months.
func monthsOf(part int64) int64 {
	return map[int64]int64{partYear: 12, partISOYear: 12, partQuarter: 3, partMonth: 1}[part]
}

// addToDate adds n parts; not ok when the result is out of range.
func addToDate(d date, n, part int64) (date, bool) {
	if m := monthsOf(part); m > 0 {
		if n > mostMonths || n < -mostMonths {
			return 0, false
		}
		return addMonths(d, n*m)
	}
	days := int64(1)
	if part == partWeek {
		days = 7
	}
	if n > maxDate-minDate || n < minDate-maxDate {
		return 0, false
	}
	r := int64(d) + n*days
	return date(r), r >= minDate && r <= maxDate
}

// addToMicros adds n parts to a moment of a calendar without zones.
func addToMicros(us, n, part int64) (int64, bool) {
	if m := monthsOf(part); m > 0 {
		day := date(floorDiv(us, microsPerDay))
		r, ok := addToDate(day, n, part)
		return us + (int64(r)-int64(day))*microsPerDay, ok
	}
	high, low := bits.Mul64(uint64(abs64(n)), uint64(microsOf(part)))
	if high != 0 || low > 2*uint64(maxMicros-minMicros) {
		return 0, false
	}
	step := int64(low)
	if n < 0 {
		step = -step
	}
	us += step
	return us, validMicros(us)
}

func abs64(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// weekday is the day on which weeks of a part begin, from Sunday, 0; ok is false for a part that is no week.
func weekday(part int64) (first int64, ok bool) {
	switch {
	case part == partWeek:
		return 0, true
	case part == partISOWeek:
		return 1, true
	case part >= partWeekMonday && part <= partWeekSaturday:
		return part - partWeekMonday + 1, true
	}
	return 0, false
}

// weekOf is the first day of the week of a date.
func weekOf(d date, first int64) date {
	return d - date((int64(d) + 4 - first - floorDiv(int64(d)+4-first, 7)*7)) // 1970-01-01 was a Thursday
}

// isoYear is the first day of the ISO year of a date, and its number.
func isoYear(d date) (date, int) {
	y, _ := d.time().ISOWeek()
	return isoYearBegin(y), y
}

func isoYearBegin(y int) date { return weekOf(dateOf(y, 1, 4), 1) }

// truncDate is the first day of the part that holds a date. It may be out of range.
func truncDate(d date, part int64) date {
	y, m, _ := d.civil()
	if first, ok := weekday(part); ok {
		return weekOf(d, first)
	}
	switch part {
	case partYear:
		return dateOf(y, 1, 1)
	case partQuarter:
		return dateOf(y, (m-1)/3*3+1, 1)
	case partMonth:
		return dateOf(y, m, 1)
	case partISOYear:
		first, _ := isoYear(d)
		return first
	}
	return d
}

func lastDay(d date, part int64) date {
	first := truncDate(d, part)
	if _, ok := weekday(part); ok {
		return first + 6
	}
	y, m, _ := first.civil()
	switch part {
	case partYear:
		return dateOf(y, 12, 31)
	case partQuarter:
		return dateOf(y, m+3, 0)
	case partISOYear:
		_, y := isoYear(d)
		return isoYearBegin(y+1) - 1
	}
	return dateOf(y, m+1, 0)
}

// diffDates counts the borders of parts between two dates.
func diffDates(a, b date, part int64) int64 {
	if first, ok := weekday(part); ok {
		return (int64(weekOf(a, first)) - int64(weekOf(b, first))) / 7
	}
	y1, m1, _ := a.civil()
	y2, m2, _ := b.civil()
	switch part {
	case partYear:
		return int64(y1 - y2)
	case partISOYear:
		_, y1 = isoYear(a)
		_, y2 = isoYear(b)
		return int64(y1 - y2)
	case partQuarter:
		return int64((y1*12+m1-1)/3 - (y2*12+m2-1)/3)
	case partMonth:
		return int64(y1*12 + m1 - y2*12 - m2)
	}
	return int64(a) - int64(b)
}

// extractDate is a part of a date.
func extractDate(d date, part int64) int64 {
	y, m, n := d.civil()
	if first, ok := weekday(part); ok && part != partISOWeek {
		begin := dateOf(y, 1, 1)
		week := weekOf(begin, first)
		if week < begin {
			week += 7
		}
		if d < week {
			return 0
		}
		return (int64(d)-int64(week))/7 + 1
	}
	switch part {
	case partYear:
		return int64(y)
	case partMonth:
		return int64(m)
	case partDay:
		return int64(n)
	case partQuarter:
		return int64(m+2) / 3
	case partDayOfWeek:
		return int64(d.time().Weekday()) + 1
	case partDayOfYear:
		return int64(d.time().YearDay())
	case partISOYear:
		_, y := isoYear(d)
		return int64(y)
	case partISOWeek:
		_, w := d.time().ISOWeek()
		return int64(w)
	}
	return 0
}

// truncMicros is the begin of the part that holds a moment.
func truncMicros(us, part int64) int64 {
	if unit := microsOf(part); unit > 0 && unit < microsPerDay {
		return floorDiv(us, unit) * unit
	}
	return int64(truncDate(date(floorDiv(us, microsPerDay)), part)) * microsPerDay
}

// diffMicros counts the borders of parts between two moments of a calendar.
func diffMicros(a, b, part int64) (int64, error) {
	unit := microsOf(part)
	if unit == 0 || unit >= microsPerDay {
		return diffDates(datetime(a).date(), datetime(b).date(), part), nil
	}
	return floorDiv(a, unit) - floorDiv(b, unit), nil
}

// zones are the time zones that were asked for.
var zoneNames = newCache[*time.Location](1000)

// zone finds a time zone by its name, or an offset such as +05:30.
func zone(name string) (*time.Location, error) {
	return zoneNames.get(name, func() (*time.Location, error) {
		if seconds, ok := offsetOf(strings.TrimPrefix(name, "UTC")); ok && name != "UTC" {
			return time.FixedZone("", seconds), nil
		}
		if name == "" || name == "Local" || strings.ContainsAny(name, "\\\x00") || strings.Contains(name, "..") {
			return nil, fmt.Errorf("Invalid time zone: %s", name)
		}
		l, err := time.LoadLocation(name)
		if err != nil {
			return nil, fmt.Errorf("Invalid time zone: %s", name)
		}
		return l, nil
	})
}

// offsetOf reads an offset from UTC: a sign, hours of one or two digits, minutes behind a colon.
func offsetOf(s string) (seconds int, ok bool) {
	if len(s) < 2 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hours, minutes, colon := strings.Cut(s[1:], ":")
	if n := len(hours); !colon && n > 2 { // +hhmm
		hours, minutes, colon = hours[:n-2], hours[n-2:], true
	}
	number := func(s string, most int) (int, bool) {
		if len(s) == 0 || len(s) > 2 {
			return 0, false
		}
		n := 0
		for _, c := range s {
			if c < '0' || c > '9' {
				return 0, false
			}
			n = n*10 + int(c-'0')
		}
		return n, n <= most
	}
	h, ok := number(hours, 14)
	m := 0
	if ok && colon {
		m, ok = number(minutes, 59)
	}
	if !ok || h == 14 && m > 0 {
		return 0, false
	}
	seconds = h*3600 + m*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// local gives the calendar's moment of a timestamp in a zone.
func local(t timestamp, l *time.Location) int64 {
	_, offset := time.UnixMicro(int64(t)).In(l).Zone()
	return int64(t) + int64(offset)*microsPerSecond
}

// instant gives the timestamp of a calendar's moment. Of two the first is taken; a moment that a clock leaves out has the
// offset from before.
func instant(us int64, l *time.Location) timestamp {
	offset := func(us int64) int64 {
		_, o := time.UnixMicro(us).In(l).Zone()
		return int64(o) * microsPerSecond
	}
	before, after := offset(us-microsPerDay), offset(us+microsPerDay)
	if offset(us-before) != before && offset(us-after) == after {
		return timestamp(us - after)
	}
	return timestamp(us - before)
}
