package remote

import (
	"context"

	"github.com/mallardml/mallard/internal/dispatch"
)

// What runs the calls is in package dispatch, which knows no SQL. These are its types that users of this package see.
type (
	// Statement is a statement of the user's while it runs: what its calls share. It is safe for concurrent use.
	Statement = dispatch.Statement
	// StatementOptions set up a statement. All may be zero.
	StatementOptions = dispatch.StatementOptions
	// Connection is what all statements that send over one named connection share: the bound on requests in flight, the
	// pacing and the budget. It is safe for concurrent use and must not be copied.
	Connection = dispatch.Connection
	// ConnectionOptions set up a connection. Zero fields take their defaults.
	ConnectionOptions = dispatch.ConnectionOptions
	// Retry says how long a request that may yet succeed is tried again.
	Retry = dispatch.Retry
	// Limits bound one request. A zero field takes the value of the table in limit.go.
	Limits = dispatch.Limits
	// Price is what a model costs, in the currency of the user's table.
	Price = dispatch.Price
	// Prices gives prices by the model's name at its provider. The longest entry that the name begins with holds.
	Prices = dispatch.Prices
	// Budget bounds what may be spent. A zero field is no bound.
	Budget = dispatch.Budget
	// Meter counts usage by model and holds it to a budget. The zero value counts without a bound. It is safe for concurrent
	// use and must not be copied.
	Meter = dispatch.Meter
	// Usage is what was asked of one model, and what it cost.
	Usage = dispatch.Usage
	// Progress tells how far the remote calls of a statement are.
	Progress = dispatch.Progress
	// Estimate is what one call of an estimating statement would ask.
	Estimate = dispatch.Estimate
	// Cache keeps answers over statements. It is safe for concurrent use.
	Cache = dispatch.Cache
	// Key identifies what was asked.
	Key = dispatch.Key
	// Answer is what a model said to one row: the response, or the row's part of it.
	Answer = dispatch.Answer
	// Entry is an answer to keep.
	Entry = dispatch.Entry
)

// ErrReadOnly is what a [Cache] that can be looked at but not written returns from Put.
var ErrReadOnly = dispatch.ErrReadOnly

// NewStatement starts a statement that ctx cancels. Calls in flight end with it at once. The caller ends it.
func NewStatement(ctx context.Context, o StatementOptions) *Statement {
	return dispatch.NewStatement(ctx, o)
}

// NewConnection gives a connection; it needs no closing.
func NewConnection(o ConnectionOptions) *Connection { return dispatch.NewConnection(o) }
