package extension

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"

	"github.com/duckdb/duckdb-go/v2"
)

// bare is a pool of one connection, the DuckDB connection under one of ours: the helpers of duckdb-go that take a *sql.Conn
// want its driver's own type behind it.
type bare struct {
	mu sync.Mutex
	db *sql.DB
}

// lone is the connector of the pool.
type lone struct{ c driver.Conn }

// Connect implements [driver.Connector].
func (l lone) Connect(context.Context) (driver.Conn, error) { return l.c, nil }

// Driver implements [driver.Connector].
func (l lone) Driver() driver.Driver { return duckdb.Driver{} }

// conn gives the connection of the pool.
func (b *bare) conn(ctx context.Context, inner driver.Conn) (*sql.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.db == nil {
		b.db = sql.OpenDB(lone{inner})
		b.db.SetMaxOpenConns(1)
	}
	return b.db.Conn(ctx)
}

// close ends the pool, after its connection.
func (b *bare) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.db != nil {
		_ = b.db.Close() // it would close the connection once more
	}
	return nil
}
