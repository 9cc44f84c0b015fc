package extension

import (
	"context"
	"fmt"

	"github.com/mallardml/mallard/internal/duckapi"
)

// inSmallChunks runs a statement; one that reads objects' bytes with chunks as small as the scan cuts them: behind a filter, DuckDB
// would join them up to 2,048 objects, which all must be held. What a statement reads shows when it is bound: a prepared
// one knows already, another is bound twice.
func (x *execution) inSmallChunks(exec func(*execution) error) error {
	if !x.bytes {
		x.q.wide.Store(true)
		err := exec(x)
		x.q.wide.Store(false)
		if err == nil || !duckapi.Carries(err, errWide) {
			return err
		}
		x.bytes = true
	}
	if err := x.s.cachingOperators(x.ctx, false); err != nil {
		return err
	}
	err := exec(x)
	restore := func() error { return x.s.cachingOperators(context.WithoutCancel(x.ctx), true) }
	if x.kept { // another statement would end the rows
		x.restore = restore
		return err
	}
	if back := restore(); err == nil {
		err = back
	}
	return err
}

// cachingOperators switches off, and on again where it was on, that DuckDB joins up small chunks. In an aborted
// transaction it cannot be switched on again; the next statement that reads objects does.
func (s *session) cachingOperators(ctx context.Context, on bool) error {
	if !on && !s.small {
		rows, err := s.rows(ctx, "SELECT current_setting('enable_caching_operators')")
		if err != nil || rows[0][0] != true {
			return nil // in an aborted transaction the statement fails by itself
		}
	}
	if on && !s.small {
		return nil
	}
	if _, err := s.duck.ExecContext(ctx, fmt.Sprintf("SET enable_caching_operators = %t", on), nil); err != nil {
		if on && duckapi.Aborted(err) {
			return nil
		}
		return err
	}
	s.small = !on
	return nil
}
