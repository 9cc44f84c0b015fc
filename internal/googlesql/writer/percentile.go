package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// percentile gives the fraction of a PERCENTILE function where it is a FLOAT64 constant.
func (c *call) percentile() (fraction string, ok bool) {
	v, ok := c.exprs[1].GetResolvedLiteralNode().GetValue().GetValue().GetValue().(*resolved.ValueProto_DoubleValue)
	if !ok || !(v.DoubleValue >= 0 && v.DoubleValue <= 1) {
		return "", false
	}
	return double(v.DoubleValue), true
}

// sortedList writes the values of a window as a list, NaN before the numbers, and how many NULLs come before them.
func (c *call) sortedList() (list, nulls string) {
	x, key := c.args[0], c.args[0]
	if c.types[0].Kind == googlesql.Float64 {
		key = "-(" + x + ") DESC"
	}
	nulls = "0::BIGINT"
	if c.nulls() {
		nulls = c.fold(fold{name: "count", args: "*", filter: x + " IS NULL"})
	}
	return "coalesce(" + c.capture("list("+x+" ORDER BY "+key+") FILTER (WHERE "+c.notNull()+")"+c.window()) + ", [])", nulls
}

// kindName is a part of the names of native functions.
func kindName(t googlesql.Type) string {
	if t.Kind == googlesql.Float64 {
		return "double"
	}
	return strings.ToLower(t.Kind.String())
}

// nulls reports whether NULLs are values, the least ones.
func (c *call) nulls() bool {
	return c.aggregateCall().GetNullHandlingModifier() == resolved.ResolvedNonScalarFunctionCallBaseEnums_RESPECT_NULLS
}

// percentileCont interpolates. NaN comes first as in BigQuery: it is -inf to DuckDB, and put back where the place is among
// the NaNs.
func percentileCont(c *call) string {
	p, ok := c.percentile()
	if !ok || c.result.Kind != googlesql.Float64 || c.nulls() {
		list, nulls := c.sortedList()
		return c.w.native("percentile_cont_"+kindName(c.result)) + "(" + list + ", " + nulls + ", " + c.args[1] + ")"
	}
	// DuckDB's interpolation makes NaN of an infinite neighbour: those of the place are known by how many infinite values
	// and NaNs there are.
	x := c.args[0]
	value := c.fold(fold{name: "quantile_cont", args: "CASE WHEN isnan(" + x + ") THEN '-inf'::DOUBLE ELSE " + x + " END, " + p})
	count := func(test string) string { return c.fold(fold{name: "count", args: "*", filter: test}) }
	n, place := c.fold(fold{name: "count", args: x}), "("+c.fold(fold{name: "count", args: x})+" - 1) * "+p
	nans, low := count("isnan("+x+")"), count("isnan("+x+") OR "+x+" = '-inf'::DOUBLE")
	high := "ceil(" + place + ") >= " + n + " - " + count(x+" = 'inf'::DOUBLE")
	return "CASE WHEN " + n + " = 0 THEN NULL WHEN " + nans + " > " + place + " THEN 'nan'::DOUBLE WHEN " + low + " > " + place +
		" THEN CASE WHEN " + high + " THEN 'nan'::DOUBLE ELSE '-inf'::DOUBLE END WHEN " +
		high + " THEN 'inf'::DOUBLE ELSE " + value + " END"
}

func percentileDisc(c *call) string {
	p, ok := c.percentile()
	if !ok || c.nulls() {
		list, nulls := c.sortedList()
		l := c.w.bind()
		return "list_transform([{'l': " + list + ", 'n': " + nulls + ", 'p': " + c.args[1] + "}], lambda " + l + ": (" + l + ".l)[" +
			c.w.native("percentile_place_"+kindName(c.types[1])) + "(len(" + l + ".l), " + l + ".n, " + l + ".p)])[1]"
	}
	x := c.args[0]
	if c.types[0].Kind != googlesql.Float64 {
		return c.fold(fold{name: "quantile_disc", args: x + ", " + p})
	}
	value := c.fold(fold{name: "quantile_disc", args: "CASE WHEN isnan(" + x + ") THEN '-inf'::DOUBLE ELSE " + x + " END, " + p})
	nans := c.fold(fold{name: "count", args: "*", filter: "isnan(" + x + ")"})
	place := c.fold(fold{name: "count", args: x}) + " * " + p
	return "CASE WHEN " + nans + " > 0 AND " + nans + " >= " + place + " THEN 'nan'::DOUBLE ELSE " + value + " END"
}
