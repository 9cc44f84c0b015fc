package extension

import (
	"context"
	"database/sql/driver"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/dialect"
)

// watched is a connection to DuckDB whose statements tell the session what they change.
type watched struct {
	*duckdb.Conn
	session *session
}

// ExecContext implements [driver.ExecerContext].
func (w *watched) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	res, err := w.Conn.ExecContext(ctx, query, args)
	w.changed(ctx, query)
	return res, err
}

// QueryContext implements [driver.QueryerContext].
func (w *watched) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := w.Conn.QueryContext(ctx, query, args)
	w.changed(ctx, query)
	return rows, err
}

// Prepare implements [driver.Conn].
func (w *watched) Prepare(query string) (driver.Stmt, error) {
	return w.PrepareContext(context.Background(), query)
}

// PrepareContext implements [driver.ConnPrepareContext]. It is not known when the statement runs, but for one that only reads.
func (w *watched) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	st, err := w.Conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &watchedStmt{st.(*duckdb.Stmt), w, query}, nil
}

// watchedStmt is a prepared statement of a watched connection.
type watchedStmt struct {
	*duckdb.Stmt
	on    *watched
	query string
}

// ExecContext implements [driver.StmtExecContext].
func (s *watchedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	res, err := s.Stmt.ExecContext(ctx, args)
	s.on.changed(ctx, s.query)
	return res, err
}

// QueryContext implements [driver.StmtQueryContext].
func (s *watchedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := s.Stmt.QueryContext(ctx, args)
	s.on.changed(ctx, s.query)
	return rows, err
}

// changed takes note of what the statements of a text may have changed, whether or not they have succeeded.
func (w *watched) changed(ctx context.Context, text string) {
	for _, st := range dialect.Split(text, dialect.DuckDB) {
		if p, err := dialect.Parse(text, st); err == nil {
			if q, ok := p.(*dialect.Query); ok && readsOnly[q.Verb] {
				continue
			}
		}
		w.session.touch(w.session.planner(ctx).Targets(ctx, text, st))
		w.session.in.epoch.Add(1)
	}
}

// readsOnly are the statements that change nothing, by their first words.
var readsOnly = map[string]bool{
	"SELECT": true, "FROM": true, "VALUES": true, "SHOW": true, "DESCRIBE": true, "SUMMARIZE": true, "BEGIN": true, "COMMIT": true,
	"ROLLBACK": true,
	"SET":      true, "RESET": true, "SET VARIABLE": true,
}
