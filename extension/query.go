package extension

import (
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/mallardml/mallard/internal/duckapi"
)

// query runs the planned text for its rows.
func (x *execution) query(args []driver.NamedValue) (driver.Rows, error) {
	st, err := x.prepare()
	if err != nil {
		return nil, err
	}
	return x.queryPrepared(st, args, st.Close)
}

// queryPrepared runs the statement prepared from the planned text for its rows. closed follows the rows, or the error.
func (x *execution) queryPrepared(st *duckdb.Stmt, args []driver.NamedValue, closed func() error) (driver.Rows, error) {
	mode := duckapi.Whole
	if streaming(x.ctx) && !x.waits && !x.q.waits.Load() && !x.followed() {
		mode = duckapi.Streamed
	}
	res, err := x.start(st, args, mode)
	if mode == duckapi.Streamed && errors.Is(err, duckapi.ErrNotStarted) {
		mode = duckapi.Whole
		res, err = x.start(st, args, mode)
	}
	if errors.Is(err, duckapi.ErrNotStarted) {
		return x.reason(st, closed)
	}
	if err != nil {
		return nil, errors.Join(err, closed())
	}
	if mode == duckapi.Whole {
		x.count = int64(changed(mapping.RowsChanged(&res)))
	}
	r, err := newRows(res, closed)
	if err != nil {
		mapping.DestroyResult(&res)
		return nil, errors.Join(err, closed())
	}
	r.owns = true
	if mode == duckapi.Streamed {
		r.live, x.kept, x.args = x, true, args
	}
	return r, nil
}

// followed reports whether the connection runs more than the statement before its caller reads the rows, which would end a result that
// streams.
func (x *execution) followed() bool {
	return x.plan != nil && (changesData(x.plan.Verb) || x.plan.ChangesSettings() || x.plan.Together())
}

// reason lets the driver run a statement that did not start, which tells why.
func (x *execution) reason(st *duckdb.Stmt, closed func() error) (driver.Rows, error) {
	from, err := st.QueryBound(x.ctx)
	if err != nil {
		return nil, errors.Join(err, closed())
	}
	end := func() error { return errors.Join(from.Close(), closed()) }
	res, err := duckapi.Result(from)
	if err != nil {
		return nil, errors.Join(err, end())
	}
	r, err := newRows(res, end)
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return r, nil
}

// exec runs the planned text for what it changes.
func (x *execution) exec(args []driver.NamedValue) (driver.Result, error) {
	st, err := x.prepare()
	if err != nil {
		return nil, err
	}
	res, err := x.execPrepared(st, args)
	return res, errors.Join(err, st.Close())
}

// execPrepared runs the statement prepared from the planned text for what it changes.
func (x *execution) execPrepared(st *duckdb.Stmt, args []driver.NamedValue) (driver.Result, error) {
	res, err := x.start(st, args, duckapi.Whole)
	if errors.Is(err, duckapi.ErrNotStarted) {
		return st.ExecBound(x.ctx)
	}
	if err != nil {
		return nil, err
	}
	defer mapping.DestroyResult(&res)
	n := changed(mapping.RowsChanged(&res))
	x.count = int64(n)
	return n, nil
}

// changed is how many rows a statement has changed.
type changed int64

// LastInsertId implements [driver.Result]. DuckDB has no such thing; as with duckdb-go it is 0.
func (changed) LastInsertId() (int64, error) { return 0, nil }

// RowsAffected implements [driver.Result].
func (c changed) RowsAffected() (int64, error) { return int64(c), nil }

// changesData reports whether a statement changes the rows of a table, which @@row_count counts.
func changesData(verb string) bool {
	switch first, _, _ := strings.Cut(verb, " "); first {
	case "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE":
		return true
	}
	return false
}
