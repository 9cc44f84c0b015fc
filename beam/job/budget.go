package job

import (
	"fmt"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/dispatch"
)

// share gives each of n workers its part of what remote models may be asked, so that all of them together keep the limits. What is a
// bound of one statement to a database is a bound of the job here, since a job is one statement.
func share(c *mallard.Config, n int) (*mallard.Config, error) {
	of := *c
	of.Connections = make(map[string]mallard.ConnectionConfig, len(c.Connections))
	var failed error
	part := func(what string, limit int64) int64 {
		if limit > 0 && limit < int64(n) && failed == nil {
			failed = fmt.Errorf("%s = %d cannot be shared by -workers %d: each would have none; raise it, or take fewer workers", what, limit, n)
		}
		return limit / int64(n)
	}
	b := &of.Budget
	b.SessionRequests = part("[budget] requests", lesser(b.StatementRequests, b.SessionRequests))
	b.SessionTokens = part("[budget] tokens", lesser(b.StatementTokens, b.SessionTokens))
	b.SessionMoney = lesser(b.StatementMoney, b.SessionMoney) / float64(n)
	b.StatementRequests, b.StatementTokens, b.StatementMoney = 0, 0, 0
	for name, conn := range c.Connections {
		where := "connections." + name + ": "
		slots := conn.Concurrency
		if slots == 0 {
			slots = dispatch.DefaultConcurrency
		}
		conn.Concurrency = max(1, slots/n)
		if slots < n {
			part(where+"concurrency", int64(slots))
		}
		conn.RequestsPerMinute = part(where+"requests_per_minute", conn.RequestsPerMinute)
		conn.TokensPerMinute = part(where+"tokens_per_minute", conn.TokensPerMinute)
		conn.Budget.Requests = part(where+"budget.requests", conn.Budget.Requests)
		conn.Budget.Tokens = part(where+"budget.tokens", conn.Budget.Tokens)
		conn.Budget.Money /= float64(n)
		of.Connections[name] = conn
	}
	return &of, failed
}

// lesser is the lesser of two bounds, of which 0 is none.
func lesser[T int64 | float64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
