package writer

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// An UPDATE, DELETE or MERGE is computed by a query as any other, which gives the rows to be changed by DuckDB's rowid and
// what they become; the statement itself only joins that.

// severalMatches is Google's error for a row that is to be changed twice.
const severalMatches = "UPDATE/MERGE must match at most one source row for each target row"

// written notes that the statement changes the rows of a table.
func (w *writer) written(s *resolved.ResolvedTableScanProto) {
	t := w.tableOf(s)
	if t.Snapshot {
		w.wrong(location(s.GetParent().GetParent()), "The table "+strings.Join(t.Path, ".")+" is a snapshot and cannot be changed")
	}
	w.writes = append(w.writes, t.Path)
}

// target writes a scan of the table that a statement changes, with the rowid as r.
func (w *writer) target(s *resolved.ResolvedTableScanProto) string {
	return "SELECT rowid AS r, * FROM (" + w.tableScanOf(s, "rowid") + ")"
}

// targetNames gives the names of a target's columns by their numbers.
func (w *writer) targetNames(s *resolved.ResolvedTableScanProto) map[int64]string {
	names := map[int64]string{}
	for k, c := range s.GetParent().GetColumnList() {
		names[c.GetColumnId()] = quote.Name(w.tableOf(s).Names[s.GetColumnIndexList()[k]])
	}
	return names
}

func (w *writer) insert(s *resolved.ResolvedInsertStmtProto) string {
	at := location(s.GetParent().GetParent())
	switch {
	case s.GetInsertMode() != resolved.ResolvedInsertStmtEnums_OR_ERROR:
		refuse(at, "INSERT OR …")
	case s.GetAssertRowsModified() != nil:
		refuse(at, "ASSERT_ROWS_MODIFIED")
	case s.GetReturning() != nil:
		refuse(at, "THEN RETURN")
	}
	w.written(s.GetTableScan())
	names := w.targetNames(s.GetTableScan())
	var list []string
	for _, c := range s.GetInsertColumnList() {
		list = append(list, names[c.GetColumnId()])
	}
	text := "INSERT INTO " + w.tableOf(s.GetTableScan()).From + " (" + strings.Join(list, ", ") + ") "
	if s.GetQuery() != nil {
		return text + "SELECT " + columns(s.GetQueryOutputColumnList()) + " FROM (" + w.scan(s.GetQuery()) + ")"
	}
	var rows []string
	for _, r := range s.GetRowList() {
		rows = append(rows, "("+strings.Join(w.values(r), ", ")+")")
	}
	return text + "VALUES " + strings.Join(rows, ", ")
}

func (w *writer) values(r *resolved.ResolvedInsertRowProto) []string {
	var values []string
	for _, v := range r.GetValueList() {
		values = append(values, w.value(v))
	}
	return values
}

// value writes what a column is set to.
func (w *writer) value(v *resolved.ResolvedDMLValueProto) string {
	if isDefault(v) {
		return "DEFAULT"
	}
	return w.expr(v.GetValue())
}

func isDefault(v *resolved.ResolvedDMLValueProto) bool {
	return v.GetValue().GetResolvedDmldefaultNode() != nil
}

func (w *writer) delete(s *resolved.ResolvedDeleteStmtProto) string {
	at := location(s.GetParent().GetParent())
	switch {
	case s.GetAssertRowsModified() != nil:
		refuse(at, "ASSERT_ROWS_MODIFIED")
	case s.GetReturning() != nil:
		refuse(at, "THEN RETURN")
	}
	w.written(s.GetTableScan())
	from := w.tableOf(s.GetTableScan()).From
	if l := s.GetWhereExpr().GetResolvedLiteralNode(); l != nil && l.GetValue().GetValue().GetBoolValue() {
		return "DELETE FROM " + from
	}
	return "DELETE FROM " + from + " WHERE rowid IN (SELECT r FROM (" + w.target(s.GetTableScan()) + ") WHERE " + w.expr(s.GetWhereExpr()) +
		")"
}

func (w *writer) update(s *resolved.ResolvedUpdateStmtProto) string {
	at := location(s.GetParent().GetParent())
	switch {
	case s.GetAssertRowsModified() != nil:
		refuse(at, "ASSERT_ROWS_MODIFIED")
	case s.GetReturning() != nil:
		refuse(at, "THEN RETURN")
	}
	w.written(s.GetTableScan())
	set := w.changes(at, s.GetTableScan(), s.GetUpdateItemList(), "v")
	rows := w.target(s.GetTableScan())
	if s.GetFromScan() != nil {
		rows = "SELECT * FROM (" + rows + ") CROSS JOIN (" + w.scan(s.GetFromScan()) + ")"
	}
	items := "r"
	for _, v := range set.values {
		items += ", " + v.expr + " AS " + v.name
	}
	rows = "SELECT " + items + " FROM (" + rows + ") WHERE " + w.expr(s.GetWhereExpr())
	if s.GetFromScan() != nil {
		rows = once(rows)
	}
	return "UPDATE " + w.tableOf(s.GetTableScan()).From + " AS t SET " + set.assignments + " FROM (" + rows + ") AS s WHERE t.rowid = s.r"
}

