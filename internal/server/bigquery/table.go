package bigquery

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2/mapping"
	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/functions/udf"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
)

// relation is a table, a view or a model as DuckDB knows it.
type relation struct {
	schema
	table string // its name
	kind  string // TABLE, VIEW, EXTERNAL or MODEL
	text  string // of a view, as DuckDB writes it
	spec  *modelspec.Spec
}

func (r relation) String() string { return r.qualify(r.table) }

func (r relation) key() metadata.Key {
	k := metadata.Key{Kind: metadata.Table, Dataset: r.name, Name: r.table}
	switch r.kind {
	case "VIEW", "MATERIALIZED_VIEW":
		k.Kind = metadata.View
	case "MODEL":
		k.Kind = metadata.Model
	}
	return k
}

// relations lists those of a dataset, or the one of a name.
func (s *Service) relations(ctx context.Context, d schema, name string) (all []relation, err error) {
	where := " WHERE database_name = ? AND lower(schema_name) = lower(?)"
	args := []any{d.database, d.name}
	if name != "" {
		where += " AND lower(%s) = lower(" + quote.Text(name) + ")"
	}
	named := func(column string) string { return strings.ReplaceAll(where, "%s", column) }
	err = s.duck(ctx, func(c *sql.Conn) error {
		rows, err := c.QueryContext(ctx, "SELECT table_name AS name, '' AS text FROM duckdb_tables()"+named("table_name")+" AND NOT "+metadata.Hidden+
			" UNION ALL SELECT view_name, sql FROM duckdb_views()"+named("view_name")+" AND NOT internal ORDER BY name", append(args, args...)...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err tells
		for rows.Next() {
			r := relation{schema: d, kind: "TABLE"}
			if err := rows.Scan(&r.table, &r.text); err != nil {
				return err
			}
			if r.text != "" {
				r.kind = "VIEW"
				if spec, ok := modelspec.OfView(r.text); ok {
					r.kind, r.spec = "MODEL", spec
				} else if strings.Contains(r.text, writer.RoutineFormat) {
					continue
				} else if strings.Contains(r.text, catalog.ObjectTableMark) {
					r.kind = "EXTERNAL"
				}
			}
			all = append(all, r)
		}
		return rows.Err()
	})
	return all, err
}

// relation finds a table or a view.
func (s *Service) relation(ctx context.Context, project, dataset, table string) (relation, error) {
	d, err := s.dataset(ctx, project, dataset)
	if err != nil {
		return relation{}, err
	}
	table, _, _ = strings.Cut(table, "$") // a partition is of the whole table
	all, err := s.relations(ctx, d, table)
	if err != nil {
		return relation{}, err
	}
	for _, r := range all {
		if r.kind != "MODEL" {
			return r, nil
		}
	}
	return relation{}, notFound("Not found: Table %s", d.qualify(table))
}

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

func (r relation) reference() *api.TableReference {
	return &api.TableReference{ProjectId: r.project, DatasetId: r.dataset, TableId: r.table}
}

// kindOf is the word of the API for what the relation is.
func (r relation) kindOf(v metadata.Value) string {
	switch {
	case v.Materialized:
		return "MATERIALIZED_VIEW"
	case v.SnapshotOf != "":
		return "SNAPSHOT"
	}
	return r.kind
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
		return &api.TimePartitioning{Type: cmp.Or(p.Unit, "DAY"), Field: p.Column, ExpirationMs: v.PartitionLife.Milliseconds()}, nil
	}
	return nil, nil
}

func (s *Service) getTable(c *call) (any, error) {
	r, err := s.relation(c.ctx(), c.project(), c.path("datasetId"), c.path("tableId"))
	if err != nil {
		return nil, err
	}
	return s.tableResource(c, r)
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
			columns = append(columns, googlesql.Field{Name: name, Type: of})
		}
		return nil
	})
	return columns, err
}

func (r relation) sql() string { return r.schema.table(r.table) }

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
	if t.Type == "VIEW" || t.Type == "MATERIALIZED_VIEW" {
		t.View = &api.ViewDefinition{Query: cmp.Or(v.Query, viewQuery(r.text)), ForceSendFields: []string{"UseLegacySql"}}
	}
	t.Etag = etag(t) // of the definition: rows that come do not make it another version
	if r.kind == "TABLE" {
		err = s.count(ctx, r, columns, t)
	}
	return t, err
}

// viewQuery is what stands behind AS in the text of a view.
func viewQuery(text string) string {
	_, query, _ := strings.Cut(text, " AS ")
	return strings.TrimSuffix(query, ";")
}

