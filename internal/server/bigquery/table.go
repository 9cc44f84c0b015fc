package bigquery

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"
	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/logicalbytes"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
	"github.com/mallardml/mallard/internal/udf"
)

func (s *Service) listTables(c *call) (any, error) {
	d, err := s.dataset(c.ctx(), c.project(), c.path("datasetId"))
	if err != nil {
		return nil, err
	}
	all, err := s.relations(c.ctx(), d, "")
	if err != nil {
		return nil, err
	}
	list := &api.TableList{Kind: "bigquery#tableList", TotalItems: int64(len(all)), ForceSendFields: []string{"TotalItems"}}
	all, list.NextPageToken, err = pageOf(c, all)
	if err != nil {
		return nil, err
	}
	kept, err := s.keptIn(c.ctx(), d)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		v := kept[strings.ToLower(r.table)]
		item := &api.TableListTables{
			Kind: "bigquery#table", Id: r.String(), Type: r.kindOf(v), TableReference: r.reference(),
			FriendlyName: v.FriendlyName, Labels: v.Labels, CreationTime: cmp.Or(millis(v.Created), s.started.UnixMilli()),
			ExpirationTime: millis(v.Expires),
		}
		if item.Type == "VIEW" {
			item.View = &api.TableListTablesView{ForceSendFields: []string{"UseLegacySql"}}
		}
		if len(v.Clustering) > 0 {
			item.Clustering = &api.Clustering{Fields: v.Clustering}
		}
		item.TimePartitioning, item.RangePartitioning = partitioning(v)
		list.Tables = append(list.Tables, item)
	}
	list.Etag = etag(list)
	return list, nil
}

// keptIn is what is kept of the tables of a dataset, by their lower-case names.
func (s *Service) keptIn(ctx context.Context, d schema) (map[string]metadata.Value, error) {
	kept := map[string]metadata.Value{}
	if d.anonymous() {
		return kept, nil
	}
	err := s.duck(ctx, func(c *sql.Conn) error {
		all, err := metadata.Open(c, d.database).List(ctx, d.name)
		for _, e := range all {
			if e.Name != "" && e.Column == "" && e.Kind != metadata.Routine {
				kept[strings.ToLower(e.Name)] = e.Value
			}
		}
		return err
	})
	return kept, err
}

// partitioning is what a table is partitioned by.
func partitioning(v metadata.Value) (*api.TimePartitioning, *api.RangePartitioning) {
	p := v.Partitioning
	switch {
	case p == nil:
	case len(p.Range) == 3:
		return nil, &api.RangePartitioning{Field: p.Column, Range: &api.RangePartitioningRange{
			Start: p.Range[0], End: p.Range[1], Interval: p.Range[2], ForceSendFields: []string{"Start", "End", "Interval"}}}
	default:
		return &api.TimePartitioning{Type: cmp.Or(p.Unit, "DAY"), Field: p.Column, ExpirationMs: v.PartitionLife.Milliseconds(),
			RequirePartitionFilter: p.RequireFilter}, nil
	}
	return nil, nil
}

func (s *Service) getTable(c *call) (any, error) {
	if t, _, ok, err := s.summary(c); ok {
		return t, err
	}
	r, err := s.relation(c.ctx(), c.project(), c.path("datasetId"), c.path("tableId"))
	if err != nil {
		return nil, err
	}
	t, err := s.tableResource(c, r)
	if err == nil && strings.EqualFold(c.param("view"), "BASIC") { // without what its storage tells
		t.NumRows, t.NumBytes, t.NumTotalLogicalBytes, t.NumActiveLogicalBytes, t.LastModifiedTime = 0, 0, 0, 0, 0
		t.ForceSendFields = slices.DeleteFunc(t.ForceSendFields, func(name string) bool { return strings.HasPrefix(name, "Num") })
	}
	return t, err
}

