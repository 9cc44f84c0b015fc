package remote

import (
	"cmp"
	"slices"
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

// Estimates tells what a statement with [StatementOptions.Estimate] would have asked.
func (s *Statement) Estimates() []Estimate {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.estimates)
	slices.SortFunc(out, func(a, b Estimate) int { return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Func, b.Func)) })
	return out
}

// guess takes the place of sending in an estimating statement. look are the items that nobody wanted before.
func (g *group) guess(look []*item) {
	g.readLocal(look)
	found := g.lookup(look)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settleFound(look, found)
	if g.guessed == nil {
		s := g.spec
		g.guessed = &Estimate{Func: s.Func, Model: s.Model, Endpoint: s.Endpoint, Connection: s.Connection.o.Name}
	}
	e, l := g.guessed, g.spec.limits
	v := g.failure("Not sent: this is an estimate.", "ESTIMATE")
	for _, it := range look {
		e.Distinct++
		if it.state == known {
			e.Cached++
			continue
		}
		if r := &g.packed; r.n == 0 || r.n >= l.Rows || l.Tokens >= 0 && r.tokens+it.tokens > l.Tokens || l.Bytes >= 0 && r.bytes+len(it.payload) > l.Bytes {
			*r = request{}
			e.Requests++
		}
		g.packed.n++
		g.packed.tokens += it.tokens
		g.packed.bytes += len(it.payload)
		e.InputTokens += int64(it.tokens)
		if n := g.spec.Options.MaxOutputTokens; n != nil {
			e.OutputTokens += *n
		}
		g.settle(it, v)
	}
}

// readLocal gives rows with local files their keys, so that an estimate knows which answers there are. Objects elsewhere are
// not looked at for an estimate: rows that do not say their type and version count as not asked before.
func (g *group) readLocal(look []*item) {
	if !g.spec.caches() {
		return
	}
	for _, it := range look {
		g.mu.Lock()
		unread := it.unread()
		g.mu.Unlock()
		if !unread || g.st.ctx.Err() != nil {
			continue
		}
		r, err := readDeferred(it.payload)
		if err != nil || !r.local() {
			continue
		}
		body, status := g.spec.codec.finish(g.st.ctx, r)
		if key, ok := g.spec.keyOf(body, r); ok && status == "" {
			g.mu.Lock()
			it.body, it.key = "read", key
			g.mu.Unlock()
		}
	}
}

// request is the size of a request that is being filled.
type request struct{ n, tokens, bytes int }

// sum adds the estimate of a group to the statement's; mu of the group is held.
func (g *group) sum(rows int) {
	if g.guessed == nil {
		return
	}
	e := g.guessed
	e.Rows += int64(rows)
	e.Priced = g.spec.priced
	e.Money = g.spec.price.of(e.Requests, e.InputTokens, e.OutputTokens)
	o := &g.spec.Connection.o
	e.Time = time.Duration((e.Requests+int64(o.Concurrency)-1)/int64(o.Concurrency)) * time.Second
	if o.RequestsPerMinute > 0 {
		e.Time = max(e.Time, time.Duration(float64(e.Requests)/float64(o.RequestsPerMinute)*float64(time.Minute)))
	}
	if o.TokensPerMinute > 0 {
		e.Time = max(e.Time, time.Duration(float64(e.InputTokens+e.OutputTokens)/float64(o.TokensPerMinute)*float64(time.Minute)))
	}
	g.st.mu.Lock()
	defer g.st.mu.Unlock()
	if g.place == 0 {
		g.st.estimates = append(g.st.estimates, Estimate{})
		g.place = len(g.st.estimates)
	}
	g.st.estimates[g.place-1] = *e
}
