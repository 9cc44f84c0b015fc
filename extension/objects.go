package extension

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/mallardml/mallard/connectors/gcs"
	"github.com/mallardml/mallard/connectors/localfs"
	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/objecttable"
)

// objects is what object tables need of the database they are in.
type objects struct {
	in      *instance
	runtime *objecttable.Runtime
	mu      sync.Mutex
	stores  map[string]*gcs.Client // by connection
}

var (
	_ objecttable.Host  = (*objects)(nil)
	_ objecttable.Store = (*gcs.Client)(nil)
	_ objecttable.Store = localfs.FS{}
)

func newObjects(in *instance) *objects {
	o := &objects{in: in, stores: map[string]*gcs.Client{}}
	c := in.cfg.Objects
	o.runtime = objecttable.New(o, objecttable.Options{MaxMemory: c.MaxMemory, MaxObject: c.MaxObject, Concurrency: c.Concurrency})
	return o
}

// Store implements [objecttable.Host]: Cloud Storage with the account of a connection, and the file system.
func (o *objects) Store(ctx context.Context, scheme, authorizer string) (objecttable.Store, error) {
	if err := o.in.externalAccess(ctx); err != nil {
		return nil, err
	}
	if scheme != "gs" {
		return localfs.FS{}, nil
	}
	if authorizer == "" {
		authorizer = "default" // where it is not configured, application default credentials
	} else if authorizer != "default" { // of an ObjectRef it may be location.name or project.location.name
		var err error
		if authorizer, err = config.ConnectionName(o.in.cfg, strings.Split(authorizer, ".")...); err != nil {
			return nil, err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if c, ok := o.stores[authorizer]; ok {
		return c, nil
	}
	cfg := o.in.cfg.Connections[authorizer]
	c, err := gcs.New(context.WithoutCancel(ctx), gcs.Options{
		Auth: cfg.Auth, CredentialsFile: cfg.CredentialsFile, TokenEnv: cfg.TokenEnv, TokenFile: cfg.TokenFile,
		Endpoint: cfg.StorageEndpoint, UserProject: "",
	})
	if err != nil {
		return nil, err
	}
	o.stores[authorizer] = c
	return c, nil
}

// Query implements [objecttable.Host].
func (o *objects) Query(conn uint64) *objecttable.Query {
	q := o.in.running(conn)
	return &objecttable.Query{Context: q.Context, Fail: q.Fail, Strict: o.in.cfg.Objects.Strict, Note: q.unread.note, Skip: q.unread.skip, BindsBytes: q.bindsBytes}
}

// unread counts the values that are NULL because an object could not be read or decoded, and the objects that have no row
// because their name is not UTF-8. It is safe for concurrent use.
type unread struct {
	mu      sync.Mutex
	reasons map[string]int
	first   error
	skipped int
	name    string // of the first of these
}

func (u *unread) skip(uri string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.skipped++; u.skipped == 1 {
		u.name = uri
	}
}

// left tells a person what has no row, as in `2 objects are left out, …`; it is empty when there is nothing.
func (u *unread) left() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.skipped == 0 {
		return ""
	}
	verb := "are"
	if u.skipped == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%s %s left out, since a STRING must be UTF-8 and the name is not: rename the file. The first: %q", amount.Of(u.skipped, "object"), verb, u.name)
}

func (u *unread) note(_ string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.reasons == nil {
		u.reasons, u.first = map[string]int{}, err
	}
	u.reasons[objecttable.Reason(err)]++
}

// String tells a person, as in `3 values are NULL: not found 2, forbidden 1. The first: gs://b/x: not found`; it is empty
// when there are none.
func (u *unread) String() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.first == nil {
		return ""
	}
	total := 0
	var parts []string
	for reason, n := range u.reasons {
		total += n
		parts = append(parts, fmt.Sprintf("%s %d", reason, n))
	}
	sort.Strings(parts)
	verb := "are"
	if total == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%s %s NULL, since objects could not be read or decoded: %s. The first: %v", amount.Of(total, "value"), verb, strings.Join(parts, ", "), u.first)
}

