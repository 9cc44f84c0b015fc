package objecttable

import (
	"context"
	"sync"
)

// ahead holds what scans have announced: the objects of the chunk that is being worked on, and of the one after it. When
// most objects of a chunk were read, those of the next are fetched while this one is decoded and predicted.
type ahead struct {
	mu sync.Mutex
	m  map[aheadKey]*item
}

type aheadKey struct {
	conn       uint64
	uri        string
	generation int64
}

// group is the objects of one chunk.
type group struct {
	objects []Object
	items   []*item
	next    *group
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	claimed int
	started bool
}

type item struct {
	key   aheadKey
	group *group
	done  chan struct{} // closed when bytes and err are set; nil before it is fetched
	bytes []byte
	err   error
}

// announce makes the objects that are about to be emitted, and those after them, known to object_bytes. What was
// announced before is over.
func (s *scan) announce(objects []Object) {
	a := &s.r.ahead
	old, now := s.now, s.next
	if now == nil {
		now = a.add(s.conn, objects)
	}
	a.drop(old)
	s.now, s.next = now, nil
	if more := s.take(false); len(more) > 0 {
		s.next = a.add(s.conn, more)
		a.mu.Lock()
		now.next = s.next
		a.mu.Unlock()
	}
}

func (a *ahead) add(conn uint64, objects []Object) *group {
	g := &group{objects: objects}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.m == nil {
		a.m = map[aheadKey]*item{}
	}
	for _, o := range objects {
		it := &item{key: aheadKey{conn, o.URI, o.Generation}, group: g}
		if a.m[it.key] == nil {
			a.m[it.key] = it
			g.items = append(g.items, it)
		}
	}
	return g
}

// claim takes an announced object out; its bytes are the caller's.
func (a *ahead) claim(k aheadKey) *item {
	a.mu.Lock()
	defer a.mu.Unlock()
	it := a.m[k]
	if it != nil {
		delete(a.m, k)
		it.group.claimed++
	}
	return it
}

// follow starts fetching the group behind g when at least half of g was wanted.
func (r *Runtime) follow(ctx context.Context, g *group, authorizer string) {
	a := &r.ahead
	a.mu.Lock()
	next := g.next
	if next == nil || next.started || len(next.items) == 0 || g.claimed*2 < len(g.items) {
		a.mu.Unlock()
		return
	}
	next.started = true
	ctx, next.cancel = context.WithCancel(ctx)
	items := make([]*item, 0, len(next.items))
	for _, it := range next.items {
		if a.m[it.key] == it {
			it.done = make(chan struct{})
			items = append(items, it)
		}
	}
	next.wg.Add(1)
	a.mu.Unlock()
	go func() {
		defer next.wg.Done()
		work := make(chan *item)
		var workers sync.WaitGroup
		for range min(r.o.Concurrency, len(items)) {
			workers.Go(func() {
				for it := range work {
					r.fetch(ctx, it, authorizer)
				}
			})
		}
		for _, it := range items {
			work <- it
		}
		close(work)
		workers.Wait()
	}()
}

func (r *Runtime) fetch(ctx context.Context, it *item, authorizer string) {
	defer close(it.done)
	defer rescue(&it.err)
	it.bytes, it.err = r.read(ctx, it.key.uri, it.key.generation, authorizer, nil)
}

// drop forgets a group and what was fetched for it in vain.
func (a *ahead) drop(g *group) {
	if g == nil {
		return
	}
	a.mu.Lock()
	for _, it := range g.items {
		if a.m[it.key] == it {
			delete(a.m, it.key)
		}
	}
	cancel := g.cancel
	g.items, g.started = nil, true
	a.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	g.wg.Wait()
}
