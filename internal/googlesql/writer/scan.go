package writer

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// scan writes a scan as a SELECT that gives at least the columns of its list.
func (w *writer) scan(s *resolved.AnyResolvedScanProto) string {
	switch n := s.GetNode().(type) {
	case *resolved.AnyResolvedScanProto_ResolvedSingleRowScanNode:
		return w.leaf("SELECT 1")
	case *resolved.AnyResolvedScanProto_ResolvedTableScanNode:
		return w.tableScan(n.ResolvedTableScanNode)
	case *resolved.AnyResolvedScanProto_ResolvedProjectScanNode:
		return w.projectScan(n.ResolvedProjectScanNode)
	case *resolved.AnyResolvedScanProto_ResolvedFilterScanNode:
		f := n.ResolvedFilterScanNode
		from := w.from(f.GetInputScan()) // first, as everywhere: it tells how deferred values are made
		return "SELECT " + columns(f.GetParent().GetColumnList()) + " FROM " + from + " WHERE " + w.expr(f.GetFilterExpr())
	case *resolved.AnyResolvedScanProto_ResolvedJoinScanNode:
		return "SELECT " + columns(scanColumns(s)) + " FROM " + w.join(n.ResolvedJoinScanNode)
	case *resolved.AnyResolvedScanProto_ResolvedArrayScanNode:
		return w.arrayScan(n.ResolvedArrayScanNode)
	case *resolved.AnyResolvedScanProto_ResolvedSetOperationScanNode:
		return w.setOperationScan(n.ResolvedSetOperationScanNode)
	case *resolved.AnyResolvedScanProto_ResolvedOrderByScanNode:
		o := n.ResolvedOrderByScanNode
		return "SELECT " + columns(o.GetParent().GetColumnList()) + " FROM " + w.from(o.GetInputScan()) + w.orderBy(o.GetOrderByItemList())
	case *resolved.AnyResolvedScanProto_ResolvedLimitOffsetScanNode:
		return w.limitScan(n.ResolvedLimitOffsetScanNode)
	case *resolved.AnyResolvedScanProto_ResolvedWithScanNode:
		return w.withScan(n.ResolvedWithScanNode)
	case *resolved.AnyResolvedScanProto_ResolvedWithRefScanNode:
		r := n.ResolvedWithRefScanNode
		q := w.with[r.GetWithQueryName()]
		for i, c := range r.GetParent().GetColumnList() {
			if f, ok := w.decimals[q.columns[i].GetColumnId()]; ok {
				w.keep(c, f)
			}
		}
		return w.leaf(renamed(q.columns, r.GetParent().GetColumnList(), column) + " FROM " + q.name)
	case *resolved.AnyResolvedScanProto_ResolvedAggregateScanBaseNode:
		if a := n.ResolvedAggregateScanBaseNode.GetResolvedAggregateScanNode(); a != nil {
			return w.aggregateScan(a.GetParent())
		}
	case *resolved.AnyResolvedScanProto_ResolvedTvfscanNode:
		return w.tvfScan(n.ResolvedTvfscanNode)
	case *resolved.AnyResolvedScanProto_ResolvedAnalyticScanNode:
		return w.analyticScan(n.ResolvedAnalyticScanNode)
	case *resolved.AnyResolvedScanProto_ResolvedRecursiveScanNode:
		return w.recursiveScan(n.ResolvedRecursiveScanNode)
	case *resolved.AnyResolvedScanProto_ResolvedRecursiveRefScanNode:
		q := w.recursion[len(w.recursion)-1]
		return renamed(q.columns, n.ResolvedRecursiveRefScanNode.GetParent().GetColumnList(), column) + " FROM " + q.name
	case *resolved.AnyResolvedScanProto_ResolvedSampleScanNode:
		return w.sampleScan(n.ResolvedSampleScanNode)
	case *resolved.AnyResolvedScanProto_ResolvedAssertScanNode:
		return w.assertScan(n.ResolvedAssertScanNode)
	case *resolved.AnyResolvedScanProto_ResolvedStaticDescribeScanNode:
		return w.scan(n.ResolvedStaticDescribeScanNode.GetInputScan())
	}
	if strings.Contains(strings.ToUpper(w.names.Text), "MATCH_RECOGNIZE") {
		refuse(nil, "MATCH_RECOGNIZE")
	}
	refuse(nil, "the scan %s", nodeName(s))
	return ""
}