// columns gives the columns of a table or a view.
func (s *Service) columns(ctx context.Context, r relation) (columns []googlesql.Field, err error) {
	c, err := s.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	err = raw(c, func(n chunked) error {
		res, done, err := prepared(ctx, n.Raw(), "SELECT * FROM "+r.sql())
		if err != nil {
			return err
		}
		defer done()
		for i := range mapping.PreparedStatementColumnCount(res) {
			t := mapping.PreparedStatementColumnLogicalType(res, i)
			of, err := typeOf(udf.TypeOf(t))
			mapping.DestroyLogicalType(&t)
			name := mapping.PreparedStatementColumnName(res, i)
			if err != nil {
				return invalid("Table %s, column %s: %v", r, name, err)
			}
			if name != writer.PartitionTime || r.kind != "TABLE" { // a pseudo-column, which only those who name it see
				columns = append(columns, googlesql.Field{Name: name, Type: of})
			}
		}
		return nil
	})
	return columns, err
}

func (s *Service) tableResource(c *call, r relation) (*api.Table, error) {
	ctx := c.ctx()
	columns, err := s.columns(ctx, r)
	if err != nil {
		return nil, err
	}
	t := &api.Table{
		Kind: "bigquery#table", Id: r.String(), SelfLink: selfLink(c, "/projects/%s/datasets/%s/tables/%s", r.project, r.dataset, r.table),
		TableReference: r.reference(), Schema: wire.Schema(columns), Location: s.Location,
	}
	var v metadata.Value
	if !r.anonymous() {
		if v, err = s.describe(ctx, r, t.Schema); err != nil {
			return nil, err
		}
		d, err := s.kept(ctx, r.database, r.schema.key())
		if err != nil {
			return nil, err
		}
		t.Location = cmp.Or(d.Location, s.Location)
	}
	t.Type = r.kindOf(v)
	t.Description, t.FriendlyName, t.Labels, t.ExpirationTime = v.Description, v.FriendlyName, v.Labels, millis(v.Expires)
	t.TimePartitioning, t.RangePartitioning = partitioning(v)
	if v.Partitioning != nil {
		t.RequirePartitionFilter = v.Partitioning.RequireFilter
	}
	if len(v.Clustering) > 0 {
		t.Clustering = &api.Clustering{Fields: v.Clustering}
	}
	if err := restore(v.Properties, t); err != nil {
		return nil, err
	}
	t.CreationTime = cmp.Or(millis(v.Created), s.started.UnixMilli())
	t.LastModifiedTime = uint64(max(millis(v.Modified), t.CreationTime))
	switch t.Type {
	case "MATERIALIZED_VIEW":
		if t.MaterializedView == nil {
			t.MaterializedView = &api.MaterializedViewDefinition{EnableRefresh: true}
		}
		m := t.MaterializedView
		m.Query, m.RefreshIntervalMs = cmp.Or(v.Query, viewQuery(r.text)), cmp.Or(m.RefreshIntervalMs, refreshInterval)
		m.ForceSendFields = []string{"EnableRefresh"}
	case "VIEW":
		t.View = &api.ViewDefinition{Query: cmp.Or(v.Query, viewQuery(r.text)), ForceSendFields: []string{"UseLegacySql"}}
	}
	t.Etag = etag(t) // of the definition: rows that come do not make it another version
	if r.kind == "TABLE" {
		err = s.count(ctx, r, columns, t)
	}
	return t, err
}

// refreshInterval is how often BigQuery refreshes a materialized view for which nothing else is said: in milliseconds.
const refreshInterval = 30 * 60 * 1000

// viewQuery is what stands behind AS in the text of a view.
func viewQuery(text string) string {
	_, query, _ := strings.Cut(text, " AS ")
	return strings.TrimSuffix(query, ";")
}

