package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
)

// numbers are the functions and operators of numbers and bits.
var numbers map[string]entry

func numberFunctions() map[string]entry {
	numbers = map[string]entry{
		"$add": byNumber(numberForms{integer: operator("+"), float: goFunction("double_add"), numeric: operator("+"),
			big: goFunction("bignumeric_add")}),
		"$subtract": byNumber(numberForms{integer: operator("-"), float: goFunction("double_subtract"), numeric: operator("-"),
			big: goFunction("bignumeric_subtract")}),
		"$multiply": byNumber(numberForms{integer: operator("*"), float: goFunction("double_multiply"),
			numeric: goFunction("numeric_multiply"), big: goFunction("bignumeric_multiply")}),
		"$divide": byNumber(numberForms{float: goFunction("double_divide"), numeric: goFunction("numeric_divide"),
			big: goFunction("bignumeric_divide")}),
		"$unary_minus":  template("(- $1)"),
		"safe_add":      safeOf("$add"),
		"safe_subtract": safeOf("$subtract"),
		"safe_multiply": safeOf("$multiply"),
		"safe_divide":   safeOf("$divide"),
		"safe_negate":   safeOf("$unary_minus"),
		"ieee_divide":   template("@ieee_divide($1::DOUBLE, $2::DOUBLE)"),
		"div":           byNumber(numberForms{integer: divide, numeric: goFunction("numeric_div"), big: goFunction("bignumeric_div")}),
		"mod": byNumber(numberForms{integer: goFunction("int64_mod"), numeric: goFunction("numeric_mod"),
			big: goFunction("bignumeric_mod")}),
		"abs":   native("abs"),
		"sign":  sign,
		"round": round("round"),
		"trunc": round("trunc"),
		"ceil": byNumber(numberForms{float: native("ceil"), numeric: goFunction("numeric_ceil"),
			big: goFunction("bignumeric_ceil")}),
		"floor": byNumber(numberForms{float: native("floor"), numeric: goFunction("numeric_floor"),
			big: goFunction("bignumeric_floor")}),
		"is_inf":               native("isinf"),
		"is_nan":               native("isnan"),
		"rand":                 template("random()"),
		"log":                  logarithm,
		"$bitwise_and":         byBytes(operator("&"), goFunction("bytes_and")),
		"$bitwise_or":          byBytes(operator("|"), goFunction("bytes_or")),
		"$bitwise_xor":         byBytes(native("xor"), goFunction("bytes_xor")),
		"$bitwise_not":         byBytes(template("(~ $1)"), goFunction("bytes_not")),
		"$bitwise_left_shift":  byBytes(goFunction("shift_left"), goFunction("bytes_shift_left")),
		"$bitwise_right_shift": byBytes(goFunction("shift_right"), goFunction("bytes_shift_right")),
		"bit_count":            byBytes(goFunction("bit_count"), goFunction("bit_count_bytes")),
		"range_bucket":         rangeBucket,
		"parse_numeric":        goFunction("parse_numeric"),
		"parse_bignumeric":     goFunction("parse_bignumeric"),
	}
	for _, name := range []string{"sqrt", "cbrt", "exp", "ln", "log10", "pow"} {
		numbers[name] = byNumber(numberForms{float: goFunction(name), numeric: goFunction("numeric_" + name),
			big: goFunction("bignumeric_" + name)})
	}
	for _, name := range strings.Fields("sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh cot csc sec coth csch sech") {
		numbers[name] = goFunction(name)
	}
	for kinds, form := range map[[2]googlesql.Kind]string{
		{googlesql.Float64, googlesql.Int64}:      "@double_to_int64($1)",
		{googlesql.Numeric, googlesql.Int64}:      "@numeric_to_int64($1)",
		{googlesql.BigNumeric, googlesql.Int64}:   "@bignumeric_to_int64($1)",
		{googlesql.Float64, googlesql.Numeric}:    "@double_to_numeric($1)",
		{googlesql.Float64, googlesql.BigNumeric}: "@double_to_bignumeric($1)",
		{googlesql.BigNumeric, googlesql.Numeric}: "@bignumeric_to_numeric($1)",
	} {
		casts[kinds] = template(form)
	}
	return numbers
}

// numberForms are the forms of a function for the types of its first argument. INT64 has that of FLOAT64 where it has none.
type numberForms struct{ integer, float, numeric, big entry }