// renamed writes SELECT with the columns of one list under the names of another.
func renamed(from, to []*resolved.ResolvedColumnProto, write func(*resolved.ResolvedColumnProto) string) string {
	if len(to) == 0 {
		return "SELECT 1"
	}
	items := make([]string, len(to))
	for i, c := range to {
		items[i] = write(from[i]) + " AS " + column(c)
	}
	return "SELECT " + strings.Join(items, ", ")
}

func (w *writer) tableScan(s *resolved.ResolvedTableScanProto) string { return w.tableScanOf(s, "") }

// tableScanOf writes a scan of a table, with another of its columns.
func (w *writer) tableScanOf(s *resolved.ResolvedTableScanProto, other string) string {
	w.asOf(s)
	table := w.tableOf(s)
	list := s.GetParent().GetColumnList()
	items := make([]string, len(list))
	for k, c := range list {
		items[k] = w.tableColumn(table, int(s.GetColumnIndexList()[k]), c) + " AS " + column(c)
	}
	if other != "" {
		items = append(items, other)
	}
	if len(items) == 0 {
		items = []string{"1"}
	}
	return w.leaf("SELECT " + strings.Join(items, ", ") + " FROM " + table.From)
}

// asOf notes that a table is read as of a time. The table is read as it is: whoever runs the statement makes sure that it was so.
func (w *writer) asOf(s *resolved.ResolvedTableScanProto) {
	if e := s.GetForSystemTimeExpr(); e != nil {
		at := place(e)
		w.reads = append(w.reads, AsOf{Path: w.tableOf(s).Path, SQL: w.expr(e), Pos: int(at.GetStart()), End: int(at.GetEnd())})
	}
}

// projectScan writes the computed columns beside those that pass.
func (w *writer) projectScan(s *resolved.ResolvedProjectScanProto) string {
	from := w.from(s.GetInputScan())
	computed := map[int64]string{}
	for _, c := range s.GetExprList() {
		computed[c.GetColumn().GetColumnId()] = w.item(c.GetExpr(), c.GetColumn())
	}
	items := []string{}
	for _, c := range s.GetParent().GetColumnList() {
		if x, ok := computed[c.GetColumnId()]; ok {
			items = append(items, x)
			delete(computed, c.GetColumnId())
			continue
		}
		items = append(items, column(c))
	}
	if len(items) == 0 {
		items = append(items, "1")
	}
	text := "SELECT " + strings.Join(items, ", ")
	if _, ok := s.GetInputScan().GetNode().(*resolved.AnyResolvedScanProto_ResolvedSingleRowScanNode); ok {
		return w.leaf(text)
	}
	return text + " FROM " + from
}

// from writes a scan as the rows of a FROM clause. A join of joins is one there: DuckDB orders joins anew only where no SELECT
// stands between them.
func (w *writer) from(s *resolved.AnyResolvedScanProto) string {
	if j := s.GetResolvedJoinScanNode(); j != nil {
		return "(" + w.join(j) + ")"
	}
	return "(" + w.scan(s) + ")"
}

