package extension

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/functions"
	native "github.com/mallardml/mallard/functions/googlesql"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/trace"
)

// session is a connection to DuckDB as those below the driver's interfaces know it: what plans and runs its statements, where it
// looks up unqualified names, and what its open transaction has changed, which other connections cannot see.
type session struct {
	duck    *duckdb.Conn
	h       mapping.Connection
	id      uint64
	in      *instance
	lang    dialect.Lang
	trace   trace.Tracer                                         // nil for none
	another func(context.Context) (driver.Conn, error)           // opens another connection like this one
	scripts func(ctx context.Context, schema, load string) error // runs those of an exported database in the open transaction
	names   planner.Names

	// making is true while the connection's macros are made: DuckDB binds their bodies then, which need not look at anything.
	making atomic.Bool
	script script
	limits planner.Limits
	small  bool // enable_caching_operators is off for a statement that reads objects

	mu         sync.Mutex
	db, schema string
	open       transaction
}

// transaction is what is known of an open transaction.
type transaction struct {
	active bool
	models map[string]*modelspec.Spec // by lower-case quoted path; nil for a dropped one
	alias  map[string]string          // function name to the name it has on this connection only
	n      int                        // aliases made so far; a name is used once

	touched []string // the keys of tables that it has changed
}

var (
	_ planner.Session = (*session)(nil)
	_ planner.Models  = (*session)(nil)
)

// planner gives the planner of a statement of the connection's.
func (s *session) planner(ctx context.Context) *planner.Planner {
	s.mu.Lock()
	defer s.mu.Unlock()
	pl := s.planning(ctx, s.duck, nil)
	pl.Limits, pl.Epoch = &s.limits, s.in.epoch.Load()
	return pl
}

// behind gives the planner of a text that the connection is binding: it asks a private connection, which cannot see the open
// transaction.
func (s *session) behind(ctx context.Context, c *duckdb.Conn) *planner.Planner {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := make(map[string]*modelspec.Spec, len(s.open.models))
	for k, r := range s.open.models {
		open[k] = r
	}
	return s.planning(ctx, c, open)
}

// planning makes a planner that asks c; mu is held.
func (s *session) planning(ctx context.Context, c *duckdb.Conn, open map[string]*modelspec.Spec) *planner.Planner {
	in := s.in
	return &planner.Planner{
		Config: in.cfg, Models: s, Session: s, Library: in.models, Objects: in.objects, GoogleSQL: in.googleSQL,
		Variables: func() []translator.Variable { return s.variables(ctx) },
		Catalog: &catalog.Catalog{
			Project: in.cfg.BigQuery.Project, Declared: in.models, Database: s.db, Schema: s.schema, Open: open,
			Rows: func(ctx context.Context, query string) ([][]driver.Value, error) { return allRows(ctx, c, query) },
		},
		Columns:    func(ctx context.Context, sql string) ([]planner.Column, error) { return columns(ctx, c, sql) },
		Changed:    in.changes.last,
		Unmeasured: ctx.Value(analyzing{}) != nil,
	}
}

// readSchema notes where DuckDB looks up unqualified names, for the times when the connection cannot be asked.
func (s *session) readSchema(ctx context.Context) error {
	rows, err := allRows(ctx, s.duck, "SELECT current_database(), current_schema()")
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.db, s.schema = fmt.Sprint(rows[0][0]), fmt.Sprint(rows[0][1])
	return nil
}

// where gives the database and the schema in which unqualified names are looked up.
func (s *session) where() (db, schema string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.db, s.schema
}

// transaction begins or ends what is known of a transaction.
func (s *session) transaction(active bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in.changes.note(s.open.touched)
	s.open = transaction{active: active, n: s.open.n}
}

// active reports whether a transaction is open.
func (s *session) active() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open.active
}

// rows runs a query of our own on the connection and returns all of its values.
func (s *session) rows(ctx context.Context, query string) ([][]driver.Value, error) {
	return allRows(ctx, s.duck, query)
}

// Guarded implements [planner.Session].
func (s *session) Guarded(ctx context.Context) []string {
	return s.names.Read(ctx, s.rows, s.in.named.Load())
}

// Remember implements [planner.Session], for the text functions, which cannot see the open transaction.
func (s *session) Remember(name catalog.QualifiedName, spec *modelspec.Spec) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open.active {
		return
	}
	if s.open.models == nil {
		s.open.models = map[string]*modelspec.Spec{}
	}
	s.open.models[name.Key()] = spec
}

// Version implements [planner.Models].
func (s *session) Version(e catalog.Entry) (*functions.Model, error) {
	return s.in.models.Version(e)
}

// RemoteCall implements [planner.Models].
func (s *session) RemoteCall(call *remote.Spec, connection string) (*remote.Spec, error) {
	return s.in.remote.Call(call, connection)
}

// PredictFunction implements [planner.Models].
func (s *session) PredictFunction(ctx context.Context, outputs []functions.Port, types functions.Types) (string, error) {
	name := functions.PredictName(outputs, types)
	return name, s.in.functions.add(ctx, name, func(h mapping.Connection, name string) error {
		return functions.RegisterPredict(h, name, outputs, types, s.in)
	})
}

// RemoteFunction implements [planner.Models].
func (s *session) RemoteFunction(ctx context.Context, f remote.Function) error {
	return s.in.functions.add(ctx, f.Name, func(h mapping.Connection, name string) error { return f.Register(h, name, s.in) })
}

// NativeFunction implements [planner.Models].
func (s *session) NativeFunction(ctx context.Context, name string) error {
	return s.in.functions.add(ctx, native.Prefix+name, func(h mapping.Connection, as string) error { return native.Register(h, name, as) })
}

// FunctionName implements [planner.Models].
func (s *session) FunctionName(base string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.open.alias[base]; ok {
		return a
	}
	return base
}

// forget drops the alias of a function.
func (s *session) forget(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open.alias, base)
}

// register registers a function once more, under another name, in the open transaction, which began before it was there.
func (s *session) register(base string, f *function) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open.n++
	alias := fmt.Sprintf("%s__%d_%d", base, s.id, s.open.n)
	if err := f.register(s.h, alias); err != nil {
		return err
	}
	if s.open.alias == nil {
		s.open.alias = map[string]string{}
	}
	s.open.alias[base] = alias
	return nil
}

// analyzing marks the context of statements that are not to run: models are not measured.
type analyzing struct{}
