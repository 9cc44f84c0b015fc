package bigquery

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/quote"
)

// sessionDataset is the name under which statements of a session know its temporary tables.
const sessionDataset = "_SESSION"

// conn is a connection of database/sql.
type conn = *sql.Conn

// session is a connection that jobs share one after the other, with its temporary tables: tables of a database of its own, so that
// they are read from other connections, too.
type session struct {
	id       string
	database string
	turn     chan struct{} // holds a token while nobody uses it
	c        conn
	used     time.Time
	closed   bool
}

// sessions are those that are open.
type sessions struct {
	mu   sync.Mutex
	byID map[string]*session
}

// maxSessions bounds those that are open; sessionLife is how long one lives that nobody uses, as at Google.
const (
	maxSessions = 200
	sessionLife = 24 * time.Hour
)

// rewrite puts the place of a session's temporary tables into a text.
func (n *session) rewrite(text string) (string, error) {
	if n == nil {
		return text, nil
	}
	return sessionText(text, n.database), nil
}

// sessionText writes the database of a session for _SESSION, and puts temporary tables there.
func sessionText(text, database string) string {
	all := dialect.Lexemes(text)
	var b strings.Builder
	done := 0
	put := func(at dialect.Span, by string) {
		b.WriteString(text[done:at.Pos] + by)
		done = at.End
	}
	name := "`" + database + "`"
	for i, l := range all {
		next := func(n int) dialect.Lexeme {
			if i+n < len(all) {
				return all[i+n]
			}
			return dialect.Lexeme{}
		}
		rest, whole := cutPrefixFold(l.Text, sessionDataset+".")
		switch {
		case l.Literal() || l.Pos < done:
		case strings.EqualFold(l.Text, sessionDataset) && next(1).Is("."):
			put(l.Span, name)
		case l.Quoted && whole:
			put(l.Span, name+".`"+rest+"`")
		case (l.Is("TEMP") || l.Is("TEMPORARY")) && next(1).Is("TABLE") && i > 0 && (all[i-1].Is("CREATE") || all[i-1].Is("REPLACE")):
			put(l.Span, "")
			n := 2
			if next(2).Is("IF") {
				n = 5 // NOT EXISTS
			}
			if to := next(n); to.Text != "" && !strings.EqualFold(to.Text, sessionDataset) && !next(n+1).Is(".") && !strings.Contains(to.Text, ".") {
				put(dialect.Span{Pos: to.Pos, End: to.Pos}, name+".")
			}
		}
	}
	return b.String() + text[done:]
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

// aborted gives the session that CALL BQ.ABORT_SESSION names; "" is the job's own.
func aborted(text string) (id string, ok bool) {
	r := &lexemeReader{all: dialect.Lexemes(text)}
	if !r.take("CALL") || !strings.EqualFold(strings.Join(r.path(), "."), "BQ.ABORT_SESSION") || !r.take("(") {
		return "", false
	}
	if len(r.all) > 0 && r.all[0].Literal() {
		at := r.all[0].Span
		id = strings.Trim(text[at.Pos:at.End], `'"`)
	}
	return id, true
}

// openSession begins a session.
func (s *Service) openSession(ctx context.Context) (*session, error) {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	for id, n := range s.sessions.byID {
		if time.Since(n.used) > sessionLife {
			delete(s.sessions.byID, id)
			go s.endSession(n)
		}
	}
	if len(s.sessions.byID) >= maxSessions {
		return nil, fault(403, "quotaExceeded", "Exceeded the number of sessions: %d are open; end some with CALL BQ.ABORT_SESSION(id)",
			maxSessions)
	}
	id := newID("")
	n := &session{id: id, database: sessionPrefix + id, turn: make(chan struct{}, 1), used: time.Now()}
	if err := s.exec(ctx, "ATTACH ':memory:' AS "+quote.Name(n.database)); err != nil {
		return nil, err
	}
	var err error
	if n.c, err = s.DB.Conn(ctx); err != nil {
		return nil, errors.Join(err, s.exec(context.WithoutCancel(ctx), "DETACH "+quote.Name(n.database)))
	}
	if err = n.search(ctx, s.database, "main"); err != nil {
		return nil, errors.Join(err, n.c.Close(), s.exec(context.WithoutCancel(ctx), "DETACH "+quote.Name(n.database)))
	}
	n.turn <- struct{}{}
	if s.sessions.byID == nil {
		s.sessions.byID = map[string]*session{}
	}
	s.sessions.byID[id] = n
	return n, nil
}

// search makes names without a dataset those of a dataset, then the session's.
func (n *session) search(ctx context.Context, database, schema string) error {
	_, err := n.c.ExecContext(ctx, "SET search_path = "+quote.Text(quote.Path(database, schema)+","+quote.Path(n.database, "main")))
	return err
}

// endSession waits for the session's turn, and ends it.
func (s *Service) endSession(n *session) {
	<-n.turn
	n.closed = true
	_ = n.c.Raw(func(any) error { return driver.ErrBadConn })
	_ = n.c.Close()
	if err := s.exec(context.Background(), "DETACH "+quote.Name(n.database)); err != nil {
		s.Logger.Warn("a session's tables were not dropped", "session", n.id, "error", err)
	}
	close(n.turn)
}

// closeSessions ends all sessions.
func (s *Service) closeSessions() {
	s.sessions.mu.Lock()
	all := s.sessions.byID
	s.sessions.byID = nil
	s.sessions.mu.Unlock()
	for _, n := range all {
		s.endSession(n)
	}
}

// abort ends a session by its id.
func (s *Service) abort(id string) error {
	s.sessions.mu.Lock()
	n := s.sessions.byID[id]
	delete(s.sessions.byID, id)
	s.sessions.mu.Unlock()
	if n == nil {
		return notFound("Not found: Session %s", id)
	}
	s.endSession(n)
	return nil
}

// abortBy ends the session that a statement names, or the job's own.
func (s *Service) abortBy(ctx context.Context, j *job, id string) error {
	if id == "" {
		n, err := s.sessionOf(ctx, j)
		if err != nil {
			return err
		}
		if n == nil {
			return fault(400, "invalidQuery", "BQ.ABORT_SESSION without an id ends the session that it runs in, and there is none")
		}
		id = n.id
	}
	j.change(func() { j.statistics.Query.StatementType = "CALL" })
	return s.abort(id)
}

// sessionOf gives the session that a job asks for: a new one, an open one or none.
func (s *Service) sessionOf(ctx context.Context, j *job) (*session, error) {
	q := j.config.Query
	id := ""
	for _, p := range q.ConnectionProperties {
		switch {
		case strings.EqualFold(p.Key, "session_id"):
			id = p.Value
		case strings.EqualFold(p.Key, "time_zone") && !strings.EqualFold(p.Value, "UTC"):
			return nil, unsupported("connectionProperties: time_zone %.50s is not served, UTC is", p.Value)
		}
	}
	switch {
	case id != "":
		s.sessions.mu.Lock()
		n := s.sessions.byID[id]
		s.sessions.mu.Unlock()
		if n == nil {
			return nil, notFound("Not found: Session %.100s", id)
		}
		return n, nil
	case q.CreateSession && !j.config.DryRun:
		return s.openSession(ctx)
	}
	return nil, nil
}

// connection gives the one that a job runs on, and how it ends.
func (s *Service) connection(ctx context.Context, j *job) (c conn, in *session, done func(), err error) {
	q := j.config.Query
	if in, err = s.sessionOf(ctx, j); err != nil {
		return nil, nil, nil, err
	}
	own := in == nil && len(q.TableDefinitions) > 0 // a session that nobody else knows
	if own {
		if in, err = s.openSession(ctx); err != nil {
			return nil, nil, nil, err
		}
	}
	if in != nil {
		select {
		case _, ok := <-in.turn:
			if !ok {
				return nil, nil, nil, notFound("Not found: Session %s", in.id)
			}
		case <-ctx.Done():
			return nil, nil, nil, ctx.Err()
		}
		c, done = in.c, s.turnEnd(in, own, q.TableDefinitions)
		err := s.sessionRoom(ctx, in, q.Query)
		if err == nil {
			err = in.define(ctx, s, q.TableDefinitions)
		}
		if err != nil {
			done()
			return nil, nil, nil, err
		}
		if !own {
			j.change(func() { j.statistics.SessionInfo = &api.SessionInfo{SessionId: in.id} })
		}
	} else {
		if c, err = s.DB.Conn(ctx); err != nil {
			return nil, nil, nil, err
		}
		done = func() {
			// What a statement leaves on its connection, such as temporary tables and the default dataset, is nobody else's.
			_ = c.Raw(func(any) error { return driver.ErrBadConn })
			_ = c.Close()
		}
	}
	if d := q.DefaultDataset; d != nil {
		if err := s.use(ctx, c, in, j.project, d); err != nil {
			done()
			return nil, nil, nil, err
		}
	}
	return c, in, done, nil
}

// turnEnd gives a session back behind a job: without the tables that the job alone defined, and ended where it was the job's own.
func (s *Service) turnEnd(in *session, own bool, defined map[string]api.ExternalDataConfiguration) func() {
	return func() {
		in.used = time.Now()
		for name := range defined {
			if err := s.exec(context.Background(), "DROP VIEW IF EXISTS "+quote.Path(in.database, "main", name)); err != nil {
				s.Logger.Warn("a table of a query's tableDefinitions was not dropped", "session", in.id, "error", err)
			}
		}
		in.turn <- struct{}{}
		if own {
			_ = s.abort(in.id) // whoever ended it before was right, too
		}
	}
}

// bytesOfValue is about what the smallest value takes; wide is how many times wider others may be.
const (
	bytesOfValue = 8
	wide         = 64
)

// sessionRoom refuses statements of a session whose temporary tables take more than all results may, but those that drop some.
func (s *Service) sessionRoom(ctx context.Context, in *session, text string) error {
	cells := int64(0)
	if err := s.duck(ctx, func(c *sql.Conn) error {
		return c.QueryRowContext(ctx, "SELECT coalesce(sum(estimated_size * column_count), 0)::BIGINT FROM duckdb_tables() "+
			"WHERE database_name = ?", in.database).Scan(&cells)
	}); err != nil || cells*bytesOfValue*wide <= s.Limits.Bytes { // so it is before nearly every statement
		return err
	}
	all, err := s.relations(ctx, schema{database: in.database, name: "main"}, "")
	if err != nil {
		return err
	}
	bytes := int64(0)
	for _, r := range all {
		if r.kind != "TABLE" {
			continue
		}
		columns, err := s.columns(ctx, r)
		if err != nil {
			return err
		}
		var t api.Table
		if err := s.count(ctx, r, nil, &t); err != nil {
			return err
		}
		least := int64(t.NumRows) * int64(len(columns)) * bytesOfValue
		if least*wide > s.Limits.Bytes {
			if err := s.count(ctx, r, columns, &t); err != nil {
				return err
			}
		}
		bytes += max(least, t.NumBytes)
	}
	if first := shape(text); bytes <= s.Limits.Bytes || strings.HasPrefix(first.kind, "DROP") {
		return nil
	}
	return fault(403, "quotaExceeded", "The temporary tables of session %s take %s, and %s at most; drop some, or end the session "+
		"with CALL BQ.ABORT_SESSION()", in.id, amount.Of(bytes, "byte"), amount.Grouped(s.Limits.Bytes))
}

// use makes a dataset the one of names without a dataset.
func (s *Service) use(ctx context.Context, c conn, in *session, project string, d *api.DatasetReference) error {
	if d.ProjectId != "" {
		project = d.ProjectId
	}
	place, err := s.dataset(ctx, project, d.DatasetId)
	if err != nil {
		return err
	}
	if in != nil {
		return in.search(ctx, place.database, place.name)
	}
	if _, err := c.ExecContext(ctx, "USE "+quote.Path(place.database, place.name)); err != nil {
		return fmt.Errorf("default dataset %s: %w", place, err)
	}
	return nil
}
