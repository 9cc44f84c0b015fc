package extension

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/answercache"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/provider"
	"github.com/mallardml/mallard/internal/spelling"
)

// remoteModels are the connections to providers and the calls over them that statements use.
type remoteModels struct {
	in      *instance
	session remote.Meter // over all statements of the database while it is open

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
	in       *instance
	provider provider.Provider
	remote   *remote.Connection

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

func (r *remoteModels) init(in *instance) {
	r.in = in
	r.session.Name = "session"
	r.session.Budget = config.SessionBudget(in.cfg.Budget)
	r.connections, r.specs, r.byKey = map[string]*remoteConnection{}, map[int64]*liveSpec{}, map[string]*liveSpec{}
}

// answers gives the cache of the database, made when it is first needed.
func (r *remoteModels) answers() *answercache.Cache {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cache == nil {
		c := r.in.cfg.Cache
		r.cache = answercache.New(r.in.db, answercache.Options{TTL: time.Duration(c.TTL), MaxRows: c.MaxRows, MaxBytes: c.MaxBytes})
	}
	return r.cache
}

// leave takes note of a statement that is over, but perhaps for writing its last answers.
func (r *remoteModels) leave(done <-chan struct{}) {
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

// close ends the clients, and waits for what statements have left behind.
func (r *remoteModels) close() error {
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
			return errors.Join(err, errors.New("answers of remote models were still being written to the cache when the database was closed; those are lost"))
		}
	}
	return err
}

