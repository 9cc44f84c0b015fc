package bigquery

import (
	"context"
	"database/sql"
	"strings"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
)

// relation is a table, a view or a model as DuckDB knows it.
type relation struct {
	schema
	table string // its name
	kind  string // TABLE, VIEW, EXTERNAL or MODEL
	text  string // of a view, as DuckDB writes it
	spec  *modelspec.Spec
	part  partition
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
		rows, err := c.QueryContext(ctx, "SELECT table_name AS name, '' AS text FROM duckdb_tables()"+named("table_name")+
			" AND NOT "+metadata.Hidden+
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
				} else if strings.Contains(r.text, catalog.ObjectTableMark) || strings.Contains(r.text, catalog.ExternalTableMark) {
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
	table, id, parted := strings.Cut(table, "$")
	all, err := s.relations(ctx, d, table)
	if err != nil {
		return relation{}, err
	}
	for _, r := range all {
		if r.kind == "MODEL" {
			continue
		}
		if parted {
			r.part, err = s.partition(ctx, r, id)
		}
		return r, err
	}
	return relation{}, notFound("Not found: Table %s", d.qualify(table))
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

// googleSQL is the name in GoogleSQL.
func (r relation) googleSQL() string {
	if r.anonymous() {
		return strings.Join([]string{googlesql.QuoteName(r.database), googlesql.QuoteName(r.name), googlesql.QuoteName(r.table)}, ".")
	}
	return "`" + strings.ReplaceAll(r.project+"`.`"+r.dataset+"`.`"+r.table, "\\", "\\\\") + "`"
}

func (r relation) sql() string { return r.schema.table(r.table) }

// partition is what table$20240101 means: some of a table's rows
// (https://docs.cloud.google.com/bigquery/docs/managing-partitioned-tables). The zero value is all of them.
type partition struct {
	id   string
	rows string // the condition that holds for them, in DuckDB's SQL
	time string // the partition's _PARTITIONTIME in DuckDB's SQL, where that is what the table is partitioned by
}

// from is what the rows of the relation are read from.
func (r relation) from() string {
	if r.part.id == "" {
		return r.sql()
	}
	return "(SELECT * FROM " + r.sql() + " WHERE " + r.part.rows + ")"
}
