package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/quote"
)

// ranges are the functions of RANGEs (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/range-functions), whose
// ends googlesql.RangeStart tells.
var ranges = map[string]entry{
	"range":                makeRange,
	"range_start":          rangeEnd("($1)."+googlesql.RangeStart, "-infinity"),
	"range_end":            rangeEnd("($1)."+googlesql.RangeEnd, "infinity"),
	"range_contains":       rangeContains,
	"range_overlaps":       template("(($1)._range_start < ($2)._range_end AND ($2)._range_start < ($1)._range_end)"),
	"range_intersect":      rangeIntersect,
	"generate_range_array": generateRanges,

	"range_is_start_unbounded": func(c *call) string {
		return "((" + c.args[0] + ")." + googlesql.RangeStart + " = " + bound("-infinity", *c.types[0].Elem) + ")"
	},
	"range_is_end_unbounded": func(c *call) string {
		return "((" + c.args[0] + ")." + googlesql.RangeEnd + " = " + bound("infinity", *c.types[0].Elem) + ")"
	},
}

func init() {
	casts[[2]googlesql.Kind{googlesql.Range, googlesql.String}] = func(c *call) string {
		return c.let(func(a []string) string { return c.rangeText(a[0], c.types[0]) })
	}
}

// rangeText writes a RANGE as a text.
func (c *call) rangeText(x string, t googlesql.Type) string {
	end := func(field, unbounded string) string {
		at := "(" + x + ")." + field
		return "CASE WHEN " + at + " = " + bound(unbounded, *t.Elem) + " THEN 'UNBOUNDED' ELSE " +
			c.w.cast(c.at, at, *t.Elem, googlesql.Type{Kind: googlesql.String}) + " END"
	}
	return "('[' || " + end(googlesql.RangeStart, "-infinity") + " || ', ' || " + end(googlesql.RangeEnd, "infinity") + " || ')')"
}

func makeRange(c *call) string {
	elem := *c.result.Elem
	return c.let(func(a []string) string {
		whole := packed("coalesce("+a[0]+", "+bound("-infinity", elem)+")", "coalesce("+a[1]+", "+bound("infinity", elem)+")")
		wrong := "error('Range start element must be smaller than range end element')"
		return "CASE WHEN " + a[0] + " >= " + a[1] + " THEN CAST(" + wrong + " AS " + duckType(c.at, c.result) + ") ELSE " + whole + " END"
	})
}

// rangeEnd makes an entry that is NULL for an end that is unbounded.
func rangeEnd(end, unbounded string) entry {
	return func(c *call) string {
		return "nullif(" + strings.ReplaceAll(end, "$1", c.args[0]) + ", " + bound(unbounded, c.result) + ")"
	}
}

func rangeContains(c *call) string {
	if c.types[1].Kind == googlesql.Range {
		return template("(($1)._range_start <= ($2)._range_start AND ($2)._range_end <= ($1)._range_end)")(c)
	}
	return template("(($1)._range_start <= $2 AND $2 < ($1)._range_end)")(c)
}

func rangeIntersect(c *call) string {
	return c.let(func(a []string) string {
		start := func(i int) string { return "(" + a[i] + ")." + googlesql.RangeStart }
		end := func(i int) string { return "(" + a[i] + ")." + googlesql.RangeEnd }
		wrong := "error('Provided RANGE inputs: ' || " + c.rangeText(a[0], c.types[0]) + " || ' and ' || " + c.rangeText(a[1], c.types[1]) +
			" || ' do not overlap. Please check RANGE_OVERLAPS before calling RANGE_INTERSECT')"
		return "CASE WHEN " + a[0] + " IS NULL OR " + a[1] + " IS NULL THEN NULL WHEN " + start(0) + " < " + end(1) + " AND " + start(1) + " < " +
			end(0) + " THEN " + packed("greatest("+start(0)+", "+start(1)+")", "least("+end(0)+", "+end(1)+")") + " ELSE CAST(" + wrong +
			" AS " + duckType(c.at, c.result) + ") END"
	})
}

// generateRanges is GENERATE_RANGE_ARRAY(range, step [, include_last_partial_range]). Steps are counted from the start, so that
// months do not drift.
func generateRanges(c *call) string {
	if len(c.args) == 2 {
		c.args = append(c.args, "true")
	}
	elem := c.types[0].Elem.DuckDB()
	return c.let(func(a []string) string {
		start, end := "("+a[0]+")."+googlesql.RangeStart, "("+a[0]+")."+googlesql.RangeEnd
		i, j := c.w.bind(), c.w.bind()
		at := func(n string) string { return "(" + start + " + " + a[1] + " * (" + n + "))::" + elem }
		steps := "range(len(range(" + start + "::TIMESTAMP, " + end + "::TIMESTAMP, " + a[1] + ")) + 2)"
		if c.types[0].Elem.Kind == googlesql.Timestamp {
			steps = "range(len(range(" + start + ", " + end + ", " + a[1] + ")) + 2)"
		}
		all := "list_filter(" + steps + ", lambda " + i + ": " + at(i) + " < " + end + " AND (" + a[2] + " OR " + at(i+" + 1") + " <= " + end +
			"))"
		list := "list_transform(" + all + ", lambda " + j + ": " + packed(at(j), "least("+at(j+" + 1")+", "+end+")") + ")"
		whole := duckType(c.at, c.result)
		fails := func(test, message string) string {
			return " WHEN " + test + " THEN CAST(error(" + quote.Text(message) + ") AS " + whole + ")"
		}
		return "CASE WHEN " + a[0] + " IS NULL OR " + a[1] + " IS NULL OR " + a[2] + " IS NULL THEN NULL" +
			fails(start+" = "+bound("-infinity", *c.types[0].Elem), "input RANGE cannot have UNBOUNDED endpoints") +
			fails(end+" = "+bound("infinity", *c.types[0].Elem), "input RANGE cannot have UNBOUNDED endpoints") +
			fails(a[1]+" = INTERVAL 0 DAY", "step cannot be 0") +
			fails(a[1]+" < INTERVAL 0 DAY", "step cannot be negative") + " ELSE " + list + " END"
	})
}
