package writer

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// Names says what the names of a statement are in DuckDB.
type Names struct {
	Tables []Table // those of the catalog, in its order
}

// Table is a table of the catalog.
type Table struct {
	From    string   // its text in a FROM clause
	Columns []string // the value of each column of the catalog's, in its order
}

// Statement writes a statement. columns are those of its result, if it has one.
func Statement(s *resolved.AnyResolvedStatementProto, n Names) (sql string, columns []googlesql.Field, err error) {
	defer refused(&err)
	w := &writer{names: n, with: map[string]withQuery{}}
	if q := s.GetResolvedQueryStmtNode(); q != nil {
		return w.query(q.GetQuery(), q.GetOutputColumnList()), outputFields(q.GetOutputColumnList()), nil
	}
	refuse(nil, "the statement %s", nodeName(s))
	return "", nil, nil
}

type writer struct {
	names Names
	with  map[string]withQuery
	bound int // names of lambda parameters given so far
}

// withQuery is a query of a WITH clause, under the name that it has in DuckDB.
type withQuery struct {
	name    string
	columns []*resolved.ResolvedColumnProto
}

func outputFields(list []*resolved.ResolvedOutputColumnProto) []googlesql.Field {
	fields := make([]googlesql.Field, len(list))
	for i, c := range list {
		fields[i] = googlesql.Field{Name: outputName(c.GetName(), i), Type: analyzer.TypeOf(c.GetColumn().GetType())}
	}
	return fields
}

// outputName is the name of a result's column i: BigQuery calls those without one f0_, f1_, ….
func outputName(name string, i int) string {
	if name == "" || strings.HasPrefix(name, "$") {
		return "f" + strconv.Itoa(i) + "_"
	}
	return name
}

// query writes a scan with the names of its result.
func (w *writer) query(s *resolved.AnyResolvedScanProto, list []*resolved.ResolvedOutputColumnProto) string {
	items := make([]string, len(list))
	for i, c := range list {
		items[i] = column(c.GetColumn()) + " AS " + quote.Name(outputName(c.GetName(), i))
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM (" + w.scan(s) + ")"
}

// column is the name of a column in DuckDB.
func column(c *resolved.ResolvedColumnProto) string {
	return "c" + strconv.FormatInt(c.GetColumnId(), 10)
}

func columns(list []*resolved.ResolvedColumnProto) string {
	if len(list) == 0 {
		return "1"
	}
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = column(c)
	}
	return strings.Join(names, ", ")
}

// bind gives a new name of a lambda parameter.
func (w *writer) bind() string {
	w.bound++
	return fmt.Sprintf("x%d", w.bound)
}
