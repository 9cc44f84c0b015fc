package functions

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// spend keeps a processor busy, as an engine does.
func spend(d time.Duration) {
	for begin := time.Now(); time.Since(begin) < d; {
	}
}

// watch is a clock that only work moves on, so that what a model learns does not depend on the machine.
type watch struct{ ns atomic.Int64 }

func (w *watch) now() time.Time { return time.Unix(0, w.ns.Load()) }

func (w *watch) spend(d time.Duration) { w.ns.Add(int64(d)) }

// transformer costs what padding to the longest text of a batch costs.
func transformer(perByte time.Duration, spend func(time.Duration)) func(context.Context, []Tensor) ([]Tensor, error) {
	return func(ctx context.Context, in []Tensor) ([]Tensor, error) {
		longest := 0
		for _, s := range in[0].Strings {
			longest = max(longest, len(s))
		}
		spend(100*time.Microsecond + time.Duration(longest*len(in[0].Strings))*perByte)
		return lengths(ctx, in)
	}
}

const mixedTexts = `SELECT i AS id, repeat('x', CASE WHEN hash(i) %% 20 = 0 THEN 400 + (hash(i) %% 97)::INT ELSE 10 + (hash(i) %% 31)::INT END) || i AS input FROM range(%d) t(i)`

// TestSlowTextModel wants small sorted batches: padding is what a mixed batch pays for.
func TestSlowTextModel(t *testing.T) {
	b := newBed(t)
	m := lengthModel()
	var w watch
	m.tune.clock = w.now
	e := b.add(m, Native, transformer(3*time.Microsecond, w.spend))
	b.must(fmt.Sprintf(`CREATE TABLE w AS `+mixedTexts, 3000))
	check := `SELECT count(*) FILTER (dense_1[1] = length(input)) FROM `
	if got := b.one(check + predictSQL(m, Native, "SELECT * FROM w")); got != "3000" {
		t.Fatalf("%s rows are right", got)
	}
	batch := m.tune.batch.Load()
	if batch != smallBatch {
		t.Errorf("batch of %d chosen, want %d", batch, smallBatch)
	}
	if !m.tune.materialize.Load() && m.tune.rowCost() > materialAt {
		t.Errorf("a row costs %.0f ns and the input is not materialised", m.tune.rowCost())
	}
	e.reset()
	if got := b.one(check + predictSQL(m, Native, "SELECT * FROM w")); got != "3000" {
		t.Fatalf("%s rows are right", got)
	}
	if big := slices.Max(e.sizes); big > int(batch) {
		t.Errorf("a batch of %d rows was run after learning", big)
	}
}

// TestFastTextModel wants whole chunks as they lie, in one run each.
func TestFastTextModel(t *testing.T) {
	b := newBed(t)
	m := lengthModel()
	var sorted atomic.Int64
	var w watch
	m.tune.clock = w.now
	e := b.add(m, Native, func(ctx context.Context, in []Tensor) ([]Tensor, error) {
		if len(in[0].Strings) > 100 && slices.IsSortedFunc(in[0].Strings, func(a, b string) int { return len(b) - len(a) }) {
			sorted.Add(1)
		}
		w.spend(60 * time.Microsecond)
		return lengths(ctx, in)
	})
	b.must(fmt.Sprintf(`CREATE TABLE w AS `+mixedTexts, 20480))
	if err := m.Probe(context.Background()); err != nil {
		t.Fatal(err)
	}
	if m.tune.materialize.Load() {
		t.Error("the input of a fast model is materialised")
	}
	b.must(`SELECT sum(dense_1[1]) FROM ` + predictSQL(m, Native, "SELECT * FROM w"))
	e.reset()
	b.must(`SELECT sum(dense_1[1]) FROM ` + predictSQL(m, Native, "SELECT * FROM w"))
	if got := e.runs.Load(); got != 10 {
		t.Errorf("%d runs for 10 chunks: %v", got, e.sizes)
	}
	if sorted.Load() > 0 {
		t.Error("chunks of a fast model were sorted")
	}
}

