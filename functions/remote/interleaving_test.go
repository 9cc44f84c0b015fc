package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/udf"
)

// dice are random numbers for several goroutines.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

func (d *dice) chance(p float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.Float64() < p
}

// upTo is a duration; often it is none.
func (d *dice) upTo(most time.Duration) time.Duration {
	if most <= 0 || d.chance(0.3) {
		return 0
	}
	return time.Duration(d.n(int(most)))
}

// slowCache takes its time.
type slowCache struct {
	memoryCache
	d        *dice
	get, put time.Duration // at most
}

func (c *slowCache) Get(ctx context.Context, keys []dispatch.Key) ([]*dispatch.Answer, error) {
	time.Sleep(c.d.upTo(c.get))
	out, err := c.memoryCache.Get(ctx, keys)
	time.Sleep(c.d.upTo(c.get))
	return out, err
}

func (c *slowCache) Put(ctx context.Context, entries []dispatch.Entry) error {
	time.Sleep(c.d.upTo(c.put))
	defer time.Sleep(c.d.upTo(c.put))
	return c.memoryCache.Put(ctx, entries)
}

// moody is a fake whose latency is random, and which has been asked too late when the statement is over.
type moody struct {
	*fake
	d       *dice
	latency time.Duration
	over    func() bool
	late    int
	faults  int
}

// request is the fault hook of the fake.
func (m *moody) request(_ int, rows []string) error {
	time.Sleep(m.d.upTo(m.latency))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over() {
		m.late++
	}
	for _, r := range rows {
		if strings.Contains(r, "poison") {
			m.faults++
			return &httpError{400, "", 0, "empty text"}
		}
	}
	if len(rows) > 40 {
		m.faults++
		return &httpError{413, "", 0, "request too large"}
	}
	if m.d.chance(0.1) {
		m.faults++
		return []error{errTooMany, errBusy, &netError{}, &httpError{429, "RESOURCE_EXHAUSTED", time.Second, "slow down"}}[m.d.n(4)]
	}
	return nil
}

// TestInterleavings: whatever the order in which rows are awaited, looked up, answered, refused and kept, each distinct row is
// answered once, by the provider or by the cache; what was paid for is in the cache, also of a cancelled statement; and
// nothing is asked after the end.
func TestInterleavings(t *testing.T) {
	for seed := range 10 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { interleave(t, &dice{r: rand.New(rand.NewPCG(uint64(seed), 7))}) })
		})
	}
}

