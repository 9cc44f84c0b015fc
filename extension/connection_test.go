package extension_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

// statuses counts the rows of some prompts by their status.
func statuses(t *testing.T, db *sql.DB, rows int) [][]string {
	t.Helper()
	exec(t, db, createG)
	return table(t, db, fmt.Sprintf("SELECT ml_generate_text_status, count(*) FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'q' || i AS prompt FROM range(%d) t(i)), "+
		"STRUCT(TRUE AS flatten_json_output)) GROUP BY ALL ORDER BY ALL", rows))[1:]
}

// TestConnectionBudget: each bound of a connection stops before it is overrun, and the rows that are left say why.
func TestConnectionBudget(t *testing.T) {
	tests := []struct {
		name   string
		budget mallard.ConnectionBudget
		want   string
	}{
		{"requests", mallard.ConnectionBudget{Requests: 4}, "(4 requests)"},
		{"tokens", mallard.ConnectionBudget{Tokens: 100}, "(100 tokens)"},
		{"money", mallard.ConnectionBudget{Money: 2}, "(2 money)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, cfg := emulator(t, vertextest.Options{})
			c := cfg.Connections["default"]
			c.Budget, c.Concurrency = tt.budget, 1
			c.Prices = map[string]mallard.PriceConfig{"gemini": {PerRequest: 0.5}}
			cfg.Connections["default"] = c
			db := open(t, "", cfg)
			got := statuses(t, db, 40)
			if len(got) != 2 || got[0][0] != "" || !strings.HasPrefix(got[1][0], "Not sent: the budget of this connection default is reached") || !strings.Contains(got[1][0], tt.want) {
				t.Fatalf("statuses %v", got)
			}
			if fmt.Sprint(s.Count()) != got[0][1] || s.Count() == 0 || s.Count() >= 40 || tt.budget.Tokens == 0 && s.Count() != 4 {
				t.Errorf("%d requests for %s answers", s.Count(), got[0][1])
			}
			if n := one[int64](t, db, "SELECT input_tokens + output_tokens FROM ml_usage()"); tt.budget.Tokens > 0 && n > tt.budget.Tokens {
				t.Errorf("%d tokens were used", n)
			}
		})
	}
}

// TestConnectionRetry: attempts, delays and the time for all of them are the connection's.
func TestConnectionRetry(t *testing.T) {
	fast := mallard.Duration(time.Millisecond)
	tests := []struct {
		name  string
		retry mallard.RetryConfig
		after time.Duration // what the provider asks to wait
		most  int64         // requests for one row
		want  string
	}{
		{"attempts", mallard.RetryConfig{Attempts: 3, Base: fast, Cap: fast}, 0, 3, "A retryable error occurred: UNAVAILABLE error from"},
		{"one attempt", mallard.RetryConfig{Attempts: 1}, 0, 1, "A retryable error occurred: UNAVAILABLE error from"},
		{"deadline", mallard.RetryConfig{Attempts: 100, Deadline: mallard.Duration(time.Second)}, time.Hour, 1, "(come back in 1h0m0s)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, cfg := emulator(t, vertextest.Options{Faults: []vertextest.Fault{{Kind: vertextest.Status, Status: 503, RetryAfter: tt.after}}})
			c := cfg.Connections["default"]
			c.Retry = tt.retry
			cfg.Connections["default"] = c
			got := statuses(t, open(t, "", cfg), 1)
			if len(got) != 1 || !strings.HasPrefix(got[0][0], "A retryable error occurred: UNAVAILABLE error from") || !strings.Contains(got[0][0], tt.want) {
				t.Errorf("statuses %v", got)
			}
			if s.Count() != tt.most {
				t.Errorf("%d requests, want %d", s.Count(), tt.most)
			}
		})
	}
}

// TestConnectionTimeout: a server that does not answer is given up, and the row says so.
func TestConnectionTimeout(t *testing.T) {
	for _, transport := range []string{"rest", "grpc"} {
		t.Run(transport, func(t *testing.T) {
			s, cfg := emulator(t, vertextest.Options{Faults: []vertextest.Fault{{Kind: vertextest.Hang, Contains: "q1"}}})
			c := cfg.Connections["default"]
			c.Transport, c.Timeout, c.Retry = transport, mallard.Duration(300*time.Millisecond), mallard.RetryConfig{Attempts: 2, Base: mallard.Duration(time.Millisecond)}
			cfg.Connections["default"] = c
			got := statuses(t, open(t, "", cfg), 3)
			if len(got) != 2 || fmt.Sprint(got[0]) != "[ 2]" || !strings.HasPrefix(got[1][0], "A retryable error occurred: DEADLINE EXCEEDED error from") || !strings.Contains(got[1][0], "after 2 attempts") {
				t.Errorf("statuses %v", got)
			}
			if s.Count() != 4 {
				t.Errorf("%d requests, want 4", s.Count())
			}
		})
	}
}
