// Command simulate plays a job of many shards on many workers, to see what stragglers and failures cost before anybody pays for them:
// docs/scale.md has what it prints.
package main

import (
	"container/heap"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"text/tabwriter"
	"time"
)

// plan is a job.
type plan struct {
	workers, shards int
	bundle          int     // shards that a worker is given at once; an unfinished bundle is run again whole
	seconds         float64 // of a shard on a usual worker
	spread          float64 // of the logarithm of that
	start           float64 // seconds until a worker runs its first shard: machine, image, models
	slow, slower    float64 // the share of workers that are slower, and how many times
	fails           float64 // the share of tries of a shard that fail
	deaths          float64 // of a worker, in an hour; another one starts
	staged          bool    // what a bundle has done before its worker died is found again
}

// result is what came of it.
type result struct{ total, ideal, busy, wasted float64 }

// worker is one of them: when it is free, how much slower it is, and when it dies.
type worker struct{ free, slowness, death float64 }

type queue []*worker

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].free < q[j].free }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*worker)) }
func (q *queue) Pop() any {
	old := *q
	w := old[len(old)-1]
	*q = old[:len(old)-1]
	return w
}

// run plays a plan: the next bundle goes to the worker that is free first.
func (p plan) run(seed uint64) (r result) {
	rnd := rand.New(rand.NewPCG(seed, 17))
	newWorker := func(at float64) *worker {
		w := &worker{free: at + p.start, slowness: 1, death: math.Inf(1)}
		if rnd.Float64() < p.slow {
			w.slowness = p.slower
		}
		if p.deaths > 0 {
			w.death = at + rnd.ExpFloat64()*3600/p.deaths
		}
		return w
	}
	work := make([]float64, p.shards)
	sum := 0.0
	for i := range work {
		work[i] = p.seconds * math.Exp(p.spread*rnd.NormFloat64()-p.spread*p.spread/2)
		sum += work[i]
	}
	var bundles [][]float64
	for len(work) > 0 {
		n := min(p.bundle, len(work))
		bundles, work = append(bundles, work[:n:n]), work[n:]
	}
	var q queue
	for range p.workers {
		q = append(q, newWorker(0))
	}
	heap.Init(&q)
	for len(bundles) > 0 {
		w := q[0]
		b := bundles[0]
		bundles = bundles[1:]
		at, done := w.free, 0
		for ; done < len(b); done++ {
			took := b[done] * w.slowness
			for rnd.Float64() < p.fails {
				at, r.wasted = at+took/2, r.wasted+took/2
			}
			if at+took > w.death {
				break
			}
			at += took
			r.busy += took
		}
		if done < len(b) { // its worker died
			rest := b
			if p.staged {
				rest = b[done:]
			} else {
				for _, s := range b[:done] {
					r.wasted += s * w.slowness
				}
			}
			bundles = append(bundles, rest)
			r.wasted += max(0, w.death-at)
			*w = *newWorker(w.death)
		} else {
			w.free = at
			r.total = max(r.total, at)
		}
		heap.Fix(&q, 0)
	}
	r.ideal = p.start + sum/float64(p.workers)
	return r
}

func main() {
	p := plan{bundle: 1, spread: 0.3, slower: 5, staged: true}
	flag.IntVar(&p.workers, "workers", 1000, "how many")
	flag.IntVar(&p.shards, "shards", 100_000, "how many")
	flag.Float64Var(&p.seconds, "seconds", 30, "of a shard")
	flag.Float64Var(&p.start, "start", 90, "seconds until a worker runs its first shard")
	flag.Parse()
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "what happens\ttotal\tover the ideal\tworked in vain")
	for _, c := range []struct {
		name string
		with func(*plan)
	}{
		{"nothing", func(*plan) {}},
		{"1 in 20 workers is 5 times slower", func(p *plan) { p.slow = 0.05 }},
		{"and 1 in 50 tries of a shard fails", func(p *plan) { p.slow, p.fails = 0.05, 0.02 }},
		{"and a worker dies each 2 hours", func(p *plan) { p.slow, p.fails, p.deaths = 0.05, 0.02, 0.5 }},
		{"the same, in bundles of 100 shards", func(p *plan) { p.slow, p.fails, p.deaths, p.bundle = 0.05, 0.02, 0.5, 100 }},
		{"the same, and what is done is not found again", func(p *plan) {
			p.slow, p.fails, p.deaths, p.bundle, p.staged = 0.05, 0.02, 0.5, 100, false
		}},
	} {
		of := p
		c.with(&of)
		r := of.run(1)
		fmt.Fprintf(out, "%s\t%s\t%.2f\t%.1f %%\n", c.name, time.Duration(r.total*float64(time.Second)).Round(time.Second), r.total/r.ideal,
			100*r.wasted/(r.busy+r.wasted))
	}
	if err := out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}
