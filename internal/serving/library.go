package serving

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/modelstore"
)

// Engine gives the kind of engine of a MODEL_TYPE.
func (ms *Models) Engine(modelType string) (engine.Kind, error) { return ms.engines.Find(modelType) }

// EngineOf gives the kind of engine of an archive's model.
func (ms *Models) EngineOf(ctx context.Context, archive string) (engine.Kind, error) {
	if err := ms.stores.allowed(ctx); err != nil {
		return nil, err
	}
	head, err := modelstore.ReadHead(archive)
	if err != nil {
		return nil, err
	}
	return ms.Engine(head.Type)
}

// Inspect reads the files of a model and gives its spec; keep copies them into the store.
func (ms *Models) Inspect(
	ctx context.Context, k engine.Kind, in engine.Import,
) (s *modelspec.Spec, keep func(context.Context) error, err error) {
	if err := ms.stores.allowed(ctx); err != nil {
		return nil, nil, err
	}
	return ms.inspect(ctx, k, in)
}

func (ms *Models) inspect(
	ctx context.Context, k engine.Kind, in engine.Import,
) (s *modelspec.Spec, keep func(context.Context) error, err error) {
	if len(in.CustomOps) > 0 { // they are programs
		if err := ms.stores.confined("libraries of custom_ops"); err != nil {
			return nil, nil, err
		}
	}
	dir, done, err := ms.unpacked(ctx, k, &in)
	if err != nil {
		return nil, nil, err
	}
	spec, err := k.Inspect(dir, in)
	if err == nil {
		spec.Digest, err = modelstore.Digest(ctx, dir)
	}
	if err != nil {
		if !strings.HasPrefix(in.Path, "gs://") { // what was downloaded stays for the next try
			done()
		}
		return nil, nil, err
	}
	return spec, func(ctx context.Context) error {
		if _, err := ms.files.Put(ctx, dir, spec.Digest); err != nil {
			return err
		}
		if err := ms.files.PutLibraries(ctx, spec); err != nil {
			return &engine.OptionError{Option: "custom_ops", Err: err}
		}
		done()
		return nil
	}, nil
}

// unpacked gives the folder of a model's files. Of an archive it takes the options that the statement leaves out.
func (ms *Models) unpacked(ctx context.Context, k engine.Kind, in *engine.Import) (dir string, done func(), err error) {
	if !strings.HasSuffix(in.Path, modelstore.ArchiveSuffix) || strings.Contains(in.Path, "://") {
		return ms.fetch(ctx, in.Path)
	}
	if info, err := os.Stat(in.Path); err == nil && info.IsDir() {
		return ms.fetch(ctx, in.Path)
	}
	if err := ms.stores.confined("files of this machine"); err != nil {
		return "", nil, err
	}
	dir, a, done, err := ms.files.Unpack(ctx, in.Path)
	if err != nil {
		return "", nil, fmt.Errorf("MODEL_PATH '%s': %w", in.Path, err)
	}
	if a.Type != k.ModelType() {
		done()
		return "", nil, &engine.OptionError{Option: "model_type", Err: fmt.Errorf("the archive %s holds a model of type %s", in.Path, a.Type)}
	}
	in.Signature, in.Description = cmp.Or(in.Signature, a.Signature), cmp.Or(in.Description, a.Description)
	in.BatchSize = cmp.Or(in.BatchSize, a.BatchSize)
	if in.Tags == nil {
		in.Tags = a.Tags
	}
	if in.Outputs == nil {
		in.Outputs = a.Outputs
	}
	if in.Labels == nil {
		in.Labels = a.Labels
	}
	return dir, done, nil
}

// Export writes a model, whose files are in the store, into an archive.
func (ms *Models) Export(ctx context.Context, s *modelspec.Spec, file string) error {
	if err := ms.stores.allowed(ctx); err != nil {
		return err
	}
	if err := ms.stores.confined("files of this machine"); err != nil {
		return err
	}
	return ms.files.Archive(ctx, s, file)
}

// Load gives the version of a model that is in the store, loaded.
func (ms *Models) Load(ctx context.Context, name string, s *modelspec.Spec) (int64, error) {
	m, err := ms.get(name, s)
	if err != nil {
		return 0, err
	}
	_, err = m.open(ctx, ms)
	return m.Version, err
}

// Tensors lists what the files of a model in the store offer.
func (ms *Models) Tensors(ctx context.Context, s *modelspec.Spec) ([]engine.Tensor, error) {
	dir, err := ms.files.Open(ctx, s.Digest)
	if err != nil {
		return nil, err
	}
	kind, err := ms.engines.Find(s.Type)
	if err != nil {
		return nil, err
	}
	return kind.Describe(dir)
}

// Version gives the version of a model, which is loaded at its first use.
func (ms *Models) Version(e catalog.Entry) (*functions.Model, error) {
	m, err := ms.get(e.QualifiedName.String(), e.Spec)
	if err != nil {
		return nil, err
	}
	return m.Model, nil
}
