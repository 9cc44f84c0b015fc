package remote

import (
	"container/heap"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/mallardml/mallard/functions/udf"
)

// group is one call of a function in a running statement: its rows, their answers, and what is on its way.
//
// A row is submitted, then perhaps awaited. Only awaited rows are asked, and, once whole chunks are awaited one after the
// other, the rows that will come next.
type group struct {
	st    *Statement
	spec  *Spec
	id    uint32
	pacer *pacer
	wake  chan struct{} // to the dispatcher, with room for one

	mu      sync.Mutex
	items   []*item          // by row
	unique  map[string]*item // by payload
	running bool             // the dispatcher
	queue   []*item          // wanted, in order
	again   again            // to send again
	cursor  int              // row where reading ahead goes on; -1 while there is none
	looked  int              // row up to which was looked ahead
	full    int              // whole chunks that were awaited
	ahead   int              // items that were read ahead and are not awaited yet

	svc      Service
	stopped  *verdict       // budget reached, endpoint hopeless: rows not sent yet get this
	fatal    error          // the query fails
	answered bool           // a request succeeded
	hopeless map[string]int // single rows that failed, by their words, while nothing succeeded
	output   float64        // mean output tokens of a request
	ratio    float64        // mean input tokens over the estimate
	most     int            // rows per request: what the provider called too large halves it

	guessed *Estimate // of an estimating statement
	packed  request
	place   int // among the statement's estimates, from 1

	memory    *semaphore.Weighted // for what requests carry
	preparing int                 // batches whose objects are being read, or that wait to be sent for the first time

	remember   bool // of a scalar function: equal rows come in other chunks, too
	remembered int  // bytes

	cache   bool // is looked up
	keep    bool // is written
	writing bool // somebody sees to unsaved
	unsaved []Entry
	saving  map[[sha256.Size]byte]*Answer // unsaved and on its way there: rows that are awaited again need not be asked
	plenty  chan struct{}                 // there are saveRows of them; room for one
}

type state uint8

const (
	idle    state = iota // nobody wants it yet
	asked                // in the queue, or on its way
	known                // has its verdict
	looking              // idle, and being looked up before anybody wants it
	looked               // idle, and not in the cache
	gone                 // the verdict was given to all that wanted it, and dropped
)

// item is a row's question, shared by equal rows.
type item struct {
	payload string
	tokens  int
	body    string // of a row that was put off, once its objects were read
	key     Key    // the same
	held    int64  // of the group's memory, for the body
	kept    bool   // counts among what the group remembers
	state   state
	early   bool  // was read ahead and is not awaited yet
	wanted  bool  // by a row at least
	rows    int32 // that have not been answered yet
	pending int32 // awaits that have not read the verdict yet
	verdict *verdict
	waiters []*waiter
}

// unread reports whether objects must be looked at before the item can be sent; mu is held.
func (it *item) unread() bool { return isDeferred(it.payload) && it.body == "" }

// verdict is the outcome of an item.
type verdict struct {
	lines  [][]any // results without the status; one line but for segments
	status string  // "" for success
	cause  string  // of a failure, for counting
}

// waiter waits for several items.
type waiter struct {
	left int
	done chan struct{}
}

