package googlesql

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// The ranges of the parts of an INTERVAL.
const (
	mostIntervalMonths = 120000
	mostIntervalDays   = 3660000
	mostIntervalMicros = 316224000000 * microsPerSecond
)

// intervals are the functions of INTERVALs, whose parts do not carry over.
var intervals = map[string]definition{
	"interval": binary(func(n, part int64) (interval, error) { return intervalOf(n, part) }),
	// MAKE_INTERVAL has six parts: three and three, which are added.
	"make_interval_date": ternary(func(years, months, days int64) (interval, error) {
		if abs64(years) > mostIntervalMonths || abs64(months) > mostIntervalMonths {
			return interval{}, errIntervalRange
		}
		return checkedInterval(years*12+months, days, new(big.Int))
	}),
	"make_interval_time": ternary(func(hours, minutes, seconds int64) (interval, error) {
		us := new(big.Int).Mul(big.NewInt(hours), big.NewInt(3600))
		us.Add(us, new(big.Int).Mul(big.NewInt(minutes), big.NewInt(60)))
		us.Add(us, big.NewInt(seconds))
		return checkedInterval(0, 0, us.Mul(us, big.NewInt(microsPerSecond)))
	}),
	"interval_add": binary(func(a, b interval) (interval, error) {
		return checkedInterval(int64(a.Months)+int64(b.Months), int64(a.Days)+int64(b.Days),
			big.NewInt(0).Add(big.NewInt(a.Micros), big.NewInt(b.Micros)))
	}),
	"interval_negate": unary(func(a interval) (interval, error) {
		return interval{Months: -a.Months, Days: -a.Days, Micros: -a.Micros}, nil
	}),
	"interval_multiply": binary(func(a interval, n int64) (interval, error) {
		by := func(x int64) *big.Int { return new(big.Int).Mul(big.NewInt(x), big.NewInt(n)) }
		months, days := by(int64(a.Months)), by(int64(a.Days))
		if !months.IsInt64() || !days.IsInt64() {
			return interval{}, errIntervalRange
		}
		return checkedInterval(months.Int64(), days.Int64(), by(a.Micros))
	}),
	"interval_divide":  binary(divideInterval),
	"justify_hours":    unary(func(a interval) (interval, error) { return justify(a, true, false) }),
	"justify_days":     unary(func(a interval) (interval, error) { return justify(a, false, true) }),
	"justify_interval": unary(func(a interval) (interval, error) { return justify(a, true, true) }),
	"interval_extract": binary(func(a interval, part int64) (int64, error) {
		switch part {
		case partYear:
			return int64(a.Months / 12), nil
		case partMonth:
			return int64(a.Months % 12), nil
		case partDay:
			return int64(a.Days), nil
		case partHour:
			return a.Micros / microsPerHour, nil
		case partMinute:
			return a.Micros / (60 * microsPerSecond) % 60, nil
		case partSecond:
			return a.Micros / microsPerSecond % 60, nil
		case partMillisecond:
			return a.Micros / 1000 % 1000, nil
		case partMicrosecond:
			return a.Micros % 1000000, nil
		}
		return 0, fmt.Errorf("Unsupported date part %s in EXTRACT FROM INTERVAL", partNames[part])
	}),
	"datetime_add_interval": binary(func(d datetime, i interval) (datetime, error) {
		r, ok := addInterval(int64(d), i)
		if !ok {
			return 0, fmt.Errorf("Adding %s INTERVAL to datetime %s causes overflow", intervalText(i), d)
		}
		return datetime(r), nil
	}),
	"timestamp_add_interval": binary(func(t timestamp, i interval) (timestamp, error) {
		if i.Months != 0 {
			return 0, errors.New("TIMESTAMP +/- INTERVAL is not supported for intervals with non-zero MONTH or YEAR part.")
		}
		r, ok := addInterval(int64(t), i)
		if !ok {
			return 0, fmt.Errorf("Adding %s INTERVAL to timestamp %s causes overflow", intervalText(i), t)
		}
		return timestamp(r), nil
	}),
	"dates_between": binary(func(a, b date) (interval, error) { return interval{Days: int32(a - b)}, nil }),
	"datetimes_between": binary(func(a, b datetime) (interval, error) {
		return interval{Days: int32(int64(a-b) / microsPerDay), Micros: int64(a-b) % microsPerDay}, nil
	}),
	"timestamps_between": binary(func(a, b timestamp) (interval, error) { return interval{Micros: int64(a - b)}, nil }),
	"times_between":      binary(func(a, b timeOfDay) (interval, error) { return interval{Micros: int64(a - b)}, nil }),
	"interval_months":    unary(func(a interval) (int64, error) { return int64(a.Months), nil }),
	"interval_days":      unary(func(a interval) (int64, error) { return int64(a.Days), nil }),
	"interval_micros":    unary(func(a interval) (int64, error) { return a.Micros, nil }),
	"interval_of": ternary(func(months, days, micros int64) (interval, error) {
		return checkedInterval(months, days, big.NewInt(micros))
	}),
	"interval_average": quaternary(func(months, days, micros, n int64) (interval, error) {
		return divideParts(months, days, micros, n)
	}),
	"parse_interval": unary(parseInterval),
	"interval_text":  unary(func(a interval) (string, error) { return intervalText(a), nil }),
	"date_bucket": ternary(func(d datetime, width interval, origin datetime) (datetime, error) {
		if width.Micros > 0 {
			return 0, errors.New("Only MONTH and DAY parts are allowed in bucket width INTERVAL")
		}
		width.Micros = 0
		return bucketOf(d, width, origin)
	}),
	"datetime_bucket": ternary(bucketOf),
	"timestamp_bucket": ternary(func(d datetime, width interval, origin datetime) (datetime, error) {
		if width.Months != 0 {
			return 0, errors.New("Bucket width INTERVAL with non-zero MONTH part is not allowed")
		}
		return bucketOf(d, width, origin)
	}),
}

