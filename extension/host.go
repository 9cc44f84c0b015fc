package extension

import (
	"context"
	"errors"

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

// caller finds the session that a text function serves, and the context of its statement.
func (in *instance) caller(id uint64) (*session, context.Context, error) {
	s, ok := in.sessions.Load(id)
	if !ok && in.hosted != nil {
		return in.hosted.session(id, in.hosted.db, in.hosted.schema), in.Query(id).Context, nil
	}
	if !ok {
		return nil, nil, errors.New("this connection was not opened by Mallard; ML functions need one of extension.NewConnector")
	}
	return s.(*session), in.Query(id).Context, nil
}
