package writer

import (
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
)

// The kinds of the types of moments.
const (
	ofDate      = googlesql.Date
	ofDateTime  = googlesql.DateTime
	ofTime      = googlesql.Time
	ofTimestamp = googlesql.Timestamp
)

// datetimeFunctions are the functions of dates, times and timestamps.
func datetimeFunctions() map[string]entry {
	for kinds, form := range map[[2]googlesql.Kind]string{
		{ofDate, ofDateTime}:      "CAST($1 AS TIMESTAMP)",
		{ofDate, ofTimestamp}:     "@datetime_timestamp(CAST($1 AS TIMESTAMP))",
		{ofDateTime, ofDate}:      "CAST($1 AS DATE)",
		{ofDateTime, ofTime}:      "CAST($1 AS TIME)",
		{ofDateTime, ofTimestamp}: "@datetime_timestamp($1)",
		{ofTimestamp, ofDate}:     "CAST(@timestamp_datetime($1) AS DATE)",
		{ofTimestamp, ofTime}:     "CAST(@timestamp_datetime($1) AS TIME)",
		{ofTimestamp, ofDateTime}: "@timestamp_datetime($1)",
	} {
		casts[kinds] = template(form)
	}
	all := map[string]entry{
		"date":              makeDate,
		"datetime":          makeDateTime,
		"time":              makeTime,
		"timestamp":         makeTimestamp,
		"current_date":      current("CAST($ AS DATE)"),
		"current_datetime":  current("$"),
		"current_time":      current("CAST($ AS TIME)"),
		"current_timestamp": func(*call) string { return "get_current_timestamp()" },
		"$extract":          extract,
		"$extract_date":     func(c *call) string { return "CAST(" + c.calendar() + " AS DATE)" },
		"$extract_time":     func(c *call) string { return "CAST(" + c.wallClock() + " AS TIME)" },
		"$extract_datetime": func(c *call) string { return c.calendar() },
		"last_day":          lastDay,

		"unix_date":                   goFunction("unix_date"),
		"date_from_unix_date":         goFunction("date_from_unix_date"),
		"unix_seconds":                template("@unix_micros($1, 1000000::BIGINT)"),
		"unix_millis":                 template("@unix_micros($1, 1000::BIGINT)"),
		"unix_micros":                 template("@unix_micros($1, 1::BIGINT)"),
		"timestamp_seconds":           template("@timestamp_micros($1, 1000000::BIGINT)"),
		"timestamp_millis":            template("@timestamp_micros($1, 1000::BIGINT)"),
		"timestamp_micros":            template("@timestamp_micros($1, 1::BIGINT)"),
		"timestamp_from_unix_seconds": fromUnix("1000000"),
		"timestamp_from_unix_millis":  fromUnix("1000"),
		"timestamp_from_unix_micros":  fromUnix("1"),
		"date_bucket":                 bucket,
		"datetime_bucket":             bucket,
		"timestamp_bucket":            bucket,
	}
	for _, of := range []string{"date", "datetime", "time", "timestamp"} {
		for _, f := range []string{"add", "sub", "diff", "trunc"} {
			all[of+"_"+f] = ofMoment(f)
		}
		all["format_"+of] = formatted
		all["parse_"+of] = parsed
	}
	return all
}

// moment is the name of a type in those of native functions.
func (c *call) moment(i int) string {
	return strings.ToLower(c.types[i].Kind.String())
}

// ofMoment makes an entry of a function of a moment and a part: of the type of its first argument, since DATE_ADD takes a
// TIMESTAMP as well.
func ofMoment(f string) entry {
	return func(c *call) string {
		args := c.args
		if f == "trunc" && c.types[0].Kind == ofTimestamp && len(args) == 2 {
			args = append(args, "'UTC'")
		}
		return c.w.native(c.moment(0)+"_"+f) + "(" + strings.Join(args, ", ") + ")"
	}
}

// calendar is the first argument as a DATETIME, a TIMESTAMP in the zone that the last argument names.
func (c *call) calendar() string { return c.inZone("timestamp_datetime_zone") }

// wallClock is calendar for a part of the moment, which may be there where the whole DATETIME is not.
func (c *call) wallClock() string { return c.inZone("timestamp_clock") }

func (c *call) inZone(native string) string {
	if c.types[0].Kind != ofTimestamp {
		return "CAST(" + c.args[0] + " AS TIMESTAMP)"
	}
	n := len(c.args) - 1
	if n > 0 && c.types[n].Kind == googlesql.String {
		return c.w.native(native) + "(" + c.args[0] + ", " + c.args[n] + ")"
	}
	return c.w.native("timestamp_datetime") + "(" + c.args[0] + ")"
}

func makeDate(c *call) string {
	switch c.types[0].Kind {
	case googlesql.Int64:
		return c.w.native("date") + "(" + strings.Join(c.args, ", ") + ")"
	case ofDate:
		return c.args[0]
	case googlesql.String: // read as a TIMESTAMP
		args := append([]string{c.w.cast(c.at, c.args[0], c.types[0], googlesql.Type{Kind: ofTimestamp})}, c.args[1:]...)
		types := append([]googlesql.Type{{Kind: ofTimestamp}}, c.types[1:]...)
		return makeDate(&call{w: c.w, at: c.at, name: c.name, args: args, types: types, result: c.result})
	}
	return "CAST(" + c.calendar() + " AS DATE)"
}

func (c *call) clock(from int) string {
	return c.w.native("clock") + "(" + strings.Join(c.args[from:from+3], ", ") + ")"
}