var errIntervalRange = errors.New("Interval field is out of range")

func checkedInterval(months, days int64, micros *big.Int) (interval, error) {
	switch {
	case months > mostIntervalMonths || months < -mostIntervalMonths:
		return interval{}, fmt.Errorf("Interval field months '%d' is out of range -%d to %d", months, mostIntervalMonths, mostIntervalMonths)
	case days > mostIntervalDays || days < -mostIntervalDays:
		return interval{}, fmt.Errorf("Interval field days '%d' is out of range -%d to %d", days, mostIntervalDays, mostIntervalDays)
	case micros.CmpAbs(big.NewInt(mostIntervalMicros)) > 0:
		return interval{}, fmt.Errorf("Interval field micros '%s' is out of range -%d to %d", micros, int64(mostIntervalMicros),
			int64(mostIntervalMicros))
	}
	return interval{Months: int32(months), Days: int32(days), Micros: micros.Int64()}, nil
}

func intervalOf(n, part int64) (interval, error) {
	if m := monthsOf(part); m > 0 {
		if n > mostIntervalMonths || n < -mostIntervalMonths {
			return interval{}, fmt.Errorf("Interval field months '%d' is out of range -%d to %d", n, mostIntervalMonths, mostIntervalMonths)
		}
		return checkedInterval(n*m, 0, new(big.Int))
	}
	unit := microsOf(part)
	if unit >= microsPerDay {
		if n > mostIntervalDays || n < -mostIntervalDays {
			return interval{}, fmt.Errorf("Interval field days '%d' is out of range -%d to %d", n, mostIntervalDays, mostIntervalDays)
		}
		return checkedInterval(0, n*(unit/microsPerDay), new(big.Int))
	}
	return checkedInterval(0, 0, new(big.Int).Mul(big.NewInt(n), big.NewInt(unit)))
}

// divideInterval carries what is left of months to days, 30 a month, and of days to the time.
func divideInterval(a interval, n int64) (interval, error) {
	if n == 0 {
		return interval{}, errors.New("Interval division by zero")
	}
	return divideParts(int64(a.Months), int64(a.Days), a.Micros, n)
}

func divideParts(months, days, micros, n int64) (interval, error) {
	all := days + months%n*30
	us := new(big.Int).Mul(big.NewInt(all%n), big.NewInt(microsPerDay))
	us.Add(us, big.NewInt(micros)).Quo(us, big.NewInt(n))
	return checkedInterval(months/n, all/n, us)
}

// justify carries 24 hours to a day, and 30 days to a month, and gives the parts one sign.
func justify(a interval, hours, days bool) (interval, error) {
	months, n, us := int64(a.Months), int64(a.Days), a.Micros
	if hours {
		n, us = n+us/microsPerDay, us%microsPerDay
	}
	if days {
		months, n = months+n/30, n%30
	}
	if hours {
		switch {
		case n > 0 && us < 0:
			n, us = n-1, us+microsPerDay
		case n < 0 && us > 0:
			n, us = n+1, us-microsPerDay
		}
	}
	if days {
		switch {
		case months > 0 && (n < 0 || hours && n == 0 && us < 0):
			months, n = months-1, n+30
		case months < 0 && (n > 0 || hours && n == 0 && us > 0):
			months, n = months+1, n-30
		}
		if hours {
			switch {
			case n > 0 && us < 0:
				n, us = n-1, us+microsPerDay
			case n < 0 && us > 0:
				n, us = n+1, us-microsPerDay
			}
		}
	}
	return checkedInterval(months, n, big.NewInt(us))
}

func addInterval(us int64, i interval) (int64, bool) {
	if i.Months != 0 {
		day := floorDiv(us, microsPerDay)
		d, ok := addMonths(date(day), int64(i.Months))
		if !ok {
			return 0, false
		}
		us += (int64(d) - day) * microsPerDay
	}
	us += int64(i.Days) * microsPerDay
	if us += i.Micros; !validMicros(us) {
		return 0, false
	}
	return us, true
}