// TestPerRunCost wants large batches where a run costs much and a row little.
func TestPerRunCost(t *testing.T) {
	b := newBed(t)
	m := numbers()
	var w watch
	m.tune.clock = w.now
	b.add(m, Native, func(ctx context.Context, in []Tensor) ([]Tensor, error) {
		w.spend(2*time.Millisecond + time.Duration(in[0].Shape[0])*8*time.Microsecond)
		return echo(ctx, in[:1])
	})
	m.Outputs[0].Shape = []int64{-1}
	b.must(`SELECT sum(y) FROM ` + predictSQL(m, Native, "SELECT i::FLOAT AS a, i::FLOAT AS b, i::FLOAT AS c, i::FLOAT AS d FROM range(6000) t(i)"))
	if got := m.tune.batch.Load(); got < largeBatch {
		t.Errorf("batch of %d chosen, want at least %d", got, largeBatch)
	}
}

// TestStalls wants large runs again where a busy machine made the first ones long.
func TestStalls(t *testing.T) {
	b := newBed(t)
	b.must("CREATE TABLE w AS SELECT i::FLOAT AS a, i::FLOAT AS b, i::FLOAT AS c, i::FLOAT AS d FROM range(200000) t(i)")
	for name, tt := range map[string]struct {
		run   time.Duration // beside what the rows take
		stall func(rows int64) time.Duration
		runs  int // at most, for the 98 chunks of the table, which two threads see take twice as long
	}{
		"in the first rows":                {20 * time.Microsecond, func(int64) time.Duration { return time.Second }, 98 * 4},
		"in all but the smallest batches":  {time.Millisecond, func(rows int64) time.Duration { return time.Duration(rows-smallBatch) * time.Millisecond }, 98 * 8},
		"in the first rows of slower runs": {time.Millisecond, func(rows int64) time.Duration { return time.Second }, 98 * 8},
	} {
		t.Run(name, func(t *testing.T) {
			m := numbers()
			m.Outputs[0].Shape = []int64{-1}
			var w watch
			m.tune.clock = w.now
			var calm atomic.Bool
			e := b.add(m, Native, func(ctx context.Context, in []Tensor) ([]Tensor, error) {
				w.spend(tt.run + time.Duration(in[0].Shape[0])*8*time.Microsecond/10)
				if !calm.Load() {
					w.spend(max(0, tt.stall(in[0].Shape[0])))
				}
				return echo(ctx, in[:1])
			})
			b.must("SELECT sum(y) FROM " + predictSQL(m, Native, "SELECT * FROM w LIMIT 2048"))
			calm.Store(true)
			b.must("SELECT sum(y) FROM " + predictSQL(m, Native, "SELECT * FROM w"))
			e.reset()
			b.must("SELECT sum(y) FROM " + predictSQL(m, Native, "SELECT * FROM w"))
			if got := int(e.runs.Load()); got > tt.runs {
				t.Errorf("%d runs for 98 chunks, %.0f ns a row, batches of %d", got, m.tune.rowCost(), m.tune.batch.Load())
			}
		})
	}
}

func TestBatchSize(t *testing.T) {
	b := newBed(t)
	m := lengthModel()
	m.BatchSize = 100
	e := b.add(m, Native, lengths)
	right := func(m *Model) string {
		return b.one(`SELECT count(*) FILTER (dense_1[1] = length(input)) FROM ` + predictSQL(m, Native, "SELECT repeat('x', (i % 50)::INT) AS input FROM range(2048) t(i)"))
	}
	if got := right(m); got != "2048" {
		t.Errorf("%s rows are right", got)
	}
	if slices.Max(e.sizes) != 100 || len(e.sizes) != 21 {
		t.Errorf("runs of %v, want 20 of 100 and one of 48", e.sizes)
	}
	fixed := lengthModel()
	fixed.FixedBatch = 7
	e = b.add(fixed, Native, lengths)
	b.host.q.Rows.Store(0)
	if got := right(fixed); got != "2048" {
		t.Errorf("fixed batch: %s rows are right", got)
	}
	if slices.Min(e.sizes) != 7 || slices.Max(e.sizes) != 7 || len(e.sizes) != 293 {
		t.Errorf("fixed batch: %d runs, want 293 of 7 rows", len(e.sizes))
	}
	if got := b.host.q.Rows.Load(); got != 2048 {
		t.Errorf("fixed batch: %d rows are done, want 2048", got)
	}
}

