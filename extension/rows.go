package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/result"
)

// rows reads a result chunk by chunk: one that duckdb-go has computed, or one that DuckDB computes as it is read.
type rows struct {
	res     mapping.Result
	names   []string
	columns []*result.Vector
	close   func() error

	chunk     mapping.DataChunk // nil Ptr between chunks
	size, row int
	over      bool // nothing more is to be fetched

	live *execution // of a result that is computed as it is read
}

var _ interface {
	driver.Rows
	driver.RowsColumnTypeScanType
	driver.RowsColumnTypeDatabaseTypeName
} = (*rows)(nil)

// newRows reads a result. A column that cannot be read fails here, before the first row.
func newRows(res mapping.Result, end func() error) (*rows, error) {
	r := &rows{res: res, close: end}
	for i := range mapping.ColumnCount(&res) {
		r.names = append(r.names, mapping.ColumnName(&res, i))
		t := mapping.ColumnLogicalType(&res, i)
		v, err := result.NewVector(t)
		mapping.DestroyLogicalType(&t)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", r.names[i], err)
		}
		r.columns = append(r.columns, v)
	}
	return r, nil
}

// readAgain takes over the result of duckdb-go's rows, to read the values another way.
func readAgain(from driver.Rows) (driver.Rows, error) {
	res, err := duckapi.Result(from)
	if err != nil {
		return nil, errors.Join(err, from.Close())
	}
	r, err := newRows(res, from.Close)
	if err != nil {
		return nil, errors.Join(err, from.Close())
	}
	return r, nil
}

// Columns implements [driver.Rows].
func (r *rows) Columns() []string { return r.names }

// ColumnTypeScanType implements [driver.RowsColumnTypeScanType].
func (r *rows) ColumnTypeScanType(i int) reflect.Type { return r.columns[i].ScanType() }

// ColumnTypeDatabaseTypeName implements [driver.RowsColumnTypeDatabaseTypeName].
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return r.columns[i].Name() }

// Next implements [driver.Rows].
func (r *rows) Next(dst []driver.Value) error {
	for r.row == r.size {
		if err := r.fetch(); err != nil {
			return err
		}
	}
	for i, c := range r.columns {
		dst[i] = c.Value(r.row)
	}
	r.row++
	return nil
}

func (r *rows) fetch() error {
	r.drop()
	if r.over {
		return io.EOF
	}
	stop := func() {}
	if r.live != nil {
		if err := r.live.ctx.Err(); err != nil {
			return r.live.fault(err)
		}
		stop = interrupt(r.live.ctx, r.live.n.h)
	}
	r.chunk = mapping.FetchChunk(r.res)
	stop()
	if r.chunk.Ptr == nil {
		if msg := mapping.ResultError(&r.res); r.live != nil && msg != "" {
			err := &duckdb.Error{Type: duckdb.ErrorType(mapping.ResultErrorType(&r.res)), Msg: msg}
			mapping.DestroyResult(&r.res) // the connection is asked about the error, and may have one result only
			r.over = true
			return r.live.fault(err)
		}
		r.over = true
		return io.EOF
	}
	r.size, r.row = int(mapping.DataChunkGetSize(r.chunk)), 0
	for i, c := range r.columns {
		c.Attach(mapping.DataChunkGetVector(r.chunk, mapping.IdxT(i)))
	}
	return nil
}

// drop frees the chunk at hand.
func (r *rows) drop() {
	if r.chunk.Ptr != nil {
		mapping.DestroyDataChunk(&r.chunk)
	}
	r.chunk.Ptr, r.size, r.row = nil, 0, 0
}

// Close implements [driver.Rows].
func (r *rows) Close() error {
	r.drop()
	r.over = true
	end := r.close
	r.close = nil
	if end == nil {
		return nil
	}
	if r.live == nil {
		return end()
	}
	r.live.cancel() // callbacks under way give up, so that the result need not wait for them
	mapping.DestroyResult(&r.res)
	err := end()
	if r.live.restore != nil {
		err = errors.Join(err, r.live.restore())
	}
	r.live.end()
	return err
}

// interruptEvery is how often DuckDB is told that its statement is to stop: it may forget that between two of its steps.
const interruptEvery = 50 * time.Millisecond

