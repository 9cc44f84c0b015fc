package googlesql

import (
	"fmt"
	"time"
)

// datetimes are the functions of dates, times and timestamps. A part is a number of Google's.
var datetimes = map[string]definition{
	"date": ternary(func(y, m, d int64) (date, error) {
		if y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > int64(daysIn(int(y), int(m))) {
			return 0, fmt.Errorf("Input calculates to invalid date: %04d-%02d-%02d", y, m, d)
		}
		return dateOf(int(y), int(m), int(d)), nil
	}),
	"datetime": binary(func(d date, t int64) (datetime, error) { return d.datetime() + datetime(t), nil }),
	"clock": ternary(func(h, m, s int64) (int64, error) { // a leap second is the next minute's first
		if h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60 {
			return 0, fmt.Errorf("Input calculates to invalid time: %02d:%02d:%02d", h, m, s)
		}
		return (h*3600 + m*60 + s) * microsPerSecond, nil
	}),
	"time": unary(func(us int64) (timeOfDay, error) { return timeOfDay(us % microsPerDay), nil }),
	"checked_datetime": unary(func(d datetime) (datetime, error) {
		if !validMicros(int64(d)) {
			return 0, fmt.Errorf("Input calculates to invalid datetime: %s", d)
		}
		return d, nil
	}),
	"date_datetime":      binary(func(d date, t timeOfDay) (datetime, error) { return d.datetime() + datetime(t), nil }),
	"datetime_date":      unary(func(d datetime) (date, error) { return d.date(), nil }),
	"datetime_time":      unary(func(d datetime) (timeOfDay, error) { return d.timeOfDay(), nil }),
	"timestamp_datetime": unary(func(t timestamp) (datetime, error) { return datetime(t), nil }),
	"datetime_timestamp": unary(func(d datetime) (timestamp, error) { return timestamp(d), nil }),
	// The clock of a zone shows parts of years 0 and 10000 as well, which no DATETIME is.
	"timestamp_clock": binary(func(t timestamp, name string) (datetime, error) {
		l, err := zone(name)
		if err != nil {
			return 0, err
		}
		return datetime(local(t, l)), nil
	}),
	"timestamp_datetime_zone": binary(func(t timestamp, name string) (datetime, error) {
		l, err := zone(name)
		if err != nil {
			return 0, err
		}
		us := local(t, l)
		if !validMicros(us) {
			return 0, fmt.Errorf("Invalid timestamp: out of range in time zone %s", name)
		}
		return datetime(us), nil
	}),
	"datetime_timestamp_zone": binary(func(d datetime, name string) (timestamp, error) {
		l, err := zone(name)
		if err != nil {
			return 0, err
		}
		t := instant(int64(d), l)
		if !validMicros(int64(t)) {
			return 0, fmt.Errorf("Cannot convert DATETIME %s to timestamp: out of range", d)
		}
		return t, nil
	}),
	"zone_checked": unary(func(name string) (string, error) { _, err := zone(name); return name, err }),

	"date_extract": binary(func(d date, part int64) (int64, error) { return extractDate(d, part), nil }),
	"date_add": ternary(func(d date, n, part int64) (date, error) {
		r, ok := addToDate(d, n, part)
		if !ok {
			return 0, fmt.Errorf("Adding %d %s to date %s causes overflow", n, partNames[part], d)
		}
		return r, nil
	}),
	"date_sub": ternary(func(d date, n, part int64) (date, error) {
		r, ok := addToDate(d, -n, part)
		switch {
		case n == -n && n != 0:
			return 0, fmt.Errorf("Subtracting %d %s from date %s causes overflow", n, partNames[part], d)
		case !ok:
			return 0, fmt.Errorf("Adding %d %s to date %s causes overflow", -n, partNames[part], d)
		}
		return r, nil
	}),
	"datetime_add": ternary(func(d datetime, n, part int64) (datetime, error) {
		r, ok := addToMicros(int64(d), n, part)
		if !ok {
			return 0, fmt.Errorf("Adding %d %s to datetime %s causes overflow", n, partNames[part], d)
		}
		return datetime(r), nil
	}),
	"datetime_sub": ternary(func(d datetime, n, part int64) (datetime, error) {
		r, ok := addToMicros(int64(d), -n, part)
		switch {
		case n == -n && n != 0:
			return 0, fmt.Errorf("Subtracting %d %s from datetime %s causes overflow", n, partNames[part], d)
		case !ok:
			return 0, fmt.Errorf("Adding %d %s to datetime %s causes overflow", -n, partNames[part], d)
		}
		return datetime(r), nil
	}),
	"timestamp_add": ternary(func(t timestamp, n, part int64) (timestamp, error) {
		r, ok := addToMicros(int64(t), n, part)
		if !ok {
			return 0, fmt.Errorf("Adding %d %s to timestamp %s causes overflow", n, partNames[part], t)
		}
		return timestamp(r), nil
	}),
	"timestamp_sub": ternary(func(t timestamp, n, part int64) (timestamp, error) {
		r, ok := addToMicros(int64(t), -n, part)
		switch {
		case n == -n && n != 0:
			return 0, fmt.Errorf("Subtracting %d %s from timestamp %s causes overflow", n, partNames[part], t)
		case !ok:
			return 0, fmt.Errorf("Adding %d %s to timestamp %s causes overflow", -n, partNames[part], t)
		}
		return timestamp(r), nil
	}),
	"time_add": ternary(func(t timeOfDay, n, part int64) (timeOfDay, error) { return addToTime(t, n, part), nil }),
	"time_sub": ternary(func(t timeOfDay, n, part int64) (timeOfDay, error) {
		return addToTime(t, -(n % (microsPerDay / microsOf(part))), part), nil
	}),

	"date_diff":     ternary(func(a, b date, part int64) (int64, error) { return diffDates(a, b, part), nil }),
	"datetime_diff": ternary(func(a, b datetime, part int64) (int64, error) { return diffMicros(int64(a), int64(b), part) }),
	"time_diff":     ternary(func(a, b timeOfDay, part int64) (int64, error) { return diffMicros(int64(a), int64(b), part) }),
	"timestamp_diff": ternary(func(a, b timestamp, part int64) (int64, error) { // whole parts
		return (int64(a) - int64(b)) / max(1, microsOf(part)), nil
	}),

	"date_trunc": binary(func(d date, part int64) (date, error) {
		r := truncDate(d, part)
		if !r.valid() {
			return 0, fmt.Errorf("Truncating date %s to %s resulted in an out of range date value: %d", d, partNames[part], r)
		}
		return r, nil
	}),
	"datetime_trunc": binary(func(d datetime, part int64) (datetime, error) {
		r := truncMicros(int64(d), part)
		if !validMicros(r) {
			return 0, fmt.Errorf("Truncating datetime to nearest %s causes overflow", partNames[part])
		}
		return datetime(r), nil
	}),
	"time_trunc": binary(func(t timeOfDay, part int64) (timeOfDay, error) { return timeOfDay(truncMicros(int64(t), part)), nil }),
	"timestamp_trunc": ternary(func(t timestamp, part int64, name string) (timestamp, error) {
		l, err := zone(name)
		if err != nil {
			return 0, err
		}
		us := local(t, l)
		var r int64
		if unit := microsOf(part); unit > 0 && unit < microsPerDay {
			r = int64(t) - (us - truncMicros(us, part)) // in the offset of the moment
		} else {
			r = int64(instant(truncMicros(us, part), l))
		}
		if !validMicros(r) {
			return 0, fmt.Errorf("Truncating timestamp to nearest %s causes overflow", partNames[part])
		}
		return timestamp(r), nil
	}),
	"last_day": binary(func(d date, part int64) (date, error) {
		r := lastDay(d, part)
		if !r.valid() {
			return 0, fmt.Errorf("Last day of date %s to %s resulted in an out of range date value: %d", d, partNames[part], r)
		}
		return r, nil
	}),

	"unix_date": unary(func(d date) (int64, error) { return int64(d), nil }),
	"date_from_unix_date": unary(func(n int64) (date, error) {
		if n < minDate || n > maxDate {
			return 0, fmt.Errorf("DATE_FROM_UNIX_DATE range is %d to %d but saw %d", minDate, maxDate, n)
		}
		return date(n), nil
	}),
	"unix_micros": binary(func(t timestamp, unit int64) (int64, error) { return floorDiv(int64(t), unit), nil }),
	"timestamp_micros": binary(func(n, unit int64) (timestamp, error) {
		if n < floorDiv(minMicros, unit) || n > floorDiv(maxMicros, unit) {
			return 0, fmt.Errorf("Input value %d cannot be converted into a TIMESTAMP, because it would be out of the allowed range between "+
				"%d to %d (microseconds)", n, minMicros, maxMicros)
		}
		return timestamp(n * unit), nil
	}),
	// now tells the time of the statement, in microseconds, in a zone.
	"now_datetime": binary(func(t timestamp, name string) (datetime, error) {
		l, err := zone(name)
		return datetime(local(t, orUTC(l))), err
	}),
}

func orUTC(l *time.Location) *time.Location {
	if l == nil {
		return time.UTC
	}
	return l
}

// addToTime goes round the clock.
func addToTime(t timeOfDay, n, part int64) timeOfDay {
	unit := microsOf(part)
	turn := microsPerDay / unit
	us := (int64(t) + n%turn*unit) % microsPerDay
	if us < 0 {
		us += microsPerDay
	}
	return timeOfDay(us)
}
