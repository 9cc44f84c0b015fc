package extension

import (
	"context"
	"sync"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// function is an SQL function that plans call. Its name tells its result type, so few exist.
type function struct {
	register   func(h mapping.Connection, name string) error
	registered bool
}

// functionTable has the functions that plans call, by name without the suffix of a connection.
type functionTable struct {
	private private
	mu      sync.Mutex
	all     map[string]*function
}

// add makes sure that a function exists. It is registered in autocommit, so that every transaction that starts later sees it.
func (t *functionTable) add(ctx context.Context, name string, register func(h mapping.Connection, name string) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.all[name]
	if !ok {
		f = &function{register: register}
		t.all[name] = f
	}
	if f.registered {
		return nil
	}
	err := t.private.do(ctx, func(_ *duckdb.Conn, h mapping.Connection) error { return f.register(h, name) })
	f.registered = err == nil
	return err
}

// find gives what a name was registered for, and whether that is done.
func (t *functionTable) find(name string) (f *function, registered, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f, ok = t.all[name]; ok {
		registered = f.registered
	}
	return f, registered, ok
}
