package main

import (
	"context"
	"fmt"
	"math"
	"time"
)

// chunk is the batch that DuckDB hands out and the bare loop is held to.
const chunk = 2048

// throughput races Mallard, the bare loops and Python over one job.
func (b *bench) throughput(ctx context.Context, j *job) error {
	rows := j.rows(b.options)
	m, err := openMallard(ctx, b.dir, "", false, j.name)
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.load(ctx, b.data, j.table); err != nil {
		return err
	}
	plain, err := quickest(ctx, b, j, j.batches[1])
	if err != nil {
		return err
	}
	defer plain.close()
	if err := b.agree(ctx, m, plain, j); err != nil {
		return err
	}
	cs := m.contestants(j, rows, "")
	size, best, err := b.bestBare(ctx, plain, j)
	if err != nil {
		return err
	}
	atChunk, atBest := "bare loop, batch 2048", fmt.Sprintf("bare loop, best batch %d", size)
	cs = append(cs, plain.contestant(atChunk, chunk), best)
	inC, compiled := "", b.compile(ctx, j, plain)
	if compiled != nil {
		defer compiled.close()
		inC = "bare loop in C, batch 2048"
		if _, err := compiled.loop(chunk, b.threads); err != nil { // warm
			return err
		}
		cs = append(cs, contestant{name: inC, rows: rows, run: func(context.Context) (lap, error) { return compiled.loop(chunk, b.threads) }})
	}
	xla := ""
	if j.numeric {
		mx, err := openMallard(ctx, b.dir, "", true, j.name)
		if err != nil {
			return err
		}
		defer mx.close()
		if err := mx.load(ctx, b.data, j.table); err != nil {
			return err
		}
		if _, err := mx.aggregate(ctx, native, j, rows); err != nil { // compiles
			return err
		}
		xla = " with XLA"
		cs = append(cs, mx.contestants(j, rows, xla)...)
	}
	python := ""
	if b.python != "" {
		if python, cs, err = b.pythonContestants(ctx, m, j, rows, cs); err != nil {
			return err
		}
	}
	ts, err := b.race(ctx, j.name, cs)
	if err != nil {
		return err
	}

	b.judge(j, ts, atChunk, atBest, inC, python, xla)
	return nil
}

// judge takes the ratios of a race: over the bare loops, over the loop in C and over Python, those that ran.
func (b *bench) judge(j *job, ts times, atChunk, atBest, inC, python, xla string) {
	add := func(what, ours, theirs string, target float64) {
		if len(ts.wall[ours]) > 0 && len(ts.wall[theirs]) > 0 {
			b.ratios = append(b.ratios, ratio{j.name, what, ts.over(theirs, ours), atLeast, target})
		}
	}
	add("ML_PREDICT, aggregate / bare loop, batch 2048", "ML_PREDICT, aggregate", atChunk, 0.95)
	b.ratios = append(b.ratios, ratio{j.name, "the same in processor time, bare loop / ML_PREDICT",
		quotients(ts.cpu[atChunk], ts.cpu["ML_PREDICT, aggregate"]), atLeast, 0})
	add("ML_PREDICT, aggregate / bare loop in C, batch 2048", "ML_PREDICT, aggregate", inC, 0.95)
	if inC != "" {
		b.ratios = append(b.ratios, ratio{j.name, "the same in processor time, loop in C / ML_PREDICT",
			quotients(ts.cpu[inC], ts.cpu["ML_PREDICT, aggregate"]), atLeast, 0})
	}
	add("ML_PREDICT, aggregate / "+atBest, "ML_PREDICT, aggregate", atBest, 0)
	add("ML_PREDICT, CTAS / bare loop, batch 2048", "ML_PREDICT, CTAS", atChunk, 0)
	add("ML.PREDICT / ML_PREDICT, aggregate", "ML.PREDICT, aggregate", "ML_PREDICT, aggregate", 0.85)
	add("ML.PREDICT / ML_PREDICT, CTAS", "ML.PREDICT, CTAS", "ML_PREDICT, CTAS", 0.85)
	if xla != "" {
		add("XLA: ML_PREDICT, aggregate / Python at its best", "ML_PREDICT, aggregate"+xla, python, j.target)
		add("XLA: ML_PREDICT, CTAS / Python, CTAS", "ML_PREDICT, CTAS"+xla, python+", CTAS", j.target)
		add("XLA: ML_PREDICT, aggregate / Python with XLA", "ML_PREDICT, aggregate"+xla, python+" with XLA", 0)
		add("without XLA: ML_PREDICT, aggregate / Python", "ML_PREDICT, aggregate", python, 0)
		return
	}
	add("ML_PREDICT, aggregate / Python at its best", "ML_PREDICT, aggregate", python, j.target)
	add("ML_PREDICT, CTAS / Python, CTAS", "ML_PREDICT, CTAS", python+", CTAS", j.target)
	add("ML_PREDICT, aggregate / Python, sorted by length", "ML_PREDICT, aggregate", python+", sorted", 0)
}

