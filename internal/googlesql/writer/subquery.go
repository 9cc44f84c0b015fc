package writer

import (
	"fmt"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

func (w *writer) subquery(s *resolved.ResolvedSubqueryExprProto, at *resolved.ParseLocationRangeProto) string {
	return w.conditionally(s, func() string { return w.subqueryText(s, at) })
}

func (w *writer) subqueryText(s *resolved.ResolvedSubqueryExprProto, at *resolved.ParseLocationRangeProto) string {
	switch s.GetSubqueryType() {
	case resolved.ResolvedSubqueryExprEnums_SCALAR:
		return "(" + w.only(s) + ")"
	case resolved.ResolvedSubqueryExprEnums_ARRAY:
		return w.arraySubquery(s)
	case resolved.ResolvedSubqueryExprEnums_EXISTS:
		return "EXISTS(" + w.scan(s.GetSubquery()) + ")"
	case resolved.ResolvedSubqueryExprEnums_IN:
		return w.inSubquery(s, at)
	case resolved.ResolvedSubqueryExprEnums_LIKE_ANY:
		return w.quantified(s, at, "$like", true)
	case resolved.ResolvedSubqueryExprEnums_LIKE_ALL:
		return w.quantified(s, at, "$like", false)
	case resolved.ResolvedSubqueryExprEnums_NOT_LIKE_ANY:
		return "(NOT " + w.quantified(s, at, "$like", false) + ")"
	case resolved.ResolvedSubqueryExprEnums_NOT_LIKE_ALL:
		return "(NOT " + w.quantified(s, at, "$like", true) + ")"
	}
	refuse(at, "a subquery of the kind %s", s.GetSubqueryType())
	return ""
}

// only gives a subquery its one column, and no others that its scan may have.
func (w *writer) only(s *resolved.ResolvedSubqueryExprProto) string {
	return "SELECT " + columns(scanColumns(s.GetSubquery())) + " FROM (" + w.scan(s.GetSubquery()) + ")"
}

// arraySubquery writes ARRAY(SELECT …). The order of the subquery is that of the aggregate function, since a correlated
// subquery becomes a join, which keeps none.
func (w *writer) arraySubquery(s *resolved.ResolvedSubqueryExprProto) string {
	c := scanColumns(s.GetSubquery())[0]
	if o := s.GetSubquery().GetResolvedOrderByScanNode(); o != nil {
		from := w.scan(o.GetInputScan())
		return "(SELECT coalesce(list(" + w.leaving(c) + w.orderBy(o.GetOrderByItemList()) + "), []) FROM (" + from + "))"
	}
	from := w.scan(s.GetSubquery())
	return "ARRAY(SELECT " + w.leaving(c) + " FROM (" + from + "))"
}

// inSubquery writes IN over a subquery. DuckDB compares STRUCTs and NaN as if they were keys of groups: NaN equals itself
// there, and a NULL field another.
func (w *writer) inSubquery(s *resolved.ResolvedSubqueryExprProto, at *resolved.ParseLocationRangeProto) string {
	switch t := typeOf(s.GetInExpr()); t.Kind {
	case googlesql.Struct, googlesql.Array:
		return w.quantified(s, at, "$equal", true)
	case googlesql.Float64:
		c := column(scanColumns(s.GetSubquery())[0])
		return "(" + w.expr(s.GetInExpr()) + " IN (SELECT " + c + " FROM (" + w.scan(s.GetSubquery()) + ") WHERE " + c +
			" IS NULL OR NOT isnan(" + c + ")))"
	}
	return "(" + w.expr(s.GetInExpr()) + " IN (" + w.only(s) + "))"
}

// quantified writes whether an operator holds between a value and any, or all, of a subquery's.
func (w *writer) quantified(s *resolved.ResolvedSubqueryExprProto, at *resolved.ParseLocationRangeProto, operator string,
	anyOf bool) string {
	c := scanColumns(s.GetSubquery())[0]
	x := typeOf(s.GetInExpr())
	from := w.scan(s.GetSubquery())
	call := &call{w: w, at: at, name: operator, args: []string{w.expr(s.GetInExpr()), w.leaving(c)}, types: []googlesql.Type{x, x},
		result: googlesql.Type{Kind: googlesql.Bool}}
	call.exprs = []*resolved.AnyResolvedExprProto{s.GetInExpr(), columnRef(c)}
	decides := "q"
	if !anyOf {
		decides = "NOT q"
	}
	return fmt.Sprintf("(SELECT CASE WHEN bool_or(%s) THEN %t WHEN bool_or(q IS NULL) THEN NULL ELSE %t END FROM (SELECT %s AS q FROM (%s)))",
		decides, anyOf, !anyOf, call.write(functions), from)
}

// columnRef makes an expression of a column.
func columnRef(c *resolved.ResolvedColumnProto) *resolved.AnyResolvedExprProto {
	ref := &resolved.ResolvedColumnRefProto{Parent: &resolved.ResolvedExprProto{Type: c.GetType()}, Column: c}
	return &resolved.AnyResolvedExprProto{Node: &resolved.AnyResolvedExprProto_ResolvedColumnRefNode{ResolvedColumnRefNode: ref}}
}
