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
	Cached    int64
	Kept      int64 // answers written to the cache
	Repeated  int64
	Requests  int64
	Retries   int64
	InFlight  int64
	Tokens    int64 // input and output
	Money     float64
	Started   time.Time // of the first request; zero before
	// CacheError is why the statement goes on without the cache; nil while it works.
	CacheError error
}

// Progress is safe to call at any time, also after End.
func (s *Statement) Progress() Progress {
	t := s.Meter.Total()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.progress
	p.Failed = maps.Clone(s.progress.Failed)
	p.Cached, p.Repeated, p.Requests, p.Retries = t.Cached, t.Repeated, t.Requests, t.Retries
	p.Tokens, p.Money = t.InputTokens+t.OutputTokens, t.Money
	return p
}
