package extension

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/modelstore"
	"github.com/mallardml/mallard/internal/serving"
)

// instance is one open DuckDB, with what all its connections share. Two connectors to one file share its instance, as
// they share the DuckDB underneath: a function registered by one is seen by the other.
type instance struct {
	key  string            // the file's path; empty for a database in memory
	refs int               // connectors, guarded by instances.mu
	gone chan struct{}     // closed when the last of them has closed it
	duck *duckdb.Connector // of the database, for every connection
	cfg  *Config

	db      *sql.DB // private connections: registration, and reading the catalog while a statement binds
	stores  *serving.Stores
	models  *serving.Models
	remote  *serving.Remote
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

// keepOpen hides Close: the private pool is closed before the database that it is of.
type keepOpen struct{ driver.Connector }

// fileKey names the file of a data source name; "" is a database in memory, which nobody shares.
func fileKey(dsn string) (string, error) {
	file, _, _ := strings.Cut(dsn, "?")
	if file == "" || file == ":memory:" {
		return "", nil
	}
	return filepath.Abs(file)
}

// openInstance gives the instance of a database, which is opened unless it is open. Every call that succeeds is for one
// close. A nil configuration is the open instance's, or the default.
func openInstance(dsn string, cfg *Config) (*instance, error) {
	key, err := fileKey(dsn)
	if err != nil {
		return nil, err
	}
	for {
		instances.mu.Lock()
		in := instances.byFile[key]
		if in == nil || key == "" {
			break
		}
		if in.refs > 0 {
			defer instances.mu.Unlock()
			return in, in.join(dsn, cfg)
		}
		instances.mu.Unlock()
		<-in.gone // its last connector is closing it
	}
	defer instances.mu.Unlock()
	if cfg == nil {
		cfg = DefaultConfig()
	}
	in, err := newInstance(dsn, key, cfg)
	if err == nil && key != "" {
		instances.byFile[key] = in
	}
	return in, err
}

// join adds a connector to an open instance, if it asks for what the instance is.
func (in *instance) join(dsn string, cfg *Config) error {
	if cfg != nil && !reflect.DeepEqual(*cfg, *in.cfg) {
		return fmt.Errorf("%s is open with another configuration, and connectors to one database share it: %s; "+
			"give this one the same, or none",
			in.key, strings.Join(differences(cfg, in.cfg), ", "))
	}
	db, err := duckdb.NewConnector(dsn, nil) // DuckDB compares its own settings
	if err != nil {
		return err
	}
	in.refs++
	return db.Close()
}

// differences names the sections in which two configurations differ.
func differences(a, b *Config) []string {
	var all []string
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range x.NumField() {
		f := x.Type().Field(i)
		switch {
		case !f.IsExported():
			if !x.Field(i).Equal(y.Field(i)) {
				all = append(all, "they come from files in different folders")
			}
		case !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()):
			all = append(all, "["+f.Tag.Get("toml")+"] differs")
		}
	}
	return all
}

func newInstance(dsn, key string, cfg *Config) (*instance, error) {
	dir, err := config.StoreDir(cfg)
	if err != nil {
		return nil, err
	}
	duck, err := duckdb.NewConnector(dsn, nil)
	if err != nil {
		return nil, err
	}
	in := &instance{
		key: key, refs: 1, gone: make(chan struct{}), cfg: cfg, duck: duck, fns: map[string]*function{},
	}
	in.db = sql.OpenDB(keepOpen{duck})
	in.db.SetMaxIdleConns(2)
	in.stores = serving.NewStores(cfg, in.externalAccess)
	in.models = serving.NewModels(cfg, in.stores, engines(cfg), modelstore.Store{Dir: dir}, copied)
	in.remote = serving.NewRemote(cfg, in.stores, in.db)
	in.objects = newObjects(in)
	err = errors.Join(in.registerTextFunctions(), in.private(context.Background(), func(_ *duckdb.Conn, h mapping.Connection) error {
		return in.objects.runtime.Register(h)
	}))
	if err != nil {
		return nil, errors.Join(err, in.db.Close(), duck.Close())
	}
	return in, nil
}

// close drops one connector's share. The last one frees the models and closes the database; until that is done, the file is
// not opened again.
func (in *instance) close() error {
	instances.mu.Lock()
	in.refs--
	last := in.refs == 0
	instances.mu.Unlock()
	if !last {
		return nil
	}
	err := errors.Join(in.remote.Close(), in.stores.Close(), in.db.Close(), in.models.Close(), in.duck.Close())
	instances.mu.Lock()
	if in.key != "" {
		delete(instances.byFile, in.key)
	}
	instances.mu.Unlock()
	close(in.gone)
	return err
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

// idle answers callbacks of connections that are not ours, such as DuckDB's own.
var idle = newRunning(context.Background(), nil)

func (in *instance) running(conn uint64) *running {
	if q, ok := in.queries.Load(conn); ok {
		return q.(*running)
	}
	return idle
}
