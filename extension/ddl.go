package extension

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/failure"
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
func (n *conn) createModel(ctx context.Context, s *dialect.CreateModel) (*plan, error) {
	var o *importOptions
	var rec *modelspec.Spec
	var err error
	switch {
	case s.Remote:
		rec, err = n.createRemote(s)
	case len(s.Input)+len(s.Output) > 0:
		err = dialect.At(s.Name.Span, errors.New("INPUT and OUTPUT belong to remote models; a SavedModel brings its own signature"))
	default:
		o, err = readImportOptions(s, n.in.engines)
	}
	if err != nil {
		return nil, err
	}
	cat := n.catalog()
	where, err := cat.Target(ctx, s.Name.Parts)
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	k, old, err := cat.Lookup(ctx, where)
	switch {
	case err != nil && !s.OrReplace:
		return nil, dialect.At(s.Name.Span, err)
	case k == catalog.Other:
		return nil, dialect.At(s.Name.Span, failure.As(failure.ErrNameTaken, fmt.Errorf("`%s` is a table or a view; a model shares its namespace and needs another name", where)))
	case k == catalog.Model && s.IfNotExists:
		return &plan{sql: "CREATE VIEW IF NOT EXISTS " + where.SQL() + " AS SELECT 1", pos: -1, verb: "CREATE MODEL",
			notice: fmt.Sprintf("Model %s exists already; nothing was done.", where)}, nil
	case k == catalog.Model && !s.OrReplace:
		return nil, dialect.At(s.Name.Span, failure.As(failure.ErrModelExists, fmt.Errorf("model `%s` already exists; CREATE OR REPLACE MODEL replaces it", where)))
	}
	if err := n.writable(ctx, where.Database); err != nil {
		return nil, dialect.At(s.Name.Span, fmt.Errorf("model %s: %w", where, err))
	}
	dir, fetched := "", func() {}
	if o != nil {
		if rec, dir, fetched, err = n.inspect(ctx, where, o); err != nil {
			return nil, err
		}
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	rec.Created, rec.Modified = now, now
	rec.ID = rand.Text()
	if old != nil {
		rec.ID = old.ID
	}
	create := "CREATE VIEW "
	if s.OrReplace {
		create = "CREATE OR REPLACE VIEW "
	}
	p := &plan{sql: create + where.SQL() + " AS " + rec.ViewSQL(), pos: -1, verb: "CREATE MODEL",
		notice: fmt.Sprintf("Successfully created model named %s.", where)}
	keep := int64(0)
	if o != nil {
		if _, err := n.in.store.Put(ctx, dir, rec.Digest); err != nil {
			return nil, dialect.At(o.pathSpan, fmt.Errorf("model %s: %w", where, err))
		}
		if err := n.in.store.PutLibraries(ctx, rec); err != nil {
			return nil, dialect.At(s.Name.Span, fmt.Errorf("model %s: %w", where, err))
		}
		fetched()
		live, err := n.in.live.get(where.String(), rec)
		if err != nil {
			return nil, dialect.At(s.Name.Span, err)
		}
		p.undo = func() { n.in.live.retire(where.String(), 0) }
		if _, err := live.open(ctx, n.in); err != nil {
			p.undo()
			return nil, dialect.At(o.pathSpan, err)
		}
		keep = live.Version
	}
	p.done = func() {
		n.in.live.retire(where.String(), keep)
		n.remember(where, rec)
	}
	return p, nil
}

// inspect reads a model folder for CREATE MODEL, with the places of its faults.
func (n *conn) inspect(ctx context.Context, where catalog.QualifiedName, o *importOptions) (rec *modelspec.Spec, dir string, done func(), err error) {
	if err := n.in.externalAccess(ctx); err != nil {
		return nil, "", nil, dialect.At(o.pathSpan, fmt.Errorf("model %s: %w", where, err))
	}
	dir, done, err = n.in.fetch(ctx, o.Path)
	if err == nil {
		rec, err = o.kind.Inspect(dir, o.Import)
	}
	if err == nil {
		rec.Digest, err = modelstore.Digest(ctx, dir)
	}
	if err != nil {
		span := o.pathSpan
		var blamed *engine.OptionError
		if errors.As(err, &blamed) {
			if at, ok := o.spans[blamed.Option]; ok {
				span = at
			}
		}
		return nil, "", nil, dialect.At(span, fmt.Errorf("model %s: %w", where, err))
	}
	return rec, dir, done, nil
}

// remember notes a change of the open transaction for the text functions, which cannot see it.
func (n *conn) remember(p catalog.QualifiedName, rec *modelspec.Spec) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.open.active {
		return
	}
	if n.open.models == nil {
		n.open.models = map[string]*modelspec.Spec{}
	}
	n.open.models[p.Key()] = rec
}

