package vertextest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"
)

// Kind is what a fault does.
type Kind string

// The kinds of faults.
const (
	Latency     Kind = "latency"      // waits Fault.Latency, then answers; adds up with other faults
	Status      Kind = "status"       // an error with Fault.Status
	Drop        Kind = "drop"         // breaks the connection without an answer
	Midway      Kind = "midway"       // breaks the connection in the middle of the answer's body
	Truncate    Kind = "truncate"     // half of the answer's JSON, as if it were whole
	Garbage     Kind = "garbage"      // an HTML page with status 200
	Hang        Kind = "hang"         // no answer until the client gives up
	BlockPrompt Kind = "block_prompt" // promptFeedback.blockReason SAFETY and no candidate
	BlockAnswer Kind = "block_answer" // finishReason SAFETY and no content
	Miscount    Kind = "miscount"     // one prediction too few
	Surplus     Kind = "surplus"      // one prediction too many
	NaN         Kind = "nan"          // NaN for the numbers of a prediction
	WrongType   Kind = "wrong_type"   // an object of nonsense in place of a prediction
	Huge        Kind = "huge"         // an answer padded to Fault.Size bytes
)

var kinds = []string{string(Latency), string(Status), string(Drop), string(Midway), string(Truncate), string(Garbage), string(Hang),
	string(BlockPrompt),
	string(BlockAnswer), string(Miscount), string(Surplus), string(NaN), string(WrongType), string(Huge)}

// Fault befalls the requests that match all its conditions. Of several, the first that matches does (besides latencies).
type Fault struct {
	Kind Kind

	Method   string // predict, generateContent, …; empty: all
	Model    string // part of the resource name; empty: all
	Contains string // text in the request; of NaN and WrongType only the rows that hold it are hit, else the first

	Every int     // every Nth of those; 0 or 1: each
	After int     // not the first After of those
	Times int     // at most so many; 0: no bound
	Share float64 // that share of those, drawn from Options.Seed; 0: all

	Status        int           // of Status; default 503
	Message       string        // of Status; default the service's usual text
	RetryAfter    time.Duration // of Status: sent in Retry-After, whole seconds rounded up
	RetryAsDate   bool          // Retry-After as an HTTP date
	RetryAsDetail bool          // as google.rpc.RetryInfo in the body instead (gRPC always does so)
	Latency       time.Duration // of Latency
	Size          int           // of Huge; default 64 MiB
}

type fault struct {
	Fault
	seen, hit atomic.Int64
	random    func(n int64) float64
	needle    []byte
}

func (f *fault) reset() {
	f.seen.Store(0)
	f.hit.Store(0)
}

