package bigquery

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/quote"
)

// dataReply is TableDataList with rows that are JSON already.
type dataReply struct {
	*api.TableDataList
	rows []byte
}

// MarshalJSON puts the rows behind the other fields.
func (r *dataReply) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(r.TableDataList)
	if err != nil || r.rows == nil {
		return text, err
	}
	text = append(text[:len(text)-1], `,"rows":`...)
	return append(append(text, r.rows...), '}'), nil
}

func (s *Service) listTableData(c *call) (any, error) {
	r, err := s.relation(c.ctx(), c.project(), c.path("datasetId"), c.path("tableId"))
	if err != nil {
		return nil, err
	}
	if r.kind != "TABLE" {
		return nil, invalid("Cannot list a table of type %s.", r.kind)
	}
	columns, err := s.columns(c.ctx(), r)
	if err != nil {
		return nil, err
	}
	if columns, err = selected(columns, c.param("selectedFields")); err != nil {
		return nil, err
	}
	var t api.Table
	if err := s.count(c.ctx(), r, nil, &t); err != nil {
		return nil, err
	}
	out := &dataReply{TableDataList: &api.TableDataList{Kind: "bigquery#tableDataList", TotalRows: int64(t.NumRows), ForceSendFields: []string{"TotalRows"}}}
	out.Etag = etag([]any{r.sql(), t.NumRows})
	from, err := c.offset()
	if err != nil {
		return nil, err
	}
	most, limited, err := c.number("maxResults")
	if err != nil {
		return nil, err
	}
	if !limited {
		most = -1
	}
	if from >= int64(t.NumRows) || most == 0 {
		return out, nil
	}
	names := make([]string, len(columns))
	for i, f := range columns {
		names[i] = quote.Name(f.Name)
	}
	p, err := s.page(c.ctx(), fmt.Sprintf("SELECT %s FROM %s LIMIT %d OFFSET %d", strings.Join(names, ", "), r.sql(), limitOf(most), from),
		columns, most, c.flag("formatOptions.useInt64Timestamp"))
	if err != nil {
		return nil, err
	}
	out.rows = p.text
	if next := from + p.rows; next < int64(t.NumRows) {
		out.PageToken = strconv.FormatInt(next, 10)
	}
	return out, nil
}

// selected are the columns that selectedFields names, whole ones, in the order of the table.
func selected(columns []googlesql.Field, fields string) ([]googlesql.Field, error) {
	if fields == "" {
		return columns, nil
	}
	var some []googlesql.Field
	names := strings.Split(fields, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
		if strings.Contains(names[i], ".") {
			return nil, unsupported("selectedFields=%s: fields of a RECORD are not selected one by one; name the column", names[i])
		}
		if !slices.ContainsFunc(columns, func(f googlesql.Field) bool { return strings.EqualFold(f.Name, names[i]) }) {
			return nil, invalid("Field not found: %s", names[i])
		}
	}
	for _, f := range columns {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, f.Name) }) {
			some = append(some, f)
		}
	}
	return some, nil
}
