package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

// measure is one entry of the registry.
type measure struct {
	name, about string
	run         func(ctx context.Context, b *bench) error
}

var measures = []measure{
	{"classifier", "one title to three classes", func(ctx context.Context, b *bench) error { return b.throughput(ctx, classifier) }},
	{"embedding", "one title to fifty numbers", func(ctx context.Context, b *bench) error { return b.throughput(ctx, embedding) }},
	{"perceptron", "four columns to three classes", func(ctx context.Context, b *bench) error { return b.throughput(ctx, perceptron) }},
	{"transformer", "a six-layer encoder on texts of mixed length", func(ctx context.Context, b *bench) error {
		return b.throughput(ctx, transformer)
	}},
	{"isolated", "models in a process of their own over the same in this one", isolated},
	{"onerow", "one prepared row against one bare run", oneRow},
	{"coldstart", "a new process until its first row", coldStart},
	{"googlesql", "what Google's analyzer takes to read a statement", analysis},
	{"tpch", "TPC-H in GoogleSQL over the same in DuckDB's SQL", tpch},
	{"select", "SELECT 1 over plain duckdb-go", selectOne},
	{"memory", "peak memory of many rows over that of few", memory},
	{"slow", "a millisecond a row: full chunks, small chunks, threads", slowModel},
	{"remote", "a provider that takes 50 ms to answer", remote},
	{"faults", "a provider that answers every tenth request with 429", faults},
	{"objects", "listing and reading the objects of a bucket", objects},
}

// options are the flags.
type options struct {
	rows, rounds int
	time         time.Duration // of the whole run; 0 for no bound
	steady       time.Duration // how long a contestant runs in a round at least: short jobs are repeated and their median is taken
	noPython     bool
	dir          string
	cpuProfile   string
}

var defaults = options{rows: 500_000, rounds: 5, time: 14 * time.Minute, steady: 400 * time.Millisecond,
	dir: filepath.Join("build", "bench")}

// contestant is one way of doing a job.
type contestant struct {
	name string
	rows int
	// run does the job once.
	run func(ctx context.Context) (lap, error)
	// inside says that the job runs in this process, so that a profile of it tells something.
	inside bool
}

// lap is what one run took. Zeros mean: what the call took, as seen from outside.
type lap struct{ wall, cpu time.Duration }

// repeats is how often a short job runs in a round at most.
const repeats = 7

// race runs contestants in turns, in the opposite order every other round, and returns the seconds of each by name.
func (b *bench) race(ctx context.Context, name string, cs []contestant) (times, error) {
	ts := times{wall: map[string][]float64{}, cpu: map[string][]float64{}}
	for round := 0; !b.enough(round); round++ {
		order := slices.Clone(cs)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, c := range order {
			d, err := b.several(ctx, name, c, round == 0)
			if err != nil {
				return times{}, fmt.Errorf("%s: %w", c.name, err)
			}
			b.progress("  round %d/%d  %-42s %9s  %s", round+1, b.rounds, c.name, seconds(d.wall.Seconds()), speed(c.rows, d.wall.Seconds()))
			ts.wall[c.name] = append(ts.wall[c.name], d.wall.Seconds())
			ts.cpu[c.name] = append(ts.cpu[c.name], d.cpu.Seconds())
			b.rounds_ = append(b.rounds_, round_{name, c.name, round + 1, c.rows, d.wall.Seconds(), d.cpu.Seconds()})
		}
	}
	for _, c := range cs {
		b.entries = append(b.entries, entry{measure: name, name: c.name, rows: c.rows, seconds: median(ts.wall[c.name]),
			cpu: median(ts.cpu[c.name])})
	}
	return ts, nil
}

func (b *bench) several(ctx context.Context, name string, c contestant, profile bool) (lap, error) {
	if b.cpuProfile != "" && profile && c.inside {
		stop, err := b.profile(name + "-" + c.name)
		if err != nil {
			return lap{}, err
		}
		defer stop()
	}
	runtime.GC()
	var laps []lap
	for total := time.Duration(0); len(laps) == 0 || total < b.steady && len(laps) < repeats && c.rows > 1; {
		d, err := b.once(ctx, c)
		if err != nil {
			return lap{}, err
		}
		laps = append(laps, d)
		total += d.wall
	}
	slices.SortFunc(laps, func(a, b lap) int { return cmp.Compare(a.wall, b.wall) })
	return laps[len(laps)/2], nil
}

func (b *bench) once(ctx context.Context, c contestant) (lap, error) {
	if err := ctx.Err(); err != nil {
		return lap{}, err
	}
	begin, before := time.Now(), cpuTime()
	d, err := c.run(ctx)
	if d.wall == 0 {
		d.wall = time.Since(begin)
	}
	if d.cpu == 0 && c.inside {
		d.cpu = cpuTime() - before
	}
	return d, err
}

// profile starts a CPU profile and gives the function that ends it.
func (b *bench) profile(name string) (stop func(), err error) {
	f, err := os.Create(filepath.Join(b.cpuProfile, strings.NewReplacer(" ", "-", ",", "", ".", "_", "%", "percent", "×", "x", "(", "", ")",
		"").Replace(name)+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, nil
}

// times are the seconds of every round, by contestant: passed, and of processors' time.
type times struct{ wall, cpu map[string][]float64 }

// over gives the quotient of two contestants round by round: what happens to a noisy machine happens to both.
func (t times) over(a, b string) []float64 { return quotients(t.wall[a], t.wall[b]) }

func quotients(a, b []float64) []float64 {
	qs := make([]float64, len(a))
	for i := range qs {
		qs[i] = a[i] / b[i]
	}
	return qs
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

func speed(rows int, seconds float64) string {
	if rows == 0 || seconds == 0 {
		return ""
	}
	switch r := float64(rows) / seconds; {
	case r >= 1e6:
		return fmt.Sprintf("%.2fM rows/s", r/1e6)
	case r >= 10e3:
		return fmt.Sprintf("%.0fk rows/s", r/1e3)
	default:
		return fmt.Sprintf("%.0f rows/s", r)
	}
}
