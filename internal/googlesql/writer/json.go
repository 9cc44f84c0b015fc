package writer

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/quote"
)

// jsons are the functions of JSON (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions), and others
// that take values of any type.
var jsons = map[string]entry{
	"format":                    anyFunction("format"),
	"typeof":                    func(c *call) string { return quote.Text(c.types[0].String()) },
	"to_json":                   anyWith("to_json", 2, "false", googlesql.Bool),
	"to_json_string":            anyWith("to_json_string", 2, "false", googlesql.Bool),
	"json_array":                anyFunction("json_array"),
	"json_object":               anyFunction("json_object"),
	"json_set":                  anyFunction("json_set"),
	"json_remove":               anyFunction("json_remove"),
	"json_array_append":         anyFunction("json_array_append"),
	"json_array_insert":         anyFunction("json_array_insert"),
	"parse_json":                withDefault("parse_json", 2, "'exact'"),
	"json_type":                 goFunction("json_type"),
	"json_query":                jsonPath("json_query", "false"),
	"json_value":                jsonPath("json_value", "false"),
	"json_query_array":          jsonPath("json_query_array", "false"),
	"json_value_array":          jsonPath("json_value_array", "false"),
	"json_extract":              jsonPath("json_query", "true"),
	"json_extract_scalar":       jsonPath("json_value", "true"),
	"json_extract_array":        jsonPath("json_query_array", "true"),
	"json_extract_string_array": jsonPath("json_value_array", "true"),
	"$subscript":                subscript,
	"bool":                      goFunction("json_bool"),
	"int64":                     goFunction("json_int64"),
	"double":                    withDefault("json_float64", 2, "'round'"),
	"float64":                   withDefault("json_float64", 2, "'round'"),
	"string":                    stringIn,
	"bool_array":                goFunction("json_bool_array"),
	"int64_array":               goFunction("json_int64_array"),
	"double_array":              withDefault("json_float64_array", 2, "'round'"),
	"float64_array":             withDefault("json_float64_array", 2, "'round'"),
	"string_array":              goFunction("json_string_array"),
	"json_contains":             goFunction("json_contains"),
	"json_flatten":              goFunction("json_flatten"),
	"json_keys":                 jsonKeys,
	"json_strip_nulls":          jsonStripNulls,
	"lax_bool":                  goFunction("lax_bool"),
	"lax_bool_array":            goFunction("lax_bool_array"),
	"lax_int64":                 goFunction("lax_int64"),
	"lax_int64_array":           goFunction("lax_int64_array"),
	"lax_float64":               goFunction("lax_float64"),
	"lax_float64_array":         goFunction("lax_float64_array"),
	"lax_string":                goFunction("lax_string"),
	"lax_string_array":          goFunction("lax_string_array"),
	"lax_double":                goFunction("lax_float64"),
	"lax_double_array":          goFunction("lax_float64_array"),
	"error":                     raise,
	"session_user":              template("current_user"),
}

// anyFunction makes an entry of a native function over values of any types, whose first argument says which.
func anyFunction(name string) entry { return anyWith(name, 0, "", 0) }

// anyWith makes one whose nth argument, of a kind, may be left out.
func anyWith(name string, n int, otherwise string, kind googlesql.Kind) entry {
	return func(c *call) string {
		args, types := c.args, c.types
		if len(args) < n {
			args = append(args[:len(args):len(args)], otherwise)
			types = append(types[:len(types):len(types)], googlesql.Type{Kind: kind})
		}
		return c.w.ofAny(c, name, args, types)
	}
}

func (w *writer) ofAny(c *call, name string, args []string, types []googlesql.Type) string {
	parts := make([]string, len(args)+1)
	for i, a := range args {
		if hasRange(types[i]) {
			c.refuse("a RANGE in %s", strings.ToUpper(c.name))
		}
		parts[i+1] = "CAST(" + a + " AS " + duckType(c.at, types[i]) + ")"
	}
	b, err := json.Marshal(types)
	if err != nil {
		c.refuse("a value of such a type")
	}
	parts[0] = quote.Text(string(b))
	if len(types) == 0 {
		parts[0] = "'[]'"
	}
	return w.native(name) + "(" + strings.Join(parts, ", ") + ")"
}

// hasRange reports whether a type is RANGE, or has one inside.
func hasRange(t googlesql.Type) bool {
	return t.Kind == googlesql.Range || t.Kind == googlesql.Array && hasRange(*t.Elem) ||
		slices.ContainsFunc(t.Fields, func(f googlesql.Field) bool { return hasRange(f.Type) })
}

// jsonPath makes an entry of a function over JSON, or a STRING that holds it. legacy says how paths are written.
func jsonPath(name, legacy string) entry {
	return func(c *call) string {
		path := "'$'"
		if len(c.args) > 1 {
			path = c.args[1]
		}
		name := name
		if c.types[0].Kind != googlesql.JSON {
			name += "_text"
		}
		return c.w.native(name) + "(" + c.args[0] + ", " + path + ", " + legacy + ")"
	}
}

// subscript is x[y] of a JSON.
func subscript(c *call) string {
	if c.types[0].Kind != googlesql.JSON {
		c.refuse("a subscript of %s", c.types[0])
	}
	name := "json_element"
	if c.types[1].Kind == googlesql.String {
		name = "json_field"
	}
	return c.w.native(name) + "(" + c.args[0] + ", " + c.args[1] + ")"
}

func jsonKeys(c *call) string {
	args := c.args
	switch len(args) {
	case 1:
		args = []string{args[0], "NULL::BIGINT", "'strict'"}
	case 2:
		if c.types[1].Kind == googlesql.String {
			args = []string{args[0], "NULL::BIGINT", args[1]}
		} else {
			args = []string{args[0], args[1], "'strict'"}
		}
	}
	return c.w.native("json_keys") + "(" + strings.Join(args, ", ") + ")"
}

// jsonStripNulls is JSON_STRIP_NULLS(json [, path] [, include_arrays] [, remove_empty]).
func jsonStripNulls(c *call) string {
	args := append([]string(nil), c.args...)
	defaults := []string{"", "'$'", "true", "false"}
	if len(args) > 1 && c.types[1].Kind != googlesql.String {
		args = append([]string{args[0], "'$'"}, args[1:]...)
	}
	args = append(args, defaults[len(args):]...)
	return c.w.native("json_strip_nulls") + "(" + strings.Join(args, ", ") + ")"
}

// raise is ERROR(text): DuckDB's error is volatile, so that no branch that is not taken is computed ahead, and TRY refuses it.
func raise(c *call) string {
	if c.safe {
		return "NULL::" + duckType(c.at, c.result)
	}
	return "CAST(error(" + c.args[0] + ") AS " + duckType(c.at, c.result) + ")"
}
