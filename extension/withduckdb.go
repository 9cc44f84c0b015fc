package extension

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// WithDuckDB lends the DuckDB connection under c to f, as a *sql.Conn that the helpers of duckdb-go take:
// RegisterScalarUDF, RegisterTableUDF, GetTableNames, ConnId, GetProfilingInfo, and in its Raw the appender and Arrow. Given c
// itself they panic, since they take the driver's connection for their own type.
//
// What runs on the lent connection is plain DuckDB, in the transaction that c has open. It is f's alone until f returns: f
// must not use c, nor keep the lent connection. c must be of a database that Mallard has opened.
func WithDuckDB(ctx context.Context, c *sql.Conn, f func(*sql.Conn) error) error {
	return c.Raw(func(dc any) error {
		n, ok := dc.(*conn)
		if !ok {
			return fmt.Errorf("WithDuckDB needs a connection of a database that Mallard has opened, not a %T", dc)
		}
		lent, err := n.bare.conn(ctx, n.Conn)
		if err != nil {
			return err
		}
		err = f(lent)
		return errors.Join(err, lent.Close())
	})
}
