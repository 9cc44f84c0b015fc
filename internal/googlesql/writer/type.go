package writer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// fieldNames gives the names of a STRUCT's fields in DuckDB, which tells no case apart.
func fieldNames(t googlesql.Type) []string {
	seen := map[string]bool{}
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		if strings.Contains(f.Name, "\x00") {
			refuse(nil, "a field whose name has a NUL")
		}
		names[i] = f.Name
		if f.Name == "" || seen[strings.ToLower(f.Name)] || strings.Contains(f.Name, "\x00") {
			names[i] = fmt.Sprintf("_field_%d", i+1)
		}
		seen[strings.ToLower(names[i])] = true
	}
	return names
}

// duckType is the DuckDB type of a value; it refuses types that have none.
func duckType(at *resolved.ParseLocationRangeProto, t googlesql.Type) string {
	switch t.Kind {
	case googlesql.Array:
		return duckType(at, *t.Elem) + "[]"
	case googlesql.Struct:
		if len(t.Fields) == 0 {
			refuse(at, "a STRUCT without fields")
		}
		parts := make([]string, len(t.Fields))
		for i, name := range fieldNames(t) {
			parts[i] = quote.Name(name) + " " + duckType(at, t.Fields[i].Type)
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	}
	s := t.DuckDB()
	if s == "" {
		refuse(at, "the type %s", t)
	}
	return s
}

func typeOf(e *resolved.AnyResolvedExprProto) googlesql.Type { return analyzer.TypeOf(exprType(e)) }

// typed gives an expression its type where a call of DuckDB's may have lost it: one with an argument that is a constant NULL.
func (w *writer) typed(e *resolved.AnyResolvedExprProto, text string) string {
	if e.GetResolvedFunctionCallBaseNode() == nil || !losesType(e) {
		return text
	}
	return text + "::" + duckType(place(e), typeOf(e))
}

// losesType reports whether an argument of a call within an expression is a constant that may be NULL.
func losesType(e *resolved.AnyResolvedExprProto) bool {
	for _, a := range inner[*resolved.ResolvedFunctionCallBaseProto](e).GetArgumentList() {
		if closed(a) && (a.GetResolvedLiteralNode() == nil || isNull(a) || typeOf(a).Kind == googlesql.Array) || losesType(a) {
			return true
		}
	}
	return false
}

// whole writes a call so that all its operands are computed: DuckDB leaves out the others where one is a constant NULL, and they
// may be errors.
func (c *call) whole(text string) string {
	if !strict[c.name] || !slices.ContainsFunc(c.exprs, func(e *resolved.AnyResolvedExprProto) bool {
		return closed(e) && (e.GetResolvedLiteralNode() == nil || isNull(e))
	}) {
		return text
	}
	for i, e := range c.exprs {
		if e.GetResolvedFunctionCallBaseNode() == nil || len(c.args[i]) > maxTwice || !mayFail(e, nil) {
			continue
		}
		null := c.args[i] // no constant, or the two branches would be the same to DuckDB
		if !c.types[i].Equal(c.result) {
			null = "(" + c.args[i] + " = " + c.args[i] + ")"
			if c.result.Kind != googlesql.Bool {
				continue
			}
		}
		text = "CASE WHEN " + c.args[i] + " IS NULL THEN " + null + " ELSE " + text + " END"
	}
	return text
}

// maxTwice bounds what whole writes twice.
const maxTwice = 2000

// strict are the operators that are NULL where an operand is.
var strict = map[string]bool{
	"$add": true, "$subtract": true, "$multiply": true, "$divide": true, "div": true, "mod": true, "$unary_minus": true, "$concat_op": true,
	"concat": true,
	"$equal": true, "$not_equal": true, "$less": true, "$less_or_equal": true, "$greater": true, "$greater_or_equal": true,
	"$bitwise_and": true, "$bitwise_or": true, "$bitwise_xor": true, "$bitwise_left_shift": true, "$bitwise_right_shift": true,
}

// closed reports whether an expression is made of constants.
func closed(e *resolved.AnyResolvedExprProto) bool {
	switch {
	case e.GetResolvedLiteralNode() != nil:
		return true
	case e.GetResolvedCastNode() != nil:
		return closed(e.GetResolvedCastNode().GetExpr())
	case e.GetResolvedMakeStructNode() != nil:
		return !slices.ContainsFunc(e.GetResolvedMakeStructNode().GetFieldList(), func(f *resolved.AnyResolvedExprProto) bool {
			return !closed(f)
		})
	case e.GetResolvedFunctionCallBaseNode().GetResolvedFunctionCallNode() != nil:
		return !slices.ContainsFunc(inner[*resolved.ResolvedFunctionCallBaseProto](e).GetArgumentList(),
			func(f *resolved.AnyResolvedExprProto) bool {
				return !closed(f)
			})
	}
	return false
}