func interleave(t *testing.T, d *dice) {
	distinct := 1 + d.n(2500)
	rows := make([]any, distinct+d.n(distinct+chunkRows))
	for i := range rows {
		n := i
		if i >= distinct {
			n = d.n(distinct)
		}
		rows[i] = fmt.Sprintf("row %05d", n)
		if n%1000 == 999 {
			rows[i] = fmt.Sprintf("poison %05d", n)
		}
	}
	if d.chance(0.5) {
		d.r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	cache := &slowCache{d: d, get: time.Duration(d.n(3)) * 30 * time.Millisecond, put: time.Duration(d.n(3)) * 150 * time.Millisecond}
	scalar, embeds, again := d.chance(0.3), d.chance(0.7), d.chance(0.3)
	f := &fake{}
	spec := func() *Spec {
		s := textSpec(t, f, flat)
		if embeds {
			s = specFor(t, "ML.GENERATE_EMBEDDING", embeddingURL, f)
			s.Limits = dispatch.Limits{Rows: 1 + d.n(80)}
		}
		s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{Concurrency: 1 + d.n(20)})
		s.Retry = dispatch.Retry{Attempts: 40, Deadline: time.Hour}
		s.Cache = cache
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	// The first statement may be cancelled, by its caller or as by a LIMIT; the last asks for all rows.
	for last := false; !last; {
		last = d.chance(0.4)
		var mu sync.Mutex
		ended := false
		m := &moody{fake: f, d: d, latency: time.Duration(d.n(4)) * 40 * time.Millisecond, over: func() bool {
			mu.Lock()
			defer mu.Unlock()
			return ended
		}}
		f.fault = m.request
		ctx, cancel := context.WithCancel(t.Context())
		st, s := dispatch.NewStatement(ctx, dispatch.StatementOptions{}), spec()
		g := group(t, st, s)
		size := []int{chunkRows, 1 + d.n(300)}[d.n(2)]
		type chunk struct{ at, n int }
		var chunks []chunk
		for at := 0; at < len(rows); at += size {
			chunks = append(chunks, chunk{at, min(size, len(rows)-at)})
		}
		if !scalar {
			for at := 0; at < len(rows); at += chunkRows {
				submitted(st, s, g, rows[at:min(at+chunkRows, len(rows))])
			}
			if again { // as when keys are joined with other rows
				chunks = append(chunks, chunks[:1+d.n(len(chunks))]...)
			}
			if d.chance(0.3) {
				d.r.Shuffle(len(chunks), func(i, j int) { chunks[i], chunks[j] = chunks[j], chunks[i] })
			}
		}
		if !last && d.chance(0.5) {
			chunks = chunks[:d.n(len(chunks)+1)]
		} else if !last {
			time.AfterFunc(d.upTo(5*time.Second), cancel)
		}
		var wg sync.WaitGroup
		next := make(chan chunk, len(chunks))
		for _, c := range chunks {
			next <- c
		}
		close(next)
		for range 1 + d.n(4) {
			wg.Go(func() {
				for c := range next {
					time.Sleep(d.upTo(20 * time.Millisecond))
					first := c.at
					if scalar {
						first = submitted(st, s, g, rows[c.at:c.at+c.n])
						g.Remember()
					}
					numbers := make([]int, c.n)
					for i := range numbers {
						numbers[i] = first + i
					}
					vs, err := g.Await(numbers)
					if err != nil {
						if last || !errors.Is(err, context.Canceled) {
							t.Error(err)
						}
						return
					}
					checkAnswers(t, rows[c.at:c.at+c.n], vs)
				}
			})
		}
		wg.Wait()
		st.End()
		mu.Lock()
		ended = true
		mu.Unlock()
		cancel()
		time.Sleep(time.Minute)
		if m.late > 0 || f.flight > 0 {
			t.Errorf("%d requests after the end, %d under way", m.late, f.flight)
		}
		if st.Meter.Reserved() != (dispatch.Budget{}) || st.Meter.Total().Requests < int64(m.faults) {
			t.Errorf("%+v is still reserved after %+v with %d faults", st.Meter.Reserved(), st.Meter.Total(), m.faults)
		}
	}
	if two := f.twice(); len(two) > 0 {
		t.Errorf("%d rows of %d were answered twice, such as %s", len(two), distinct, two[0])
	}
	if good := distinct - distinct/1000; len(f.rows) != good || len(cache.m) != good {
		t.Errorf("%d rows were asked, %d are in the cache, want %d", len(f.rows), len(cache.m), good)
	}
}

// checkAnswers is answered for rows of which some are refused.
func checkAnswers(t *testing.T, rows []any, vs []*verdict) {
	t.Helper()
	for i, v := range vs {
		row := rows[i].(string)
		if refused := strings.HasPrefix(row, "poison"); refused != strings.Contains(v.Status, "empty text") || !refused && v.Status != "" {
			t.Errorf("%s: status %q", row, v.Status)
		} else if !refused {
			answered(t, []any{row}, []*verdict{v})
		}
	}
}

// countingCache panics at its n-th look.
type countingCache struct {
	memoryCache
	panicAt int
	looks   int
}

func (c *countingCache) Get(ctx context.Context, keys []dispatch.Key) ([]*dispatch.Answer, error) {
	c.mu.Lock()
	c.looks++
	n := c.looks
	c.mu.Unlock()
	if n == c.panicAt {
		panic("spoiled")
	}
	return c.memoryCache.Get(ctx, keys)
}

// TestCachePanics: a cache that panics fails the query, also while it is looked at ahead of the reader; it ends no process.
func TestCachePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := textSpec(t, &fake{latency: mockLatency}, flat)
		s.Cache = &countingCache{panicAt: 2}
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		st := dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
		defer st.End()
		if _, err := try(st, s, prompts(3*chunkRows)); !errors.Is(err, udf.ErrPanic) {
			t.Errorf("error %v", err)
		}
	})
}

// TestRememberedOnce: an answer that comes up in every chunk of a scalar function counts once among what is kept for later
// chunks, or the room for them would be used up, and all be asked anew in each chunk.
func TestRememberedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := strings.Repeat("x", 1<<20)
		f := &fake{text: func(string) string { return `{"candidates":[{"content":{"parts":[{"text":"` + long + `"}]}}]}` }}
		s := textSpec(t, f, flat)
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		st := dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
		defer st.End()
		for range 2 * (rememberedBytes >> 20) / 8 {
			group(t, st, s).Remember()
			run(t, st, s, prompts(8))
		}
		if f.n != 8 {
			t.Errorf("%d requests for 8 questions", f.n)
		}
	})
}