// TestWorkers wants a slow model on all processors although DuckDB uses a single thread.
func TestWorkers(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("one processor")
	}
	b := newBed(t)
	b.must("SET threads = 1")
	m := lengthModel()
	var now, most atomic.Int64
	b.add(m, Native, func(ctx context.Context, in []Tensor) ([]Tensor, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		spend(time.Duration(len(in[0].Strings)) * 200 * time.Microsecond)
		return lengths(ctx, in)
	})
	if got := b.one(`SELECT count(*) FILTER (dense_1[1] = length(input)) FROM ` + predictSQL(m, Native, fmt.Sprintf(mixedTexts, 2000))); got != "2000" {
		t.Errorf("%s rows are right", got)
	}
	if got := most.Load(); got < 2 || got > int64(runtime.GOMAXPROCS(0)) {
		t.Errorf("%d runs at once, want 2 to %d", got, runtime.GOMAXPROCS(0))
	}
	if n := busy.Load(); n != 0 {
		t.Errorf("%d goroutines are counted as busy after the statement", n)
	}
}

// TestRepeats wants each distinct row of a slow model inferred once per chunk, and all of a model with state.
func TestRepeats(t *testing.T) {
	for _, types := range []Types{Native, BigQuery} {
		b := newBed(t)
		m := &Model{
			Inputs:    []Port{{Name: "s", DType: String, Shape: []int64{-1}}, {Name: "v", DType: Float32, Shape: []int64{-1, -1}}},
			Outputs:   []Port{{Name: "s2", DType: String, Shape: []int64{-1}}, {Name: "v2", DType: Float32, Shape: []int64{-1, -1}}},
			Stateless: true,
		}
		e := b.add(m, types, func(ctx context.Context, in []Tensor) ([]Tensor, error) {
			spend(time.Duration(in[0].Shape[0]) * 50 * time.Microsecond)
			return echo(ctx, in)
		})
		m.tune.firm.Store(true)
		m.tune.setCost(50_000)
		q := `SELECT count(*), count(*) FILTER (s2 = s AND v2 = v::` + m.Outputs[1].SQLType(types) + `) FROM ` +
			predictSQL(m, types, "SELECT 'a text of more than twelve bytes ' || i % 5 AS s, [i % 3, 2, 3][1:1 + i % 2] AS v FROM range(2000) t(i)")
		got := b.must(q)
		if got[0][1] != "2000" {
			t.Errorf("%s of %s rows are right", got[0][1], got[0][0])
		}
		if n := e.rows.Load(); n != 30 {
			t.Errorf("%d rows inferred, want the 30 distinct ones", n)
		}
		if n := b.host.q.Rows.Load(); n != 2000 {
			t.Errorf("%d rows are done, want 2000", n)
		}
		e.reset()
		m.Stateless = false
		b.must(q)
		if n := e.rows.Load(); n != 2000 {
			t.Errorf("model with state: %d rows inferred, want 2000", n)
		}
	}
}

// TestCancel wants a slow statement to notice the end of its context between runs.
func TestCancel(t *testing.T) {
	b := newBed(t)
	m := lengthModel()
	b.add(m, Native, transformer(50*time.Microsecond, spend)) // some 4 ms a row
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.host.mu.Lock()
	b.host.q = &Query{Context: ctx, Fail: b.host.q.Fail}
	b.host.mu.Unlock()
	var stopped time.Time
	time.AfterFunc(500*time.Millisecond, func() { stopped = time.Now(); cancel() })
	_, err := b.query(predictSQL2(m, Native, fmt.Sprintf(mixedTexts, 2000)))
	if err == nil || len(b.host.failed) == 0 || !errors.Is(b.host.failed[0], context.Canceled) {
		t.Fatalf("got error %v, noted %v", err, b.host.failed)
	}
	if late := time.Since(stopped); late > 5*time.Second { // 0.3 on a quiet machine; all of it takes many times as long
		t.Errorf("the statement ended %v after it was cancelled", late)
	}
	if _, err := b.query(predictSQL2(m, Native, "SELECT 'x' AS input")); err == nil {
		t.Error("a statement ran although its context had ended")
	}
}

// TestHelperFault wants an error or a panic on a helper's goroutine to fail the statement only.
func TestHelperFault(t *testing.T) {
	b := newBed(t)
	for _, fault := range []string{"error", "panic"} {
		m := lengthModel()
		var runs atomic.Int64
		b.add(m, Native, func(ctx context.Context, in []Tensor) ([]Tensor, error) {
			if runs.Add(1) > 6 {
				if fault == "panic" {
					panic("boom")
				}
				return nil, errFake
			}
			spend(time.Duration(len(in[0].Strings)) * time.Millisecond)
			return lengths(ctx, in)
		})
		if _, err := b.query(predictSQL2(m, Native, fmt.Sprintf(mixedTexts, 500))); err == nil {
			t.Errorf("%s: no error", fault)
		}
		if n := busy.Load(); n != 0 {
			t.Errorf("%s: %d goroutines are counted as busy", fault, n)
		}
	}
}

