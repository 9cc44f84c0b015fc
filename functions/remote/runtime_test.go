package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mallardml/mallard/internal/dispatch"
)

// run submits rows and awaits them in chunks, as DuckDB does.
func run(t testing.TB, st *dispatch.Statement, s *Spec, rows []any) []*verdict {
	t.Helper()
	out, err := try(st, s, rows)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func try(st *dispatch.Statement, s *Spec, rows []any) ([]*verdict, error) {
	g, err := st.Group(s, s.call)
	if err != nil {
		return nil, err
	}
	first := -1
	for chunk := range slices.Chunk(rows, chunkRows) {
		n := submitted(st, s, g, chunk)
		if first < 0 {
			first = n
		}
	}
	var all []*verdict
	for at := 0; at < len(rows); at += chunkRows {
		n := min(chunkRows, len(rows)-at)
		numbers := make([]int, n)
		for i := range numbers {
			numbers[i] = first + at + i
		}
		vs, err := g.Await(numbers)
		if err != nil {
			return all, err
		}
		all = append(all, vs...)
	}
	return all, nil
}

func prompts(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = fmt.Sprintf("row %05d", i)
	}
	return out
}

// inTime runs f in a bubble, with a spec and a statement, and gives the time that passed there.
func inTime(t *testing.T, spec func() *Spec, f func(t *testing.T, st *dispatch.Statement, s *Spec)) (d time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := spec()
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		st := dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
		start := time.Now()
		f(t, st, s)
		d = time.Since(start)
		st.End()
	})
	return d
}

// answered checks that every row has the right answer of the fake.
func answered(t *testing.T, rows []any, vs []*verdict) {
	t.Helper()
	if len(vs) != len(rows) {
		t.Fatalf("%d answers for %d rows", len(vs), len(rows))
	}
	for i, v := range vs {
		if v.Status != "" {
			t.Fatalf("row %d: status %q", i, v.Status)
		}
		var got, want string
		switch first := v.Lines[0][0].(type) {
		case string:
			got, want = first, strings.ToUpper(rows[i].(string))
		case []float64:
			got, want = fmt.Sprint(first[0]), fmt.Sprint(len(rows[i].(string)))
		}
		if got != want {
			t.Fatalf("row %d: %q, want %q", i, got, want)
		}
	}
}

const mockLatency = 50 * time.Millisecond

// many rows: two chunks, so that one is read ahead while the other is answered.
const many = 2 * chunkRows

func TestTimeOverIdeal(t *testing.T) {
	tests := []struct {
		name               string
		endpoint, function string
		batch, concurrency int
		most               float64
	}{
		{"batch 1 x 64", geminiURL, "ML.GENERATE_TEXT", 1, 64, 1.15},
		{"batch 100 x 16", embeddingURL, "ML.GENERATE_EMBEDDING", 100, 16, 1.3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows := prompts(many)
			f := &fake{latency: mockLatency}
			d := inTime(t, func() *Spec {
				s := specFor(t, tt.function, tt.endpoint, f, flat)
				s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{Concurrency: tt.concurrency})
				s.Limits = dispatch.Limits{Rows: tt.batch, Tokens: -1}
				return s
			}, func(t *testing.T, st *dispatch.Statement, s *Spec) { answered(t, rows, run(t, st, s, rows)) })
			requests := math.Ceil(float64(len(rows)) / float64(tt.batch))
			ideal := time.Duration(math.Ceil(requests/float64(tt.concurrency))) * mockLatency
			ratio := float64(d) / float64(ideal)
			t.Logf("%v, ideal %v: %.3f; %d requests", d, ideal, ratio, f.n)
			if ratio > tt.most {
				t.Errorf("%v, ideal %v: ratio %.3f, want at most %v", d, ideal, ratio, tt.most)
			}
			if f.n != int(requests) || f.most != tt.concurrency {
				t.Errorf("%d requests, %d at once; want %v, %d", f.n, f.most, requests, tt.concurrency)
			}
		})
	}
}

