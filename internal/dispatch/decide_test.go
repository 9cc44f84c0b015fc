package dispatch

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestDecide: the table of what becomes of a failed request.
func TestDecide(t *testing.T) {
	status := func(attempts int) string { return fmt.Sprintf("status %d", attempts) }
	r := Retry{Attempts: 3, Base: time.Second, Cap: 32 * time.Second, Deadline: time.Minute}
	busy := Fault{Reason: "UNAVAILABLE", Retryable: true, Status: status}
	quota := Fault{Reason: "RESOURCE EXHAUSTED", Retryable: true, Throttled: true, Status: status}
	later := Fault{Reason: "RESOURCE EXHAUSTED", Retryable: true, Throttled: true, RetryAfter: 10 * time.Second, Status: status}
	daily := Fault{Reason: "RESOURCE EXHAUSTED", Detail: "daily", Retryable: true, RetryAfter: time.Hour, Status: status}
	bad := Fault{Reason: "INVALID ARGUMENT", Detail: "no", Split: true, Status: status}
	denied := Fault{Reason: "PERMISSION DENIED", Fatal: errors.New("no role"), Status: status}
	expired := Fault{Reason: "UNAUTHENTICATED", Fatal: errors.New("expired"), Status: status}
	tests := []struct {
		name  string
		fault Fault
		rows  int
		tries int
		ok    bool // something was answered before
		dice  float64
		want  decision
	}{
		{"tried again, below the base", busy, 8, 1, true, 0.5, decision{action: retry, at: noon.Add(500 * time.Millisecond)}},
		{"below its double", busy, 8, 2, true, 1, decision{action: retry, at: noon.Add(2 * time.Second)}},
		{"often enough", busy, 8, 3, true, 1, decision{action: refuse, status: "status 3"}},
		{"a quota, while others get through", quota, 8, 2, true, 1, decision{action: retry, at: noon.Add(time.Second)}},
		{"a quota, while nobody does", quota, 8, 2, false, 1, decision{action: retry, at: noon.Add(2 * time.Second)}},
		{"no sooner than it says", later, 8, 1, true, 1, decision{action: retry, at: noon.Add(10*time.Second + 250*time.Millisecond)}},
		{"too late", daily, 8, 1, true, 0, decision{action: refuse, status: "status 1 (come back in 1h0m0s)"}},
		{"halved", bad, 8, 1, true, 0, decision{action: halve}},
		{"alone", bad, 1, 1, true, 0, decision{action: refuse, status: "status 1"}},
		{"alone, while nothing succeeded", bad, 1, 1, false, 0,
			decision{action: refuse, status: "status 1", words: "INVALID ARGUMENT: no", limit: 64}},
		{"down, while nothing succeeded", busy, 1, 3, false, 0, decision{action: refuse, status: "status 3", words: "UNAVAILABLE: ", limit: 16}},
		{"no row can pass", denied, 8, 1, false, 0, decision{action: abort, status: "status 1"}},
		{"some did", denied, 8, 1, true, 0, decision{action: refuse, status: "status 1"}},
		{"a token that ran out", expired, 8, 1, true, 0, decision{action: stop, status: "status 1"}},
		{"a token that never was", expired, 8, 1, false, 0, decision{action: abort, status: "status 1"}},
	}
	for _, tt := range tests {
		got := decide(tt.fault, trial{rows: tt.rows, attempts: tt.tries, first: noon, answered: tt.ok, retry: r}, noon, tt.dice)
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	// The deadline counts from the first attempt.
	if got := decide(busy, trial{rows: 1, attempts: 2, first: noon.Add(-time.Minute), answered: true, retry: r},
		noon, 0.5); got.action != refuse {
		t.Errorf("after the deadline: %+v", got)
	}
}
