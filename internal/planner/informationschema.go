package planner

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/logicalbytes"
	"github.com/mallardml/mallard/internal/quote"
)

// datasetView is a view of BigQuery's over a dataset, by the names and types of its columns.
type datasetView struct {
	columns string // as output_schema writes them
	rows    func(ctx context.Context, d described, dataset string, add func(values ...string)) error
}

// policies are columns of access control, of which there is none here.
const policies = "data_policies ARRAY<STRUCT<name STRING>>, policy_tags ARRAY<STRING>"

// datasetViews are the views of INFORMATION_SCHEMA, and the older __TABLES__
// (https://docs.cloud.google.com/bigquery/docs/information-schema-intro). What DuckDB does not know, such as when a table was made, is
// NULL.
var datasetViews = map[string]datasetView{
	"SCHEMATA": {"catalog_name STRING, schema_name STRING, schema_owner STRING, creation_time TIMESTAMP, last_modified_time TIMESTAMP, " +
		"location STRING, " +
		"ddl STRING, default_collation_name STRING, sync_status JSON", schemata},
	"TABLES": {"table_catalog STRING, table_schema STRING, table_name STRING, table_type STRING, managed_table_type STRING, " +
		"is_insertable_into STRING, is_fine_grained_mutations_enabled STRING, is_typed STRING, is_change_history_enabled STRING, " +
		"creation_time TIMESTAMP, base_table_catalog STRING, base_table_schema STRING, base_table_name STRING, snapshot_time_ms TIMESTAMP, " +
		"replica_source_catalog STRING, replica_source_schema STRING, replica_source_name STRING, replication_status STRING, " +
		"replication_error STRING, ddl STRING, default_collation_name STRING, sync_status JSON, upsert_stream_apply_watermark TIMESTAMP",
		tables},
	"VIEWS": {"table_catalog STRING, table_schema STRING, table_name STRING, view_definition STRING, check_option STRING, use_standard_sql " +
		"STRING", views},
	"MATERIALIZED_VIEWS": {"table_catalog STRING, table_schema STRING, table_name STRING, last_refresh_time TIMESTAMP, " +
		"refresh_watermark TIMESTAMP, last_refresh_status STRUCT<reason STRING, location STRING, message STRING>", materializedViews},
	"COLUMNS": {"table_catalog STRING, table_schema STRING, table_name STRING, column_name STRING, ordinal_position INT64, is_nullable " +
		"STRING, " +
		"data_type STRING, is_generated STRING, generation_expression STRING, is_stored STRING, " +
		"async_generation_status STRUCT<blocking_error STRUCT<message STRING>>, is_hidden STRING, is_updatable STRING, " +
		"is_system_defined STRING, is_partitioning_column STRING, clustering_ordinal_position INT64, collation_name STRING, column_default " +
		"STRING, " +
		"rounding_mode STRING, " + policies, columnsView},
	"COLUMN_FIELD_PATHS": {"table_catalog STRING, table_schema STRING, table_name STRING, column_name STRING, field_path STRING, data_type " +
		"STRING, " +
		"description STRING, collation_name STRING, rounding_mode STRING, " + policies, fieldPaths},
	"TABLE_OPTIONS": {"table_catalog STRING, table_schema STRING, table_name STRING, option_name STRING, option_type STRING, " +
		"option_value STRING", tableOptions},
	"SCHEMATA_OPTIONS": {"catalog_name STRING, schema_name STRING, option_name STRING, option_type STRING, option_value STRING",
		schemataOptions},
	"PARTITIONS": {"table_catalog STRING, table_schema STRING, table_name STRING, partition_id STRING, total_rows INT64, " +
		"total_logical_bytes INT64, total_billable_bytes INT64, " +
		"last_modified_time TIMESTAMP, storage_tier STRING", partitions},
	"MODELS": {"model_catalog STRING, model_schema STRING, model_name STRING, model_type STRING, creation_time TIMESTAMP, " +
		"last_modified_time TIMESTAMP", modelsView},
	"ROUTINES": {"specific_catalog STRING, specific_schema STRING, specific_name STRING, routine_catalog STRING, routine_schema STRING, " +
		"routine_name STRING, " +
		"routine_type STRING, data_type STRING, routine_body STRING, routine_definition STRING, external_language STRING, is_deterministic " +
		"STRING, " +
		"security_type STRING, created TIMESTAMP, last_altered TIMESTAMP, ddl STRING, connection STRING", routinesView},
	"PARAMETERS": {"specific_catalog STRING, specific_schema STRING, specific_name STRING, ordinal_position INT64, parameter_mode STRING, " +
		"is_result STRING, " +
		"parameter_name STRING, data_type STRING, parameter_default STRING, is_aggregate STRING", parametersView},
	"__TABLES__": {"project_id STRING, dataset_id STRING, table_id STRING, creation_time INT64, last_modified_time INT64, row_count INT64, " +
		"size_bytes INT64, " +
		"type INT64", oldTables},
}

