package extension

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

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
	private private
	changed *atomic.Int64 // moves with each statement that may have changed the switch
	always  bool          // a host's statements move nothing: the switch is read each time

	mu    sync.Mutex
	known bool
	epoch int64 // when it was read
	off   bool
}

// allowed gives an error when nothing outside the database may be read.
func (a *access) allowed(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if epoch := a.changed.Load(); !a.off && (!a.known || a.always || a.epoch != epoch) {
		err := a.private.do(ctx, func(c *duckdb.Conn, _ mapping.Connection) error {
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
