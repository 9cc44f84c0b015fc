package googlesql

import (
	"testing"
	"time"
)

// FuzzParseTime: any format and text end in a moment within the years 1 to 9999, or an error.
func FuzzParseTime(f *testing.F) {
	for _, s := range [][2]string{
		{"%Y-%m-%d %H:%M:%E*S%z", "2020-02-29 10:20:30.5+01"}, {"%c", "Thu Dec 25 07:30:05 2008"}, {"%s", "-99999999999999"}, {"%", "%"},
		{"%E", "E"}, {"%Y %U %w", "2020 53 6"}, {"%Z", "Europe/Berlin"}, {"%E99S", "1.5"}, {"%y%C%j", "0099366"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, format, text string) {
		p, err := parseTime(format, text, dateElements+timeElements+bothElements+zoneElements)
		if err != nil {
			return
		}
		if us, err := p.micros(); err == nil && !validMicros(us) {
			t.Fatalf("%q by %q: %d", text, format, us)
		}
	})
}

// FuzzFormatTime: a text of elements has a length within bounds.
func FuzzFormatTime(f *testing.F) {
	f.Add("%Y %E15S %%", int64(0))
	f.Add("%c%", int64(minMicros))
	f.Fuzz(func(t *testing.T, format string, us int64) {
		if !validMicros(us) {
			return
		}
		s, err := formatTime(format, time.UnixMicro(us).UTC(), dateElements+timeElements+bothElements+zoneElements)
		if err == nil && len(s) > len(format)*24+24 {
			t.Fatalf("%q gives %d bytes", format, len(s))
		}
	})
}

// FuzzParseInterval: what is read is written as what is read again as the same.
func FuzzParseInterval(f *testing.F) {
	for _, s := range []string{"1-2 3 4:5:6.789", "-1-2 -3 -4:5:6", "P1Y2M3DT4H5M6.5S", "1:2:3", "P", "PT", "99999999999999999999-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		i, err := parseInterval(s)
		if err != nil {
			return
		}
		again, err := parseInterval(intervalText(i))
		if err != nil || again != i {
			t.Fatalf("%q is %v, read again %v, %v", s, i, again, err)
		}
	})
}

// TestInstant: of a moment that comes twice the first is taken, and one that a clock leaves out has the offset from before
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types#time_zones).
func TestInstant(t *testing.T) {
	l, err := zone("America/Los_Angeles")
	if err != nil {
		t.Skip(err)
	}
	for _, c := range []struct{ give, want string }{
		{"2020-03-08 02:30:00", "2020-03-08 10:30:00"}, {"2020-11-01 01:30:00", "2020-11-01 08:30:00"}, {"2020-07-01 00:00:00", "2020-07-01 07:00:00"},
	} {
		at, _ := time.Parse(time.DateTime, c.give)
		if got := time.UnixMicro(int64(instant(at.UnixMicro(), l))).UTC().Format(time.DateTime); got != c.want {
			t.Errorf("%s: %s, not %s", c.give, got, c.want)
		}
	}
}
