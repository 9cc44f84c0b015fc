package dispatch

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// Answers are gathered before they are written: a Put of one costs more processor time than asking for it. A process that
// is killed loses no more than what came in within saveEvery, as it loses what is in flight.
const (
	saveEvery = 100 * time.Millisecond
	saveRows  = 512
)

// saver writes answers to the cache. One Put runs at a time; what arrives meanwhile, and shortly before, goes with the next.
type saver struct {
	cache Cache
	life  *lifetime
	prog  *tracker
	fail  func(error) // ends the query: the cache panicked

	mu      sync.Mutex // innermost: no other lock is taken while it is held
	off     bool       // the cache cannot be written
	writing bool       // somebody sees to unsaved
	unsaved []Entry
	pending map[[sha256.Size]byte]*Answer // unsaved and on its way there: rows that are awaited again need not be asked
	plenty  chan struct{}                 // there are saveRows of them; room for one
}

func newSaver(c Cache, life *lifetime, prog *tracker, fail func(error)) *saver {
	return &saver{cache: c, life: life, prog: prog, fail: fail, off: c == nil, pending: map[[sha256.Size]byte]*Answer{}, plenty: make(chan struct{}, 1)}
}

// known is an answer that is on its way to the cache, or nil.
func (s *saver) known(sum [sha256.Size]byte) *Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending[sum]
}

// save keeps answers. It is called on a goroutine that the statement waits for.
func (s *saver) save(entries []Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(entries) == 0 || s.off {
		return
	}
	s.unsaved = append(s.unsaved, entries...)
	for i := range entries {
		s.pending[entries[i].Key.Sum] = &entries[i].Answer
	}
	if len(s.unsaved) >= saveRows {
		select {
		case s.plenty <- struct{}{}:
		default:
		}
	}
	if !s.writing {
		s.writing = true
		s.life.also(func() {
			defer rescue(s.fail)
			s.write()
		})
	}
}

// write writes until nothing is left.
func (s *saver) write() {
	// What was paid for is kept, also when the statement is cancelled.
	ctx := context.WithoutCancel(s.life.ctx)
	for {
		s.gather()
		todo := s.next()
		if todo == nil {
			return
		}
		err := s.cache.Put(ctx, todo)
		s.written(todo, err)
		if err != nil {
			s.prog.cacheFailed(err)
		} else {
			s.prog.kept(len(todo))
		}
	}
}

// gather waits until a Put is worth it, or the statement ends.
func (s *saver) gather() {
	t := time.NewTimer(saveEvery)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.plenty:
	case <-s.life.ctx.Done():
	}
}

// next takes what is to be written; nil ends the writing.
func (s *saver) next() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	todo := s.unsaved
	s.unsaved = nil
	s.writing = len(todo) > 0
	return todo
}

// written takes note of what became of a Put.
func (s *saver) written(todo []Entry, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range todo {
		delete(s.pending, todo[i].Key.Sum)
	}
	if err != nil {
		s.off = true
	}
}
