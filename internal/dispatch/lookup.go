package dispatch

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/mallardml/mallard/internal/amount"
)

// lookup finds answers in the cache, and among those that are on their way there.
type lookup struct {
	call  *Call
	saver *saver
	prog  *tracker
	off   atomic.Bool // there is no cache, or it cannot be read
}

// find gives the verdicts that the cache has for items, by their places; nil when it has none. Who calls it settles them, and
// queues the others, without giving Group.mu up between: a settled item may be awaited again at once. The items are the
// caller's: they are asked or looking, and not in the queue. Rows whose objects are unread have no key yet.
func (l *lookup) find(ctx context.Context, items []*item) []*Verdict {
	if l.off.Load() {
		return nil
	}
	answers := make([]*Answer, len(items))
	keys, places := make([]Key, 0, len(items)), make([]int, 0, len(items))
	for i, it := range items {
		if it.unread() || !it.keeps() {
			continue
		}
		k := it.key(l.call)
		if answers[i] = l.saver.known(k.Sum); answers[i] == nil {
			keys, places = append(keys, k), append(places, i)
		}
	}
	if len(keys) > 0 {
		found, err := l.call.Cache.Get(ctx, keys)
		if err == nil && len(found) != len(keys) {
			err = fmt.Errorf("the cache answered %d of %s", len(found), amount.Of(len(keys), "key"))
		}
		if err != nil && ctx.Err() == nil {
			// A cache that cannot be read may still be written, and one that cannot be written may be read: asking again for what
			// it has would cost money.
			l.off.Store(true)
			l.prog.cacheFailed(err)
		}
		if err == nil {
			for i, a := range found {
				answers[places[i]] = a
			}
		}
	}
	var verdicts []*Verdict
	for i, a := range answers {
		if a == nil {
			continue
		}
		if lines, status := l.call.Codec.Read(a.Body); status == "" { // otherwise it is asked again
			if verdicts == nil {
				verdicts = make([]*Verdict, len(items))
			}
			verdicts[i] = &Verdict{Lines: lines, cached: true}
		}
	}
	return verdicts
}
