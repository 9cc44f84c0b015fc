package extension_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
)

// mixed are the faults of a bad day: a tenth of the answers is a 429, some are 503, some connections are dropped.
func mixed() []vertextest.Fault {
	return []vertextest.Fault{
		{Kind: vertextest.Latency, Latency: 2 * time.Millisecond},
		{Kind: vertextest.Status, Status: 429, Share: 0.10},
		{Kind: vertextest.Status, Status: 503, Share: 0.02},
		{Kind: vertextest.Drop, Share: 0.01},
	}
}

// withConnection changes the settings of the connection DEFAULT.
func withConnection(cfg *mallard.Config, change func(c *mallard.ConnectionConfig)) {
	c := cfg.Connections["default"]
	change(&c)
	cfg.Connections["default"] = c
}

// TestNothingIsLost: of several chunks of rows every one ends with its own answer or with a status that says why not; none is there
// twice, and none was answered twice.
func TestNothingIsLost(t *testing.T) {
	const rows = 4_500 // three chunks
	for _, tt := range []struct {
		name     string
		attempts int
		least    int // rows that must have an answer
	}{{"retried", 12, rows}, {"tried twice", 2, rows / 2}} {
		t.Run(tt.name, func(t *testing.T) {
			s, cfg := emulator(t, vertextest.Options{Seed: 7, Faults: mixed(), Generate: func(_ context.Context, p vertextest.Prompt) (string, error) {
				return "answer to " + p.Text, nil
			}})
			withConnection(cfg, func(c *mallard.ConnectionConfig) {
				c.Concurrency = 64
				c.Retry = mallard.RetryConfig{Attempts: tt.attempts, Base: mallard.Duration(20 * time.Millisecond), Cap: mallard.Duration(time.Second)}
			})
			db := open(t, "", cfg)
			exec(t, db, createG, fmt.Sprintf("CREATE TABLE p AS SELECT range AS id, 'row ' || range AS prompt FROM range(%d)", rows),
				"CREATE TABLE r AS SELECT * FROM ML.GENERATE_TEXT(MODEL g, TABLE p, STRUCT(TRUE AS flatten_json_output))")
			got := table(t, db, `SELECT count(*), count(DISTINCT id), count(*) FILTER (ml_generate_text_status = '' AND ml_generate_text_llm_result = 'answer to ' || prompt) AS right,
				count(*) FILTER (ml_generate_text_llm_result IS NULL AND ml_generate_text_status LIKE 'A retryable error occurred: %') AS honest FROM r`)[1]
			var n, ids, right, honest int
			if _, err := fmt.Sscan(strings.Join(got, " "), &n, &ids, &right, &honest); err != nil {
				t.Fatal(err)
			}
			if n != rows || ids != rows || right+honest != rows || right < tt.least {
				t.Errorf("%d rows, %d different, %d with their answer, %d with an honest status; %v", n, ids, right, honest,
					table(t, db, "SELECT ml_generate_text_status, count(*) FROM r GROUP BY ALL ORDER BY 2 DESC LIMIT 5"))
			}
			answered := map[string]int{}
			for _, r := range s.Requests() {
				if r.Status == 200 {
					answered[fmt.Sprint(r.Body)]++
				}
			}
			for body, n := range answered {
				if n > 1 {
					t.Errorf("answered %d times: %s", n, body)
				}
			}
			if len(answered) != right {
				t.Errorf("%d rows were answered, %d have their answer", len(answered), right)
			}
		})
	}
}

// TestCancelRemote: a statement that is cancelled while requests are under way returns within a second, its requests end,
// and what was paid for is kept.
func TestCancelRemote(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault vertextest.Fault
	}{
		{"slow answers", vertextest.Fault{Kind: vertextest.Latency, Latency: 20 * time.Millisecond}},
		{"no answers", vertextest.Fault{Kind: vertextest.Hang, After: 100}},
		{"refusals", vertextest.Fault{Kind: vertextest.Status, Status: 429, RetryAfter: 30 * time.Second, After: 100}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, cfg := emulator(t, vertextest.Options{Faults: []vertextest.Fault{tt.fault}})
			withConnection(cfg, func(c *mallard.ConnectionConfig) { c.Concurrency = 16 })
			db := open(t, "", cfg)
			exec(t, db, createG)
			for _, query := range []string{
				asked(0, 10_000),
				"CREATE TABLE r AS SELECT * FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'c' || i AS prompt FROM range(10000) t(i)))",
			} {
				ctx, cancel := context.WithCancel(t.Context())
				at := make(chan time.Time, 1)
				go func() {
					for before := s.Count(); s.Count() < before+120 && ctx.Err() == nil; {
						time.Sleep(time.Millisecond)
						if tt.fault.Kind != vertextest.Latency && s.Count() >= 116 {
							break
						}
					}
					at <- time.Now()
					cancel()
				}()
				_, err := db.ExecContext(ctx, query)
				d := time.Since(<-at)
				cancel()
				if err == nil {
					t.Fatal("the statement ended by itself")
				}
				// A second on a quiet machine; the statement itself would take from 13 s to for ever.
				if d > 10*time.Second {
					t.Errorf("%v after the cancellation", d)
				}
				sent := s.Count()
				time.Sleep(200 * time.Millisecond)
				if n := s.Count(); n > sent+16 { // those that were on their way, which the server saw late
					t.Errorf("%d requests after the end", n-sent)
				}
			}
			if n := one[int64](t, db, "SELECT count(*) FROM ml_cache()"); n == 0 {
				t.Error("nothing that was paid for is kept")
			}
		})
	}
}

// TestRemoteProgress: the numbers that a shell shows.
func TestRemoteProgress(t *testing.T) {
	_, cfg := emulator(t, vertextest.Options{Faults: []vertextest.Fault{{Kind: vertextest.BlockPrompt, Contains: "row 7"}, {Kind: vertextest.Status, Every: 5, Times: 3}}})
	withConnection(cfg, func(c *mallard.ConnectionConfig) { c.Retry.Base = mallard.Duration(time.Millisecond) })
	db := open(t, "", cfg)
	exec(t, db, createG)
	var p extension.Progress
	if got := p.Remote(); got.Done != 0 {
		t.Errorf("before any statement: %+v", got)
	}
	ctx := extension.WithProgress(t.Context(), &p)
	var n int
	if err := db.QueryRowContext(ctx, "SELECT count(ml_generate_text_status) FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'row ' || i AS prompt FROM range(10) t(i)), STRUCT(TRUE AS flatten_json_output))").Scan(&n); err != nil {
		t.Fatal(err)
	}
	got := p.Remote()
	if got.Done != 10 || got.Submitted != 10 || !got.Total || got.Requests != got.Retries+10 || got.Retries == 0 || fmt.Sprint(got.Failed) != "map[ANSWER:1]" || got.Tokens == 0 || p.Rows() != 10 {
		t.Errorf("%+v", got)
	}
	if left, ok := got.Left(); ok && left != 0 {
		t.Errorf("%v left of a statement that is over", left)
	}
}
