package shell

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	progressDelay = time.Second
	progressTick  = 200 * time.Millisecond
)

// statusLine shows how far a statement has come, on one line that is wiped out when the statement ends. Messages printed
// meanwhile go above it.
type statusLine struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	shown bool
	done  chan struct{}
	wg    sync.WaitGroup
}

func newStatusLine(w io.Writer, terminal bool) *statusLine {
	return &statusLine{w: w, terminal: terminal, done: make(chan struct{})}
}

func (l *statusLine) start(p Progress) {
	if !l.terminal {
		return
	}
	began := time.Now()
	l.wg.Go(func() {
		tick := time.NewTicker(progressTick)
		defer tick.Stop()
		for {
			select {
			case <-l.done:
				return
			case <-tick.C:
			}
			elapsed := time.Since(began)
			if elapsed < progressDelay {
				continue
			}
			var rows int64
			done, known := 0.0, false
			if p != nil {
				rows = p.Rows()
				done, known = p.Fraction()
			}
			l.mu.Lock()
			fmt.Fprintf(l.w, "\r\x1b[K%s", progressText(elapsed, rows, done, known))
			l.shown = true
			l.mu.Unlock()
		}
	})
}

// stop ends the line and wipes it out.
func (l *statusLine) stop() {
	close(l.done)
	l.wg.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wipe()
}

func (l *statusLine) wipe() {
	if l.shown {
		fmt.Fprint(l.w, "\r\x1b[K")
		l.shown = false
	}
}

// print writes a message on a line of its own.
func (l *statusLine) print(msg string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wipe()
	fmt.Fprintln(l.w, msg)
}

// progressText gives e.g. `12,000 rows, 1,200 rows/s, 20 %, 0:40 left`. Rows count only what models have answered, so a
// statement without a model has none.
func progressText(elapsed time.Duration, rows int64, done float64, known bool) string {
	text := "running for " + clock(elapsed)
	if rows > 0 {
		text = rateText(rows, elapsed)
	}
	if known && done >= 0.01 && done < 1 {
		left := time.Duration(float64(elapsed) * (1 - done) / done)
		text += fmt.Sprintf(", %d %%, %s left", int(100*done), clock(left))
	}
	return text
}

// rateText gives e.g. `12,000 rows, 1,200 rows/s`.
func rateText(rows int64, elapsed time.Duration) string {
	rate := float64(rows) / elapsed.Seconds()
	if rate >= 10 {
		return fmt.Sprintf("%s rows, %s rows/s", thousands(rows), thousands(int64(rate)))
	}
	return fmt.Sprintf("%s rows, %.1f rows/s", thousands(rows), rate)
}

// clock writes 0:07, 12:34 or 1:00:00.
func clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
