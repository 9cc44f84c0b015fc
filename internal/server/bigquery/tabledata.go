package bigquery

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
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
	if t, rows, ok, err := s.summary(c); err != nil {
		return nil, err
	} else if ok {
		return s.listRows(c, rows, summaryColumns, t)
	}
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
	var t api.Table
	if err := s.count(c.ctx(), r, nil, &t); err != nil {
		return nil, err
	}
	return s.listRows(c, r.from(), columns, &t)
}

// listRows gives a page of what is read from a table, or from a query in parentheses.
func (s *Service) listRows(c *call, source string, columns []googlesql.Field, t *api.Table) (any, error) {
	columns, expressions, err := selected(columns, c.param("selectedFields"))
	if err != nil {
		return nil, err
	}
	out := &dataReply{TableDataList: &api.TableDataList{
		Kind: "bigquery#tableDataList", TotalRows: int64(t.NumRows), ForceSendFields: []string{"TotalRows"},
	}}
	out.Etag = etag([]any{source, t.NumRows})
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
	p, err := s.page(c.ctx(), fmt.Sprintf("SELECT %s FROM %s LIMIT %d OFFSET %d", strings.Join(expressions, ", "), source,
		limitOf(most), from), columns, most, c.timestamps())
	if err != nil {
		return nil, err
	}
	out.rows = p.text
	if next := from + p.rows; next < int64(t.NumRows) {
		out.PageToken = strconv.FormatInt(next, 10)
	}
	return out, nil
}

// selected are the columns, and the fields of RECORDs, that selectedFields names, in the order of the table, with their expressions.
func selected(columns []googlesql.Field, fields string) ([]googlesql.Field, []string, error) {
	if fields == "" {
		return columns, []string{list(columns)}, nil
	}
	paths := strings.Split(fields, ",")
	for i := range paths {
		paths[i] = strings.TrimSpace(paths[i])
	}
	some, err := wire.SelectionOf(paths)
	if err != nil {
		return nil, nil, invalid("%v", err)
	}
	columns, expressions, err := some.Of(columns)
	if err != nil {
		return nil, nil, invalid("%v", err)
	}
	return columns, expressions, nil
}

// insertRequest is the body of tabledata.insertAll; its rows keep the digits of their numbers.
type insertRequest struct {
	Rows []struct {
		InsertID wire.Scalar     `json:"insertId"`
		JSON     json.RawMessage `json:"json"`
	} `json:"rows"`
	SkipInvalidRows     bool   `json:"skipInvalidRows"`
	IgnoreUnknownValues bool   `json:"ignoreUnknownValues"`
	TemplateSuffix      string `json:"templateSuffix"`
}

// mostRows is how many rows a request may have, and mostInserted how many bytes, as BigQuery says
// (https://docs.cloud.google.com/bigquery/quotas#streaming_inserts).
const (
	mostRows     = 50_000
	mostInserted = 10 << 20
)

