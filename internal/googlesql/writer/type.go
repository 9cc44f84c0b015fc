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