func TestFaultsLoseNothing(t *testing.T) {
	tenth := func(n int, _ []string) error {
		if n%10 == 0 {
			return errTooMany
		}
		return nil
	}
	unlucky := make([]bool, 20_011)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(unlucky); i++ {
		unlucky[i] = r.IntN(10) == 0
	}
	tests := []struct {
		name  string
		fault func(int, []string) error
	}{
		{"every tenth 429", tenth},
		{"a tenth 429, by chance", func(n int, _ []string) error {
			if unlucky[n%len(unlucky)] {
				return errTooMany
			}
			return nil
		}},
		{"every tenth 429 with Retry-After", func(n int, _ []string) error {
			if n%10 == 0 {
				return &httpError{429, "RESOURCE_EXHAUSTED", 2 * time.Second, "slow down"}
			}
			return nil
		}},
		{"429, 503 and dropped connections", func(n int, r []string) error {
			switch {
			case n%50 == 1:
				return errBusy
			case n%100 == 2:
				return &netError{}
			}
			return tenth(n, r)
		}},
	}
	for _, tt := range tests {
		for _, batch := range []int{1, 50} {
			t.Run(fmt.Sprintf("%s, batch %d", tt.name, batch), func(t *testing.T) {
				rows := prompts(many)
				f := &fake{latency: mockLatency, fault: tt.fault}
				d := inTime(t, func() *Spec {
					s := specFor(t, "ML.GENERATE_EMBEDDING", embeddingURL, f)
					s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{Concurrency: 64})
					s.Limits = dispatch.Limits{Rows: batch}
					return s
				}, func(t *testing.T, st *dispatch.Statement, s *Spec) { answered(t, rows, run(t, st, s, rows)) })
				ratio := float64(f.n) / float64(len(rows)/batch)
				t.Logf("%d requests: %.3f; %v", f.n, ratio, d)
				if ratio > 1.2 {
					t.Errorf("%d requests for %d: ratio %.3f, want at most 1.2", f.n, len(rows)/batch, ratio)
				}
				if two := f.twice(); len(two) > 0 {
					t.Errorf("%d rows answered twice", len(two))
				}
			})
		}
	}
}

// netError is a dropped connection.
type netError struct{}

func (*netError) Error() string   { return "connection reset by peer" }
func (*netError) Timeout() bool   { return false }
func (*netError) Temporary() bool { return false }

// A provider with a quota: what is over the rate is refused at once.
func TestQuota(t *testing.T) {
	for _, perSecond := range []float64{2, 20, 200} {
		t.Run(fmt.Sprint(perSecond), func(t *testing.T) {
			rows := prompts(3000)
			level, last := perSecond, time.Time{}
			f := &fake{latency: mockLatency}
			f.fault = func(int, []string) error {
				f.mu.Lock()
				defer f.mu.Unlock()
				now := time.Now()
				if !last.IsZero() {
					level = min(perSecond, level+now.Sub(last).Seconds()*perSecond)
				}
				last = now
				if level < 1 {
					return errTooMany
				}
				level--
				return nil
			}
			d := inTime(t, func() *Spec {
				s := textSpec(t, f, flat)
				s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{Concurrency: 64})
				s.Retry = dispatch.Retry{Attempts: 30, Deadline: time.Hour}
				return s
			}, func(t *testing.T, st *dispatch.Statement, s *Spec) { answered(t, rows, run(t, st, s, rows)) })
			ideal := time.Duration(float64(len(rows)) / perSecond * float64(time.Second))
			t.Logf("%d requests for %d rows; %v, at the quota's rate %v", f.n, len(rows), d, ideal)
			if ratio := float64(f.n) / float64(len(rows)); ratio > 1.2 {
				t.Errorf("%d requests for %d rows", f.n, len(rows))
			}
			if d > ideal*3/2 {
				t.Errorf("%v, at the quota's rate %v", d, ideal)
			}
		})
	}
}

func TestRequestsPerMinute(t *testing.T) {
	rows := prompts(600)
	f := &fake{latency: mockLatency}
	d := inTime(t, func() *Spec {
		s := textSpec(t, f, flat)
		s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{RequestsPerMinute: 120})
		return s
	}, func(t *testing.T, st *dispatch.Statement, s *Spec) { answered(t, rows, run(t, st, s, rows)) })
	if d < 298*time.Second || d > 305*time.Second {
		t.Errorf("600 requests at 120 a minute took %v", d)
	}
}

func TestTokensPerMinute(t *testing.T) {
	rows := prompts(600) // 7 tokens each, says the fake
	f := &fake{latency: mockLatency}
	d := inTime(t, func() *Spec {
		s := textSpec(t, f, flat)
		s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{TokensPerMinute: 700})
		return s
	}, func(t *testing.T, st *dispatch.Statement, s *Spec) { answered(t, rows, run(t, st, s, rows)) })
	if d < 5*time.Minute || d > 8*time.Minute {
		t.Errorf("4200 tokens at 700 a minute took %v", d)
	}
}

