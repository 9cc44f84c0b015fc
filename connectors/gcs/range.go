package gcs

import (
	"context"
	"errors"
	"sync"
	"time"
	"unicode/utf8"
)

// pager returns the next page of a range of names: the objects that fit, the last name looked at, whether there is more.
type pager func() (objects []Object, last string, more bool, err error)

// listing lists a range of names. When the first pages show that it is large, the rest is cut in two, and again,
// wherever a lister is idle; the pages still come out in the order of the names. Memory is bounded: who is ahead of the
// reader by many pages waits.
type listing struct {
	limit  int
	prefix string
	slow   time.Duration // pages that take less are as fast as this machine reads them: more listers would not help
	open   func(ctx context.Context, start, end string) pager
	name   func(Object) string

	mu      sync.Mutex
	cond    *sync.Cond
	first   *part // the one being read
	listers int
	pages   int // fetched so far, without empty ones
	parts   int
	ahead   int // pages waiting to be read
	err     error
}

// part is a range of names, [start, end), where an empty end is none.
type part struct {
	start, end string
	last       string // the last name fetched
	queue      [][]Object
	fetched    int // pages since it was cut
	lower      *part
	done       bool
	next       *part
}

const maxAhead = 64

// enough pages of a part must have come before it is cut (again): else the end of every listing is cut to shreds.
const enough = 2

var errOffset = errors.New("Cloud Storage: the server does not heed startOffset, as some emulators: set Options.Listers to 1")

func (l *listing) run(ctx context.Context, page func([]Object) error) error {
	ctx, cancel := context.WithCancel(ctx)
	l.cond = sync.NewCond(&l.mu)
	var wg sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { l.fail(ctx.Err()) })
	defer func() {
		cancel()
		stop()
		l.fail(context.Canceled)
		wg.Wait()
	}()
	l.first = &part{}
	l.parts, l.listers = 1, 1
	wg.Go(func() { l.list(ctx, &wg, l.first) })
	for {
		objects, more, err := l.take()
		if err != nil || !more {
			return err
		}
		if len(objects) > 0 {
			if err := page(objects); err != nil {
				return err
			}
		}
	}
}

func (l *listing) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	l.cond.Broadcast()
}

// take waits for the next page in order.
func (l *listing) take() ([]Object, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		p := l.first
		switch {
		case len(p.queue) > 0:
			objects := p.queue[0]
			p.queue = p.queue[1:]
			l.ahead--
			l.cond.Broadcast()
			return objects, true, nil
		case l.err != nil:
			return nil, false, l.err
		case p.done && p.next == nil:
			return nil, false, nil
		case p.done:
			l.first = p.next
			l.cond.Broadcast()
		default:
			l.cond.Wait()
		}
	}
}

// list fetches a part, then cuts others in two until nothing is left.
func (l *listing) list(ctx context.Context, wg *sync.WaitGroup, p *part) {
	for p != nil {
		next := l.open(ctx, p.start, p.end)
		for more := true; more; {
			began := time.Now()
			objects, last, rest, err := next()
			took := time.Since(began)
			if err != nil {
				l.fail(err)
				return
			}
			if more, err = l.put(p, objects, last, rest); err != nil {
				return
			}
			l.hire(ctx, wg, took)
		}
		p = l.split()
	}
}

// put queues a page and says whether the part goes on.
func (l *listing) put(p *part, objects []Object, last string, rest bool) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The part that is being read must not wait for the others, which wait for the reader; for the reader itself it does.
	for l.err == nil && l.ahead >= maxAhead && (p != l.first || len(p.queue) > 0) {
		l.cond.Wait()
	}
	if l.err != nil {
		return false, l.err
	}
	if last != "" {
		l.pages++
		p.fetched++
	} else if p.lower != nil && p.last == "" {
		p.lower.fetched = enough // nothing above: the cut was no help
	}
	if last != "" && last < p.start || len(objects) > 0 && l.name(objects[0]) < p.start {
		l.err = errOffset
		l.cond.Broadcast()
		return false, l.err
	}
	if p.end != "" && last >= p.end { // cut since it was asked for
		rest = false
		for len(objects) > 0 && l.name(objects[len(objects)-1]) >= p.end {
			objects = objects[:len(objects)-1]
		}
	}
	if last != "" {
		p.last = last
	}
	if len(objects) > 0 {
		p.queue = append(p.queue, objects)
		l.ahead++
	}
	p.done = !rest
	l.cond.Broadcast()
	return rest, nil
}

// hire starts another lister when a listing has turned out to be large, and the page that came to be slow.
func (l *listing) hire(ctx context.Context, wg *sync.WaitGroup, took time.Duration) {
	l.mu.Lock()
	start := took >= l.slow && l.listers < l.limit && l.pages >= 2 && l.err == nil && l.running() > 0
	if start {
		l.listers++
	}
	l.mu.Unlock()
	if start {
		wg.Go(func() {
			if p := l.split(); p != nil {
				l.list(ctx, wg, p)
			}
		})
	}
}

func (l *listing) running() int {
	n := 0
	for p := l.first; p != nil; p = p.next {
		if !p.done {
			n++
		}
	}
	return n
}

// split waits for a part that can be cut and returns its upper half, or nil at the end.
func (l *listing) split() *part {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil && l.running() > 0 {
		// Every cut costs one request, also when there is nothing in the upper half.
		if l.parts <= l.pages+l.limit && l.ahead < maxAhead {
			for p := l.first; p != nil; p = p.next {
				if p.done || p.fetched < enough {
					continue
				}
				if m := between(p.last, p.end, len(l.prefix)); m != "" {
					upper := &part{start: m, end: p.end, next: p.next, lower: p}
					p.end, p.next, p.fetched = m, upper, 0
					l.parts++
					return upper
				}
			}
		}
		l.cond.Wait()
	}
	return nil
}

// between returns a name about half-way between low and high, or "" when there is none to be had in printable ASCII. An
// empty high is the end of all names that share low's first bytes, as many as prefix.
func between(low, high string, prefix int) string {
	common := prefix
	if high != "" {
		common = 0
		for common < len(low) && common < len(high) && low[common] == high[common] {
			common++
		}
	}
	common = min(common, len(low))
	for common > 0 && common < len(low) && !utf8.RuneStart(low[common]) {
		common--
	}
	const digits, first, base = 4, 0x20, 0x7f - 0x20
	number := func(s string, none int) int {
		n := 0
		for i := range digits {
			d := none
			if common+i < len(s) {
				d = min(max(int(s[common+i])-first, 0), base-1)
			}
			n = n*base + d
		}
		return n
	}
	a, b := number(low, 0), 0
	if high == "" {
		b = number("", base-1)
	} else {
		b = number(high, 0)
	}
	if b-a < 2 {
		return ""
	}
	m := a + (b-a)/2
	var text [digits]byte
	for i := digits - 1; i >= 0; i-- {
		text[i] = byte(m%base + first)
		m /= base
	}
	s := low[:common] + string(text[:])
	if s <= low || high != "" && s >= high {
		return ""
	}
	return s
}
