package extension

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/modelstore"
)

// instance is one open DuckDB, with what all its connections share. Two connectors to one file share its instance, as
// they share the DuckDB underneath: a function registered by one is seen by the other.
type instance struct {
	key   string // the file's path; empty for a database in memory
	refs  int    // connectors, guarded by instances.mu
	cfg   *Config
	store modelstore.Store

	db      *sql.DB // private connections: registration, and reading the catalog while a statement binds
	live    liveModels
	remote  remoteModels
	objects *objects
	access  access

	// epoch moves whenever a statement may have changed what a name means; prepared statements compare it.
	epoch atomic.Int64
	// named moves whenever a statement may have made models or object tables.
	named atomic.Int64

	queries sync.Map // connection id to *running, the statement it executes
	conns   sync.Map // connection id to *conn

	mu  sync.Mutex
	fns map[string]*function // by name without the suffix of a connection

	declaredMu sync.Mutex
	declared   map[string]*record // models of the configuration, once used
}

// function is an SQL function that generated text calls. Its name tells its result type, so few exist.
type function struct {
	register   func(h mapping.Connection, name string) error
	registered bool
}

// instances finds the instance of a file that is open already.
var instances = struct {
	mu     sync.Mutex
	byFile map[string]*instance
}{byFile: map[string]*instance{}}

// keepOpen hides Close: closing the private pool must not close the database under the user.
type keepOpen struct{ driver.Connector }

// openInstance gives the instance of a connector's database. dsn is the one the connector was opened with.
func openInstance(dsn string, inner *duckdb.Connector, cfg *Config) (*instance, error) {
	key := ""
	if file, _, _ := strings.Cut(dsn, "?"); file != "" && file != ":memory:" {
		abs, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		key = abs
	}
	instances.mu.Lock()
	defer instances.mu.Unlock()
	if in, ok := instances.byFile[key]; ok && key != "" {
		in.refs++
		return in, nil
	}
	dir, err := config.StoreDir(cfg)
	if err != nil {
		return nil, err
	}
	in := &instance{key: key, refs: 1, cfg: cfg, store: modelstore.Store{Dir: dir}, fns: map[string]*function{}}
	in.live.init(in)
	in.remote.init(in)
	in.objects = newObjects(in)
	in.db = sql.OpenDB(keepOpen{inner})
	in.db.SetMaxIdleConns(2)
	err = errors.Join(in.registerTextFunctions(), in.private(context.Background(), func(_ *duckdb.Conn, h mapping.Connection) error {
		return in.objects.runtime.Register(h)
	}))
	if err != nil {
		return nil, errors.Join(err, in.db.Close())
	}
	if key != "" {
		instances.byFile[key] = in
	}
	return in, nil
}

// close drops one connector's share and frees the models with the last.
func (in *instance) close() error {
	instances.mu.Lock()
	in.refs--
	last := in.refs == 0
	if last && in.key != "" {
		delete(instances.byFile, in.key)
	}
	instances.mu.Unlock()
	if !last {
		return nil
	}
	return errors.Join(in.remote.close(), in.objects.close(), in.db.Close(), in.live.close())
}

// private runs f with a connection of the private pool.
func (in *instance) private(ctx context.Context, f func(c *duckdb.Conn, h mapping.Connection) error) error {
	c, err := in.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(dc any) error {
		inner, ok := dc.(*duckdb.Conn)
		if !ok {
			return fmt.Errorf("duckdb-go gave a connection of type %T", dc)
		}
		h, err := duckapi.Connection(inner)
		if err != nil {
			return err
		}
		return f(inner, h)
	})
}

// function makes sure that a function exists. It is registered in autocommit, so that every transaction that starts
// later sees it.
func (in *instance) function(ctx context.Context, name string, register func(h mapping.Connection, name string) error) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	f, ok := in.fns[name]
	if !ok {
		f = &function{register: register}
		in.fns[name] = f
	}
	if f.registered {
		return nil
	}
	err := in.private(ctx, func(_ *duckdb.Conn, h mapping.Connection) error { return f.register(h, name) })
	f.registered = err == nil
	return err
}

// predictFunction makes sure that the prediction function for these outputs exists, and gives its name.
func (in *instance) predictFunction(ctx context.Context, outputs []functions.Port, types functions.Types) (string, error) {
	name := functions.PredictName(outputs, types)
	return name, in.function(ctx, name, func(h mapping.Connection, name string) error {
		return functions.RegisterPredict(h, name, outputs, types, in)
	})
}

// functionNamed finds what a name was registered for.
func (in *instance) functionNamed(name string) (*function, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	f, ok := in.fns[name]
	return f, ok
}

var _ functions.Host = (*instance)(nil)

// Model implements [functions.Host].
func (in *instance) Model(version int64) (*functions.Model, error) { return in.live.acquire(version) }

// Release implements [functions.Host].
func (in *instance) Release(version int64) { in.live.release(version) }

// idle answers callbacks of connections that are not ours, such as DuckDB's own.
var idle = newRunning(context.Background(), nil)

func (in *instance) running(conn uint64) *running {
	if q, ok := in.queries.Load(conn); ok {
		return q.(*running)
	}
	return idle
}

// Query implements [functions.Host].
func (in *instance) Query(conn uint64) *functions.Query { return &in.running(conn).Query }
