package serving

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
)

var _ catalog.Declared = (*Models)(nil)

// Names implements [catalog.Declared]: the models of the configuration.
func (ms *Models) Names() []string { return slices.Collect(maps.Keys(ms.cfg.Models)) }

// Spec implements [catalog.Declared]. A model is read and imported at its first use and stays so frozen while the database is
// open.
func (ms *Models) Spec(ctx context.Context, name string) (*modelspec.Spec, error) {
	ms.declaredMu.Lock()
	defer ms.declaredMu.Unlock()
	if spec, ok := ms.declared[name]; ok {
		return spec, nil
	}
	m := ms.cfg.Models[name]
	kind, err := ms.engines.Find(cmp.Or(m.Type, engine.DefaultType()))
	if err != nil {
		return nil, err
	}
	spec, keep, err := ms.inspect(ctx, kind, engine.Import{
		Path: config.Path(ms.cfg, m.Path), Signature: m.Signature, Tags: m.Tags, Outputs: m.Outputs,
		BatchSize: m.BatchSize, CustomOps: m.CustomOps, Description: m.Description, Labels: m.Labels,
	})
	if err != nil {
		return nil, err
	}
	spec.ID = "config:" + name
	spec.Created = time.Now().UTC().Truncate(time.Millisecond)
	spec.Modified = spec.Created
	if err := keep(ctx); err != nil {
		return nil, err
	}
	ms.declared[name] = spec
	return spec, nil
}
