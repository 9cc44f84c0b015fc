package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/serving"
	"github.com/mallardml/mallard/internal/trace"
)

// run plans a statement, executes it, and tells the instance what it may have changed.
func (s *session) run(ctx context.Context, src string, st dialect.Statement, exec func(*execution) error) error {
	if n := s.control(ctx, src, st); n != nil {
		// Other statements follow before its rows are read.
		if t, _ := ctx.Value(stepsKey{}).(*steps); streaming(ctx) && (t == nil || t.each == nil) {
			ctx = context.WithValue(ctx, streamKey{}, false)
		}
		return s.procedural(ctx, src, n, exec)
	}
	if err := s.afterEnd(ctx, src, st); err != nil {
		return err
	}
	t, _ := ctx.Value(stepsKey{}).(*steps)
	if t != nil && t.each != nil {
		return t.step(ctx, s, src, st)
	}
	var given []driver.NamedValue
	if t != nil {
		given = t.arguments(src, st)
		ctx = withArguments(ctx, given)
	}
	x := s.execute(ctx, src)
	x.st, x.given, x.takes = &st, given, t != nil
	defer x.done()
	return x.retry(&st, func(int) (err error) {
		if x.plan, err = s.plan(x.ctx, src, st); err != nil {
			return unplanned(err)
		}
		if err = x.whole(exec); err == nil {
			x.settle(ctx)
		}
		return err
	})
}

// whole runs a planned statement with all that belongs to it: in the open transaction, or in one of its own.
func (x *execution) whole(exec func(*execution) error) error {
	if !x.plan.Together() {
		return x.inSmallChunks(exec)
	}
	if x.s.active() {
		return x.steps(exec)
	}
	for try := 1; ; try++ {
		x.ran = false
		err := x.s.transact(x.ctx, func() error { return x.steps(exec) })
		if err == nil || x.ran || !duckapi.Conflicts(err) || try == maxTries { // what ran may have asked remote models
			return err
		}
		select { // another connection has just made the table of the metadata, say
		case <-x.ctx.Done():
			return x.ctx.Err()
		case <-time.After(time.Duration(try) * time.Millisecond):
		}
	}
}

// steps runs what belongs to a statement, in order.
func (x *execution) steps(exec func(*execution) error) error {
	if before := x.plan.Before; before != nil {
		if err := before(x.ctx); err != nil {
			return err
		}
	}
	x.ran = true
	if err := x.inSmallChunks(exec); err != nil {
		return err
	}
	for _, text := range x.plan.Then {
		if _, err := x.s.duck.ExecContext(x.ctx, text, nil); err != nil {
			return err
		}
	}
	if after := x.plan.After; after != nil {
		return after(x.ctx)
	}
	return nil
}

// transact runs f in a transaction, which is rolled back when it fails.
func (s *session) transact(ctx context.Context, f func() error) error {
	if _, err := s.duck.ExecContext(ctx, "BEGIN", nil); err != nil {
		return err
	}
	s.transaction(true)
	defer s.transaction(false)
	if err := f(); err != nil {
		_, back := s.duck.ExecContext(context.WithoutCancel(ctx), "ROLLBACK", nil)
		return errors.Join(err, back)
	}
	_, err := s.duck.ExecContext(ctx, "COMMIT", nil)
	return err
}

// plan plans a statement of the connection's.
func (s *session) plan(ctx context.Context, src string, st dialect.Statement) (*planner.Plan, error) {
	if s.trace == nil {
		return s.planner(ctx).Plan(ctx, src, st)
	}
	began := time.Now()
	p, err := s.planner(ctx).Plan(ctx, src, st)
	e := trace.Event{Kind: trace.Planned, Query: src[st.Pos:st.End], Duration: time.Since(began), Err: err}
	if p != nil {
		e.SQL = p.SQL
	}
	s.trace.Trace(ctx, e)
	return p, err
}

// settle follows a statement that succeeded. ctx is the caller's.
func (x *execution) settle(ctx context.Context) {
	s, p := x.s, x.plan
	switch p.Verb {
	case "BEGIN":
		s.transaction(true)
		s.script.begun = true
	case "COMMIT", "ROLLBACK":
		s.transaction(false)
		s.script.begun = false
	}
	s.script.changed = nil
	if changesData(p.Verb) {
		s.script.changed = &x.count
	}
	s.script.ran++
	s.touch(x.touched())
	if p.ChangesNames() && x.st != nil {
		if err := s.planner(ctx).Follow(ctx, x.src, *x.st, p); err != nil {
			notify(ctx, "What is kept of the table besides DuckDB's catalog could not be changed with it: "+err.Error())
		}
	}
	if p.ChangesNames() {
		s.in.epoch.Add(1)
	}
	if p.MakesNames() {
		s.in.named.Add(1)
	}
	if p.ChangesSettings() {
		_ = s.readSchema(ctx) // what cannot be read now stays as it was
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

// unplanned is the error of a statement that cannot be planned: final, unless it lacks a function, which can be mended.
func unplanned(err error) error {
	if _, _, ok := duckapi.MissingFunction(err); ok {
		return err
	}
	return &final{err}
}

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
		again, rerr := x.s.remedy(x.ctx, err, try)
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
	if t := x.s.trace; t != nil {
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
func (s *session) remedy(ctx context.Context, err error, try int) (bool, error) {
	if duckapi.Carries(err, serving.ErrStale) {
		return true, nil
	}
	name, table, ok := duckapi.MissingFunction(err)
	if !ok || table {
		return false, nil
	}
	base, suffix, _ := strings.Cut(name, "__")
	f, seen, ok := s.in.functions.find(base)
	if !ok {
		return false, nil
	}
	if suffix != "" { // an alias of a transaction that was rolled back
		s.forget(base)
		return true, nil
	}
	if err := s.in.functions.add(ctx, base, f.register); err != nil {
		return false, err
	}
	if !seen || !s.active() && try == 0 { // made while the statement was bound, which only the next one sees
		return true, nil
	}
	// It exists, but the open transaction began before it did: register it once more, in this transaction.
	if err := s.register(base, f); err != nil {
		return false, err
	}
	return true, nil
}