// batch is a request to be.
type batch struct {
	items    []*item
	tokens   int
	attempts int
	first    time.Time // sent
	ready    time.Time
	retried  bool // the next attempt is a retry of the same rows
	unread   bool // its rows' objects are still to be read
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

func newGroup(st *Statement, spec *Spec, id uint32) *group {
	cache := spec.caches()
	return &group{
		st: st, spec: spec, id: id, pacer: spec.Connection.pacer(spec.Endpoint), wake: make(chan struct{}, 1), plenty: make(chan struct{}, 1),
		unique: map[string]*item{}, saving: map[[sha256.Size]byte]*Answer{}, memory: semaphore.NewWeighted(mediaMemory), cursor: -1, most: spec.limits.Rows, cache: cache, keep: cache, hopeless: map[string]int{},
	}
}

// submit takes note of rows and returns the number of the first. A row with a status will not be asked.
func (g *group) submit(payloads, statuses []string) int {
	type request struct {
		body string
		key  Key
	}
	written := map[string]request{}
	for _, p := range payloads {
		if body, key, ok := g.spec.known(g.st.ctx, p); ok {
			written[p] = request{body, key}
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	first := len(g.items)
	var fresh []item // made by the dozen: they are many and small
	for i, p := range payloads {
		if statuses[i] != "" {
			g.items = append(g.items, &item{state: known, verdict: g.failure(statuses[i], "NOT SENT")})
			continue
		}
		it := g.unique[p]
		if it == nil {
			if len(fresh) == 0 {
				fresh = make([]item, min(len(payloads)-i, 64))
			}
			it, fresh = &fresh[0], fresh[1:]
			it.payload, it.tokens = p, estimate(p)
			if w, ok := written[p]; ok {
				it.body, it.key, it.tokens = w.body, w.key, estimate(w.body)
			}
			g.unique[p] = it
		}
		it.rows++
		g.items = append(g.items, it)
	}
	g.st.mu.Lock()
	g.st.progress.Submitted += int64(len(payloads))
	g.st.mu.Unlock()
	return first
}

func (g *group) failure(status, cause string) *verdict {
	return &verdict{lines: [][]any{g.spec.codec.missing()}, status: status, cause: cause}
}

// chunkRows is DuckDB's vector: a shorter one is the end of a scan, a LIMIT or what a filter left.
const chunkRows = 2048

// await gives the verdicts of rows, and sends for them.
func (g *group) await(rows []int) ([]*verdict, error) {
	out := make([]*verdict, len(rows))
	w := &waiter{done: make(chan struct{})}
	g.mu.Lock()
	if g.fatal != nil {
		g.mu.Unlock()
		return nil, g.fatal
	}
	g.st.awaited()
	lo, hi := len(g.items), -1
	var look []*item
	repeated := int64(0)
	for i, r := range rows {
		if r < 0 || r >= len(g.items) {
			g.mu.Unlock()
			return nil, fmt.Errorf("internal error, please report it: row %d of %d was not submitted", r, len(g.items))
		}
		lo, hi = min(lo, r), max(hi, r)
		it := g.items[r]
		if it.early {
			it.early = false
			g.ahead--
		}
		if it.wanted && it.payload != "" {
			repeated++
		}
		it.wanted = true
		it.pending++
		switch it.state {
		case known:
			out[i] = it.verdict
			g.st.done(1, it.verdict)
			continue
		case idle, gone:
			it.state = asked
			look = append(look, it)
		case looking: // lookAhead queues it, should the cache not have it
			it.state = asked
		case looked:
			it.state = asked
			g.queue = append(g.queue, it)
		}
		it.waiters = append(it.waiters, w)
		w.left++
	}
	if n := len(rows); g.cursor != -2 {
		switch {
		case n > 0 && hi-lo >= 4*n:
			g.cursor = -2 // a filter stands between: what comes next cannot be told
		case n >= chunkRows:
			g.full++
			g.cursor = max(g.cursor, hi+1)
		}
	}
	g.mu.Unlock()

	if g.st.o.Estimate {
		g.guess(look)
		look = nil
	}
	if len(look) > 0 {
		found := g.lookup(look)
		g.mu.Lock()
		g.settleFound(look, found)
		for _, it := range look {
			if it.state == asked {
				g.queue = append(g.queue, it)
			}
		}
		g.mu.Unlock()
	}
	if !g.st.o.Estimate {
		g.dispatch()
	}
	g.mu.Lock()
	waiting := w.left > 0
	g.mu.Unlock()
	if waiting {
		select {
		case <-w.done:
		case <-g.st.ctx.Done():
			return nil, context.Cause(g.st.ctx)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fatal != nil {
		return nil, g.fatal
	}
	if g.st.o.Estimate {
		g.sum(len(rows))
	}
	use := g.usage()
	for i, r := range rows {
		it := g.items[r]
		if out[i] == nil {
			out[i] = it.verdict
		}
		use.Rows++
		if out[i].status != "" {
			use.Failed++
		}
		it.rows--
		it.pending--
		if it.rows > 0 || it.pending > 0 || it.payload == "" {
			continue
		}
		if size := it.size(); g.remember && !it.kept && g.remembered+size <= rememberedBytes {
			it.kept = true // the next chunk may have its equal
			g.remembered += size
		}
		if it.kept {
			continue
		}
		// The last of its equals: the answer is DuckDB's now. Should it be awaited again, it is asked again.
		it.state, it.verdict, it.wanted = gone, nil, false
		if g.unique[it.payload] == it {
			delete(g.unique, it.payload)
		}
	}
	use.Repeated = repeated
	for _, m := range g.st.meters(g.spec.Connection) {
		m.add(use)
	}
	return out, nil
}

// rememberedBytes bounds the answers that a scalar function keeps for equal rows of later chunks.
const rememberedBytes = 64 << 20

// size is about what an item and its answer take; mu is held.
func (it *item) size() int {
	n := 256 + len(it.payload)
	if it.verdict == nil {
		return n
	}
	for _, line := range it.verdict.lines {
		for _, v := range line {
			switch v := v.(type) {
			case string:
				n += len(v)
			case []float64:
				n += 8 * len(v)
			case []any:
				n += 64 * len(v)
			}
			n += 16
		}
	}
	return n
}

// lookup gives the verdicts that the cache has for items, by their places; nil when it has none. Who calls it settles them,
// and queues the others, without giving mu up between: a settled item may be awaited again at once. Rows that were put off
// have no key until their objects are read.
func (g *group) lookup(items []*item) []*verdict {
	g.mu.Lock()
	on := g.cache
	g.mu.Unlock()
	if !on {
		return nil
	}
	all := make([]Key, len(items))
	for i, it := range items {
		if !isDeferred(it.payload) {
			all[i] = g.spec.key(it.payload, "")
		}
	}
	answers := make([]*Answer, len(items))
	keys, places := make([]Key, 0, len(items)), make([]int, 0, len(items))
	g.mu.Lock()
	for i, it := range items {
		if isDeferred(it.payload) {
			if it.body == "" || it.key == (Key{}) {
				continue
			}
			all[i] = it.key
		}
		if answers[i] = g.saving[all[i].Sum]; answers[i] == nil {
			keys, places = append(keys, all[i]), append(places, i)
		}
	}
	g.mu.Unlock()
	if len(keys) > 0 {
		found, err := g.spec.Cache.Get(g.st.ctx, keys)
		if err == nil && len(found) != len(keys) {
			err = fmt.Errorf("the cache answered %d of %d keys", len(found), len(keys))
		}
		if err != nil && g.st.ctx.Err() == nil {
			g.cacheFailed(&g.cache, err)
		}
		if err == nil {
			for i, a := range found {
				answers[places[i]] = a
			}
		}
	}
	var verdicts []*verdict
	use := g.usage()
	for i, a := range answers {
		if a == nil {
			continue
		}
		if lines, status := g.spec.codec.values(a.Body); status == "" { // otherwise it is asked again
			if verdicts == nil {
				verdicts = make([]*verdict, len(items))
			}
			verdicts[i] = &verdict{lines: lines}
			use.Cached++
		}
	}
	for _, m := range g.st.meters(g.spec.Connection) {
		m.add(use)
	}
	return verdicts
}

// settleFound gives items what the cache had for them; mu is held.
func (g *group) settleFound(items []*item, found []*verdict) {
	for i, v := range found {
		if v != nil && items[i].state != known {
			g.settle(items[i], v)
		}
	}
}

// cacheFailed switches off reading or writing. A cache that cannot be written may still be read: asking again for what it
// has would cost money.
func (g *group) cacheFailed(use *bool, err error) {
	g.mu.Lock()
	*use = false
	g.mu.Unlock()
	g.st.mu.Lock()
	defer g.st.mu.Unlock()
	if g.st.progress.CacheError == nil {
		g.st.progress.CacheError = err
	}
}

// settle gives an item its verdict; mu is held.
func (g *group) settle(it *item, v *verdict) {
	it.state, it.verdict = known, v
	if it.held > 0 {
		g.memory.Release(it.held)
	}
	it.body, it.held = "", 0
	g.st.done(int64(it.pending), v)
	for _, w := range it.waiters {
		if w.left--; w.left == 0 {
			close(w.done)
		}
	}
	it.waiters = nil
}

// dispatch makes sure that somebody sends.
func (g *group) dispatch() {
	g.mu.Lock()
	start := !g.running
	g.running = true
	g.mu.Unlock()
	if start && !g.st.start(g.run) {
		return
	}
	g.rouse()
}

// run sends batches while the statement lives.
func (g *group) run() {
	defer g.rescue()
	ctx := g.st.ctx
	for {
		b, ready := g.next()
		if b == nil {
			if !g.idle(ctx, ready) {
				return
			}
			continue
		}
		if b.unread {
			if !g.st.start(func() {
				defer g.rescue()
				g.prepare(ctx, b)
			}) {
				return
			}
			continue
		}
		if g.pacer.wait(ctx, b.tokens) != nil {
			return
		}
		if !g.spec.Connection.slots.TryAcquire(1) {
			g.lookSoon()
			if g.spec.Connection.slots.Acquire(ctx, 1) != nil {
				return
			}
		}
		if !g.st.start(func() {
			release := sync.OnceFunc(func() { g.spec.Connection.slots.Release(1) })
			defer release()
			defer g.rescue()
			g.send(ctx, b, release)
		}) {
			g.spec.Connection.slots.Release(1)
			return
		}
	}
}

// idle waits for something to send. It reports false when the statement is over.
func (g *group) idle(ctx context.Context, ready time.Time) bool {
	var timer <-chan time.Time
	if !ready.IsZero() {
		t := time.NewTimer(time.Until(ready))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-g.wake:
	case <-timer:
	case <-ctx.Done():
		return false
	}
	return true
}

// rescue turns a panic on a goroutine of ours into an error of the query.
func (g *group) rescue() {
	if r := recover(); r != nil {
		g.abort(fmt.Errorf("%w: %v", udf.ErrPanic, r))
	}
}

// next gives the batch to send now, or the time at which there will be one.
func (g *group) next() (*batch, time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped != nil {
		for _, b := range g.again {
			g.settleItems(b.items, g.stopped)
		}
		g.settleItems(g.queue, g.stopped)
		g.again, g.queue = nil, nil
		return nil, time.Time{}
	}
	if len(g.again) > 0 && !g.again[0].ready.After(time.Now()) {
		return g.cut(heap.Pop(&g.again).(*batch)), time.Time{}
	}
	if n := len(g.again); n >= max(64, 8*g.spec.Connection.o.Concurrency) {
		return nil, g.again[0].ready // enough to do: a provider that is down need not refuse every row
	}
	b := &batch{}
	bytes := 0
	l := g.spec.limits
	l.Rows = g.most
	mayRead := g.preparing < max(4, 2*g.spec.Connection.o.Concurrency)
	fits := func(it *item) bool {
		n := len(b.items)
		if it.unread() {
			return n == 0 && mayRead
		}
		return n == 0 || !b.unread && n < l.Rows && (l.Tokens < 0 || b.tokens+it.tokens <= l.Tokens) && (l.Bytes < 0 || bytes+len(it.payload) <= l.Bytes)
	}
	take := func(it *item) {
		b.items = append(b.items, it)
		b.tokens += it.tokens
		bytes += len(it.payload)
		if it.unread() {
			b.unread = true
			g.preparing++
		}
	}
	full := false
	for len(g.queue) > 0 && !full {
		it := g.queue[0]
		if it.state != asked { // settled meanwhile
			g.queue = g.queue[1:]
			continue
		}
		if full = !fits(it); !full {
			take(it)
			g.queue = g.queue[1:]
			full = len(b.items) >= l.Rows || b.unread
		}
	}
	if !full {
		g.readAhead(b, fits, take)
	}
	if len(b.items) > 0 {
		return b, time.Time{}
	}
	if len(g.again) > 0 {
		return nil, g.again[0].ready
	}
	return nil, time.Time{}
}

// readAhead fills a batch with rows that nobody awaits yet, and begins one while few enough are under way; mu is held.
func (g *group) readAhead(b *batch, fits func(*item) bool, take func(*item)) {
	// The longer a scan goes on, the surer it is to go on: with each chunk more rows may be under way, so that one that is
	// retried holds up nothing.
	window := max(chunkRows<<min(g.full, 6)/2, 2*g.spec.Connection.o.Concurrency*g.spec.limits.Rows)
	if g.cursor < 0 || g.stopped != nil || len(b.items) == 0 && g.ahead >= window {
		return
	}
	for g.cursor < len(g.items) {
		it := g.items[g.cursor]
		if it.state == idle && g.cache {
			g.lookAhead(g.cursor)
			if g.cursor < 0 {
				return
			}
			continue
		}
		if it.state == idle || it.state == looked {
			if !fits(it) {
				return
			}
			it.state, it.early = asked, true
			g.ahead++
			take(it)
		}
		g.cursor++
		if len(b.items) >= g.most {
			return
		}
	}
}

// cut takes the rows off a batch that are too many by what was learned since; mu is held.
func (g *group) cut(b *batch) *batch {
	for len(b.items) > g.most {
		n := len(b.items) - g.most
		rest := &batch{items: b.items[n:], attempts: b.attempts, first: b.first, ready: b.ready, retried: b.retried}
		b.items = b.items[:n:n]
		for _, it := range rest.items {
			rest.tokens += it.tokens
		}
		b.tokens -= rest.tokens
		heap.Push(&g.again, rest)
	}
	return b
}

// lookSoon looks up, while all places are taken, the rows that will be wanted when some are free.
func (g *group) lookSoon() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cache && g.stopped == nil && g.cursor >= 0 && g.looked < min(g.cursor+chunkRows, len(g.items)) {
		g.lookAhead(max(g.cursor, g.looked))
	}
}

// lookAhead looks up the rows that come next; mu is held, and given up meanwhile.
func (g *group) lookAhead(from int) {
	var look []*item
	to := min(from+chunkRows, len(g.items))
	g.looked = max(g.looked, to)
	for _, it := range g.items[from:to] {
		if it.state == idle {
			it.state = looking
			look = append(look, it)
		}
	}
	var found []*verdict
	func() {
		g.mu.Unlock()
		defer g.mu.Lock() // also when the cache panics
		found = g.lookup(look)
	}()
	g.settleFound(look, found)
	for _, it := range look {
		switch it.state {
		case looking:
			it.state = looked
		case asked: // awaited meanwhile
			g.queue = append(g.queue, it)
		}
	}
}

// send asks for a batch and decides what follows. It releases its slot with the answer: reading that takes none.
func (g *group) send(ctx context.Context, b *batch, release func()) {
	payloads, stop, svc := g.take(b)
	if stop != nil {
		g.settleAll(b.items, stop)
		return
	}
	if len(payloads) == 0 { // all were settled meanwhile
		return
	}
	if svc == nil {
		var err error
		if svc, err = g.spec.Service(ctx); err != nil {
			if ctx.Err() == nil {
				g.abort(fmt.Errorf("model %s: %w", g.spec.Model, err))
			}
			return
		}
		g.mu.Lock()
		g.svc = svc
		g.mu.Unlock()
	}
	reserved, over, err := g.reserve(b)
	if err != nil {
		return
	}
	if over != "" {
		g.stop(over, "BUDGET")
		g.settleAll(b.items, g.failure(over, "BUDGET"))
		return
	}
	b.attempts++
	now := time.Now()
	if b.first.IsZero() {
		b.first = now
	}
	g.st.mu.Lock()
	g.st.progress.InFlight++
	if g.st.progress.Started.IsZero() {
		g.st.progress.Started = now
	}
	g.st.mu.Unlock()
	answers, err := g.call(ctx, svc, payloads)
	release()
	if err == nil && len(answers) != len(payloads) {
		err = &errCount{len(answers), len(payloads)}
	}
	g.st.mu.Lock()
	g.st.progress.InFlight--
	g.st.mu.Unlock()

	use := g.usage()
	use.Requests = 1
	if b.retried {
		use.Retries = 1
	}
	if err != nil {
		f := judge(err)
		if f.throttled {
			use.Throttled = 1
		}
		g.charge(reserved, use)
		if errors.Is(err, udf.ErrPanic) {
			g.abort(err)
			return
		}
		if ctx.Err() != nil {
			return
		}
		g.failed(b, f, now)
		return
	}
	for _, a := range answers {
		use.InputTokens += a.InputTokens
		use.OutputTokens += a.OutputTokens
	}
	g.charge(reserved, use)
	g.pacer.answered(now, false, 0)
	if use.InputTokens > 0 {
		g.pacer.took(b.tokens, use.InputTokens+use.OutputTokens)
	}
	verdicts := make([]*verdict, len(answers))
	keys := g.keys(b.items, payloads)
	var save []Entry
	for i, a := range answers {
		lines, status := g.spec.codec.values(a.Body)
		if status != "" {
			verdicts[i] = &verdict{lines: lines, status: status, cause: "ANSWER"}
			if lines == nil {
				verdicts[i].lines = [][]any{g.spec.codec.missing()}
			}
			continue
		}
		verdicts[i] = &verdict{lines: lines}
		if keys[i] != (Key{}) {
			save = append(save, Entry{keys[i], a})
		}
	}
	g.mu.Lock()
	ratio := float64(use.InputTokens) / float64(max(b.tokens, 1))
	if first := !g.answered; first {
		g.output, g.ratio = float64(use.OutputTokens), ratio
	}
	g.output += (float64(use.OutputTokens) - g.output) / 16
	g.ratio += (ratio - g.ratio) / 16
	g.answered = true
	g.save(save) // first: a settled row may be awaited again at once
	for i, it := range b.items {
		if it.state == asked {
			g.settle(it, verdicts[i])
		}
	}
	g.mu.Unlock()
}

// call asks a provider. A panic becomes an error: what the request reserved of budgets is given back all the same.
func (g *group) call(ctx context.Context, svc Service, payloads []string) (answers []Answer, err error) {
	defer udf.Rescue(&err)
	ctx, cancel := context.WithTimeout(ctx, g.spec.Connection.o.Timeout)
	defer cancel()
	return g.spec.codec.call(ctx, svc, payloads)
}

// take gives the payloads of a batch that is about to be sent, without the rows that were settled meanwhile.
func (g *group) take(b *batch) (payloads []string, stop *verdict, svc Service) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b.fresh {
		b.fresh = false
		g.preparing--
		g.rouse()
	}
	if g.stopped != nil {
		return nil, g.stopped, nil
	}
	left := b.items[:0:0]
	for _, it := range b.items {
		if it.state != asked {
			continue
		}
		left = append(left, it)
		if it.body != "" {
			payloads = append(payloads, it.body)
		} else {
			payloads = append(payloads, it.payload)
		}
	}
	b.items = left
	return payloads, nil, g.svc
}

// keys gives the keys of what was asked.
func (g *group) keys(items []*item, payloads []string) []Key {
	if !g.spec.caches() {
		return make([]Key, len(items))
	}
	keys := make([]Key, len(items))
	for i, it := range items {
		if isDeferred(it.payload) {
			keys[i] = it.key // nobody changes it once the row is read
		} else {
			keys[i] = g.spec.key(payloads[i], "")
		}
	}
	return keys
}

// The memory of one call for objects that requests carry: what is read and not answered yet stays below mediaMemory. One
// object is taken to need perObject until it is read.
const (
	mediaMemory = 192 << 20
	perObject   = 8 << 20
)

// prepare reads the objects of a row, looks it up in the cache, and leaves it to be sent.
func (g *group) prepare(ctx context.Context, b *batch) {
	it := b.items[0]
	r, err := readDeferred(it.payload)
	if err != nil {
		g.abort(fmt.Errorf("%w: %v", udf.ErrPanic, err))
		return
	}
	hold := min(int64(g.spec.heavy(r))*perObject, mediaMemory)
	if hold > 0 && g.memory.Acquire(ctx, hold) != nil {
		return
	}
	body, status := g.spec.codec.finish(ctx, r)
	if real := int64(len(body)); hold > 0 && real < hold {
		g.memory.Release(hold - real)
		hold = real
	} else if real > hold && hold > 0 && g.memory.TryAcquire(real-hold) { // waiting while holding would be a deadlock
		hold = real
	}
	if ctx.Err() != nil {
		return
	}
	var key Key
	if g.spec.caches() && status == "" {
		key, _ = g.spec.keyOf(body, r) // an empty one is neither looked up nor kept
	}
	done := func() {
		g.mu.Lock()
		g.preparing--
		g.mu.Unlock()
		g.rouse()
	}
	g.mu.Lock()
	if it.state != asked { // the query failed meanwhile
		g.memory.Release(hold)
		g.mu.Unlock()
		done()
		return
	}
	it.held = hold
	if status == "" {
		it.body, it.key = body, key
	}
	g.mu.Unlock()
	if status != "" {
		g.settleAll(b.items, g.failure(status, "NOT SENT"))
		done()
		return
	}
	found := g.lookup(b.items)
	g.mu.Lock()
	g.settleFound(b.items, found)
	cached := it.state != asked
	g.mu.Unlock()
	if cached {
		done()
		return
	}
	b.unread, b.fresh, b.ready = false, true, time.Now()
	g.push(b)
}

// Answers are gathered before they are written: a Put of one costs more processor time than asking for it. A process that
// is killed loses no more than what came in within saveEvery, as it loses what is in flight.
const (
	saveEvery = 100 * time.Millisecond
	saveRows  = 512
)

// save keeps answers. One Put runs at a time; what arrives meanwhile, and shortly before, goes with the next; mu is held.
func (g *group) save(entries []Entry) {
	if len(entries) == 0 || !g.keep {
		return
	}
	g.unsaved = append(g.unsaved, entries...)
	for i := range entries {
		g.saving[entries[i].Key.Sum] = &entries[i].Answer
	}
	if len(g.unsaved) >= saveRows {
		select {
		case g.plenty <- struct{}{}:
		default:
		}
	}
	if g.writing {
		return
	}
	g.writing = true
	// What was paid for is kept, also when the statement is cancelled.
	ctx := context.WithoutCancel(g.st.ctx)
	g.st.work.Add(1) // by a goroutine that is counted itself
	go func() {
		defer g.st.work.Done()
		defer g.rescue()
		for {
			g.gather()
			g.mu.Lock()
			todo := g.unsaved
			g.unsaved = nil
			if g.writing = len(todo) > 0; !g.writing {
				g.mu.Unlock()
				return
			}
			g.mu.Unlock()
			err := g.spec.Cache.Put(ctx, todo)
			g.mu.Lock()
			for i := range todo {
				delete(g.saving, todo[i].Key.Sum)
			}
			g.mu.Unlock()
			if err != nil {
				g.cacheFailed(&g.keep, err)
				continue
			}
			g.st.mu.Lock()
			g.st.progress.Kept += int64(len(todo))
			g.st.mu.Unlock()
		}
	}()
}

// gather waits until a Put is worth it, or the statement ends.
func (g *group) gather() {
	t := time.NewTimer(saveEvery)
	defer t.Stop()
	select {
	case <-t.C:
	case <-g.plenty:
	case <-g.st.ctx.Done():
	}
}

// reserve asks all budgets for a request. It says what is exhausted, or fails with the statement.
func (g *group) reserve(b *batch) (Budget, string, error) {
	meters := g.st.meters(g.spec.Connection)
	for {
		r, first := g.expect(b)
		m, what, wait := reserve(meters, r, first)
		if m == nil {
			return r, "", nil
		}
		if wait != nil { // those in flight may cost less than they reserved
			select {
			case <-wait:
				continue
			case <-g.st.ctx.Done():
				return r, "", g.st.ctx.Err()
			}
		}
		limit := any(m.Budget.Requests)
		switch what {
		case "tokens":
			limit = m.Budget.Tokens
		case "money":
			limit = m.Budget.Money
		}
		return r, fmt.Sprintf("Not sent: the budget of this %s is reached (%v %s). Raise it and run the query again; finished rows come from the cache.", m.Name, limit, what), nil
	}
}

// expect is what a request will cost, by what the others took. first says that it is a guess.
func (g *group) expect(b *batch) (r Budget, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	in, out := float64(b.tokens)*g.ratio, g.output
	if first = !g.answered; first {
		in, out = float64(b.tokens), 0
		if g.spec.Family.Text() {
			out = 256
			if n := g.spec.Options.MaxOutputTokens; n != nil {
				out = min(float64(*n), out)
			}
		}
	}
	i, o := int64(math.Ceil(in)), int64(math.Ceil(out)) // a fraction less would let the last one through
	return Budget{Requests: 1, Tokens: i + o, Money: g.spec.price.of(1, i, o)}, first
}

// usage is an empty count of this call's.
func (g *group) usage() Usage {
	return Usage{Model: g.spec.Model, Endpoint: g.spec.Endpoint, Connection: g.spec.Connection.o.Name, Priced: g.spec.priced}
}

func (g *group) charge(r Budget, use Usage) {
	use.Money = g.spec.price.of(use.Requests, use.InputTokens, use.OutputTokens)
	for _, m := range g.st.meters(g.spec.Connection) {
		m.settle(r, use)
	}
}

// hopelessAfter is how many single rows must fail in the same words, while none succeeds, before the rest is not asked
// any more: when a server is down after all retries, and when a refusal is about more than the row.
func hopelessAfter(f fault) int {
	if f.retryable {
		return 16
	}
	return 64
}

// failed decides what becomes of the rows of a failed request.
func (g *group) failed(b *batch, f fault, sent time.Time) {
	now := time.Now()
	if f.fatal {
		g.mu.Lock()
		answered := g.answered
		g.mu.Unlock()
		status := f.status(g.spec.Endpoint, 1)
		if !answered {
			g.abort(fmt.Errorf("model %s: %w", g.spec.Model, &RemoteError{Status: status, Cause: f.err}))
			return
		}
		if f.reason == "UNAUTHENTICATED" { // a token that ran out: the rest would fail, too
			g.stop(status, f.reason)
		}
		g.settleAll(b.items, g.failure(status, f.reason))
		return
	}
	delay := time.Duration(0)
	if f.retryable {
		r := g.spec.retry
		bound := min(r.Cap, r.Base<<min(b.attempts-1, 20))
		if f.throttled && g.healthy() { // the pacing sees to the rate; a row that had bad luck need not wait long
			bound = min(bound, r.Base)
			if b.attempts > 3 { // that is more than bad luck
				bound = min(r.Cap, 4*r.Base)
			}
		}
		delay = time.Duration(rand.Int64N(int64(bound) + 1))
		if delay < f.retryAfter { // not all at the same moment
			delay = f.retryAfter + delay/4
		}
		if b.attempts < r.Attempts && now.Add(delay).Sub(b.first) <= r.Deadline {
			g.pacer.answered(sent, f.throttled, f.retryAfter)
			b.ready, b.retried = now.Add(delay), true
			g.push(b)
			return
		}
		if f.retryAfter > 0 {
			f.detail += fmt.Sprintf(" (come back in %s)", f.retryAfter.Round(time.Second))
		}
	}
	g.pacer.answered(sent, f.throttled, f.retryAfter)
	if f.split && len(b.items) > 1 {
		half := len(b.items) / 2
		if f.large {
			g.mu.Lock()
			g.most = max(1, min(g.most, half))
			g.mu.Unlock()
		}
		for _, items := range [][]*item{b.items[:half:half], b.items[half:]} {
			part := &batch{items: items, ready: now}
			for _, it := range items {
				part.tokens += it.tokens
			}
			g.push(part)
		}
		return
	}
	status := f.status(g.spec.Endpoint, b.attempts)
	g.mu.Lock()
	if !g.answered {
		words, limit := f.reason+": "+f.detail, hopelessAfter(f)
		if g.hopeless[words]++; g.hopeless[words] == limit && g.stopped == nil {
			g.stopped = g.failure(status+fmt.Sprintf(" (not sent: the first %d rows all failed like this)", limit), f.reason)
			g.rouse()
		}
	}
	g.mu.Unlock()
	g.settleAll(b.items, g.failure(status, f.reason))
}

// healthy reports whether requests do get through.
func (g *group) healthy() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.answered
}

func (g *group) push(b *batch) {
	g.mu.Lock()
	heap.Push(&g.again, b)
	g.mu.Unlock()
	g.rouse()
}

func (g *group) settleAll(items []*item, v *verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settleItems(items, v)
}

// settleItems is settleAll with mu held.
func (g *group) settleItems(items []*item, v *verdict) {
	for _, it := range items {
		if it.state == asked {
			g.settle(it, v)
		}
	}
}

func (g *group) rouse() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// stop gives all rows that are not sent yet a status.
func (g *group) stop(status, cause string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped == nil {
		g.stopped = g.failure(status, cause)
	}
	g.rouse()
}

// abort fails the query.
func (g *group) abort(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fatal == nil {
		g.fatal = err
	}
	g.stopped = g.failure(oneLine(err.Error()), causeOf(err))
	for _, it := range g.items {
		if it.state == asked {
			g.settle(it, g.stopped)
		}
	}
}

// RemoteError fails a query because no row of it could be answered.
type RemoteError struct {
	Status string // what the rows' status would have been
	Cause  error
}

func (e *RemoteError) Error() string {
	var m interface{ Message() string }
	if errors.As(e.Cause, &m) { // a whole sentence, with advice
		return oneLine(e.Cause.Error())
	}
	return e.Status
}

func (e *RemoteError) Unwrap() error { return e.Cause }
