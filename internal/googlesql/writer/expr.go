package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// expr writes an expression, which needs no brackets around it where it becomes an argument or an operand.
func (w *writer) expr(e *resolved.AnyResolvedExprProto) string {
	switch n := e.GetNode().(type) {
	case *resolved.AnyResolvedExprProto_ResolvedLiteralNode:
		v := n.ResolvedLiteralNode.GetValue()
		return literal(place(e), v.GetValue(), analyzer.TypeOf(v.GetType()))
	case *resolved.AnyResolvedExprProto_ResolvedColumnRefNode:
		return column(n.ResolvedColumnRefNode.GetColumn())
	case *resolved.AnyResolvedExprProto_ResolvedFunctionCallBaseNode:
		if f := n.ResolvedFunctionCallBaseNode.GetResolvedFunctionCallNode(); f != nil {
			return w.call(f.GetParent()).write(functions)
		}
	case *resolved.AnyResolvedExprProto_ResolvedCastNode:
		return w.castExpr(n.ResolvedCastNode, place(e))
	case *resolved.AnyResolvedExprProto_ResolvedMakeStructNode:
		return w.makeStruct(n.ResolvedMakeStructNode)
	case *resolved.AnyResolvedExprProto_ResolvedGetStructFieldNode:
		f := n.ResolvedGetStructFieldNode
		of := typeOf(f.GetExpr())
		return "struct_extract(" + w.expr(f.GetExpr()) + ", " + quote.Text(fieldNames(of)[f.GetFieldIdx()]) + ")"
	case *resolved.AnyResolvedExprProto_ResolvedSubqueryExprNode:
		return w.subquery(n.ResolvedSubqueryExprNode, place(e))
	}
	refuse(place(e), "the expression %s", nodeName(e))
	return ""
}

func (w *writer) makeStruct(s *resolved.ResolvedMakeStructProto) string {
	t := analyzer.TypeOf(s.GetParent().GetType())
	if len(t.Fields) == 0 {
		refuse(location(s.GetParent().GetParent()), "a STRUCT without fields")
	}
	parts := make([]string, len(t.Fields))
	for i, name := range fieldNames(t) {
		parts[i] = quote.Name(name) + " := " + w.expr(s.GetFieldList()[i])
	}
	return "struct_pack(" + strings.Join(parts, ", ") + ")"
}

func (w *writer) subquery(s *resolved.ResolvedSubqueryExprProto, at *resolved.ParseLocationRangeProto) string {
	text := w.scan(s.GetSubquery())
	switch s.GetSubqueryType() {
	case resolved.ResolvedSubqueryExprEnums_SCALAR:
		return "(" + w.only(s, text) + ")"
	case resolved.ResolvedSubqueryExprEnums_ARRAY:
		return "ARRAY(" + w.only(s, text) + ")"
	case resolved.ResolvedSubqueryExprEnums_EXISTS:
		return "EXISTS(" + text + ")"
	case resolved.ResolvedSubqueryExprEnums_IN:
		return "(" + w.expr(s.GetInExpr()) + " IN (" + w.only(s, text) + "))"
	}
	refuse(at, "a subquery of the kind %s", s.GetSubqueryType())
	return ""
}

// only gives a subquery its one column, and no others that its scan may have.
func (w *writer) only(s *resolved.ResolvedSubqueryExprProto, text string) string {
	return "SELECT " + columns(scanColumns(s.GetSubquery())) + " FROM (" + text + ")"
}

func (w *writer) castExpr(c *resolved.ResolvedCastProto, at *resolved.ParseLocationRangeProto) string {
	if c.GetFormat() != nil || c.GetExtendedCast() != nil {
		refuse(at, "CAST with FORMAT")
	}
	from, to := typeOf(c.GetExpr()), analyzer.TypeOf(c.GetParent().GetType())
	text := w.expr(c.GetExpr())
	if isNull(c.GetExpr()) {
		return "NULL::" + duckType(at, to)
	}
	text = w.cast(at, text, from, to)
	if c.GetReturnNullOnError() {
		return "TRY(" + text + ")"
	}
	return text
}

func isNull(e *resolved.AnyResolvedExprProto) bool {
	l := e.GetResolvedLiteralNode()
	return l != nil && l.GetValue().GetValue().GetValue() == nil
}

// cast writes the conversion of a value between two types.
func (w *writer) cast(at *resolved.ParseLocationRangeProto, x string, from, to googlesql.Type) string {
	if from.Equal(to) {
		return x
	}
	if f, ok := casts[[2]googlesql.Kind{from.Kind, to.Kind}]; ok {
		c := &call{w: w, at: at, name: "CAST(" + from.String() + " AS " + to.String() + ")", args: []string{x}, types: []googlesql.Type{from}, result: to}
		return f(c)
	}
	return "CAST(" + x + " AS " + duckType(at, to) + ")"
}
