package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/trace"
)

// conn is a DuckDB connection that reads ML statements. It embeds the concrete type and overrides exactly the methods
// that carry SQL text or end a transaction, so that everything else of the driver's stays reachable.
type conn struct {
	*duckdb.Conn
	c  *Connector
	in *instance
	h  mapping.Connection
	id uint64

	// making is true while the connection's macros are made: DuckDB binds their bodies then, which need not look at anything.
	making atomic.Bool

	// open is what the open transaction has changed: other connections, which serve the text functions while this one
	// binds, cannot see it.
	mu         sync.Mutex
	db, schema string // where unqualified names are looked up
	open       transaction

	guarded guarded

	bare bare // for the helpers of duckdb-go

	narrowed bool // enable_caching_operators is off for a statement that reads objects
}

// transaction is what a connection knows of its open transaction.
type transaction struct {
	active bool
	models map[string]*modelspec.Spec // by lower-case quoted path; nil for a dropped one
	alias  map[string]string          // function name to the name it has on this connection only
	n      int                        // aliases made so far; a name is used once
}

var _ interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
} = (*conn)(nil)

func newConn(ctx context.Context, c *Connector, inner *duckdb.Conn) (*conn, error) {
	h, err := duckapi.Connection(inner)
	if err != nil {
		return nil, err
	}
	n := &conn{Conn: inner, c: c, in: c.in, h: h, id: duckapi.ConnectionID(h)}
	if err := n.readSchema(ctx); err != nil {
		return nil, err
	}
	n.in.conns.Store(n.id, n)
	n.making.Store(true)
	defer n.making.Store(false)
	if _, err := inner.ExecContext(ctx, strings.Join(connectionMacros, ";\n"), nil); err != nil {
		n.in.conns.Delete(n.id)
		return nil, fmt.Errorf("preparing the connection: %w", err)
	}
	return n, nil
}

// readSchema notes where DuckDB looks up unqualified names, for the times when the connection cannot be asked.
func (n *conn) readSchema(ctx context.Context) error {
	rows, err := n.rows(ctx, "SELECT current_database(), current_schema()")
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.db, n.schema = fmt.Sprint(rows[0][0]), fmt.Sprint(rows[0][1])
	return nil
}

// Raw gives DuckDB's own connection, for appenders, Arrow and the like.
func (n *conn) Raw() *duckdb.Conn { return n.Conn }

// CheckNamedValue implements [driver.NamedValueChecker].
func (n *conn) CheckNamedValue(v *driver.NamedValue) error {
	if duckapi.Takes(v.Value) {
		return nil
	}
	return driver.ErrSkip
}

// Close implements [driver.Conn].
func (n *conn) Close() error {
	n.in.conns.Delete(n.id)
	n.in.queries.Delete(n.id)
	return errors.Join(n.Conn.Close(), n.bare.close())
}

// Prepare implements [driver.Conn].
func (n *conn) Prepare(query string) (driver.Stmt, error) {
	return n.PrepareContext(context.Background(), query)
}

// PrepareContext implements [driver.ConnPrepareContext]. As with duckdb-go, all statements of the text but the last run
// at once.
func (n *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	last, err := n.leading(ctx, query)
	if err != nil {
		return nil, err
	}
	return n.prepare(ctx, query, last)
}

// ExecContext implements [driver.ExecerContext]. Arguments belong to the last statement of the text.
func (n *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	last, err := n.leading(ctx, query)
	if err != nil {
		return nil, err
	}
	var res driver.Result
	err = n.run(ctx, query, last, func(x *execution) (err error) {
		res, err = x.exec(args)
		return err
	})
	return res, err
}

// QueryContext implements [driver.QueryerContext]. Arguments belong to the last statement of the text.
func (n *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	last, err := n.leading(ctx, query)
	if err != nil {
		return nil, err
	}
	var rows driver.Rows
	err = n.run(ctx, query, last, func(x *execution) (err error) {
		rows, err = x.query(args)
		return err
	})
	return rows, err
}

// leading runs all statements of a text but the last, which it returns.
func (n *conn) leading(ctx context.Context, src string) (dialect.Statement, error) {
	all := dialect.Split(src, n.c.lang)
	if len(all) == 0 { // DuckDB says best what it thinks of an empty text
		return dialect.Statement{Span: dialect.Span{Pos: 0, End: len(src)}, Lang: dialect.DuckDB}, nil
	}
	for _, st := range all[:len(all)-1] {
		err := n.run(ctx, src, st, func(x *execution) error {
			_, err := x.exec(nil)
			return err
		})
		if err != nil {
			return dialect.Statement{}, err
		}
	}
	return all[len(all)-1], nil
}

