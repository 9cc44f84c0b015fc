package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// analyticScan writes functions over windows beside the columns of the input.
func (w *writer) analyticScan(s *resolved.ResolvedAnalyticScanProto) string {
	input := w.from(s.GetInputScan())
	computed := map[int64]string{}
	for _, g := range s.GetFunctionGroupList() {
		partition := ""
		if p := g.GetPartitionBy().GetPartitionByList(); len(p) > 0 {
			partition = "PARTITION BY " + references(p)
		}
		for _, a := range g.GetAnalyticFunctionList() {
			if d := a.GetResolvedComputedColumnImplNode().GetResolvedDeferredComputedColumnNode(); d != nil {
				c := w.analytic(d.GetExpr(), partition, g.GetOrderBy().GetOrderByItemList())
				failure := c.defers(d, scanColumns(s.GetInputScan()))
				computed[d.GetSideEffectColumn().GetColumnId()] = c.later(c.write(analytics), failure)
				computed[d.GetColumn().GetColumnId()] = "NULL"
				continue
			}
			c := a.GetResolvedComputedColumnImplNode().GetResolvedComputedColumnNode()
			f := w.analytic(c.GetExpr(), partition, g.GetOrderBy().GetOrderByItemList())
			computed[c.GetColumn().GetColumnId()] = f.folded(c.GetColumn(), nil, analytics)
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
	return "SELECT " + strings.Join(items, ", ") + " FROM " + input
}

// analytic reads a call over a window.
func (w *writer) analytic(e *resolved.AnyResolvedExprProto, partition string, order []*resolved.ResolvedOrderByItemProto) *call {
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
	return c
}

// rangeOrder writes the one key of a window whose frame has offsets: a key to which they can be added. An INT64 is widened,
// and a decimal written as its digits, so that no end of a frame overflows.
func (w *writer) rangeOrder(it *resolved.ResolvedOrderByItemProto) string {
	c := it.GetColumnRef().GetColumn()
	switch c.GetType().GetTypeKind() {
	case resolved.TypeKind_TYPE_INT64:
		return " ORDER BY " + column(c) + "::HUGEINT" + direction(it, it.GetIsDescending())
	case resolved.TypeKind_TYPE_NUMERIC, resolved.TypeKind_TYPE_BIGNUMERIC:
		return " ORDER BY " + digits(w.leaving(c)) + direction(it, it.GetIsDescending())
	}
	return " ORDER BY " + orderKey(it)
}

// digits writes a decimal as the integer of its digits.
func digits(x string) string { return "replace((" + x + ")::VARCHAR, '.', '')::HUGEINT" }

// frameEnd writes an end of a window's frame. key is that of a frame whose offsets are added to it.
func (w *writer) frameEnd(f *resolved.ResolvedWindowFrameExprProto, key *resolved.ResolvedOrderByItemProto) string {
	kind := strings.ReplaceAll(f.GetBoundaryType().String(), "_", " ")
	e := f.GetExpression()
	if e == nil {
		return kind
	}
	text := w.expr(e)
	t := typeOf(e)
	if e.GetResolvedLiteralNode() == nil || t.Kind == googlesql.Float64 { // NaN may be a constant
		bad := text + " IS NULL OR " + text + " < 0"
		if t.Kind == googlesql.Float64 {
			bad += " OR isnan(" + text + ")"
		}
		text = "CASE WHEN " + bad + " THEN error('Window frame offset for PRECEDING or FOLLOWING must be non-negative, but was ' || coalesce(" +
			text + "::VARCHAR, 'NULL')) ELSE " + text + " END"
	}
	if key != nil && t.Kind == googlesql.Float64 && e.GetResolvedLiteralNode() == nil {
		text = infinite(text, kind, key)
	}
	if key != nil {
		following := f.GetBoundaryType() == resolved.ResolvedWindowFrameExprEnums_OFFSET_FOLLOWING
		switch t.Kind {
		case googlesql.Int64:
			text = "(" + text + ")::HUGEINT"
		case googlesql.Float64:
			text = finite(text, column(key.GetColumnRef().GetColumn()), following != key.GetIsDescending())
		case googlesql.Numeric, googlesql.BigNumeric:
			text = within(digits(text), digits(w.leaving(key.GetColumnRef().GetColumn())), following != key.GetIsDescending())
		}
	}
	return text + strings.TrimPrefix(kind, "OFFSET")
}

// within shortens an offset of a decimal's digits where it leads beyond all of them: to the next number.
func within(offset, key string, up bool) string {
	const beyond = "100000000000000000000000000000000000000::HUGEINT"
	if up {
		return "CASE WHEN " + key + " > " + beyond + " - " + offset + " THEN " + beyond + " - " + key + " ELSE " + offset + " END"
	}
	return "CASE WHEN " + key + " < " + offset + " - " + beyond + " THEN " + key + " + " + beyond + " ELSE " + offset + " END"
}

// infinite makes an error of an infinite offset from a key that is infinite in the direction against which it leads.
func infinite(offset, kind string, key *resolved.ResolvedOrderByItemProto) string {
	preceding := strings.HasSuffix(kind, "PRECEDING")
	order, sign, inf := "an ascending", "positive", "inf"
	if key.GetIsDescending() {
		order = "a descending"
	}
	if preceding == key.GetIsDescending() {
		sign, inf = "negative", "-inf"
	}
	message := "Offset value cannot be positive infinity when there exists a " + sign + " infinity order key for an " + kind + " on " + order +
		" partition"
	return "CASE WHEN isinf(" + offset + ") AND " + column(key.GetColumnRef().GetColumn()) + " = '" + inf + "'::DOUBLE THEN " +
		fail(strings.Replace(message, "OFFSET ", "offset ", 1), "DOUBLE") + " ELSE " + offset + " END"
}

// finite shortens an offset that would lead from a number to an infinite one.
func finite(offset, key string, up bool) string {
	sum := key + " - " + offset
	if up {
		sum = key + " + " + offset
	}
	return "CASE WHEN isinf(" + sum + ") AND isfinite(" + key + ") AND isfinite(" + offset + ") THEN '1.7976931348623157e308'::DOUBLE - abs(" +
		key + ") ELSE " + offset + " END"
}
