package writer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// try gives the name of a column with a value, or NULL where DuckDB calls it an error. What stands in one that is there already
// is taken from it. Each has a SELECT of its own: where no column stands twice, nothing can be computed outside of TRY.
func (r *aggregated) try(f fixed) string {
	text := f.text
	for _, t := range slices.Backward(r.tried) {
		text = strings.ReplaceAll(text, t.of, t.name)
	}
	if simple.MatchString(text) || anyColumn.FindString(text) == text {
		return text
	}
	names := columnsIn(text)
	slices.Sort(names)
	t := tried{name: fmt.Sprintf("t%d", len(r.tried)+1), of: f.text, text: "TRY(" + text + ")"}
	if len(slices.Compact(slices.Clone(names))) < len(names) {
		t.text = fixed{text: text}.tried()
	}
	r.tried = append(r.tried, t)
	return t.name
}

// tried is a column of the rows of an aggregate.
type tried struct{ name, of, text string }

// folded writes an aggregate or window function that gives a column.
func (c *call) folded(as *resolved.ResolvedColumnProto, try func(fixed) string, table map[string]entry) string {
	if f, ok := c.fixedFold(try); ok {
		c.w.keep(as, f)
		return f.text
	}
	return c.write(table)
}

// fixedFold writes an aggregate function over decimals in their own digits; false where it needs all of them. try is that of the
// rows, and nil over a window.
func (c *call) fixedFold(try func(fixed) string) (fixed, bool) {
	if len(c.exprs) != 1 || c.types[0].Kind != googlesql.Numeric || c.result.Kind != googlesql.Numeric {
		return fixed{}, false
	}
	f, ok := c.w.fixed(c.exprs[0])
	if !ok || losesType(c.exprs[0]) || f.try && (try == nil || c.distinct || c.name != "sum" && c.name != "avg") {
		return fixed{}, false
	}
	switch c.name {
	case "min", "max", "any_value":
		f.text = c.fold(fold{name: c.name, args: f.text})
		return f, true
	case "sum", "avg":
	default:
		return fixed{}, false
	}
	sum, n, ok := c.fixedSum(f, try)
	if !ok || c.name == "sum" {
		return sum, ok
	}
	return fixed{text: c.w.native("numeric_mean") + "(" + sum.wide() + ", " + n + ")", width: 38, scale: 9}, true
}

// fixedSum adds and counts decimals. Those that have no place in 18 digits are added apart, in all digits.
func (c *call) fixedSum(f fixed, try func(fixed) string) (sum fixed, count string, ok bool) {
	of := func(name, args string) string { return c.fold(fold{name: name, args: args}) }
	if sum = (fixed{width: f.width + rows, scale: f.scale}); !sum.known() {
		return sum, "", false
	}
	if !f.try {
		sum.text = "CAST(" + of("sum", f.text) + " AS " + sum.typeName() + ")"
		return sum, of("count", f.text), true
	}
	x := try(f)
	others := "CASE WHEN " + x + " IS NULL THEN " + c.w.exact(c.exprs[0]) + " END"
	whole, rest := "CAST("+of("sum", x)+" AS DECIMAL(38,9))", of("sum", others)
	sum = fixed{width: 38, scale: 9}
	sum.text = "CASE WHEN " + rest + " IS NULL THEN " + whole + " ELSE coalesce(" + whole + ", 0) + " + c.w.native("numeric_checked") + "(" +
		rest + ") END"
	return sum, of("count", x) + " + " + of("count", others), true
}
