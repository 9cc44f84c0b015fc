package planner

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/modelspec"
)

// alterModel gives the statement that changes a model's description, labels or batch size.
func (pl *Planner) alterModel(ctx context.Context, s *dialect.AlterModel) (*Plan, error) {
	f, p, err := pl.existing(ctx, s.Name, s.IfExists)
	if f == nil {
		return p, err
	}
	spec := *f.Spec
	for i := range s.Options {
		opt := &s.Options[i]
		null := opt.Value.Kind == dialect.Null
		var err error
		switch strings.ToLower(opt.Name) {
		case "description":
			spec.Description = ""
			if !null {
				spec.Description, err = textOption(opt)
			}
		case "labels":
			spec.Labels, err = labelsOption(opt)
		case "batch_size":
			spec.BatchSize = int(opt.Value.Int)
			if !null && (opt.Value.Kind != dialect.Int || opt.Value.Int < 1 || opt.Value.Int > modelspec.MaxBatch) {
				err = dialect.At(opt.Value.Span, fmt.Errorf("option `%s` must be a number of rows from 1 to %d, or NULL", opt.Name, modelspec.MaxBatch))
			}
		default:
			err = dialect.At(opt.Span, fmt.Errorf("option `%s` cannot be changed; "+
				"ALTER MODEL changes description, labels and batch_size", opt.Name))
		}
		if err != nil {
			return nil, err
		}
	}
	spec.Modified = time.Now().UTC().Truncate(time.Millisecond)
	return &Plan{SQL: "CREATE OR REPLACE VIEW " + f.SQL() + " AS " + spec.ViewSQL(), Pos: -1, Verb: "ALTER MODEL",
		Done: func() { pl.Session.Remember(f.QualifiedName, &spec) }}, nil
}

// dropModel gives the statement that drops a model.
func (pl *Planner) dropModel(ctx context.Context, s *dialect.DropModel) (*Plan, error) {
	f, p, err := pl.existing(ctx, s.Name, s.IfExists)
	if f == nil {
		return p, err
	}
	return &Plan{SQL: "DROP VIEW " + f.SQL(), Pos: -1, Verb: "DROP MODEL", Done: func() {
		pl.Library.Retire(f.QualifiedName.String(), 0)
		pl.Session.Remember(f.QualifiedName, nil)
	}, Notice: fmt.Sprintf("Dropped model %s.", f.QualifiedName)}, nil
}

// existing finds the model of a DROP or ALTER in the database: never one of the configuration or of another file's
// schema. Without one it gives the plan to do nothing, or the error.
func (pl *Planner) existing(ctx context.Context, name dialect.Path, ifExists bool) (*catalog.Entry, *Plan, error) {
	cat := pl.Catalog
	ps, err := cat.Candidates(ctx, name.Parts)
	if err != nil {
		return nil, nil, dialect.At(name.Span, err)
	}
	for _, p := range ps {
		k, spec, err := cat.Lookup(ctx, p)
		switch {
		case k == catalog.Model && spec == nil: // unreadable, but it can be dropped
			return &catalog.Entry{QualifiedName: p, Spec: &modelspec.Spec{}}, nil, nil
		case err != nil:
			return nil, nil, dialect.At(name.Span, err)
		case k == catalog.Other:
			if _, ok, err := cat.ObjectTable(ctx, p); ok || err != nil {
				return nil, nil, dialect.At(name.Span, fmt.Errorf("`%s` is an object table and no model; "+
					"use DROP EXTERNAL TABLE or CREATE OR REPLACE EXTERNAL TABLE", p))
			}
			return nil, nil, dialect.At(name.Span, fmt.Errorf("`%s` is a table or a view and no model; "+
				"use DROP TABLE, DROP VIEW or ALTER TABLE", p))
		case k == catalog.Model:
			return &catalog.Entry{QualifiedName: p, Spec: spec}, nil, nil
		}
	}
	if _, ok := pl.Config.Models[name.String()]; ok {
		return nil, nil, dialect.At(name.Span, fmt.Errorf("model `%s` is declared in the configuration; change it there", name))
	}
	if ifExists {
		return nil, &Plan{SQL: "DROP VIEW IF EXISTS " + ps[0].SQL(), Pos: -1, Verb: "DROP MODEL"}, nil
	}
	return nil, nil, dialect.At(name.Span, cat.NotFound(ctx, name.String()))
}
