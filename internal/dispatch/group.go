package dispatch

import (
	"strings"
	"sync"
)

// Group is one call of a function in a running statement: its rows, their answers, and what is on its way.
//
// A row is submitted, then perhaps awaited. Only awaited rows are asked, and, once whole chunks are awaited one after the
// other, the rows that will come next.
type Group struct {
	ID uint32 // unique in the process

	call      *Call
	life      *lifetime
	prog      *tracker
	meters    []*Meter
	saver     *saver
	lookup    *lookup
	loader    *loader
	sender    *sender
	estimator *estimator    // of an estimating statement, which sends nothing
	wake      chan struct{} // to run, with room for one

	mu         sync.Mutex
	batcher    batcher
	unique     map[string]*item // by payload
	running    bool
	stopped    *Verdict       // budget reached, endpoint hopeless: rows not sent yet get this
	fatal      error          // the query fails
	hopeless   map[string]int // single rows that failed, by their words, while nothing succeeded
	remember   bool           // of a scalar function: equal rows come in other chunks, too
	remembered int            // bytes
}

func newGroup(id uint32, c *Call, life *lifetime, prog *tracker, meters []*Meter, estimates bool) *Group {
	g := &Group{
		ID: id, call: c, life: life, prog: prog, meters: meters, loader: newLoader(c.Codec), wake: make(chan struct{}, 1),
		batcher: newBatcher(c.Limits, c.Connection.o.Concurrency, c.Cache != nil), unique: map[string]*item{}, hopeless: map[string]int{},
	}
	g.saver = newSaver(c.Cache, life, prog, g.abort)
	g.lookup = &lookup{call: c, saver: g.saver, prog: prog}
	g.lookup.off.Store(c.Cache == nil)
	g.sender = &sender{call: c, life: life, prog: prog, meters: meters, pacer: c.Connection.pacer(c.Endpoint)}
	if estimates {
		g.estimator = &estimator{call: c}
	}
	return g
}

// Remember keeps answers for equal rows that come later: those of a scalar function come in other chunks, too.
func (g *Group) Remember() {
	g.prog.asking()
	g.mu.Lock()
	g.remember = true
	g.mu.Unlock()
}

// Submit takes note of rows and returns the number of the first. A row with a status will not be asked.
func (g *Group) Submit(rows []Row) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := len(g.batcher.items)
	var fresh []item // made by the dozen: they are many and small
	for i := range rows {
		r := &rows[i]
		if r.Status != "" {
			it := &item{verdict: g.call.failure(r.Status, "NOT SENT")}
			it.to(known)
			g.batcher.items = append(g.batcher.items, it)
			continue
		}
		it := g.unique[r.Payload]
		if it == nil {
			if len(fresh) == 0 {
				fresh = make([]item, min(len(rows)-i, 64))
			}
			it, fresh = &fresh[0], fresh[1:]
			it.payload, it.objects, it.request = r.Payload, r.Objects, r.Request
			if it.unread() {
				it.tokens = estimate(it.payload)
			} else {
				it.tokens = estimate(it.body())
			}
			g.unique[r.Payload] = it
		}
		it.rows++
		g.batcher.items = append(g.batcher.items, it)
	}
	g.prog.submitted(len(rows))
	return first
}

// RememberedBytes bounds the answers that a scalar function keeps for equal rows of later chunks.
const RememberedBytes = 64 << 20

// release drops the verdict of an item when the last of its equals was given it; mu is held.
func (g *Group) release(it *item) {
	it.rows--
	it.pending--
	if it.rows > 0 || it.pending > 0 || it.payload == "" {
		return
	}
	if size := it.size(); g.remember && !it.kept && g.remembered+size <= RememberedBytes {
		it.kept = true // the next chunk may have its equal
		g.remembered += size
	}
	if it.kept {
		return
	}
	it.drop()
	if g.unique[it.payload] == it {
		delete(g.unique, it.payload)
	}
}

// settle gives an item its verdict; mu is held.
func (g *Group) settle(it *item, v *Verdict) {
	g.prog.done(int64(it.pending), v)
	g.loader.release(it.settle(v))
}

// settleAsked settles those of some items that are asked; mu is held.
func (g *Group) settleAsked(items []*item, v *Verdict) {
	for _, it := range items {
		if it.state == asked {
			g.settle(it, v)
		}
	}
}

func (g *Group) settleAll(items []*item, v *Verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settleAsked(items, v)
}

// settleFound gives items that were looked up what the cache had for them, and queues those that are wanted and it had not.
func (g *Group) settleFound(items []*item, found []*Verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, it := range items {
		switch {
		case it.state == known: // the query failed
		case found != nil && found[i] != nil:
			g.settle(it, found[i])
		case it.state == looking:
			it.to(missed)
		default:
			g.batcher.queue = append(g.batcher.queue, it)
		}
	}
}

// rouse tells run that something changed.
func (g *Group) rouse() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// stop gives all rows that are not sent yet a status.
func (g *Group) stop(status, cause string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped == nil {
		g.stopped = g.call.failure(status, cause)
	}
	g.rouse()
}

// abort fails the query for an error of ours.
func (g *Group) abort(err error) {
	words, _, _ := strings.Cut(err.Error(), "\n") // without the stack
	g.fail(err, nil, g.call.failure(words, "ERROR"))
}

// fail fails the query: refused are the rows that were asked, and the others are not asked any more.
func (g *Group) fail(err error, refused []*item, v *Verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fatal == nil {
		g.fatal = err
	}
	g.settleAsked(refused, v)
	void := *v
	void.void = true
	g.stopped = &void
	g.settleAsked(g.batcher.items, g.stopped)
}

// estimated is what the call would have asked, if anything was awaited of it.
func (g *Group) estimated() (Estimate, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.estimator.e, g.estimator.e.Rows > 0
}
