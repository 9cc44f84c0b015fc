package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// aggregates are the aggregate functions, which stand over groups and over windows; analytics are those that stand over windows.
var aggregates, analytics map[string]entry

func init() {
	aggregates = map[string]entry{
		"$count_star":           func(c *call) string { return c.fold(fold{name: "count", args: "*"}) },
		"count":                 foldOf("count"),
		"countif":               countIf,
		"sum":                   sum,
		"avg":                   average,
		"min":                   least,
		"max":                   foldOf("max"),
		"any_value":             foldOf("any_value"),
		"array_agg":             arrayAgg,
		"array_concat_agg":      arrayConcatAgg,
		"string_agg":            stringAgg,
		"logical_and":           foldOf("bool_and"),
		"logical_or":            foldOf("bool_or"),
		"bit_and":               foldOf("bit_and"),
		"bit_or":                foldOf("bit_or"),
		"bit_xor":               foldOf("bit_xor"),
		"stddev_samp":           deviation("stddev_samp", 2),
		"stddev_pop":            deviation("stddev_pop", 1),
		"var_samp":              deviation("var_samp", 2),
		"var_pop":               deviation("var_pop", 1),
		"covar_samp":            pairs("covar_samp", 2),
		"covar_pop":             pairs("covar_pop", 1),
		"corr":                  pairs("corr", 2),
		"approx_count_distinct": approxCountDistinct,
		"approx_quantiles":      approxQuantiles,
		"approx_top_count":      approxTopCount,
	}
	analytics = merge(aggregates, windowFunctions())
}

// fold is a call of an aggregate function of DuckDB's.
type fold struct {
	name, args string
	filter     string // which rows count; "" for all
	all        bool   // also over rows of equal values, where the call has DISTINCT
}

// fold writes an aggregate function with the call's DISTINCT and ORDER BY, over the group or the call's window.
func (c *call) fold(f fold) string {
	text := f.name + "("
	if c.distinct && !f.all && f.args != "*" {
		text += "DISTINCT "
	}
	text += f.args
	if c.order != "" && (f.name == "list" || f.name == "string_agg") {
		text += " " + c.order
	}
	text += ")"
	return text + c.where(f.filter) + c.window()
}

// window is the OVER clause; "" for an aggregate.
func (c *call) window() string {
	if c.analytic == nil {
		return ""
	}
	return " OVER (" + c.over + ")"
}

// foldOf makes an entry for an aggregate function of DuckDB's with the same arguments.
func foldOf(name string) entry {
	return func(c *call) string { return c.fold(fold{name: name, args: strings.Join(c.args, ", ")}) }
}

func countIf(c *call) string { return c.fold(fold{name: "count", args: c.args[0], filter: c.args[0]}) }

func sum(c *call) string {
	if c.result.Kind == googlesql.Interval {
		return c.w.native("interval_of") + "(" + c.intervalSums() + ")"
	}
	text := c.fold(fold{name: "sum", args: c.args[0]})
	if c.result.Kind == googlesql.Float64 {
		return text
	}
	return "CAST(" + text + " AS " + duckType(c.at, c.result) + ")"
}

// average divides sums of NUMERIC exactly. That of FLOAT64 is finite where the values are, though their sum may not be: then
// they are added as fractions of a power of two.
func average(c *call) string {
	x := c.args[0]
	switch c.result.Kind {
	case googlesql.Float64:
		plain := c.fold(fold{name: "avg", args: x})
		if c.types[0].Kind == googlesql.Int64 {
			return plain
		}
		small := c.fold(fold{name: "avg", args: "(" + x + ") * 5.421010862427522e-20::DOUBLE"})
		return "CASE WHEN isinf(" + plain + ") THEN " + small + " * 18446744073709551616::DOUBLE ELSE " + plain + " END"
	}
	n := c.fold(fold{name: "count", args: x})
	if c.result.Kind == googlesql.Interval {
		return c.w.native("interval_average") + "(" + c.intervalSums() + ", nullif(" + n + ", 0))"
	}
	kind := strings.ToLower(c.result.Kind.String())
	return c.w.native(kind+"_average") + "(" + c.fold(fold{name: "sum", args: x}) + ", nullif(" + n + ", 0))"
}

