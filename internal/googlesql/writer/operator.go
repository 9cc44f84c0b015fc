package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
)

// operators are the functions that have no name in a statement, and those of control.
var operators = map[string]entry{
	"$and":           joined(" AND "),
	"$or":            joined(" OR "),
	"$not":           template("(NOT $1)"),
	"$is_null":       template("($1 IS NULL)"),
	"$is_true":       template("($1 IS TRUE)"),
	"$is_false":      template("($1 IS FALSE)"),
	"$make_array":    func(c *call) string { return arrayOf(c.args) + "::" + duckType(c.at, c.result) },
	"$case_no_value": caseNoValue,
	"if":             template("CASE WHEN $1 THEN $2 ELSE $3 END"),
	"ifnull":         native("coalesce"),
	"coalesce":       native("coalesce"),

	"$with_side_effects": withSideEffects,
}

// joined makes an entry for an operator over any number of operands.
func joined(op string) entry {
	return func(c *call) string { return c.conditions(c.args, op) }
}

// conditions joins conditions with AND or OR.
func (c *call) conditions(all []string, op string) string {
	if len(all) > maxOperands {
		c.refuse("%s of more than %d conditions, for which DuckDB takes time by the square,", strings.TrimSpace(op), maxOperands)
	}
	return "(" + strings.Join(all, op) + ")"
}

// maxOperands is how many conditions AND and OR may join.
const maxOperands = 10_000

func caseNoValue(c *call) string {
	var b strings.Builder
	b.WriteString("CASE")
	i := 0
	for ; i+1 < len(c.args); i += 2 {
		b.WriteString(" WHEN " + c.args[i] + " THEN " + c.args[i+1])
	}
	if i < len(c.args) {
		b.WriteString(" ELSE " + c.args[i])
	}
	return b.String() + " END"
}

// casts are the conversions whose texts or rules differ from DuckDB's.
var casts = map[[2]googlesql.Kind]entry{}
