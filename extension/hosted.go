package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/functions"
	native "github.com/mallardml/mallard/functions/googlesql"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/udf"
)

// hosted is a database that is not ours: its connections are the host's, which send their statements to DuckDB past us, and call our
// functions in them.
type hosted struct {
	c          *Connector
	db, schema string // of a connection that is not asked

	mu      sync.Mutex
	notices []string // the last ones, the newest last
}

// Host puts Mallard's functions into a database that has loaded Mallard as an extension of DuckDB. dsn is the name by which duckdb-go
// opens the database; closed, if any, is called when the host has closed it. No connection is left open between calls of functions.
// The connector frees what the functions hold when it is closed, which the end of the host's database does, too.
func Host(dsn string, cfg *config.Config, closed func()) (*Connector, error) {
	c, err := NewConnector(dsn, Options{Config: cfg})
	if err != nil {
		return nil, err
	}
	h := &hosted{c: c}
	in := c.in
	in.hosted, in.access.always = h, true
	in.private.db.SetMaxIdleConns(-1)
	ctx := context.Background()
	err = in.private.do(ctx, func(inner *duckdb.Conn, conn mapping.Connection) error {
		rows, err := allRows(ctx, inner, "SELECT current_database(), current_schema()")
		if err != nil {
			return err
		}
		h.db, h.schema = fmt.Sprint(rows[0][0]), fmt.Sprint(rows[0][1])
		if err := h.register(conn, closed); err != nil {
			return err
		}
		if err := h.foresee(ctx, inner); err != nil {
			return err
		}
		return makeMacros(ctx, inner)
	})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// session stands for a connection of the host's, while one of its statements is bound.
func (h *hosted) session(id uint64, db, schema string) *session {
	return &session{in: h.c.in, id: id, lang: h.c.lang, another: h.c.Connect, db: db, schema: schema}
}

// register adds the table functions, which run on connections of their own, and what the macros call.
func (h *hosted) register(conn mapping.Connection, closed func()) error {
	varchar, anything := udf.Of(mapping.TypeVarchar), udf.Of(mapping.TypeAny)
	tables := []*udf.Table{
		{Name: "mallard", Params: []udf.Type{varchar}, Bind: func(b *udf.TableBinding) (udf.Relation, error) {
			src, ok := b.Text(0)
			if !ok {
				return nil, errors.New("mallard needs statements, not NULL")
			}
			return h.relation(src)
		}, Dropped: func() {
			_ = h.c.Close()
			if closed != nil {
				closed()
			}
		}},
		{Name: "mallard_notices", Bind: func(*udf.TableBinding) (udf.Relation, error) { return h.relation(h.noticesText()) }},
	}
	for _, m := range planner.PlainTables() {
		t := &udf.Table{Name: m.Name}
		for range m.Params {
			t.Params = append(t.Params, anything)
		}
		for _, p := range m.Optional {
			t.Named = append(t.Named, udf.Field{Name: p, Type: anything})
		}
		t.Bind = func(b *udf.TableBinding) (udf.Relation, error) {
			var args []string
			for i := range m.Params {
				args = append(args, b.Literal(i))
			}
			for _, p := range m.Optional {
				if text, ok := b.NamedLiteral(p); ok {
					args = append(args, p+" := "+text)
				}
			}
			return h.relation("SELECT * FROM " + m.Name + "(" + strings.Join(args, ", ") + ")")
		}
		tables = append(tables, t)
	}
	for _, t := range tables {
		if err := t.Register(conn); err != nil {
			return err
		}
	}
	in := h.c.in
	return errors.Join(h.natives(conn),
		functions.RegisterText(conn, "mallard_here", 6, false, false, in.texts(h.callHere)),
		functions.RegisterText(conn, "mallard_googlesql", 3, false, false, in.texts(h.googleSQLHere)))
}

// callHere writes a call of a function over a model, for a connection of the host's: function, model, input, options, and where that
// connection looks up names.
func (h *hosted) callHere(id uint64, args []string, null []bool) (string, error) {
	if null[1] || null[2] {
		return "", errNullCall(args[0])
	}
	return h.here(id, args[4], args[5], func(ctx context.Context, pl *planner.Planner, lang dialect.Lang) (string, error) {
		return pl.CallText(ctx, lang, args[0], args[1], args[2], "native", "", args[3])
	})
}

// googleSQLHere writes a query of GoogleSQL as one of DuckDB's.
func (h *hosted) googleSQLHere(id uint64, args []string, null []bool) (string, error) {
	if null[0] {
		return "", errors.New("googlesql needs a query, not NULL")
	}
	return h.here(id, args[1], args[2], func(ctx context.Context, pl *planner.Planner, _ dialect.Lang) (string, error) {
		return pl.InputText(ctx, args[0], dialect.GoogleSQL)
	})
}

// here gives what the planner writes for a connection of the host's.
func (h *hosted) here(id uint64, db, schema string, write planFunc) (string, error) {
	s := h.session(id, db, schema)
	return s.planned(h.c.in.Query(id).Context, func(ctx context.Context, pl *planner.Planner, lang dialect.Lang) (string, error) {
		if _, err := s.duck.ExecContext(ctx, "USE "+quote.Path(db, schema), nil); err != nil {
			return "", err
		}
		return write(ctx, pl, lang)
	})
}

// foresee registers the functions that the models of the database need, and those of GoogleSQL: what is registered while a statement
// is bound is seen by the next one only.
func (h *hosted) foresee(ctx context.Context, c *duckdb.Conn) error {
	s := h.session(0, h.db, h.schema)
	s.duck = c
	pl := s.behind(context.WithValue(ctx, analyzing{}, true), c)
	all, err := pl.Catalog.List(ctx)
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Spec.Remote() {
			for _, f := range functiontable.All(functiontable.Model) {
				// Those that the model does not suit have an error here, as they have when they are called. Flat results are of
				// another function.
				for _, options := range []string{"", `{"flatten_json_output": true}`} {
					_, _ = pl.CallText(ctx, s.lang, f.Name, e.QualifiedName.String(), "SELECT '' AS prompt, '' AS content", "native", "", options)
				}
			}
			continue
		}
		outputs, err := modelspec.Ports(e.Spec.Outputs)
		if err != nil {
			continue // calls of the model say so
		}
		for _, t := range []functions.Types{functions.Native, functions.BigQuery} {
			if _, err := s.PredictFunction(ctx, outputs, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// natives registers the functions of GoogleSQL that DuckDB lacks.
func (h *hosted) natives(conn mapping.Connection) error {
	for _, name := range native.Names() {
		if err := native.Register(conn, name, native.Prefix+name); err != nil {
			return err
		}
	}
	return nil
}

// makeMacros makes the macros that run on the connection of their caller, in a catalog of their own in memory: a file of the user's
// stays as it is. The catalog is called mallard, or mallard_macros where the user's file is called so or has a schema of that name: DuckDB
// takes mallard.f for ambiguous then.
func makeMacros(ctx context.Context, c *duckdb.Conn) error {
	rows, err := allRows(ctx, c, "SELECT lower(database_name) FROM duckdb_databases() UNION SELECT lower(schema_name) FROM duckdb_schemas()")
	if err != nil {
		return err
	}
	db := "mallard"
	if slices.ContainsFunc(rows, func(r []driver.Value) bool { return r[0] == db }) {
		db = "mallard_macros"
	}
	all := []string{"ATTACH ':memory:' AS " + db + " (READ_WRITE)"}
	create := "CREATE OR REPLACE MACRO " + db + ".main."
	for _, m := range planner.PlainTables() {
		all = append(all, create+m.Here())
	}
	all = append(all, create+"googlesql(query) AS TABLE SELECT * FROM query(system.main.mallard_googlesql(query, "+
		"current_database(), current_schema()))")
	_, err = c.ExecContext(ctx, strings.Join(all, ";\n"), nil)
	return err
}

// maxNotices is how many notices mallard_notices() shows.
const maxNotices = 100

// notice keeps what a statement tells people.
func (h *hosted) notice(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.notices = append(h.notices, text); len(h.notices) > maxNotices {
		h.notices = h.notices[1:]
	}
}

// noticesText is the query behind mallard_notices().
func (h *hosted) noticesText() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.notices) == 0 {
		return "SELECT '' AS notice LIMIT 0"
	}
	texts := make([]string, len(h.notices))
	for i, n := range h.notices {
		texts[i] = quote.Text(n)
	}
	return "SELECT unnest([" + strings.Join(texts, ", ") + "]) AS notice"
}