// describe puts what is kept of columns into the schema, and gives what is kept of the table.
func (s *Service) describe(ctx context.Context, r relation, schema *api.TableSchema) (v metadata.Value, err error) {
	required, defaults := map[string]bool{}, map[string]string{}
	var all []metadata.Entry
	err = s.duck(ctx, func(c *sql.Conn) error {
		of := " FROM duckdb_columns() WHERE database_name = " + quote.Text(r.database) + " AND schema_name = " + quote.Text(r.name) +
			" AND table_name = " + quote.Text(r.table)
		names, err := texts(ctx, c, "SELECT column_name"+of+" AND NOT is_nullable")
		if err != nil {
			return err
		}
		for _, n := range names {
			required[n] = true
		}
		texts, err := pairs(ctx, c, "SELECT column_name, column_default"+of+" AND column_default IS NOT NULL")
		if err != nil {
			return err
		}
		for _, p := range texts {
			defaults[p[0]] = p[1]
		}
		all, err = metadata.Open(c, r.database).Of(ctx, r.name, r.table)
		return err
	})
	if err != nil {
		return v, err
	}
	for _, f := range schema.Fields {
		if required[f.Name] && f.Mode == wire.Nullable {
			f.Mode = wire.Required
		}
		f.DefaultValueExpression = defaults[f.Name]
	}
	for _, e := range all {
		if e.Column == "" {
			v = e.Value
			continue
		}
		if f := fieldNamed(schema.Fields, strings.Split(e.Column, ".")); f != nil {
			f.Description = e.Value.Description
			f.DefaultValueExpression = cmp.Or(e.Value.Default, f.DefaultValueExpression)
			if e.Value.Required && f.Mode == wire.Nullable {
				f.Mode = wire.Required
			}
			wire.SetParameters(f, e.Value.Type)
			if err := restore(e.Value.Properties, f); err != nil {
				return v, err
			}
		}
	}
	return v, nil
}

func fieldNamed(fields []*api.TableFieldSchema, path []string) *api.TableFieldSchema {
	for _, f := range fields {
		if strings.EqualFold(f.Name, path[0]) {
			if len(path) == 1 {
				return f
			}
			return fieldNamed(f.Fields, path[1:])
		}
	}
	return nil
}

// count fills in the number of rows, and how many bytes BigQuery would count for them.
func (s *Service) count(ctx context.Context, r relation, columns []googlesql.Field, t *api.Table) error {
	return s.duck(ctx, func(c *sql.Conn) error { return r.count(ctx, c, columns, t) })
}

// count is [Service.count] within the transaction.
func (x *change) count(r relation, columns []googlesql.Field, t *api.Table) error {
	return extension.WithDuckDBSQL(x.ctx, x.c, func(c *sql.Conn) error { return r.count(x.ctx, c, columns, t) })
}

func (r relation) count(ctx context.Context, c *sql.Conn, columns []googlesql.Field, t *api.Table) error {
	var rows, bytes int64
	if err := c.QueryRowContext(ctx, "SELECT count(*) FROM "+r.from()).Scan(&rows); err != nil {
		return err
	}
	if len(columns) > 0 && rows > 0 {
		if err := c.QueryRowContext(ctx, logicalbytes.Table(r.from(), columns, rows)).Scan(&rows, &bytes); err != nil {
			return err
		}
	}
	t.NumRows, t.NumBytes = uint64(rows), bytes
	t.NumTotalLogicalBytes, t.NumActiveLogicalBytes = t.NumBytes, t.NumBytes
	t.ForceSendFields = append(t.ForceSendFields, "NumRows", "NumBytes", "NumLongTermBytes",
		"NumTotalLogicalBytes", "NumActiveLogicalBytes", "NumLongTermLogicalBytes")
	return nil
}

func (s *Service) deleteTable(c *call) (any, error) {
	r, err := s.relation(c.ctx(), c.project(), c.path("datasetId"), c.path("tableId"))
	if err != nil {
		return nil, err
	}
	if r.part.id != "" {
		return noContent{}, s.change(c.ctx(), func(t *change) error { return t.duck("DELETE FROM " + r.sql() + " WHERE " + r.part.rows) })
	}
	return noContent{}, s.dropRelation(c.ctx(), r)
}

func (s *Service) dropRelation(ctx context.Context, r relation) error {
	drop := "DROP VIEW "
	if r.kind == "TABLE" {
		drop = "DROP TABLE "
	}
	if r.anonymous() {
		return s.exec(ctx, drop+r.sql())
	}
	return s.change(ctx, func(t *change) error {
		if err := t.keep(r.database, func(m *metadata.Store) error { return m.Drop(ctx, r.key()) }); err != nil {
			return err
		}
		return t.duck(drop + r.sql())
	})
}