// interrupt stops what the connection computes when ctx ends. The function it returns must be called after the computation,
// and waits until nothing more will be interrupted.
func interrupt(ctx context.Context, h mapping.Connection) func() {
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

type streamKey struct{}

// WithStreaming makes queries that run under the context compute their rows as they are read, with a small part of them in
// memory, where else the whole result is computed and held before the first row is given. The caller must read or close the
// rows before the connection runs its next statement, which would otherwise end them with an error; so this is for a
// *sql.Conn or a *sql.Tx of one user. An error of a later row comes from Rows.Err.
//
// Functions that a program has registered with duckdb-go do not see the query's context while rows are read.
func WithStreaming(ctx context.Context) context.Context {
	return context.WithValue(ctx, streamKey{}, true)
}

func streaming(ctx context.Context) bool { return ctx.Value(streamKey{}) != nil }

// execution is a planned statement on its way through DuckDB.
type execution struct {
	n      *conn
	ctx    context.Context // of the caller
	q      *running
	plan   *plan
	src    string
	end    func() // ends the statement for the callbacks
	cancel context.CancelFunc

	kept    bool         // rows that are computed as they are read will call end
	restore func() error // what they do before, if anything
}

// execute begins an execution. It is over with done, unless rows keep it.
func (n *conn) execute(ctx context.Context, src string) *execution {
	x := &execution{n: n, ctx: ctx, src: src, cancel: func() {}}
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

func (x *execution) fault(err error) error { return x.n.fault(x.ctx, x.q, x.plan, x.src, err) }

// query runs the planned text for its rows.
func (x *execution) query(args []driver.NamedValue) (driver.Rows, error) {
	if streaming(x.ctx) {
		st, err := x.n.Conn.PrepareContext(x.ctx, x.plan.sql)
		if err != nil {
			return nil, err
		}
		r, err := x.stream(st.(*duckdb.Stmt), args, st.Close)
		if err == nil || !errors.Is(err, errNotStreamed) {
			return r, err
		}
	}
	r, err := x.n.Conn.QueryContext(x.ctx, x.plan.sql, args)
	if err != nil {
		return nil, err
	}
	return readAgain(r)
}

// queryPrepared runs the statement prepared from the planned text for its rows.
func (x *execution) queryPrepared(st *duckdb.Stmt, args []driver.NamedValue) (driver.Rows, error) {
	if streaming(x.ctx) {
		r, err := x.stream(st, args, func() error { return nil })
		if err == nil || !errors.Is(err, errNotStreamed) {
			return r, err
		}
	}
	r, err := st.QueryContext(x.ctx, args)
	if err != nil {
		return nil, err
	}
	return readAgain(r)
}

// errNotStreamed tells that a statement has to be run the usual way, if only to get its error. Nothing was computed.
var errNotStreamed = errors.New("the statement does not stream")

// stream starts a statement whose rows are computed as they are read. closed follows the rows, or the error.
func (x *execution) stream(st *duckdb.Stmt, args []driver.NamedValue, closed func() error) (driver.Rows, error) {
	res, err := x.n.start(x.ctx, st, args)
	if err != nil {
		return nil, errors.Join(err, closed())
	}
	r, err := newRows(res, closed)
	if err != nil {
		mapping.DestroyResult(&res)
		return nil, errors.Join(err, closed())
	}
	r.live, x.kept = x, true
	return r, nil
}

func (n *conn) start(ctx context.Context, st *duckdb.Stmt, args []driver.NamedValue) (mapping.Result, error) {
	var res mapping.Result
	if err := st.BindWithCtx(ctx, args); err != nil {
		return res, err
	}
	p, err := duckapi.Prepared(st)
	if err != nil {
		return res, err
	}
	if err := ctx.Err(); err != nil {
		return res, err
	}
	stop := interrupt(ctx, n.h)
	defer stop()
	var pending mapping.PendingResult
	defer func() { mapping.DestroyPending(&pending) }()
	if bindings.PendingPreparedStreaming(p, &pending) == mapping.StateError {
		return res, errNotStreamed
	}
	if mapping.ExecutePending(pending, &res) == mapping.StateError {
		err := &duckdb.Error{Type: duckdb.ErrorType(mapping.ResultErrorType(&res)), Msg: mapping.ResultError(&res)}
		mapping.DestroyResult(&res)
		return res, errors.Join(ctx.Err(), err)
	}
	return res, nil
}