// writable refuses a read-only database before any file is copied; DuckDB itself does so only when it executes.
func (n *conn) writable(ctx context.Context, db string) error {
	rows, err := n.rows(ctx, "SELECT readonly FROM duckdb_databases() WHERE database_name = "+quote.Text(db))
	if err != nil {
		return err
	}
	if len(rows) == 1 && rows[0][0] == true {
		return failure.As(failure.ErrReadOnly, fmt.Errorf("database `%s` is read-only; declare the model in the configuration ([models.\"name\"]) instead", db))
	}
	return nil
}

func readImportOptions(s *dialect.CreateModel, kinds engine.Kinds) (*importOptions, error) {
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
				if o.kind, err = kinds.Find(modelType); err != nil {
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
			if opt.Value.Kind != dialect.Int || opt.Value.Int < 1 || opt.Value.Int > 1<<20 {
				err = dialect.At(opt.Value.Span, fmt.Errorf("option `%s` must be a number of rows from 1 to %d", opt.Name, 1<<20))
			}
			o.BatchSize = int(opt.Value.Int)
		case "description":
			o.Description, err = textOption(opt)
		case "labels":
			o.Labels, err = labelsOption(opt)
		case "kms_key_name":
			err = dialect.At(opt.Span, errors.New("option `kms_key_name` is not supported: the model store is not encrypted; leave it out and encrypt the disk"))
		default:
			err = dialect.At(opt.Span, fmt.Errorf("unknown option `%s`; a TensorFlow model takes %s", opt.Name, importOptionNames))
			if near := spelling.Nearest(opt.Name, strings.Split(importOptionNames, ", ")); near != "" {
				err = dialect.At(opt.Span, fmt.Errorf("unknown option `%s`; did you mean `%s`? A TensorFlow model takes %s", opt.Name, near, importOptionNames))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if modelType == "" {
		return nil, dialect.At(s.Name.Span, errors.New("CREATE MODEL needs OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='folder/*')"))
	}
	if o.Path == "" {
		return nil, dialect.At(o.pathSpan, errors.New("option `model_path` is missing; give the folder that holds saved_model.pb"))
	}
	return o, nil
}

const importOptionNames = "model_type, model_path, signature, tags, outputs, batch_size, custom_ops, description, labels"

func textOption(o *dialect.Option) (string, error) {
	if o.Value.Kind != dialect.String && o.Value.Kind != dialect.Ident {
		return "", dialect.At(o.Value.Span, fmt.Errorf("option `%s` must be a string", o.Name))
	}
	return o.Value.Str, nil
}

func textsOption(o *dialect.Option) ([]string, error) {
	if o.Value.Kind == dialect.String {
		return []string{o.Value.Str}, nil
	}
	bad := dialect.At(o.Value.Span, fmt.Errorf("option `%s` must be an array of strings, such as ['a', 'b']", o.Name))
	if o.Value.Kind != dialect.Array {
		return nil, bad
	}
	var all []string
	for _, v := range o.Value.List {
		if v.Kind != dialect.String || v.Str == "" {
			return nil, bad
		}
		all = append(all, v.Str)
	}
	return all, nil
}

// labelsOption reads BigQuery's [("key", "value"), …]; NULL clears.
func labelsOption(o *dialect.Option) (map[string]string, error) {
	if o.Value.Kind == dialect.Null {
		return nil, nil
	}
	bad := dialect.At(o.Value.Span, fmt.Errorf("option `%s` must be an array of pairs, such as [('team', 'search')]", o.Name))
	if o.Value.Kind != dialect.Array {
		return nil, bad
	}
	labels := map[string]string{}
	for _, v := range o.Value.List {
		if v.Kind != dialect.Struct || len(v.Fields) != 2 ||
			v.Fields[0].Value.Kind != dialect.String || v.Fields[1].Value.Kind != dialect.String {
			return nil, bad
		}
		labels[v.Fields[0].Value.Str] = v.Fields[1].Value.Str
	}
	return labels, nil
}

// alterModel gives the statement that changes a model's description, labels or batch size.
func (n *conn) alterModel(ctx context.Context, s *dialect.AlterModel) (*plan, error) {
	f, p, err := n.existing(ctx, s.Name, s.IfExists)
	if f == nil {
		return p, err
	}
	rec := *f.Spec
	for i := range s.Options {
		opt := &s.Options[i]
		null := opt.Value.Kind == dialect.Null
		var err error
		switch strings.ToLower(opt.Name) {
		case "description":
			rec.Description = ""
			if !null {
				rec.Description, err = textOption(opt)
			}
		case "labels":
			rec.Labels, err = labelsOption(opt)
		case "batch_size":
			rec.BatchSize = int(opt.Value.Int)
			if !null && (opt.Value.Kind != dialect.Int || opt.Value.Int < 1 || opt.Value.Int > 1<<20) {
				err = dialect.At(opt.Value.Span, fmt.Errorf("option `%s` must be a number of rows from 1 to %d, or NULL", opt.Name, 1<<20))
			}
		default:
			err = dialect.At(opt.Span, fmt.Errorf("option `%s` cannot be changed; ALTER MODEL changes description, labels and batch_size", opt.Name))
		}
		if err != nil {
			return nil, err
		}
	}
	rec.Modified = time.Now().UTC().Truncate(time.Millisecond)
	return &plan{sql: "CREATE OR REPLACE VIEW " + f.SQL() + " AS " + rec.ViewSQL(), pos: -1, verb: "ALTER MODEL",
		done: func() { n.remember(f.QualifiedName, &rec) }}, nil
}

// dropModel gives the statement that drops a model.
func (n *conn) dropModel(ctx context.Context, s *dialect.DropModel) (*plan, error) {
	f, p, err := n.existing(ctx, s.Name, s.IfExists)
	if f == nil {
		return p, err
	}
	return &plan{sql: "DROP VIEW " + f.SQL(), pos: -1, verb: "DROP MODEL", done: func() {
		n.in.live.retire(f.QualifiedName.String(), 0)
		n.remember(f.QualifiedName, nil)
	}, notice: fmt.Sprintf("Dropped model %s.", f.QualifiedName)}, nil
}

// existing finds the model of a DROP or ALTER in the database: never one of the configuration or of another file's
// schema. Without one it gives the plan to do nothing, or the error.
func (n *conn) existing(ctx context.Context, name dialect.Path, ifExists bool) (*catalog.Entry, *plan, error) {
	cat := n.catalog()
	ps, err := cat.Candidates(ctx, name.Parts)
	if err != nil {
		return nil, nil, dialect.At(name.Span, err)
	}
	for _, p := range ps {
		k, rec, err := cat.Lookup(ctx, p)
		switch {
		case k == catalog.Model && rec == nil: // unreadable, but it can be dropped
			return &catalog.Entry{QualifiedName: p, Spec: &modelspec.Spec{}}, nil, nil
		case err != nil:
			return nil, nil, dialect.At(name.Span, err)
		case k == catalog.Other:
			return nil, nil, dialect.At(name.Span, fmt.Errorf("`%s` is a table or a view and no model; use DROP TABLE, DROP VIEW or ALTER TABLE", p))
		case k == catalog.Model:
			return &catalog.Entry{QualifiedName: p, Spec: rec}, nil, nil
		}
	}
	if _, ok := n.in.cfg.Models[name.String()]; ok {
		return nil, nil, dialect.At(name.Span, fmt.Errorf("model `%s` is declared in the configuration; change it there", name))
	}
	if ifExists {
		return nil, &plan{sql: "DROP VIEW IF EXISTS " + ps[0].SQL(), pos: -1, verb: "DROP MODEL"}, nil
	}
	return nil, nil, dialect.At(name.Span, cat.NotFound(ctx, name.String()))
}
