package extension

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/planner"
)

// WithDuckDB lends the DuckDB connection under c to f, as a *sql.Conn that the helpers of duckdb-go take:
// RegisterScalarUDF, RegisterTableUDF, GetTableNames, ConnId, GetProfilingInfo, and in its Raw the appender and Arrow. Given c
// itself they panic, since they take the driver's connection for their own type; the panic names this function.
//
// What runs on the lent connection is plain DuckDB, in the transaction that c has open. It is f's alone until f returns: f
// must not use c, nor keep the lent connection. c must be of a database that Mallard has opened.
func WithDuckDB(ctx context.Context, c *sql.Conn, f func(*sql.Conn) error) error {
	return lend(ctx, c, func(n *conn, lent *sql.Conn) error {
		defer n.session.touch([]string{planner.AnyTable}) // whatever f has done
		return f(lent)
	})
}

// WithDuckDBSQL is [WithDuckDB] for callers who need no more than statements: it is known what these change, and prepared statements and
// FOR SYSTEM_TIME AS OF go on from that. The helpers of duckdb-go do not take what it lends.
func WithDuckDBSQL(ctx context.Context, c *sql.Conn, f func(*sql.Conn) error) error {
	return c.Raw(func(dc any) error {
		n, ok := dc.(connection)
		if !ok {
			return fmt.Errorf("WithDuckDBSQL needs a connection of a database that Mallard has opened, not a %T", dc)
		}
		lent, err := n.plain.conn(ctx, &watched{n.Conn, n.session})
		if err != nil {
			return err
		}
		err = f(lent)
		return errors.Join(err, lent.Close())
	})
}

// SetDialect makes a connection read the statements that follow in another dialect.
func SetDialect(c *sql.Conn, lang dialect.Lang) error {
	return c.Raw(func(dc any) error {
		n, ok := dc.(connection)
		if !ok {
			return fmt.Errorf("SetDialect needs a connection of a database that Mallard has opened, not a %T", dc)
		}
		n.session.lang = lang
		return nil
	})
}

// WithMetadata gives f what is kept of the current database besides DuckDB's own catalog: labels, descriptions, expirations and the
// like. f writes in the transaction that c has open, and must not use c. Statements on other connections see what has changed once that
// is over.
func WithMetadata(ctx context.Context, c *sql.Conn, f func(*metadata.Store) error) error {
	return lend(ctx, c, func(n *conn, lent *sql.Conn) error {
		defer n.session.in.epoch.Add(1)
		database, _ := n.session.where()
		return f(metadata.Open(lent, database))
	})
}

func lend(ctx context.Context, c *sql.Conn, f func(*conn, *sql.Conn) error) error {
	return c.Raw(func(dc any) error {
		n, ok := dc.(connection)
		if !ok {
			return fmt.Errorf("this needs a connection of a database that Mallard has opened, not a %T", dc)
		}
		lent, err := n.bare.conn(ctx, n.Conn)
		if err != nil {
			return err
		}
		err = f(n.conn, lent)
		return errors.Join(err, lent.Close())
	})
}