// insertAll is tabledata.insertAll. The rows are there when it answers.
func (s *Service) insertAll(c *call) (any, error) {
	text, err := c.read()
	if err != nil {
		return nil, err
	}
	if len(text) > mostInserted {
		return nil, fault(413, "invalid", "Request payload size exceeds the limit: %d bytes.", mostInserted)
	}
	var in insertRequest
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, parseError(err)
	}
	switch {
	case len(in.Rows) == 0:
		return nil, invalid("No rows present in the request.")
	case len(in.Rows) > mostRows:
		return nil, invalid("A request has at most %d rows, not %d", mostRows, len(in.Rows))
	}
	r, err := s.relation(c.ctx(), c.project(), c.path("datasetId"), c.path("tableId"))
	if err != nil {
		return nil, err
	}
	if r.kind != "TABLE" {
		return nil, invalid("Cannot add rows to a table of type %s.", r.kind)
	}
	if r.part.id != "" {
		return nil, unsupported("Table %s$%s: rows are not inserted into a partition; name the table", r, r.part.id)
	}
	if in.TemplateSuffix != "" {
		if r, err = s.templated(c.ctx(), r, in.TemplateSuffix); err != nil {
			return nil, err
		}
	}
	schema, _, err := s.schemaOf(c.ctx(), r)
	if err != nil {
		return nil, err
	}
	columns, err := wire.Columns(schema.Fields)
	if err != nil {
		return nil, err
	}
	reader, err := wire.NewReader(schema.Fields, wire.ReaderOptions{IgnoreUnknown: in.IgnoreUnknownValues, JSONText: true, Defaults: true})
	if err != nil {
		return nil, err
	}
	out := &api.TableDataInsertAllResponse{Kind: "bigquery#tableDataInsertAllResponse"}
	rows := make([][]any, 0, len(in.Rows))
	wrong := map[int]bool{}
	for i, row := range in.Rows {
		values, err := reader.Row(row.JSON)
		if err != nil {
			wrong[i] = true
			out.InsertErrors = append(out.InsertErrors, insertError(i, err))
			continue
		}
		if s.inserted.first(r.sql(), string(row.InsertID)) {
			rows = append(rows, values)
		}
	}
	if len(wrong) > 0 && !in.SkipInvalidRows { // then none is inserted
		for i, row := range in.Rows {
			s.inserted.forget(r.sql(), string(row.InsertID))
			if !wrong[i] {
				out.InsertErrors = append(out.InsertErrors, &api.TableDataInsertAllResponseInsertErrors{
					Index: int64(i), ForceSendFields: []string{"Index"}, Errors: []*api.ErrorProto{{Reason: "stopped"}}})
			}
		}
		slices.SortFunc(out.InsertErrors, func(a, b *api.TableDataInsertAllResponseInsertErrors) int { return int(a.Index - b.Index) })
		return out, nil
	}
	if err := s.insertRows(c.ctx(), r, columns, rows); err != nil {
		for _, row := range in.Rows {
			s.inserted.forget(r.sql(), string(row.InsertID))
		}
		return nil, err
	}
	return out, nil
}

// insertError says what is wrong with a row.
func insertError(i int, err error) *api.TableDataInsertAllResponseInsertErrors {
	p := &api.ErrorProto{Reason: "invalid", Message: err.Error(), ForceSendFields: []string{"DebugInfo", "Location"}}
	var e *wire.Error
	if errors.As(err, &e) {
		p.Location, p.Message = e.Field, e.Message
	}
	return &api.TableDataInsertAllResponseInsertErrors{Index: int64(i), Errors: []*api.ErrorProto{p}, ForceSendFields: []string{"Index"}}
}

// templated makes the table that a suffix names, with the columns of another.
func (s *Service) templated(ctx context.Context, r relation, suffix string) (relation, error) {
	to := r
	to.table += suffix
	if err := tableID(to.table); err != nil {
		return to, err
	}
	schema, v, err := s.schemaOf(ctx, r)
	if err != nil {
		return to, err
	}
	return to, s.change(ctx, func(t *change) error {
		if have, err := s.relations(ctx, r.schema, to.table); err != nil || len(have) > 0 {
			return err
		}
		return t.define(to, schema.Fields, "CREATE TABLE IF NOT EXISTS", func(kept *metadata.Value) {
			kept.Partitioning, kept.PartitionLife, kept.Clustering = v.Partitioning, v.PartitionLife, v.Clustering
		})
	})
}

// insertRows puts rows into a table, all or none: by a statement, which knows defaults and casts to the columns' own types.
func (s *Service) insertRows(ctx context.Context, r relation, columns []googlesql.Field, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	groups := map[string][][]any{} // by which columns the rows leave out
	for _, row := range rows {
		key := make([]byte, len(row))
		for i, v := range row {
			if _, out := v.(wire.Default); out {
				key[i] = 1
			}
		}
		groups[string(key)] = append(groups[string(key)], row)
	}
	return s.change(ctx, func(t *change) error {
		for _, key := range slices.Sorted(maps.Keys(groups)) {
			if err := t.insertSome(r, columns, groups[key], key); err != nil {
				return err
			}
		}
		return nil
	})
}