func makeDateTime(c *call) string {
	switch {
	case c.types[0].Kind == googlesql.Int64:
		return c.w.native("checked_datetime") + "(" + c.w.native("datetime") + "(" + c.w.native("date") + "(" + strings.Join(c.args[:3], ", ") +
			"), " + c.clock(3) + "))"
	case c.types[0].Kind == ofDate && len(c.args) == 2:
		return c.w.native("date_datetime") + "(" + c.args[0] + ", " + c.args[1] + ")"
	case c.types[0].Kind == googlesql.String:
		return c.w.cast(c.at, c.args[0], c.types[0], c.result)
	}
	return c.calendar()
}

func makeTime(c *call) string {
	switch c.types[0].Kind {
	case googlesql.Int64:
		return c.w.native("time") + "(" + c.clock(0) + ")"
	case ofTime:
		return c.args[0]
	}
	return "CAST(" + c.wallClock() + " AS TIME)"
}

func makeTimestamp(c *call) string {
	switch c.types[0].Kind {
	case googlesql.String:
		if len(c.args) == 1 {
			return c.w.cast(c.at, c.args[0], c.types[0], c.result)
		}
		return c.w.native("string_to_timestamp") + "(" + c.args[0] + ", " + c.args[1] + ")"
	case ofTimestamp:
		return c.args[0]
	}
	x := "CAST(" + c.args[0] + " AS TIMESTAMP)"
	if len(c.args) == 2 {
		return c.w.native("datetime_timestamp_zone") + "(" + x + ", " + c.args[1] + ")"
	}
	return c.w.native("datetime_timestamp") + "(" + x + ")"
}

func fromUnix(unit string) entry {
	return func(c *call) string {
		if c.types[0].Kind == ofTimestamp {
			return c.args[0]
		}
		return c.w.native("timestamp_micros") + "(" + c.args[0] + ", " + unit + "::BIGINT)"
	}
}

// current makes an entry for a moment of now, which is $ in a text: the same in the whole statement.
func current(text string) entry {
	return func(c *call) string {
		zone := "'UTC'"
		if len(c.args) > 0 {
			zone = c.args[0]
		}
		return strings.Replace(text, "$", c.w.native("now_datetime")+"(get_current_timestamp(), "+zone+")", 1)
	}
}

// duckParts are the parts that DuckDB's extract gives as BigQuery does.
var duckParts = map[int32]string{1: "year", 2: "month", 3: "day", 5: "doy", 6: "quarter", 7: "hour", 8: "minute", 17: "isoyear", 18: "week"}

// extract writes EXTRACT: in DuckDB where it is the same there.
func extract(c *call) string {
	part, ok := enum(c.exprs[1])
	if !ok {
		c.refuse("EXTRACT of a part that is no constant")
	}
	x := c.args[0]
	switch c.types[0].Kind {
	case googlesql.Interval:
		return c.w.native("interval_extract") + "(" + x + ", " + strconv.Itoa(int(part)) + ")"
	case ofTimestamp:
		x = c.wallClock()
	}
	if name := duckParts[part]; name != "" {
		return "extract(" + name + " FROM " + x + ")"
	}
	switch part {
	case 4: // DAYOFWEEK
		return "(extract(dow FROM " + x + ") + 1)"
	case 9:
		return "(extract(microsecond FROM " + x + ") // 1000000)" // DuckDB counts those of the whole minute
	case 10:
		return "(extract(microsecond FROM " + x + ") // 1000 % 1000)"
	case 11:
		return "(extract(microsecond FROM " + x + ") % 1000000)"
	}
	if c.types[0].Kind != ofDate {
		x = "CAST(" + x + " AS DATE)"
	}
	return c.w.native("date_extract") + "(" + x + ", " + strconv.Itoa(int(part)) + ")"
}

func lastDay(c *call) string {
	x, part := c.args[0], "2"
	if len(c.args) > 1 {
		part = c.args[1]
	}
	if c.types[0].Kind == ofDateTime {
		x = "CAST(" + x + " AS DATE)"
	}
	return c.w.native("last_day") + "(" + x + ", " + part + ")"
}

// bucket writes DATE_BUCKET and its kin, over microseconds and months since an origin.
func bucket(c *call) string {
	origin := "TIMESTAMP '1950-01-01'"
	if len(c.args) > 2 {
		origin = c.moments(2)
	}
	text := c.w.native(c.moment(0)+"_bucket") + "(" + c.moments(0) + ", " + c.args[1] + ", " + origin + ")"
	switch c.types[0].Kind {
	case ofDate:
		return "CAST(" + text + " AS DATE)"
	case ofTimestamp:
		return c.w.native("datetime_timestamp") + "(" + text + ")"
	}
	return text
}

// moments is an argument as a DATETIME, a TIMESTAMP in UTC.
func (c *call) moments(i int) string {
	if c.types[i].Kind == ofTimestamp {
		return c.w.native("timestamp_datetime") + "(" + c.args[i] + ")"
	}
	return "CAST(" + c.args[i] + " AS TIMESTAMP)"
}

func formatted(c *call) string {
	args := c.args
	if c.types[1].Kind == ofTimestamp && len(args) == 2 {
		args = append(args, "'UTC'")
	}
	return c.w.native("format_"+c.moment(1)) + "(" + strings.Join(args, ", ") + ")"
}

func parsed(c *call) string {
	args := c.args
	if c.name == "parse_timestamp" && len(args) == 2 {
		args = append(args, "'UTC'")
	}
	return c.w.native(c.name) + "(" + strings.Join(args, ", ") + ")"
}