func TestBisection(t *testing.T) {
	bad := func(code int, msg string) func(int, []string) error {
		return func(_ int, rows []string) error {
			for _, r := range rows {
				if strings.Contains(r, "row 00123") {
					return &httpError{code, "", 0, msg}
				}
			}
			return nil
		}
	}
	tests := []struct {
		name     string
		fault    func(int, []string) error
		want     string // status of row 123
		requests int    // at most: all of a size may be on their way before the first of them is refused
	}{
		{"one row is refused", bad(400, "empty text"), "INVALID ARGUMENT error from " + embeddingURL + ": empty text", 20 + 2*8}, // 250 rows are halved eight times
		{"too large", func(_ int, rows []string) error {
			if len(rows) > 20 {
				return &httpError{413, "", 0, "request too large"}
			}
			return nil
		}, "", 20 + 40 + 80 + 160 + 320}, // of 250, 125, 63, 32 and 16 rows
		{"too many tokens", func(_ int, rows []string) error {
			if len(rows) > 100 {
				return &httpError{400, "INVALID_ARGUMENT", 0, "The input token count is 30000 but the model supports up to 20000."}
			}
			return nil
		}, "", 20 + 40 + 80},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows := prompts(5000)
			f := &fake{latency: mockLatency, fault: tt.fault}
			inTime(t, func() *Spec { return specFor(t, "ML.GENERATE_EMBEDDING", embeddingURL, f) },
				func(t *testing.T, st *dispatch.Statement, s *Spec) {
					vs := run(t, st, s, rows)
					if vs[123].Status != tt.want {
						t.Errorf("status %q, want %q", vs[123].Status, tt.want)
					}
					if tt.want != "" {
						vs, rows = slices.Delete(vs, 123, 124), slices.Delete(rows, 123, 124)
					}
					answered(t, rows, vs)
				})
			if f.n > tt.requests {
				t.Errorf("%d requests, want at most %d", f.n, tt.requests)
			}
		})
	}
}

func TestStatuses(t *testing.T) {
	always := func(err error) func(int, []string) error {
		return func(_ int, rows []string) error {
			if strings.Contains(rows[0], "bad") {
				return err
			}
			return nil
		}
	}
	from := " error from " + geminiURL
	tests := []struct {
		name     string
		give     error
		want     string
		requests int
		within   time.Duration
	}{
		{"quota", errTooMany, "A retryable error occurred: RESOURCE EXHAUSTED" + from + " after 8 attempts: Quota exceeded.", 9, 3 * time.Minute},
		{"unavailable", errBusy, "A retryable error occurred: UNAVAILABLE" + from + " after 8 attempts: Try again.", 9, 3 * time.Minute},
		{"timeout", &httpError{408, "", 0, "late"}, "A retryable error occurred: DEADLINE EXCEEDED" + from + " after 8 attempts: late", 9, 3 * time.Minute},
		{"dropped", &netError{}, "A retryable error occurred: UNAVAILABLE" + from + " after 8 attempts: connection reset by peer", 9, 3 * time.Minute},
		{"invalid", &httpError{400, "INVALID_ARGUMENT", 0, "no"}, "INVALID ARGUMENT" + from + ": no", 2, time.Second},
		{"come back much later", &httpError{429, "", time.Hour, "daily quota"}, "A retryable error occurred: RESOURCE EXHAUSTED" + from + ": daily quota (come back in 1h0m0s)", 2, time.Second},
		{"not found, after an answer", &httpError{404, "NOT_FOUND", 0, "no such file"}, "NOT FOUND" + from + ": no such file", 2, time.Second},
		{"cut short", nil, "A retryable error occurred: INVALID ANSWER" + from + " after 8 attempts: the answer is not JSON, or was cut short: it begins with \"{\\\"candid\"", 9, 3 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{latency: mockLatency, fault: always(tt.give)}
			if tt.give == nil {
				f.fault = nil
				f.text = func(body string) string {
					if strings.Contains(body, "bad") {
						return `{"candid`
					}
					return `{"candidates":[{"content":{"parts":[{"text":"GOOD"}]}}]}`
				}
			}
			d := inTime(t, func() *Spec { return textSpec(t, f, flat) }, func(t *testing.T, st *dispatch.Statement, s *Spec) {
				answered(t, []any{"good"}, run(t, st, s, []any{"good"}))
				g := group(t, st, s)
				vs, err := g.Await([]int{submitted(st, s, g, []any{"bad"})})
				if err != nil {
					t.Fatal(err)
				}
				if vs[0].Status != tt.want || vs[0].Lines[0][0] != nil {
					t.Errorf("status %q, want %q; results %v", vs[0].Status, tt.want, vs[0].Lines)
				}
			})
			if f.n != tt.requests {
				t.Errorf("%d requests, want %d", f.n, tt.requests)
			}
			if d > tt.within {
				t.Errorf("took %v", d)
			}
		})
	}
}

