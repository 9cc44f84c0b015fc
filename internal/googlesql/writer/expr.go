package writer

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// expr writes an expression, which needs no brackets around it where it becomes an argument or an operand.
func (w *writer) expr(e *resolved.AnyResolvedExprProto) string {
	if text, ok := w.numeric(e); ok {
		return text
	}
	switch n := e.GetNode().(type) {
	case *resolved.AnyResolvedExprProto_ResolvedLiteralNode:
		v := n.ResolvedLiteralNode.GetValue()
		w.misfolded(place(e), v.GetValue())
		return literal(place(e), v.GetValue(), analyzer.TypeOf(v.GetType()))
	case *resolved.AnyResolvedExprProto_ResolvedColumnRefNode:
		w.correlated = w.correlated || n.ResolvedColumnRefNode.GetIsCorrelated()
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
	case *resolved.AnyResolvedExprProto_ResolvedConstantNode:
		return w.variable(place(e), n.ResolvedConstantNode.GetConstant().GetName(), false)
	case *resolved.AnyResolvedExprProto_ResolvedSystemVariableNode:
		return w.variable(place(e), strings.Join(n.ResolvedSystemVariableNode.GetNamePath(), "."), true)
	case *resolved.AnyResolvedExprProto_ResolvedGetJsonFieldNode:
		f := n.ResolvedGetJsonFieldNode
		return w.native("json_field") + "(" + w.expr(f.GetExpr()) + ", " + text(f.GetFieldName()) + ")"
	case *resolved.AnyResolvedExprProto_ResolvedSubqueryExprNode:
		return w.subquery(n.ResolvedSubqueryExprNode, place(e))
	case *resolved.AnyResolvedExprProto_ResolvedParameterNode:
		return w.parameter(n.ResolvedParameterNode, place(e))
	case *resolved.AnyResolvedExprProto_ResolvedWithExprNode:
		return w.withExpr(n.ResolvedWithExprNode)
	}
	refuse(place(e), "the expression %s", nodeName(e))
	return ""
}

// maxFields is how many fields a STRUCT may have, as many as a table of BigQuery's has columns
// (https://docs.cloud.google.com/bigquery/quotas#all_tables).
const maxFields = 10_000

func (w *writer) makeStruct(s *resolved.ResolvedMakeStructProto) string {
	t := analyzer.TypeOf(s.GetParent().GetType())
	if len(t.Fields) == 0 {
		refuse(location(s.GetParent().GetParent()), "a STRUCT without fields")
	}
	if len(t.Fields) > maxFields {
		refuse(location(s.GetParent().GetParent()), "a STRUCT of more than %d fields, for which DuckDB takes time by the square,", maxFields)
	}
	parts := make([]string, len(t.Fields))
	for i, name := range fieldNames(t) {
		parts[i] = quote.Name(name) + " := " + w.typed(s.GetFieldList()[i], w.expr(s.GetFieldList()[i]))
	}
	return "struct_pack(" + strings.Join(parts, ", ") + ")"
}

// parameter writes a query parameter. Those by position are numbered, so that they may stand twice and in any order. A
// parameter whose type nothing tells has that of its value.
func (w *writer) parameter(p *resolved.ResolvedParameterProto, at *resolved.ParseLocationRangeProto) string {
	name := p.GetName()
	if p.GetPosition() > 0 {
		name = strconv.FormatInt(p.GetPosition(), 10)
	}
	for _, n := range w.names.Parameters { // in the case that the statement has, as the values come
		if strings.EqualFold(n, name) {
			name = n
			break
		}
	}
	// What is more than letters, digits and _ can stand behind no $ of DuckDB's.
	if i := strings.IndexFunc(name, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }); i >= 0 {
		refuse(at, "a parameter whose name has more than letters, digits and _ (%q)", name)
	}
	w.parameters[name] = true
	if p.GetIsUntyped() {
		return "$" + name
	}
	return "CAST($" + name + " AS " + duckType(at, analyzer.TypeOf(p.GetParent().GetType())) + ")"
}

// unusedParameters writes a query in front of a statement with the parameters that stand nowhere in what was written, since
// the analyzer found that nothing depends on them: their values come nevertheless.
func (w *writer) unusedParameters() string {
	var unused []string
	for _, n := range w.names.Parameters {
		if !w.parameters[n] {
			w.parameters[n] = true
			unused = append(unused, "$"+n+"::VARCHAR")
		}
	}
	if len(unused) == 0 {
		return ""
	}
	return "WITH unused AS (SELECT " + strings.Join(unused, ", ") + ") "
}

// withExpr writes WITH(a AS …, …, result): each name is the parameter of a lambda or, since no subquery may stand in one, a
// column of a subquery.
func (w *writer) withExpr(e *resolved.ResolvedWithExprProto) string {
	body := w.expr(e.GetExpr())
	var values []string
	for _, a := range e.GetAssignmentList() {
		values = append(values, w.expr(a.GetExpr()))
	}
	nested := strings.Contains(body, "SELECT")
	for _, v := range values[min(1, len(values)):] {
		nested = nested || strings.Contains(v, "SELECT")
	}
	for i := len(values) - 1; i >= 0; i-- {
		name := column(e.GetAssignmentList()[i].GetColumn())
		if nested {
			body = "(SELECT " + body + " FROM (SELECT " + values[i] + " AS " + name + "))"
		} else {
			body = "list_transform([" + values[i] + "], lambda " + name + ": " + body + ")[1]"
		}
	}
	return body
}
