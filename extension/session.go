package extension

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/functions"
	native "github.com/mallardml/mallard/functions/googlesql"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/functions/udf"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/planner"
)

// session is what a connection gives to the planner: where unqualified names are looked up, what its open transaction has
// changed, which other connections cannot see, and the names to look at twice.
type session struct {
	n     *conn
	names planner.Names

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
}

var (
	_ planner.Session = (*session)(nil)
	_ planner.Models  = (*session)(nil)
)

// planner gives the planner of a statement of the connection's.
func (s *session) planner(ctx context.Context) *planner.Planner {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.planning(ctx, s.n.Conn, nil)
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
	in := s.n.in
	return &planner.Planner{
		Config: in.cfg, Models: s, Session: s, Library: in.models, Objects: in.objects, GoogleSQL: googleSQL,
		Catalog: &catalog.Catalog{
			Project: in.cfg.BigQuery.Project, Declared: in.models, Database: s.db, Schema: s.schema, Open: open,
			Rows: func(ctx context.Context, query string) ([][]driver.Value, error) { return allRows(ctx, c, query) },
		},
		Describe:   func(ctx context.Context, sql string) []planner.Column { return describe(ctx, c, sql) },
		Unmeasured: ctx.Value(analyzing{}) != nil,
	}
}

// readSchema notes where DuckDB looks up unqualified names, for the times when the connection cannot be asked.
func (s *session) readSchema(ctx context.Context) error {
	rows, err := s.n.rows(ctx, "SELECT current_database(), current_schema()")
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
	s.open = transaction{active: active, n: s.open.n}
}

// active reports whether a transaction is open.
func (s *session) active() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open.active
}

// Guarded implements [planner.Session].
func (s *session) Guarded(ctx context.Context) []string {
	return s.names.Read(ctx, s.n.rows, s.n.in.named.Load())
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
	return s.n.in.models.Version(e)
}

// RemoteCall implements [planner.Models].
func (s *session) RemoteCall(call *remote.Spec, connection string) (*remote.Spec, error) {
	return s.n.in.remote.Call(call, connection)
}

// PredictFunction implements [planner.Models].
func (s *session) PredictFunction(ctx context.Context, outputs []functions.Port, types functions.Types) (string, error) {
	return s.n.in.predictFunction(ctx, outputs, types)
}

// RemoteFunction implements [planner.Models].
func (s *session) RemoteFunction(ctx context.Context, f remote.Function) error {
	return s.n.in.function(ctx, f.Name, func(h mapping.Connection, name string) error { return f.Register(h, name, s.n.in) })
}

// NativeFunction implements [planner.Models].
func (s *session) NativeFunction(ctx context.Context, name string) error {
	return s.n.in.function(ctx, native.Prefix+name, func(h mapping.Connection, as string) error { return native.Register(h, name, as) })
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
	alias := fmt.Sprintf("%s__%d_%d", base, s.n.id, s.open.n)
	if err := f.register(s.n.h, alias); err != nil {
		return err
	}
	if s.open.alias == nil {
		s.open.alias = map[string]string{}
	}
	s.open.alias[base] = alias
	return nil
}

// describe gives the columns of a query, or nil when it cannot be prepared.
func describe(ctx context.Context, c *duckdb.Conn, sql string) []planner.Column {
	st, err := c.PrepareContext(ctx, sql)
	if err != nil {
		return nil
	}
	defer st.Close()
	ds, ok := st.(*duckdb.Stmt)
	if !ok {
		return nil
	}
	p, err := duckapi.Prepared(ds)
	if err != nil {
		return nil
	}
	var columns []planner.Column
	for i := range mapping.PreparedStatementColumnCount(p) {
		t := mapping.PreparedStatementColumnLogicalType(p, i)
		columns = append(columns, planner.Column{Name: mapping.PreparedStatementColumnName(p, i), Type: udf.TypeOf(t)})
		mapping.DestroyLogicalType(&t)
	}
	return columns
}
