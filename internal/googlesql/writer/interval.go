package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
)

// intervalFunctions are the functions of INTERVALs.
func intervalFunctions() map[string]entry {
	casts[[2]googlesql.Kind{googlesql.Interval, googlesql.String}] = goFunction("interval_text")
	casts[[2]googlesql.Kind{googlesql.String, googlesql.Interval}] = goFunction("parse_interval")
	return map[string]entry{
		"$interval":        goFunction("interval"),
		"make_interval":    makeInterval,
		"justify_hours":    goFunction("justify_hours"),
		"justify_days":     goFunction("justify_days"),
		"justify_interval": goFunction("justify_interval"),
	}
}

// intervalOperators are + - * / over moments and INTERVALs, by the types of their operands.
func intervalOperators() map[string]entry {
	sum := func(op string) entry {
		return func(c *call) string {
			a, b := c.types[0].Kind, c.types[1].Kind
			x, y := c.args[0], c.args[1]
			if op == "+" && (a == googlesql.Interval && b != googlesql.Interval || a == googlesql.Int64) {
				a, b, x, y = b, a, y, x
			}
			if b == googlesql.Interval && op == "-" {
				y = c.w.native("interval_negate") + "(" + y + ")"
			}
			switch {
			case a == googlesql.Interval && b == googlesql.Interval:
				return c.w.native("interval_add") + "(" + x + ", " + y + ")"
			case b == googlesql.Interval && a == ofTimestamp:
				return c.w.native("timestamp_add_interval") + "(" + x + ", " + y + ")"
			case b == googlesql.Interval && (a == ofDate || a == ofDateTime):
				return c.w.native("datetime_add_interval") + "(CAST(" + x + " AS TIMESTAMP), " + y + ")"
			case a == ofDate && b == googlesql.Int64 && op == "+":
				return c.w.native("date_add") + "(" + x + ", " + y + ", 3)"
			case a == ofDate && b == googlesql.Int64:
				return c.w.native("date_sub") + "(" + x + ", " + y + ", 3)"
			case op == "-" && a == b && a == ofDate:
				return c.w.native("dates_between") + "(" + x + ", " + y + ")"
			case op == "-" && a == b && (a == ofDateTime || a == ofTimestamp || a == ofTime):
				return c.w.native(strings.ToLower(a.String())+"s_between") + "(" + x + ", " + y + ")"
			}
			c.refuse("%s of %s and %s", op, c.types[0], c.types[1])
			return ""
		}
	}
	return map[string]entry{
		"$add":      sum("+"),
		"$subtract": sum("-"),
		"$multiply": func(c *call) string {
			x, n := c.args[0], c.args[1]
			if c.types[0].Kind == googlesql.Int64 {
				x, n = n, x
			}
			return c.w.native("interval_multiply") + "(" + x + ", " + n + ")"
		},
		"$divide":      func(c *call) string { return c.w.native("interval_divide") + "(" + c.args[0] + ", " + c.args[1] + ")" },
		"$unary_minus": func(c *call) string { return c.w.native("interval_negate") + "(" + c.args[0] + ")" },
	}
}

// makeInterval writes MAKE_INTERVAL, which looks at no argument where one is NULL.
func makeInterval(c *call) string {
	return c.let(func(args []string) string {
		text := c.w.native("interval_add") + "(" + c.w.native("make_interval_date") + "(" + strings.Join(args[:3], ", ") + "), " +
			c.w.native("make_interval_time") + "(" + strings.Join(args[3:], ", ") + "))"
		return "CASE WHEN " + strings.Join(args, " IS NULL OR ") + " IS NULL THEN NULL ELSE " + text + " END"
	})
}
