package editor

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"
)

const interruptByte = 0x03 // Ctrl-C

// input is what was read from the terminal and not used yet. It has no bound: what waits in it was typed by a person.
type input struct {
	mu        sync.Mutex
	waiting   []byte
	used      int    // bytes of waiting that are decoded
	ctrlC     int    // where the last Ctrl-C of waiting ends, 0 if it has none; a long paste is not searched for it at each statement
	err       error  // that ended the reading
	interrupt func() // Ctrl-C calls it while a statement runs
	dropped   bool   // Ctrl-C has dropped what waited
	decoder   decoder
	more      chan struct{}

	attention *attention
	away      chan struct{} // tells that it reads no more
	back      chan struct{} // tells it to go on
	over      chan struct{} // is closed when it has ended
}

func newInput(terminal io.Reader) (*input, error) {
	a, err := newAttention(terminal)
	return &input{more: make(chan struct{}, 1), attention: a,
		away: make(chan struct{}), back: make(chan struct{}), over: make(chan struct{})}, err
}

// pump reads until the terminal is gone.
func (in *input) pump(r io.Reader) {
	defer in.attention.close()
	defer close(in.over)
	b := make([]byte, 64<<10)
	for {
		if !in.attention.await() {
			in.away <- struct{}{}
			<-in.back
			continue
		}
		n, err := r.Read(b)
		in.mu.Lock()
		if i := bytes.LastIndexByte(b[:n], interruptByte); i >= 0 {
			in.ctrlC = len(in.waiting) + i + 1
		}
		in.waiting = append(in.waiting, b[:n]...)
		in.err = err
		in.takeInterrupt()
		in.mu.Unlock()
		select {
		case in.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// takeInterrupt lets Ctrl-C end what runs and drop what waits before it: that was typed for a world in which the statement
// succeeds.
func (in *input) takeInterrupt() {
	if in.interrupt == nil || in.ctrlC <= in.used {
		return
	}
	in.dropped = in.dropped || len(bytes.TrimSpace(in.waiting[in.used:in.ctrlC-1])) > 0
	in.used = in.ctrlC
	in.decoder = decoder{}
	in.interrupt()
}

// during makes Ctrl-C call interrupt, until it is called with nil. It tells whether Ctrl-C has dropped anything meanwhile.
func (in *input) during(interrupt func()) (dropped bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	dropped, in.dropped = in.dropped, false
	in.interrupt = interrupt
	in.takeInterrupt() // it may wait already
	return dropped
}

// next gives the next event; without one, partial tells that the first bytes of one wait, which final takes for what they are.
// Without bytes err is what ended the reading.
func (in *input) next(final bool) (ev event, ok, partial bool, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	rest := in.waiting[in.used:]
	if len(rest) == 0 {
		return event{}, false, false, in.err
	}
	ev, n := in.decoder.next(rest, final || in.err != nil)
	if n == 0 {
		return event{}, false, true, nil
	}
	ev.text = bytes.Clone(ev.text)
	switch in.used += n; {
	case in.used == len(in.waiting):
		in.waiting, in.used, in.ctrlC = in.waiting[:0], 0, 0
	case in.used > 1<<20 && in.used > len(in.waiting)/2:
		in.waiting, in.ctrlC, in.used = append([]byte(nil), in.waiting[in.used:]...), max(0, in.ctrlC-in.used), 0
	}
	return ev, true, false, nil
}

// wait returns when more has come, when the time is over, unless it is 0, when the terminal has changed or the context ends.
func (in *input) wait(ctx context.Context, most time.Duration, changed <-chan struct{}) (more, change bool) {
	var over <-chan time.Time
	if most > 0 {
		t := time.NewTimer(most)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-in.more:
		return true, false
	case <-changed:
		return false, true
	case <-over:
	case <-ctx.Done():
	}
	return false, false
}
