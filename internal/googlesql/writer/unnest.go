package writer

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// arrayScan writes UNNEST: the arrays side by side, padded with NULLs, beside the rows of an input.
func (w *writer) arrayScan(s *resolved.ResolvedArrayScanProto) string {
	if s.GetArrayZipMode() != nil {
		refuse(place(s.GetArrayZipMode()), "UNNEST with a mode")
	}
	from := ""
	if s.GetInputScan() != nil {
		from = "(" + w.scan(s.GetInputScan()) + ")"
	}
	u := &unnesting{}
	for i, a := range s.GetArrayExprList() {
		name := fmt.Sprintf("a%d", s.GetElementColumnList()[i].GetColumnId())
		u.arrays = append(u.arrays, w.expr(a)+" AS "+name)
		u.names = append(u.names, name)
	}
	list := s.GetParent().GetColumnList()
	switch {
	case s.GetInputScan() == nil:
		return "SELECT " + strings.Join(u.elements(s, false), ", ") + " FROM (" + w.leaf("SELECT "+strings.Join(u.arrays, ", ")) + ")"
	case s.GetIsOuter() && s.GetJoinExpr() != nil:
		rows := "SELECT " + strings.Join(u.elements(s, false), ", ") + " FROM (SELECT " + strings.Join(u.arrays, ", ") + ")"
		return "SELECT " + columns(list) + " FROM " + from + " LEFT JOIN LATERAL (SELECT * FROM (" + rows + ") WHERE " +
			w.expr(s.GetJoinExpr()) + ") ON TRUE"
	}
	// In the SELECT list: no join, and the rows keep their order.
	text := "SELECT *, " + strings.Join(u.elements(s, s.GetIsOuter()), ", ") + " FROM (SELECT *, " + strings.Join(u.arrays, ", ") + " FROM " +
		from + ")"
	text = "SELECT " + columns(list) + " FROM (" + text + ")"
	if s.GetJoinExpr() != nil {
		text += " WHERE " + w.expr(s.GetJoinExpr())
	}
	return text
}

// unnesting are the arrays of an UNNEST, and the names that they have.
type unnesting struct{ arrays, names []string }

// elements writes the columns of the elements and of their offset. outer gives a row of NULLs for no elements.
func (u *unnesting) elements(s *resolved.ResolvedArrayScanProto, outer bool) []string {
	length := "len(" + u.names[0] + ")"
	for _, n := range u.names[1:] {
		length = "greatest(" + length + ", len(" + n + "))"
	}
	unnest := func(list, c string) string {
		if outer {
			list = "CASE WHEN " + length + " > 0 THEN " + list + " ELSE [NULL] END"
		}
		return "unnest(" + list + ") AS " + c
	}
	var items []string
	for i, n := range u.names {
		items = append(items, unnest(n, column(s.GetElementColumnList()[i])))
	}
	if o := s.GetArrayOffsetColumn(); o != nil {
		items = append(items, unnest("range("+length+")", column(o.GetColumn())))
	}
	return items
}
