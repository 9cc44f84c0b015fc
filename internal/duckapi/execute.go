package duckapi

import (
	"context"
	"errors"
	"strings"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// ErrNotStarted tells that DuckDB did not begin a statement: its driver can be asked to run it, if only to get the error.
var ErrNotStarted = errors.New("the statement does not start")

// Mode is when a result is computed.
type Mode int

const (
	Whole    Mode = iota // before its first row is given
	Streamed             // as its rows are read
)

// Execute runs a statement whose parameters are bound, until its result, or the first rows of one that streams, are there.
// The caller destroys the result.
//
// DuckDB's own loop asks for work without a pause while other threads have it all. Here the goroutine sleeps meanwhile: a
// statement that waits for a server leaves the processor alone.
func Execute(ctx context.Context, h mapping.Connection, p mapping.PreparedStatement, mode Mode) (mapping.Result, error) {
	var res mapping.Result
	if err := ctx.Err(); err != nil {
		return res, err
	}
	defer Interrupting(ctx, h)()
	begin := mapping.PendingPrepared
	if mode == Streamed {
		begin = bindings.PendingPreparedStreaming
	}
	var pending mapping.PendingResult
	defer func() { mapping.DestroyPending(&pending) }()
	if begin(p, &pending) == mapping.StateError {
		return res, ErrNotStarted
	}
	if !work(pending) {
		return res, errors.Join(ctx.Err(), failure(mapping.PendingError(pending)))
	}
	if mapping.ExecutePending(pending, &res) == mapping.StateError {
		err := ResultError(&res)
		mapping.DestroyResult(&res)
		return mapping.Result{}, errors.Join(ctx.Err(), err)
	}
	return res, nil
}

// closedPending is what DuckDB puts before the cause when another thread fails just as the first rows of a stream are asked for.
const closedPending = "Invalid Input Error: Attempting to execute an unsuccessful or closed pending query result\nError: "

// ResultError gives the error of a result that has one.
func ResultError(res *mapping.Result) error {
	if cause, ok := strings.CutPrefix(mapping.ResultError(res), closedPending); ok {
		return failure(cause)
	}
	return &duckdb.Error{Type: duckdb.ErrorType(mapping.ResultErrorType(res)), Msg: mapping.ResultError(res)}
}

// How long the goroutine of a statement sleeps while other threads work for it: not at all in the first moments, then a part
// of the time that it has waited already, so that it is never late by more than that part.
const (
	awake    = 50 * time.Microsecond
	part     = 16
	longest  = 5 * time.Millisecond
	shortest = 20 * time.Microsecond
)

// work lends the goroutine to DuckDB until the result is there, or the statement has failed.
func work(pending mapping.PendingResult) (ok bool) {
	var idle time.Time // since when there was nothing to do
	for {
		switch mapping.PendingExecuteTask(pending) {
		case mapping.PendingStateResultNotReady:
			idle = time.Time{}
		case mapping.PendingStateNoTasksAvailable:
			if idle.IsZero() {
				idle = time.Now()
			}
			if waited := time.Since(idle); waited > awake {
				time.Sleep(min(max(waited/part, shortest), longest))
			}
		case mapping.PendingStateError:
			return false
		default:
			return true
		}
	}
}

// interruptEvery is how often DuckDB is told that its statement is to stop: it may forget that between two of its steps.
const interruptEvery = 50 * time.Millisecond

// Interrupting stops what the connection computes when ctx ends. The function it returns must be called after the
// computation, and waits until nothing more will be interrupted.
func Interrupting(ctx context.Context, h mapping.Connection) func() {
	if ctx.Done() == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(ended)
		t := time.NewTicker(interruptEvery)
		defer t.Stop()
		for {
			mapping.Interrupt(h)
			select {
			case <-done:
				return
			case <-t.C:
			}
		}
	})
	return func() {
		close(done)
		if !unwatch() {
			<-ended
		}
	}
}

// Lend shows a context to the functions that a program has registered with duckdb-go, as the driver does while it runs a
// statement itself. The function it returns ends that.
func Lend(ctx context.Context, c *duckdb.Conn, id uint64) func() {
	m := contexts(c)
	if m == nil {
		return func() {}
	}
	m.Store(id, ctx)
	return func() { m.Delete(id) }
}

// Chunks is a result that is read chunk by chunk.
type Chunks struct {
	Result     mapping.Result                    // for its columns
	Connection mapping.Connection                // it is of
	Next       func() (mapping.DataChunk, error) // io.EOF after the last; a chunk lives until the next one
	Close      func() error
}
