package writer

import (
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// aggregateFunctions stand over groups and over windows.
func aggregateFunctions() map[string]entry {
	return map[string]entry{
		"$count_star":           func(c *call) string { return c.fold(fold{name: "count", args: "*"}) },
		"count":                 foldOf("count"),
		"countif":               countIf,
		"sum":                   sum,
		"avg":                   average,
		"min":                   least,
		"max":                   foldOf("max"),
		"any_value":             foldOf("any_value"),
		"array_agg":             arrayAgg,
		"max_by":                foldOf("arg_max_null"),
		"min_by":                foldOf("arg_min_null"),
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
		"approx_top_sum":        approxTopSum,
		"percentile_cont":       percentileCont,
		"percentile_disc":       percentileDisc,
	}
}

func countIf(c *call) string { return c.fold(fold{name: "count", args: c.args[0], filter: c.args[0]}) }

func sum(c *call) string {
	if c.result.Kind == googlesql.Interval {
		return c.w.native("interval_of") + "(" + c.intervalSums() + ")"
	}
	text := c.fold(fold{name: "sum", args: c.args[0]})
	kind := strings.ToLower(c.result.Kind.String())
	switch c.result.Kind {
	case googlesql.Float64:
		small := text
		if c.analytic != nil { // the ends of a window may lie beyond FLOAT64, and the sum within
			small = c.fold(fold{name: "sum", args: "(" + c.args[0] + ") * 5.421010862427522e-20::DOUBLE"})
		}
		return c.w.native("double_sum") + "(" + text + ", " + c.fold(fold{name: "bool_and", args: "isfinite(" + c.args[0] + ")"}) + ", " + small +
			")"
	case googlesql.Numeric, googlesql.BigNumeric:
		if c.analytic == nil || c.distinct {
			return c.w.native(kind+"_checked") + "(" + text + ")"
		}
		whole, fractions := c.wholeAndFractions()
		return c.w.native(kind+"_sum") + "(" + whole + ", " + fractions + ")"
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
	whole, fractions := c.wholeAndFractions()
	return c.w.native(strings.ToLower(c.result.Kind.String())+"_average") + "(" + whole + ", " + fractions + ", nullif(" + n + ", 0))"
}

// wholeAndFractions are the sums of the whole numbers and of the fractions of decimals, since the sum itself may have no place.
func (c *call) wholeAndFractions() (whole, fractions string) {
	x, t := c.args[0], duckType(c.at, c.types[0])
	if c.distinct {
		all, e := c.fold(fold{name: "list", args: x, filter: x + " IS NOT NULL"}), c.w.bind()
		sumOf := func(text string) string {
			return "list_sum(list_transform(" + all + ", lambda " + e + ": " + text + "))"
		}
		return sumOf("trunc("+e+")") + "::HUGEINT", sumOf(e+" - trunc("+e+")") + "::" + t
	}
	return c.fold(fold{name: "sum", args: "trunc(" + x + ")"}) + "::HUGEINT",
		c.fold(fold{name: "sum", args: x + " - trunc(" + x + ")"}) + "::" + t
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
	order := ""
	if c.distinct && c.order != "" && c.types[0].Kind == googlesql.Float64 {
		// Only the argument itself may be a key beside DISTINCT: the list is sorted, by the numbers with the other sign.
		order = ", 'ASC', 'NULLS LAST'"
		if strings.Contains(c.order, " DESC") {
			order = ", 'DESC', 'NULLS LAST'"
		}
		if strings.Contains(c.order, "NULLS FIRST") {
			order = strings.Replace(order, "LAST", "FIRST", 1)
		}
		c.order = ""
	}
	text := c.fold(fold{name: "list", args: c.args[0], filter: filter})
	if order != "" {
		x, y := c.w.bind(), c.w.bind()
		text = "list_transform(list_sort(list_transform(" + text + ", lambda " + x + ": (- " + x + "))" + order + "), lambda " + y + ": (- " + y +
			"))"
	}
	if limit := c.aggregate.GetLimit(); limit != nil {
		if n, ok := integer(limit); ok && n == 0 {
			return c.fold(fold{name: "any_value", args: "NULL::" + duckType(c.at, c.types[0]) + "[]", all: true})
		}
		text = "list_slice(" + text + ", 1, " + c.w.expr(limit) + ")"
	}
	return text
}

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
	constant := len(c.args) == 1 || c.exprs[1].GetResolvedLiteralNode() != nil
	if !constant || isNull(c.exprs[len(c.exprs)-1]) {
		by = c.w.native("separator_"+strings.ToLower(c.types[0].Kind.String())) + "(" + by + ")"
	}
	if c.types[0].Kind == googlesql.Bytes {
		if len(c.args) == 1 {
			by = "'\\x2C'::BLOB"
		}
		c.args = []string{x}
		return "unhex(array_to_string(list_transform(" + c.list(c.notNull()) + ", lambda b: hex(b)), hex(" + by + ")))"
	}
	if c.aggregate.GetLimit() != nil || c.distinct || !constant {
		return "array_to_string(" + c.list(c.notNull()) + ", " + by + ")"
	}
	return c.fold(fold{name: "string_agg", args: x + ", " + by})
}

// deviation makes an entry of a statistic over one column, which is NULL for fewer than some rows, and NaN where a value is
// not finite: DuckDB calls that an error, and also what is too great for a FLOAT64, so that great values are made smaller by
// a power of two. Those of decimals are computed from all their digits.
func deviation(name string, rows int) entry {
	return func(c *call) string {
		x := c.args[0]
		if kind := c.types[0].Kind; kind == googlesql.Numeric || kind == googlesql.BigNumeric {
			return c.w.native(name+"_"+strings.ToLower(kind.String())) + "(" + c.fold(fold{name: "list", args: x, filter: c.notNull()}) + ")"
		}
		back := " * 0x1p512"
		if strings.HasPrefix(name, "var") {
			back += back
		}
		return c.finite(statistic{
			finite: "isfinite(" + x + ")", small: "abs(" + x + ") < 1e150", rows: rows, back: back, count: x,
			value: func(scale string) fold { return fold{name: name, args: "(" + x + ")" + scale} },
		})
	}
}

// pairs is as deviation, over two columns.
func pairs(name string, rows int) entry {
	return func(c *call) string {
		y, x := c.args[0], c.args[1]
		if kind := c.types[0].Kind; kind == googlesql.Numeric || kind == googlesql.BigNumeric {
			both := x + " IS NOT NULL AND " + y + " IS NOT NULL"
			return c.w.native(name+"_"+strings.ToLower(kind.String())) + "(" + c.fold(fold{name: "list", args: y, filter: both}) + ", " +
				c.fold(fold{name: "list", args: x, filter: both}) + ")"
		}
		both := func(test string) string {
			return "CASE WHEN " + x + " IS NOT NULL AND " + y + " IS NOT NULL THEN " + strings.ReplaceAll(test, "$", x) + " AND " +
				strings.ReplaceAll(test, "$", y) + " END"
		}
		back := " * 0x1p512 * 0x1p512"
		if name == "corr" {
			back = ""
		}
		finite := both("isfinite($)")
		return c.finite(statistic{
			finite: finite, small: both("abs($) < 1e150"), rows: rows, back: back, count: finite,
			value: func(scale string) fold {
				return fold{name: name, args: "(" + y + ")" + scale + ", (" + x + ")" + scale}
			},
		})
	}
}

// statistic is what a statistic over FLOAT64 needs.
type statistic struct {
	finite, small string // tests of a row, NULL for one that does not count
	count         string // NULL for a row that does not count
	rows          int
	back          string // undoes the scale
	value         func(scale string) fold
}

// power writes 2 to the 512th.
const power = "13407807929942597099574024998205846127479365820592393377723561443721764030073" +
	"546976801874298166903427690031858186486050853753882811946569946433649006084096::DOUBLE"

func (c *call) finite(s statistic) string {
	small, scaled := s.value(""), s.value(" * (1 / "+power+")")
	small.filter, scaled.filter = s.small, s.finite
	text := "CASE WHEN " + c.fold(fold{name: "count", args: s.count}) + " >= " + strconv.Itoa(s.rows) +
		" THEN CASE WHEN " + c.fold(fold{name: "bool_and", args: s.small}) + " THEN " + c.fold(small) +
		" WHEN " + c.fold(fold{name: "bool_and", args: s.finite}) + " THEN " + c.fold(scaled) + strings.ReplaceAll(s.back, "0x1p512", power) +
		" ELSE 'nan'::DOUBLE END END"
	return text
}

// approxCountDistinct counts exactly.
func approxCountDistinct(c *call) string {
	c.distinct = true
	return c.fold(fold{name: "count", args: c.args[0]})
}

// number is a positive count of at most 100000: the last argument of an APPROX function.
func (c *call) number(i int) string {
	if n, ok := integer(c.exprs[i]); ok && n > 0 && n <= 100000 {
		return c.args[i]
	}
	return c.w.native("approx_number") + "(" + c.args[i] + "::BIGINT, " + text(strings.ToUpper(c.name)) + ")"
}

// approxQuantiles takes the quantiles of the sorted values themselves.
func approxQuantiles(c *call) string {
	x, n := c.args[0], c.number(1)
	nan := c.types[0].Kind == googlesql.Float64
	var sorted string
	if c.distinct {
		values := "list(DISTINCT " + x + ")"
		if !c.nulls() {
			values += " FILTER (WHERE " + c.notNull() + ")"
		}
		if nan {
			c.refuse("DISTINCT FLOAT64 in APPROX_QUANTILES")
		}
		sorted = "list_sort(" + c.capture(values+c.window()) + ", 'ASC', 'NULLS FIRST')"
	} else {
		key := x
		if nan {
			key = "-(" + x + ") DESC"
		}
		sorted = "list(" + x + " ORDER BY " + key + " NULLS FIRST)"
		if !c.nulls() {
			sorted += " FILTER (WHERE " + c.notNull() + ")"
		}
		sorted = c.capture(sorted + c.window())
	}
	l, i := c.w.bind(), c.w.bind()
	return "list_transform([" + sorted + "], lambda " + l + ": CASE WHEN " + l + " IS NOT NULL THEN list_transform(range(" + n +
		" + 1), lambda " + i +
		": " + l + "[greatest(1, ((" + i + " * len(" + l + ") + " + n + " - 1) // " + n + ")::BIGINT)]) END)[1]"
}

// approxTopCount counts exactly; the most frequent values come first.
func approxTopCount(c *call) string {
	x, e, e2 := c.args[0], c.w.bind(), c.w.bind()
	counted := c.fold(fold{name: "histogram", args: x})
	nulls := c.fold(fold{name: "count", args: "*", filter: x + " IS NULL"})
	element := duckType(c.at, *c.result.Elem)
	text := "list_concat(list_transform(coalesce(map_entries(" + counted + "), []), lambda " + e + ": {'n': " + e + ".value::BIGINT, 'v': " +
		e + ".key}), " +
		"CASE WHEN " + nulls + " > 0 THEN [{'n': " + nulls + ", 'v': NULL::" + duckType(c.at, c.types[0]) + "}] ELSE [] END)"
	text = "list_slice(list_reverse_sort(" + text + "), 1, " + c.number(1) + ")"
	all := c.fold(fold{name: "count", args: "*"})
	return "CASE WHEN " + all + " > 0 THEN list_transform(" + text + ", lambda " + e2 + ": {'value': " + e2 + ".v, 'count': " + e2 + ".n})::" +
		element + "[] END"
}

// approxTopSum adds exactly: a native function adds the weights by the texts of the values, and tells where the values are.
func approxTopSum(c *call) string {
	x, weight := c.args[0], c.args[1]
	kind := map[googlesql.Kind]string{googlesql.Float64: "double", googlesql.Numeric: "numeric",
		googlesql.BigNumeric: "bignumeric"}[c.types[1].Kind]
	if kind == "" {
		kind = "int64"
	}
	list := func(x string) string { return c.fold(fold{name: "list", args: x}) }
	args := list("("+x+")::VARCHAR") + ", " + list(weight) + ", " + c.number(2)
	places, sums := c.w.native("top_places_"+kind)+"("+args+")", c.w.native("top_sums_"+kind)+"("+args+")"
	l, i := c.w.bind(), c.w.bind()
	return "list_transform([{'x': " + list(x) + ", 'p': " + places + ", 's': " + sums + "}], lambda " + l + ": CASE WHEN " + l +
		".x IS NOT NULL THEN list_transform(range(1, len(" +
		l + ".p) + 1), lambda " + i + ": {'value': (" + l + ".x)[(" + l + ".p)[" + i + "]], 'sum': (" + l + ".s)[" + i + "]}) END)[1]::" +
		duckType(c.at, c.result)
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
