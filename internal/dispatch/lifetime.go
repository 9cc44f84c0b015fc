package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mallardml/mallard/internal/udf"
)

// ErrEnded is what late calls get.
var ErrEnded = errors.New("the statement has ended")

// EndGrace is how long ending waits for a provider that does not heed its context, and for a slow cache.
const EndGrace = 900 * time.Millisecond

// lifetime is how long a statement runs, and the goroutines that run in it.
type lifetime struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	work   sync.WaitGroup

	mu    sync.Mutex
	ended bool
}

func newLifetime(ctx context.Context) *lifetime {
	l := &lifetime{}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	return l
}

// start runs f on a goroutine unless the statement has ended.
func (l *lifetime) start(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return false
	}
	l.work.Go(f)
	return true
}

// also runs f on a goroutine, even after the end. Only goroutines of start and of also may call it: end waits for them.
func (l *lifetime) also(f func()) { l.work.Go(f) }

// end stops what runs and waits for it, but not for long. The channel is closed when all has stopped.
func (l *lifetime) end() <-chan struct{} {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.cancel(nil)
	done := make(chan struct{})
	go func() {
		l.work.Wait()
		close(done)
	}()
	t := time.NewTimer(EndGrace)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
	return done
}

// rescue is deferred by goroutines of ours: a panic there ends the query, not the process.
func rescue(fail func(error)) {
	if r := recover(); r != nil {
		fail(fmt.Errorf("%w: %v", udf.ErrPanic, r))
	}
}
