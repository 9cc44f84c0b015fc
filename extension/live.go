package extension

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/mallardml/mallard/connectors/tensorflow"
	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/objecttable"
)

// lastVersion numbers versions over the whole process: a number in a prepared text never means another model.
var lastVersion atomic.Int64

// liveModels are the frozen versions of models that statements use, each with one session shared by all of them.
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
	rec     *record
	refs    int
	retired bool

	mu      sync.Mutex
	session *tensorflow.Session
}

func (l *liveModels) init(in *instance) {
	l.in, l.all, l.key = in, map[int64]*liveModel{}, map[string]*liveModel{}
}

// get gives the version that a record describes; the same record gives the same version.
func (l *liveModels) get(name string, rec *record) (*liveModel, error) {
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
	inputs, err := ports(rec.Inputs)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	outputs, err := ports(rec.Outputs)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	m := &liveModel{key: key, rec: rec, Model: &functions.Model{
		Name: name, Version: lastVersion.Add(1), Inputs: inputs, Outputs: outputs,
		BatchSize: rec.BatchSize, FixedBatch: rec.FixedBatch, Stateless: rec.Stateless,
	}}
	m.Model.Open = func(ctx context.Context) (functions.Engine, error) {
		s, err := m.open(ctx, l.in)
		if err != nil {
			return nil, err
		}
		return tfEngine{s}, nil
	}
	l.all[m.Version], l.key[key] = m, m
	return m, nil
}

// open loads the model at its first use; later calls, and calls at the same time, share the session.
func (m *liveModel) open(ctx context.Context, in *instance) (*tensorflow.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.session != nil {
		return m.session, nil
	}
	dir, err := in.store.Open(ctx, m.rec.Digest)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	s, err := in.load(ctx, dir, m.rec)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	m.session = s
	return s, nil
}

func (m *liveModel) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.session
	m.session = nil
	if s == nil {
		return nil
	}
	return s.Close()
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

// close frees every session.
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

// load opens a session on a model folder as a record asks for.
func (in *instance) load(ctx context.Context, dir string, rec *record) (*tensorflow.Session, error) {
	rt, err := in.runtime()
	if err != nil {
		return nil, err
	}
	for i, file := range rec.CustomOps[:min(len(rec.CustomOps), len(rec.OpsDigests))] {
		if d, err := tensorflow.OpsDigest(file); err != nil {
			return nil, err
		} else if d != rec.OpsDigests[i] {
			return nil, fmt.Errorf("its custom-op library %s was changed since the model was created; put the old one back, or create the model again with CREATE OR REPLACE MODEL", file)
		}
	}
	outputs := make([]string, len(rec.Outputs))
	for i, p := range rec.Outputs {
		outputs[i] = p.Name
	}
	tf := in.cfg.TensorFlow
	interOp := tf.InterOpThreads
	if interOp == 0 {
		// Operations run on the thread that asks: package functions spreads batches over the cores itself, and handing
		// each operation to another thread more than doubles the time of a small batch.
		interOp = -1
	}
	return rt.LoadModel(ctx, tensorflow.LoadOptions{
		Dir: dir, Tags: rec.Tags, Signature: rec.Signature, Outputs: outputs, CustomOps: rec.CustomOps,
		IntraOpThreads: in.intraOp(dir, rec), InterOpThreads: interOp, XLA: tf.XLA,
	})
}

// smallModel is the bytes of a model's files up to which its operations are taken to be short.
const smallModel = 4 << 20

// intraOp gives the threads of one operation. Batches are spread over the cores by package functions, so a second thread
// inside an operation has work only where one row is slow, as of an image; elsewhere it costs a switch of threads at every
// operation (measured on two cores: a perceptron a quarter of its time, a transformer a fifth of its processor time).
func (in *instance) intraOp(dir string, rec *record) int {
	if n := in.cfg.TensorFlow.IntraOpThreads; n > 0 {
		return n
	}
	if runtime.GOMAXPROCS(0) <= 2 {
		return 1
	}
	for _, p := range rec.Inputs {
		if len(p.Shape) == 0 || len(p.Shape) > 2 {
			return 0
		}
	}
	left := int64(smallModel)
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		i, err := d.Info()
		if err == nil {
			left -= i.Size()
		}
		return err
	})
	if err != nil || left < 0 {
		return 0
	}
	return 1
}

// runtime opens TensorFlow, once per process.
func (in *instance) runtime() (*tensorflow.Runtime, error) {
	lib, err := tensorflow.Find(tensorflow.FindOptions{Path: config.Path(in.cfg, in.cfg.TensorFlow.Library)})
	if err != nil {
		return nil, failure.As(failure.ErrTensorFlow, err)
	}
	rt, err := tensorflow.Open(lib)
	return rt, failure.As(failure.ErrTensorFlow, err)
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
