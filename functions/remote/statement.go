package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
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

	ctx    context.Context
	cancel context.CancelCauseFunc
	o      StatementOptions
	work   sync.WaitGroup // goroutines

	mu        sync.Mutex
	ended     bool
	groups    map[any]*group // by the bound function that submits
	byID      map[uint32]*group
	progress  Progress
	marks     []mark
	read      bool      // a row is awaited, so that the inputs have been read
	asks      bool      // there is a scalar function
	over      time.Time // when it ended
	estimates []Estimate
}

// lastGroup numbers groups over the whole process.
var lastGroup atomic.Uint32

// errEnded is what late calls get.
var errEnded = errors.New("the statement has ended")

// NewStatement starts a statement that ctx cancels. Calls in flight end with it at once. The caller ends it.
func NewStatement(ctx context.Context, o StatementOptions) *Statement {
	s := &Statement{o: o, Meter: Meter{Name: "statement", Budget: o.Budget}, groups: map[any]*group{}, byID: map[uint32]*group{}}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	return s
}

// endGrace is how long End waits for a Service that does not heed its context, and for a slow cache.
const endGrace = 900 * time.Millisecond

// End stops what is still under way and waits for it, but not for long. Answers that have arrived are in the cache when the
// channel is closed, which with a cache that is quick it is. It must be called when the statement's rows have been read or
// will not be; it may be called more than once.
func (s *Statement) End() <-chan struct{} {
	s.mu.Lock()
	if !s.ended {
		s.ended, s.over = true, time.Now()
	}
	s.groups, s.byID = nil, nil
	s.mu.Unlock()
	s.cancel(nil)
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	t := time.NewTimer(endGrace)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
	return done
}

// start runs f on a goroutine unless the statement has ended.
func (s *Statement) start(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		f()
	}()
	return true
}

// group gives the group of a bound function, made at its first row.
func (s *Statement) group(owner any, spec *Spec) (*group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, errEnded
	}
	g := s.groups[owner]
	if g == nil {
		if err := s.countable(spec); err != nil {
			return nil, err
		}
		g = newGroup(s, spec, lastGroup.Add(1))
		s.groups[owner], s.byID[g.id] = g, g
	}
	return g, nil
}

// countable refuses a model without a price where money is bounded: the bound would never be met.
func (s *Statement) countable(spec *Spec) error {
	if spec.priced || s.o.Estimate {
		return nil
	}
	for _, m := range s.meters(spec.Connection) {
		if m.Budget.Money > 0 {
			name, model := spec.Connection.o.Name, spec.modelName()
			return fmt.Errorf("model %s: the budget of this %s bounds money, and connection `%s` has no price for `%s`, so that the bound would never be met; "+
				"add it to `prices` of [connections.%s], as { %q = { input_per_million = …, output_per_million = … } }, or = {} if it is free", spec.Model, m.Name, name, model, name, model)
		}
	}
	return nil
}

// find gives the group of a key.
func (s *Statement) find(id uint32) *group {
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
		s.cancel(err)
	}
}

// guard is deferred by what DuckDB calls: an error there fails the statement.
func (s *Statement) guard(err *error) {
	if *err != nil {
		s.fail(*err)
	}
}

// done counts rows that have their outcome.
func (s *Statement) done(rows int64, v *verdict) {
	if rows == 0 {
		return
	}
	if s.o.Rows != nil {
		s.o.Rows.Add(rows)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick(time.Now())
	s.progress.Done += rows
	if v.cause == "" {
		return
	}
	if s.progress.Failed == nil {
		s.progress.Failed, s.progress.Why = map[string]int64{}, map[string]string{}
	}
	s.progress.Failed[v.cause] += rows
	if s.progress.Why[v.cause] == "" {
		s.progress.Why[v.cause] = v.status
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

// awaited notes that a row's answer is wanted.
func (s *Statement) awaited() {
	s.mu.Lock()
	s.read = true
	s.mu.Unlock()
}

// asking notes that a group is a scalar function's.
func (s *Statement) asking(g *group) {
	s.mu.Lock()
	s.asks = true
	s.mu.Unlock()
	g.mu.Lock()
	g.remember = true
	g.mu.Unlock()
}
