package extension

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/trace"
	"github.com/mallardml/mallard/objecttable"
)

// lastVersion numbers versions over the whole process: a number in a prepared text never means another model.
var lastVersion atomic.Int64

// liveModels are the frozen versions of models that statements use, each with one engine shared by all of them.
type liveModels struct {
	in  *instance
	mu  sync.Mutex
	all map[int64]*liveModel
	key map[string]*liveModel
}

// liveModel is one version. Bound statements hold references; a version that its model has left behind is closed with
// the last of them.
type liveModel struct {
	*functions.Model
	key     string
	rec     *modelspec.Spec
	refs    int
	retired bool

	mu     sync.Mutex
	engine engine.Engine
}

func (l *liveModels) init(in *instance) {
	l.in, l.all, l.key = in, map[int64]*liveModel{}, map[string]*liveModel{}
}

// get gives the version that a record describes; the same record gives the same version.
func (l *liveModels) get(name string, rec *modelspec.Spec) (*liveModel, error) {
	k, err := json.Marshal([]any{name, rec.Digest, rec.Signature, rec.Tags, rec.Inputs, rec.Outputs, rec.BatchSize, rec.CustomOps, rec.OpsDigests})
	if err != nil {
		return nil, err
	}
	key := string(k)
	l.mu.Lock()
	defer l.mu.Unlock()
	if m, ok := l.key[key]; ok {
		m.retired = false
		return m, nil
	}
	inputs, err := modelspec.Ports(rec.Inputs)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	outputs, err := modelspec.Ports(rec.Outputs)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	m := &liveModel{key: key, rec: rec, Model: &functions.Model{
		Name: name, Version: lastVersion.Add(1), Inputs: inputs, Outputs: outputs,
		BatchSize: rec.BatchSize, FixedBatch: rec.FixedBatch, Stateless: rec.Stateless,
	}}
	m.Model.Open = func(ctx context.Context) (functions.Engine, error) {
		return m.open(ctx, l.in)
	}
	l.all[m.Version], l.key[key] = m, m
	return m, nil
}

// open loads the model at its first use; later calls, and calls at the same time, share the engine.
func (m *liveModel) open(ctx context.Context, in *instance) (engine.Engine, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.engine != nil {
		return m.engine, nil
	}
	kind, err := in.engines.Find(m.rec.Type)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	dir, err := in.store.Open(ctx, m.rec.Digest)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	spec := *m.rec
	if spec.CustomOps, err = in.store.Libraries(ctx, m.rec); err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	began := time.Now()
	e, err := kind.Open(ctx, dir, &spec)
	if t := trace.From(ctx); t != nil {
		t.Trace(ctx, trace.Event{Kind: trace.ModelOpened, Model: m.Name, Duration: time.Since(began), Err: err})
	}
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	m.engine = e
	return e, nil
}

func (m *liveModel) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.engine
	m.engine = nil
	if e == nil {
		return nil
	}
	return e.Close()
}

// errStale says that a text names a version that is gone; the statement is planned again.
var errStale = errors.New("mallard: the model of this statement was replaced or dropped; prepare the statement again")

func (l *liveModels) acquire(version int64) (*functions.Model, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, ok := l.all[version]
	if !ok {
		return nil, errStale
	}
	m.refs++
	return m.Model, nil
}

func (l *liveModels) release(version int64) {
	l.mu.Lock()
	m, ok := l.all[version]
	if ok {
		m.refs--
		ok = m.refs == 0 && m.retired
		if ok {
			l.forget(m)
		}
	}
	l.mu.Unlock()
	if ok {
		_ = m.close() // nobody is left to be told
	}
}

// retire marks the versions of a model name as left behind, but for the one to keep (0 for none).
func (l *liveModels) retire(name string, keep int64) {
	var idle []*liveModel
	l.mu.Lock()
	for _, m := range l.all {
		if m.Name != name || m.Version == keep {
			continue
		}
		m.retired = true
		if m.refs == 0 {
			l.forget(m)
			idle = append(idle, m)
		}
	}
	l.mu.Unlock()
	for _, m := range idle {
		_ = m.close()
	}
}

// forget takes a version out of the tables; mu is held.
func (l *liveModels) forget(m *liveModel) {
	delete(l.all, m.Version)
	delete(l.key, m.key)
}

// close frees every engine.
func (l *liveModels) close() error {
	l.mu.Lock()
	all := l.all
	l.init(l.in)
	l.mu.Unlock()
	var errs []error
	for _, m := range all {
		errs = append(errs, m.close())
	}
	return errors.Join(errs...)
}

// fetch gives the folder that a MODEL_PATH names, from a bucket with the account of the default connection.
func (in *instance) fetch(ctx context.Context, path string) (dir string, done func(), err error) {
	bucket := func(ctx context.Context) (objecttable.Store, error) { return in.objects.Store(ctx, "gs", "default") }
	shown, _ := ctx.Value(progressKey{}).(*Progress)
	return in.store.Fetch(ctx, path, bucket, func(got, total int64) {
		if shown != nil {
			shown.setCopied(got, total)
		}
	})
}
