package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/planner"
)

// conn is a DuckDB connection that reads ML statements. It embeds the concrete type and overrides exactly the methods
// that carry SQL text or end a transaction, so that everything else of the driver's stays reachable.
type conn struct {
	*duckdb.Conn
	c  *Connector
	in *instance
	h  mapping.Connection
	id uint64

	// making is true while the connection's macros are made: DuckDB binds their bodies then, which need not look at anything.
	making atomic.Bool

	session session

	bare bare // for the helpers of duckdb-go

	narrowed bool // enable_caching_operators is off for a statement that reads objects
}

var _ interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
} = (*conn)(nil)

func newConn(ctx context.Context, c *Connector, inner *duckdb.Conn) (*conn, error) {
	h, err := duckapi.Connection(inner)
	if err != nil {
		return nil, err
	}
	n := &conn{Conn: inner, c: c, in: c.in, h: h, id: duckapi.ConnectionID(h)}
	n.session.n = n
	if err := n.session.readSchema(ctx); err != nil {
		return nil, err
	}
	n.in.conns.Store(n.id, n)
	n.making.Store(true)
	defer n.making.Store(false)
	if _, err := inner.ExecContext(ctx, strings.Join(planner.Macros(), ";\n"), nil); err != nil {
		n.in.conns.Delete(n.id)
		return nil, fmt.Errorf("preparing the connection: %w", err)
	}
	return n, nil
}

// Raw gives DuckDB's own connection, for appenders, Arrow and the like.
func (n *conn) Raw() *duckdb.Conn { return n.Conn }

// CheckNamedValue implements [driver.NamedValueChecker].
func (n *conn) CheckNamedValue(v *driver.NamedValue) error {
	if duckapi.Takes(v.Value) {
		return nil
	}
	return driver.ErrSkip
}

// Close implements [driver.Conn].
func (n *conn) Close() error {
	n.in.conns.Delete(n.id)
	n.in.queries.Delete(n.id)
	return errors.Join(n.Conn.Close(), n.bare.close())
}

// Prepare implements [driver.Conn].
func (n *conn) Prepare(query string) (driver.Stmt, error) {
	return n.PrepareContext(context.Background(), query)
}

// PrepareContext implements [driver.ConnPrepareContext]. As with duckdb-go, all statements of the text but the last run
// at once.
func (n *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	last, err := n.leading(ctx, query)
	if err != nil {
		return nil, err
	}
	return n.prepare(ctx, query, last)
}

// ExecContext implements [driver.ExecerContext]. Arguments belong to the last statement of the text.
func (n *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	last, err := n.leading(ctx, query)
	if err != nil {
		return nil, err
	}
	var res driver.Result
	err = n.run(ctx, query, last, func(x *execution) (err error) {
		res, err = x.exec(args)
		return err
	})
	return res, err
}

// QueryContext implements [driver.QueryerContext]. Arguments belong to the last statement of the text.
func (n *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	last, err := n.leading(ctx, query)
	if err != nil {
		return nil, err
	}
	var rows driver.Rows
	err = n.run(ctx, query, last, func(x *execution) (err error) {
		rows, err = x.query(args)
		return err
	})
	return rows, err
}

// leading runs all statements of a text but the last, which it returns.
func (n *conn) leading(ctx context.Context, src string) (dialect.Statement, error) {
	all := dialect.Split(src, n.c.lang)
	if len(all) == 0 { // DuckDB says best what it thinks of an empty text
		return dialect.Statement{Span: dialect.Span{Pos: 0, End: len(src)}, Lang: dialect.DuckDB}, nil
	}
	for _, st := range all[:len(all)-1] {
		err := n.run(ctx, src, st, func(x *execution) error {
			_, err := x.exec(nil)
			return err
		})
		if err != nil {
			return dialect.Statement{}, err
		}
	}
	return all[len(all)-1], nil
}

// rows runs a query of our own on the connection and returns all of its values.
func (n *conn) rows(ctx context.Context, query string) ([][]driver.Value, error) {
	return allRows(ctx, n.Conn, query)
}

func allRows(ctx context.Context, c *duckdb.Conn, query string) (all [][]driver.Value, err error) {
	rows, err := c.QueryContext(ctx, query, nil)
	if err != nil {
		return nil, err
	}
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
