package googlesql

import "time"

// timeFormats write and read dates and times by the elements of BigQuery's formats
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_elements_date_time).
var timeFormats = map[string]definition{
	"format_date": binary(func(f string, d date) (string, error) { return formatTime(f, d.time(), dateElements) }),
	"format_datetime": binary(func(f string, d datetime) (string, error) {
		return formatTime(f, d.time(), dateElements+timeElements+bothElements)
	}),
	"format_time": binary(func(f string, t timeOfDay) (string, error) { return formatTime(f, datetime(t).time(), timeElements) }),
	"format_timestamp": ternary(func(f string, t timestamp, name string) (string, error) {
		l, err := zone(name)
		if err != nil {
			return "", err
		}
		return formatTime(f, time.UnixMicro(int64(t)).In(l), dateElements+timeElements+bothElements+zoneElements)
	}),
	"parse_date": binary(func(f, s string) (date, error) {
		p, err := parseTime(f, s, dateElements)
		if err != nil {
			return 0, err
		}
		us, err := p.micros()
		return datetime(us).date(), err
	}),
	"parse_datetime": binary(func(f, s string) (datetime, error) {
		p, err := parseTime(f, s, dateElements+timeElements+bothElements)
		if err != nil {
			return 0, err
		}
		us, err := p.micros()
		return datetime(us), err
	}),
	"parse_time": binary(func(f, s string) (timeOfDay, error) {
		p, err := parseTime(f, s, timeElements)
		if err != nil {
			return 0, err
		}
		us, err := p.micros()
		return timeOfDay(us - floorDiv(us, microsPerDay)*microsPerDay), err
	}),
	"parse_timestamp": ternary(func(f, s, name string) (timestamp, error) {
		l, err := zone(name)
		if err != nil {
			return 0, err
		}
		p, err := parseTime(f, s, dateElements+timeElements+bothElements+zoneElements)
		if err != nil {
			return 0, err
		}
		if p.zone != nil {
			l = p.zone
		}
		us, err := p.micros()
		if err != nil {
			return 0, err
		}
		t := timestamp(us)
		if !p.epoch {
			t = instant(us, l)
		}
		if !validMicros(int64(t)) {
			return 0, errParsed
		}
		return t, nil
	}),
}
