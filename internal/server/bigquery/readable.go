package bigquery

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strings"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/googlesql"
)

// Readable is a table for those who read it by other means than this API.
type Readable struct {
	SQL       string // how DuckDB calls it; "" for what has no rows of its own, such as a view
	GoogleSQL string // how GoogleSQL calls it
	Columns   []googlesql.Field
	Fixed     bool // nobody changes its rows
}

// resultName is a name of [newID]'s: such a table of the anonymous dataset is a result, and stays as it is.
var resultName = regexp.MustCompile(`^[a-z]+[0-9a-f]{32}$`)

// Readable finds a table or a view.
func (s *Service) Readable(ctx context.Context, project, dataset, table string) (Readable, error) {
	r, err := s.relation(ctx, project, dataset, table)
	if err != nil {
		return Readable{}, err
	}
	if r.part.id != "" {
		return Readable{}, unsupported("Table %s$%s: partitions are not read one by one here; use a row_restriction", r, r.part.id)
	}
	of := Readable{
		GoogleSQL: strings.Join([]string{googlesql.QuoteName(r.database), googlesql.QuoteName(r.name), googlesql.QuoteName(r.table)}, "."),
		Fixed:     r.anonymous() && resultName.MatchString(r.table),
	}
	if r.kind == "TABLE" {
		of.SQL = r.sql()
	}
	of.Columns, err = s.columns(ctx, r)
	return of, err
}

// Keep runs a query and keeps its rows in a table of the anonymous dataset, until drop is called.
func (s *Service) Keep(ctx context.Context, query string) (of Readable, drop func(context.Context) error, err error) {
	c, err := s.DB.Conn(ctx)
	if err != nil {
		return of, nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var r *result
	if err := raw(c, func(n chunked) error {
		chunks, err := n.QueryChunks(mallard.WithStreaming(ctx), query, nil)
		if err != nil {
			return err
		}
		r, err = s.keep(ctx, chunks, newID("read"))
		return errors.Join(err, chunks.Close())
	}); err != nil {
		return of, nil, errors.Join(err, r.drop(context.WithoutCancel(ctx), s))
	}
	drop = func(ctx context.Context) error {
		if err := r.drop(ctx, s); !errors.Is(err, sql.ErrConnDone) {
			return err
		}
		return nil
	}
	return Readable{SQL: r.table, Columns: r.columns, Fixed: true}, drop, nil
}
