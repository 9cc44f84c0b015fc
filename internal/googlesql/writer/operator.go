package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
)

// operators are the functions that have no name in a statement, and those of control.
var operators = map[string]entry{
	"$add":                  operator("+"),
	"$subtract":             operator("-"),
	"$multiply":             operator("*"),
	"$divide":               template("CASE WHEN $2 = 0 THEN error('division by zero: ' || $1 || ' / ' || $2) ELSE $1 / $2 END"),
	"$unary_minus":          template("(-$1)"),
	"$equal":                operator("="),
	"$not_equal":            operator("<>"),
	"$less":                 operator("<"),
	"$less_or_equal":        operator("<="),
	"$greater":              operator(">"),
	"$greater_or_equal":     operator(">="),
	"$and":                  joined(" AND "),
	"$or":                   joined(" OR "),
	"$not":                  template("(NOT $1)"),
	"$is_null":              template("($1 IS NULL)"),
	"$is_true":              template("($1 IS TRUE)"),
	"$is_false":             template("($1 IS FALSE)"),
	"$is_distinct_from":     operator("IS DISTINCT FROM"),
	"$is_not_distinct_from": operator("IS NOT DISTINCT FROM"),
	"$between":              template("($1 BETWEEN $2 AND $3)"),
	"$in":                   func(c *call) string { return "(" + c.args[0] + " IN (" + strings.Join(c.args[1:], ", ") + "))" },
	"$make_array":           template("[$*]::$type"),
	"$case_no_value":        caseNoValue,
	"$case_with_value":      caseWithValue,
	"if":                    template("CASE WHEN $1 THEN $2 ELSE $3 END"),
	"ifnull":                native("coalesce"),
	"coalesce":              native("coalesce"),
	"nullif":                native("nullif"),
}

// joined makes an entry for an operator over any number of operands.
func joined(op string) entry {
	return func(c *call) string { return "(" + strings.Join(c.args, op) + ")" }
}

func caseNoValue(c *call) string {
	b := "CASE"
	i := 0
	for ; i+1 < len(c.args); i += 2 {
		b += " WHEN " + c.args[i] + " THEN " + c.args[i+1]
	}
	if i < len(c.args) {
		b += " ELSE " + c.args[i]
	}
	return b + " END"
}

func caseWithValue(c *call) string {
	b := "CASE " + c.args[0]
	i := 1
	for ; i+1 < len(c.args); i += 2 {
		b += " WHEN " + c.args[i] + " THEN " + c.args[i+1]
	}
	if i < len(c.args) {
		b += " ELSE " + c.args[i]
	}
	return b + " END"
}

// casts are the conversions whose texts or rules differ from DuckDB's.
var casts = map[[2]googlesql.Kind]entry{}
