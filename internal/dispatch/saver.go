package dispatch

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"
)

// Answers are gathered before they are written: a Put of one costs more processor time than asking for it. A process that
// is killed loses no more than what came in within saveEvery, as it loses what is in flight.
const (
	saveEvery = 100 * time.Millisecond
	saveRows  = 512
)

// What could not be written is written again, later each time, and a few times more when the statement has ended.
const (
	saveLater  = 5 * time.Second // at most
	saveAtEnd  = 3
	unsavedMax = 64 << 20 // bytes of answers that wait for it
)

// saver writes answers to the cache. One Put runs at a time; what arrives meanwhile, and shortly before, goes with the next. A Put
// that fails loses nothing yet: what it had is written again with what comes, and an answer that the cache refuses while it
// takes others is left out.
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
	failed  int                           // writes in a row
}

func newSaver(c Cache, life *lifetime, prog *tracker, fail func(error)) *saver {
	return &saver{
		cache: c, life: life, prog: prog, fail: fail, off: c == nil, pending: map[[sha256.Size]byte]*Answer{}, plenty: make(chan struct{}, 1),
	}
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
	for atEnd := 0; ; {
		if s.gather(); s.life.ctx.Err() != nil {
			atEnd++
		}
		todo := s.next()
		if todo == nil {
			return
		}
		refused, err := s.put(ctx, todo)
		switch {
		case err == nil:
			s.written(todo)
		case errors.Is(err, ErrReadOnly):
			s.giveUp(todo, err, true)
		case len(refused) < len(todo): // it takes others
			s.written(todo)
			s.prog.lost(len(refused), err)
		case atEnd >= saveAtEnd:
			s.giveUp(todo, err, false)
		default:
			s.later(todo, err)
		}
		s.prog.kept(len(todo) - len(refused))
	}
}

// put writes entries and gives those that the cache does not take. Where it takes none of them, not even one alone, all come back.
func (s *saver) put(ctx context.Context, todo []Entry) (refused []Entry, err error) {
	if err = s.cache.Put(ctx, todo); err == nil || errors.Is(err, ErrReadOnly) || len(todo) == 1 {
		if err != nil {
			refused = todo
		}
		return refused, err
	}
	// Alone one may pass: the others are too many, or there is one among them that does not. Or the cache has come back.
	rest := todo[1:]
	if s.cache.Put(ctx, todo[:1]) != nil {
		last := len(todo) - 1
		if s.cache.Put(ctx, todo[last:]) != nil {
			return todo, err
		}
		refused, rest = todo[:1:1], todo[1:last]
	}
	if len(rest) > 0 && s.cache.Put(ctx, rest) != nil {
		refused = append(refused, s.split(ctx, rest)...)
	}
	if len(refused) == 0 {
		err = nil
	}
	return refused, err
}

// split writes the halves of entries that cannot be written together, and gives those that cannot be written at all.
func (s *saver) split(ctx context.Context, todo []Entry) (refused []Entry) {
	if len(todo) == 1 {
		return todo
	}
	half := len(todo) / 2
	for _, part := range [][]Entry{todo[:half:half], todo[half:]} {
		if s.cache.Put(ctx, part) != nil {
			refused = append(refused, s.split(ctx, part)...)
		}
	}
	return refused
}

// gather waits until a Put is worth it, or the statement ends; longer after one that failed.
func (s *saver) gather() {
	s.mu.Lock()
	wait, plenty := saveEvery, s.plenty
	if s.failed > 0 {
		wait, plenty = min(saveEvery<<min(s.failed, 10), saveLater), nil
	}
	s.mu.Unlock()
	over := s.life.ctx.Done()
	if s.life.ctx.Err() != nil && plenty == nil {
		wait, over = saveEvery, nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-plenty:
	case <-over:
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

// written takes note that entries are in the cache, or that it refused them for good.
func (s *saver) written(todo []Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = 0
	s.forget(todo)
}

// forget drops entries from those on their way; mu is held.
func (s *saver) forget(todo []Entry) {
	for i := range todo {
		delete(s.pending, todo[i].Key.Sum)
	}
}

// later leaves entries to be written again, and drops the oldest of too many.
func (s *saver) later(todo []Entry, err error) {
	s.mu.Lock()
	s.failed++
	s.unsaved = append(todo, s.unsaved...)
	size := 0
	for i := len(s.unsaved) - 1; i >= 0; i-- {
		if size += 256 + len(s.unsaved[i].Answer.Body); size > unsavedMax {
			todo, s.unsaved = s.unsaved[:i+1], slices.Clone(s.unsaved[i+1:])
			s.forget(todo)
			s.mu.Unlock()
			s.prog.lost(len(todo), err)
			return
		}
	}
	s.mu.Unlock()
}

// giveUp loses entries. for good says that the cache takes none at all.
func (s *saver) giveUp(todo []Entry, err error, forGood bool) {
	s.mu.Lock()
	s.off = s.off || forGood
	if forGood {
		todo = append(todo, s.unsaved...)
		s.unsaved = nil
	}
	s.forget(todo)
	s.mu.Unlock()
	s.prog.lost(len(todo), err)
}