func TestFatal(t *testing.T) {
	for _, code := range []int{401, 403, 404} {
		f := &fake{fault: func(int, []string) error { return &httpError{code, "", 0, "no"} }}
		inTime(t, func() *Spec { return textSpec(t, f, flat) }, func(t *testing.T, st *dispatch.Statement, s *Spec) {
			_, err := try(st, s, prompts(5000))
			var re *RemoteError
			if !errors.As(err, &re) || !strings.HasPrefix(re.Status, reasons[code]+" error from "+geminiURL) {
				t.Errorf("%d: %v", code, err)
			}
		})
		if f.n > 9 {
			t.Errorf("%d: %d requests", code, f.n)
		}
	}
}

// A token that runs out in the middle: what was answered stays, the rest is told.
func TestCredentialsRunOut(t *testing.T) {
	f := &fake{fault: func(n int, _ []string) error {
		if n > 100 {
			return &httpError{401, "", 0, "expired"}
		}
		return nil
	}}
	inTime(t, func() *Spec { return textSpec(t, f, flat) }, func(t *testing.T, st *dispatch.Statement, s *Spec) {
		ok := 0
		for _, v := range run(t, st, s, prompts(5000)) {
			if v.Status == "" {
				ok++
			} else if !strings.HasPrefix(v.Status, "UNAUTHENTICATED error from") {
				t.Fatal(v.Status)
			}
		}
		if ok != 100 || f.n > 120 {
			t.Errorf("%d answers, %d requests", ok, f.n)
		}
	})
}

// A server that is down is not asked 10,000 times eight times over.
func TestHopeless(t *testing.T) {
	f := &fake{fault: func(int, []string) error { return &netError{} }}
	inTime(t, func() *Spec { return textSpec(t, f, flat) }, func(t *testing.T, st *dispatch.Statement, s *Spec) {
		for _, v := range run(t, st, s, prompts(10_000)) {
			if !strings.HasPrefix(v.Status, "A retryable error occurred: UNAVAILABLE error from") {
				t.Fatal(v.Status)
			}
		}
	})
	t.Logf("%d requests", f.n)
	if f.n > 2500 {
		t.Errorf("%d requests", f.n)
	}
}

func TestRepeats(t *testing.T) {
	rows := make([]any, 6000)
	for i := range rows {
		rows[i] = fmt.Sprintf("row %d", i%7)
	}
	f := &fake{latency: mockLatency}
	inTime(t, func() *Spec { return textSpec(t, f, flat) }, func(t *testing.T, st *dispatch.Statement, s *Spec) {
		answered(t, rows, run(t, st, s, rows))
		u := st.Meter.Total()
		if u.Requests != 7 || u.Rows != 6000 || u.Repeated != 5993 || u.InputTokens != 35 || u.OutputTokens != 14 {
			t.Errorf("%+v", u)
		}
	})
	if f.n != 7 {
		t.Errorf("%d requests", f.n)
	}
}

