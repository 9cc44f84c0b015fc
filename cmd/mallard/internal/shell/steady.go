package shell

import (
	"bufio"
	"io"
	"sync"
	"time"
)

// steadyTick is how long a row waits at most until it is seen.
const steadyTick = 200 * time.Millisecond

// steadyWriter writes in large pieces, but lets nothing wait for long: the next row of a slow model may take a minute.
type steadyWriter struct {
	mu   sync.Mutex
	w    *bufio.Writer
	done chan struct{}
	wg   sync.WaitGroup
}

func newSteadyWriter(w io.Writer) *steadyWriter {
	s := &steadyWriter{w: bufio.NewWriterSize(w, 64<<10), done: make(chan struct{})}
	s.wg.Go(func() {
		tick := time.NewTicker(steadyTick)
		defer tick.Stop()
		for {
			select {
			case <-s.done:
				return
			case <-tick.C:
			}
			s.mu.Lock()
			_ = s.w.Flush() // the writer remembers the error for the next call
			s.mu.Unlock()
		}
	})
	return s
}

// Write implements [io.Writer].
func (s *steadyWriter) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}

// close writes the rest.
func (s *steadyWriter) close() error {
	close(s.done)
	s.wg.Wait()
	return s.w.Flush()
}
