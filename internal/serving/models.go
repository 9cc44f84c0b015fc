package serving

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/modelstore"
	"github.com/mallardml/mallard/internal/trace"
	"github.com/mallardml/mallard/objecttable"
)

// Models are the frozen versions of models that statements use, each with one engine shared by all of them, and those that the
// configuration declares.
type Models struct {
	cfg     *config.Config
	stores  *Stores
	engines engine.Kinds
	files   modelstore.Store
	copied  func(ctx context.Context, done, all int64)

	mu     sync.Mutex
	all    map[int64]*version
	key    map[string]*version
	loaded []*version // those with an engine, least recently used first

	declaredMu sync.Mutex
	declared   map[string]*modelspec.Spec // once used
}

// NewModels makes the models of a database. copied hears how many bytes of a model's files have come from a bucket.
func NewModels(
	cfg *config.Config, stores *Stores, engines engine.Kinds, files modelstore.Store, copied func(ctx context.Context, done, all int64),
) *Models {
	return &Models{
		cfg: cfg, stores: stores, engines: engines, files: files, copied: copied,
		all: map[int64]*version{}, key: map[string]*version{}, declared: map[string]*modelspec.Spec{},
	}
}

// version is one version of a model. Bound statements hold references; a version that its model has left behind is closed with
// the last of them.
type version struct {
	*functions.Model
	key     string
	spec    *modelspec.Spec
	refs    int
	retired bool

	mu     sync.Mutex
	engine engine.Engine
}

// get gives the version that a spec describes; the same spec gives the same version.
func (ms *Models) get(name string, spec *modelspec.Spec) (*version, error) {
	k, err := json.Marshal([]any{
		name, spec.Type, spec.Digest, spec.Signature, spec.Tags, spec.Inputs, spec.Outputs, spec.BatchSize, spec.FixedBatch, spec.Stateless,
		spec.CustomOps, spec.OpsDigests,
	})
	if err != nil {
		return nil, err
	}
	key := string(k)
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if m, ok := ms.key[key]; ok {
		m.retired = false
		return m, nil
	}
	inputs, err := modelspec.Ports(spec.Inputs)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	outputs, err := modelspec.Ports(spec.Outputs)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	m := &version{key: key, spec: spec, Model: &functions.Model{
		Name: name, Version: lastVersion.Add(1), Inputs: inputs, Outputs: outputs,
		BatchSize: spec.BatchSize, FixedBatch: spec.FixedBatch, Stateless: spec.Stateless,
	}}
	m.Model.Open = func(ctx context.Context) (functions.Engine, error) {
		return m.open(ctx, ms)
	}
	ms.all[m.Version], ms.key[key] = m, m
	return m, nil
}

// open loads the model at its first use; later calls, and calls at the same time, share the engine.
func (m *version) open(ctx context.Context, ms *Models) (engine.Engine, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.engine != nil {
		return m.engine, nil
	}
	kind, err := ms.engines.Find(m.spec.Type)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	dir, err := ms.files.Open(ctx, m.spec.Digest)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	spec := *m.spec
	if spec.CustomOps, err = ms.files.Libraries(ctx, m.spec); err != nil {
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
	ms.keep(m)
	return e, nil
}

// defaultLoaded is how many models stay loaded though no statement uses them.
const defaultLoaded = 64

// keep takes note of a model that was loaded, and closes others where there are too many. The caller holds m.mu.
func (ms *Models) keep(m *version) {
	ms.mu.Lock()
	if ms.all[m.Version] == m { // else it was forgotten meanwhile, and is closed by whoever did
		ms.loaded = append(ms.loaded, m)
	}
	surplus := ms.surplus()
	ms.mu.Unlock()
	closeAll(surplus)
}

// surplus takes the engines that are too many from the models that have waited longest; mu is held. A model that a statement holds, or
// that is being loaded, stays: the end of the statement asks again.
func (ms *Models) surplus() (all []engine.Engine) {
	most := cmp.Or(ms.cfg.Store.MaxLoaded, defaultLoaded)
	for i := 0; i < len(ms.loaded) && len(ms.loaded) > most; {
		m := ms.loaded[i]
		if m.refs > 0 || !m.mu.TryLock() {
			i++
			continue
		}
		all = append(all, m.engine)
		m.engine = nil
		m.mu.Unlock()
		ms.loaded = slices.Delete(ms.loaded, i, i+1)
	}
	return all
}

// closeAll closes engines that nobody uses; nobody is left to be told of an error either.
func closeAll(all []engine.Engine) {
	for _, e := range all {
		_ = e.Close()
	}
}

func (m *version) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.engine
	m.engine = nil
	if e == nil {
		return nil
	}
	return e.Close()
}

// Model implements [functions.Host].
func (ms *Models) Model(version int64) (*functions.Model, error) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	m, ok := ms.all[version]
	if !ok {
		return nil, ErrStale
	}
	m.refs++
	if i := slices.Index(ms.loaded, m); i >= 0 {
		ms.loaded = append(slices.Delete(ms.loaded, i, i+1), m)
	}
	return m.Model, nil
}

// Release implements [functions.Host].
func (ms *Models) Release(version int64) {
	ms.mu.Lock()
	m, ok := ms.all[version]
	if ok {
		m.refs--
		ok = m.refs == 0 && m.retired
		if ok {
			ms.forget(m)
		}
	}
	surplus := ms.surplus()
	ms.mu.Unlock()
	closeAll(surplus)
	if ok {
		_ = m.close() // nobody is left to be told
	}
}

// Retire marks the versions of a model name as left behind, but for the one to keep (0 for none).
func (ms *Models) Retire(name string, keep int64) {
	var idle []*version
	ms.mu.Lock()
	for _, m := range ms.all {
		if m.Name != name || m.Version == keep {
			continue
		}
		m.retired = true
		if m.refs == 0 {
			ms.forget(m)
			idle = append(idle, m)
		}
	}
	ms.mu.Unlock()
	for _, m := range idle {
		_ = m.close()
	}
}

// forget takes a version out of the tables; mu is held.
func (ms *Models) forget(m *version) {
	delete(ms.all, m.Version)
	delete(ms.key, m.key)
	if i := slices.Index(ms.loaded, m); i >= 0 {
		ms.loaded = slices.Delete(ms.loaded, i, i+1)
	}
}

// Close frees every engine.
func (ms *Models) Close() error {
	ms.mu.Lock()
	all := ms.all
	ms.all, ms.key, ms.loaded = map[int64]*version{}, map[string]*version{}, nil
	ms.mu.Unlock()
	var errs []error
	for _, m := range all {
		errs = append(errs, m.close())
	}
	return errors.Join(errs...)
}

// fetch gives the folder that a MODEL_PATH names, from a bucket with the account of the default connection.
func (ms *Models) fetch(ctx context.Context, path string) (dir string, done func(), err error) {
	if !strings.HasPrefix(path, "gs://") {
		if err := ms.stores.confined("files of this machine"); err != nil {
			return "", nil, err
		}
	}
	bucket := func(ctx context.Context) (objecttable.Store, error) { return ms.stores.Store(ctx, "gs", "default") }
	return ms.files.Fetch(ctx, path, bucket, func(got, total int64) { ms.copied(ctx, got, total) })
}
