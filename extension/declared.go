package extension

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/modelstore"
)

// declared finds a model of the configuration. It is read and imported at its first use and stays so frozen while the
// database is open.
func (c *catalog) declared(ctx context.Context, parts []string) (found, bool, error) {
	name := strings.Join(parts, ".")
	m, ok := c.in.cfg.Models[name]
	if !ok {
		bare, err := c.withoutProject(ctx, parts)
		if err != nil {
			return found{}, false, err
		}
		name = strings.Join(bare, ".")
		if m, ok = c.in.cfg.Models[name]; !ok {
			return found{}, false, nil
		}
	}
	rec, err := c.in.declaredRecord(ctx, name, m)
	if err != nil {
		return found{}, false, fmt.Errorf("model %s (of the configuration): %w", name, err)
	}
	return found{place{name: name, schema: "main"}, rec}, true, nil
}

func (in *instance) declaredRecord(ctx context.Context, name string, m config.ModelConfig) (*modelspec.Spec, error) {
	in.declaredMu.Lock()
	defer in.declaredMu.Unlock()
	if rec, ok := in.declared[name]; ok {
		return rec, nil
	}
	kind, err := in.engines.Find(cmp.Or(m.Type, "TENSORFLOW"))
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
	fetched()
	if in.declared == nil {
		in.declared = map[string]*modelspec.Spec{}
	}
	in.declared[name] = rec
	return rec, nil
}
