package extension

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/planner"
)

// stmt is a prepared statement that notices when a model it uses is replaced. Statements about models are planned when
// they run, since planning them imports files.
type stmt struct {
	on    *session
	src   string
	st    dialect.Statement
	inner *duckdb.Stmt // nil for a statement that is planned when it runs
	plan  *planner.Plan
	bytes bool // the plan reads the bytes of objects
	waits bool // it has functions that wait for something outside
	epoch int64
}

var _ interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
} = (*stmt)(nil)

// newStatement prepares a statement, unless it is planned when it runs.
func newStatement(ctx context.Context, on *session, src string, st dialect.Statement) (*stmt, error) {
	s := &stmt{on: on, src: src, st: st}
	node, err := dialect.Parse(src, st)
	if err != nil {
		return nil, (&execution{s: on, ctx: ctx, src: src}).fault(err)
	}
	if _, ok := node.(*dialect.Query); !ok {
		return s, nil
	}
	x := on.execute(ctx, src)
	defer x.done()
	return s, x.retry(&s.st, func(int) error { return s.renew(x, false) })
}

// renew plans and prepares the text, at first and whenever a model may have changed. Where the text stays the same, the
// statement stays, unless it must not.
func (s *stmt) renew(x *execution, anyway bool) error {
	epoch := s.on.in.epoch.Load()
	p, err := s.on.plan(x.ctx, s.src, s.st)
	if err != nil {
		x.plan = nil
		return unplanned(err)
	}
	x.plan = p
	if s.inner != nil && s.plan.SQL == p.SQL && !anyway {
		s.epoch = epoch
		return nil
	}
	x.q.bytes.Store(false)
	x.q.waits.Store(false)
	inner, err := x.prepare()
	if err != nil {
		return err
	}
	s.bytes, s.waits = x.q.bytes.Load(), x.q.waits.Load()
	if s.inner != nil {
		err = s.inner.Close()
	}
	s.inner, s.plan, s.epoch = inner, p, epoch
	return err
}

// Close implements [driver.Stmt].
func (s *stmt) Close() error {
	if s.inner == nil {
		return nil
	}
	inner := s.inner
	s.inner = nil
	return inner.Close()
}

// NumInput implements [driver.Stmt].
func (s *stmt) NumInput() int {
	if s.inner == nil {
		return 0
	}
	return s.inner.NumInput()
}

// Raw gives DuckDB's own statement; nil for a statement about a model.
func (s *stmt) Raw() *duckdb.Stmt { return s.inner }

// ExecContext implements [driver.StmtExecContext].
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (res driver.Result, err error) {
	err = s.run(ctx, func(x *execution) (err error) { res, err = x.execPrepared(s.inner, args); return err },
		func(x *execution) (err error) { res, err = x.exec(args); return err })
	return res, err
}

// QueryContext implements [driver.StmtQueryContext].
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (rows driver.Rows, err error) {
	err = s.run(ctx, func(x *execution) (err error) {
		rows, err = x.queryPrepared(s.inner, args, func() error { return nil })
		return err
	},
		func(x *execution) (err error) { rows, err = x.query(args); return err })
	return rows, err
}

// run executes the prepared text, or plans and executes a statement about a model.
func (s *stmt) run(ctx context.Context, prepared, planned func(*execution) error) error {
	if s.inner == nil || s.plan.Together() {
		return s.on.run(ctx, s.src, s.st, planned)
	}
	x := s.on.execute(ctx, s.src)
	x.st = &s.st
	defer x.done()
	return x.retry(&s.st, func(try int) error {
		if try > 0 || s.plan.Passing || s.epoch != s.on.in.epoch.Load() && len(s.plan.Models) > 0 {
			if err := s.renew(x, try > 0); err != nil {
				return err
			}
		}
		x.plan, x.bytes, x.waits = s.plan, s.bytes, s.waits
		err := x.inSmallChunks(prepared)
		s.bytes = x.bytes
		if err == nil {
			x.settle(ctx)
		}
		return err
	})
}

// Exec implements [driver.Stmt] for callers without a context.
//
// Deprecated: database/sql calls ExecContext.
func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return nil, errors.New("mallard: use ExecContext")
}

// Query implements [driver.Stmt] for callers without a context.
//
// Deprecated: database/sql calls QueryContext.
func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return nil, errors.New("mallard: use QueryContext")
}
