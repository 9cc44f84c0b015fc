package extension

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/modelstore"
)

// declaredModels are the models of the configuration. One is read and imported at its first use and stays so frozen while
// the database is open.
type declaredModels struct{ in *instance }

var _ catalog.Declared = declaredModels{}

// Names implements [catalog.Declared].
func (d declaredModels) Names() []string { return slices.Collect(maps.Keys(d.in.cfg.Models)) }

// Spec implements [catalog.Declared].
func (d declaredModels) Spec(ctx context.Context, name string) (*modelspec.Spec, error) {
	in, m := d.in, d.in.cfg.Models[name]
	in.declaredMu.Lock()
	defer in.declaredMu.Unlock()
	if rec, ok := in.declared[name]; ok {
		return rec, nil
	}
	kind, err := in.engines.Find(cmp.Or(m.Type, engine.DefaultType()))
	if err != nil {
		return nil, err
	}
	path := config.Path(in.cfg, m.Path)
	dir, fetched, err := in.fetch(ctx, path)
	if err != nil {
		return nil, err
	}
	rec, err := kind.Inspect(dir, engine.Import{
		Path: path, Signature: m.Signature, Tags: m.Tags, Outputs: m.Outputs,
		BatchSize: m.BatchSize, CustomOps: m.CustomOps, Description: m.Description, Labels: m.Labels,
	})
	if err != nil {
		return nil, err
	}
	rec.ID = "config:" + name
	rec.Created = time.Now().UTC().Truncate(time.Millisecond)
	rec.Modified = rec.Created
	if rec.Digest, err = modelstore.Digest(ctx, dir); err != nil {
		return nil, err
	}
	if _, err := in.store.Put(ctx, dir, rec.Digest); err != nil {
		return nil, err
	}
	if err := in.store.PutLibraries(ctx, rec); err != nil {
		return nil, err
	}
	fetched()
	if in.declared == nil {
		in.declared = map[string]*modelspec.Spec{}
	}
	in.declared[name] = rec
	return rec, nil
}
