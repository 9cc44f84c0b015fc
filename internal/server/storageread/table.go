package storageread

import (
	"context"

	"github.com/mallardml/mallard/googlesql"
)

// Table is what a session reads.
type Table struct {
	// Name is how DuckDB's SQL calls a table of rows; "" for a view, an external table and the like, which are read by a query.
	Name string
	// GoogleSQL is how GoogleSQL calls it, in backticks where it must.
	GoogleSQL string
	Columns   []googlesql.Field
	// Fixed says that nobody changes its rows, as nobody does those of a query's result.
	Fixed bool
}

// Tables is where sessions find what they read.
type Tables interface {
	// Table finds a table by its names.
	Table(ctx context.Context, project, dataset, table string) (Table, error)
	// Keep runs a query of GoogleSQL's, and keeps its rows in a table of its own until drop is called.
	Keep(ctx context.Context, query string) (t Table, drop func(context.Context) error, err error)
}
