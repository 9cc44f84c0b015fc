package dispatch

import (
	"cmp"
	"slices"
	"sync"
)

// Usage is what was asked of one model, and what it cost.
type Usage struct {
	Model        string // in SQL
	Endpoint     string
	Connection   string
	Rows         int64 // that got an answer or a status
	Failed       int64 // of these, with a status that is no success
	Cached       int64 // of these, answered by the cache
	Repeated     int64 // of these, answered by an equal row
	Requests     int64 // sent, retries included
	Retries      int64 // requests sent again
	Throttled    int64 // answers 429
	InputTokens  int64
	OutputTokens int64
	Money        float64
	Priced       bool // the model's price is known: without, Money says nothing
}

func (u *Usage) add(d Usage) {
	u.Rows += d.Rows
	u.Failed += d.Failed
	u.Cached += d.Cached
	u.Repeated += d.Repeated
	u.Requests += d.Requests
	u.Retries += d.Retries
	u.Throttled += d.Throttled
	u.InputTokens += d.InputTokens
	u.OutputTokens += d.OutputTokens
	u.Money += d.Money
	u.Priced = u.Priced || d.Priced
}

// Budget bounds what may be spent. A zero field is no bound.
type Budget struct {
	Requests int64
	Tokens   int64 // input and output
	Money    float64
}

// Meter counts usage by model and holds it to a budget. A session has one for its statements, a connection one for all
// that is sent over it. The zero value counts without a bound. It is safe for concurrent use and must not be copied.
type Meter struct {
	// Name says whose budget it is, in the status of the rows that it stopped: "statement", "session", "connection x".
	Name   string
	Budget Budget

	mu       sync.Mutex
	models   map[[2]string]*Usage
	total    Usage
	reserved Budget        // in flight
	settled  chan struct{} // closed when a reservation ends; nil while nobody waits
}

// Usage lists what was counted, by model and endpoint.
func (m *Meter) Usage() []Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Usage, 0, len(m.models))
	for _, u := range m.models {
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b Usage) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	return all
}

// Total sums up all models.
func (m *Meter) Total() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

func (m *Meter) add(d Usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count(d)
}

func (m *Meter) count(d Usage) {
	key := [2]string{d.Model, d.Endpoint}
	u := m.models[key]
	if u == nil {
		if m.models == nil {
			m.models = map[[2]string]*Usage{}
		}
		u = &Usage{Model: d.Model, Endpoint: d.Endpoint, Connection: d.Connection}
		m.models[key] = u
	}
	u.add(d)
	m.total.add(d)
}

// Reserved is what requests in flight may cost.
func (m *Meter) Reserved() Budget {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reserved
}

// reserve takes from all budgets what a request may cost, before it is sent, or from none: what is in flight counts, so that
// a budget is not overrun by the width of the concurrency. It gives the meter that is exhausted, and of what, or nil. While
// others are in flight, which may cost less than they reserved, it gives a channel to wait on. first is a request whose cost
// is anybody's guess: it passes when nothing is in flight and there is something left. The meters must come in the order of
// Statement.meters, in which they are locked.
func reserve(meters []*Meter, r Budget, first bool) (short *Meter, what string, wait <-chan struct{}) {
	for _, m := range meters {
		m.mu.Lock()
		defer m.mu.Unlock()
	}
	for _, m := range meters {
		if what, wait = m.lacks(r, first); what != "" {
			return m, what, wait
		}
	}
	for _, m := range meters {
		m.reserved.Requests += r.Requests
		m.reserved.Tokens += r.Tokens
		m.reserved.Money += r.Money
	}
	return nil, "", nil
}

// lacks names what a request would overrun, or ""; mu is held.
func (m *Meter) lacks(r Budget, first bool) (what string, wait <-chan struct{}) {
	t, v, b := m.total, m.reserved, m.Budget
	tokens := t.InputTokens + t.OutputTokens
	first = first && v.Requests == 0
	switch {
	case b.Requests > 0 && t.Requests+v.Requests+r.Requests > b.Requests:
		what = "requests"
	case b.Tokens > 0 && tokens+v.Tokens+r.Tokens > b.Tokens && !(first && tokens < b.Tokens):
		what = "tokens"
	case b.Money > 0 && t.Money+v.Money+r.Money > b.Money && !(first && t.Money < b.Money):
		what = "money"
	}
	if what == "" || v.Requests == 0 || what == "requests" {
		return what, nil
	}
	if m.settled == nil {
		m.settled = make(chan struct{})
	}
	return what, m.settled
}

// settle replaces a reservation by what was really used.
func (m *Meter) settle(r Budget, used Usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reserved.Requests -= r.Requests
	m.reserved.Tokens -= r.Tokens
	m.reserved.Money -= r.Money
	m.count(used)
	if m.settled != nil {
		close(m.settled)
		m.settled = nil
	}
}
