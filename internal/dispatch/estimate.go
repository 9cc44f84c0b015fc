package dispatch

import (
	"context"
	"time"
)

// Estimate is what one call of an estimating statement would ask.
type Estimate struct {
	Func, Model, Endpoint, Connection string
	Rows                              int64 // wanted
	Distinct                          int64
	Cached                            int64 // of the distinct ones
	Requests                          int64
	InputTokens                       int64 // by the length of the texts
	OutputTokens                      int64 // at most, where the call bounds it; otherwise 0
	Money                             float64
	Priced                            bool          // the model's price is known: without, Money says nothing
	Time                              time.Duration // at a second per request, within the connection's bounds
}

// estimator counts what a call would ask; Group.mu guards it, but for read.
type estimator struct {
	call   *Call
	e      Estimate
	packed struct{ rows, tokens, bytes int } // the request that is being filled
}

// read gives rows with local files their keys, so that an estimate knows which answers there are. Objects elsewhere are
// not looked at for an estimate: rows that do not say their type and version count as not asked before.
func (e *estimator) read(ctx context.Context, items []*item) {
	if e.call.Cache == nil {
		return
	}
	for _, it := range items {
		if !it.unread() || ctx.Err() != nil {
			continue
		}
		o, err := e.call.Codec.Objects(it.payload)
		if err != nil || !o.Local() {
			continue
		}
		if r, status := o.Request(ctx); status == "" && r.Unversioned == "" {
			it.request = &r
			it.key(e.call)
			r.Body = "" // it may be large
		}
	}
}

// cached counts a distinct row that the cache has.
func (e *estimator) cached() {
	e.e.Distinct++
	e.e.Cached++
}

// ask counts a distinct row that would be asked.
func (e *estimator) ask(it *item) {
	e.e.Distinct++
	l, p := e.call.Limits, &e.packed
	if p.rows == 0 || p.rows >= l.Rows || l.Tokens >= 0 && p.tokens+it.tokens > l.Tokens || l.Bytes >= 0 && p.bytes+len(it.payload) > l.Bytes {
		p.rows, p.tokens, p.bytes = 0, 0, 0
		e.e.Requests++
	}
	p.rows++
	p.tokens += it.tokens
	p.bytes += len(it.payload)
	e.e.InputTokens += int64(it.tokens)
	e.e.OutputTokens += e.call.MaxTokens
}

// sum counts rows and brings the estimate up to date.
func (e *estimator) sum(rows int) {
	c, s := e.call, &e.e
	o := &c.Connection.o
	s.Func, s.Model, s.Endpoint, s.Connection, s.Priced = c.Func, c.Model, c.Endpoint, o.Name, c.Priced
	s.Rows += int64(rows)
	s.Money = c.Price.Of(s.Requests, s.InputTokens, s.OutputTokens)
	s.Time = time.Duration((s.Requests+int64(o.Concurrency)-1)/int64(o.Concurrency)) * time.Second
	if o.RequestsPerMinute > 0 {
		s.Time = max(s.Time, time.Duration(float64(s.Requests)/float64(o.RequestsPerMinute)*float64(time.Minute)))
	}
	if o.TokensPerMinute > 0 {
		s.Time = max(s.Time, time.Duration(float64(s.InputTokens+s.OutputTokens)/float64(o.TokensPerMinute)*float64(time.Minute)))
	}
}
