package dispatch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/trace"
	"github.com/mallardml/mallard/internal/udf"
)

// sender sends the requests of one call: it waits for the pace, a slot and the budgets, asks, and counts what it cost. Which rows
// are asked, and what becomes of them, is not its affair.
type sender struct {
	call   *Call
	life   *lifetime
	prog   *tracker
	meters []*Meter
	pacer  *pacer

	one sync.Mutex // of connecting
	ask Ask        // nil before the first request; guarded by one

	mu       sync.Mutex // innermost: no other lock is taken while it is held
	answered bool       // a request succeeded
	output   float64    // mean output tokens of a request
	ratio    float64    // mean input tokens over the estimate
}

// reply is what came of a request.
type reply struct {
	answers []Answer
	fault   *Fault // the request failed
	sent    time.Time
	over    string // nothing was sent: a budget is reached
	err     error  // the query fails, or is over
}

// admit waits until a request of about n tokens may be sent, and gives what returns its place. busy is called while all places
// are taken.
func (s *sender) admit(n int, busy func()) (release func(), err error) {
	ctx, slots := s.life.ctx, s.call.Connection.slots
	if err := s.pacer.wait(ctx, n); err != nil {
		return nil, err
	}
	if !slots.TryAcquire(1) {
		busy()
		if err := slots.Acquire(ctx, 1); err != nil {
			return nil, err
		}
	}
	return onceReleased(slots), nil
}

func onceReleased(slots *semaphore.Weighted) func() {
	return sync.OnceFunc(func() { slots.Release(1) })
}

// send asks for a batch. It gives its place back with the answer: reading that takes none.
func (s *sender) send(b *batch, requests []string, release func()) (r reply) {
	ctx := s.life.ctx
	ask, err := s.connect(ctx)
	if err != nil {
		return reply{err: fmt.Errorf("model %s: %w", s.call.Model, err)}
	}
	reserved, over, err := s.reserve(ctx, b.tokens)
	if err != nil || over != "" {
		return reply{over: over, err: err}
	}
	b.attempts++
	r.sent = time.Now()
	if b.first.IsZero() {
		b.first = r.sent
	}
	s.prog.sent(r.sent)
	r.answers, err = s.request(ctx, ask, requests)
	release()
	if t := trace.From(ctx); t != nil {
		e := trace.Event{Kind: trace.RequestSent, Model: s.call.Model, Rows: len(requests), Duration: time.Since(r.sent), Err: err}
		if b.retried {
			e.Kind = trace.Retried
		}
		t.Trace(ctx, e)
	}
	s.prog.answered()
	use := s.call.usage()
	use.Requests = 1
	if b.retried {
		use.Retries = 1
	}
	if err != nil {
		f := s.call.Codec.Judge(err)
		if f.Throttled {
			use.Throttled = 1
		}
		s.charge(reserved, use)
		if errors.Is(err, udf.ErrPanic) || ctx.Err() != nil {
			r.err = err
			return r
		}
		r.fault = &f
		return r
	}
	for _, a := range r.answers {
		use.InputTokens += a.InputTokens
		use.OutputTokens += a.OutputTokens
	}
	s.charge(reserved, use)
	s.pacer.answered(r.sent, false, 0)
	if use.InputTokens > 0 {
		s.pacer.took(b.tokens, use.InputTokens+use.OutputTokens)
	}
	s.learn(b.tokens, use)
	return r
}

// connect gives what asks, made once.
func (s *sender) connect(ctx context.Context) (Ask, error) {
	s.one.Lock()
	defer s.one.Unlock()
	if s.ask != nil {
		return s.ask, nil
	}
	ask, err := s.call.Codec.Connect(ctx)
	if err == nil {
		s.ask = ask
	}
	return ask, err
}

// request asks once. A panic becomes an error: what the request reserved of budgets is given back all the same.
func (s *sender) request(ctx context.Context, ask Ask, requests []string) (answers []Answer, err error) {
	defer udf.Rescue(&err)
	ctx, cancel := context.WithTimeout(ctx, s.call.Connection.o.Timeout)
	defer cancel()
	answers, err = ask(ctx, requests)
	if err == nil && len(answers) != len(requests) {
		err = fmt.Errorf("%w: %s for %s", udf.ErrPanic, amount.Of(len(answers), "answer"), amount.Of(len(requests), "request"))
	}
	return answers, err
}

// decide says what becomes of a batch that failed, and tells the pacing. A request that is sent again at once, in halves, did not
// fail of the rate.
func (s *sender) decide(f Fault, b *batch, sent time.Time) decision {
	s.mu.Lock()
	answered := s.answered
	s.mu.Unlock()
	t := trial{rows: len(b.items), attempts: b.attempts, first: b.first, answered: answered, retry: s.call.Retry}
	d := decide(f, t, time.Now(), rand.Float64())
	if f.Fatal == nil {
		s.pacer.answered(sent, f.Throttled, f.RetryAfter)
	}
	return d
}

// reserve asks all budgets for a request. It says what is exhausted, or fails with the statement.
func (s *sender) reserve(ctx context.Context, tokens int) (Budget, string, error) {
	for {
		r, first := s.expect(tokens)
		m, what, wait := reserve(s.meters, r, first)
		if m == nil {
			return r, "", nil
		}
		if wait != nil { // those in flight may cost less than they reserved
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return r, "", ctx.Err()
			}
		}
		limit := any(m.Budget.Requests)
		switch what {
		case "tokens":
			limit = m.Budget.Tokens
		case "money":
			limit = m.Budget.Money
		}
		return r, fmt.Sprintf("Not sent: the budget of this %s is reached (%v %s). Raise it and run the query again; "+
			"finished rows come from the cache.", m.Name, limit, what), nil
	}
}

// expect is what a request will cost, by what the others took. first says that it is a guess.
func (s *sender) expect(tokens int) (r Budget, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, out := float64(tokens)*s.ratio, s.output
	if first = !s.answered; first {
		in, out = float64(tokens), float64(s.call.FirstTokens)
	}
	i, o := int64(math.Ceil(in)), int64(math.Ceil(out)) // a fraction less would let the last one through
	return Budget{Requests: 1, Tokens: i + o, Money: s.call.Price.Of(1, i, o)}, first
}

// learn takes note of what a request took.
func (s *sender) learn(estimated int, use Usage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ratio := float64(use.InputTokens) / float64(max(estimated, 1))
	if !s.answered {
		s.output, s.ratio = float64(use.OutputTokens), ratio
	}
	s.output += (float64(use.OutputTokens) - s.output) / 16
	s.ratio += (ratio - s.ratio) / 16
	s.answered = true
}

// charge replaces a reservation by what was used.
func (s *sender) charge(r Budget, use Usage) {
	use.Money = s.call.Price.Of(use.Requests, use.InputTokens, use.OutputTokens)
	for _, m := range s.meters {
		m.settle(r, use)
	}
}
