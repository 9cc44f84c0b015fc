package writer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// textCasts are the conversions between STRING and other types
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions).
var textCasts = map[[2]googlesql.Kind]string{
	{googlesql.Float64, googlesql.String}:    "@float64_to_string($1)",
	{googlesql.Numeric, googlesql.String}:    "@numeric_to_string($1)",
	{googlesql.BigNumeric, googlesql.String}: "@bignumeric_to_string($1)",
	{googlesql.Bytes, googlesql.String}:      "@bytes_to_string($1)",
	{googlesql.DateTime, googlesql.String}:   "@datetime_to_string($1)",
	{googlesql.Time, googlesql.String}:       "@time_to_string($1)",
	{googlesql.Timestamp, googlesql.String}:  "@timestamp_to_string($1, 'UTC')",
	{googlesql.String, googlesql.Bool}:       "@string_to_bool($1)",
	{googlesql.String, googlesql.Int64}:      "@string_to_int64($1)",
	{googlesql.String, googlesql.Float64}:    "@string_to_float64($1)",
	{googlesql.String, googlesql.Numeric}:    "@string_to_numeric($1)",
	{googlesql.String, googlesql.BigNumeric}: "@string_to_bignumeric($1)",
	{googlesql.String, googlesql.Bytes}:      "encode($1)",
	{googlesql.String, googlesql.Date}:       "@string_to_date($1)",
	{googlesql.String, googlesql.DateTime}:   "@string_to_datetime($1)",
	{googlesql.String, googlesql.Time}:       "@string_to_time($1)",
	{googlesql.String, googlesql.Timestamp}:  "@string_to_timestamp($1, 'UTC')",
}

func init() {
	for kinds, form := range textCasts {
		casts[kinds] = template(form)
	}
}

// stringIn is STRING(value [, zone]).
func stringIn(c *call) string {
	switch {
	case c.types[0].Kind == googlesql.JSON:
		return c.w.native("json_string") + "(" + c.args[0] + ")"
	case len(c.args) == 2:
		return c.w.native("timestamp_to_string") + "(" + c.args[0] + ", " + c.args[1] + ")"
	}
	return c.w.cast(c.at, c.args[0], c.types[0], c.result)
}

func (w *writer) castExpr(c *resolved.ResolvedCastProto, at *resolved.ParseLocationRangeProto) string {
	if c.GetExtendedCast() != nil {
		refuse(at, "CAST between these types")
	}
	from, to := typeOf(c.GetExpr()), analyzer.TypeOf(c.GetParent().GetType())
	x := w.expr(c.GetExpr())
	if isNull(c.GetExpr()) {
		return "NULL::" + duckType(at, to)
	}
	write := func(x string) string {
		if c.GetFormat() != nil {
			x = w.castFormat(c, at, x, from, to)
		} else {
			x = w.cast(at, x, from, to)
		}
		return w.withParameters(at, x, to, c.GetTypeModifiers().GetTypeParameters())
	}
	switch {
	case !c.GetReturnNullOnError():
		return write(x)
	case !mayFail(c.GetExpr(), nil) && !strings.Contains(x, "SELECT"):
		return "TRY(" + write(x) + ")"
	}
	f := &call{w: w, at: at, args: []string{x}, exprs: []*resolved.AnyResolvedExprProto{c.GetExpr()}}
	return f.safely(func(c *call) string { return write(c.args[0]) })
}

// withParameters checks a value by the parameters of its type, such as those of STRING(10).
func (w *writer) withParameters(at *resolved.ParseLocationRangeProto, x string, t googlesql.Type, p *resolved.TypeParametersProto) string {
	switch {
	case !parameterised(p):
		return x
	case t.Kind == googlesql.Array:
		e := w.bind()
		return "list_transform(" + x + ", lambda " + e + ": " + w.withParameters(at, e, *t.Elem, p.GetChildList()[0]) + ")"
	case t.Kind == googlesql.Struct:
		return w.fieldwise(at, x, t, t, func(i int, field string) string {
			return w.withParameters(at, field, t.Fields[i].Type, p.GetChildList()[i])
		})
	}
	if n := p.GetStringTypeParameters().GetMaxLength(); n > 0 {
		name := "string_length"
		if t.Kind == googlesql.Bytes {
			name = "bytes_length"
		}
		return w.native(name) + "(" + x + ", " + strconv.FormatInt(n, 10) + ")"
	}
	if n := p.GetNumericTypeParameters(); n != nil {
		name := "numeric_parameters"
		if t.Kind == googlesql.BigNumeric {
			name = "bignumeric_parameters"
		}
		return fmt.Sprintf("%s(%s, %d, %d)", w.native(name), x, n.GetPrecision(), n.GetScale())
	}
	refuse(at, "a CAST to a type with such parameters")
	return ""
}

