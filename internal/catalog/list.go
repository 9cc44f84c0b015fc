package catalog

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/mallardml/mallard/internal/modelspec"
)

// List gives the models of all attached databases and of the configuration, sorted by name.
func (c *Catalog) List(ctx context.Context) ([]Entry, error) {
	rows, err := c.Rows(ctx, "SELECT database_name, schema_name, view_name, sql FROM duckdb_views() WHERE NOT internal AND contains(sql, "+
		"'''mallard/')")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var all []Entry
	for _, r := range rows {
		p := QualifiedName{fmt.Sprint(r[0]), fmt.Sprint(r[1]), fmt.Sprint(r[2])}
		seen[p.Key()] = true
		if spec, ok := c.Open[p.Key()]; ok {
			if spec != nil {
				all = append(all, Entry{p, spec})
			}
			continue
		}
		if spec, ok := modelspec.OfView(fmt.Sprint(r[3])); ok {
			all = append(all, Entry{p, spec})
		}
	}
	for _, f := range c.openModels() {
		if !seen[f.Key()] {
			all = append(all, f)
		}
	}
	var declared []string
	if c.Declared != nil {
		declared = c.Declared.Names()
	}
	for _, name := range declared {
		f, ok, err := c.declared(ctx, strings.Split(name, "."))
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, f)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Key() < all[j].Key() })
	return all, nil
}

// declared finds a model of the configuration.
func (c *Catalog) declared(ctx context.Context, parts []string) (Entry, bool, error) {
	if c.Declared == nil {
		return Entry{}, false, nil
	}
	all := c.Declared.Names()
	name := strings.Join(parts, ".")
	if !slices.Contains(all, name) {
		bare, err := c.WithoutProject(ctx, parts)
		if err != nil {
			return Entry{}, false, err
		}
		if name = strings.Join(bare, "."); !slices.Contains(all, name) {
			return Entry{}, false, nil
		}
	}
	spec, err := c.Declared.Spec(ctx, name)
	if err != nil {
		return Entry{}, false, fmt.Errorf("model %s (of the configuration): %w", name, err)
	}
	return Entry{QualifiedName{Schema: "main", Name: name}, spec}, true, nil
}
