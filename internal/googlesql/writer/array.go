package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
)

// arrayFunctions are the functions of ARRAYs.
func arrayFunctions() map[string]entry {
	return map[string]entry{
		"array_length":           native("len"),
		"$array_at_offset":       element("array_offset"),
		"$array_at_ordinal":      element("array_ordinal"),
		"$safe_array_at_offset":  element("safe_array_offset"),
		"$safe_array_at_ordinal": element("safe_array_ordinal"),
		"array_concat":           arrayConcat,
		"array_reverse":          native("list_reverse"),
		"array_first":            template("($1)[@array_first(len($1))]"),
		"array_last":             template("($1)[@array_last(len($1))]"),
		"array_slice": template("CASE WHEN $2 IS NOT NULL AND $3 IS NOT NULL THEN list_slice($1, @slice_first($2, len($1)), " +
			"@slice_last($3, len($1))) END"),
		"array_is_distinct":        isDistinct,
		"array_includes":           includes,
		"generate_array":           generateArray,
		"generate_date_array":      generated("generate_date_array"),
		"generate_timestamp_array": generated("generate_timestamp_array"),
		"array_to_string":          arrayToString,
		"array_max":                template("list_max($1)"),
		"array_min":                arrayMin,
	}
}

// element makes an entry of a subscript: a native function tells the place, or the error.
func element(place string) entry {
	return func(c *call) string {
		return c.let(func(a []string) string {
			return "(" + a[0] + ")[" + c.w.native(place) + "(" + a[1] + ", len(" + a[0] + "))]"
		})
	}
}

func arrayConcat(c *call) string {
	return c.let(func(a []string) string {
		text := a[0]
		var null []string
		for i, x := range a {
			null = append(null, x+" IS NULL")
			if i > 0 {
				text = "list_concat(" + text + ", " + x + ")"
			}
		}
		return "CASE WHEN " + strings.Join(null, " OR ") + " THEN NULL ELSE " + text + " END"
	})
}

func includes(c *call) string {
	c.args[0], c.args[1] = c.args[1], c.args[0]
	c.types[0], c.types[1] = c.types[1], c.types[0]
	return "CASE WHEN " + c.args[0] + " IS NOT NULL AND " + c.args[1] + " IS NOT NULL THEN coalesce(" + inArray(c) + ", false) END"
}

func arrayMin(c *call) string {
	if c.result.Kind != googlesql.Float64 {
		return "list_min(" + c.args[0] + ")"
	}
	return c.let(func(a []string) string {
		return "CASE WHEN list_contains(" + a[0] + ", 'nan'::DOUBLE) THEN 'nan'::DOUBLE ELSE list_min(" + a[0] + ") END"
	})
}

func generateArray(c *call) string {
	name, one := "generate_array", "1::BIGINT"
	switch c.types[0].Kind {
	case googlesql.Float64:
		name, one = "generate_array_double", "1::DOUBLE"
	case googlesql.Numeric, googlesql.BigNumeric:
		name, one = "generate_array_"+strings.ToLower(c.types[0].Kind.String()), "1::"+c.types[0].DuckDB()
	}
	if len(c.args) == 2 {
		c.args = append(c.args, one)
	}
	return c.w.native(name) + "(" + strings.Join(c.args, ", ") + ")"
}

// generated makes an entry of a sequence whose step is a number of parts: one day when it is left out.
func generated(name string) entry {
	return func(c *call) string {
		for len(c.args) < 4 {
			c.args = append(c.args, map[int]string{2: "1::BIGINT", 3: "3"}[len(c.args)])
		}
		return c.w.native(name) + "(" + strings.Join(c.args, ", ") + ")"
	}
}

func arrayToString(c *call) string {
	name := "array_to_string"
	if c.types[0].Elem.Kind == googlesql.Bytes {
		name = "array_to_bytes"
	}
	if len(c.args) > 2 {
		name += "_null"
	}
	return c.w.native(name) + "(" + strings.Join(c.args, ", ") + ")"
}

// isDistinct: NaN is NaN, though DuckDB's lists tell NaNs apart.
func isDistinct(c *call) string {
	if c.types[0].Elem.Kind == googlesql.Float64 {
		return c.w.native("doubles_distinct") + "(" + c.args[0] + ")"
	}
	return template("CASE WHEN $1 IS NULL THEN NULL WHEN len($1) - list_count($1) > 1 THEN false ELSE list_unique($1) = list_count($1) END")(c)
}