// intervalSums are the sums of the parts of INTERVALs.
func (c *call) intervalSums() string {
	sums := make([]string, 3)
	for i, part := range []string{"months", "days", "micros"} {
		sums[i] = "CAST(" + c.fold(fold{name: "sum", args: c.w.native("interval_"+part) + "(" + c.args[0] + ")"}) + " AS BIGINT)"
	}
	return strings.Join(sums, ", ")
}

// least gives NaN where there is one, which DuckDB calls the greatest.
func least(c *call) string {
	text := c.fold(fold{name: "min", args: c.args[0]})
	if c.types[0].Kind != googlesql.Float64 {
		return text
	}
	nan := c.fold(fold{name: "bool_or", args: "isnan(" + c.args[0] + ")"})
	return "CASE WHEN " + nan + " THEN 'nan'::DOUBLE ELSE " + text + " END"
}

// list writes the values of an ARRAY-valued aggregate, which LIMIT may shorten.
func (c *call) list(filter string) string {
	nan := c.distinct && c.order != "" && c.types[0].Kind == googlesql.Float64
	if nan {
		c.refuse("DISTINCT and ORDER BY of FLOAT64 in %s", strings.ToUpper(c.name))
	}
	text := c.fold(fold{name: "list", args: c.args[0], filter: filter})
	if limit := c.aggregate.GetLimit(); limit != nil {
		text = "list_slice(" + text + ", 1, " + c.w.expr(limit) + ")"
	}
	return text
}

func (c *call) notNull() string { return c.args[0] + " IS NOT NULL" }

func arrayAgg(c *call) string {
	if c.ignoreNulls {
		return c.list(c.notNull())
	}
	return c.list("")
}

func arrayConcatAgg(c *call) string { return "flatten(" + c.list(c.notNull()) + ")" }

func stringAgg(c *call) string {
	by := "','"
	if len(c.args) > 1 {
		by = c.args[1]
	}
	x := c.args[0]
	if c.types[0].Kind == googlesql.Bytes {
		if len(c.args) == 1 {
			by = "'\\x2C'::BLOB"
		}
		c.args = []string{x}
		return "unhex(array_to_string(list_transform(" + c.list(c.notNull()) + ", lambda b: hex(b)), hex(" + by + ")))"
	}
	if c.aggregate.GetLimit() != nil || c.distinct {
		return "array_to_string(" + c.list(c.notNull()) + ", " + by + ")"
	}
	return c.fold(fold{name: "string_agg", args: x + ", " + by})
}

// deviation makes an entry of a statistic over one column, which is NULL for fewer than some rows, and NaN where a value is
// not finite: DuckDB calls that an error.
func deviation(name string, rows int) entry {
	return func(c *call) string {
		x := c.args[0]
		if c.types[0].Kind != googlesql.Float64 {
			x = "(" + x + ")::DOUBLE"
		}
		finite := "isfinite(" + x + ")"
		return c.finite(fold{name: name, args: x, filter: finite}, fold{name: "bool_and", args: finite}, fold{name: "count", args: x}, rows)
	}
}

// pairs is as deviation, over two columns.
func pairs(name string, rows int) entry {
	return func(c *call) string {
		y, x := c.args[0], c.args[1]
		if c.types[0].Kind != googlesql.Float64 {
			y = "(" + y + ")::DOUBLE"
		}
		if c.types[1].Kind != googlesql.Float64 {
			x = "(" + x + ")::DOUBLE"
		}
		if c.distinct {
			c.refuse("DISTINCT in %s", strings.ToUpper(c.name))
		}
		finite := "isfinite(" + x + ") AND isfinite(" + y + ")"
		both := "CASE WHEN " + x + " IS NOT NULL AND " + y + " IS NOT NULL THEN " + finite + " END"
		return c.finite(fold{name: name, args: y + ", " + x, filter: finite}, fold{name: "bool_and", args: both}, fold{name: "count", args: both}, rows)
	}
}

func (c *call) finite(value, finite, count fold, rows int) string {
	text := "CASE WHEN " + c.fold(finite) + " THEN " + c.fold(value)
	if rows == 1 {
		return text + " ELSE CASE WHEN NOT " + c.fold(finite) + " THEN 'nan'::DOUBLE END END"
	}
	return "CASE WHEN " + c.fold(count) + " > 1 THEN " + text + " ELSE 'nan'::DOUBLE END END"
}