// special describes a view of INFORMATION_SCHEMA, __TABLES__, or a wildcard table; ok is false for another path.
func (d described) special(ctx context.Context, path []string) (t translator.Table, ok bool, err error) {
	last := len(path) - 1
	if at := slices.IndexFunc(path, func(p string) bool { return strings.EqualFold(p, "INFORMATION_SCHEMA") }); at >= 0 && at == last-1 {
		v, known := datasetViews[strings.ToUpper(path[last])]
		if !known {
			return t, true, fmt.Errorf("INFORMATION_SCHEMA.%s is not supported", path[last])
		}
		dataset := ""
		if at > 0 && !strings.HasPrefix(strings.ToLower(path[at-1]), "region-") && (at > 1 || path[at-1] != d.Config.BigQuery.Project) {
			dataset = path[at-1]
		}
		t, err = d.view(ctx, v, dataset)
		return t, true, err
	}
	if last > 0 && strings.EqualFold(path[last], "__TABLES__") {
		t, err = d.view(ctx, datasetViews["__TABLES__"], path[last-1])
		return t, true, err
	}
	if strings.HasSuffix(path[last], "*") {
		t, err = d.wildcard(ctx, path)
		return t, true, err
	}
	return t, false, nil
}

// view writes the rows of a view as a query of constants.
func (d described) view(ctx context.Context, v datasetView, dataset string) (t translator.Table, err error) {
	fields, err := googlesql.ParseColumns(v.columns)
	if err != nil {
		return t, err
	}
	items := make([]string, len(fields))
	for i, f := range fields {
		items[i] = fmt.Sprintf("col%d::%s AS %s", i, f.Type.DuckDB(), quote.Name(f.Name))
		t.Columns = append(t.Columns, translator.Column{Name: f.Name, Type: f.Type, Expr: quote.Name(f.Name)})
	}
	var rows []string
	err = v.rows(ctx, d, dataset, func(values ...string) {
		for len(values) < len(fields) {
			values = append(values, "NULL")
		}
		rows = append(rows, "("+strings.Join(values, ", ")+")")
	})
	none := ""
	if len(rows) == 0 {
		rows, none = []string{"(" + strings.TrimSuffix(strings.Repeat("NULL, ", len(fields)), ", ") + ")"}, " LIMIT 0"
	}
	t.From = "(SELECT " + strings.Join(items, ", ") + " FROM (VALUES " + strings.Join(rows, ", ") + ")" + none + ")"
	return t, err
}

func schemata(ctx context.Context, d described, dataset string, add func(...string)) error {
	names, err := d.datasets(ctx)
	if err != nil {
		return err
	}
	kept, err := d.keptDatasets(ctx)
	for _, name := range names {
		v := kept[strings.ToLower(name)]
		add(d.project(), quote.Text(name), "NULL", momentText(v.Created), momentText(v.Modified), quote.Text(cmp.Or(v.Location, "US")),
			quote.Text(d.schemaDDL(name, v)), "'NULL'")
	}
	return err
}

