package storageread

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// span is a stream: rows by their numbers, the second one excluded.
type span struct{ from, to int64 }

// session is a table of rows that stay as they are, and how they are read.
type session struct {
	id, name   string
	table      string // as DuckDB calls it
	columns    string // expressions of DuckDB's
	schema     *arrow.Schema
	serialized []byte
	codec      codec
	packed     bool // each message's rows are compressed once more, as a block of LZ4
	rows       int64
	gapless    bool // the numbers of its rows are 0, 1, 2 and so on
	streams    []span
	pins       map[span]*pin               // of a table that others may change
	drop       func(context.Context) error // of rows that were kept for the session; nil for none

	age, idle time.Duration
	created   time.Time

	mu    sync.Mutex
	used  time.Time
	reads int // that are at it
	gone  bool
}

// pin is a transaction that sees a table as it was.
type pin struct {
	turn chan struct{} // holds one token: the connection's, which serves one reader
	conn *sql.Conn
	tx   *sql.Tx
}

func (p *pin) close() (err error) {
	if p.tx != nil {
		if err = p.tx.Rollback(); errors.Is(err, sql.ErrTxDone) {
			err = nil
		}
	}
	return errors.Join(err, p.conn.Close())
}

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

func (n *session) streamName(x span) string {
	return fmt.Sprintf("%s/streams/%d-%d", n.name, x.from, x.to)
}

// expires is when the session ends if nobody reads it any more.
func (n *session) expires() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	if end := n.used.Add(n.idle); n.pins != nil && end.Before(n.created.Add(n.age)) {
		return end
	}
	return n.created.Add(n.age)
}

// enter is for a reader, which leaves when it is done.
func (n *session) enter() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.gone {
		return false
	}
	n.reads++
	return true
}

func (n *session) leave(log *slog.Logger) {
	n.mu.Lock()
	n.reads--
	n.used = time.Now()
	last := n.gone && n.reads == 0
	n.mu.Unlock()
	if last {
		n.release(log)
	}
}

// end forgets the session: what it holds goes with its last reader.
func (n *session) end(log *slog.Logger) {
	n.mu.Lock()
	last := !n.gone && n.reads == 0
	n.gone = true
	n.mu.Unlock()
	if last {
		n.release(log)
	}
}

func (n *session) release(log *slog.Logger) {
	var err error
	for _, p := range n.pins {
		err = errors.Join(err, p.close())
	}
	if n.drop != nil {
		err = errors.Join(err, n.drop(context.Background()))
	}
	if err != nil {
		log.Error("ending a read session", "session", n.name, "error", err)
	}
}

func (n *session) busy() (reading bool, used time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.reads > 0, n.used
}

// sessions are those that are known.
type sessions struct {
	limits Limits
	log    *slog.Logger
	mu     sync.Mutex
	all    map[string]*session
	sweep  *time.Timer // nil while there are none
	closed bool
}

func newSessions(l Limits, log *slog.Logger) *sessions {
	return &sessions{limits: l, log: log, all: map[string]*session{}}
}

// add makes a session known, or ends it.
func (s *sessions) add(n *session) error {
	s.mu.Lock()
	ended := s.expire(time.Now())
	err := s.room(n, &ended)
	if err == nil {
		s.all[n.id] = n
		s.watch()
	}
	s.mu.Unlock()
	if err != nil {
		ended = append(ended, n)
	}
	for _, e := range ended {
		e.end(s.log)
	}
	return err
}

// room forgets the session that was not used for the longest time where there are too many.
func (s *sessions) room(n *session, ended *[]*session) error {
	if s.closed {
		return status.Error(codes.Unavailable, "the server ends")
	}
	pinned := 0
	var oldest *session
	var since time.Time
	for _, m := range s.all {
		if m.pins != nil {
			pinned++
		}
		if reading, used := m.busy(); !reading && (oldest == nil || used.Before(since)) {
			oldest, since = m, used
		}
	}
	if n.pins != nil && pinned >= s.limits.Pinned {
		return status.Errorf(codes.ResourceExhausted,
			"%d sessions hold tables as they were, which is as many as there may be; one ends when it is "+
				"not read for %v", pinned, s.limits.Idle)
	}
	if len(s.all) < s.limits.Sessions {
		return nil
	}
	if oldest == nil {
		return status.Errorf(codes.ResourceExhausted, "%d sessions are being read, which is as many as there may be", len(s.all))
	}
	delete(s.all, oldest.id)
	*ended = append(*ended, oldest)
	return nil
}

// expire takes out those whose time is over.
func (s *sessions) expire(now time.Time) (ended []*session) {
	for id, n := range s.all {
		if reading, _ := n.busy(); !reading && !now.Before(n.expires()) {
			delete(s.all, id)
			ended = append(ended, n)
		}
	}
	return ended
}

// watch sees to it that sessions end without anybody asking.
func (s *sessions) watch() {
	if s.sweep != nil || len(s.all) == 0 || s.closed {
		return
	}
	s.sweep = time.AfterFunc(min(s.limits.Idle, s.limits.Age)/2, func() {
		s.mu.Lock()
		ended := s.expire(time.Now())
		s.sweep = nil
		s.watch()
		s.mu.Unlock()
		for _, n := range ended {
			n.end(s.log)
		}
	})
}

func (s *sessions) close() error {
	s.mu.Lock()
	s.closed = true
	all := s.all
	s.all = map[string]*session{}
	if s.sweep != nil {
		s.sweep.Stop()
	}
	s.mu.Unlock()
	for _, n := range all {
		n.end(s.log)
	}
	return nil
}

var streamPath = regexp.MustCompile(`^(projects/[^/]+/locations/[^/]+/sessions/([0-9a-f]{32}))` +
	`/streams/(0|[1-9][0-9]{0,17})-(0|[1-9][0-9]{0,17})$`)

// stream finds a stream by its name.
func (s *Server) stream(name string) (*session, span, error) {
	m := streamPath.FindStringSubmatch(name)
	if m == nil {
		return nil, span{}, invalid("there is no stream of the name %.200q", name)
	}
	s.sessions.mu.Lock()
	n := s.sessions.all[m[2]]
	s.sessions.mu.Unlock()
	if n == nil || n.name != m[1] {
		return nil, span{}, status.Errorf(codes.NotFound,
			"Not found: session %.200s: it has expired, or is of a server that has ended; create another one", m[1])
	}
	var x span
	x.from, _ = strconv.ParseInt(m[3], 10, 64)
	x.to, _ = strconv.ParseInt(m[4], 10, 64)
	last := n.streams
	if _, ok := n.pins[x]; n.pins != nil && !ok || len(last) == 0 || x.from > x.to || x.to > last[len(last)-1].to {
		return nil, span{}, status.Errorf(codes.NotFound, "Not found: stream %.200s", name)
	}
	return n, x, nil
}
