package objecttable

import (
	"context"
	"slices"
	"sync"

	"github.com/mallardml/mallard/internal/udf"
)

// ahead holds what scans have announced: the objects of the chunk that is being worked on, and of the one after it. When
// most objects of a chunk were read, those of the next are fetched while this one is decoded and predicted. A scan whose
// objects nobody reads costs two list entries per chunk.
type ahead struct {
	mu     sync.Mutex
	groups map[uint64][]*group // by connection
}

// group is the objects of one chunk.
type group struct {
	conn    uint64
	objects []Object
	items   map[string]*item // by URI; made when object_bytes looks here first, nil again when the group is dropped
	next    *group
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	claimed int
	started bool
}

type item struct {
	uri        string
	generation int64
	group      *group
	done       chan struct{} // closed when bytes and err are set; nil before it is fetched
	bytes      []byte
	err        error
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
	g := &group{conn: conn, objects: objects}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.groups == nil {
		a.groups = map[uint64][]*group{}
	}
	a.groups[conn] = append(a.groups[conn], g)
	return g
}

// index is called with the lock held.
func (g *group) index() {
	if g.items != nil {
		return
	}
	g.items = make(map[string]*item, len(g.objects))
	for _, o := range g.objects {
		g.items[o.URI] = &item{uri: o.URI, generation: o.Generation, group: g}
	}
}

// claim takes an announced object out; its bytes are the caller's. The generation must be the announced one: a scan that
// was not asked for generations announces 0, which is any.
func (a *ahead) claim(conn uint64, uri string, generation int64) *item {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, g := range a.groups[conn] {
		g.index()
		if it := g.items[uri]; it != nil && it.generation == generation {
			delete(g.items, uri)
			g.claimed++
			return it
		}
	}
	return nil
}

// follow starts fetching the group behind g when at least half of g was wanted.
func (r *Runtime) follow(ctx context.Context, g *group, authorizer string) {
	a := &r.ahead
	a.mu.Lock()
	next := g.next
	if next == nil || next.started || g.claimed*2 < len(g.objects) {
		a.mu.Unlock()
		return
	}
	next.index()
	next.started = true
	ctx, next.cancel = context.WithCancel(ctx)
	items := make([]*item, 0, len(next.items))
	for _, o := range next.objects {
		if it := next.items[o.URI]; it != nil && it.done == nil {
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
	defer udf.Rescue(&it.err)
	it.bytes, it.err = r.read(ctx, it.uri, it.generation, authorizer, nil)
}

// drop forgets a group and what was fetched for it in vain.
func (a *ahead) drop(g *group) {
	if g == nil {
		return
	}
	a.mu.Lock()
	left := slices.DeleteFunc(a.groups[g.conn], func(o *group) bool { return o == g })
	if len(left) == 0 {
		delete(a.groups, g.conn)
	} else {
		a.groups[g.conn] = left
	}
	cancel := g.cancel
	g.items, g.next, g.started = nil, nil, true
	a.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	g.wg.Wait()
}