// once makes an error of a row that is to be changed twice.
func once(rows string) string {
	return "SELECT * FROM (SELECT *, count(*) OVER (PARTITION BY r) AS matches FROM (" + rows +
		")) WHERE CASE WHEN r IS NOT NULL AND matches > 1 THEN " +
		fail(severalMatches, "BOOLEAN") + " ELSE TRUE END"
}

// changed is what the SET clause of a statement becomes: columns of a query, and assignments of them.
type changed struct {
	values      []named
	assignments string
}

// named is an expression with its name.
type named struct{ expr, name string }

// changes writes a SET clause, whose values are columns of s that begin with a prefix.
func (w *writer) changes(at *resolved.ParseLocationRangeProto, t *resolved.ResolvedTableScanProto,
	items []*resolved.ResolvedUpdateItemProto, prefix string) changed {
	names := w.targetNames(t)
	all := map[int64]*change{}
	var order []*resolved.ResolvedColumnProto
	var whole changed
	var assignments []string
	for _, it := range items {
		if it.GetSetValue() == nil {
			refuse(at, "a statement nested in UPDATE, or an element of an array in SET,")
		}
		path, c := fieldPath(it.GetTarget())
		if len(path) == 0 && isDefault(it.GetSetValue()) {
			assignments = append(assignments, names[c.GetColumnId()]+" = DEFAULT")
			continue
		}
		if all[c.GetColumnId()] == nil {
			all[c.GetColumnId()] = &change{}
			order = append(order, c)
		}
		text := "NULL" // a field has no other default
		if !isDefault(it.GetSetValue()) {
			text = w.expr(it.GetSetValue().GetValue())
		}
		all[c.GetColumnId()].put(path, text)
	}
	for i, c := range order {
		value := fmt.Sprintf("%s%d", prefix, i)
		whole.values = append(whole.values, named{all[c.GetColumnId()].write(column(c), analyzer.TypeOf(c.GetType())), value})
		assignments = append(assignments, names[c.GetColumnId()]+" = s."+value)
	}
	whole.assignments = strings.Join(assignments, ", ")
	return whole
}

// fieldPath reads a target: a column, or a field in it by the places of the fields on the way.
func fieldPath(e *resolved.AnyResolvedExprProto) ([]int64, *resolved.ResolvedColumnProto) {
	if f := e.GetResolvedGetStructFieldNode(); f != nil {
		path, c := fieldPath(f.GetExpr())
		return append(path, f.GetFieldIdx()), c
	}
	if c := e.GetResolvedColumnRefNode(); c != nil {
		return nil, c.GetColumn()
	}
	refuse(place(e), "%s in SET", nodeName(e))
	return nil, nil
}

// change is what becomes of a value: another one, or some of its fields.
type change struct {
	text   string
	fields map[int64]*change
}

func (c *change) put(path []int64, text string) {
	if len(path) == 0 {
		c.text = text
		return
	}
	if c.fields == nil {
		c.fields = map[int64]*change{}
	}
	if c.fields[path[0]] == nil {
		c.fields[path[0]] = &change{}
	}
	c.fields[path[0]].put(path[1:], text)
}

// write gives the new value in place of an old one.
func (c *change) write(old string, t googlesql.Type) string {
	if c.fields == nil {
		return c.text
	}
	var fields []string
	for i, name := range fieldNames(t) {
		value := "struct_extract(" + old + ", " + quote.Text(name) + ")"
		if f := c.fields[int64(i)]; f != nil {
			value = f.write(value, t.Fields[i].Type)
		}
		fields = append(fields, quote.Name(name)+" := "+value)
	}
	return "CASE WHEN " + old + " IS NULL THEN error(" + text("Cannot set field of NULL "+t.String()) + ") ELSE struct_pack(" +
		strings.Join(fields, ", ") + ") END"
}

func (w *writer) truncate(s *resolved.ResolvedTruncateStmtProto) string {
	if s.GetWhereExpr() != nil {
		refuse(location(s.GetParent().GetParent()), "TRUNCATE with WHERE")
	}
	w.written(s.GetTableScan())
	return "TRUNCATE " + w.tableOf(s.GetTableScan()).From
}
