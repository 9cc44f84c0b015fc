package googlesql

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The elements that a type has. Others stand for themselves in what is written, and are errors in what is read.
const (
	dateElements = "AaBbhCDdeFGgJjmQUuVWwxYy"
	timeElements = "HIklMPpRrSTX"
	bothElements = "cs"
	zoneElements = "Zz"
	freeElements = "nt%"
)

// mostFormatted is how long a text may get: BigQuery's limit of a value.
const mostFormatted = 1 << 20

func formatTime(f string, t time.Time, elements string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(f); i++ {
		if f[i] != '%' || i+1 == len(f) {
			b.WriteByte(f[i])
			continue
		}
		text, n := "", 0
		if modified, size := formatModified(f[i+1:], t, elements); size > 0 {
			text, n = modified, size
		} else if c := f[i+1]; c == 'J' && strings.IndexByte(elements, c) >= 0 {
			return "", fmt.Errorf("Format element %%J not supported yet")
		} else if strings.IndexByte(elements, c) >= 0 || strings.IndexByte(freeElements, c) >= 0 {
			text, n = formatElement(c, t), 1
		} else {
			text = "%"
		}
		b.WriteString(text)
		i += n
		if b.Len() > mostFormatted {
			return "", fmt.Errorf("Output string is longer than %d bytes", mostFormatted)
		}
	}
	return b.String(), nil
}

// formatModified writes %E4Y, %E3S, %E*S, %Ez and elements with E or O before them; the size is 0 for others.
func formatModified(f string, t time.Time, elements string) (text string, size int) {
	has := func(c byte) bool { return strings.IndexByte(elements, c) >= 0 }
	if len(f) < 2 || f[0] != 'E' && f[0] != 'O' {
		return "", 0
	}
	if f[0] == 'O' {
		if has(f[1]) && strings.IndexByte("deHIMmSUuVWwy", f[1]) >= 0 {
			return formatElement(f[1], t), 2
		}
		return "", 0
	}
	switch {
	case f[1] == 'z' && has('z'):
		_, o := t.Zone()
		return offsetText(o, ":"), 2
	case strings.HasPrefix(f, "E4Y") && has('Y'):
		return fmt.Sprintf("%04d", t.Year()), 3
	case strings.HasPrefix(f, "E*S") && has('S'):
		return strings.TrimSuffix(strings.TrimRight(t.Format("05.000000"), "0"), "."), 3
	case strings.IndexByte("cCxXyY", f[1]) >= 0 && has(f[1]):
		return formatElement(f[1], t), 2
	}
	switch {
	case f[1] == 'T' && has('T'): // a T between date and time
		return "T", 2
	case strings.HasPrefix(f, "E*f"):
		return cmp.Or(strings.TrimRight(fmt.Sprintf("%06d", t.Nanosecond()/1000), "0"), "0"), 3
	}
	digits := 1
	for digits < len(f) && f[digits] >= '0' && f[digits] <= '9' {
		digits++
	}
	if n, err := strconv.Atoi(f[1:digits]); err == nil && digits < len(f) && (f[digits] == 'S' && has('S') || f[digits] == 'f') {
		fraction := fmt.Sprintf("%06d000000000000", t.Nanosecond()/1000)[:min(n, 18)]
		if f[digits] == 'f' {
			return fraction, digits + 1
		}
		if n == 0 {
			return t.Format("05"), digits + 1
		}
		return t.Format("05") + "." + fraction, digits + 1
	}
	return "", 0
}

func offsetText(seconds int, colon string) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Sprintf("%c%02d%s%02d", sign, seconds/3600, colon, seconds/60%60)
}

// formatElement writes what an element stands for.
func formatElement(c byte, t time.Time) string {
	if text, ok := formatClock(c, t); ok {
		return text
	}
	d := date(floorDiv(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix(), 86400))
	isoYear, isoWeek := t.ISOWeek()
	switch c {
	case 'A':
		return t.Weekday().String()
	case 'a':
		return t.Weekday().String()[:3]
	case 'B':
		return t.Month().String()
	case 'b', 'h':
		return t.Month().String()[:3]
	case 'C':
		return strconv.Itoa(t.Year() / 100)
	case 'c':
		return t.Format("Mon Jan _2 15:04:05 ") + strconv.Itoa(t.Year())
	case 'D', 'x':
		return t.Format("01/02/06")
	case 'd':
		return t.Format("02")
	case 'e':
		return t.Format("_2")
	case 'F':
		return strconv.Itoa(t.Year()) + t.Format("-01-02")
	case 'G':
		return strconv.Itoa(isoYear)
	case 'g':
		return fmt.Sprintf("%02d", isoYear%100)
	case 'j':
		return fmt.Sprintf("%03d", t.YearDay())
	case 'm':
		return t.Format("01")
	case 'n':
		return "\n"
	case 'Q':
		return strconv.Itoa((int(t.Month())-1)/3 + 1)
	case 't':
		return "\t"
	case 'U':
		return fmt.Sprintf("%02d", extractDate(d, partWeek))
	case 'u':
		return strconv.Itoa((int(t.Weekday())+6)%7 + 1)
	case 'V':
		return fmt.Sprintf("%02d", isoWeek)
	case 'W':
		return fmt.Sprintf("%02d", extractDate(d, partWeekMonday))
	case 'w':
		return strconv.Itoa(int(t.Weekday()))
	case 'Y':
		return strconv.Itoa(t.Year())
	case 'y':
		return fmt.Sprintf("%02d", t.Year()%100)
	}
	return "%"
}

// formatClock writes the elements of a time of day and of a time zone; others are not its.
func formatClock(c byte, t time.Time) (text string, ok bool) {
	hour := (t.Hour()+11)%12 + 1
	switch c {
	case 'H':
		return t.Format("15"), true
	case 'I':
		return fmt.Sprintf("%02d", hour), true
	case 'k':
		return fmt.Sprintf("%2d", t.Hour()), true
	case 'l':
		return fmt.Sprintf("%2d", hour), true
	case 'M':
		return t.Format("04"), true
	case 'P':
		return t.Format("pm"), true
	case 'p':
		return t.Format("PM"), true
	case 'R':
		return t.Format("15:04"), true
	case 'r':
		return fmt.Sprintf("%02d", hour) + t.Format(":04:05 PM"), true
	case 'S':
		return t.Format("05"), true
	case 's':
		return strconv.FormatInt(t.Unix(), 10), true
	case 'T', 'X':
		return t.Format("15:04:05"), true
	case 'Z':
		_, o := t.Zone()
		switch {
		case o == 0:
			return "UTC", true
		case o%3600 == 0:
			return fmt.Sprintf("UTC%+d", o/3600), true
		}
		return "UTC" + offsetText(o, ""), true
	case 'z':
		_, o := t.Zone()
		return offsetText(o, ""), true
	}
	return "", false
}
