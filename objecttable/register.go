package objecttable

import (
	"slices"
	"time"

	"github.com/duckdb/duckdb-go/v2/mapping"
	"golang.org/x/sync/semaphore"
)

// New makes a runtime that is not yet seen in SQL.
func New(host Host, o Options) *Runtime {
	if o.MaxMemory <= 0 {
		o.MaxMemory = 128 << 20
	}
	if o.MaxChunk <= 0 {
		o.MaxChunk = 2 << 30
	}
	if o.MaxObject <= 0 {
		o.MaxObject = 100_000_000
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 32
	}
	r := &Runtime{o: o, host: host, slots: make(chan struct{}, o.Concurrency), held: semaphore.NewWeighted(o.MaxMemory / 2)}
	r.cache.now = time.Now
	return r
}

// Register makes all SQL functions of this package known, on a connection that is not inside a transaction.
func (r *Runtime) Register(conn mapping.Connection) error {
	if err := r.registerScan(conn); err != nil {
		return err
	}
	for _, s := range slices.Concat(r.byteFunctions(), r.refFunctions(), r.imageFunctions(), distanceFunctions()) {
		s.host = r.host
		if err := s.register(conn); err != nil {
			return err
		}
	}
	return nil
}