// approxCountDistinct counts exactly.
func approxCountDistinct(c *call) string {
	c.distinct = true
	return c.fold(fold{name: "count", args: c.args[0]})
}

// approxQuantiles takes the quantiles of the sorted values themselves.
func approxQuantiles(c *call) string {
	number, ok := integer(c.exprs[1])
	switch {
	case isNull(c.exprs[1]):
		return fail("The second argument to APPROX_QUANTILES function must not be NULL", duckType(c.at, c.result))
	case !ok:
		c.refuse("APPROX_QUANTILES with a number that is no constant")
	case number <= 0:
		return fail("The second argument to APPROX_QUANTILES function must be positive", duckType(c.at, c.result))
	case number > 100000:
		return fail("The second argument to APPROX_QUANTILES function cannot be greater than 100000", duckType(c.at, c.result))
	}
	filter := c.notNull()
	if c.aggregateCall().GetNullHandlingModifier() == resolved.ResolvedNonScalarFunctionCallBaseEnums_RESPECT_NULLS {
		filter = ""
	}
	key := c.args[0]
	if c.types[0].Kind == googlesql.Float64 {
		key = "-(" + key + ") DESC"
	}
	text := "list("
	if c.distinct {
		c.refuse("DISTINCT in APPROX_QUANTILES")
	}
	text += c.args[0] + " ORDER BY " + key + " NULLS FIRST)" + c.where(filter)
	sorted, x, i := text+c.window(), c.w.bind(), c.w.bind()
	n := c.args[1]
	return "list_transform([" + sorted + "], lambda " + x + ": CASE WHEN " + x + " IS NOT NULL THEN list_transform(range(" + n + " + 1), lambda " + i +
		": " + x + "[greatest(1, ((" + i + " * len(" + x + ") + " + n + " - 1) // " + n + ")::BIGINT)]) END)[1]"
}

// approxTopCount counts exactly; the most frequent values come first.
func approxTopCount(c *call) string {
	n, ok := integer(c.exprs[1])
	switch {
	case isNull(c.exprs[1]):
		return fail("The second argument to APPROX_TOP_COUNT function must not be NULL", duckType(c.at, c.result))
	case !ok:
		c.refuse("APPROX_TOP_COUNT with a number that is no constant")
	case n <= 0:
		return fail("The second argument to APPROX_TOP_COUNT function must be positive", duckType(c.at, c.result))
	case n > 100000:
		return fail("The second argument to APPROX_TOP_COUNT function cannot be greater than 100000", duckType(c.at, c.result))
	}
	x, e, e2 := c.args[0], c.w.bind(), c.w.bind()
	counted := c.fold(fold{name: "histogram", args: x})
	nulls := c.fold(fold{name: "count", args: "*", filter: x + " IS NULL"})
	element := duckType(c.at, *c.result.Elem)
	text := "list_concat(list_transform(coalesce(map_entries(" + counted + "), []), lambda " + e + ": {'n': " + e + ".value::BIGINT, 'v': " + e + ".key}), " +
		"CASE WHEN " + nulls + " > 0 THEN [{'n': " + nulls + ", 'v': NULL::" + duckType(c.at, c.types[0]) + "}] ELSE [] END)"
	text = "list_slice(list_reverse_sort(" + text + "), 1, " + c.args[1] + ")"
	all := c.fold(fold{name: "count", args: "*"})
	return "CASE WHEN " + all + " > 0 THEN list_transform(" + text + ", lambda " + e2 + ": {'value': " + e2 + ".v, 'count': " + e2 + ".n})::" + element + "[] END"
}

// aggregateCall is what an aggregate and a window function have in common.
func (c *call) aggregateCall() *resolved.ResolvedNonScalarFunctionCallBaseProto {
	if c.analytic != nil {
		return c.analytic.GetParent()
	}
	return c.aggregate.GetParent()
}

// integer is the value of a constant INT64.
func integer(e *resolved.AnyResolvedExprProto) (int64, bool) {
	v, ok := e.GetResolvedLiteralNode().GetValue().GetValue().GetValue().(*resolved.ValueProto_Int64Value)
	if !ok {
		return 0, false
	}
	return v.Int64Value, true
}

// fail writes an expression that is an error where it is computed.
func fail(message, as string) string { return "CAST(error(" + text(message) + ") AS " + as + ")" }
