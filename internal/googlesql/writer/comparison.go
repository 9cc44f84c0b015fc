package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// comparisons are the operators and functions that compare values. To DuckDB NaN equals itself and is the greatest number, and
// NULLs in a STRUCT are equal; to BigQuery neither is so.
var comparisons = map[string]entry{
	"$equal":            func(c *call) string { return c.compared(equal) },
	"$not_equal":        func(c *call) string { return c.compared(notEqual) },
	"$less":             func(c *call) string { return c.compared(less("<")) },
	"$less_or_equal":    func(c *call) string { return c.compared(less("<=")) },
	"$greater":          func(c *call) string { return c.compared(greater(">")) },
	"$greater_or_equal": func(c *call) string { return c.compared(greater(">=")) },
	"$between": func(c *call) string {
		if c.types[0].Kind != googlesql.Float64 || isNumber(c.exprs[2]) {
			return "(" + c.args[0] + " BETWEEN " + c.args[1] + " AND " + c.args[2] + ")"
		}
		return c.compared(func(o []operand) string {
			return "(" + greater(">=")(o[:2]) + " AND " + less("<=")([]operand{o[0], o[2]}) + ")"
		})
	},
	"$is_distinct_from":     operator("IS DISTINCT FROM"),
	"$is_not_distinct_from": operator("IS NOT DISTINCT FROM"),
	"$in":                   in,
	"$in_array":             inArray,
	"nullif": func(c *call) string {
		if !special(c.types[0]) {
			return "nullif(" + c.args[0] + ", " + c.args[1] + ")"
		}
		return c.compared(func(o []operand) string { return "CASE WHEN " + equal(o) + " THEN NULL ELSE " + o[0].text + " END" })
	},
	"$case_with_value": caseWithValue,
	"greatest":         extreme("greatest"),
	"least":            extreme("least"),
}

// operand is what is compared.
type operand struct {
	w    *writer
	text string
	of   googlesql.Type
	expr *resolved.AnyResolvedExprProto // nil for one that is bound to a name
}

// special reports whether values of a type are compared otherwise than in DuckDB.
func special(t googlesql.Type) bool {
	switch t.Kind {
	case googlesql.Float64, googlesql.Struct, googlesql.Array:
		return true
	}
	return false
}

// compared writes a comparison of the arguments. What it would write twice is bound to a name, but for the constructor of a
// STRUCT, whose fields are compared one by one.
func (c *call) compared(f func([]operand) string) string {
	operands := make([]operand, len(c.args))
	keep := map[int]string{}
	for i := range c.args {
		operands[i] = operand{c.w, c.args[i], c.types[i], c.exprs[i]}
		if !special(c.types[i]) || c.exprs[i].GetResolvedMakeStructNode() != nil {
			keep[i] = c.args[i]
		}
	}
	return c.letOthers(keep, func(args []string) string {
		for i, a := range args {
			if _, kept := keep[i]; !kept && a != c.args[i] {
				operands[i].text, operands[i].expr = a, nil
			}
		}
		return f(operands)
	})
}

// field is a field of a STRUCT.
func (o operand) field(i int) operand {
	of := o.of.Fields[i].Type
	if m := o.expr.GetResolvedMakeStructNode(); m != nil {
		e := m.GetFieldList()[i]
		return operand{o.w, o.w.expr(e), of, e}
	}
	return operand{o.w, "struct_extract(" + o.text + ", " + quote.Text(fieldNames(o.of)[i]) + ")", of, nil}
}

func equal(o []operand) string {
	a, b := o[0], o[1]
	switch a.of.Kind {
	case googlesql.Float64:
		if isNumber(a.expr) || isNumber(b.expr) {
			break
		}
		return "(" + a.text + " = " + b.text + " AND NOT (isnan(" + a.text + ") AND " + b.text + " IS NOT NULL))"
	case googlesql.Struct:
		var parts []string
		for i := range a.of.Fields {
			parts = append(parts, equal([]operand{a.field(i), b.field(i)}))
		}
		return "(" + strings.Join(parts, " AND ") + ")"
	case googlesql.Array:
		refuse(nil, "the comparison of ARRAYs")
	}
	return "(" + a.text + " = " + b.text + ")"
}

func notEqual(o []operand) string {
	if special(o[0].of) {
		return "(NOT " + equal(o) + ")"
	}
	return "(" + o[0].text + " <> " + o[1].text + ")"
}

// less makes < or <=, of which a NaN on the right is no part.
func less(op string) func([]operand) string {
	return func(o []operand) string {
		text := o[0].text + " " + op + " " + o[1].text
		switch {
		case o[0].of.Kind == googlesql.Array || o[0].of.Kind == googlesql.Struct:
			refuse(nil, "the order of %s", o[0].of)
		case o[0].of.Kind == googlesql.Float64 && !isNumber(o[1].expr):
			text += " AND NOT (isnan(" + o[1].text + ") AND " + o[0].text + " IS NOT NULL)"
		}
		return "(" + text + ")"
	}
}