func tables(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.relations(ctx, dataset)
	if err != nil {
		return err
	}
	c, err := d.constraints(ctx)
	for _, r := range all {
		insertable, of, at := "'YES'", []string{"NULL", "NULL", "NULL"}, "NULL"
		if r.view || r.kept.SnapshotOf != "" {
			insertable = "'NO'"
		}
		if parts := strings.Split(r.kept.SnapshotOf, "."); len(parts) > 1 {
			of, at = []string{d.project(), quote.Text(parts[len(parts)-2]), quote.Text(parts[len(parts)-1])}, momentText(r.kept.Created)
		}
		add(d.project(), quote.Text(r.schema), quote.Text(r.name), quote.Text(r.kind()), "NULL", insertable, "'NO'", "'NO'", "'NO'",
			momentText(r.kept.Created), of[0], of[1], of[2], at, "NULL", "NULL", "NULL", "NULL", "NULL", quote.Text(d.ddl(ctx, r, c)), "'NULL'")
	}
	return err
}

func views(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.relations(ctx, dataset)
	for _, r := range all {
		if r.view && !r.objects {
			add(d.project(), quote.Text(r.schema), quote.Text(r.name), quote.Text(r.query()), "NULL", "'YES'")
		}
	}
	return err
}

// materializedViews have no time of a refresh: they are computed when they are read.
func materializedViews(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.relations(ctx, dataset)
	for _, r := range all {
		if r.kept.Materialized {
			add(d.project(), quote.Text(r.schema), quote.Text(r.name))
		}
	}
	return err
}

func columnsView(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.relations(ctx, dataset)
	if err != nil {
		return err
	}
	c, err := d.constraints(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		names, types, _ := d.typed(ctx, r)
		for i, name := range names {
			key := strings.ToLower(r.schema + "." + r.name + "." + name)
			nullable := "'YES'"
			if c.required[key] {
				nullable = "'NO'"
			}
			standard := "'NULL'"
			if c.defaults[key] != "" {
				standard = quote.Text(cmp.Or(r.columns[strings.ToLower(name)].Default, c.defaults[key]))
			}
			place, hidden, partitioning, clustering := strconv.Itoa(i+1), "'NO'", "'NO'", "NULL"
			p := r.kept.Partitioning
			if name == writer.PartitionTime {
				place, hidden = "NULL", "'YES'"
			}
			if p != nil && (strings.EqualFold(p.Column, name) || p.Column == "" && name == writer.PartitionTime) {
				partitioning = "'YES'"
			}
			if at := slices.IndexFunc(r.kept.Clustering, func(c string) bool { return strings.EqualFold(c, name) }); at >= 0 {
				clustering = strconv.Itoa(at + 1)
			}
			add(d.project(), quote.Text(r.schema), quote.Text(r.name), quote.Text(name), place, nullable, quote.Text(types[i]),
				"'NEVER'", "NULL", "NULL", "NULL", hidden, "NULL", hidden, partitioning, clustering, "'NULL'", standard)
		}
	}
	return nil
}

func fieldPaths(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.relations(ctx, dataset)
	for _, r := range all {
		names, types, fields := d.typed(ctx, r)
		for i, name := range names {
			var walk func(path, written string, t googlesql.Type)
			walk = func(path, written string, t googlesql.Type) {
				add(d.project(), quote.Text(r.schema), quote.Text(r.name), quote.Text(name), quote.Text(path), quote.Text(written),
					textOrNull(r.columns[strings.ToLower(path)].Description), "'NULL'")
				if t.Kind == googlesql.Array && t.Elem != nil {
					t = *t.Elem
				}
				for _, f := range t.Fields {
					walk(path+"."+f.Name, r.written(path+"."+f.Name, f.Type), f.Type)
				}
			}
			walk(name, types[i], fields[i])
		}
	}
	return err
}

func oldTables(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.relations(ctx, dataset)
	for _, r := range all {
		kind := map[string]string{"BASE TABLE": "1", "SNAPSHOT": "1", "VIEW": "2", "MATERIALIZED VIEW": "2", "EXTERNAL": "3"}[r.kind()]
		rows, bytes := strconv.FormatInt(r.rows, 10), "NULL"
		if !r.view {
			if rows, bytes, err = d.logical(ctx, r, ""); err != nil {
				return err
			}
		}
		add(d.project(), quote.Text(r.schema), quote.Text(r.name), millisText(r.kept.Created),
			millisText(cmp.Or(r.kept.Modified, r.kept.Created)), rows, bytes, kind)
	}
	return err
}