func byNumber(f numberForms) entry {
	return func(c *call) string {
		if len(c.types) == 2 && (c.types[1].Kind == googlesql.Date || c.types[1].Kind == googlesql.Interval ||
			c.types[0].Kind == googlesql.Interval) && temporal[c.name] != nil {
			return temporal[c.name](c)
		}
		form := f.float
		switch c.types[0].Kind {
		case googlesql.Int64:
			form = f.integer
		case googlesql.Numeric:
			form = f.numeric
		case googlesql.BigNumeric:
			form = f.big
		case googlesql.Float64:
		default:
			form = temporal[c.name]
		}
		if form == nil {
			c.refuse("the function %s of %s", strings.ToUpper(strings.TrimPrefix(c.name, "$")), c.types[0])
		}
		return form(c)
	}
}

func byBytes(integer, bytes entry) entry {
	return func(c *call) string {
		if c.types[0].Kind == googlesql.Bytes {
			return bytes(c)
		}
		return integer(c)
	}
}

// safeOf is an operator that is NULL where it would be an error.
func safeOf(name string) entry {
	return func(c *call) string {
		c.name = name
		if c.types[0].Kind == googlesql.Float64 && name != "$unary_minus" {
			return c.w.native("safe_double"+strings.Replace(name, "$", "_", 1)) + "(" + c.args[0] + ", " + c.args[1] + ")"
		}
		return c.safely(numbers[name])
	}
}

// divide divides whole numbers, towards zero.
func divide(c *call) string { return c.w.native("int64_div") + "(" + strings.Join(c.args, ", ") + ")" }

func sign(c *call) string {
	switch c.types[0].Kind {
	case googlesql.Float64:
		return c.let(func(a []string) string {
			return "CASE WHEN isnan(" + a[0] + ") THEN " + a[0] + " ELSE sign(" + a[0] + ")::DOUBLE END"
		})
	}
	return "CAST(sign(" + c.args[0] + ") AS " + duckType(c.at, c.result) + ")"
}

// round makes an entry of ROUND or TRUNC.
func round(name string) entry {
	return func(c *call) string {
		switch c.types[0].Kind {
		case googlesql.Numeric, googlesql.BigNumeric:
			prefix := strings.ToLower(c.types[0].Kind.String()) + "_"
			switch len(c.args) {
			case 1:
				return c.w.native(prefix+name+"0") + "(" + c.args[0] + ")"
			case 2:
				return c.w.native(prefix+name) + "(" + c.args[0] + ", " + c.args[1] + ")"
			}
			mode, ok := enum(c.exprs[2])
			if isNull(c.exprs[2]) {
				return "NULL::" + duckType(c.at, c.result)
			}
			if !ok {
				c.refuse("ROUND with a mode that is no constant")
			}
			even := ""
			if mode == 2 { // ROUND_HALF_EVEN
				even = "_even"
			}
			return c.w.native(prefix+name+even) + "(" + c.args[0] + ", " + c.args[1] + ")"
		}
		if len(c.args) == 1 {
			return name + "(" + c.args[0] + ")" // DuckDB's rounds halves away from zero
		}
		return c.w.native(name+"_float") + "(" + c.args[0] + ", " + c.args[1] + ")"
	}
}

func logarithm(c *call) string {
	kind := map[googlesql.Kind]string{googlesql.Numeric: "numeric_", googlesql.BigNumeric: "bignumeric_"}[c.types[0].Kind]
	if len(c.args) == 1 {
		return c.w.native(kind+"ln") + "(" + c.args[0] + ")"
	}
	return c.w.native(kind+"log") + "(" + c.args[0] + ", " + c.args[1] + ")"
}

// rangeBucket counts the borders that are not greater than a value. Borders that do not ascend are an error.
func rangeBucket(c *call) string {
	text := c.let(func(a []string) string {
		x, list, i, e := a[0], a[1], c.w.bind(), c.w.bind()
		of, element := c.types[0], *c.types[1].Elem
		at := func(i string) operand { return operand{c.w, "(" + list + ")[" + i + "]", element, nil} }
		ascends := "coalesce(" + less("<=")([]operand{at(i), at(i + " + 1")}) + ", false)"
		wrong := "list_filter(range(1, len(" + list + ")), lambda " + i + ": NOT " + ascends + ")"
		first := "CASE WHEN len(" + list + ") = 0 THEN '' WHEN (" + list + ")[1] IS NULL THEN 'null' "
		if element.Kind == googlesql.Float64 {
			first += "WHEN isnan((" + list + ")[1]) THEN 'NaN' "
		}
		first += "ELSE '' END"
		checked := c.w.native("ascending") + "(" + wrong + "[1], " + first + ")"
		nan := ""
		if of.Kind == googlesql.Float64 {
			nan = " OR isnan(" + x + ")"
		}
		return "CASE WHEN " + x + " IS NULL" + nan + " OR " + list + " IS NULL THEN NULL WHEN " + checked + " THEN len(list_filter(" + list +
			", lambda " + e + ": " +
			less("<=")([]operand{{c.w, e, element, nil}, {c.w, x, of, nil}}) + ")) END"
	})
	return text
}
