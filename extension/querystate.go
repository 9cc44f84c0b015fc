package extension

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/dispatch"
)

// queryState is what a statement that runs lends to the callbacks that serve it.
type queryState struct {
	functions.Query
	options dispatch.StatementOptions // of its remote calls

	mu     sync.Mutex
	cause  error               // the first typed error of a callback; DuckDB passes on only its text
	remote *dispatch.Statement // made when the first remote model is asked
	unread unread
	bytes  atomic.Bool // it has bound object_bytes
	wide   atomic.Bool // and may not
	waits  atomic.Bool // it has bound a function that waits for something outside
}

func newQueryState(ctx context.Context, o dispatch.StatementOptions) *queryState {
	q := &queryState{options: o}
	q.Context, q.Rows, q.Fail = ctx, new(atomic.Int64), q.fail
	return q
}

// idle answers callbacks of connections that are not ours, such as DuckDB's own.
var idle = newQueryState(context.Background(), dispatch.StatementOptions{Shared: true})

func (q *queryState) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	// What stops because something else has failed says no more than that.
	if q.cause == nil || stopped(q.cause) && !stopped(err) {
		q.cause = err
	}
}

func stopped(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// noted gives the typed error of a callback, if there was one.
func (q *queryState) noted() error {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.cause
}

// statement is what the remote calls of the statement share.
func (q *queryState) statement() *dispatch.Statement {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.remote == nil {
		o := q.options
		o.Rows, o.Fail = q.Rows, q.fail
		if q.Context.Value(estimateKey{}) != nil {
			o.Estimate, o.Session, o.Budget = true, nil, dispatch.Budget{}
		}
		q.remote = dispatch.NewStatement(q.Context, o)
	}
	return q.remote
}

// asked is what the statement has asked of remote models; nil for nothing.
func (q *queryState) asked() *dispatch.Statement {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.remote
}

// errWide ends the binding of object_bytes in a statement that was not known to read objects' bytes, in a view of the
// user's perhaps. The statement is run again, in small chunks.
var errWide = errors.New("mallard: this statement reads objects")

// bindsBytes notes that the statement reads the bytes of objects.
func (q *queryState) bindsBytes() error {
	q.bytes.Store(true)
	q.waits.Store(true)
	if q.wide.Load() {
		return errWide
	}
	return nil
}

// estimateKey marks the context of a statement that only counts what it would ask.
type estimateKey struct{}