func greater(op string) func([]operand) string {
	return func(o []operand) string {
		return less(strings.Replace(op, ">", "<", 1))([]operand{o[1], o[0]})
	}
}

// isNumber reports whether an expression is a constant that is neither NULL nor NaN.
func isNumber(e *resolved.AnyResolvedExprProto) bool {
	v, ok := e.GetResolvedLiteralNode().GetValue().GetValue().GetValue().(*resolved.ValueProto_DoubleValue)
	return ok && v.DoubleValue == v.DoubleValue
}

func in(c *call) string {
	if !special(c.types[0]) {
		return "(" + c.args[0] + " IN (" + strings.Join(bare(c.args[1:]), ", ") + "))"
	}
	return c.compared(func(o []operand) string {
		parts := make([]string, len(o)-1)
		for i := range parts {
			parts[i] = equal([]operand{o[0], o[i+1]})
		}
		return c.conditions(parts, " OR ")
	})
}

// inArray: no value is in an array without elements or a NULL one; whether one is in an array with NULLs may be unknown.
func inArray(c *call) string {
	return c.let(func(a []string) string {
		x, list := a[0], a[1]
		e := c.w.bind()
		element := operand{c.w, e, *c.types[1].Elem, nil}
		is := "coalesce(" + equal([]operand{element, {c.w, x, c.types[0], nil}}) + ", false)"
		found := "len(list_filter(" + list + ", lambda " + e + ": " + is + ")) > 0"
		if !special(c.types[0]) {
			found = "list_contains(" + list + ", " + x + ")"
		}
		unknown := x + " IS NULL"
		if c.types[0].Kind == googlesql.Struct {
			e2 := c.w.bind()
			maybe := equal([]operand{{c.w, e2, *c.types[1].Elem, nil}, {c.w, x, c.types[0], nil}})
			unknown = "len(list_filter(" + list + ", lambda " + e2 + ": " + maybe + " IS NULL)) > 0"
		}
		return "CASE WHEN coalesce(len(" + list + "), 0) = 0 THEN false WHEN " + found + " THEN true WHEN " + unknown +
			" OR list_count(" + list + ") < len(" + list + ") THEN NULL ELSE false END"
	})
}

func caseWithValue(c *call) string {
	branches := func(x operand, texts []string) string {
		var b strings.Builder
		b.WriteString("CASE")
		i := 1
		for ; i+1 < len(c.args); i += 2 {
			b.WriteString(" WHEN " + equal([]operand{x, {c.w, c.args[i], c.types[i], c.exprs[i]}}) + " THEN " + c.args[i+1])
		}
		if i < len(c.args) {
			b.WriteString(" ELSE " + c.args[i])
		}
		return b.String() + " END"
	}
	keep := map[int]string{}
	for i := 1; i < len(c.args); i++ {
		keep[i] = c.args[i]
	}
	return c.letOthers(keep, func(args []string) string {
		x := operand{c.w, args[0], c.types[0], c.exprs[0]}
		if args[0] != c.args[0] {
			x.expr = nil
		}
		return branches(x, args)
	})
}

// extreme makes an entry of GREATEST or LEAST: NULL if an argument is, else NaN if one is.
func extreme(name string) entry {
	return func(c *call) string {
		if len(c.args) == 1 {
			return c.args[0]
		}
		if c.types[0].Kind == googlesql.Array || c.types[0].Kind == googlesql.Struct {
			c.refuse("%s of %s", strings.ToUpper(name), c.types[0])
		}
		return c.let(func(args []string) string {
			null, nan := make([]string, len(args)), make([]string, len(args))
			for i, a := range args {
				null[i], nan[i] = a+" IS NULL", "isnan("+a+")"
			}
			text := "CASE WHEN " + c.conditions(null, " OR ") + " THEN NULL"
			if name == "least" && c.types[0].Kind == googlesql.Float64 {
				text += " WHEN " + c.conditions(nan, " OR ") + " THEN 'nan'::DOUBLE"
			}
			return text + " ELSE " + name + "(" + strings.Join(args, ", ") + ") END"
		})
	}
}

// enum is the number of a constant of an enumeration, such as the part of a date.
func enum(e *resolved.AnyResolvedExprProto) (int32, bool) {
	v, ok := e.GetResolvedLiteralNode().GetValue().GetValue().GetValue().(*resolved.ValueProto_EnumValue)
	if !ok {
		return 0, false
	}
	return v.EnumValue, true
}