// SetFaults replaces the faults; none takes them away.
func (s *Server) SetFaults(faults ...Fault) error {
	list := make([]*fault, len(faults))
	for i, f := range faults {
		if !contains(kinds, string(f.Kind)) {
			return fmt.Errorf("vertextest: unknown kind of fault %q", f.Kind)
		}
		if f.Status == 0 {
			f.Status = 503
		}
		if f.Size == 0 {
			f.Size = 64 << 20
		}
		seed := s.options().Seed + uint64(i)*0x9e3779b97f4a7c15
		list[i] = &fault{Fault: f, random: func(n int64) float64 { return rand.New(rand.NewPCG(seed, uint64(n))).Float64() }}
		if f.Contains != "" {
			q, err := json.Marshal(f.Contains)
			if err != nil {
				return err
			}
			list[i].needle = bytes.Trim(q, `"`)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = list
	return nil
}

// strikes counts the request if the fault is about it, and says whether it is due.
func (f *fault) strikes(c *call) bool {
	if f.Method != "" && f.Method != c.Method || !strings.Contains(c.Resource, f.Model) || f.needle != nil &&
		!bytes.Contains(c.raw, f.needle) {
		return false
	}
	n := f.seen.Add(1)
	if n <= int64(f.After) {
		return false
	}
	if f.Every > 1 && (n-int64(f.After))%int64(f.Every) != 0 {
		return false
	}
	if f.Share > 0 && f.random(n) >= f.Share {
		return false
	}
	if h := f.hit.Add(1); f.Times > 0 && h > int64(f.Times) {
		return false
	}
	return true
}

// befall waits out the latencies and gives the fault that applies, or nil.
func (s *Server) befall(ctx context.Context, c *call) (*fault, error) {
	s.mu.RLock()
	faults := s.faults
	s.mu.RUnlock()
	var due *fault
	wait := time.Duration(0)
	for _, f := range faults {
		switch {
		case f.Kind == Latency:
			if f.strikes(c) {
				wait += f.Latency
			}
		case due == nil && f.strikes(c):
			due = f
		}
	}
	if wait <= 0 {
		return due, nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return due, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.stop:
		return nil, context.Canceled
	}
}

var usual = map[int]string{
	429: "Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 " +
		"for more details.",
	500: "Internal error encountered.", 503: "The service is currently unavailable.", 504: "Deadline expired before operation could complete.",
}

// before gives the answer of faults that need no model.
func (f *fault) before(ctx context.Context, c *call) *reply {
	if f == nil {
		return nil
	}
	switch f.Kind {
	case Status:
		msg := f.Message
		if msg == "" {
			msg = usual[f.Fault.Status]
		}
		if msg == "" {
			msg = "A fault on request."
		}
		r := failf(f.Fault.Status, "%s", msg)
		r.err.wait, r.err.asDate, r.err.detail = f.RetryAfter, f.RetryAsDate, f.RetryAsDetail
		return r
	case Hang:
		c.server.report(c, 0) // now: when the server learns that the client gave up, the client may have read the log
		select {
		case <-ctx.Done():
		case <-c.server.stop:
		}
		return &reply{err: failf(499, "The operation was cancelled.").err, fault: f}
	case Drop:
		return &reply{err: failf(503, "The connection was dropped on request.").err, fault: f}
	case BlockPrompt:
		return ok(map[string]any{
			"promptFeedback": map[string]any{"blockReason": "SAFETY", "safetyRatings": []any{rating("HARM_CATEGORY_DANGEROUS_CONTENT", true)}},
			"usageMetadata":  map[string]any{"promptTokenCount": c.Tokens, "totalTokenCount": c.Tokens}, "modelVersion": c.Model,
		})
	case BlockAnswer:
		return ok(map[string]any{
			"candidates": []any{map[string]any{"finishReason": "SAFETY",
				"safetyRatings": []any{rating("HARM_CATEGORY_DANGEROUS_CONTENT", true)}}},
			"usageMetadata": map[string]any{"promptTokenCount": c.Tokens, "totalTokenCount": c.Tokens}, "modelVersion": c.Model,
		})
	}
	return nil
}

func rating(category string, blocked bool) map[string]any {
	r := map[string]any{"category": category, "probability": "NEGLIGIBLE", "probabilityScore": 0.1, "severity": "HARM_SEVERITY_NEGLIGIBLE",
		"severityScore": 0.1}
	if blocked {
		r["probability"], r["severity"], r["blocked"] = "HIGH", "HARM_SEVERITY_HIGH", true
	}
	return r
}

// after spoils a good answer.
func (f *fault) after(c *call, r *reply) {
	if f == nil || r.err != nil {
		return
	}
	switch f.Kind {
	case Midway, Truncate, Garbage:
		r.fault = f
		return
	case Huge:
		if r.body != nil {
			r.body["padding"] = strings.Repeat("x", f.Size)
		}
		return
	}
	list, isList := r.body["predictions"].([]any)
	if !isList || len(list) == 0 {
		return
	}
	switch f.Kind {
	case Miscount:
		r.body["predictions"] = list[:len(list)-1]
	case Surplus:
		r.body["predictions"] = append(list, list[0])
	case NaN, WrongType:
		instances, _ := c.object()["instances"].([]any)
		for i := range list {
			if f.Contains == "" && i > 0 {
				break
			}
			if f.Contains != "" && (i >= len(instances) || !bytes.Contains(appendJSON(nil, instances[i]), f.needle)) {
				continue
			}
			if f.Kind == NaN {
				list[i] = spoil(list[i])
			} else {
				list[i] = map[string]any{"unexpected": []any{"nonsense", true}}
			}
		}
	}
}

// silent reports faults after which the client has no HTTP answer.
func (f *fault) silent() bool { return f.Kind == Drop || f.Kind == Hang || f.Kind == Midway }

// spoil gives the same shape with NaN in place of every number.
func spoil(v any) any {
	switch v := v.(type) {
	case []float64:
		return nans(len(v))
	case []float32:
		return nans(len(v))
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = spoil(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			if out[k] = e; k != "statistics" {
				out[k] = spoil(e)
			}
		}
		return out
	case float64, float32, int, int64, json.Number:
		return math.NaN()
	}
	return v
}

func nans(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	return out
}
