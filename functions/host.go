package functions

import (
	"context"
	"sync/atomic"
)

// Types selects how a model's outputs look in SQL.
type Types int

const (
	// Native keeps TensorFlow's types: FLOAT for float32, T[N] for [None, N], nested arrays for higher ranks.
	Native Types = iota
	// BigQuery widens to BIGINT, DOUBLE, BOOLEAN and VARCHAR, and flattens every row into one list.
	BigQuery
)

// Query is what a running statement lends to the callbacks that serve it.
type Query struct {
	// Context ends when the statement is cancelled.
	Context context.Context
	// Rows counts the rows that are done: inferred, NULL, or answered by an equal row. May be nil.
	Rows *atomic.Int64
	// Fail notes the typed error, since only its text crosses DuckDB. May be nil.
	Fail func(error)
}

func (q *Query) done(rows int) {
	if q.Rows != nil {
		q.Rows.Add(int64(rows))
	}
}

func (q *Query) fail(err error) {
	if q.Fail != nil {
		q.Fail(err)
	}
}

// Host is what the callbacks need of the database they run in. It is safe for concurrent use.
type Host interface {
	// Model returns the model of that version and keeps it usable until Release.
	Model(version int64) (*Model, error)
	// Release gives back what Model lent.
	Release(version int64)
	// Query returns what serves the statement that runs on the connection of that id. It never returns nil.
	Query(conn uint64) *Query
}