// insertSome inserts rows that leave out the columns that are marked in key.
func (t *change) insertSome(r relation, columns []googlesql.Field, rows [][]any, key string) error {
	var given []googlesql.Field
	var list []string
	for i, c := range columns {
		if key[i] == 0 {
			given = append(given, c)
			list = append(list, quote.Name(c.Name))
		}
	}
	if len(given) == 0 {
		for range rows {
			if err := t.duck("INSERT INTO " + r.sql() + " DEFAULT VALUES"); err != nil {
				return err
			}
		}
		return nil
	}
	def, err := definition(given)
	if err != nil {
		return err
	}
	some := make([][]any, len(rows))
	for n, row := range rows {
		for i, v := range row {
			if key[i] == 0 {
				some[n] = append(some[n], v)
			}
		}
	}
	stage := newID("insert")
	from := quote.Path("temp", "main", stage)
	if err := t.duck("CREATE TEMP TABLE " + quote.Name(stage) + " " + def); err != nil {
		return err
	}
	if err := t.appendRows(stage, given, some); err != nil {
		return err
	}
	return t.duck("INSERT INTO "+r.sql()+" ("+strings.Join(list, ", ")+") FROM "+from, "DROP TABLE "+from)
}

// appendRows appends rows to a temporary table.
func (t *change) appendRows(table string, columns []googlesql.Field, rows [][]any) error {
	return raw(t.c, func(n chunked) (err error) {
		a, err := duckdb.NewAppender(n.Raw(), "temp", "main", table)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		values := make([]driver.Value, len(columns))
		for _, row := range rows {
			for i, v := range row {
				values[i] = appended(v, columns[i].Type)
			}
			if err := a.AppendRow(values...); err != nil {
				return err
			}
		}
		return nil
	})
}

// appended gives a value the form that DuckDB's appender takes: a STRUCT is a map, JSON its own text.
func appended(v any, t googlesql.Type) any {
	switch x := v.(type) {
	case string:
		if t.Kind == googlesql.JSON {
			return json.RawMessage(x)
		}
	case []any:
		if t.Kind == googlesql.Array {
			list := make([]any, len(x))
			for i := range x {
				list[i] = appended(x[i], *t.Elem)
			}
			return list
		}
		m := make(map[string]any, len(x))
		for i, f := range t.Fields {
			m[f.Name] = appended(x[i], f.Type)
		}
		return m
	}
	return v
}

// insertIDs remembers rows for a while, so that a request that is sent again adds none twice; as BigQuery's it is no promise.
type insertIDs struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

// How long, and how many, rows are remembered.
const (
	rememberFor  = time.Minute
	rememberMost = 200_000
)

// first notes a row, and reports whether it is new.
func (q *insertIDs) first(table, id string) bool {
	if id == "" {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if at, ok := q.seen[table+"\x00"+id]; ok && now.Sub(at) < rememberFor {
		return false
	}
	if len(q.seen) >= rememberMost {
		maps.DeleteFunc(q.seen, func(_ string, at time.Time) bool { return now.Sub(at) >= rememberFor })
		if len(q.seen) >= rememberMost {
			clear(q.seen)
		}
	}
	q.seen[table+"\x00"+id] = now
	return true
}

func (q *insertIDs) forget(table, id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.seen, table+"\x00"+id)
}

// listRowAccessPolicies is rowAccessPolicies.list: there are none.
func (s *Service) listRowAccessPolicies(c *call) (any, error) {
	if _, err := s.relation(c.ctx(), c.project(), c.path("datasetId"), c.path("tableId")); err != nil {
		return nil, err
	}
	return &api.ListRowAccessPoliciesResponse{}, nil
}
