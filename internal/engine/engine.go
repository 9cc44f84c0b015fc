// Package engine is how models run in this process: each kind of engine reads the files of a MODEL_TYPE, says what they take and give, and
// runs them. What creates, lists and asks models knows this package and no engine. To add one, write a [Kind] in a package of its own and
// enter it where package extension lists them.
package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/modelspec"
)

// Import is what a user says of the files of a model: the options of CREATE MODEL, or a model of the configuration.
type Import struct {
	Path        string   // as it was given; where the files are now is said beside it
	Signature   string   // "" is the engine's default
	Tags        []string // nil is the engine's default
	Outputs     []string // nil is all; "name BYTES" gives a string output as BLOB
	BatchSize   int      // rows of one run; 0 is for the engine's caller to choose
	CustomOps   []string // libraries with operations that the engine lacks
	Description string
	Labels      map[string]string
}

// Kind is a kind of engine. It is safe for concurrent use.
type Kind interface {
	// ModelType is the MODEL_TYPE of its models, upper-case. The kind is found by it, and specs keep it.
	ModelType() string
	// Inspect reads the files in a folder, runs nothing of them, and gives the model's spec without identity, times and digest. Files that
	// cannot be served, or that would reach outside of the model, are an error. One that an option is to blame for is an [OptionError].
	Inspect(dir string, o Import) (*modelspec.Spec, error)
	// Open loads the model of a spec that Inspect gave, from the same files.
	Open(ctx context.Context, dir string, s *modelspec.Spec) (Engine, error)
	// Describe lists every input and output that the files offer, also those that the model does not use.
	Describe(dir string) ([]Tensor, error)
}

// Engine runs a loaded model. Close waits for runs under way.
type Engine interface {
	functions.Engine
	Close() error
}

// Tensor is one input or output that the files of a model offer.
type Tensor struct {
	Tags      []string // of the graph
	Signature string
	Method    string // what the signature says of itself; may be empty
	Output    bool   // else it is an input
	Name      string
	DType     string
	Shape     string // as the engine's documentation writes shapes
	Tensor    string // its name in the graph
	SQLType   string // DuckDB's type under ML.PREDICT; "" for one that cannot be served
}

// OptionError is a failure to import that the value of an option is to blame for.
type OptionError struct {
	Option string // as CREATE MODEL calls it
	Err    error
}

// Error gives the text of the failure.
func (e *OptionError) Error() string { return e.Err.Error() }

// Unwrap gives the failure.
func (e *OptionError) Unwrap() error { return e.Err }

// Kinds are the engines that there are.
type Kinds []Kind

// Find gives the kind of a MODEL_TYPE, in any case.
func (ks Kinds) Find(modelType string) (Kind, error) {
	names := make([]string, len(ks))
	for i, k := range ks {
		if strings.EqualFold(modelType, k.ModelType()) {
			return k, nil
		}
		names[i] = "'" + k.ModelType() + "'"
	}
	return nil, fmt.Errorf("MODEL_TYPE '%s' is not supported; use %s", modelType, strings.Join(names, " or "))
}
