package extension

import (
	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/dispatch"
)

var (
	_ functions.Host = (*instance)(nil)
	_ remote.Host    = (*instance)(nil)
)

// Model implements [functions.Host].
func (in *instance) Model(version int64) (*functions.Model, error) { return in.models.Model(version) }

// Release implements [functions.Host].
func (in *instance) Release(version int64) { in.models.Release(version) }

// Spec implements [remote.Host].
func (in *instance) Spec(version int64) (*remote.Spec, error) { return in.remote.Spec(version) }

// ReleaseSpec implements [remote.Host].
func (in *instance) ReleaseSpec(version int64) { in.remote.ReleaseSpec(version) }

// Query implements [functions.Host].
func (in *instance) Query(conn uint64) *functions.Query { return &in.state(conn).Query }

// Asks implements [remote.Host].
func (in *instance) Asks(conn uint64) { in.state(conn).waits.Store(true) }

// Statement implements [remote.Host].
func (in *instance) Statement(conn uint64) *dispatch.Statement { return in.state(conn).statement() }