// describe puts what is kept of columns into the schema, and gives what is kept of the table.
func (s *Service) describe(ctx context.Context, r relation, schema *api.TableSchema) (v metadata.Value, err error) {
	required := map[string]bool{}
	var all []metadata.Entry
	err = s.duck(ctx, func(c *sql.Conn) error {
		names, err := texts(ctx, c, "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ? AND NOT is_nullable",
			r.database, r.name, r.table)
		if err != nil {
			return err
		}
		for _, n := range names {
			required[n] = true
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
	}
	for _, e := range all {
		if e.Column == "" {
			v = e.Value
			continue
		}
		if f := fieldNamed(schema.Fields, strings.Split(e.Column, ".")); f != nil {
			f.Description = e.Value.Description
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

// sample is how many rows tell how long those of a table are.
const sample = 2048

// count fills in the number of rows, and about how many bytes BigQuery would count for them, by the first rows.
func (s *Service) count(ctx context.Context, r relation, columns []googlesql.Field, t *api.Table) error {
	sizes := []string{"0"}
	for _, c := range columns {
		sizes = append(sizes, sizeOf(c))
	}
	var rows int64
	var each float64
	err := s.duck(ctx, func(c *sql.Conn) error {
		return c.QueryRowContext(ctx, fmt.Sprintf("SELECT (SELECT count(*) FROM %s), (SELECT coalesce(avg(%s), 0)::DOUBLE FROM (FROM %s LIMIT %d))",
			r.sql(), strings.Join(sizes, " + "), r.sql(), sample)).Scan(&rows, &each)
	})
	t.NumRows, t.NumBytes = uint64(rows), int64(each*float64(rows))
	t.NumTotalLogicalBytes, t.NumActiveLogicalBytes = t.NumBytes, t.NumBytes
	t.ForceSendFields = append(t.ForceSendFields, "NumRows", "NumBytes", "NumLongTermBytes", "NumTotalLogicalBytes", "NumActiveLogicalBytes", "NumLongTermLogicalBytes")
	return err
}

// sizeOf is about the bytes of a column's value
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types#data_type_sizes).
func sizeOf(c googlesql.Field) string {
	name := quote.Name(c.Name)
	switch c.Type.Kind {
	case googlesql.Bool:
		return "if(" + name + " IS NULL, 0, 1)"
	case googlesql.String:
		return "coalesce(2 + strlen(" + name + "), 0)"
	case googlesql.Bytes:
		return "coalesce(2 + octet_length(" + name + "), 0)"
	case googlesql.Numeric, googlesql.Interval:
		return "if(" + name + " IS NULL, 0, 16)"
	case googlesql.BigNumeric:
		return "if(" + name + " IS NULL, 0, 32)"
	case googlesql.Array, googlesql.Struct, googlesql.JSON:
		return "coalesce(strlen(" + name + "::VARCHAR), 0)"
	}
	return "if(" + name + " IS NULL, 0, 8)"
}

func (s *Service) deleteTable(c *call) (any, error) {
	r, err := s.relation(c.ctx(), c.project(), c.path("datasetId"), c.path("tableId"))
	if err != nil {
		return nil, err
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

func (s *Service) insertTable(c *call) (any, error) {
	var in api.Table
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if in.TableReference == nil || in.TableReference.TableId == "" {
		return nil, invalid("Required parameter is missing: tableReference.tableId")
	}
	d, err := s.dataset(c.ctx(), c.project(), c.path("datasetId"))
	if err != nil {
		return nil, err
	}
	if ref := in.TableReference; ref.ProjectId != "" && ref.ProjectId != d.project || ref.DatasetId != "" && ref.DatasetId != d.dataset {
		return nil, invalid("The table's dataset is %s:%s, and that of the path %s", ref.ProjectId, ref.DatasetId, d)
	}
	r := relation{schema: d, table: in.TableReference.TableId, kind: "TABLE"}
	if err := tableID(r.table); err != nil {
		return nil, err
	}
	if have, err := s.relations(c.ctx(), d, r.table); err != nil {
		return nil, err
	} else if len(have) > 0 {
		return nil, duplicate("Already Exists: Table %s", r)
	}
	if in.View != nil {
		r.kind = "VIEW"
	}
	err = s.change(c.ctx(), func(t *change) error { return s.createTable(t, r, &in) })
	if duckapi.AlreadyExists(err) {
		return nil, duplicate("Already Exists: Table %s", r)
	}
	if err != nil {
		return nil, err
	}
	if r, err = s.relation(c.ctx(), d.project, d.dataset, r.table); err != nil {
		return nil, err
	}
	return s.tableResource(c, r)
}

// createTable makes a table or a view, and keeps what DuckDB does not.
func (s *Service) createTable(t *change, r relation, in *api.Table) error {
	switch {
	case in.View != nil:
		if in.View.UseLegacySql {
			return unsupported("Table %s: legacy SQL is not run; set view.useLegacySql to false", r)
		}
		if err := t.googleSQL("CREATE VIEW " + r.googleSQL() + " AS " + in.View.Query); err != nil {
			return err
		}
	case in.MaterializedView != nil || in.ExternalDataConfiguration != nil || in.SnapshotDefinition != nil || in.CloneDefinition != nil:
		return unsupported("Table %s: materialized views, external tables, snapshots and clones are made by SQL", r)
	default:
		var fields []*api.TableFieldSchema
		if in.Schema != nil {
			fields = in.Schema.Fields
		}
		columns, err := wire.Columns(fields)
		if err != nil {
			return invalid("%v", err)
		}
		if len(columns) == 0 {
			return unsupported("Table %s: DuckDB has no table without columns; give it a schema", r)
		}
		def, err := definition(columns)
		if err != nil {
			return err
		}
		if err := t.duck("CREATE TABLE " + r.sql() + " " + def); err != nil {
			return err
		}
		for _, f := range fields {
			if strings.EqualFold(f.Mode, wire.Required) {
				if err := t.duck("ALTER TABLE " + r.sql() + " ALTER COLUMN " + quote.Name(f.Name) + " SET NOT NULL"); err != nil {
					return err
				}
			}
		}
	}
	v, err := tableValue(in)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	v.Created = &now
	if r.anonymous() {
		return nil
	}
	if err := t.update(r.database, r.key(), func(kept *metadata.Value) { *kept = v }); err != nil {
		return err
	}
	if in.Schema != nil {
		return t.keepFields(r, nil, in.Schema.Fields)
	}
	return nil
}

// googleSQL is the name in GoogleSQL.
func (r relation) googleSQL() string {
	return "`" + strings.ReplaceAll(r.project+"`.`"+r.dataset+"`.`"+r.table, "\\", "\\\\") + "`"
}

// tableProperties are the fields of a table that are kept as they come, and change nothing.
var tableProperties = []string{"defaultCollation", "defaultRoundingMode", "encryptionConfiguration", "maxStaleness", "resourceTags", "tableConstraints", "restrictions"}

// tableValue is what is kept of a table.
func tableValue(in *api.Table) (v metadata.Value, err error) {
	if err := checkLabels(in.Labels); err != nil {
		return v, err
	}
	v = metadata.Value{Description: in.Description, FriendlyName: in.FriendlyName, Labels: in.Labels, Expires: instant(in.ExpirationTime)}
	if in.Clustering != nil {
		v.Clustering = in.Clustering.Fields
	}
	if in.View != nil {
		v.Query = in.View.Query
	}
	if p := in.TimePartitioning; p != nil {
		v.Partitioning = &metadata.Partitioning{Column: p.Field, Unit: cmp.Or(p.Type, "DAY"), RequireFilter: in.RequirePartitionFilter || p.RequirePartitionFilter}
		v.PartitionLife = time.Duration(p.ExpirationMs) * time.Millisecond
		v.Partitioning.By = cmp.Or(p.Field, "_PARTITIONTIME")
	}
	if p := in.RangePartitioning; p != nil && p.Range != nil {
		v.Partitioning = &metadata.Partitioning{Column: p.Field, Range: []int64{p.Range.Start, p.Range.End, p.Range.Interval}, RequireFilter: in.RequirePartitionFilter}
		v.Partitioning.By = fmt.Sprintf("RANGE_BUCKET(%s, GENERATE_ARRAY(%d, %d, %d))", googlesql.NameIfNeeded(p.Field), p.Range.Start, p.Range.End, p.Range.Interval)
	}
	v.Properties, err = properties(in, tableProperties...)
	return v, err
}

// fieldProperties are the fields of a column that are kept as they come.
var fieldProperties = []string{"collation", "maxLength", "policyTags", "precision", "roundingMode", "scale", "dataPolicies", "timestampPrecision"}

// keepFields keeps what DuckDB does not of columns, and of fields in them.
func (t *change) keepFields(r relation, path []string, fields []*api.TableFieldSchema) error {
	for _, f := range fields {
		at := append(path[:len(path):len(path)], f.Name)
		props, err := properties(f, fieldProperties...)
		if err != nil {
			return err
		}
		k := metadata.Key{Kind: metadata.Column, Dataset: r.name, Name: r.table, Column: strings.Join(at, ".")}
		err = t.keep(r.database, func(m *metadata.Store) error {
			return m.Update(t.ctx, k, func(v *metadata.Value) { v.Description, v.Properties = f.Description, props })
		})
		if err != nil {
			return err
		}
		if err := t.keepFields(r, at, f.Fields); err != nil {
			return err
		}
	}
	return nil
}