// join writes a join without a SELECT.
func (w *writer) join(s *resolved.ResolvedJoinScanProto) string {
	kind := map[resolved.ResolvedJoinScanEnums_JoinType]string{
		resolved.ResolvedJoinScanEnums_INNER: "JOIN", resolved.ResolvedJoinScanEnums_LEFT: "LEFT JOIN",
		resolved.ResolvedJoinScanEnums_RIGHT: "RIGHT JOIN", resolved.ResolvedJoinScanEnums_FULL: "FULL JOIN",
	}[s.GetJoinType()]
	left, right := w.from(s.GetLeftScan()), ""
	if s.GetIsLateral() {
		right = "LATERAL (" + w.scan(s.GetRightScan()) + ")"
	} else {
		right = w.from(s.GetRightScan())
	}
	on := " ON TRUE"
	if s.GetJoinExpr() != nil {
		on = " ON " + w.expr(s.GetJoinExpr())
	} else if kind == "JOIN" {
		kind, on = "CROSS JOIN", ""
	}
	if s.GetJoinType() != resolved.ResolvedJoinScanEnums_INNER && strings.Contains(on, "SELECT") {
		if s.GetIsLateral() {
			refuse(location(s.GetParent().GetParent()), "a subquery in the condition of this join")
		}
		return "(" + w.subqueryJoin(s, strings.TrimPrefix(on, " ON ")) + ")"
	}
	return left + " " + kind + " " + right + on
}

// subqueryJoin writes an outer join with a subquery in its condition, which DuckDB has only in WHERE: the other side is a
// query for each row. A FULL JOIN adds the rows of the right side that no row of the left has.
func (w *writer) subqueryJoin(s *resolved.ResolvedJoinScanProto, condition string) string {
	kept, other := s.GetLeftScan(), s.GetRightScan()
	if s.GetJoinType() == resolved.ResolvedJoinScanEnums_RIGHT {
		kept, other = other, kept
	}
	list := columns(s.GetParent().GetColumnList())
	text := "SELECT " + list + " FROM (" + w.scan(kept) + ") LEFT JOIN LATERAL (SELECT * FROM (" + w.scan(other) + ") WHERE " + condition +
		") ON TRUE"
	if s.GetJoinType() != resolved.ResolvedJoinScanEnums_FULL {
		return text
	}
	rest := "SELECT " + columns(scanColumns(other)) + " FROM (" + w.scan(other) + ") WHERE NOT EXISTS (SELECT 1 FROM (" + w.scan(kept) +
		") WHERE " + condition + ")"
	return "SELECT " + list + " FROM (" + text + " UNION ALL BY NAME " + rest + ")"
}

func (w *writer) setOperationScan(s *resolved.ResolvedSetOperationScanProto) string {
	op := strings.ReplaceAll(strings.ReplaceAll(s.GetOpType().String(), "_DISTINCT", ""), "_", " ")
	list := s.GetParent().GetColumnList()
	parts := make([]string, len(s.GetInputItemList()))
	if w.inputs += len(parts); w.inputs > maxInputs {
		refuse(location(s.GetParent().GetParent()), "%s of more than %d queries in all, for which DuckDB takes time by the square,", op,
			maxInputs)
	}
	for i, item := range s.GetInputItemList() {
		from := w.scan(item.GetScan())
		parts[i] = "(" + renamed(item.GetOutputColumnList(), list, w.leaving) + " FROM (" + from + "))"
	}
	return strings.Join(parts, " "+op+" ") // EXCEPT binds from the left, as it was written
}

// maxInputs is how many queries the set operations of a statement may join.
const maxInputs = 1000

func (w *writer) orderBy(items []*resolved.ResolvedOrderByItemProto) string {
	if len(items) == 0 {
		return ""
	}
	var keys []string
	for _, it := range items {
		if collated(it) {
			refuse(location(it.GetParent().GetParent()), "COLLATE")
		}
		keys = append(keys, orderKey(it))
	}
	return " ORDER BY " + strings.Join(keys, ", ")
}

// collated reports whether a key has COLLATE, whose field package resolved leaves out.
func collated(it *resolved.ResolvedOrderByItemProto) bool {
	const collationName = 3
	for b := it.ProtoReflect().GetUnknown(); len(b) > 0; {
		number, _, n := protowire.ConsumeField(b)
		if n < 0 || number == collationName {
			return true
		}
		b = b[n:]
	}
	return false
}

