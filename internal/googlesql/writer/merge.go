package writer

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// merge writes MERGE over one query with the rows to be changed, each with the clause that holds for it, and the values that
// the clause gives. The query has a part for each kind of match that the clauses name.
func (w *writer) merge(s *resolved.ResolvedMergeStmtProto) string {
	w.written(s.GetTableScan())
	m := &merging{w: w, stmt: s, names: w.targetNames(s.GetTableScan())}
	source := "SELECT " + columns(scanColumns(s.GetFromScan())) + " FROM source"
	target := "SELECT * FROM target"
	on := w.expr(s.GetMergeExpr())
	m.part(resolved.ResolvedMergeWhenEnums_MATCHED, "("+target+") JOIN ("+source+") ON "+on)
	m.part(resolved.ResolvedMergeWhenEnums_NOT_MATCHED_BY_TARGET, "("+source+") WHERE NOT EXISTS (SELECT 1 FROM ("+target+") WHERE "+on+")")
	m.part(resolved.ResolvedMergeWhenEnums_NOT_MATCHED_BY_SOURCE, "("+target+") WHERE NOT EXISTS (SELECT 1 FROM ("+source+") WHERE "+on+")")
	rows := "WITH source AS MATERIALIZED (" + w.scan(s.GetFromScan()) + "), target AS MATERIALIZED (" + w.target(s.GetTableScan()) +
		") SELECT * FROM (" +
		once("SELECT * FROM ("+strings.Join(m.parts, " UNION ALL BY NAME ")+") WHERE action IS NOT NULL") + ")"
	return "MERGE INTO " + w.tableOf(s.GetTableScan()).From + " AS t USING (" + rows + ") AS s ON t.rowid = s.r" + strings.Join(m.actions, "")
}

type merging struct {
	w       *writer
	stmt    *resolved.ResolvedMergeStmtProto
	names   map[int64]string // of the target's columns
	parts   []string
	actions []string
}

// part adds the rows of one kind of match, and the actions of its clauses.
func (m *merging) part(kind resolved.ResolvedMergeWhenEnums_MatchType, from string) {
	holds, values := "", ""
	for i, c := range m.stmt.GetWhenClauseList() {
		if c.GetMatchType() != kind {
			continue
		}
		condition := "TRUE"
		if c.GetMatchExpr() != nil {
			condition = m.w.expr(c.GetMatchExpr())
		}
		holds += fmt.Sprintf(" WHEN %s THEN %d", condition, i)
		when := fmt.Sprintf(" WHEN MATCHED AND s.action = %d THEN ", i)
		prefix := fmt.Sprintf("v%d_", i)
		switch c.GetActionType() {
		case resolved.ResolvedMergeWhenEnums_DELETE:
			m.actions = append(m.actions, when+"DELETE")
		case resolved.ResolvedMergeWhenEnums_UPDATE:
			set := m.w.changes(location(m.stmt.GetParent().GetParent()), m.stmt.GetTableScan(), c.GetUpdateItemList(), prefix)
			for _, v := range set.values {
				values += fmt.Sprintf(", CASE WHEN action = %d THEN %s END AS %s", i, v.expr, v.name)
			}
			m.actions = append(m.actions, when+"UPDATE SET "+set.assignments)
		default:
			var names, inserted []string
			for k, v := range c.GetInsertRow().GetValueList() {
				names = append(names, m.names[c.GetInsertColumnList()[k].GetColumnId()])
				if isDefault(v) {
					inserted = append(inserted, "DEFAULT")
					continue
				}
				value := fmt.Sprintf("%s%d", prefix, k)
				values += fmt.Sprintf(", CASE WHEN action = %d THEN %s END AS %s", i, m.w.expr(v.GetValue()), value)
				inserted = append(inserted, "s."+value)
			}
			m.actions = append(m.actions, fmt.Sprintf(" WHEN NOT MATCHED AND s.action = %d THEN INSERT (%s) VALUES (%s)", i,
				strings.Join(names, ", "), strings.Join(inserted, ", ")))
		}
	}
	if holds == "" {
		return
	}
	r := "r"
	if kind == resolved.ResolvedMergeWhenEnums_NOT_MATCHED_BY_TARGET {
		r = "NULL::BIGINT AS r"
	}
	// The action stands in a query of its own: DuckDB takes no alias of an expression with a subquery beside it.
	m.parts = append(m.parts, "SELECT "+r+", action"+values+" FROM (SELECT *, CASE"+holds+" END AS action FROM "+from+")")
}
