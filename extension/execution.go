package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/serving"
	"github.com/mallardml/mallard/internal/trace"
)

// execution is a planned statement on its way through DuckDB.
type execution struct {
	n      *conn
	ctx    context.Context // of the caller
	q      *running
	plan   *planner.Plan
	src    string
	end    func() // ends the statement for the callbacks
	cancel context.CancelFunc

	args    []driver.NamedValue // of a stream
	began   time.Time
	bytes   bool         // the plan is known to read the bytes of objects
	waits   bool         // it is known to have functions that wait for something outside
	kept    bool         // rows that are computed as they are read will call end
	restore func() error // what they do before, if anything
}

// execute begins an execution. It is over with done, unless rows keep it.
func (n *conn) execute(ctx context.Context, src string) *execution {
	if n.c.trace != nil {
		ctx = trace.With(ctx, n.c.trace)
	}
	x := &execution{n: n, ctx: ctx, src: src, cancel: func() {}, began: time.Now()}
	x.q, x.end = n.begin(ctx)
	if streaming(ctx) {
		x.q.Context, x.cancel = context.WithCancel(ctx)
	}
	return x
}

func (x *execution) done() {
	if !x.kept {
		x.cancel()
		x.end()
	}
}

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
	if streaming(x.ctx) && !x.waits && !x.q.waits.Load() {
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

// why gives the error that has ended a stream. When one of DuckDB's threads fails, it stops the others, and may tell the reader
// of that only; computed whole, the query says what was wrong.
func (x *execution) why(interrupted error) error {
	st, err := x.prepare()
	if err != nil {
		return interrupted
	}
	defer st.Close()
	if kind, err := st.StatementType(); err != nil || kind != duckdb.STATEMENT_TYPE_SELECT {
		return interrupted
	}
	res, err := x.start(st, x.args, duckapi.Whole)
	if err != nil {
		return err
	}
	mapping.DestroyResult(&res)
	return interrupted
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
	return changed(mapping.RowsChanged(&res)), nil
}

// changed is how many rows a statement has changed.
type changed int64

// LastInsertId implements [driver.Result]. DuckDB has no such thing; as with duckdb-go it is 0.
func (changed) LastInsertId() (int64, error) { return 0, nil }

// RowsAffected implements [driver.Result].
func (c changed) RowsAffected() (int64, error) { return int64(c), nil }

// prepare gives DuckDB the planned text.
func (x *execution) prepare() (*duckdb.Stmt, error) {
	defer duckapi.Interrupting(x.ctx, x.n.h)()
	st, err := x.n.Conn.PrepareContext(x.ctx, x.plan.SQL)
	if err != nil {
		return nil, err
	}
	return st.(*duckdb.Stmt), nil
}

func (x *execution) start(st *duckdb.Stmt, args []driver.NamedValue, mode duckapi.Mode) (mapping.Result, error) {
	if err := duckapi.Bind(x.ctx, st, args); err != nil {
		return mapping.Result{}, err
	}
	p, err := duckapi.Prepared(st)
	if err != nil {
		return mapping.Result{}, err
	}
	defer x.n.lend(x.ctx)()
	return duckapi.Execute(x.ctx, x.n.h, p, mode)
}

// lend shows a context to the functions that a program has registered with duckdb-go.
func (n *conn) lend(ctx context.Context) func() { return duckapi.Lend(ctx, n.Conn, n.id) }

// run plans a statement, executes it, and tells the instance what it may have changed.
func (n *conn) run(ctx context.Context, src string, st dialect.Statement, exec func(*execution) error) error {
	x := n.execute(ctx, src)
	defer x.done()
	return x.retry(&st, func(int) (err error) {
		if x.plan, err = n.plan(x.ctx, src, st); err != nil {
			return &final{err}
		}
		if err = x.narrow(exec); err == nil {
			x.settle(ctx)
		}
		return err
	})
}

// plan plans a statement of the connection's.
func (n *conn) plan(ctx context.Context, src string, st dialect.Statement) (*planner.Plan, error) {
	if n.c.trace == nil {
		return n.session.planner(ctx).Plan(ctx, src, st)
	}
	began := time.Now()
	p, err := n.session.planner(ctx).Plan(ctx, src, st)
	e := trace.Event{Kind: trace.Planned, Query: src[st.Pos:st.End], Duration: time.Since(began), Err: err}
	if p != nil {
		e.SQL = p.SQL
	}
	n.c.trace.Trace(ctx, e)
	return p, err
}

// settle follows a statement that succeeded. ctx is the caller's.
func (x *execution) settle(ctx context.Context) {
	n, p := x.n, x.plan
	switch p.Verb {
	case "BEGIN":
		n.session.transaction(true)
	case "COMMIT", "ROLLBACK":
		n.session.transaction(false)
	}
	if p.ChangesNames() {
		n.in.epoch.Add(1)
	}
	if p.MakesNames() {
		n.in.named.Add(1)
	}
	if p.ChangesSettings() {
		_ = n.session.readSchema(ctx) // what cannot be read now stays as it was
	}
	if p.Done != nil {
		p.Done()
	}
	if p.Notice != "" {
		notify(ctx, p.Notice)
	}
}

// maxTries bounds how often a statement is planned again: once for each function that it may be missing.
const maxTries = 16

// final is an error of our own that another attempt would not mend.
type final struct{ error }

func (f *final) Unwrap() error { return f.error }

// retry makes attempts, which plan the statement anew, as long as what made one fail can be mended. try counts from 0.
func (x *execution) retry(st *dialect.Statement, attempt func(try int) error) error {
	for try := 0; ; try++ {
		err := attempt(try)
		var own *final
		switch {
		case err == nil:
			x.traceDone(nil)
			return nil
		case errors.As(err, &own):
			return x.traceDone(x.fault(own.error))
		case duckapi.LacksColumn(err, planner.PseudoColumn) && !st.Data:
			st.Data = true
			continue
		}
		again, rerr := x.n.remedy(x.ctx, err, try)
		if rerr != nil {
			err = rerr
		} else if again && try < maxTries {
			continue
		}
		return x.traceDone(x.fault(err))
	}
}

// traceDone tells of the end of a statement, or of its preparation.
func (x *execution) traceDone(err error) error {
	if t := x.n.c.trace; t != nil {
		e := trace.Event{Kind: trace.Done, Query: x.src, Duration: time.Since(x.began), Err: err}
		if x.plan != nil {
			e.SQL = x.plan.SQL
		}
		t.Trace(x.ctx, e)
	}
	return err
}

// remedy mends what made a statement fail and reports whether to try again: a function of ours that this database or
// this transaction has not seen, or a text that names a version that is gone. Binder errors leave a transaction intact.
// try counts the attempts before.
func (n *conn) remedy(ctx context.Context, err error, try int) (bool, error) {
	if duckapi.Carries(err, serving.ErrStale) {
		return true, nil
	}
	name, table, ok := duckapi.MissingFunction(err)
	if !ok || table {
		return false, nil
	}
	base, suffix, _ := strings.Cut(name, "__")
	f, ok := n.in.functionNamed(base)
	if !ok {
		return false, nil
	}
	if suffix != "" { // an alias of a transaction that was rolled back
		n.session.forget(base)
		return true, nil
	}
	n.in.mu.Lock()
	seen := f.registered
	n.in.mu.Unlock()
	if err := n.in.function(ctx, base, f.register); err != nil {
		return false, err
	}
	if !seen || !n.session.active() && try == 0 { // made while the statement was bound, which only the next one sees
		return true, nil
	}
	// It exists, but the open transaction began before it did: register it once more, in this transaction.
	if err := n.session.register(base, f); err != nil {
		return false, err
	}
	return true, nil
}