// orderKey writes a key of ORDER BY. NaN is the least number, and DuckDB's greatest. One key, as RANGE needs: the negated
// number the other way round.
func orderKey(it *resolved.ResolvedOrderByItemProto) string {
	c := it.GetColumnRef().GetColumn()
	if c.GetType().GetTypeKind() == resolved.TypeKind_TYPE_DOUBLE {
		return "(-" + column(c) + ")" + direction(it, !it.GetIsDescending())
	}
	return column(c) + direction(it, it.GetIsDescending())
}

// direction writes what stands behind a key of ORDER BY.
func direction(it *resolved.ResolvedOrderByItemProto, descending bool) string {
	if descending {
		return " DESC" + nulls(it)
	}
	return " ASC" + nulls(it)
}

func nulls(it *resolved.ResolvedOrderByItemProto) string {
	switch order := it.GetNullOrder(); {
	case order == resolved.ResolvedOrderByItemEnums_NULLS_FIRST, order == resolved.ResolvedOrderByItemEnums_ORDER_UNSPECIFIED &&
		!it.GetIsDescending():
		return " NULLS FIRST"
	}
	return " NULLS LAST"
}

func (w *writer) limitScan(s *resolved.ResolvedLimitOffsetScanProto) string {
	text := ""
	if o := s.GetInputScan().GetResolvedOrderByScanNode(); o != nil {
		text = w.scan(s.GetInputScan()) // ORDER BY and LIMIT side by side are DuckDB's top-N
	} else {
		text = "SELECT " + columns(s.GetParent().GetColumnList()) + " FROM " + w.from(s.GetInputScan())
	}
	if s.GetLimit() != nil {
		text += " LIMIT " + w.count(s.GetLimit())
	}
	if s.GetOffset() != nil {
		text += " OFFSET " + w.count(s.GetOffset())
	}
	return text
}

// count writes the number of LIMIT or OFFSET, of which DuckDB takes at most 2^62.
func (w *writer) count(e *resolved.AnyResolvedExprProto) string {
	const most = 1 << 62
	if n, ok := integer(e); ok {
		return strconv.FormatInt(min(n, most), 10)
	}
	x := w.expr(e)
	return fmt.Sprintf("CASE WHEN %[1]s IS NULL THEN %[2]s WHEN %[1]s < 0 THEN %[3]s ELSE least(%[1]s, %[4]d) END", x,
		fail("Limit requires non-null count and offset", "BIGINT"), fail("Limit requires non-negative count and offset", "BIGINT"), int64(most))
}

// tvfScan writes a call of a table function.
func (w *writer) tvfScan(s *resolved.ResolvedTVFScanProto) string {
	f, mark := w.construct(location(s.GetParent().GetParent()), s.GetTvf().GetName())
	var relations, args []string
	for i, a := range s.GetArgumentList() {
		if a.GetScan() == nil {
			args = append(args, w.expr(a.GetExpr()))
			continue
		}
		var items []string
		from := w.scan(a.GetScan())
		for k, name := range outputNames(s.GetSignature().GetArgument()[i].GetRelationArgument().GetColumn()) {
			items = append(items, w.leaving(a.GetArgumentColumnList()[k])+" AS "+quote.Name(name))
		}
		relations = append(relations, "SELECT "+strings.Join(items, ", ")+" FROM ("+from+")")
	}
	result := outputNames(s.GetSignature().GetOutputSchema().GetColumn())
	var items []string
	for k, c := range s.GetParent().GetColumnList() {
		items = append(items, quote.Name(result[s.GetColumnIndexList()[k]])+" AS "+column(c))
	}
	if len(items) == 0 {
		items = []string{"1"}
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM " + mark + f.write(relations, args)
}