func (o *objects) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for _, c := range o.stores {
		errs = append(errs, c.Close())
	}
	o.stores = map[string]*gcs.Client{}
	return errors.Join(errs...)
}

// createObjectTable gives the statement that records an object table: a view over the listing, so that DuckDB gives it
// the namespace, transactions and all queries.
func (n *conn) createObjectTable(ctx context.Context, s *dialect.CreateExternalTable) (*plan, error) {
	name := ""
	if s.Connection != nil || s.DefaultConnection {
		var err error
		if name, err = connectionOf(n.in.cfg, s.Connection, s.Name.Span); err != nil {
			return nil, err
		}
	}
	options := make([]objecttable.Option, len(s.Options))
	for i, o := range s.Options {
		options[i] = objecttable.Option{Name: o.Name, Value: objectValue(o.Value), Pos: o.Pos, End: o.End}
	}
	t, err := objecttable.NewTable(options, name, s.Pos, s.End)
	if err != nil {
		var oe *objecttable.OptionError
		if errors.As(err, &oe) {
			return nil, dialect.At(dialect.Span{Pos: oe.Pos, End: oe.End}, err)
		}
		return nil, dialect.At(s.Name.Span, err)
	}
	cat := n.catalog()
	where, err := cat.Target(ctx, s.Name.Parts)
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	k, _, err := cat.Lookup(ctx, where)
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	old, err := n.isObjectTable(ctx, where)
	if err != nil {
		return nil, err
	}
	p := &plan{pos: -1, verb: "CREATE EXTERNAL TABLE", notice: fmt.Sprintf("Successfully created object table %s.", where)}
	switch {
	case k == catalog.Model:
		return nil, dialect.At(s.Name.Span, fmt.Errorf("`%s` is a model; an object table shares its namespace and needs another name", where))
	case k == catalog.Other && !old:
		return nil, dialect.At(s.Name.Span, fmt.Errorf("`%s` is a table or a view of another kind; an object table needs another name", where))
	case k == catalog.Other && s.IfNotExists:
		p.sql, p.notice = "CREATE VIEW IF NOT EXISTS "+where.SQL()+" AS SELECT 1", ""
		return p, nil
	case k == catalog.Other && !s.OrReplace:
		return nil, dialect.At(s.Name.Span, failure.As(failure.ErrNameTaken, fmt.Errorf("object table `%s` already exists; CREATE OR REPLACE EXTERNAL TABLE replaces it", where)))
	}
	if err := n.in.externalAccess(ctx); err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	if err := n.missing(ctx, s, t); err != nil {
		return nil, err
	}
	create := "CREATE VIEW "
	if s.OrReplace {
		create = "CREATE OR REPLACE VIEW "
	}
	// The listing gives details as text; BigQuery's is JSON.
	p.sql = create + where.SQL() + " AS SELECT * REPLACE (" + objecttable.LateMD5 + ", CAST(ref AS STRUCT(uri VARCHAR, version VARCHAR, authorizer VARCHAR, details JSON)) AS ref) FROM " + objecttable.Spec{Table: *t, Name: where.Key()}.SQL()
	p.done = func() { n.in.objects.runtime.Forget(where.Key()) }
	return p, nil
}

// lookFor is how long CREATE EXTERNAL TABLE waits to hear whether what it names is there.
const lookFor = 10 * time.Second

// missing refuses a table whose bucket, folder or object is not there, at the URI.
func (n *conn) missing(ctx context.Context, s *dialect.CreateExternalTable, t *objecttable.Table) error {
	look, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	err := t.Missing(look, n.in.objects)
	var m *objecttable.MissingError
	if !errors.As(err, &m) {
		return dialect.At(s.Name.Span, errors.Join(err, ctx.Err()))
	}
	span := s.Name.Span
	for _, o := range s.Options {
		if strings.EqualFold(o.Name, "uris") {
			span = o.Value.Span
			if m.Index < len(o.Value.List) {
				span = o.Value.List[m.Index].Span
			}
		}
	}
	return dialect.At(span, err)
}

