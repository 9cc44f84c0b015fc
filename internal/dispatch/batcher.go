package dispatch

import (
	"container/heap"
	"time"
)

// ChunkRows is DuckDB's vector: a shorter one is the end of a scan, a LIMIT or what a filter left.
const ChunkRows = 2048

// batch is a request to be.
type batch struct {
	items    []*item
	tokens   int
	attempts int
	first    time.Time // sent
	ready    time.Time
	retried  bool // the next attempt is a retry of the same rows
	unread   bool // its row's objects are still to be read
	fresh    bool // they were read, and the batch was not sent yet
}

// again is a heap of batches by the time they are ready.
type again []*batch

func (a again) Len() int           { return len(a) }
func (a again) Less(i, j int) bool { return a[i].ready.Before(a[j].ready) }
func (a again) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *again) Push(x any)        { *a = append(*a, x.(*batch)) }
func (a *again) Pop() any {
	old := *a
	b := old[len(old)-1]
	old[len(old)-1] = nil
	*a = old[:len(old)-1]
	return b
}

// batcher cuts rows into requests and says which is next. It does no I/O, takes no lock and reads no clock: Group.mu guards it,
// and its callers say what time it is.
type batcher struct {
	limits      Limits
	concurrency int  // requests that may be in flight
	cached      bool // rows are looked up before they are read ahead

	items     []*item // by row
	queue     []*item // wanted, in order
	again     again   // to send again
	most      int     // rows per request: what the provider called too large halves it
	preparing int     // batches whose objects are being read, or that wait to be sent for the first time

	cursor int // row where reading ahead goes on; noCursor while there is none, neverAhead when there will be none
	looked int // row up to which was looked ahead
	full   int // whole chunks that were awaited
	ahead  int // items that were read ahead and are not awaited yet
}

const (
	noCursor   = -1
	neverAhead = -2
)

func newBatcher(l Limits, concurrency int, cached bool) batcher {
	return batcher{limits: l, concurrency: concurrency, cached: cached, most: l.Rows, cursor: noCursor}
}

// step is what to do next. With neither a batch nor rows to look up, nothing can be sent before at, or, when that is zero, before
// something changes.
type step struct {
	send *batch  // to send; or its row's objects are to be read first
	look []*item // to be looked up in the cache, after which to ask again
	at   time.Time
}

// awaited takes note of how the answers are read: reading ahead goes on behind a whole chunk.
func (q *batcher) awaited(lo, hi, rows int) {
	switch {
	case q.cursor == neverAhead:
	case rows > 0 && hi-lo >= 4*rows: // a filter stands between: what comes next cannot be told
		q.cursor = neverAhead
	case rows >= ChunkRows:
		q.full++
		q.cursor = max(q.cursor, hi+1)
	}
}

// next decides what is done now.
func (q *batcher) next(now time.Time) step {
	if len(q.again) > 0 && !q.again[0].ready.After(now) {
		return step{send: q.cut(heap.Pop(&q.again).(*batch))}
	}
	if n := len(q.again); n >= max(64, 8*q.concurrency) { // enough to do: a provider that is down need not refuse every row
		return step{at: q.again[0].ready}
	}
	if b, look := q.fill(); b != nil || len(look) > 0 {
		return step{send: b, look: look}
	}
	if len(q.again) > 0 {
		return step{at: q.again[0].ready}
	}
	return step{}
}

// draft is a batch that is being filled.
type draft struct {
	batch
	limits  Limits
	bytes   int
	mayRead bool // rows with unread objects, one to a batch
	full    bool
}

// add takes an item that fits.
func (d *draft) add(it *item) bool {
	n := len(d.items)
	switch {
	case d.full:
	case it.unread():
		d.full = n > 0 || !d.mayRead
	case n > 0:
		l := d.limits
		d.full = n >= l.Rows || l.Tokens >= 0 && d.tokens+it.tokens > l.Tokens || l.Bytes >= 0 && d.bytes+len(it.payload) > l.Bytes
	}
	if d.full {
		return false
	}
	d.items = append(d.items, it)
	d.tokens += it.tokens
	d.bytes += len(it.payload)
	d.unread = it.unread()
	d.full = d.unread || n+1 >= d.limits.Rows
	return true
}

