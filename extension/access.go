package extension

import (
	"context"
	"errors"
	"sync"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/mallardml/mallard/internal/failure"
)

// errNoAccess is what reading files, buckets and remote models gives where DuckDB may not read files either.
var errNoAccess = failure.As(failure.ErrNoExternalAccess, errors.New("nothing outside the database may be read, "+
	"since enable_external_access is false"))

// access is DuckDB's own switch enable_external_access, which holds for us too. It cannot be switched on again while the
// database is open.
type access struct {
	mu    sync.Mutex
	known bool
	epoch int64 // of the instance, when it was read
	off   bool
}

// externalAccess gives an error when nothing outside the database may be read. It asks DuckDB again after each statement
// that may have changed the switch.
func (in *instance) externalAccess(ctx context.Context) error {
	a := &in.access
	a.mu.Lock()
	defer a.mu.Unlock()
	if epoch := in.epoch.Load(); !a.off && (!a.known || a.epoch != epoch) {
		err := in.private(ctx, func(c *duckdb.Conn, _ mapping.Connection) error {
			rows, err := allRows(ctx, c, "SELECT current_setting('enable_external_access')")
			if err != nil {
				return err
			}
			on, ok := rows[0][0].(bool)
			a.off = ok && !on
			return nil
		})
		if err != nil {
			return err
		}
		a.known, a.epoch = true, epoch
	}
	if a.off {
		return errNoAccess
	}
	return nil
}
