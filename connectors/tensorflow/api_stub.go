package tensorflow

import (
	"context"
	"errors"
)

var errStub = errors.New("not built yet")

// FindOptions says where to look first.
type FindOptions struct {
	Path     string // from the configuration: a library file or the folder that holds it
	NoPython bool   // do not ask an installed Python
}

// Library is a TensorFlow library on disk.
type Library struct {
	Dir       string
	Core      string // file to open: libtensorflow_cc.so.2 or libtensorflow.so.2
	Framework string // libtensorflow_framework.so.2 beside it, "" where there is none
	Source    string // where it was found: "configuration", "MALLARD_TENSORFLOW", "cache", "python", "system"
	Version   string // "" until opened, when the folder does not tell
}

// Find looks for the library: configuration, MALLARD_TENSORFLOW, our cache folder, an installed Python tensorflow, the system.
func Find(o FindOptions) (Library, error) { return Library{}, errStub }

// Runtime is the opened library; one per process.
type Runtime struct{ lib Library }

// Open opens the library, once per process. A second call with another library gives the first one.
func Open(l Library) (*Runtime, error) { return nil, errStub }

// Version is TensorFlow's own version ("2.21.0").
func (r *Runtime) Version() string { return "" }

// Library says what was opened.
func (r *Runtime) Library() Library { return r.lib }

// LoadOptions says which part of which model to load, and how.
type LoadOptions struct {
	Dir            string
	Tags           []string // nil: the only tag set, or "serve"
	Signature      string   // "": serving_default, or the only one
	Outputs        []string // nil: all, in byte-wise order
	CustomOps      []string // op libraries (.so files) to load first
	IntraOpThreads int      // 0: TensorFlow's choice
	InterOpThreads int
	XLA            bool // compile with XLA on the CPU, per batch shape
}

// LoadModel opens a session on a signature.
func (r *Runtime) LoadModel(ctx context.Context, o LoadOptions) (*Session, error) { return nil, errStub }

// Session is a loaded model. It is safe for concurrent use.
type Session struct {
	Inputs, Outputs []Port
	Signature       Signature
}

// Run predicts; in goes by the position of Inputs.
func (s *Session) Run(ctx context.Context, in []Tensor) (*Result, error) { return nil, errStub }

// Close waits for running calls and frees the model. It may be called again.
func (s *Session) Close() error { return errStub }

// Result holds the outputs of a run until Close.
type Result struct{ s *Session }

// Len is the number of outputs.
func (r *Result) Len() int { return 0 }

// Output views output i, by the position of Session.Outputs.
func (r *Result) Output(i int) (Tensor, error) { return Tensor{}, errStub }

// Close frees the outputs; every view on them is dead afterwards. It may be called again.
func (r *Result) Close() error { return errStub }

// Inspect reads a model's saved_model.pb; it needs no TensorFlow.
func Inspect(dir string) (*SavedModel, error) { return nil, errStub }

// Select finds a graph and a signature, or says what there is. nil tags and "" choose as LoadOptions does.
func (m *SavedModel) Select(tags []string, signature string) (*MetaGraph, *Signature, error) {
	return nil, nil, errStub
}

// Check refuses what Mallard cannot run: sparse or composite tensors, unsupported types, tensors without a batch dimension.
// outputs limits the check to the outputs wanted; nil means all.
func (s *Signature) Check(outputs []string) error { return errStub }

// Live counts the TensorFlow handles that are open, by kind.
func Live() map[string]int64 { return nil }
