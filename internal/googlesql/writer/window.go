package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// analyticScan writes functions over windows beside the columns of the input.
func (w *writer) analyticScan(s *resolved.ResolvedAnalyticScanProto) string {
	computed := map[int64]string{}
	for _, g := range s.GetFunctionGroupList() {
		partition := ""
		if p := g.GetPartitionBy().GetPartitionByList(); len(p) > 0 {
			partition = "PARTITION BY " + references(p)
		}
		for _, a := range g.GetAnalyticFunctionList() {
			c := a.GetResolvedComputedColumnImplNode().GetResolvedComputedColumnNode()
			if c == nil {
				refuse(nil, "a window function that is computed on demand")
			}
			computed[c.GetColumn().GetColumnId()] = w.analytic(c.GetExpr(), partition, g.GetOrderBy().GetOrderByItemList())
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
	if len(items) == 0 {
		items = []string{"1"}
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM (" + w.scan(s.GetInputScan()) + ")"
}

// analytic writes a call over a window.
func (w *writer) analytic(e *resolved.AnyResolvedExprProto, partition string, order []*resolved.ResolvedOrderByItemProto) string {
	n := e.GetResolvedFunctionCallBaseNode().GetResolvedNonScalarFunctionCallBaseNode().GetResolvedAnalyticFunctionCallNode()
	if n == nil {
		refuse(place(e), "the window function %s", nodeName(e))
	}
	c := w.call(n.GetParent().GetParent())
	c.analytic = n
	c.nonScalar(n.GetParent())
	by, frame := w.orderBy(order), ""
	if f := n.GetWindowFrame(); f != nil {
		start, end := f.GetStartExpr(), f.GetEndExpr()
		var key *resolved.ResolvedOrderByItemProto // to which offsets are added
		if f.GetFrameUnit() == resolved.ResolvedWindowFrameEnums_RANGE && (start.GetExpression() != nil || end.GetExpression() != nil) {
			key = order[0]
			by = w.rangeOrder(key)
		}
		frame = " " + f.GetFrameUnit().String() + " BETWEEN " + w.frameEnd(start, key) + " AND " + w.frameEnd(end, key)
	}
	c.over = strings.TrimSpace(partition + by + frame)
	return c.write(analytics)
}

// rangeOrder writes the one key of a window whose frame has offsets: a key to which they can be added. An INT64 is widened,
// so that no end of a frame overflows.
func (w *writer) rangeOrder(it *resolved.ResolvedOrderByItemProto) string {
	c := it.GetColumnRef().GetColumn()
	if c.GetType().GetTypeKind() == resolved.TypeKind_TYPE_INT64 {
		return " ORDER BY " + column(c) + "::HUGEINT" + direction(it, it.GetIsDescending())
	}
	return " ORDER BY " + orderKey(it)
}

// frameEnd writes an end of a window's frame. key is that of a frame whose offsets are added to it.
func (w *writer) frameEnd(f *resolved.ResolvedWindowFrameExprProto, key *resolved.ResolvedOrderByItemProto) string {
	kind := strings.ReplaceAll(f.GetBoundaryType().String(), "_", " ")
	e := f.GetExpression()
	if e == nil {
		return kind
	}
	text := w.expr(e)
	if e.GetResolvedLiteralNode() == nil {
		text = "CASE WHEN " + text + " IS NULL OR " + text + " < 0 THEN error('Window frame offset for PRECEDING or FOLLOWING must be non-negative, but was ' || coalesce(" +
			text + "::VARCHAR, 'NULL')) ELSE " + text + " END"
	}
	if key != nil {
		following := f.GetBoundaryType() == resolved.ResolvedWindowFrameExprEnums_OFFSET_FOLLOWING
		switch t := analyzer.TypeOf(exprType(e)); t.Kind {
		case googlesql.Int64:
			text = "(" + text + ")::HUGEINT"
		case googlesql.Numeric, googlesql.BigNumeric:
			text = within(text, column(key.GetColumnRef().GetColumn()), duckType(nil, t), following != key.GetIsDescending())
		}
	}
	return text + strings.TrimPrefix(kind, "OFFSET")
}

// within shortens an offset of a decimal key where their sum, or difference, would be beyond the type.
func within(offset, key, decimal string, up bool) string {
	most := "'99999999999999999999999999999.999999999'::" + decimal
	if strings.HasSuffix(decimal, ",18)") {
		most = "'99999999999999999999.999999999999999999'::" + decimal
	}
	if up {
		return "CASE WHEN " + key + " > " + most + " - " + offset + " THEN " + most + " - " + key + " ELSE " + offset + " END"
	}
	return "CASE WHEN " + key + " < " + offset + " - " + most + " THEN " + key + " + " + most + " ELSE " + offset + " END"
}