func TestProbe(t *testing.T) {
	var w watch
	slow := func(d time.Duration) func(context.Context, []Tensor) ([]Tensor, error) {
		return func(ctx context.Context, in []Tensor) ([]Tensor, error) {
			w.spend(time.Duration(in[0].Shape[0]) * d)
			return echo(ctx, in)
		}
	}
	all := []Port{{Name: "s", DType: String, Shape: []int64{-1}}, {Name: "h", DType: Float16, Shape: []int64{-1, 2}}, {Name: "v", DType: Float64, Shape: []int64{-1, -1, 3}}}
	for _, tt := range []struct {
		name  string
		m     *Model
		f     func(context.Context, []Tensor) ([]Tensor, error)
		slow  bool
		limit time.Duration
	}{
		{"slow", &Model{Inputs: all, Stateless: true}, slow(500 * time.Microsecond), true, 100 * time.Millisecond},
		{"very slow", &Model{Inputs: all, Stateless: true}, slow(60 * time.Millisecond), true, 300 * time.Millisecond},
		{"fast", &Model{Inputs: all, Stateless: true}, slow(time.Microsecond), false, 50 * time.Millisecond},
		{"fixed batch", &Model{Inputs: all, Stateless: true, FixedBatch: 4}, slow(time.Millisecond), true, 50 * time.Millisecond},
		{"broken", &Model{Inputs: all, Stateless: true}, func(context.Context, []Tensor) ([]Tensor, error) { return nil, errFake }, false, 50 * time.Millisecond},
		{"panicking", &Model{Inputs: all, Stateless: true}, func(context.Context, []Tensor) ([]Tensor, error) { panic("boom") }, false, 50 * time.Millisecond},
		{"with state", &Model{Inputs: all}, func(context.Context, []Tensor) ([]Tensor, error) {
			t.Error("a model with state was run")
			return nil, errFake
		}, false, 50 * time.Millisecond},
	} {
		e := &fakeEngine{f: tt.f}
		m := tt.m
		m.Outputs = m.Inputs
		m.Open = func(context.Context) (Engine, error) { return e, nil }
		m.tune.clock = w.now
		begin := w.now()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := m.Probe(context.Background()); err != nil {
					t.Errorf("%s: %v", tt.name, err)
				}
			})
		}
		wg.Wait()
		if took := w.now().Sub(begin); took > tt.limit {
			t.Errorf("%s: the probe took %v", tt.name, took)
		}
		if got := m.tune.materialize.Load(); got != tt.slow {
			t.Errorf("%s: materialised %v, a row costs %.0f ns", tt.name, got, m.tune.rowCost())
		}
		if n := e.runs.Load(); n > 1+3+3 { // one to prepare, the quickest of three for one row and for a batch
			t.Errorf("%s: %d runs, the probe was repeated", tt.name, n)
		}
	}
	m := &Model{Inputs: all, Outputs: all, Stateless: true, Open: func(context.Context) (Engine, error) { return nil, errFake }}
	if err := m.Probe(context.Background()); !errors.Is(err, errFake) {
		t.Errorf("a model that cannot be opened: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := m.Probe(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestConcurrent lets several statements teach and use one model at once, on several threads each.
func TestConcurrent(t *testing.T) {
	b := newBed(t)
	b.must("SET threads = 4")
	b.must("CREATE TABLE w AS " + fmt.Sprintf(mixedTexts, 5000))
	m := lengthModel()
	b.add(m, Native, transformer(100*time.Nanosecond, spend))
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			in := fmt.Sprintf("SELECT * FROM w WHERE id %% %d = 0", i+1)
			q := "SELECT count(*) FILTER (dense_1[1] IS DISTINCT FROM length(input)) FROM " + predictSQL(m, Native, in)
			for range 3 {
				if err := m.Probe(context.Background()); err != nil {
					t.Error(err)
				}
				switch got, err := b.query(q); {
				case err != nil:
					t.Error(err)
				case got[0][0] != "0":
					t.Errorf("%s: %s rows are wrong", in, got[0][0])
				}
			}
		})
	}
	wg.Wait()
	if n := busy.Load(); n != 0 {
		t.Errorf("%d goroutines are counted as busy", n)
	}
}
