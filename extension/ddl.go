package extension

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/mallardml/mallard/connectors/tensorflow"
	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/modelstore"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/spelling"
)

// importOptions are the options of CREATE MODEL for an imported model.
type importOptions struct {
	path, signature, description string
	pathSpan, signatureSpan      dialect.Span
	tags, outputs, customOps     []string
	outputsSpan                  dialect.Span
	batchSize                    int
	labels                       map[string]string
}

// createModel checks and imports a model, and gives the statement that records it.
func (n *conn) createModel(ctx context.Context, s *dialect.CreateModel) (*plan, error) {
	var o *importOptions
	var rec *record
	var err error
	switch {
	case s.Remote:
		rec, err = n.createRemote(s)
	case len(s.Input)+len(s.Output) > 0:
		err = at(s.Name.Span, errors.New("INPUT and OUTPUT belong to remote models; a SavedModel brings its own signature"))
	default:
		o, err = readImportOptions(s)
	}
	if err != nil {
		return nil, err
	}
	cat := n.catalog()
	where, err := cat.target(ctx, s.Name.Parts)
	if err != nil {
		return nil, at(s.Name.Span, err)
	}
	k, old, err := cat.lookup(ctx, where)
	switch {
	case err != nil && !s.OrReplace:
		return nil, at(s.Name.Span, err)
	case k == other:
		return nil, at(s.Name.Span, failure.As(failure.ErrNameTaken, fmt.Errorf("`%s` is a table or a view; a model shares its namespace and needs another name", where)))
	case k == model && s.IfNotExists:
		return &plan{sql: "CREATE VIEW IF NOT EXISTS " + where.sql() + " AS SELECT 1", pos: -1, verb: "CREATE MODEL",
			notice: fmt.Sprintf("Model %s exists already; nothing was done.", where)}, nil
	case k == model && !s.OrReplace:
		return nil, at(s.Name.Span, failure.As(failure.ErrModelExists, fmt.Errorf("model `%s` already exists; CREATE OR REPLACE MODEL replaces it", where)))
	}
	if err := n.writable(ctx, where.db); err != nil {
		return nil, at(s.Name.Span, fmt.Errorf("model %s: %w", where, err))
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
	p := &plan{sql: create + where.sql() + " AS " + rec.viewSQL(), pos: -1, verb: "CREATE MODEL",
		notice: fmt.Sprintf("Successfully created model named %s.", where)}
	keep := int64(0)
	if o != nil {
		if _, err := n.in.store.Put(ctx, dir, rec.Digest); err != nil {
			return nil, at(o.pathSpan, fmt.Errorf("model %s: %w", where, err))
		}
		fetched()
		live, err := n.in.live.get(where.String(), rec)
		if err != nil {
			return nil, at(s.Name.Span, err)
		}
		p.undo = func() { n.in.live.retire(where.String(), 0) }
		if _, err := live.open(ctx, n.in); err != nil {
			p.undo()
			return nil, at(o.pathSpan, err)
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
func (n *conn) inspect(ctx context.Context, where place, o *importOptions) (rec *record, dir string, done func(), err error) {
	if err := n.in.externalAccess(ctx); err != nil {
		return nil, "", nil, at(o.pathSpan, fmt.Errorf("model %s: %w", where, err))
	}
	dir, done, err = n.in.fetch(ctx, o.path)
	if err == nil {
		rec, err = n.in.read(o, dir)
	}
	if err == nil {
		rec.Digest, err = modelstore.Digest(ctx, dir)
	}
	if err != nil {
		span := o.pathSpan
		switch {
		case errors.Is(err, tensorflow.ErrNoSignature) && o.signature != "":
			span = o.signatureSpan
		case errors.Is(err, tensorflow.ErrNoOutput) && len(o.outputs) > 0:
			span = o.outputsSpan
		}
		return nil, "", nil, at(span, fmt.Errorf("model %s: %w", where, err))
	}
	return rec, dir, done, nil
}

// remember notes a change of the open transaction for the text functions, which cannot see it.
func (n *conn) remember(p place, rec *record) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.open.active {
		return
	}
	if n.open.models == nil {
		n.open.models = map[string]*record{}
	}
	n.open.models[p.key()] = rec
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

// read inspects a model folder and gives its record, without identity and digest.
func (in *instance) read(o *importOptions, dir string) (*record, error) {
	sm, err := tensorflow.Inspect(dir)
	if err != nil {
		return nil, err
	}
	graph, sig, err := sm.Select(o.tags, o.signature)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(o.outputs))
	binary := map[string]bool{}
	for _, out := range o.outputs {
		name, asBytes := outputName(out)
		names = append(names, name)
		binary[name] = asBytes
	}
	if len(names) == 0 {
		names = nil
	}
	for _, name := range names {
		if err := hasOutput(sig, name); err != nil {
			return nil, err
		}
	}
	if err := sig.Check(names); err != nil {
		return nil, err
	}
	if bad := in.unsafe(sig.Unsafe); len(bad) > 0 {
		return nil, fmt.Errorf("its graph reaches outside the model: %s; a model from a source you trust may do so with [tensorflow] allow_ops in the configuration", strings.Join(bad, ", "))
	}
	if len(sig.Custom) > 0 && len(o.customOps) == 0 {
		return nil, fmt.Errorf("its graph needs operations that TensorFlow does not have (%s); name the library that brings them with OPTIONS(custom_ops=['….so'])", strings.Join(sig.Custom, ", "))
	}
	rec := &record{
		Type: "TENSORFLOW", Path: o.path, Signature: sig.Name, Tags: graph.Tags, Stateless: sig.Stateless,
		BatchSize: o.batchSize, Description: o.description, Labels: o.labels,
	}
	for _, file := range o.customOps {
		if file, err = filepath.Abs(file); err != nil {
			return nil, err
		}
		d, err := tensorflow.OpsDigest(file)
		if err != nil {
			return nil, err
		}
		rec.CustomOps, rec.OpsDigests = append(rec.CustomOps, file), append(rec.OpsDigests, d)
	}
	for _, p := range sig.Inputs {
		rec.Inputs = append(rec.Inputs, port{Name: p.Name, DType: p.DType.String(), Shape: p.Shape})
		if b := p.Shape[0]; b > 0 {
			rec.FixedBatch = int(b) // Check has seen that they agree
		}
	}
	for _, p := range sig.Defaults {
		rec.Defaults = append(rec.Defaults, p.Name)
	}
	for _, p := range sig.Outputs { // in byte-wise order, as BigQuery gives them
		asBytes, wanted := binary[p.Name]
		if names != nil && !wanted {
			continue
		}
		if asBytes && p.DType != tensorflow.String {
			return nil, fmt.Errorf("output `%s` is %s; BYTES can be asked of string outputs only", p.Name, p.DType)
		}
		rec.Outputs = append(rec.Outputs, port{Name: p.Name, DType: p.DType.String(), Shape: p.Shape, Binary: asBytes})
	}
	return rec, nil
}

// hasOutput refuses a name that is no output of the signature.
func hasOutput(sig *tensorflow.Signature, name string) error {
	all := make([]string, len(sig.Outputs))
	for i, p := range sig.Outputs {
		if all[i] = p.Name; p.Name == name {
			return nil
		}
	}
	return fmt.Errorf("%w `%s`; signature `%s` has `%s`", tensorflow.ErrNoOutput, name, sig.Name, strings.Join(all, "`, `"))
}

// unsafe gives the operations that the configuration does not allow. Their names come with a reason behind a blank.
func (in *instance) unsafe(ops []string) []string {
	var bad []string
	for _, op := range ops {
		name, _, _ := strings.Cut(op, " ")
		allowed := false
		for _, a := range in.cfg.TensorFlow.AllowOps {
			allowed = allowed || a == name
		}
		if !allowed {
			bad = append(bad, op)
		}
	}
	return bad
}

// outputName reads an element of OPTIONS(outputs): a name, and BYTES behind it for a string output as bytes.
func outputName(s string) (name string, asBytes bool) {
	for _, suffix := range []string{" BYTES", " BLOB"} {
		if n := len(s) - len(suffix); n > 0 && strings.EqualFold(s[n:], suffix) {
			return strings.TrimSpace(s[:n]), true
		}
	}
	return s, false
}

func readImportOptions(s *dialect.CreateModel) (*importOptions, error) {
	o := &importOptions{pathSpan: s.Name.Span}
	modelType := ""
	for i := range s.Options {
		opt := &s.Options[i]
		var err error
		switch strings.ToLower(opt.Name) {
		case "model_type":
			modelType, err = textOption(opt)
			if err == nil && !strings.EqualFold(modelType, "TENSORFLOW") {
				err = at(opt.Value.Span, fmt.Errorf("MODEL_TYPE '%s' is not supported; use 'TENSORFLOW'", modelType))
			}
		case "model_path":
			o.path, err = textOption(opt)
			o.pathSpan = opt.Value.Span
		case "signature":
			o.signature, err = textOption(opt)
			o.signatureSpan = opt.Value.Span
		case "tags":
			o.tags, err = textsOption(opt)
		case "outputs":
			o.outputs, err = textsOption(opt)
			o.outputsSpan = opt.Value.Span
		case "custom_ops":
			o.customOps, err = textsOption(opt)
		case "batch_size":
			if opt.Value.Kind != dialect.Int || opt.Value.Int < 1 || opt.Value.Int > 1<<20 {
				err = at(opt.Value.Span, fmt.Errorf("option `%s` must be a number of rows from 1 to %d", opt.Name, 1<<20))
			}
			o.batchSize = int(opt.Value.Int)
		case "description":
			o.description, err = textOption(opt)
		case "labels":
			o.labels, err = labelsOption(opt)
		case "kms_key_name":
			err = at(opt.Span, errors.New("option `kms_key_name` is not supported: the model store is not encrypted; leave it out and encrypt the disk"))
		default:
			err = at(opt.Span, fmt.Errorf("unknown option `%s`; a TensorFlow model takes %s", opt.Name, importOptionNames))
			if near := spelling.Nearest(opt.Name, strings.Split(importOptionNames, ", ")); near != "" {
				err = at(opt.Span, fmt.Errorf("unknown option `%s`; did you mean `%s`? A TensorFlow model takes %s", opt.Name, near, importOptionNames))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if modelType == "" {
		return nil, at(s.Name.Span, errors.New("CREATE MODEL needs OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='folder/*')"))
	}
	if o.path == "" {
		return nil, at(o.pathSpan, errors.New("option `model_path` is missing; give the folder that holds saved_model.pb"))
	}
	return o, nil
}

const importOptionNames = "model_type, model_path, signature, tags, outputs, batch_size, custom_ops, description, labels"

func textOption(o *dialect.Option) (string, error) {
	if o.Value.Kind != dialect.String && o.Value.Kind != dialect.Ident {
		return "", at(o.Value.Span, fmt.Errorf("option `%s` must be a string", o.Name))
	}
	return o.Value.Str, nil
}

func textsOption(o *dialect.Option) ([]string, error) {
	if o.Value.Kind == dialect.String {
		return []string{o.Value.Str}, nil
	}
	bad := at(o.Value.Span, fmt.Errorf("option `%s` must be an array of strings, such as ['a', 'b']", o.Name))
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
	bad := at(o.Value.Span, fmt.Errorf("option `%s` must be an array of pairs, such as [('team', 'search')]", o.Name))
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
	rec := *f.rec
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
				err = at(opt.Value.Span, fmt.Errorf("option `%s` must be a number of rows from 1 to %d, or NULL", opt.Name, 1<<20))
			}
		default:
			err = at(opt.Span, fmt.Errorf("option `%s` cannot be changed; ALTER MODEL changes description, labels and batch_size", opt.Name))
		}
		if err != nil {
			return nil, err
		}
	}
	rec.Modified = time.Now().UTC().Truncate(time.Millisecond)
	return &plan{sql: "CREATE OR REPLACE VIEW " + f.sql() + " AS " + rec.viewSQL(), pos: -1, verb: "ALTER MODEL",
		done: func() { n.remember(f.place, &rec) }}, nil
}

// dropModel gives the statement that drops a model.
func (n *conn) dropModel(ctx context.Context, s *dialect.DropModel) (*plan, error) {
	f, p, err := n.existing(ctx, s.Name, s.IfExists)
	if f == nil {
		return p, err
	}
	return &plan{sql: "DROP VIEW " + f.sql(), pos: -1, verb: "DROP MODEL", done: func() {
		n.in.live.retire(f.place.String(), 0)
		n.remember(f.place, nil)
	}, notice: fmt.Sprintf("Dropped model %s.", f.place)}, nil
}

// existing finds the model of a DROP or ALTER in the database: never one of the configuration or of another file's
// schema. Without one it gives the plan to do nothing, or the error.
func (n *conn) existing(ctx context.Context, name dialect.Path, ifExists bool) (*found, *plan, error) {
	cat := n.catalog()
	ps, err := cat.candidates(ctx, name.Parts)
	if err != nil {
		return nil, nil, at(name.Span, err)
	}
	for _, p := range ps {
		k, rec, err := cat.lookup(ctx, p)
		switch {
		case k == model && rec == nil: // unreadable, but it can be dropped
			return &found{p, &record{}}, nil, nil
		case err != nil:
			return nil, nil, at(name.Span, err)
		case k == other:
			return nil, nil, at(name.Span, fmt.Errorf("`%s` is a table or a view and no model; use DROP TABLE, DROP VIEW or ALTER TABLE", p))
		case k == model:
			return &found{p, rec}, nil, nil
		}
	}
	if _, ok := n.in.cfg.Models[name.String()]; ok {
		return nil, nil, at(name.Span, fmt.Errorf("model `%s` is declared in the configuration; change it there", name))
	}
	if ifExists {
		return nil, &plan{sql: "DROP VIEW IF EXISTS " + ps[0].sql(), pos: -1, verb: "DROP MODEL"}, nil
	}
	return nil, nil, at(name.Span, cat.notFound(ctx, name.String()))
}
