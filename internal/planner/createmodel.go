package planner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/modelstore"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/spelling"
)

// importOptions are the options of CREATE MODEL for an imported model.
type importOptions struct {
	engine.Import
	kind     engine.Kind
	pathSpan dialect.Span
	spans    map[string]dialect.Span // of the options' values, by lower-case name
}

// createModel checks and imports a model, and gives the statement that records it.
func (pl *Planner) createModel(ctx context.Context, s *dialect.CreateModel) (*Plan, error) {
	var o *importOptions
	var spec *modelspec.Spec
	var err error
	switch {
	case s.Remote:
		spec, err = pl.createRemote(s)
	case len(s.Input)+len(s.Output) > 0:
		err = dialect.At(s.Name.Span, errors.New("INPUT and OUTPUT belong to remote models; a SavedModel brings its own signature"))
	default:
		o, err = pl.readImportOptions(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	cat := pl.Catalog
	where, err := cat.Target(ctx, s.Name.Parts)
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	k, old, err := cat.Lookup(ctx, where)
	switch {
	case err != nil && !s.OrReplace:
		return nil, dialect.At(s.Name.Span, err)
	case k == catalog.Other:
		return nil, dialect.At(s.Name.Span, failure.As(failure.ErrNameTaken,
			fmt.Errorf("`%s` is a table or a view; a model shares its namespace and needs another name", where)))
	case k == catalog.Model && s.IfNotExists:
		return &Plan{SQL: "CREATE VIEW IF NOT EXISTS " + where.SQL() + " AS SELECT 1", Pos: -1, Verb: "CREATE MODEL",
			Notice: fmt.Sprintf("Model %s exists already; nothing was done.", where)}, nil
	case k == catalog.Model && !s.OrReplace:
		return nil, dialect.At(s.Name.Span, failure.As(failure.ErrModelExists,
			fmt.Errorf("model `%s` already exists; CREATE OR REPLACE MODEL replaces it", where)))
	}
	if err := pl.writable(ctx, where.Database); err != nil {
		return nil, dialect.At(s.Name.Span, fmt.Errorf("model %s: %w", where, err))
	}
	var keep func(context.Context) error
	if o != nil {
		if spec, keep, err = pl.Library.Inspect(ctx, o.kind, o.Import); err != nil {
			return nil, o.blame(where, err)
		}
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	spec.Created, spec.Modified = now, now
	spec.ID = rand.Text()
	if old != nil {
		spec.ID = old.ID
	}
	create := "CREATE VIEW "
	if s.OrReplace {
		create = "CREATE OR REPLACE VIEW "
	}
	p := &Plan{SQL: create + where.SQL() + " AS " + spec.ViewSQL(), Pos: -1, Verb: "CREATE MODEL",
		Notice: fmt.Sprintf("Successfully created model named %s.", where)}
	version := int64(0)
	if o != nil {
		if err := keep(ctx); err != nil {
			return nil, o.blame(where, err)
		}
		p.Undo = func() { pl.Library.Retire(where.String(), 0) }
		if version, err = pl.Library.Load(ctx, where.String(), spec); err != nil {
			p.Undo()
			return nil, dialect.At(o.pathSpan, err)
		}
	}
	p.Done = func() {
		pl.Library.Retire(where.String(), version)
		pl.Session.Remember(where, spec)
	}
	return p, nil
}

// blame places an error about the files of a model: at the option that it blames, else at the path.
func (o *importOptions) blame(where catalog.QualifiedName, err error) error {
	span := o.pathSpan
	var blamed *engine.OptionError
	if errors.As(err, &blamed) {
		if at, ok := o.spans[blamed.Option]; ok {
			span = at
		}
	}
	return dialect.At(span, fmt.Errorf("model %s: %w", where, err))
}

// writable refuses a read-only database before any file is copied; DuckDB itself does so only when it executes.
func (pl *Planner) writable(ctx context.Context, db string) error {
	rows, err := pl.Catalog.Rows(ctx, "SELECT readonly FROM duckdb_databases() WHERE database_name = "+quote.Text(db))
	if err != nil {
		return err
	}
	if len(rows) == 1 && rows[0][0] == true {
		return failure.As(failure.ErrReadOnly,
			fmt.Errorf("database `%s` is read-only; declare the model in the configuration ([models.\"name\"]) instead", db))
	}
	return nil
}

func (pl *Planner) readImportOptions(ctx context.Context, s *dialect.CreateModel) (*importOptions, error) {
	o := &importOptions{pathSpan: s.Name.Span, spans: map[string]dialect.Span{}}
	modelType := ""
	for i := range s.Options {
		opt := &s.Options[i]
		var err error
		name := strings.ToLower(opt.Name)
		o.spans[name] = opt.Value.Span
		switch name {
		case "model_type":
			if modelType, err = textOption(opt); err == nil {
				if o.kind, err = pl.Library.Engine(modelType); err != nil {
					err = dialect.At(opt.Value.Span, failure.As(failure.ErrNotSupported, err))
				}
			}
		case "model_path":
			o.Path, err = textOption(opt)
			o.pathSpan = opt.Value.Span
		case "signature":
			o.Signature, err = textOption(opt)
		case "tags":
			o.Tags, err = textsOption(opt)
		case "outputs":
			o.Outputs, err = textsOption(opt)
		case "custom_ops":
			o.CustomOps, err = textsOption(opt)
		case "batch_size":
			if opt.Value.Kind != dialect.Int || opt.Value.Int < 1 || opt.Value.Int > modelspec.MaxBatch {
				err = dialect.At(opt.Value.Span, fmt.Errorf("option `%s` must be a number of rows from 1 to %d", opt.Name, modelspec.MaxBatch))
			}
			o.BatchSize = int(opt.Value.Int)
		case "description":
			o.Description, err = textOption(opt)
		case "labels":
			o.Labels, err = labelsOption(opt)
		case "kms_key_name":
			err = dialect.At(opt.Span, errors.New("option `kms_key_name` is not supported: the model store is not encrypted; "+
				"leave it out and encrypt the disk"))
		default:
			known := functiontable.OptionNames(functiontable.CreateModel)
			all := strings.Join(known, ", ")
			err = dialect.At(opt.Span, fmt.Errorf("unknown option `%s`; a TensorFlow model takes %s", opt.Name, all))
			if near := spelling.Nearest(opt.Name, known); near != "" {
				err = dialect.At(opt.Span, fmt.Errorf("unknown option `%s`; "+
					"did you mean `%s`? A TensorFlow model takes %s", opt.Name, near, all))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if modelType == "" && strings.HasSuffix(o.Path, modelstore.ArchiveSuffix) && !pl.Config.BigQuery.Confined {
		var err error
		if o.kind, err = pl.Library.EngineOf(ctx, o.Path); err != nil {
			return nil, dialect.At(o.pathSpan, fmt.Errorf("MODEL_PATH '%s': %w", o.Path, err))
		}
	}
	if o.kind == nil {
		return nil, dialect.At(s.Name.Span, errors.New("CREATE MODEL needs OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='folder/*')"))
	}
	if o.Path == "" {
		return nil, dialect.At(o.pathSpan, errors.New("option `model_path` is missing; give the folder that holds saved_model.pb"))
	}
	return o, nil
}
