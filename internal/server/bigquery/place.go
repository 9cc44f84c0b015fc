package bigquery

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	"github.com/mallardml/mallard/internal/quote"
)

// sessionPrefix begins the names of the databases in memory of sessions, which are their datasets.
const sessionPrefix = "_mallard_session_"

// schema is where DuckDB keeps a dataset.
type schema struct {
	project, dataset string // as BigQuery's client calls it
	database, name   string // as DuckDB does
}

func (d schema) sql() string              { return quote.Path(d.database, d.name) }
func (d schema) table(name string) string { return quote.Path(d.database, d.name, name) }
func (d schema) String() string           { return d.project + ":" + d.dataset }
func (d schema) anonymous() bool {
	return d.database == Anonymous || strings.HasPrefix(d.database, sessionPrefix)
}
func (d schema) qualify(name string) string { return d.String() + "." + name }

// Names of datasets and tables (https://docs.cloud.google.com/bigquery/docs/datasets#dataset-naming and
// https://docs.cloud.google.com/bigquery/docs/tables#table_naming).
var (
	datasetName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	tableName   = regexp.MustCompile(`^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]+$`)
)

// maxName is how many bytes a name may have.
const maxName = 1024

// schema finds the place of a dataset, which need not be there.
func (s *Service) schema(ctx context.Context, project, dataset string) (schema, error) {
	d := schema{project: project, dataset: dataset, name: dataset}
	if len(dataset) > maxName || !datasetName.MatchString(dataset) {
		return d, invalid("Invalid dataset ID %q. Dataset IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long.",
			dataset)
	}
	if project == s.Project {
		d.database = s.database
		if dataset == Anonymous {
			d.database, d.name = Anonymous, "main"
		}
		if strings.HasPrefix(dataset, sessionPrefix) {
			d.database, d.name = dataset, "main"
		}
		return d, nil
	}
	attached, err := s.attached(ctx)
	if err != nil {
		return d, err
	}
	for _, name := range attached {
		if strings.EqualFold(name, project) {
			d.database = name
			return d, nil
		}
	}
	return d, notFound("Not found: Project %s. This server's project is %s (-project names it).", project, s.Project)
}

// dataset finds the place of a dataset that must be there.
func (s *Service) dataset(ctx context.Context, project, dataset string) (schema, error) {
	d, err := s.schema(ctx, project, dataset)
	if err != nil {
		return d, err
	}
	there, err := s.exists(ctx, d)
	if err == nil && !there {
		err = notFound("Not found: Dataset %s", d)
	}
	return d, err
}

func (s *Service) exists(ctx context.Context, d schema) (there bool, err error) {
	err = s.duck(ctx, func(c *sql.Conn) error {
		return c.QueryRowContext(ctx, "SELECT count(*) > 0 FROM duckdb_schemas() WHERE database_name = ? AND lower(schema_name) = lower(?)",
			d.database, d.name).Scan(&there)
	})
	return there, err
}

// attached lists the databases that are projects of their own names.
func (s *Service) attached(ctx context.Context) (all []string, err error) {
	err = s.duck(ctx, func(c *sql.Conn) error {
		all, err = texts(ctx, c, "SELECT database_name FROM duckdb_databases() WHERE NOT internal AND database_name NOT IN (?, ?) AND NOT "+
			"starts_with(database_name, '"+sessionPrefix+"') ORDER BY 1",
			s.database, Anonymous)
		return err
	})
	return all, err
}

// texts gives the first column of a query.
func texts(ctx context.Context, c *sql.Conn, query string, args ...any) (all []string, err error) {
	rows, err := c.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

func tableID(name string) error {
	if len(name) > maxName || !tableName.MatchString(name) {
		return invalid("Invalid table ID %q. Table IDs must be letters, marks, numbers, connectors, dashes or spaces, at most 1024 of them.",
			name)
	}
	return nil
}

func (s *Service) checkProject(ctx context.Context, project string) error {
	_, err := s.schema(ctx, project, "main")
	return err
}

func selfLink(r *call, format string, args ...any) string {
	return r.base() + fmt.Sprintf(format, args...)
}