// parameterised reports whether a type has parameters, itself or within.
func parameterised(p *resolved.TypeParametersProto) bool {
	return p.GetTypeParameters() != nil || slices.ContainsFunc(p.GetChildList(), parameterised)
}

// cast writes the conversion of a value between two types.
func (w *writer) cast(at *resolved.ParseLocationRangeProto, x string, from, to googlesql.Type) string {
	if from.Equal(to) {
		if from.Kind != googlesql.Struct || duckType(at, from) == duckType(at, to) {
			return x
		}
	}
	switch {
	case from.Kind == googlesql.Array && to.Kind == googlesql.Array:
		e := w.bind()
		return "list_transform(" + x + ", lambda " + e + ": " + w.cast(at, e, *from.Elem, *to.Elem) + ")"
	case from.Kind == googlesql.Struct && to.Kind == googlesql.Struct && len(from.Fields) == len(to.Fields):
		return w.castStruct(at, x, from, to)
	}
	if f, ok := casts[[2]googlesql.Kind{from.Kind, to.Kind}]; ok {
		name := "CAST(" + from.String() + " AS " + to.String() + ")"
		return f(&call{w: w, at: at, name: name, args: []string{x}, types: []googlesql.Type{from}, result: to})
	}
	return "CAST(" + x + " AS " + duckType(at, to) + ")"
}

// castStruct converts a STRUCT by the places of its fields, which DuckDB would match by their names.
func (w *writer) castStruct(at *resolved.ParseLocationRangeProto, x string, from, to googlesql.Type) string {
	return w.fieldwise(at, x, from, to, func(i int, field string) string {
		return w.cast(at, field, from.Fields[i].Type, to.Fields[i].Type)
	})
}

// fieldwise writes a STRUCT whose fields are made of those of another.
func (w *writer) fieldwise(
	at *resolved.ParseLocationRangeProto, x string, from, to googlesql.Type, write func(i int, field string) string,
) string {
	c := &call{w: w, at: at, args: []string{x}}
	return c.let(func(args []string) string {
		before, after := fieldNames(from), fieldNames(to)
		parts := make([]string, len(after))
		for i := range after {
			parts[i] = quote.Name(after[i]) + " := " + write(i, "struct_extract("+args[0]+", "+quote.Text(before[i])+")")
		}
		return "CASE WHEN " + args[0] + " IS NOT NULL THEN struct_pack(" + strings.Join(parts, ", ") + ") END"
	})
}

// formatCasts are the native functions of CAST … FORMAT; those of TIMESTAMP take a zone.
var formatCasts = map[[2]googlesql.Kind]string{
	{googlesql.Bytes, googlesql.String}:      "bytes_to_string_format",
	{googlesql.String, googlesql.Bytes}:      "string_to_bytes_format",
	{googlesql.Date, googlesql.String}:       "date_to_string_format",
	{googlesql.DateTime, googlesql.String}:   "datetime_to_string_format",
	{googlesql.Time, googlesql.String}:       "time_to_string_format",
	{googlesql.Timestamp, googlesql.String}:  "timestamp_to_string_format",
	{googlesql.Int64, googlesql.String}:      "int64_to_string_format",
	{googlesql.Float64, googlesql.String}:    "float64_to_string_format",
	{googlesql.Numeric, googlesql.String}:    "numeric_to_string_format",
	{googlesql.BigNumeric, googlesql.String}: "bignumeric_to_string_format",
	{googlesql.String, googlesql.Date}:       "string_to_date_format",
	{googlesql.String, googlesql.DateTime}:   "string_to_datetime_format",
	{googlesql.String, googlesql.Time}:       "string_to_time_format",
	{googlesql.String, googlesql.Timestamp}:  "string_to_timestamp_format",
}

// castFormat writes CAST(x AS type FORMAT format [AT TIME ZONE zone]).
func (w *writer) castFormat(c *resolved.ResolvedCastProto, at *resolved.ParseLocationRangeProto, x string, from, to googlesql.Type) string {
	name := formatCasts[[2]googlesql.Kind{from.Kind, to.Kind}]
	if name == "" {
		refuse(at, "CAST of %s to %s with FORMAT", from, to)
	}
	args := x + ", " + w.expr(c.GetFormat())
	if from.Kind == googlesql.Timestamp || to.Kind == googlesql.Timestamp {
		zone := "'UTC'"
		if c.GetTimeZone() != nil {
			zone = w.expr(c.GetTimeZone())
		}
		args += ", " + zone
	}
	return w.native(name) + "(" + args + ")"
}
