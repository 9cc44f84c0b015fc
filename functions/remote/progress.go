package remote

import (
	"maps"
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
	// CacheError is why the statement goes on without the cache; nil while it works.
	CacheError error
}

// Left is how long the rest takes at the present rate. ok is false where the total or the rate is unknown.
func (p Progress) Left() (left time.Duration, ok bool) {
	if !p.Total || p.Rate <= 0 {
		return 0, false
	}
	seconds := float64(max(p.Submitted-p.Done, 0)) / p.Rate
	return time.Duration(min(seconds, 1e8) * float64(time.Second)), true
}

// mark is how many rows were done at a time.
type mark struct {
	at   time.Time
	rows int64
}

// marks are for the rate: one a second, of the last ten.
const marksKept = 10

// tick notes rows that are done; mu is held.
func (s *Statement) tick(now time.Time) {
	if n := len(s.marks); n > 0 && now.Sub(s.marks[n-1].at) < time.Second {
		return
	}
	s.marks = append(s.marks, mark{now, s.progress.Done})
	if len(s.marks) > marksKept {
		s.marks = append(s.marks[:0], s.marks[1:]...)
	}
}

// rate is rows done per second; mu is held.
func (s *Statement) rate(now time.Time) float64 {
	if len(s.marks) == 0 {
		return 0
	}
	d := now.Sub(s.marks[0].at).Seconds()
	if d <= 0 {
		return 0
	}
	return float64(s.progress.Done-s.marks[0].rows) / d
}

// Progress is safe to call at any time, also after End.
func (s *Statement) Progress() Progress {
	t := s.Meter.Total()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.progress
	p.Failed, p.Why = maps.Clone(s.progress.Failed), maps.Clone(s.progress.Why)
	now := time.Now()
	if s.ended && len(s.marks) > 0 {
		now = s.over
	}
	p.Rate, p.Total = s.rate(now), s.read && !s.asks
	p.Cached, p.Repeated, p.Requests, p.Retries = t.Cached, t.Repeated, t.Requests, t.Retries
	p.Tokens, p.Money = t.InputTokens+t.OutputTokens, t.Money
	return p
}
