package writer

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// aggregateScan writes GROUP BY. Keys are computed in a SELECT of their own, so that grouping sets can name them.
func (w *writer) aggregateScan(s *resolved.ResolvedAggregateScanBaseProto) string {
	input := w.from(s.GetInputScan())
	var keys, names []string
	for _, g := range s.GetGroupByList() {
		keys = append(keys, w.item(g.GetExpr(), g.GetColumn()))
		names = append(names, column(g.GetColumn()))
	}
	rows := &aggregated{w: w, keys: names, sets: len(s.GetGroupingSetList()) > 0, input: scanColumns(s.GetInputScan())}
	computed := map[int64]string{}
	for _, a := range s.GetAggregateList() {
		if d := a.GetResolvedComputedColumnImplNode().GetResolvedDeferredComputedColumnNode(); d != nil {
			computed[d.GetSideEffectColumn().GetColumnId()] = rows.aggregate(d.GetExpr(), nil, d)
			computed[d.GetColumn().GetColumnId()] = "NULL"
			continue
		}
		c := a.GetResolvedComputedColumnImplNode().GetResolvedComputedColumnNode()
		computed[c.GetColumn().GetColumnId()] = rows.aggregate(c.GetExpr(), c.GetColumn(), nil)
	}
	for _, g := range s.GetGroupingCallList() {
		computed[g.GetOutputColumn().GetColumnId()] = "GROUPING(" + column(g.GetGroupByColumn().GetColumn()) + ")"
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
	from := input
	if len(keys) > 0 {
		from = "(SELECT *, " + strings.Join(keys, ", ") + " FROM " + from + ")"
	}
	if rows.having && rows.sets {
		refuse(location(s.GetParent().GetParent()), "HAVING in an aggregate function beside grouping sets")
	}
	if len(rows.marks) > 0 {
		from = "(SELECT *, " + strings.Join(rows.marks, ", ") + " FROM " + from + ")"
	}
	for _, t := range rows.tried {
		from = "(SELECT *, " + t.text + " AS " + t.name + " FROM " + from + ")"
	}
	text := "SELECT " + strings.Join(items, ", ") + " FROM " + from
	switch {
	case len(s.GetGroupingSetList()) > 0:
		if countSets(s.GetGroupingSetList()) > maxGroupingSets {
			refuse(location(s.GetParent().GetParent()), "GROUP BY with more than %d grouping sets, each of which takes DuckDB memory of its own,",
				maxGroupingSets)
		}
		text += " GROUP BY GROUPING SETS (" + groupingSets(s.GetGroupingSetList()) + ")"
	case len(names) > 0:
		text += " GROUP BY " + strings.Join(names, ", ")
	case len(s.GetAggregateList()) == 0:
		text += " GROUP BY ()"
	}
	return text
}

// maxGroupingSets is how many grouping sets a query may have: a table of groups is made for each, on each thread.
const maxGroupingSets = 1024

// countSets is how many grouping sets there are, with those that ROLLUP and CUBE stand for.
func countSets(list []*resolved.AnyResolvedGroupingSetBaseProto) (n int) {
	for _, g := range list {
		n++
		n += len(g.GetResolvedRollupNode().GetRollupColumnList())
		if cube := g.GetResolvedCubeNode().GetCubeColumnList(); cube != nil {
			n += 1<<min(len(cube), 30) - 1
		}
	}
	return n
}

// groupingSets writes the elements of GROUPING SETS.
func groupingSets(list []*resolved.AnyResolvedGroupingSetBaseProto) string {
	var sets []string
	for _, g := range list {
		switch n := g.GetNode().(type) {
		case *resolved.AnyResolvedGroupingSetBaseProto_ResolvedGroupingSetNode:
			sets = append(sets, "("+references(n.ResolvedGroupingSetNode.GetGroupByColumnList())+")")
		case *resolved.AnyResolvedGroupingSetBaseProto_ResolvedRollupNode:
			sets = append(sets, "ROLLUP ("+multiColumns(n.ResolvedRollupNode.GetRollupColumnList())+")")
		case *resolved.AnyResolvedGroupingSetBaseProto_ResolvedCubeNode:
			sets = append(sets, "CUBE ("+multiColumns(n.ResolvedCubeNode.GetCubeColumnList())+")")
		default:
			refuse(nil, "the grouping set %s", nodeName(g))
		}
	}
	return strings.Join(sets, ", ")
}

func multiColumns(list []*resolved.ResolvedGroupingSetMultiColumnProto) string {
	var all []string
	for _, m := range list {
		all = append(all, "("+references(m.GetColumnList())+")")
	}
	return strings.Join(all, ", ")
}

func references(list []*resolved.ResolvedColumnRefProto) string {
	var names []string
	for _, r := range list {
		names = append(names, column(r.GetColumn()))
	}
	return strings.Join(names, ", ")
}

// aggregated are the rows that the aggregate functions of one scan read.
type aggregated struct {
	w     *writer
	keys  []string // of the groups
	sets  bool     // the groups are those of grouping sets
	marks []string // columns beside those of the input: what a function reads, and which rows for HAVING MAX and HAVING MIN

	tried []tried // further columns

	having bool // one of these is of HAVING MAX or HAVING MIN
	input  []*resolved.ResolvedColumnProto
}

// aggregate writes a call of an aggregate function, which gives a column, or the parts of one that is deferred.
func (r *aggregated) aggregate(
	e *resolved.AnyResolvedExprProto, as *resolved.ResolvedColumnProto, d *resolved.ResolvedDeferredComputedColumnProto,
) string {
	n := e.GetResolvedFunctionCallBaseNode().GetResolvedNonScalarFunctionCallBaseNode().GetResolvedAggregateFunctionCallNode()
	if n == nil {
		refuse(place(e), "the aggregate %s", nodeName(e))
	}
	if len(n.GetGroupByList()) > 0 || len(n.GetGroupByAggregateList()) > 0 || n.GetHavingExpr() != nil {
		refuse(place(e), "GROUP BY in an aggregate function")
	}
	c := r.w.call(n.GetParent().GetParent())
	for i, e := range c.exprs {
		c.args[i] = r.w.typed(e, c.args[i])
	}
	local := r.local(c)
	c.aggregate = n
	c.nonScalar(n.GetParent())
	c.order = strings.TrimPrefix(r.w.orderBy(n.GetOrderByItemList()), " ")
	if h := n.GetHavingModifier(); h != nil && r.sets && c.name == "any_value" && !isFloat(h.GetHavingExpr()) {
		c.name = map[bool]string{true: "min_by", false: "max_by"}[h.GetKind() == resolved.ResolvedAggregateHavingModifierEnums_MIN]
		c.args = append(c.args, r.w.expr(h.GetHavingExpr()))
	} else if h != nil {
		if c.filter != "" {
			c.refuse("WHERE beside HAVING in an aggregate function")
		}
		c.filter = r.mark(h)
	}
	if d != nil {
		failure := c.defers(d, r.input)
		return c.later(c.write(aggregates), failure)
	}
	if !local {
		return c.write(aggregates)
	}
	return c.folded(as, r.try, aggregates)
}

// local makes columns of the arguments that refer to a query around this one: to DuckDB an aggregate function over nothing
// else is one of that query. It reports whether there was none.
func (r *aggregated) local(c *call) bool {
	outside, local := r.w.correlated, true
	for i, e := range c.exprs {
		r.w.correlated = false
		if text := r.w.expr(e); r.w.correlated {
			c.args[i] = r.add(text)
			outside, local = true, false
		}
	}
	r.w.correlated = outside
	return local
}

// add gives the name of a further column.
func (r *aggregated) add(text string) string {
	name := fmt.Sprintf("%s%d", localName, len(r.marks)+1)
	r.marks = append(r.marks, text+" AS "+name)
	return name
}

// mark names a column that is true for the rows in which the expression of a HAVING MAX or MIN is the group's extreme. NULLs
// do not count; a NaN is the extreme of its group and equals nothing.
func (r *aggregated) mark(h *resolved.ResolvedAggregateHavingModifierProto) string {
	x, f := r.w.expr(h.GetHavingExpr()), "max"
	if h.GetKind() == resolved.ResolvedAggregateHavingModifierEnums_MIN {
		f = "min"
	}
	over := " OVER ()"
	if len(r.keys) > 0 {
		over = " OVER (PARTITION BY " + strings.Join(r.keys, ", ") + ")"
	}
	text := x + " = " + f + "(" + x + ")" + over
	if isFloat(h.GetHavingExpr()) {
		text += " AND NOT bool_or(isnan(" + x + "))" + over
	}
	r.having = true
	return r.add("(" + text + ")")
}

func isFloat(e *resolved.AnyResolvedExprProto) bool {
	return exprType(e).GetTypeKind() == resolved.TypeKind_TYPE_DOUBLE
}

// nonScalar reads what an aggregate or window function says of its rows.
func (c *call) nonScalar(n *resolved.ResolvedNonScalarFunctionCallBaseProto) {
	c.distinct = n.GetDistinct()
	c.ignoreNulls = n.GetNullHandlingModifier() == resolved.ResolvedNonScalarFunctionCallBaseEnums_IGNORE_NULLS
	if n.GetWhereExpr() != nil {
		c.filter = c.w.expr(n.GetWhereExpr())
	}
}
