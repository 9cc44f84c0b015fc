package dispatch

import (
	"context"
	"fmt"

	"github.com/mallardml/mallard/internal/trace"
)

// awaiting is one Await while it waits.
type awaiting struct {
	waiter
	rows     []int
	verdicts []*Verdict // by place; nil while there is none
	repeats  []bool     // an equal row was wanted before
	look     []*item    // that nobody wanted before
}

// Await gives the verdicts of rows, and sends for them. What they cost is counted, also when it fails: with the statement, or
// because all of them would fail.
func (g *Group) Await(rows []int) ([]*Verdict, error) { return g.await(rows, true) }

// AwaitSome is Await for rows that were picked out of a chunk: they do not tell how the others will be wanted.
func (g *Group) AwaitSome(rows []int) ([]*Verdict, error) { return g.await(rows, false) }

func (g *Group) await(rows []int, telling bool) ([]*Verdict, error) {
	a, err := g.want(rows, telling)
	if err != nil {
		return nil, err
	}
	if g.estimator != nil {
		g.estimate(a)
	} else {
		if len(a.look) > 0 {
			g.settleFound(a.look, g.lookup.find(g.life.ctx, a.look))
		}
		g.dispatch()
	}
	err = g.wait(&a.waiter)
	if fatal := g.give(a, err == nil); fatal != nil {
		return nil, fatal
	}
	if err != nil {
		return nil, err
	}
	return a.verdicts, nil
}

// Hold makes each line of a verdict that was awaited a row of its own, and returns the number of the first. They wait to be
// awaited once, and count nowhere: the row that they are of was counted.
func (g *Group) Hold(v *Verdict) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := len(g.batcher.items)
	for i := range v.Lines {
		part := *v
		part.Lines, part.held = v.Lines[i:i+1], true
		it := &item{verdict: &part}
		it.to(known)
		g.batcher.items = append(g.batcher.items, it)
	}
	return first
}

// want takes note of what is awaited.
func (g *Group) want(rows []int, telling bool) (*awaiting, error) {
	a := &awaiting{
		waiter: waiter{done: make(chan struct{})}, rows: rows, verdicts: make([]*Verdict, len(rows)), repeats: make([]bool, len(rows)),
	}
	g.prog.awaited()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fatal != nil {
		return nil, g.fatal
	}
	lo, hi, n := len(g.batcher.items), -1, 0
	for i, r := range rows {
		if r < 0 || r >= len(g.batcher.items) {
			return nil, fmt.Errorf("internal error, please report it: row %d of %d was not submitted", r, len(g.batcher.items))
		}
		it := g.batcher.items[r]
		if it.state == known && (it.verdict == nil || it.verdict.held) {
			if it.verdict == nil {
				return nil, fmt.Errorf("internal error, please report it: segment %d was awaited before", r)
			}
			a.verdicts[i] = it.verdict
			continue
		}
		lo, hi, n = min(lo, r), max(hi, r), n+1
		if it.early {
			it.early = false
			g.batcher.ahead--
		}
		a.repeats[i] = it.wanted && it.payload != ""
		it.wanted = true
		it.pending++
		switch it.state {
		case known:
			a.verdicts[i] = it.verdict
			g.prog.done(1, it.verdict)
			continue
		case idle, gone:
			it.to(asked)
			a.look = append(a.look, it)
		case looking: // who looks queues it, should the cache not have it
			it.to(asked)
		case missed:
			it.to(asked)
			g.batcher.queue = append(g.batcher.queue, it)
		}
		it.waiters = append(it.waiters, &a.waiter)
		a.left++
	}
	if telling {
		g.batcher.awaited(lo, hi, n)
	}
	return a, nil
}

// wait waits until all is settled, or the statement is over.
func (g *Group) wait(w *waiter) error {
	g.mu.Lock()
	waiting := w.left > 0
	g.mu.Unlock()
	if !waiting {
		return nil
	}
	select {
	case <-w.done:
		return nil
	case <-g.life.ctx.Done():
		return context.Cause(g.life.ctx)
	}
}

// give reads and counts the verdicts that there are; whole says that all are there, and are DuckDB's now.
func (g *Group) give(a *awaiting, whole bool) (fatal error) {
	use := g.call.usage()
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, r := range a.rows {
		it := g.batcher.items[r]
		v := a.verdicts[i]
		if v == nil {
			v = it.verdict
		}
		if v == nil || v.void {
			continue
		}
		a.verdicts[i] = v
		if v.held {
			if whole && g.fatal == nil {
				it.verdict = nil // DuckDB's now
			}
			continue
		}
		use.Rows++
		if v.Status != "" {
			use.Failed++
		}
		if a.repeats[i] {
			use.Repeated++
		} else if v.cached {
			use.Cached++
		}
		if whole && g.fatal == nil {
			g.release(it)
		}
	}
	if t := trace.From(g.life.ctx); t != nil && use.Cached > 0 {
		t.Trace(g.life.ctx, trace.Event{Kind: trace.CacheHit, Model: g.call.Model, Rows: int(use.Cached)})
	}
	if use.Rows > 0 {
		for _, m := range g.meters {
			m.add(use)
		}
	}
	return g.fatal
}

// estimate takes the place of sending in an estimating statement.
func (g *Group) estimate(a *awaiting) {
	g.estimator.read(g.life.ctx, a.look)
	found := g.lookup.find(g.life.ctx, a.look)
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.call.failure("Not sent: this is an estimate.", "ESTIMATE")
	for i, it := range a.look {
		if found != nil && found[i] != nil {
			g.estimator.cached()
			g.settle(it, found[i])
		} else {
			g.estimator.ask(it)
			g.settle(it, v)
		}
	}
	rows := len(a.rows)
	for _, v := range a.verdicts {
		if v != nil && v.held {
			rows--
		}
	}
	g.estimator.sum(rows)
}
