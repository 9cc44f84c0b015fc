package writer

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

func (w *writer) withScan(s *resolved.ResolvedWithScanProto) string {
	recursive := ""
	queries := w.withEntries(s, &recursive)
	return "WITH " + recursive + strings.Join(queries, ", ") + " SELECT " + columns(scanColumns(s.GetQuery())) + " FROM (" +
		w.scan(s.GetQuery()) + ")"
}

// withEntries writes the queries of a WITH clause. The WITH clause of one of them, whose names are others, comes before it:
// a recursive query stands at the top of its own.
func (w *writer) withEntries(s *resolved.ResolvedWithScanProto, recursive *string) []string {
	var queries []string
	for _, e := range s.GetWithEntryList() {
		query := e.GetWithSubquery()
		for query.GetResolvedWithScanNode() != nil {
			queries = append(queries, w.withEntries(query.GetResolvedWithScanNode(), recursive)...)
			query = query.GetResolvedWithScanNode().GetQuery()
		}
		w.queries++
		q := withQuery{name: fmt.Sprintf("w%d", w.queries), columns: scanColumns(query)}
		text, keys := "", ""
		if query.GetResolvedRecursiveScanNode() != nil {
			*recursive = "RECURSIVE "
			w.recursion = append(w.recursion, q)
			text = w.scan(query)
			if query.GetResolvedRecursiveScanNode().GetOpType() == resolved.ResolvedRecursiveScanEnums_UNION_DISTINCT {
				keys = "(" + columns(q.columns) + ", iteration) USING KEY (" + columns(q.columns) + ")"
			}
			w.recursion = w.recursion[:len(w.recursion)-1]
		} else {
			text = w.scan(query)
		}
		w.with[e.GetWithQueryName()] = q
		queries = append(queries, q.name+keys+" AS ("+text+")")
	}
	return queries
}

// maxIterations is BigQuery's limit of a recursive query
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#recursive_cte_rules).
const maxIterations = 500

// recursiveScan writes the two terms of a recursive query. Its rows count the iteration that made them, so that one without
// an end is an error. Those of UNION DISTINCT are the keys of the count, and a row that is there is not made again.
func (w *writer) recursiveScan(s *resolved.ResolvedRecursiveScanProto) string {
	if len(w.recursion) == 0 {
		refuse(nil, "a recursive query here")
	}
	list, name := s.GetParent().GetColumnList(), w.recursion[len(w.recursion)-1].name
	from := " FROM (" + w.scan(s.GetNonRecursiveTerm().GetScan()) + ")"
	next := " FROM (" + w.scan(s.GetRecursiveTerm().GetScan()) + ")"
	first := renamed(s.GetNonRecursiveTerm().GetOutputColumnList(), list, w.leaving) + ", 0 AS iteration" + from
	again := renamed(s.GetRecursiveTerm().GetOutputColumnList(), list, w.leaving)
	iteration := fmt.Sprintf("(SELECT CASE WHEN max(iteration) >= %d THEN error('A recursive CTE has reached the maximum number of "+
		"iterations: %[1]d.') ELSE max(iteration) + 1 END FROM %s)",
		maxIterations, name)
	if s.GetOpType() != resolved.ResolvedRecursiveScanEnums_UNION_DISTINCT {
		return first + " UNION ALL " + again + ", " + iteration + next
	}
	same := make([]string, len(list))
	for i, c := range list {
		same[i] = "old." + column(c) + " IS NOT DISTINCT FROM new." + column(c)
	}
	return first + " UNION SELECT " + columns(list) + ", " + iteration + " FROM (" + again + next +
		") AS new WHERE NOT EXISTS (SELECT 1 FROM recurring." + name +
		" AS old WHERE " + strings.Join(same, " AND ") + ")"
}

// sampleScan writes TABLESAMPLE SYSTEM.
func (w *writer) sampleScan(s *resolved.ResolvedSampleScanProto) string {
	at := location(s.GetParent().GetParent())
	size := s.GetSize().GetResolvedLiteralNode().GetValue().GetValue()
	if s.GetUnit() != resolved.ResolvedSampleScanEnums_PERCENT || s.GetWeightColumn() != nil || len(s.GetPartitionByList()) > 0 ||
		s.GetRepeatableArgument() != nil {
		refuse(at, "TABLESAMPLE other than SYSTEM (… PERCENT)")
	}
	percent := size.GetDoubleValue()
	if size == nil {
		refuse(at, "TABLESAMPLE with a size that is no constant")
	}
	if size.GetValue() != nil && percent == 0 {
		percent = float64(size.GetInt64Value())
	}
	return fmt.Sprintf("SELECT %s FROM (%s) TABLESAMPLE system(%v%%)", columns(s.GetParent().GetColumnList()), w.scan(s.GetInputScan()),
		percent)
}

// assertScan writes |> ASSERT: the rows, or an error at the first for which the condition is not true.
func (w *writer) assertScan(s *resolved.ResolvedAssertScanProto) string {
	from := w.scan(s.GetInputScan())
	return "SELECT " + columns(s.GetParent().GetColumnList()) + " FROM (" + from + ") WHERE CASE WHEN " + w.expr(s.GetCondition()) +
		" THEN TRUE ELSE error('Assert failed: ' || coalesce(" + w.expr(s.GetMessage()) + ", 'NULL')) END"
}