// A bound of money takes a price, even that of a model that is free: without one it would never be met.
func TestMoneyNeedsPrice(t *testing.T) {
	tests := []struct {
		name   string
		budget dispatch.Budget
		prices dispatch.Prices
		want   string
	}{
		{"no price", dispatch.Budget{Money: 1}, nil, "model m: the budget of this statement bounds money, and connection `c` has no price for `gemini-2.5-flash`"},
		{"of another", dispatch.Budget{Money: 1}, dispatch.Prices{"gemini-3": {PerRequest: 1}}, "has no price for `gemini-2.5-flash`"},
		{"free", dispatch.Budget{Money: 1}, dispatch.Prices{"gemini": {}}, ""},
		{"no bound of money", dispatch.Budget{Requests: 5}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{}
			s := textSpec(t, f, flat)
			s.Model = "m"
			s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{Name: "c", Prices: tt.prices})
			if err := s.Init(); err != nil {
				t.Fatal(err)
			}
			st := dispatch.NewStatement(t.Context(), dispatch.StatementOptions{Budget: tt.budget})
			defer st.End()
			_, err := try(st, s, prompts(3))
			if tt.want == "" && (err != nil || f.requests() != 3) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || f.requests() != 0) {
				t.Errorf("error %v after %d requests", err, f.requests())
			}
		})
	}
}

func TestBudgets(t *testing.T) {
	tests := []struct {
		name   string
		budget dispatch.Budget
		most   int
	}{
		{"requests", dispatch.Budget{Requests: 30}, 30},
		{"tokens", dispatch.Budget{Tokens: 700}, 100},
		{"money", dispatch.Budget{Money: 0.001}, 20},
	}
	for _, tt := range tests {
		for _, whose := range []string{"statement", "session", "connection c"} {
			t.Run(tt.name+" of "+whose, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := &fake{latency: mockLatency}
					s := textSpec(t, f, flat)
					co, so := dispatch.ConnectionOptions{Name: "c", Prices: dispatch.Prices{"gemini-2.5": {InputPerMillion: 10, OutputPerMillion: 100}}}, dispatch.StatementOptions{}
					switch whose {
					case "statement":
						so.Budget = tt.budget
					case "session":
						so.Session = &dispatch.Meter{Name: "session", Budget: tt.budget}
					default:
						co.Budget = tt.budget
					}
					s.Connection = dispatch.NewConnection(co)
					if err := s.Init(); err != nil {
						t.Fatal(err)
					}
					st := dispatch.NewStatement(t.Context(), so)
					defer st.End()
					vs := run(t, st, s, prompts(1000))
					ok := 0
					for _, v := range vs {
						if v.Status == "" {
							ok++
						} else if !strings.HasPrefix(v.Status, "Not sent: the budget of this "+whose+" is reached") {
							t.Fatal(v.Status)
						}
					}
					t.Logf("%d answered", ok)
					if ok == 0 || ok > tt.most || f.n != ok {
						t.Errorf("%d answered with %d requests, want at most %d", ok, f.n, tt.most)
					}
					if p := st.Progress(); p.Done != 1000 || p.Failed["BUDGET"] != int64(1000-ok) {
						t.Errorf("%+v", p)
					}
				})
			})
		}
	}
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{latency: time.Hour}
		s := textSpec(t, f, flat)
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		st := dispatch.NewStatement(ctx, dispatch.StatementOptions{})
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if _, err := try(st, s, prompts(100)); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		st.End()
		if d := time.Since(start); d != time.Second {
			t.Errorf("took %v", d)
		}
		if f.flight != 0 {
			t.Errorf("%d requests in flight", f.flight)
		}
	})
}

// TestUsageOfTheUnfinished: a statement that is cancelled, or fails in the middle, has cost what it has cost: rows that were
// answered, from the model or the cache, count as well as requests and tokens.
func TestUsageOfTheUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache, rows := &memoryCache{}, prompts(100)
		statement := func(ctx context.Context, f *fake, rows []any, session *dispatch.Meter) error {
			s := textSpec(t, f, flat)
			s.Cache = cache
			if err := s.Init(); err != nil {
				t.Fatal(err)
			}
			st := dispatch.NewStatement(ctx, dispatch.StatementOptions{Session: session})
			defer st.End()
			_, err := try(st, s, rows)
			return err
		}
		session := &dispatch.Meter{}
		if err := statement(t.Context(), &fake{latency: time.Second}, rows[:10], session); err != nil {
			t.Fatal(err)
		}
		// Ten from the cache, the first of them twice, and three times eight answers; then it is cancelled.
		session = &dispatch.Meter{}
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		if err := statement(ctx, &fake{latency: time.Second}, append([]any{rows[0]}, rows...), session); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		want := dispatch.Usage{Rows: 1 + 10 + 24, Cached: 10, Repeated: 1, Requests: 32, InputTokens: 24 * 5, OutputTokens: 24 * 2}
		if got := session.Total(); got != want {
			t.Errorf("cancelled: %+v, want %+v", got, want)
		}
		// Ten are cached, and nobody may ask for more: those that were refused failed, the others were not asked.
		session, cache.m = &dispatch.Meter{}, map[[32]byte]dispatch.Answer{}
		if err := statement(t.Context(), &fake{}, rows[:10], &dispatch.Meter{}); err != nil {
			t.Fatal(err)
		}
		f := &fake{latency: time.Second, fault: func(int, []string) error { return &httpError{403, "PERMISSION_DENIED", 0, "no role"} }}
		if err := statement(t.Context(), f, rows, session); err == nil {
			t.Fatal("it passed")
		}
		got := session.Total()
		if got.Rows != 10+got.Failed || got.Failed < 1 || got.Failed > 8 || got.Cached != 10 || got.Requests < 1 {
			t.Errorf("failed: %+v", got)
		}
	})
}

func TestCacheAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := &memoryCache{}
		rows := prompts(3000)
		spec := func(f *fake) *Spec {
			s := textSpec(t, f, flat)
			s.Cache = cache
			if err := s.Init(); err != nil {
				t.Fatal(err)
			}
			return s
		}
		f := &fake{latency: mockLatency}
		ctx, cancel := context.WithCancel(t.Context())
		st := dispatch.NewStatement(ctx, dispatch.StatementOptions{})
		time.AfterFunc(5*time.Second, cancel)
		if _, err := try(st, spec(f), rows); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		st.End()
		kept := len(cache.m)
		if kept < 500 || kept > 900 {
			t.Errorf("%d answers kept after 5s of 8 at once", kept)
		}
		f = &fake{latency: mockLatency}
		st = dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
		answered(t, rows, run(t, st, spec(f), rows))
		st.End()
		if f.n != len(rows)-kept {
			t.Errorf("%d requests, want the %d missing ones", f.n, len(rows)-kept)
		}
		if u := st.Meter.Total(); u.Cached != int64(kept) {
			t.Errorf("%+v", u)
		}
		// All again: nothing is asked.
		f = &fake{}
		st = dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
		answered(t, rows, run(t, st, spec(f), rows))
		st.End()
		if f.n != 0 {
			t.Errorf("%d requests", f.n)
		}
		// A temperature above zero is not cached, unless asked for.
		for _, always := range []bool{false, true} {
			f = &fake{}
			s := textSpec(t, f, flat, Option{Name: "temperature", Value: 0.5})
			s.Cache, s.CacheAlways = cache, always
			if err := s.Init(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				st = dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
				answered(t, rows[:10], run(t, st, s, rows[:10]))
				st.End()
			}
			if want := map[bool]int{false: 20, true: 10}[always]; f.n != want {
				t.Errorf("always %t: %d requests, want %d", always, f.n, want)
			}
		}
		// A cache that fails does not fail the statement.
		f = &fake{}
		s := textSpec(t, f, flat)
		s.Cache = &memoryCache{fail: errors.New("disk full")}
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		st = dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
		answered(t, rows, run(t, st, s, rows))
		st.End()
		if err := st.Progress().CacheError; err == nil || err.Error() != "disk full" {
			t.Errorf("CacheError %v", err)
		}
	})
}

// Rows that are awaited while they are looked up ahead come from the cache, too. The runner and the reader race for the
// answers, so it is tried often.
func TestAwaitedWhileLookedUp(t *testing.T) {
	cache, rows := &memoryCache{}, prompts(chunkRows+200)
	ask := func(want int) {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{}
			s := textSpec(t, f, flat)
			s.Cache = cache
			if err := s.Init(); err != nil {
				t.Fatal(err)
			}
			st := dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
			answered(t, rows, run(t, st, s, rows))
			st.End()
			if f.n != want {
				t.Errorf("%d requests, want %d", f.n, want)
			}
		})
	}
	ask(len(rows))
	cache.slow = time.Millisecond
	for range 8 {
		ask(0)
	}
}

func TestConcurrencyIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{latency: mockLatency}
		c := dispatch.NewConnection(dispatch.ConnectionOptions{Concurrency: 5})
		done := make(chan struct{})
		for q := range 3 {
			go func() {
				defer func() { done <- struct{}{} }()
				s := textSpec(t, f, flat)
				s.Connection = c
				if err := s.Init(); err != nil {
					t.Error(err)
					return
				}
				st := dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
				defer st.End()
				rows := make([]any, 100)
				for i := range rows {
					rows[i] = fmt.Sprintf("q%d r%d", q, i)
				}
				vs, err := try(st, s, rows)
				if err != nil {
					t.Error(err)
				}
				answered(t, rows, vs)
			}()
			synctest.Wait() // versions is not shared
		}
		for range 3 {
			<-done
		}
		if f.most != 5 {
			t.Errorf("%d at once", f.most)
		}
		if got := c.Meter.Total().Requests; got != 300 {
			t.Errorf("%d requests counted", got)
		}
	})
}

func TestWrongCount(t *testing.T) {
	f := &fake{}
	s := specFor(t, "ML.GENERATE_EMBEDDING", embeddingURL, shortAnswers{f})
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	st := dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
	defer st.End()
	rows := prompts(100)
	vs := run(t, st, s, rows)
	if want := "INVALID ANSWER error from " + embeddingURL + ": the endpoint answered 0 predictions for 1 row"; vs[5].Status != want {
		t.Errorf("status %q, want %q", vs[5].Status, want)
	}
	answered(t, slices.Delete(rows, 5, 6), slices.Delete(vs, 5, 6))
}

// shortAnswers leaves row 5 out of every answer.
type shortAnswers struct{ *fake }

func (f shortAnswers) Call(ctx context.Context, method, e string, body jsonRaw, header map[string]string) (jsonRaw, error) {
	var in struct{ Instances []jsonRaw }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	in.Instances = slices.DeleteFunc(in.Instances, func(r jsonRaw) bool { return strings.Contains(string(r), "row 00005") })
	body, err := json.Marshal(map[string]any{"instances": in.Instances})
	if err != nil {
		return nil, err
	}
	return f.fake.Call(ctx, method, e, body, header)
}

func TestJudge(t *testing.T) {
	tests := []struct {
		code                int
		retry, fatal, split bool
	}{
		{400, false, false, true}, {401, false, true, false}, {403, false, true, false}, {404, false, true, false},
		{408, true, false, false}, {413, false, false, true}, {429, true, false, false}, {500, true, false, false}, {501, false, false, false},
		{502, true, false, false}, {503, true, false, false}, {504, true, false, false}, {http.StatusTeapot, false, false, false},
	}
	for _, tt := range tests {
		f := judge(fmt.Errorf("wrapped: %w", &httpError{code: tt.code}))
		if f.retryable != tt.retry || f.fatal != tt.fatal || f.split != tt.split {
			t.Errorf("%d: %+v", tt.code, f)
		}
	}
	for reason, want := range map[string]string{"NETWORK": "UNAVAILABLE", "BAD_ANSWER": "INVALID ANSWER"} {
		f := judge(&messageError{httpError{reason: reason, msg: "https://x:predict: " + reason + ": reset"}, "reset"})
		if got := f.status("https://x", 2); !f.retryable || got != "A retryable error occurred: "+want+" error from https://x after 2 attempts: reset" {
			t.Errorf("%s: %s", reason, got)
		}
	}
	if f := judge(errors.New("could not find default credentials")); !f.fatal || f.retryable {
		t.Errorf("%+v", f)
	}
}

type jsonRaw = json.RawMessage

// messageError has its cause apart, as the connectors' errors have.
type messageError struct {
	httpError
	cause string
}

func (e *messageError) Message() string { return e.cause }

// TestQuickRefusals: refusals that come at once beside answers that take seconds do not slow everything down.
func TestQuickRefusals(t *testing.T) {
	rows := prompts(2000)
	f := &fake{fault: func(n int, _ []string) error {
		if n%10 == 0 {
			return errTooMany
		}
		return nil
	}, text: func(body string) string {
		time.Sleep(5 * time.Second)
		return `{"candidates":[{"content":{"parts":[{"text":"ok"}]}}]}`
	}}
	d := inTime(t, func() *Spec {
		s := textSpec(t, f, flat)
		s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{Concurrency: 64})
		return s
	}, func(t *testing.T, st *dispatch.Statement, s *Spec) {
		for i, v := range run(t, st, s, rows) {
			if v.Status != "" {
				t.Fatalf("row %d: %s", i, v.Status)
			}
		}
	})
	if ideal := 2000 / 64 * 5 * time.Second; d > ideal*3/2 {
		t.Errorf("%v, want about %v", d, ideal)
	}
}
