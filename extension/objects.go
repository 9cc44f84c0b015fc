package extension

import (
	"context"

	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/planner"
	"github.com/mallardml/mallard/internal/serving"
	"github.com/mallardml/mallard/objecttable"
)

// objects is what object tables need of the database they are in.
type objects struct {
	*serving.Stores
	strict  bool
	state   func(conn uint64) *queryState
	runtime *objecttable.Runtime
}

var (
	_ objecttable.Host = (*objects)(nil)
	_ planner.Objects  = (*objects)(nil)
)

func newObjects(c config.ObjectsConfig, stores *serving.Stores, state func(conn uint64) *queryState) *objects {
	o := &objects{Stores: stores, strict: c.Strict, state: state}
	o.runtime = objecttable.New(o, objecttable.Options{MaxMemory: c.MaxMemory, MaxObject: c.MaxObject, Concurrency: c.Concurrency})
	return o
}

// Query implements [objecttable.Host].
func (o *objects) Query(conn uint64) *objecttable.Query {
	q := o.state(conn)
	return &objecttable.Query{
		Context: q.Context, Fail: q.Fail, Strict: o.strict,
		Note: q.unread.note, Skip: q.unread.skip, BindsBytes: q.bindsBytes,
	}
}

// Missing implements [planner.Objects].
func (o *objects) Missing(ctx context.Context, t *objecttable.Table) error { return t.Missing(ctx, o) }

// Forget implements [planner.Objects].
func (o *objects) Forget(key string) { o.runtime.Forget(key) }

// Refresh implements [planner.Objects].
func (o *objects) Refresh(ctx context.Context, s objecttable.Spec) error {
	return o.runtime.Refresh(ctx, s)
}
