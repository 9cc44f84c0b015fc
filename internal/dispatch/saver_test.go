package dispatch

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// moodyCache refuses what its hook says.
type moodyCache struct {
	mu     sync.Mutex
	puts   int
	has    map[byte]bool
	refuse func(put int, entries []Entry) error
}

func (c *moodyCache) Get(_ context.Context, keys []Key) ([]*Answer, error) {
	return make([]*Answer, len(keys)), nil
}

func (c *moodyCache) Put(_ context.Context, entries []Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.puts++
	if err := c.refuse(c.puts, entries); err != nil {
		return err
	}
	for _, e := range entries {
		c.has[e.Key.Sum[0]] = true
	}
	return nil
}

// TestWritesAgain: what a Put that failed had is written with what comes later; an answer that the cache refuses is left out, and
// its neighbours are kept; what is lost is counted, and an error that lost nothing is none.
func TestWritesAgain(t *testing.T) {
	full := errors.New("disk full")
	poison := func(bad ...byte) func(int, []Entry) error {
		return func(_ int, entries []Entry) error {
			for _, e := range entries {
				for _, b := range bad {
					if e.Key.Sum[0] == b {
						return errors.New("too long")
					}
				}
			}
			return nil
		}
	}
	tests := []struct {
		name      string
		refuse    func(put int, entries []Entry) error
		has, lost int
		puts      int // at most
	}{
		{"works", func(int, []Entry) error { return nil }, 100, 0, 12},
		{"fails once", func(n int, _ []Entry) error {
			if n <= 3 { // also alone
				return full
			}
			return nil
		}, 100, 0, 20},
		{"fails for a while", func(n int, _ []Entry) error {
			if n <= 9 {
				return full
			}
			return nil
		}, 100, 0, 30},
		{"refuses one", poison(42), 99, 1, 40},
		{"refuses two far apart", poison(0, 99), 98, 2, 60},
		{"never works", func(int, []Entry) error { return full }, 0, 100, 60},
		{"is read only", func(int, []Entry) error { return ErrReadOnly }, 0, 10, 1}, // the others were not given to it
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &moodyCache{has: map[byte]bool{}, refuse: tt.refuse}
				life, prog := newLifetime(t.Context()), &tracker{}
				s := newSaver(c, life, prog, func(err error) { t.Error(err) })
				for n := range 10 {
					life.start(func() {
						entries := make([]Entry, 10)
						for i := range entries {
							entries[i].Key.Sum[0] = byte(10*n + i)
						}
						s.save(entries)
					})
					time.Sleep(150 * time.Millisecond)
				}
				<-life.end()
				p := prog.progress(Usage{})
				if len(c.has) != tt.has || p.Lost != int64(tt.lost) || p.Kept != int64(tt.has) || (p.CacheError != nil) != (tt.lost > 0) {
					t.Errorf("%d are kept, %d are counted as kept, %d as lost; error %v", len(c.has), p.Kept, p.Lost, p.CacheError)
				}
				if c.puts > tt.puts {
					t.Errorf("%d writes", c.puts)
				}
				if len(s.pending) != 0 || len(s.unsaved) != 0 {
					t.Errorf("%d are still on their way", len(s.pending))
				}
			})
		})
	}
}
