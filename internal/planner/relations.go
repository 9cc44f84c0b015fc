package planner

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

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

// datasets lists the schemas of the current database but for one that holds Mallard's own tables alone.
func (d described) datasets(ctx context.Context) (names []string, err error) {
	rows, err := d.Catalog.Rows(ctx, "SELECT schema_name FROM duckdb_schemas() AS s WHERE database_name = current_database() AND (NOT "+
		"internal OR schema_name = 'main') AND "+
		"(schema_name NOT IN ('"+metadata.Schema+"', '"+metadata.AnswersSchema+"', '"+metadata.OldAnswersSchema+
		"') OR EXISTS (FROM duckdb_tables() AS t WHERE t.database_name = current_database() "+
		"AND t.schema_name = s.schema_name AND NOT "+metadata.Hidden+")) ORDER BY 1")
	for _, r := range rows {
		names = append(names, fmt.Sprint(r[0]))
	}
	return names, err
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