// contestants are the two forms with the two consumers.
func (m *mallard) contestants(j *job, rows int, suffix string) []contestant {
	var cs []contestant
	for _, f := range []form{native, bigquery} {
		cs = append(cs,
			contestant{string(f) + ", aggregate" + suffix, rows, func(ctx context.Context) (lap, error) {
				return m.aggregate(ctx, f, j, rows)
			}, true},
			contestant{string(f) + ", CTAS" + suffix, rows, func(ctx context.Context) (lap, error) { return m.ctas(ctx, f, j) }, true})
	}
	return cs
}

func (x *bare) contestant(name string, size int) contestant {
	return contestant{name, x.rows(), func(ctx context.Context) (lap, error) { return x.loop(ctx, size, nil) }, true}
}

// bestBare tries batch sizes for the bare loop.
func (b *bench) bestBare(ctx context.Context, x *bare, j *job) (size int, best contestant, err error) {
	if _, err := x.loop(ctx, chunk, nil); err != nil { // warm
		return 0, best, err
	}
	var fastest time.Duration
	for _, n := range j.batches {
		n = min(n, x.rows())
		d, err := x.loop(ctx, n, nil)
		if err != nil {
			return 0, best, err
		}
		b.progress("  bare loop, batch %6d: %s", n, speed(x.rows(), d.wall.Seconds()))
		if fastest == 0 || d.wall < fastest {
			size, fastest = n, d.wall
		}
	}
	return size, x.contestant(fmt.Sprintf("bare loop, best batch %d", size), size), nil
}

// pythonContestants adds Python at its best batch size and gives the name of the one that aggregates.
func (b *bench) pythonContestants(ctx context.Context, m *mallard, j *job, rows int, cs []contestant) (string, []contestant, error) {
	p, err := b.peer()
	if err != nil {
		return "", nil, err
	}
	best, err := b.bestPython(ctx, p, j, rows, false)
	if err != nil {
		return "", nil, err
	}
	sum := best
	sum.Mode = "sum"
	_, theirs, err := p.run(sum)
	if err != nil {
		return "", nil, err
	}
	ours, err := m.checksum(ctx, native, j)
	if err != nil {
		return "", nil, err
	}
	if !near(ours, theirs) {
		return "", nil, fmt.Errorf("all outputs add up to %g, in Python to %g", ours, theirs)
	}
	name := fmt.Sprintf("Python, batch %d, %d threads", best.Batch, best.Workers)
	ctas := best
	ctas.Mode = "ctas"
	cs = append(cs, p.contestant(name, rows, best), p.contestant(name+", CTAS", rows, ctas))
	if j == transformer { // not what one writes first, but what one may come to
		sorted := best
		sorted.Sort, sorted.Batch = true, 32
		cs = append(cs, p.contestant(name+", sorted", rows, sorted))
	}
	if j.numeric {
		x, err := b.bestPython(ctx, p, j, rows, true)
		if err != nil {
			return "", nil, err
		}
		cs = append(cs, p.contestant(name+" with XLA", rows, x))
	}
	return name, cs, nil
}

// agree checks that all ways compute the same values: a fast wrong answer is worth nothing. It also warms everything up.
func (b *bench) agree(ctx context.Context, m *mallard, x *bare, j *job) error {
	want, err := x.checksum(ctx, 256)
	if err != nil {
		return err
	}
	for _, f := range []form{native, bigquery} {
		got, err := m.checksum(ctx, f, j)
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		if !near(got, want) {
			return fmt.Errorf("%s: all outputs add up to %g, in the bare loop to %g", f, got, want)
		}
	}
	return nil
}

// near allows for sums in another order, and for outputs that cancel out.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-4*max(1, math.Abs(a), math.Abs(b)) }
