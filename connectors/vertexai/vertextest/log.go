package vertextest

import (
	"net/http"
	"time"
)

// Request is one entry of the request log.
type Request struct {
	Seq    int64 // from 1, in order of arrival
	Time   time.Time
	GRPC   bool
	Method string // predict, generateContent, streamGenerateContent, rawPredict, embedContent, countTokens, chatCompletions
	Path   string // the URL's path; for gRPC that of the same call over REST
	Header http.Header

	Version, Project, Location string
	Publisher, Model           string // of publisher models
	EndpointID                 string // of custom endpoints
	Resource                   string // projects/…

	Body   any // decoded JSON; numbers are json.Number
	Status int // of the answer; 0 while it runs, and when the connection was broken on purpose
	Rows   int // instances, or 1
	Tokens int // input tokens as counted by CountTokens
}

func (s *Server) note(r *Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.log) < s.o.LogSize {
		s.log = append(s.log, r)
	}
}

// Requests returns the log so far, in order of arrival. The entries are copies; bodies are shared and must not be changed.
func (s *Server) Requests() []Request {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Request, len(s.log))
	for i, r := range s.log {
		out[i] = *r
	}
	return out
}

// Count is the number of requests so far, also of those the log has no room for.
func (s *Server) Count() int64 { return s.seq.Load() }

// Peak is the greatest number of requests that ran at once.
func (s *Server) Peak() int64 { return s.peak.Load() }

// Reset empties the log and the counters, and starts the schedules of faults and quotas anew.
func (s *Server) Reset() {
	s.mu.Lock()
	s.log = nil
	for _, f := range s.faults {
		f.reset()
	}
	s.mu.Unlock()
	s.seq.Store(0)
	s.peak.Store(s.inFlight.Load())
	s.quota.reset()
}
