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
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// datasetView is a view of BigQuery's over a dataset, by the names and types of its columns.
type datasetView struct {
	columns string // as output_schema writes them
	rows    func(ctx context.Context, d described, dataset string, add func(values ...string)) error
}

// datasetViews are the views of INFORMATION_SCHEMA, and the older __TABLES__
// (https://docs.cloud.google.com/bigquery/docs/information-schema-intro). What DuckDB does not know, such as when a table was made, is
// NULL.
var datasetViews = map[string]datasetView{
	"SCHEMATA": {"catalog_name STRING, schema_name STRING, schema_owner STRING, creation_time TIMESTAMP, last_modified_time TIMESTAMP, " +
		"location STRING, " +
		"ddl STRING, default_collation_name STRING", schemata},
	"TABLES": {"table_catalog STRING, table_schema STRING, table_name STRING, table_type STRING, is_insertable_into STRING, " +
		"is_typed STRING, " +
		"creation_time TIMESTAMP, ddl STRING, default_collation_name STRING", tables},
	"VIEWS": {"table_catalog STRING, table_schema STRING, table_name STRING, view_definition STRING, check_option STRING, use_standard_sql " +
		"STRING", views},
	"MATERIALIZED_VIEWS": {"table_catalog STRING, table_schema STRING, table_name STRING, last_refresh_time TIMESTAMP, " +
		"refresh_watermark TIMESTAMP, last_refresh_status STRUCT<reason STRING, location STRING, message STRING>", materializedViews},
	"COLUMNS": {"table_catalog STRING, table_schema STRING, table_name STRING, column_name STRING, ordinal_position INT64, is_nullable " +
		"STRING, " +
		"data_type STRING, is_generated STRING, generation_expression STRING, is_stored STRING, is_hidden STRING, is_updatable STRING, " +
		"is_system_defined STRING, is_partitioning_column STRING, clustering_ordinal_position INT64, collation_name STRING, column_default " +
		"STRING, " +
		"rounding_mode STRING", columnsView},
	"COLUMN_FIELD_PATHS": {"table_catalog STRING, table_schema STRING, table_name STRING, column_name STRING, field_path STRING, data_type " +
		"STRING, " +
		"description STRING, collation_name STRING, rounding_mode STRING", fieldPaths},
	"TABLE_OPTIONS": {"table_catalog STRING, table_schema STRING, table_name STRING, option_name STRING, option_type STRING, " +
		"option_value STRING", tableOptions},
	"SCHEMATA_OPTIONS": {"catalog_name STRING, schema_name STRING, option_name STRING, option_type STRING, option_value STRING",
		schemataOptions},
	"PARTITIONS": {"table_catalog STRING, table_schema STRING, table_name STRING, partition_id STRING, total_rows INT64, " +
		"total_logical_bytes INT64, " +
		"last_modified_time TIMESTAMP, storage_tier STRING", partitions},
	"MODELS": {"model_catalog STRING, model_schema STRING, model_name STRING, model_type STRING, creation_time TIMESTAMP, " +
		"last_modified_time TIMESTAMP", modelsView},
	"ROUTINES": {"specific_catalog STRING, specific_schema STRING, specific_name STRING, routine_catalog STRING, routine_schema STRING, " +
		"routine_name STRING, " +
		"routine_type STRING, data_type STRING, routine_body STRING, routine_definition STRING, external_language STRING, is_deterministic " +
		"STRING, " +
		"security_type STRING, created TIMESTAMP, last_altered TIMESTAMP, ddl STRING", routinesView},
	"PARAMETERS": {"specific_catalog STRING, specific_schema STRING, specific_name STRING, ordinal_position INT64, parameter_mode STRING, " +
		"is_result STRING, " +
		"parameter_name STRING, data_type STRING, parameter_default STRING, is_aggregate BOOL", parametersView},
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

// relation is a table or view of a dataset; that of a model or a routine is none.
type relation struct {
	schema, name, sql string
	view, objects     bool
	rows              int64
	kept              metadata.Value
	columns           map[string]metadata.Value // what is kept of columns and fields, by their lower-case paths
}

// relations lists the tables and views of a dataset, or with "" of all datasets of the current database.
func (d described) relations(ctx context.Context, dataset string) ([]relation, error) {
	where := " WHERE database_name = current_database() AND NOT internal"
	if dataset != "" {
		where += " AND lower(schema_name) = lower(" + quote.Text(dataset) + ")"
	}
	rows, err := d.Catalog.Rows(ctx, "SELECT schema_name, table_name, sql, false, estimated_size::BIGINT FROM duckdb_tables()"+where+
		" AND NOT "+metadata.Hidden+
		" UNION ALL SELECT schema_name, view_name, sql, true, 0 FROM duckdb_views()"+where+" ORDER BY 1, 2")
	if err != nil {
		return nil, err
	}
	models, err := d.Catalog.List(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := d.keptRelations(ctx, dataset)
	if err != nil {
		return nil, err
	}
	hidden := map[string]bool{}
	for _, m := range models {
		hidden[strings.ToLower(m.Schema+"."+m.Name)] = true
	}
	var all []relation
	for _, r := range rows {
		x := relation{schema: fmt.Sprint(r[0]), name: fmt.Sprint(r[1]), sql: fmt.Sprint(r[2])}
		x.view, _ = r[3].(bool)
		x.rows, _ = r[4].(int64)
		if hidden[strings.ToLower(x.schema+"."+x.name)] || x.view && strings.Contains(x.sql, writer.RoutineFormat) {
			continue
		}
		x.objects = x.view && (strings.Contains(x.sql, catalog.ObjectTableMark) || strings.Contains(x.sql, catalog.ExternalTableMark))
		if k := kept[strings.ToLower(x.schema+"."+x.name)]; k != nil {
			x.kept, x.columns = k.kept, k.columns
		}
		if x.kept.Expires == nil || x.kept.Expires.After(time.Now()) {
			all = append(all, x)
		}
	}
	return all, nil
}

// keptRelations gives what is kept of tables and views, by their lower-case names.
func (d described) keptRelations(ctx context.Context, dataset string) (map[string]*relation, error) {
	all, err := d.Metadata(d.Catalog.Database).List(ctx, dataset)
	kept := map[string]*relation{}
	for _, e := range all {
		if e.Kind != metadata.Table && e.Kind != metadata.View && e.Kind != metadata.Column {
			continue
		}
		key := strings.ToLower(e.Dataset + "." + e.Name)
		if kept[key] == nil {
			kept[key] = &relation{columns: map[string]metadata.Value{}}
		}
		if e.Kind == metadata.Column {
			kept[key].columns[strings.ToLower(e.Column)] = e.Value
			continue
		}
		kept[key].kept = e.Value
	}
	return kept, err
}

// keptDatasets gives what is kept of datasets, by their lower-case names.
func (d described) keptDatasets(ctx context.Context) (map[string]metadata.Value, error) {
	all, err := d.Metadata(d.Catalog.Database).List(ctx, "")
	kept := map[string]metadata.Value{}
	for _, e := range all {
		if e.Kind == metadata.Dataset {
			kept[strings.ToLower(e.Dataset)] = e.Value
		}
	}
	return kept, err
}

func momentText(t *time.Time) string {
	if t == nil {
		return "NULL"
	}
	return timeText(*t)
}

// project is the catalog of all rows: the configured project, else the database.
func (d described) project() string {
	return quote.Text(cmp.Or(d.Config.BigQuery.Project, d.Catalog.Database))
}

// kind is a relation's table_type.
func (r relation) kind() string {
	switch {
	case r.objects:
		return "EXTERNAL"
	case r.kept.SnapshotOf != "":
		return "SNAPSHOT"
	case r.kept.Materialized:
		return "MATERIALIZED VIEW"
	case r.view:
		return "VIEW"
	}
	return "BASE TABLE"
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

// datasets lists the schemas of the current database but for one that holds Mallard's own tables alone.
func (d described) datasets(ctx context.Context) (names []string, err error) {
	rows, err := d.Catalog.Rows(ctx, "SELECT schema_name FROM duckdb_schemas() AS s WHERE database_name = current_database() AND (NOT "+
		"internal OR schema_name = 'main') AND "+
		"(schema_name NOT IN ('"+metadata.Schema+"', '"+metadata.AnswersSchema+
		"') OR EXISTS (FROM duckdb_tables() AS t WHERE t.database_name = current_database() "+
		"AND t.schema_name = s.schema_name AND NOT "+metadata.Hidden+")) ORDER BY 1")
	for _, r := range rows {
		names = append(names, fmt.Sprint(r[0]))
	}
	return names, err
}

func tables(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.relations(ctx, dataset)
	if err != nil {
		return err
	}
	c, err := d.constraints(ctx)
	for _, r := range all {
		insertable := "'YES'"
		if r.view || r.kept.SnapshotOf != "" {
			insertable = "'NO'"
		}
		add(d.project(), quote.Text(r.schema), quote.Text(r.name), quote.Text(r.kind()), insertable, "'NO'", momentText(r.kept.Created),
			quote.Text(d.ddl(ctx, r, c)), "'NULL'")
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

// query is the text of a view: in GoogleSQL where it was made so, else DuckDB's.
func (r relation) query() string {
	_, body, _ := strings.Cut(r.sql, " AS ")
	return cmp.Or(r.kept.Query, strings.TrimSuffix(body, ";"))
}

// typed gives the columns of a relation with their GoogleSQL types; a type without one has DuckDB's name.
func (d described) typed(ctx context.Context, r relation) (names, types []string, fields []googlesql.Type) {
	for _, c := range d.Describe(ctx, "SELECT * FROM "+quote.Path(r.schema, r.name)) {
		t, err := c.Type.GoogleSQL()
		name := r.written(c.Name, t)
		if err != nil {
			name = c.Type.String()
		}
		names, types, fields = append(names, c.Name), append(types, name), append(fields, t)
	}
	return names, types, fields
}

// written is the type of a column or a field as it was declared.
func (r relation) written(path string, t googlesql.Type) string {
	of := r.columns[strings.ToLower(path)]
	switch {
	case t.Kind == googlesql.Array && t.Elem != nil:
		return "ARRAY<" + r.written(path, *t.Elem) + ">"
	case of.Type != "":
		return of.Type
	case t.Kind != googlesql.Struct:
		return t.String()
	}
	parts := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		parts[i] = f.Type.String()
		if f.Name != "" {
			at := path + "." + f.Name
			parts[i] = googlesql.NameIfNeeded(f.Name) + " " + r.written(at, f.Type)
			if r.columns[strings.ToLower(at)].Required {
				parts[i] += " NOT NULL"
			}
		}
	}
	return "STRUCT<" + strings.Join(parts, ", ") + ">"
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
				"'NEVER'", "NULL", "NULL", hidden, "NULL", hidden, partitioning, clustering, "'NULL'", standard)
		}
	}
	return nil
}

// constraints are the columns that take no NULL, and the defaults, by their lower-case names.
type constraints struct {
	required map[string]bool
	defaults map[string]string
}

func (d described) constraints(ctx context.Context) (constraints, error) {
	rows, err := d.Catalog.Rows(ctx, "SELECT lower(schema_name || '.' || table_name || '.' || column_name), is_nullable, column_default "+
		"FROM duckdb_columns() "+
		"WHERE database_name = current_database() AND NOT internal")
	c := constraints{map[string]bool{}, map[string]string{}}
	for _, r := range rows {
		key := fmt.Sprint(r[0])
		c.required[key] = r[1] == false
		if s, ok := r[2].(string); ok {
			c.defaults[key] = s
		}
	}
	return c, err
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
		kind := map[string]string{"BASE TABLE": "1", "VIEW": "2", "EXTERNAL": "3"}[r.kind()]
		add(d.project(), quote.Text(r.schema), quote.Text(r.name), "NULL", "NULL", strconv.FormatInt(r.rows, 10), "NULL", kind)
	}
	return err
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
