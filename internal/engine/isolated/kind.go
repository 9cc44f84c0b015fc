// Package isolated runs the engines of other packages in a process of their own, the worker: what ends that process, such as a failed check
// in a kernel, ends the statement whose run caused it, and the next run starts the worker again. From the top: kind.go is what callers
// see; pool_linux.go shares one worker among the models of a database; process_linux.go starts, watches and ends it; serve_linux.go is the
// worker's own side; lane_linux.go carries one call at a time; message.go has the form of tensors on that way.
//
// Tensors lie in shared memory that cannot shrink, so that no access to it can fault; calls are short messages over a socket. Nothing that
// comes from the worker is trusted: types, shapes, sizes and places are checked before anything is looked at.
package isolated

import (
	"context"
	"runtime/debug"

	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/modelspec"
)

// Options say how a worker is run.
type Options struct {
	Program string // that is the worker; "" is this program where it is the command mallard, else that command in $PATH
	Memory  int64  // bytes of its own that a worker may have; 0 is no bound
	Config  []byte // what the worker makes its kinds of
}

// Argument is the first argument of a worker, and Environment the variable that a process has when it was started as one.
const (
	Argument    = "mallard-worker"
	Environment = "MALLARD_WORKER"
)

// command is the main package of the program that is always able to be a worker.
const command = "github.com/mallardml/mallard/cmd/mallard"

// isCommand reports whether this program is the command mallard.
func isCommand() bool {
	b, ok := debug.ReadBuildInfo()
	return ok && b.Path == command
}

// Kinds gives kinds whose models are opened in the worker of the pool. Files are inspected here: that runs nothing of them.
func (p *Pool) Kinds(of engine.Kinds) engine.Kinds {
	all := make(engine.Kinds, len(of))
	for i, k := range of {
		all[i] = kind{k, p}
	}
	return all
}

type kind struct {
	engine.Kind
	pool *Pool
}

// Open implements [engine.Kind].
func (k kind) Open(ctx context.Context, dir string, s *modelspec.Spec) (engine.Engine, error) {
	return k.pool.open(ctx, &opening{Type: k.ModelType(), Dir: dir, Spec: s})
}

// opening is what a worker is told of a model.
type opening struct {
	Type string
	Dir  string
	Spec *modelspec.Spec
}
