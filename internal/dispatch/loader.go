package dispatch

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"

	"github.com/mallardml/mallard/internal/udf"
)

// The memory of one call for objects that requests carry: what is read and not answered yet stays below LoadMemory. One
// object is taken to need PerObject until it is read.
const (
	LoadMemory = 192 << 20
	PerObject  = 8 << 20
)

// loader reads the objects that a row's request carries, and holds the memory that they take until the row is settled.
type loader struct {
	codec  Codec
	memory *semaphore.Weighted
}

func newLoader(c Codec) *loader {
	return &loader{codec: c, memory: semaphore.NewWeighted(LoadMemory)}
}

// load writes the request of a row with objects, and says how much memory it holds. A status says why nothing can be asked. An
// error ends the query, or comes with its end.
func (l *loader) load(ctx context.Context, payload string) (r Request, status string, held int64, err error) {
	o, err := l.codec.Objects(payload)
	if err != nil {
		return r, "", 0, fmt.Errorf("%w: %v", udf.ErrPanic, err)
	}
	hold := min(int64(o.Carried())*PerObject, LoadMemory)
	if hold > 0 {
		if err := l.memory.Acquire(ctx, hold); err != nil {
			return r, "", 0, err
		}
	}
	r, status = o.Request(ctx)
	if real := int64(len(r.Body)); hold > 0 && real < hold {
		l.memory.Release(hold - real)
		hold = real
	} else if real > hold && hold > 0 && l.memory.TryAcquire(real-hold) { // waiting while holding would be a deadlock
		hold = real
	}
	if err := ctx.Err(); err != nil {
		l.release(hold)
		return r, "", 0, err
	}
	return r, status, hold, nil
}

// release gives back what a request held.
func (l *loader) release(held int64) {
	if held > 0 {
		l.memory.Release(held)
	}
}