// dropObjectTable gives the statement that drops an object table, and no other kind of table.
func (n *conn) dropObjectTable(ctx context.Context, s *dialect.DropExternalTable) (*plan, error) {
	cat := n.catalog()
	ps, err := cat.Candidates(ctx, s.Name.Parts)
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	for _, p := range ps {
		if ok, err := n.isObjectTable(ctx, p); err != nil {
			return nil, err
		} else if ok {
			return &plan{sql: "DROP VIEW " + p.SQL(), pos: -1, verb: "DROP EXTERNAL TABLE", done: func() { n.in.objects.runtime.Forget(p.Key()) }}, nil
		}
		if k, _, err := cat.Lookup(ctx, p); err == nil && k != catalog.Nothing {
			kind := map[catalog.Kind]string{catalog.Model: "MODEL", catalog.Other: "TABLE or VIEW"}[k]
			return nil, dialect.At(s.Name.Span, fmt.Errorf("cannot drop `%s`, which has type %s: an external table was expected", p, kind))
		}
	}
	if s.IfExists {
		return &plan{sql: "DROP VIEW IF EXISTS " + ps[0].SQL(), pos: -1, verb: "DROP EXTERNAL TABLE"}, nil
	}
	return nil, dialect.At(s.Name.Span, failure.As(failure.ErrObjectTableNotFound, fmt.Errorf("object table `%s` not found", s.Name)))
}

// isObjectTable reports whether a view is an object table's.
func (n *conn) isObjectTable(ctx context.Context, p catalog.QualifiedName) (bool, error) {
	_, ok, err := n.catalog().ObjectTable(ctx, p)
	return ok, err
}

// objectTable finds the object table that a path names, if it names one.
func (w *writer) objectTable(ctx context.Context, parts []string) (catalog.QualifiedName, bool, error) {
	ps, err := w.cat.Candidates(ctx, parts)
	if err != nil {
		return catalog.QualifiedName{}, false, err
	}
	for _, p := range ps {
		if _, ok, err := w.cat.ObjectTable(ctx, p); ok || err != nil {
			return p, ok, err
		}
	}
	return catalog.QualifiedName{}, false, nil
}

// refreshMetadata lists an object table anew: CALL BQ.REFRESH_EXTERNAL_METADATA_CACHE.
func (n *conn) refreshMetadata(ctx context.Context, s *dialect.RefreshMetadata) (*plan, error) {
	cat := n.catalog()
	ps, err := cat.Candidates(ctx, s.Table.Parts)
	if err != nil {
		return nil, dialect.At(s.Table.Span, err)
	}
	for _, p := range ps {
		spec, ok, err := cat.ObjectTable(ctx, p)
		if err != nil {
			return nil, dialect.At(s.Table.Span, err)
		}
		if !ok {
			continue
		}
		if err := n.in.objects.runtime.Refresh(ctx, spec); err != nil {
			return nil, dialect.At(s.Table.Span, err)
		}
		// CALL gives no rows, and neither does this.
		return &plan{sql: "RESET VARIABLE mallard_refreshed", pos: -1, verb: "CALL", notice: fmt.Sprintf("Successfully refreshed the metadata of object table %s.", p)}, nil
	}
	return nil, dialect.At(s.Table.Span, failure.As(failure.ErrObjectTableNotFound, fmt.Errorf("object table `%s` not found", s.Table)))
}

// objectValue gives an option's value as package objecttable reads it.
func objectValue(v dialect.Value) objecttable.Value {
	out := objecttable.Value{Pos: v.Pos, End: v.End}
	list := func(vs []dialect.Value) []objecttable.Value {
		all := make([]objecttable.Value, len(vs))
		for i, e := range vs {
			all[i] = objectValue(e)
		}
		return all
	}
	switch v.Kind {
	case dialect.Null:
	case dialect.Int:
		out.V = v.Int
	case dialect.Float:
		out.V = v.Float
	case dialect.Bool:
		out.V = v.Bool
	case dialect.Array:
		out.V = list(v.List)
	case dialect.Struct:
		vs := make([]dialect.Value, len(v.Fields))
		for i, f := range v.Fields {
			vs[i] = f.Value
		}
		out.V = list(vs)
	default:
		out.V = v.Str
	}
	return out
}
