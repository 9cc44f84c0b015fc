package dispatch

import (
	"errors"
	"fmt"
	"time"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/udf"
)

// dispatch makes sure that somebody sends.
func (g *Group) dispatch() {
	g.mu.Lock()
	start := !g.running
	g.running = true
	g.mu.Unlock()
	if start && !g.life.start(g.run) {
		return
	}
	g.rouse()
}

// run sends batches while the statement lives.
func (g *Group) run() {
	defer rescue(g.abort)
	for {
		s := g.next()
		b := s.send
		switch {
		case len(s.look) > 0:
			g.settleFound(s.look, g.lookup.find(g.life.ctx, s.look))
		case b == nil:
			if !g.idle(s.at) {
				return
			}
		case b.unread:
			if !g.life.start(func() {
				defer rescue(g.abort)
				g.prepare(b)
			}) {
				return
			}
		default:
			release, err := g.sender.admit(b.tokens, g.lookSoon)
			if err != nil {
				return
			}
			if !g.life.start(func() {
				defer release()
				defer rescue(g.abort)
				g.send(b, release)
			}) {
				release()
				return
			}
		}
	}
}

// idle waits for something to do, at the latest until a time. It reports false when the statement is over.
func (g *Group) idle(at time.Time) bool {
	var timer <-chan time.Time
	if !at.IsZero() {
		t := time.NewTimer(time.Until(at))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-g.wake:
	case <-timer:
	case <-g.life.ctx.Done():
		return false
	}
	return true
}

// next is what to do now.
func (g *Group) next() step {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped != nil {
		g.settleAsked(g.batcher.drain(), g.stopped)
		return step{}
	}
	g.batcher.cached = !g.lookup.off.Load()
	return g.batcher.next(time.Now())
}

// lookSoon looks up, while all places are taken, the rows that will be wanted when some are free.
func (g *Group) lookSoon() {
	g.mu.Lock()
	var look []*item
	if g.stopped == nil {
		look = g.batcher.lookSoon()
	}
	g.mu.Unlock()
	if len(look) > 0 {
		g.settleFound(look, g.lookup.find(g.life.ctx, look))
	}
}

// prepare reads the objects of a row, looks it up in the cache, and leaves it to be sent.
func (g *Group) prepare(b *batch) {
	it := b.items[0]
	r, status, held, err := g.loader.load(g.life.ctx, it.payload)
	if err != nil {
		if errors.Is(err, udf.ErrPanic) {
			g.abort(err)
		}
		return // otherwise the statement is over
	}
	if !g.prepared(b, r, status, held) {
		return
	}
	found := g.lookup.find(g.life.ctx, b.items)
	g.mu.Lock()
	defer g.mu.Unlock()
	if found != nil && it.state == asked {
		g.settle(it, found[0])
	}
	if it.state != asked {
		g.batcher.preparing--
	} else {
		b.unread, b.fresh, b.ready = false, true, time.Now()
		g.batcher.push(b)
	}
	g.rouse()
}

// prepared takes note of a row's request. It reports false when the row is settled.
func (g *Group) prepared(b *batch, r Request, status string, held int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	it := b.items[0]
	if it.state == asked && status == "" {
		it.held, it.request = held, &r
		return true
	}
	g.loader.release(held)
	if it.state == asked { // otherwise the query failed meanwhile
		g.settle(it, g.call.failure(status, "NOT SENT"))
	}
	g.batcher.preparing--
	g.rouse()
	return false
}

// send asks for a batch and sees to what comes of it.
func (g *Group) send(b *batch, release func()) {
	requests, stop := g.take(b)
	if stop != nil {
		g.settleAll(b.items, stop)
		return
	}
	if len(requests) == 0 { // all were settled meanwhile
		return
	}
	r := g.sender.send(b, requests, release)
	switch {
	case r.err != nil:
		if errors.Is(r.err, udf.ErrPanic) || g.life.ctx.Err() == nil {
			g.abort(r.err)
		}
	case r.over != "":
		g.stop(r.over, "BUDGET")
		g.settleAll(b.items, g.call.failure(r.over, "BUDGET"))
	case r.fault != nil:
		g.failed(b, *r.fault, g.sender.decide(*r.fault, b, r.sent))
	default:
		g.answered(b.items, r.answers)
	}
}

// take gives the requests of a batch that is about to be sent, without the rows that were settled meanwhile.
func (g *Group) take(b *batch) (requests []string, stop *Verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b.fresh {
		b.fresh = false
		g.batcher.preparing--
		g.rouse()
	}
	if g.stopped != nil {
		return nil, g.stopped
	}
	left := b.items[:0:0]
	for _, it := range b.items {
		if it.state == asked {
			left = append(left, it)
			requests = append(requests, it.body())
		}
	}
	b.items = left
	return requests, nil
}

// answered keeps the answers to a batch and settles its rows.
func (g *Group) answered(items []*item, answers []Answer) {
	verdicts := make([]*Verdict, len(items))
	var save []Entry
	for i, a := range answers {
		lines, status := g.call.Codec.Read(a.Body)
		verdicts[i] = &Verdict{Lines: lines, Status: status}
		if status != "" {
			verdicts[i].cause = "ANSWER"
			if lines == nil {
				verdicts[i].Lines = [][]any{g.call.Codec.Missing()}
			}
		} else if it := items[i]; g.call.Cache != nil && it.keeps() {
			save = append(save, Entry{it.key(g.call), a})
		} else if g.call.Cache != nil {
			g.prog.unversioned(it.request.Unversioned)
		}
	}
	g.saver.save(save) // first: a settled row may be awaited again at once
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, it := range items {
		if it.state == asked {
			g.settle(it, verdicts[i])
		}
	}
}

// failed carries out what was decided about a batch that failed.
func (g *Group) failed(b *batch, f Fault, d decision) {
	if d.action == abort {
		g.fail(fmt.Errorf("model %s: %w", g.call.Model, f.Fatal), b.items, g.call.failure(d.status, f.Reason))
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.call.failure(d.status, f.Reason)
	switch d.action {
	case retry:
		b.ready, b.retried = d.at, true
		g.batcher.push(b)
	case halve:
		g.batcher.halve(b, f.Large, time.Now())
	case stop:
		if g.stopped == nil {
			g.stopped = v
		}
		g.settleAsked(b.items, v)
	case refuse:
		if d.words != "" {
			if g.hopeless[d.words]++; g.hopeless[d.words] == d.limit && g.stopped == nil {
				g.stopped = g.call.failure(fmt.Sprintf("%s (not sent: %s failed like this, and none succeeded)", d.status, amount.Of(d.limit, "row")),
					f.Reason)
			}
		}
		g.settleAsked(b.items, v)
	}
	g.rouse()
}