// fill cuts a batch off the queue and, where there is room, off the rows that come next. Should these have to be looked up first,
// it leaves everything as it was and gives them.
func (q *batcher) fill() (*batch, []*item) {
	d := draft{limits: q.limits, mayRead: q.preparing < max(4, 2*q.concurrency)}
	d.limits.Rows = q.most
	taken := 0
	for ; taken < len(q.queue) && !d.full; taken++ {
		if it := q.queue[taken]; it.state == asked && !d.add(it) { // others were settled meanwhile
			break
		}
	}
	wanted := len(d.items)
	// The longer a scan goes on, the surer it is to go on: with each chunk more rows may be under way, so that one that is
	// retried holds up nothing.
	window := max(ChunkRows<<min(q.full, 6)/2, 2*q.concurrency*q.limits.Rows)
	at := q.cursor
	if at >= 0 && (wanted > 0 || q.ahead < window) {
	reading:
		for ; at < len(q.items) && !d.full; at++ {
			switch it := q.items[at]; {
			case it.early: // an equal row was taken
			case it.state == idle && q.cached:
				for _, it := range d.items[wanted:] {
					it.early = false
				}
				return nil, q.look(at)
			case it.state != idle && it.state != missed:
			case !d.add(it):
				break reading
			default:
				it.early = true
			}
		}
	}
	q.queue, q.cursor = q.queue[taken:], at
	for _, it := range d.items[wanted:] {
		it.to(asked)
		q.ahead++
	}
	if len(d.items) == 0 {
		return nil, nil
	}
	if d.unread {
		q.preparing++
	}
	return &d.batch, nil
}

// look takes the rows that come next for being looked up.
func (q *batcher) look(from int) (look []*item) {
	to := min(from+ChunkRows, len(q.items))
	q.looked = max(q.looked, to)
	for _, it := range q.items[from:to] {
		if it.state == idle {
			it.to(looking)
			look = append(look, it)
		}
	}
	return look
}

// lookSoon takes, while all places are taken, the rows that will be wanted when some are free.
func (q *batcher) lookSoon() []*item {
	if !q.cached || q.cursor < 0 || q.looked >= min(q.cursor+ChunkRows, len(q.items)) {
		return nil
	}
	return q.look(max(q.cursor, q.looked))
}

// cut takes the rows off a batch that are too many by what was learned since.
func (q *batcher) cut(b *batch) *batch {
	for len(b.items) > q.most {
		n := len(b.items) - q.most
		rest := &batch{items: b.items[n:], attempts: b.attempts, first: b.first, ready: b.ready, retried: b.retried}
		b.items = b.items[:n:n]
		for _, it := range rest.items {
			rest.tokens += it.tokens
		}
		b.tokens -= rest.tokens
		heap.Push(&q.again, rest)
	}
	return b
}

// halve leaves both halves of a batch to be sent. large says that it was refused for its size, as others of this size will be.
func (q *batcher) halve(b *batch, large bool, now time.Time) {
	half := len(b.items) / 2
	if large {
		q.most = max(1, min(q.most, half))
	}
	for _, items := range [][]*item{b.items[:half:half], b.items[half:]} {
		part := &batch{items: items, ready: now}
		for _, it := range items {
			part.tokens += it.tokens
		}
		q.push(part)
	}
}

// push leaves a batch to be sent when it is ready.
func (q *batcher) push(b *batch) { heap.Push(&q.again, b) }

// drain gives everything that waits to be sent, and forgets it.
func (q *batcher) drain() (all []*item) {
	for _, b := range q.again {
		all = append(all, b.items...)
	}
	all = append(all, q.queue...)
	q.again, q.queue, q.cursor = nil, nil, neverAhead
	return all
}
