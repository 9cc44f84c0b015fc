package extension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/modelstore"
	"github.com/mallardml/mallard/internal/serving"
)

// instance is one open DuckDB, with what all its connections share. Two connectors to one file share its instance, as
// they share the DuckDB underneath: a function registered by one is seen by the other.
type instance struct {
	key     string            // the file's path; empty for a database in memory
	refs    int               // connectors, guarded by instances.mu
	gone    chan struct{}     // closed when the last of them has closed it
	duck    *duckdb.Connector // of the database, for every connection
	cfg     *config.Config
	workers io.Closer // what models run in, if that is no part of this process

	private   private
	access    *access
	functions *functionTable
	stores    *serving.Stores
	models    *serving.Models
	remote    *serving.Remote
	objects   *objects

	translator atomic.Pointer[translator.Translator] // of GoogleSQL, once a statement has needed it

	// epoch moves whenever a statement may have changed what a name means; prepared statements compare it.
	epoch atomic.Int64
	// named moves whenever a statement may have made models or object tables.
	named atomic.Int64

	changes *changeLog

	hosted *hosted // nil for a database of ours

	queries  sync.Map // connection id to *queryState, of the statement that it executes
	sessions sync.Map // connection id to *session
}

// instances finds the instance of a file that is open already.
var instances = struct {
	mu     sync.Mutex
	byFile map[string]*instance
}{byFile: map[string]*instance{}}

// fileKey names the file of a data source name; "" is a database in memory, which nobody shares.
func fileKey(dsn string) (string, error) {
	file, _, _ := strings.Cut(dsn, "?")
	if file == "" || file == ":memory:" {
		return "", nil
	}
	return filepath.Abs(file)
}

// openInstance gives the instance of a database, which is opened unless it is open. Every call that succeeds is for one
// close. register adds functions over the instance to a new one. A nil configuration is the open instance's, or the default.
func openInstance(dsn string, cfg *config.Config, register func(*instance, mapping.Connection) error) (*instance, error) {
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
		cfg = config.DefaultConfig()
	}
	in, err := newInstance(dsn, key, cfg, register)
	if err == nil && key != "" {
		instances.byFile[key] = in
	}
	return in, err
}

// join adds a connector to an open instance, if it asks for what the instance is.
func (in *instance) join(dsn string, cfg *config.Config) error {
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
func differences(a, b *config.Config) []string {
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

func newInstance(dsn, key string, cfg *config.Config, register func(*instance, mapping.Connection) error) (*instance, error) {
	dir, err := config.StoreDir(cfg)
	if err != nil {
		return nil, err
	}
	kinds, workers, err := engines(cfg)
	if err != nil {
		return nil, err
	}
	duck, err := duckdb.NewConnector(dsn, nil)
	if err != nil {
		return nil, err
	}
	in := &instance{
		key: key, refs: 1, gone: make(chan struct{}), cfg: cfg, duck: duck, changes: newChangeLog(), workers: workers,
	}
	in.private = newPrivate(duck)
	in.access = &access{private: in.private, changed: &in.epoch}
	in.functions = &functionTable{private: in.private, all: map[string]*function{}}
	in.stores = serving.NewStores(cfg, in.access.allowed)
	in.models = serving.NewModels(cfg, in.stores, kinds, modelstore.Store{Dir: dir}, copied)
	in.remote = serving.NewRemote(cfg, in.stores, in.private.db)
	in.objects = newObjects(cfg.Objects, in.stores, in.state)
	err = in.private.do(context.Background(), func(_ *duckdb.Conn, h mapping.Connection) error {
		return errors.Join(register(in, h), in.objects.runtime.Register(h))
	})
	if err != nil {
		return nil, errors.Join(err, in.private.db.Close(), duck.Close())
	}
	return in, nil
}

// state gives the state of the statement that a connection executes.
func (in *instance) state(conn uint64) *queryState {
	if q, ok := in.queries.Load(conn); ok {
		return q.(*queryState)
	}
	return idle
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
	err := errors.Join(in.remote.Close(), in.stores.Close(), in.private.db.Close(), in.models.Close(), in.workers.Close(), in.duck.Close())
	instances.mu.Lock()
	if in.key != "" {
		delete(instances.byFile, in.key)
	}
	instances.mu.Unlock()
	close(in.gone)
	return err
}