// run plans a statement, executes it, and tells the instance what it may have changed.
func (n *conn) run(ctx context.Context, src string, st dialect.Statement, exec func(*execution) error) error {
	x := n.execute(ctx, src)
	defer x.done()
	return x.retry(&st, func(int) (err error) {
		if x.plan, err = n.plan(x.ctx, src, st); err != nil {
			return &final{err}
		}
		if err = x.narrow(exec); err == nil {
			n.settle(ctx, x.plan)
		}
		return err
	})
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
		case duckapi.LacksColumn(err, pseudoColumn) && !st.Data:
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
			e.SQL = x.plan.sql
		}
		t.Trace(x.ctx, e)
	}
	return err
}

// settle follows a statement that succeeded.
func (n *conn) settle(ctx context.Context, p *plan) {
	switch p.verb {
	case "BEGIN":
		n.transaction(true)
	case "COMMIT", "ROLLBACK":
		n.transaction(false)
	}
	if changesNames(p.verb) {
		n.in.epoch.Add(1)
	}
	if makesNames(p.verb) {
		n.in.named.Add(1)
	}
	switch first, _, _ := strings.Cut(p.verb, " "); first {
	case "USE", "SET", "RESET", "PRAGMA":
		_ = n.readSchema(ctx) // what cannot be read now stays as it was
	}
	if p.done != nil {
		p.done()
	}
	if p.notice != "" {
		notify(ctx, p.notice)
	}
}

// changesNames reports whether a statement of this verb may change what a name means, for prepared statements.
func changesNames(verb string) bool {
	first, _, _ := strings.Cut(verb, " ")
	switch first {
	case "CREATE", "DROP", "ALTER", "ATTACH", "DETACH", "USE", "SET", "RESET", "IMPORT", "COMMENT",
		"COMMIT", "ROLLBACK", "PRAGMA", "CALL", "EXECUTE":
		return true
	}
	return false
}

func (n *conn) transaction(active bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open = transaction{active: active, n: n.open.n}
}

// BeginTx implements [driver.ConnBeginTx].
func (n *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	t, err := n.Conn.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	n.transaction(true)
	return &tx{t, n}, nil
}

// tx forgets, at its end, what only the transaction knew.
type tx struct {
	driver.Tx
	n *conn
}

func (t *tx) end() {
	t.n.transaction(false)
	t.n.in.epoch.Add(1)
	t.n.in.named.Add(1)
}

// Commit implements [driver.Tx].
func (t *tx) Commit() error {
	defer t.end()
	return t.Tx.Commit()
}

// Rollback implements [driver.Tx].
func (t *tx) Rollback() error {
	defer t.end()
	return t.Tx.Rollback()
}

// remedy mends what made a statement fail and reports whether to try again: a function of ours that this database or
// this transaction has not seen, or a text that names a version that is gone. Binder errors leave a transaction intact.
// try counts the attempts before.
func (n *conn) remedy(ctx context.Context, err error, try int) (bool, error) {
	if duckapi.Carries(err, errStale) {
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
		n.mu.Lock()
		delete(n.open.alias, base)
		n.mu.Unlock()
		return true, nil
	}
	n.in.mu.Lock()
	seen := f.registered
	n.in.mu.Unlock()
	if err := n.in.function(ctx, base, f.register); err != nil {
		return false, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !seen || !n.open.active && try == 0 { // made while the statement was bound, which only the next one sees
		return true, nil
	}
	// It exists, but the open transaction began before it did: register it once more, in this transaction.
	n.open.n++
	alias := fmt.Sprintf("%s__%d_%d", base, n.id, n.open.n)
	if err := f.register(n.h, alias); err != nil {
		return false, err
	}
	if n.open.alias == nil {
		n.open.alias = map[string]string{}
	}
	n.open.alias[base] = alias
	return true, nil
}

// functionName gives the name under which this connection sees a function of ours.
func (n *conn) functionName(base string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if a, ok := n.open.alias[base]; ok {
		return a
	}
	return base
}

// rows runs a query of our own on the connection and returns all of its values.
func (n *conn) rows(ctx context.Context, query string) ([][]driver.Value, error) {
	return allRows(ctx, n.Conn, query)
}

func allRows(ctx context.Context, c *duckdb.Conn, query string) (all [][]driver.Value, err error) {
	rows, err := c.QueryContext(ctx, query, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		row := make([]driver.Value, len(rows.Columns()))
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
}