// millisText writes a moment as milliseconds.
func millisText(t *time.Time) string {
	if t == nil {
		return "NULL"
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// logical gives the number of a table's rows, or of those of a condition, and their bytes as BigQuery counts them.
func (d described) logical(ctx context.Context, r relation, where string) (rows, bytes string, err error) {
	names, _, types := d.typed(ctx, r)
	var columns []googlesql.Field
	for i, name := range names {
		if types[i].Kind != 0 && name != writer.PartitionTime {
			columns = append(columns, googlesql.Field{Name: name, Type: types[i]})
		}
	}
	from := quote.Path(d.Catalog.Database, r.schema, r.name)
	if where != "" {
		from = "(FROM " + from + " WHERE " + where + ")"
	}
	found, err := d.Catalog.Rows(ctx, logicalbytes.Table(from, columns, r.rows))
	if err != nil || len(found) == 0 {
		return "NULL", "NULL", err
	}
	return fmt.Sprint(found[0][0]), fmt.Sprint(found[0][1]), nil
}

func modelsView(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.Catalog.List(ctx)
	for _, m := range all {
		if m.Database != "" && (dataset == "" || strings.EqualFold(m.Schema, dataset)) {
			add(d.project(), quote.Text(m.Schema), quote.Text(m.Name), quote.Text(m.Spec.Type), timeText(m.Spec.Created), timeText(m.Spec.Modified))
		}
	}
	return err
}

// wildcard describes all tables of a dataset whose names begin in one way: the columns are those of the newest, and the rest of each
// name is the pseudo-column _TABLE_SUFFIX (https://docs.cloud.google.com/bigquery/docs/querying-wildcard-tables).
func (d described) wildcard(ctx context.Context, path []string) (t translator.Table, err error) {
	parts, err := d.Catalog.WithoutProject(ctx, path)
	if err != nil || len(parts) < 2 {
		return t, translator.ErrNotFound
	}
	schema, prefix := parts[len(parts)-2], strings.TrimSuffix(parts[len(parts)-1], "*")
	where := "lower(schema_name) = lower(" + quote.Text(schema) + ") AND starts_with(table_name, " + quote.Text(prefix) + ")"
	if len(parts) == 3 {
		where += " AND lower(database_name) = lower(" + quote.Text(parts[0]) + ")"
	} else {
		where += " AND database_name = current_database()"
	}
	rows, err := d.Catalog.Rows(ctx, "SELECT database_name, schema_name, table_name FROM duckdb_tables() WHERE "+where+
		" ORDER BY table_oid DESC")
	if err != nil {
		return t, err
	}
	if len(rows) == 0 {
		return t, fmt.Errorf("%s does not match any table", strings.Join(path, "."))
	}
	var union []string
	for i, r := range rows {
		name := fmt.Sprint(r[2])
		from := quote.Path(fmt.Sprint(r[0]), fmt.Sprint(r[1]), name)
		columns := d.Describe(ctx, "SELECT * FROM "+from)
		if i == 0 {
			if t.Columns = d.columns(columns); len(t.Columns) == 0 {
				return t, translator.ErrNotFound
			}
		}
		items := make([]string, len(t.Columns), len(t.Columns)+1)
		for k, c := range t.Columns {
			items[k] = "NULL::" + c.Type.DuckDB()
			if _, ok := named(columns, c.Name); ok {
				items[k] = "CAST(" + quote.Name(c.Name) + " AS " + c.Type.DuckDB() + ")"
			}
			items[k] += " AS " + quote.Name(c.Name)
		}
		items = append(items, quote.Text(strings.TrimPrefix(name, prefix))+` AS "_TABLE_SUFFIX"`)
		union = append(union, "SELECT "+strings.Join(items, ", ")+" FROM "+from)
	}
	for i := range t.Columns {
		t.Columns[i].Expr = quote.Name(t.Columns[i].Name)
	}
	t.Columns = append(t.Columns, translator.Column{
		Name: "_TABLE_SUFFIX", Type: googlesql.Type{Kind: googlesql.String}, Expr: `"_TABLE_SUFFIX"`, Pseudo: true,
	})
	t.From = "(" + strings.Join(union, " UNION ALL ") + ")"
	return t, nil
}
