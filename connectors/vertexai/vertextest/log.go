package vertextest

import (
	"encoding/json"
	"errors"
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

// requestLog is the newest requests, within bounds of number and size. The server's mutex guards it.
type requestLog struct {
	entries []loggedRequest // from first on
	first   int
	bytes   int64
}

type loggedRequest struct {
	*Request
	bytes int64 // of its body as it came
}

// add appends a request, and lets the oldest go until rows and bytes hold again.
func (l *requestLog) add(r *Request, size, bytes int64, rows int) {
	l.entries = append(l.entries, loggedRequest{r, size})
	l.bytes += size
	for n := len(l.entries); l.first < n && (n-l.first > rows || l.bytes > bytes); l.first++ {
		l.bytes -= l.entries[l.first].bytes
		l.entries[l.first] = loggedRequest{} // not held by the array
	}
	if l.first > len(l.entries)/2 { // each entry moves once, on the average
		l.entries, l.first = append([]loggedRequest(nil), l.entries[l.first:]...), 0
	}
}

func (s *Server) note(c *call) {
	o := s.options()
	if o.LogSize < 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.add(c.Request, int64(len(c.raw)), o.LogBytes, o.LogSize)
}

// Requests returns the log, in order of arrival: the newest requests that Options.LogSize and LogBytes have room for, and Seq says which
// they are. The entries are copies; bodies are shared and must not be changed.
func (s *Server) Requests() []Request {
	s.mu.RLock()
	defer s.mu.RUnlock()
	kept := s.log.entries[s.log.first:]
	out := make([]Request, len(kept))
	for i, r := range kept {
		out[i] = *r.Request
	}
	return out
}

// Count is the number of requests so far, also of those that the log has no room for.
func (s *Server) Count() int64 { return s.seq.Load() }

// Peak is the greatest number of requests that ran at once.
func (s *Server) Peak() int64 { return s.peak.Load() }

// Reset empties the log and the counters, and starts the schedules of faults and quotas anew.
func (s *Server) Reset() {
	s.mu.Lock()
	s.log = requestLog{}
	for _, f := range s.faults {
		f.reset()
	}
	s.mu.Unlock()
	s.seq.Store(0)
	s.peak.Store(s.inFlight.Load())
	s.quota.reset()
}

// LogLine is a line of Options.Log: one request with its answer's status, as one JSON object. It holds no credentials.
type LogLine struct {
	Seq        int64             `json:"seq"`       // from 1, in order of arrival; lines stand in the order of the answers
	Transport  string            `json:"transport"` // rest or grpc
	Method     string            `json:"method"`    // predict, generateContent, …
	Path       string            `json:"path"`
	Header     map[string]string `json:"header"`     // those that change an answer or name the caller, in lower case
	Authorized bool              `json:"authorized"` // the request carried credentials
	Request    json.RawMessage   `json:"request"`    // the body, without blanks and with sorted keys; a JSON string where it is not JSON
	Rows       int               `json:"rows"`       // instances, or 1
	Tokens     int               `json:"tokens"`     // input tokens as counted by CountTokens
	Status     int               `json:"status"`     // 0 when the connection was broken on purpose
}

// logged are the headers of a LogLine.
var logged = map[string]string{
	"X-Vertex-Ai-Llm-Request-Type": "x-vertex-ai-llm-request-type", "User-Agent": "user-agent", "X-Goog-User-Project": "x-goog-user-project",
}

// report puts a finished request into Options.Log, before its answer is sent: who has the answer finds the line.
func (s *Server) report(c *call, status int) {
	out := s.options().Log
	if out == nil {
		return
	}
	l := LogLine{Seq: c.Seq, Transport: "rest", Method: c.Method, Path: c.Path, Header: map[string]string{},
		Authorized: c.Header.Get("Authorization") != "",
		Rows:       c.Rows, Tokens: c.Tokens, Status: status}
	if c.rpc {
		l.Transport = "grpc"
	}
	for name, key := range logged {
		if v := c.Header.Get(name); v != "" {
			l.Header[key] = v
		}
	}
	if l.Request = appendJSON(nil, c.Body); c.Body == nil {
		l.Request = appendJSON(nil, string(c.raw))
	}
	b, err := json.Marshal(l)
	s.logMu.Lock()
	defer s.logMu.Unlock()
	if err == nil {
		_, err = out.Write(append(b, '\n'))
	}
	if s.logErr == nil && err != nil {
		s.logErr = errors.Join(errors.New("vertextest: the request log could not be written"), err)
	}
}
