package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/planner"
)

// conn is a DuckDB connection that reads ML statements. It embeds the concrete type and overrides exactly the methods
// that carry SQL text or end a transaction, so that everything else of the driver's stays reachable.
type conn struct {
	*duckdb.Conn
	session *session
	bare    bare // for the helpers of duckdb-go
	plain   bare // for statements of DuckDB's SQL that are watched
}

// connection is what database/sql gets. Helpers of duckdb-go that are given its *sql.Conn assert that it is the driver's own type, and
// panic before any code of ours runs: no name stands in that panic but the one of this type, so that says what to call.
type connection = struct {
	*conn `call:"mallard.WithDuckDB"`
}

var _ interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.SessionResetter
} = connection{}

// newConn makes a connection of one to DuckDB. The rest of the session is filled in.
func newConn(ctx context.Context, inner *duckdb.Conn, s *session) (*conn, error) {
	h, err := duckapi.Connection(inner)
	if err != nil {
		return nil, err
	}
	s.duck, s.h, s.id, s.scripts = inner, h, duckapi.ConnectionID(h), importer{s}.scripts
	if err := s.readSchema(ctx); err != nil {
		return nil, err
	}
	s.in.sessions.Store(s.id, s)
	s.making.Store(true)
	defer s.making.Store(false)
	if _, err := inner.ExecContext(ctx, strings.Join(planner.Macros(), ";\n"), nil); err != nil {
		s.in.sessions.Delete(s.id)
		return nil, fmt.Errorf("preparing the connection: %w", err)
	}
	return &conn{Conn: inner, session: s}, nil
}

// Raw gives DuckDB's own connection, for appenders, Arrow and the like.
func (n *conn) Raw() *duckdb.Conn { return n.Conn }

// Changed tells that the rows of a table were changed through Raw.
func (n *conn) Changed(database, schema, name string) {
	n.session.touch([]string{planner.TableKey(database, schema, name)})
}

// CheckNamedValue implements [driver.NamedValueChecker].
func (n *conn) CheckNamedValue(v *driver.NamedValue) error {
	if duckapi.Takes(v.Value) {
		return nil
	}
	return driver.ErrSkip
}

// Close implements [driver.Conn].
func (n *conn) Close() error {
	n.session.in.sessions.Delete(n.session.id)
	n.session.in.queries.Delete(n.session.id)
	return errors.Join(n.Conn.Close(), n.bare.close(), n.plain.close())
}

// Prepare implements [driver.Conn].
func (n *conn) Prepare(query string) (driver.Stmt, error) {
	return n.PrepareContext(context.Background(), query)
}

// PrepareContext implements [driver.ConnPrepareContext]. As with duckdb-go, all statements of the text but the last run
// at once.
func (n *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	last, err := n.leading(ctx, query, n.session.split(ctx, query))
	if err != nil {
		return nil, err
	}
	return newStatement(ctx, n.session, query, last)
}

// ExecContext implements [driver.ExecerContext]. Arguments belong to the last statement of the text; in GoogleSQL to those that name them.
func (n *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	all := n.session.split(ctx, query)
	ctx, done, err := n.session.distributed(ctx, query, all, args)
	defer done()
	if err != nil {
		return nil, err
	}
	last, err := n.leading(ctx, query, all)
	if errors.Is(err, errReturned) {
		return changed(0), nil
	}
	if err != nil {
		return nil, err
	}
	res := driver.Result(changed(0))
	err = n.session.run(withArguments(ctx, args), query, last, func(x *execution) (err error) {
		res, err = x.exec(x.own(args))
		return err
	})
	if errors.Is(err, errReturned) {
		err = nil
	}
	return res, err
}

// QueryContext implements [driver.QueryerContext]. Arguments belong to the last statement of the text; in GoogleSQL to those that name
// them.
func (n *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	all := n.session.split(ctx, query)
	ctx, done, err := n.session.distributed(ctx, query, all, args)
	defer done()
	if err != nil {
		return nil, err
	}
	last, err := n.leading(ctx, query, all)
	if errors.Is(err, errReturned) {
		return noRows{}, nil
	}
	if err != nil {
		return nil, err
	}
	var rows driver.Rows
	script := n.session.control(ctx, query, last) != nil
	err = n.session.run(withArguments(ctx, args), query, last, func(x *execution) (err error) {
		if script && !x.plan.Selects() { // the last query is its result
			_, err = x.exec(x.own(nil))
			return err
		}
		if rows != nil {
			err, rows = rows.Close(), nil
			if err != nil {
				return err
			}
		}
		rows, err = x.query(x.own(args))
		return err
	})
	if rows == nil && (err == nil || errors.Is(err, errReturned)) { // a script without a query
		return noRows{}, nil
	}
	if rows != nil && err != nil && !errors.Is(err, errReturned) { // what belongs to the statement has failed after it
		return nil, errors.Join(err, rows.Close())
	}
	return rows, err
}

// ResetSession implements [driver.SessionResetter]: the variables of a script end when the pool takes the connection back.
func (n *conn) ResetSession(context.Context) error {
	n.session.script = script{}
	return nil
}

type duckDBKey struct{}

// AsDuckDB makes statements under the context be read by the rules of the dialect duckdb, whatever the connection's is: GoogleSQL is what
// has a backtick. It is for queries of a program's own, in a database of its user's.
func AsDuckDB(ctx context.Context) context.Context { return context.WithValue(ctx, duckDBKey{}, true) }

// split cuts a text of the caller's into statements.
func (s *session) split(ctx context.Context, src string) []dialect.Statement {
	if ctx.Value(duckDBKey{}) != nil {
		return dialect.Split(src, dialect.Auto)
	}
	return dialect.Split(src, s.lang)
}

// leading runs all statements of a text but the last, which it returns.
func (n *conn) leading(ctx context.Context, src string, all []dialect.Statement) (dialect.Statement, error) {
	n.session.script.began, n.session.script.ran = time.Now(), 0
	if len(all) == 0 { // DuckDB says best what it thinks of an empty text
		return dialect.Statement{Span: dialect.Span{Pos: 0, End: len(src)}, Lang: dialect.DuckDB}, nil
	}
	for _, st := range all[:len(all)-1] {
		err := n.session.run(ctx, src, st, func(x *execution) error {
			_, err := x.exec(x.own(nil))
			return err
		})
		if err != nil {
			return dialect.Statement{}, err
		}
	}
	return all[len(all)-1], nil
}

// BeginTx implements [driver.ConnBeginTx].
func (n *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	t, err := n.Conn.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	n.session.transaction(true)
	return &tx{t, n.session}, nil
}

// QueryChunks runs a query as QueryContext does and gives its result as chunks of DuckDB's, for package arrowquery.
func (n *conn) QueryChunks(ctx context.Context, query string, args []driver.NamedValue) (*duckapi.Chunks, error) {
	from, err := n.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return chunksOf(n.session, from)
}

// RunSteps runs the statements of a text and gives each to f as it runs. Each statement has those arguments that it names; those by
// position are used up one after another.
func (n *conn) RunSteps(ctx context.Context, src string, args []driver.NamedValue, f StepFunc) error {
	t := newSteps(src, n.session.lang, args, f)
	ctx = context.WithValue(ctx, stepsKey{}, t)
	all := dialect.Split(src, n.session.lang)
	defer n.session.unbindVariables()
	if err := n.session.bindVariables(ctx, src, all, args); err != nil {
		return err
	}
	n.session.script.began, n.session.script.ran = time.Now(), 0
	for _, st := range all {
		err := n.session.run(ctx, src, st, nil) // each runs them
		if errors.Is(err, errReturned) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
