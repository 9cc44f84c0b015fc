package serving

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/answercache"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/provider"
)

// Remote is the connections to providers and the calls over them that statements use.
type Remote struct {
	cfg     *config.Config
	stores  *Stores
	db      *sql.DB // for the cache
	session dispatch.Meter

	mu          sync.Mutex
	connections map[string]*remoteConnection
	specs       map[int64]*liveSpec
	byKey       map[string]*liveSpec
	idle        []*liveSpec // without references, oldest first
	cache       *answercache.Cache
	late        []<-chan struct{} // closed when answers of statements that are over have been written
}

// remoteConnection is one named connection, shared by all statements.
type remoteConnection struct {
	allowed  func(context.Context) error
	provider provider.Provider
	remote   *dispatch.Connection

	mu      sync.Mutex
	service remote.Service
}

// liveSpec is one call of a function over a model. Bound statements hold references.
type liveSpec struct {
	*remote.Spec
	key  string
	refs int
}

// maxIdleSpecs bounds the calls that are kept though no bound statement uses them.
const maxIdleSpecs = 256

// NewRemote makes what a database has of remote models. Answers are kept over db.
func NewRemote(cfg *config.Config, stores *Stores, db *sql.DB) *Remote {
	r := &Remote{
		cfg: cfg, stores: stores, db: db,
		connections: map[string]*remoteConnection{}, specs: map[int64]*liveSpec{}, byKey: map[string]*liveSpec{},
	}
	r.session.Name = "session"
	r.session.Budget = config.SessionBudget(cfg.Budget)
	return r
}

// Session is the meter over all statements of the database while it is open.
func (r *Remote) Session() *dispatch.Meter { return &r.session }

// Spent is what was asked over a connection so far.
func (r *Remote) Spent(connection string) (total dispatch.Usage) {
	for _, u := range r.session.Usage() {
		if u.Connection == connection {
			total.Requests, total.Failed, total.Money = total.Requests+u.Requests, total.Failed+u.Failed, total.Money+u.Money
			total.InputTokens, total.OutputTokens = total.InputTokens+u.InputTokens, total.OutputTokens+u.OutputTokens
			total.Priced = total.Priced || u.Priced
		}
	}
	return total
}

// Answers gives the cache of the database, made when it is first needed.
func (r *Remote) Answers() *answercache.Cache {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cache == nil {
		c := r.cfg.Cache
		r.cache = answercache.New(r.db, answercache.Options{TTL: time.Duration(c.TTL), MaxRows: c.MaxRows, MaxBytes: c.MaxBytes})
	}
	return r.cache
}

// Leave takes note of a statement that is over, but perhaps for writing its last answers.
func (r *Remote) Leave(done <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.late = append(slices.DeleteFunc(r.late, isClosed), done)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// lateGrace is how long closing the database waits for answers that are being written: they are paid for.
const lateGrace = 30 * time.Second

// Close ends the clients, and waits for what statements have left behind.
func (r *Remote) Close() error {
	err := r.closeClients()
	r.mu.Lock()
	late := r.late
	r.late = nil
	r.mu.Unlock()
	t := time.NewTimer(lateGrace)
	defer t.Stop()
	for _, done := range late {
		select {
		case <-done:
		case <-t.C:
			return errors.Join(err, errors.New("answers of remote models were still being written to the cache when the database was "+
				"closed; those are lost"))
		}
	}
	return err
}

func (r *Remote) closeClients() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, c := range r.connections {
		if closer, ok := c.service.(io.Closer); ok {
			errs = append(errs, closer.Close())
		}
	}
	r.connections = map[string]*remoteConnection{}
	return errors.Join(errs...)
}

// connection gives a connection; its client is made at the first request.
func (r *Remote) connection(name string) (*remoteConnection, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.connections[name]; ok {
		return c, nil
	}
	cfg, ok := r.cfg.Connections[name]
	if !ok {
		return nil, fmt.Errorf("its connection `%s` is not in the configuration; add [connections.%q]", name, name)
	}
	p, err := config.Provider(name, cfg)
	if err != nil {
		return nil, err
	}
	c := &remoteConnection{allowed: r.stores.allowed, provider: p, remote: dispatch.NewConnection(config.ConnectionOptions(name, cfg))}
	r.connections[name] = c
	return c, nil
}

// open gives the client of a connection, made once.
func (c *remoteConnection) open(ctx context.Context) (remote.Service, error) {
	if err := c.allowed(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.service != nil {
		return c.service, nil
	}
	s, err := c.provider.Open(ctx)
	if err != nil {
		return nil, err
	}
	c.service = s
	return s, nil
}

// Spec implements [remote.Host].
func (r *Remote) Spec(version int64) (*remote.Spec, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.specs[version]
	if !ok {
		return nil, ErrStale
	}
	s.refs++
	return s.Spec, nil
}

// ReleaseSpec implements [remote.Host].
func (r *Remote) ReleaseSpec(version int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.specs[version]; ok {
		if s.refs--; s.refs == 0 {
			r.park(s)
		}
	}
}

// park keeps a call without references for a while; mu is held.
func (r *Remote) park(s *liveSpec) {
	r.idle = append(r.idle, s)
	for len(r.idle) > maxIdleSpecs {
		old := r.idle[0]
		r.idle = r.idle[1:]
		if old.refs == 0 {
			delete(r.specs, old.Version)
			delete(r.byKey, old.key)
		}
	}
}

// Call gets a call over a connection ready; the same call gives the same version.
func (r *Remote) Call(s *remote.Spec, connection string) (*remote.Spec, error) {
	k, err := json.Marshal([]any{
		connection, s.Func, s.Model, s.Endpoint, s.Options, s.Inputs, s.Outputs, s.Objects, s.Versioned, s.Titled, s.Media,
	})
	if err != nil {
		return nil, err
	}
	key := string(k)
	r.mu.Lock()
	if s, ok := r.byKey[key]; ok {
		defer r.mu.Unlock()
		return s.Spec, nil
	}
	r.mu.Unlock()

	c, err := r.connection(connection)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", s.Model, err)
	}
	s.Version, s.Connection, s.Service, s.CacheAlways = lastVersion.Add(1), c.remote, c.open, r.cfg.Cache.Always
	s.Load, s.Stat = r.stores.Load, r.stores.Stat
	if !r.cfg.Cache.Off {
		s.Cache = r.Answers()
	}
	if err := s.Init(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if other, ok := r.byKey[key]; ok {
		return other.Spec, nil
	}
	live := &liveSpec{Spec: s, key: key}
	r.specs[s.Version], r.byKey[key] = live, live
	r.park(live)
	return s, nil
}
