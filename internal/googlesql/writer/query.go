package writer

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

func outputFields(list []*resolved.ResolvedOutputColumnProto) []googlesql.Field {
	names := outputNames(list)
	fields := make([]googlesql.Field, len(list))
	for i, c := range list {
		fields[i] = googlesql.Field{Name: names[i], Type: analyzer.TypeOf(c.GetColumn().GetType())}
	}
	return fields
}

// query writes a scan with the names of its result.
func (w *writer) query(s *resolved.AnyResolvedScanProto, list []*resolved.ResolvedOutputColumnProto) string {
	from := w.scan(s)
	items := make([]string, len(list))
	names := outputNames(list)
	for i, c := range list {
		items[i] = w.leaving(c.GetColumn()) + " AS " + quote.Name(names[i])
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM (" + from + ")"
}

// valueTable writes the rows of SELECT AS STRUCT, whose fields are the columns of the result.
func valueTable(sql string, value googlesql.Field) (string, []googlesql.Field) {
	fields := make([]googlesql.Field, len(value.Type.Fields))
	items := make([]string, len(fields))
	names := make([]string, len(fields))
	for i, f := range value.Type.Fields {
		names[i] = f.Name
	}
	names = columnNames(names)
	for i, name := range fieldNames(value.Type) {
		fields[i] = googlesql.Field{Name: names[i], Type: value.Type.Fields[i].Type}
		items[i] = "struct_extract(" + quote.Name(value.Name) + ", " + quote.Text(name) + ") AS " + quote.Name(fields[i].Name)
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM (" + sql + ")", fields
}
