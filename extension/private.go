package extension

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/udf"
)

// private is a pool of connections of our own, for registration, and for reading the catalog while a statement binds.
type private struct{ db *sql.DB }

// keepOpen hides Close: the private pool is closed before the database that it is of.
type keepOpen struct{ driver.Connector }

func newPrivate(duck *duckdb.Connector) private {
	p := private{sql.OpenDB(keepOpen{duck})}
	p.db.SetMaxIdleConns(2)
	return p
}

// do runs f with a connection of the pool.
func (p private) do(ctx context.Context, f func(c *duckdb.Conn, h mapping.Connection) error) error {
	c, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(dc any) error {
		inner, ok := dc.(*duckdb.Conn)
		if !ok {
			return fmt.Errorf("duckdb-go gave a connection of type %T", dc)
		}
		h, err := duckapi.Connection(inner)
		if err != nil {
			return err
		}
		return f(inner, h)
	})
}

// allRows runs a query of our own and returns all of its values.
func allRows(ctx context.Context, c *duckdb.Conn, query string) ([][]driver.Value, error) {
	rows, err := c.QueryContext(ctx, query, nil)
	if err != nil {
		return nil, err
	}
	return readAll(rows)
}

// readAll gives all values of rows, and closes them.
func readAll(rows driver.Rows) (all [][]driver.Value, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		row := make([]driver.Value, len(rows.Columns()))
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
}

// columns gives the columns of a query.
func columns(ctx context.Context, c *duckdb.Conn, sql string) (all []planner.Column, err error) {
	st, err := c.PrepareContext(ctx, sql)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	ds, ok := st.(*duckdb.Stmt)
	if !ok {
		return nil, fmt.Errorf("a statement of type %T is none of DuckDB's", st)
	}
	p, err := duckapi.Prepared(ds)
	if err != nil {
		return nil, err
	}
	for i := range mapping.PreparedStatementColumnCount(p) {
		t := mapping.PreparedStatementColumnLogicalType(p, i)
		all = append(all, planner.Column{Name: mapping.PreparedStatementColumnName(p, i), Type: udf.TypeOf(t)})
		mapping.DestroyLogicalType(&t)
	}
	return all, nil
}