// TestAwaitedAgain: a row that is awaited again, before its answer is written, is not asked again.
func TestAwaitedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, rows := &fake{latency: mockLatency}, prompts(10)
		s := textSpec(t, f, flat)
		s.Cache = &slowCache{d: &dice{r: rand.New(rand.NewPCG(1, 1))}, put: time.Second}
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		st := dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
		defer st.End()
		answered(t, rows, run(t, st, s, rows))
		g := group(t, st, s)
		for range 20 { // while it is gathered, while it is written, and afterwards
			vs, err := g.Await([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
			if err != nil {
				t.Fatal(err)
			}
			answered(t, rows, vs)
			time.Sleep(70 * time.Millisecond)
		}
		if f.n != len(rows) {
			t.Errorf("%d requests for %d rows", f.n, len(rows))
		}
	})
}

// TestSlowPut: End does not wait for ever for a slow cache, and says when it is done; all that was paid for is kept then.
func TestSlowPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, cache := &fake{}, &stuckCache{}
		s := textSpec(t, f, flat)
		s.Cache = cache
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		st := dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
		run(t, st, s, prompts(100))
		start := time.Now()
		done := st.End()
		if d := time.Since(start); d != endGrace {
			t.Errorf("End took %v", d)
		}
		<-done
		if len(cache.m) != 100 {
			t.Errorf("%d answers of 100 are kept", len(cache.m))
		}
	})
}

// stuckCache writes after five seconds.
type stuckCache struct{ memoryCache }

func (c *stuckCache) Put(ctx context.Context, entries []dispatch.Entry) error {
	time.Sleep(5 * time.Second)
	return c.memoryCache.Put(ctx, entries)
}

// TestPanicGivesBack: a Service that panics fails its query, and does not keep the budget of the session.
func TestPanicGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		session := &dispatch.Meter{Name: "session", Budget: dispatch.Budget{Tokens: 1000}}
		f := &fake{fault: func(n int, _ []string) error {
			if n == 1 {
				panic("spoiled")
			}
			return nil
		}}
		s := textSpec(t, f, flat)
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		rows := prompts(20)
		st := dispatch.NewStatement(t.Context(), dispatch.StatementOptions{Session: session})
		if _, err := try(st, s, rows[:1]); !errors.Is(err, udf.ErrPanic) {
			t.Errorf("error %v", err)
		}
		st.End()
		if p := st.Progress(); p.InFlight != 0 || session.Reserved() != (dispatch.Budget{}) {
			t.Errorf("%d in flight, %+v reserved", p.InFlight, session.Reserved())
		}
		st = dispatch.NewStatement(t.Context(), dispatch.StatementOptions{Session: session})
		answered(t, rows, run(t, st, s, rows))
		st.End()
	})
}

// TestCancelledWaitTakesNothing: what a request would have taken of the tokens per minute is there for the next statement when
// it is given up while it waits.
func TestCancelledWaitTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := textSpec(t, &fake{}, flat)
		s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{TokensPerMinute: 600})
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		huge := strings.Repeat("word ", 60_000)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		st := dispatch.NewStatement(ctx, dispatch.StatementOptions{})
		if _, err := try(st, s, []any{huge + "1", huge + "2", huge + "3"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		st.End()
		// One of them was sent, on credit, and took little; the second was not.
		start := time.Now()
		st = dispatch.NewStatement(t.Context(), dispatch.StatementOptions{})
		answered(t, []any{"small"}, run(t, st, s, []any{"small"}))
		st.End()
		if d := time.Since(start); d > time.Minute {
			t.Errorf("the next request waited %v", d)
		}
	})
}

// TestFailureEndsAll: when one call of a statement fails, threads that wait for another return at once with the same error,
// and nothing more is asked.
func TestFailureEndsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{latency: time.Hour}
		s := textSpec(t, f, flat)
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		var noted error
		st := dispatch.NewStatement(t.Context(), dispatch.StatementOptions{Fail: func(err error) { noted = err }})
		defer st.End()
		cause := errors.New("another call failed")
		time.AfterFunc(time.Second, func() {
			var err error
			defer st.Guard(&err)
			err = cause
		})
		start := time.Now()
		_, err := try(st, s, prompts(100))
		if d := time.Since(start); d != time.Second || !errors.Is(err, cause) || noted != cause {
			t.Errorf("after %v: %v, %v", d, err, noted)
		}
		if f.n != 8 {
			t.Errorf("%d requests, want the 8 at once", f.n)
		}
	})
}
