package extension

import (
	"context"

	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/modelstore"
	"github.com/mallardml/mallard/internal/planner"
)

// library gives the planner the models in the process and their files.
type library struct{ in *instance }

var _ planner.Library = library{}

// Engine implements [planner.Library].
func (l library) Engine(modelType string) (engine.Kind, error) { return l.in.engines.Find(modelType) }

// Inspect implements [planner.Library].
func (l library) Inspect(ctx context.Context, k engine.Kind, in engine.Import) (*modelspec.Spec, func(context.Context) error, error) {
	if err := l.in.externalAccess(ctx); err != nil {
		return nil, nil, err
	}
	dir, done, err := l.in.fetch(ctx, in.Path)
	if err != nil {
		return nil, nil, err
	}
	spec, err := k.Inspect(dir, in)
	if err != nil {
		return nil, nil, err
	}
	if spec.Digest, err = modelstore.Digest(ctx, dir); err != nil {
		return nil, nil, err
	}
	return spec, func(ctx context.Context) error {
		if _, err := l.in.store.Put(ctx, dir, spec.Digest); err != nil {
			return err
		}
		if err := l.in.store.PutLibraries(ctx, spec); err != nil {
			return &engine.OptionError{Option: "custom_ops", Err: err}
		}
		done()
		return nil
	}, nil
}

// Load implements [planner.Library].
func (l library) Load(ctx context.Context, name string, s *modelspec.Spec) (int64, error) {
	m, err := l.in.live.get(name, s)
	if err != nil {
		return 0, err
	}
	_, err = m.open(ctx, l.in)
	return m.Version, err
}

// Retire implements [planner.Library].
func (l library) Retire(name string, keep int64) { l.in.live.retire(name, keep) }

// Tensors implements [planner.Library].
func (l library) Tensors(ctx context.Context, s *modelspec.Spec) ([]engine.Tensor, error) {
	dir, err := l.in.store.Open(ctx, s.Digest)
	if err != nil {
		return nil, err
	}
	kind, err := l.in.engines.Find(s.Type)
	if err != nil {
		return nil, err
	}
	return kind.Describe(dir)
}
