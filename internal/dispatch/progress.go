package dispatch

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Progress tells how far the remote calls of a statement are.
type Progress struct {
	Submitted int64            // input rows seen so far: no more rows than these will be asked, unless the statement goes on
	Done      int64            // rows that were wanted and have their answer or status
	Failed    map[string]int64 // of these, by cause such as "RESOURCE EXHAUSTED"
	// Why has the status of one such row for each cause: the statement itself may show none, a scalar function's field least.
	Why      map[string]string
	Cached   int64
	Kept     int64 // answers written to the cache
	Repeated int64
	Requests int64
	Retries  int64
	InFlight int64
	Tokens   int64 // input and output
	Money    float64
	Started  time.Time // of the first request; zero before
	// Total says that Submitted is all that this statement will ask for, as far as can be told: its inputs have been read. A
	// LIMIT or a filter may want fewer. It stays false for scalar functions, whose rows come as they come.
	Total bool
	// Rate is rows done per second over the last ten seconds or so, 0 before the first.
	Rate float64
	// CacheError is why the cache is not read, or why the answers of Lost were not written; nil while it works.
	CacheError error
	Lost       int64 // answers that could not be written to the cache
	// Unversioned counts answers that were not kept because nobody tells the version of an object that the provider reads
	// itself: it may be another by the next run, and is asked again then. Object is one of them.
	Unversioned int64
	Object      string
}

// Left is how long the rest takes at the present rate. ok is false where the total or the rate is unknown.
func (p Progress) Left() (left time.Duration, ok bool) {
	if !p.Total || p.Rate <= 0 {
		return 0, false
	}
	seconds := float64(max(p.Submitted-p.Done, 0)) / p.Rate
	return time.Duration(min(seconds, 1e8) * float64(time.Second)), true
}

// tracker counts for [Progress].
type tracker struct {
	out *atomic.Int64 // counts rows as they are done; nil for nobody

	mu    sync.Mutex // innermost: no other lock is taken while it is held
	p     Progress
	marks []mark
	read  bool      // a row is awaited, so that the inputs have been read
	asks  bool      // there is a scalar function
	over  time.Time // when the statement ended
}

// mark is how many rows were done at a time.
type mark struct {
	at   time.Time
	rows int64
}

// marks are for the rate: one a second, of the last ten.
const marksKept = 10

// change changes the counts.
func (t *tracker) change(f func(p *Progress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.p)
}

func (t *tracker) submitted(rows int) { t.change(func(p *Progress) { p.Submitted += int64(rows) }) }
func (t *tracker) kept(answers int)   { t.change(func(p *Progress) { p.Kept += int64(answers) }) }
func (t *tracker) answered()          { t.change(func(p *Progress) { p.InFlight-- }) }

func (t *tracker) sent(now time.Time) {
	t.change(func(p *Progress) {
		p.InFlight++
		if p.Started.IsZero() {
			p.Started = now
		}
	})
}

func (t *tracker) cacheFailed(err error) {
	t.change(func(p *Progress) {
		if p.CacheError == nil {
			p.CacheError = err
		}
	})
}

// lost counts answers that could not be written.
func (t *tracker) lost(answers int, err error) {
	t.cacheFailed(err)
	t.change(func(p *Progress) { p.Lost += int64(answers) })
}

// unversioned counts an answer that is not kept.
func (t *tracker) unversioned(object string) {
	t.change(func(p *Progress) {
		p.Unversioned++
		p.Object = object
	})
}

// awaited notes that a row's answer is wanted.
func (t *tracker) awaited() {
	t.mu.Lock()
	t.read = true
	t.mu.Unlock()
}

// asking notes a scalar function.
func (t *tracker) asking() {
	t.mu.Lock()
	t.asks = true
	t.mu.Unlock()
}

// ended notes when the statement ended, the first time.
func (t *tracker) ended() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over.IsZero() {
		t.over = time.Now()
	}
}

// done counts rows that have their outcome.
func (t *tracker) done(rows int64, v *Verdict) {
	if rows == 0 {
		return
	}
	if t.out != nil {
		t.out.Add(rows)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tick(time.Now())
	t.p.Done += rows
	if v.cause == "" {
		return
	}
	if t.p.Failed == nil {
		t.p.Failed, t.p.Why = map[string]int64{}, map[string]string{}
	}
	t.p.Failed[v.cause] += rows
	if t.p.Why[v.cause] == "" {
		t.p.Why[v.cause] = v.Status
	}
}

// tick notes rows that are done; mu is held.
func (t *tracker) tick(now time.Time) {
	if n := len(t.marks); n > 0 && now.Sub(t.marks[n-1].at) < time.Second {
		return
	}
	t.marks = append(t.marks, mark{now, t.p.Done})
	if len(t.marks) > marksKept {
		t.marks = append(t.marks[:0], t.marks[1:]...)
	}
}

// rate is rows done per second; mu is held.
func (t *tracker) rate(now time.Time) float64 {
	if len(t.marks) == 0 {
		return 0
	}
	d := now.Sub(t.marks[0].at).Seconds()
	if d <= 0 {
		return 0
	}
	return float64(t.p.Done-t.marks[0].rows) / d
}

// progress is what was counted; total is the statement's meter.
func (t *tracker) progress(total Usage) Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.p
	p.Failed, p.Why = maps.Clone(t.p.Failed), maps.Clone(t.p.Why)
	now := time.Now()
	if !t.over.IsZero() && len(t.marks) > 0 {
		now = t.over
	}
	p.Rate, p.Total = t.rate(now), t.read && !t.asks
	p.Cached, p.Repeated, p.Requests, p.Retries = total.Cached, total.Repeated, total.Requests, total.Retries
	p.Tokens, p.Money = total.InputTokens+total.OutputTokens, total.Money
	return p
}
