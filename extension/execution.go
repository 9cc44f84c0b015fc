package extension

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/trace"
)

// execution is a planned statement on its way through DuckDB.
type execution struct {
	s      *session
	ctx    context.Context // of the caller
	q      *queryState
	plan   *planner.Plan
	src    string
	st     *dialect.Statement // nil for a text of our own
	end    func()             // ends the statement for the callbacks
	cancel context.CancelFunc

	given   []driver.NamedValue // those of a script's that the statement names
	takes   bool                // it has them in place of its caller's
	args    []driver.NamedValue // of a stream
	began   time.Time
	count   int64        // of the rows that it has changed
	bytes   bool         // the plan is known to read the bytes of objects
	changes bool         // what ran may have changed the rows of tables
	ran     bool         // the statement itself began
	waits   bool         // it is known to have functions that wait for something outside
	kept    bool         // rows that are computed as they are read will call end
	restore func() error // what they do before, if anything
}

// execute begins an execution. It is over with done, unless rows keep it.
func (s *session) execute(ctx context.Context, src string) *execution {
	if s.trace != nil {
		ctx = trace.With(ctx, s.trace)
	}
	x := &execution{s: s, ctx: ctx, src: src, cancel: func() {}, began: time.Now()}
	x.q, x.end = s.begin(ctx)
	if streaming(ctx) {
		x.q.Context, x.cancel = context.WithCancel(ctx)
	}
	return x
}

// begin lends the statement's context to the callbacks that will serve it. The function it returns ends that.
func (s *session) begin(ctx context.Context) (*queryState, func()) {
	budget := config.StatementBudget(s.in.cfg.Budget)
	if most, ok := ctx.Value(tokenBudgetKey{}).(int64); ok && (budget.Tokens == 0 || most < budget.Tokens) {
		budget.Tokens = most
	}
	q := newQueryState(ctx, dispatch.StatementOptions{Session: s.in.remote.Session(), Budget: budget})
	p, _ := ctx.Value(progressKey{}).(*Progress)
	if p != nil {
		q.Rows = &p.rows
		p.attach(&s.h, q)
	}
	s.in.queries.Store(s.id, q)
	return q, func() {
		s.in.queries.Delete(s.id)
		if text := q.unread.String(); text != "" {
			notify(ctx, text)
		}
		if text := q.unread.left(); text != "" {
			notify(ctx, text)
		}
		if p != nil {
			defer p.detach()
		}
		st := q.asked()
		if st == nil {
			return
		}
		if over := st.End(); s.in.hosted != nil {
			<-over // the answers are written while the host's statement runs: nothing connects to its database afterwards
		} else {
			s.in.remote.Leave(over)
		}
		if found, ok := ctx.Value(estimateKey{}).(*[]dispatch.Estimate); ok {
			*found = st.Estimates()
		}
		if text := remoteSummary(st.Progress(), ctx.Err() != nil); text != "" {
			notify(ctx, text)
		}
	}
}

func (x *execution) done() {
	if !x.kept {
		x.cancel()
		x.end()
	}
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

// own gives the arguments of the statement: the caller's, but in a script.
func (x *execution) own(args []driver.NamedValue) []driver.NamedValue {
	if x.takes {
		return x.given
	}
	return args
}

// prepare gives DuckDB the planned text.
func (x *execution) prepare() (*duckdb.Stmt, error) {
	defer duckapi.Interrupting(x.ctx, x.s.h)()
	st, err := x.s.duck.PrepareContext(x.ctx, x.plan.SQL)
	if err != nil {
		return nil, err
	}
	return st.(*duckdb.Stmt), nil
}

func (x *execution) start(st *duckdb.Stmt, args []driver.NamedValue, mode duckapi.Mode) (mapping.Result, error) {
	if err := duckapi.Bind(x.ctx, st, args); err != nil {
		if errors.Is(err, duckapi.ErrNoValue) {
			err = cmp.Or(x.unbound(args), err)
		}
		return mapping.Result{}, err
	}
	p, err := duckapi.Prepared(st)
	if err != nil {
		return mapping.Result{}, err
	}
	if kind, err := st.StatementType(); err != nil || changesRows(kind) {
		x.changes = true
	}
	defer x.s.lend(x.ctx)()
	return duckapi.Execute(x.ctx, x.s.h, p, mode)
}

// lend shows a context to the functions that a program has registered with duckdb-go.
func (s *session) lend(ctx context.Context) func() { return duckapi.Lend(ctx, s.duck, s.id) }

type streamKey struct{}

// WithStreaming makes queries that run under the context compute their rows as they are read, with a small part of them in
// memory, where else the whole result is computed and held before the first row is given. The caller must read or close the
// rows before the connection runs its next statement, which would otherwise end them with an error; so this is for a
// *sql.Conn or a *sql.Tx of one user. An error of a later row comes from Rows.Err.
//
// A query that asks remote models, or reads objects, is computed whole all the same: while its rows are read, DuckDB would
// wait for the answers with a busy processor.
func WithStreaming(ctx context.Context) context.Context {
	return context.WithValue(ctx, streamKey{}, true)
}

func streaming(ctx context.Context) bool {
	on, _ := ctx.Value(streamKey{}).(bool)
	return on
}

// touched gives the keys of the tables that the statement has changed.
func (x *execution) touched() []string {
	switch {
	case x.plan.Touches != nil:
		return x.plan.Touches
	case !x.changes:
		return nil
	case x.st == nil:
		return []string{planner.AnyTable}
	}
	return x.s.planner(x.ctx).Targets(x.ctx, x.src, *x.st)
}

// touch takes note of what a statement of the session's has changed. A transaction's changes are seen by others once it is over.
func (s *session) touch(keys []string) {
	s.in.changes.note(keys)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open.active {
		s.open.touched = append(s.open.touched, keys...)
	}
}

// unbound tells which parameter of the statement has no value, in BigQuery's words for GoogleSQL; nil where its text does not show one.
func (x *execution) unbound(args []driver.NamedValue) error {
	if x.st == nil {
		return nil
	}
	positional := 0
	for _, p := range dialect.Parameters(x.src[x.st.Pos:x.st.End], x.st.Lang) {
		p.Pos, p.End = p.Pos+x.st.Pos, p.End+x.st.Pos
		written := x.src[p.Pos:p.End]
		if written == "?" {
			if positional++; positional > len(args) {
				return dialect.At(p, fmt.Errorf("parameter %d has no value", positional))
			}
			continue
		}
		name := strings.Trim(written[1:], "`")
		if n, err := strconv.Atoi(name); err == nil {
			if n > len(args) {
				return dialect.At(p, fmt.Errorf("parameter $%d has no value", n))
			}
			continue
		}
		if slices.ContainsFunc(args, func(a driver.NamedValue) bool { return strings.EqualFold(a.Name, name) }) {
			continue
		}
		if x.st.Lang == dialect.GoogleSQL {
			return dialect.At(p, fmt.Errorf("Query parameter '%s' not found", name))
		}
		return dialect.At(p, fmt.Errorf("parameter $%s has no value", name))
	}
	return nil
}
