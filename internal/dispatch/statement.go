package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// StatementOptions set up a statement. All may be zero.
type StatementOptions struct {
	Budget  Budget        // of this statement
	Session *Meter        // counts over statements, and holds them to its budget
	Rows    *atomic.Int64 // counts rows as they are done
	Fail    func(error)   // notes the typed error, since only its text crosses DuckDB
	// Shared is for what serves several statements, and nobody ends it: one that fails leaves the others alone.
	Shared bool
	// Estimate counts what would be asked and sends nothing: every row that the cache does not have gets a status. Filters
	// on results see NULL.
	Estimate bool
}

// Statement is a statement of the user's while it runs: what its calls share. It is safe for concurrent use.
type Statement struct {
	// Meter counts what the statement asks.
	Meter Meter

	o    StatementOptions
	life *lifetime
	prog *tracker

	mu         sync.Mutex     // held while a group is made, before any other lock
	groups     map[any]*Group // by the bound function that submits
	byID       map[uint32]*Group
	estimating []*Group
}

// lastGroup numbers groups over the whole process.
var lastGroup atomic.Uint32

// NewStatement starts a statement that ctx cancels. Calls in flight end with it at once. The caller ends it.
func NewStatement(ctx context.Context, o StatementOptions) *Statement {
	return &Statement{
		o: o, Meter: Meter{Name: "statement", Budget: o.Budget}, groups: map[any]*Group{}, byID: map[uint32]*Group{},
		life: newLifetime(ctx), prog: &tracker{out: o.Rows},
	}
}

// Context ends with the statement.
func (s *Statement) Context() context.Context { return s.life.ctx }

// End stops what is still under way and waits for it, but not for long. Answers that have arrived are in the cache when the
// channel is closed, which with a cache that is quick it is. It must be called when the statement's rows have been read or
// will not be; it may be called more than once.
func (s *Statement) End() <-chan struct{} {
	s.mu.Lock()
	s.groups, s.byID = nil, nil
	s.mu.Unlock()
	s.prog.ended()
	return s.life.end()
}

// Group gives the group of a bound function, made at its first row.
func (s *Statement) Group(owner any, c *Call) (*Group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups == nil {
		return nil, ErrEnded
	}
	g := s.groups[owner]
	if g == nil {
		if err := s.countable(c); err != nil {
			return nil, err
		}
		g = newGroup(lastGroup.Add(1), c, s.life, s.prog, s.meters(c.Connection), s.o.Estimate)
		s.groups[owner], s.byID[g.ID] = g, g
		if s.o.Estimate {
			s.estimating = append(s.estimating, g)
		}
	}
	return g, nil
}

// countable refuses a model without a price where money is bounded: the bound would never be met.
func (s *Statement) countable(c *Call) error {
	if c.Priced || s.o.Estimate {
		return nil
	}
	for _, m := range s.meters(c.Connection) {
		if m.Budget.Money > 0 {
			name, model := c.Connection.o.Name, c.Name
			return fmt.Errorf("model %s: the budget of this %s bounds money, and connection `%s` has no price for `%s`, "+
				"so that the bound would never be met; add it to `prices` of [connections.%s], as { %q = { input_per_million = …, output_per_million "+
				"= … } }, or = {} if it is free",
				c.Model, m.Name, name, model, name, model)
		}
	}
	return nil
}

// Find gives the group of a key.
func (s *Statement) Find(id uint32) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// fail notes an error that is about to end the statement, and gives up the rest of it: DuckDB would wait for what its other
// threads await, and pay for it. They fail with the same error, whichever DuckDB shows.
func (s *Statement) fail(err error) {
	if s.o.Fail != nil {
		s.o.Fail(err)
	}
	if !s.o.Shared {
		s.life.cancel(err)
	}
}

// Guard is deferred by what DuckDB calls: an error there fails the statement.
func (s *Statement) Guard(err *error) {
	if *err != nil {
		s.fail(*err)
	}
}

// meters are all that count what the statement sends over a connection.
func (s *Statement) meters(c *Connection) []*Meter {
	all := []*Meter{&s.Meter, &c.Meter}
	if s.o.Session != nil {
		all = append(all, s.o.Session)
	}
	return all
}

// Progress is safe to call at any time, also after End.
func (s *Statement) Progress() Progress { return s.prog.progress(s.Meter.Total()) }

// Estimates tells what a statement with [StatementOptions.Estimate] would have asked.
func (s *Statement) Estimates() []Estimate {
	s.mu.Lock()
	all := slices.Clone(s.estimating)
	s.mu.Unlock()
	var out []Estimate
	for _, g := range all {
		if e, ok := g.estimated(); ok {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Estimate) int { return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Func, b.Func)) })
	return out
}