func (r *remoteModels) closeClients() error {
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
func (r *remoteModels) connection(name string) (*remoteConnection, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.connections[name]; ok {
		return c, nil
	}
	cfg, ok := r.in.cfg.Connections[name]
	if !ok {
		return nil, fmt.Errorf("its connection `%s` is not in the configuration; add [connections.%q]", name, name)
	}
	p, err := config.Provider(name, cfg)
	if err != nil {
		return nil, err
	}
	c := &remoteConnection{in: r.in, provider: p, remote: remote.NewConnection(config.ConnectionOptions(name, cfg))}
	r.connections[name] = c
	return c, nil
}

// open gives the client of a connection, made once.
func (c *remoteConnection) open(ctx context.Context) (remote.Service, error) {
	if err := c.in.externalAccess(ctx); err != nil {
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

var _ remote.Host = (*instance)(nil)

// Spec implements [remote.Host].
func (in *instance) Spec(version int64) (*remote.Spec, error) {
	r := &in.remote
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.specs[version]
	if !ok {
		return nil, errStale
	}
	s.refs++
	return s.Spec, nil
}

// ReleaseSpec implements [remote.Host].
func (in *instance) ReleaseSpec(version int64) {
	r := &in.remote
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.specs[version]; ok {
		if s.refs--; s.refs == 0 {
			r.park(s)
		}
	}
}

// park keeps a call without references for a while; mu is held.
func (r *remoteModels) park(s *liveSpec) {
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

// Asks implements [remote.Host].
func (in *instance) Asks(conn uint64) { in.running(conn).waits.Store(true) }

// Statement implements [remote.Host].
func (in *instance) Statement(conn uint64) *remote.Statement { return in.running(conn).statement() }

// spec gives the call of a function over a model; the same call gives the same version.
func (r *remoteModels) spec(f catalog.Entry, fn string, options []dialect.Option, in inputKind) (*remote.Spec, error) {
	given := make([]remote.Option, len(options))
	for i, o := range options {
		given[i] = remote.Option{Name: o.Name, Value: plainValue(o.Value), Pos: o.Pos, End: o.End}
	}
	k, err := json.Marshal([]any{f.QualifiedName.String(), f.Spec.Endpoint, f.Spec.Connection, f.Spec.InputColumns, f.Spec.OutputColumns, fn, optionsJSON(options), fmt.Sprint(in)}) // in has no exported fields
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

	c, err := r.connection(f.Spec.Connection)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", f.QualifiedName, err)
	}
	s := &remote.Spec{
		Func: fn, Model: f.QualifiedName.String(), Version: lastVersion.Add(1), Endpoint: f.Spec.Endpoint,
		Connection: c.remote, Service: c.open, CacheAlways: r.in.cfg.Cache.Always,
		Titled: in.titled, Objects: in.objects, Versioned: in.versioned, Media: in.media, Load: r.in.objects.load, Stat: r.in.objects.stat,
	}
	if s.Inputs, err = remoteColumns(f.Spec.InputColumns); err != nil {
		return nil, fmt.Errorf("model %s: %w", f.QualifiedName, err)
	}
	if s.Outputs, err = remoteColumns(f.Spec.OutputColumns); err != nil {
		return nil, fmt.Errorf("model %s: %w", f.QualifiedName, err)
	}
	if err := c.provider.Address(s); err != nil {
		return nil, fmt.Errorf("model %s: %w", f.QualifiedName, err)
	}
	if err := remote.Suits(fn, s.Family); err != nil {
		return nil, fmt.Errorf("model %s: %w", f.QualifiedName, err)
	}
	if s.Options, err = remote.ParseOptions(fn, s.Family, given); err != nil {
		var oe *remote.OptionError
		if errors.As(err, &oe) {
			err = dialect.At(dialect.Span{Pos: oe.Pos, End: oe.End}, spelling.Meant(err, oe.Unknown, oe.Known))
		}
		return nil, err
	}
	if in.similar {
		s.Options.Compare(s.Family)
	}
	if !r.in.cfg.Cache.Off {
		s.Cache = r.answers()
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

func remoteColumns(in []modelspec.Column) ([]remote.Column, error) {
	var out []remote.Column
	for _, c := range in {
		t, err := remote.ParseType(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column `%s`: type %s %w", c.Name, c.Type, err)
		}
		out = append(out, remote.Column{Name: c.Name, Type: t})
	}
	return out, nil
}

// remoteCall writes what stands around the input of a call over a remote model.
func (w *writer) remoteCall(ctx context.Context, f catalog.Entry, fn string, options []dialect.Option, in inputKind) (*remote.Spec, string, string, error) {
	s, err := w.models.remoteSpec(f, fn, options, in)
	if err != nil {
		return nil, "", "", err
	}
	for _, fn := range s.Functions() {
		if err := w.models.remoteFunction(ctx, fn); err != nil {
			return nil, "", "", err
		}
	}
	open, after := s.SQL(w.models.functionName)
	return s, open, after, nil
}

// plainValue gives an option's value as package remote reads it.
func plainValue(v dialect.Value) any {
	switch v.Kind {
	case dialect.Int:
		return v.Int
	case dialect.Float:
		return v.Float
	case dialect.Bool:
		return v.Bool
	case dialect.Array:
		list := make([]any, len(v.List))
		for i, e := range v.List {
			list[i] = plainValue(e)
		}
		return list
	case dialect.Struct:
		fields := make([]remote.Option, len(v.Fields))
		for i, f := range v.Fields {
			fields[i] = remote.Option{Name: f.Name, Value: plainValue(f.Value), Pos: f.Pos, End: f.End}
		}
		return fields
	case dialect.Null:
		return nil
	}
	return v.Str
}

// connectionOf finds the connection that a statement names. nil is the default one; where that is missing, the other place is
// to blame.
func connectionOf(cfg *config.Config, p *dialect.Path, other dialect.Span) (string, error) {
	if p == nil {
		name, err := config.ConnectionName(cfg)
		return name, dialect.At(other, err)
	}
	name, err := config.ConnectionName(cfg, p.Parts...)
	return name, dialect.At(p.Span, err)
}

// createRemote checks a remote model and gives the statement that records it. Nothing is asked of the endpoint.
func (n *conn) createRemote(s *dialect.CreateModel) (*modelspec.Spec, error) {
	cfg := n.in.cfg
	name, err := connectionOf(cfg, s.Connection, s.Name.Span)
	if err != nil {
		return nil, err
	}
	rec := &modelspec.Spec{Type: "REMOTE", Connection: name}
	endpoint := dialect.Span{}
	for i := range s.Options {
		o := &s.Options[i]
		var err error
		switch strings.ToLower(o.Name) {
		case "endpoint":
			rec.Path, err = textOption(o)
			endpoint = o.Value.Span
		case "description":
			rec.Description, err = textOption(o)
		case "labels":
			rec.Labels, err = labelsOption(o)
		case "remote_service_type", "hugging_face_model_id", "model_garden_model_name":
			err = dialect.At(o.Span, fmt.Errorf("option `%s` is not supported; deploy the model and give its ENDPOINT", o.Name))
		default:
			err = dialect.At(o.Span, fmt.Errorf("unknown option `%s`; a remote model takes endpoint, description, labels", o.Name))
		}
		if err != nil {
			return nil, err
		}
	}
	if strings.TrimSpace(rec.Path) == "" {
		return nil, dialect.At(s.Name.Span, errors.New("a remote model needs OPTIONS(ENDPOINT='…'): the name of a model such as 'gemini-2.5-flash', or a URL"))
	}
	p, err := config.Provider(name, cfg.Connections[name])
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	if rec.Endpoint, err = p.Endpoint(rec.Path); err != nil {
		return nil, dialect.At(endpoint, err)
	}
	for _, side := range []struct {
		to   *[]modelspec.Column
		from []dialect.ColumnDef
	}{{&rec.InputColumns, s.Input}, {&rec.OutputColumns, s.Output}} {
		for _, c := range side.from {
			t, err := remote.ParseType(c.Type)
			if err != nil {
				return nil, dialect.At(c.Span, fmt.Errorf("column `%s`: type %s %w", c.Name, c.Type, err))
			}
			if t.Kind == remote.JSON || t.Kind == remote.Struct || t.Kind == remote.Array && (t.Elem.Kind == remote.Struct || t.Elem.Kind == remote.JSON) {
				return nil, dialect.At(c.Span, fmt.Errorf("column `%s` is %s; INPUT and OUTPUT take BOOL, INT64, FLOAT64, NUMERIC, BIGNUMERIC, STRING and ARRAYs of these", c.Name, t))
			}
			*side.to = append(*side.to, modelspec.Column{Name: c.Name, Type: t.String()})
		}
	}
	if kind := p.Model(rec.Endpoint); kind != "" && len(rec.OutputColumns) > 0 {
		return nil, dialect.At(s.Name.Span, fmt.Errorf("INPUT and OUTPUT are for custom endpoints; `%s` is %s", remote.ModelName(rec.Endpoint), kind))
	}
	return rec, nil
}
