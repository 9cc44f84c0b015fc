package writer

import (
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// aggregateScan writes GROUP BY. Keys are computed in a SELECT of their own, so that grouping sets can name them.
func (w *writer) aggregateScan(s *resolved.ResolvedAggregateScanBaseProto) string {
	if len(s.GetGroupingSetList()) > 0 || len(s.GetGroupingCallList()) > 0 {
		refuse(location(s.GetParent().GetParent()), "GROUPING SETS")
	}
	var keys, names []string
	for _, g := range s.GetGroupByList() {
		keys = append(keys, w.expr(g.GetExpr())+" AS "+column(g.GetColumn()))
		names = append(names, column(g.GetColumn()))
	}
	computed := map[int64]string{}
	for _, a := range s.GetAggregateList() {
		c := a.GetResolvedComputedColumnImplNode().GetResolvedComputedColumnNode()
		if c == nil {
			refuse(location(s.GetParent().GetParent()), "an aggregate that is computed on demand")
		}
		computed[c.GetColumn().GetColumnId()] = w.aggregate(c.GetExpr())
	}
	var items []string
	for _, c := range s.GetParent().GetColumnList() {
		if x, ok := computed[c.GetColumnId()]; ok {
			items = append(items, x+" AS "+column(c))
		} else {
			items = append(items, column(c))
		}
	}
	if len(items) == 0 {
		items = []string{"1"}
	}
	from := "(" + w.scan(s.GetInputScan()) + ")"
	if len(keys) > 0 {
		from = "(SELECT *, " + strings.Join(keys, ", ") + " FROM " + from + ")"
	}
	text := "SELECT " + strings.Join(items, ", ") + " FROM " + from
	switch {
	case len(names) > 0:
		text += " GROUP BY " + strings.Join(names, ", ")
	case len(s.GetAggregateList()) == 0:
		text += " GROUP BY ()"
	}
	return text
}

// aggregate writes a call of an aggregate function.
func (w *writer) aggregate(e *resolved.AnyResolvedExprProto) string {
	n := e.GetResolvedFunctionCallBaseNode().GetResolvedNonScalarFunctionCallBaseNode().GetResolvedAggregateFunctionCallNode()
	if n == nil {
		refuse(place(e), "the aggregate %s", nodeName(e))
	}
	if n.GetHavingModifier() != nil || len(n.GetGroupByList()) > 0 || n.GetHavingExpr() != nil {
		refuse(place(e), "HAVING in an aggregate function")
	}
	c := w.call(n.GetParent().GetParent())
	c.aggregate = n
	c.distinct = n.GetParent().GetDistinct()
	c.ignoreNulls = n.GetParent().GetNullHandlingModifier() == resolved.ResolvedNonScalarFunctionCallBaseEnums_IGNORE_NULLS
	c.order = strings.TrimPrefix(w.orderBy(n.GetOrderByItemList()), " ")
	return c.write(aggregates)
}

// analyticScan writes functions over windows beside the columns of the input.
func (w *writer) analyticScan(s *resolved.ResolvedAnalyticScanProto) string {
	computed := map[int64]string{}
	for _, g := range s.GetFunctionGroupList() {
		var partition []string
		for _, p := range g.GetPartitionBy().GetPartitionByList() {
			partition = append(partition, column(p.GetColumn()))
		}
		over := ""
		if len(partition) > 0 {
			over = "PARTITION BY " + strings.Join(partition, ", ")
		}
		over += w.orderBy(g.GetOrderBy().GetOrderByItemList())
		for _, a := range g.GetAnalyticFunctionList() {
			c := a.GetResolvedComputedColumnImplNode().GetResolvedComputedColumnNode()
			computed[c.GetColumn().GetColumnId()] = w.analytic(c.GetExpr(), over)
		}
	}
	var items []string
	for _, c := range s.GetParent().GetColumnList() {
		if x, ok := computed[c.GetColumnId()]; ok {
			items = append(items, x+" AS "+column(c))
		} else {
			items = append(items, column(c))
		}
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM (" + w.scan(s.GetInputScan()) + ")"
}

// analytic writes a call over a window, which over describes but for the frame.
func (w *writer) analytic(e *resolved.AnyResolvedExprProto, over string) string {
	n := e.GetResolvedFunctionCallBaseNode().GetResolvedNonScalarFunctionCallBaseNode().GetResolvedAnalyticFunctionCallNode()
	if n == nil {
		refuse(place(e), "the window function %s", nodeName(e))
	}
	c := w.call(n.GetParent().GetParent())
	c.distinct = n.GetParent().GetDistinct()
	c.ignoreNulls = n.GetParent().GetNullHandlingModifier() == resolved.ResolvedNonScalarFunctionCallBaseEnums_IGNORE_NULLS
	c.analytic = n
	frame := ""
	if f := n.GetWindowFrame(); f != nil {
		frame = " " + f.GetFrameUnit().String() + " BETWEEN " + w.frameEnd(f.GetStartExpr()) + " AND " + w.frameEnd(f.GetEndExpr())
	}
	c.over = strings.TrimSpace(over + frame)
	return c.write(analytics)
}

// frameEnd writes an end of a window's frame.
func (w *writer) frameEnd(f *resolved.ResolvedWindowFrameExprProto) string {
	kind := strings.ReplaceAll(f.GetBoundaryType().String(), "_", " ")
	if f.GetExpression() == nil {
		return kind
	}
	return w.expr(f.GetExpression()) + strings.TrimPrefix(kind, "OFFSET")
}