// intervalText writes an INTERVAL as a CAST to STRING does: years and months, days, hours, minutes and seconds.
func intervalText(a interval) string {
	var b strings.Builder
	months, us := int64(a.Months), a.Micros
	if months < 0 {
		b.WriteByte('-')
		months = -months
	}
	fmt.Fprintf(&b, "%d-%d %d ", months/12, months%12, a.Days)
	if us < 0 {
		b.WriteByte('-')
	}
	n := int64(abs64(us))
	fmt.Fprintf(&b, "%d:%d:%d", n/microsPerHour, n/(60*microsPerSecond)%60, n/microsPerSecond%60)
	switch f := n % microsPerSecond; {
	case f == 0:
	case f%1000 == 0:
		fmt.Fprintf(&b, ".%03d", f/1000)
	default:
		b.WriteString("." + strconv.FormatInt(microsPerSecond+f, 10)[1:])
	}
	return b.String()
}

// bucketOf is the begin of the bucket that holds a moment; buckets have one part as their width, from an origin on.
func bucketOf(d datetime, width interval, origin datetime) (datetime, error) {
	parts := 0
	for _, p := range []int64{int64(width.Months), int64(width.Days), width.Micros} {
		if p != 0 {
			parts++
		}
	}
	switch {
	case parts != 1:
		return 0, errors.New("Exactly one non-zero INTERVAL part in bucket width is required")
	case width.Months < 0 || width.Days < 0 || width.Micros < 0:
		return 0, errors.New("Negative bucket width INTERVAL is not allowed")
	}
	if width.Months == 0 {
		w := int64(width.Days)*microsPerDay + width.Micros
		r := int64(origin) + floorDiv(int64(d-origin), w)*w
		if !validMicros(r) {
			return 0, fmt.Errorf("Bucket for %s is outside of datetime range", d)
		}
		return datetime(r), nil
	}
	// Months are counted from the origin; a bucket that would begin behind the moment is the one before it.
	y1, m1, _ := d.date().civil()
	y2, m2, _ := origin.date().civil()
	n := floorDiv(int64(y1*12+m1-y2*12-m2), int64(width.Months)) * int64(width.Months)
	for {
		r, ok := addInterval(int64(origin), interval{Months: int32(n)})
		if !ok {
			return 0, fmt.Errorf("Bucket for %s is outside of datetime range", d)
		}
		if r <= int64(d) {
			return datetime(r), nil
		}
		n -= int64(width.Months)
	}
}

var (
	isoInterval = regexp.MustCompile(`^P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?` +
		`(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+(?:\.\d{1,9})?)S)?)?$`)
	textInterval = regexp.MustCompile(`^(?:([-+]?)(\d+)-(\d+))?(?:^| |$)(?:([-+]?\d+)(?: |$))?` +
		`(?:([-+]?)(\d+):(\d+)(?::(\d+(?:\.\d{1,9})?))?)?$`)
)

// parseInterval reads what a CAST of a STRING does: [Y-M] [D] [H:M:S.F], or ISO 8601.
func parseInterval(s string) (interval, error) {
	wrong := fmt.Errorf("Invalid INTERVAL value '%s'", s)
	number := func(s string) int64 {
		n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 64)
		if s != "" && (err != nil || abs64(n) > 1<<40) {
			return 1 << 40 // out of every range
		}
		return n
	}
	micros := func(s string) (*big.Int, bool) {
		if s == "" {
			return new(big.Int), true
		}
		r, ok := new(big.Rat).SetString(strings.TrimSuffix(s, "."))
		if !ok {
			return nil, false
		}
		r.Mul(r, big.NewRat(microsPerSecond, 1))
		return r.Num(), r.IsInt()
	}
	clock := func(h, m int64, seconds string) (*big.Int, bool) {
		us, ok := micros(seconds)
		if !ok {
			return nil, false
		}
		hm := new(big.Int).Mul(big.NewInt(h), big.NewInt(microsPerHour))
		hm.Add(hm, new(big.Int).Mul(big.NewInt(m), big.NewInt(60*microsPerSecond)))
		return us.Add(us, hm), true
	}
	if m := isoInterval.FindStringSubmatch(s); m != nil && len(s) > 1 && !strings.HasSuffix(s, "T") {
		us, ok := clock(number(m[5]), number(m[6]), m[7])
		if !ok {
			return interval{}, wrong
		}
		return checkedInterval(number(m[1])*12+number(m[2]), number(m[3])*7+number(m[4]), us)
	}
	m := textInterval.FindStringSubmatch(s)
	if m == nil || s == "" || strings.HasSuffix(s, " ") || strings.HasPrefix(s, " ") || m[3]+m[7] == "" ||
		m[3] != "" && m[4] == "" && m[7] != "" || m[7] != "" && m[8] == "" && m[4] == "" {
		return interval{}, wrong
	}
	months := number(m[2])*12 + number(m[3])
	if m[1] == "-" {
		months = -months
	}
	us, ok := clock(number(m[6]), number(m[7]), m[8])
	if !ok {
		return interval{}, wrong
	}
	if m[5] == "-" {
		us.Neg(us)
	}
	return checkedInterval(months, number(m[4]), us)
}
