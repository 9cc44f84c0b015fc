package shell

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/mallardml/mallard/internal/amount"
)

const (
	progressDelay = time.Second
	progressTick  = 200 * time.Millisecond
	// progressLine is how often progress is written where it cannot be wiped out.
	progressLine = 5 * time.Second
)

// statusLine shows how far a statement has come, on one line that is wiped out when the statement ends. Messages printed
// meanwhile go above it.
type statusLine struct {
	w        io.Writer
	terminal bool
	lines    bool // w is no terminal, and is told nevertheless
	width    func() int

	mu    sync.Mutex
	shown bool
	over  bool
	done  chan struct{}
	wg    sync.WaitGroup
}

func newStatusLine(o Options) *statusLine {
	return &statusLine{w: o.Err, terminal: o.ErrTerminal, lines: o.ShowProgress && !o.ErrTerminal, width: o.Width, done: make(chan struct{})}
}

func (l *statusLine) start(p Progress) {
	if !l.terminal && !l.lines {
		return
	}
	delay, every := progressDelay, progressTick
	if l.lines {
		delay, every = progressLine, progressLine
	}
	began := time.Now()
	l.wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-l.done:
				return
			case <-tick.C:
			}
			elapsed := time.Since(began)
			if elapsed < delay {
				continue
			}
			st := State{Fraction: -1}
			if p != nil {
				st = p.State()
			}
			l.show(progressText(elapsed, st))
		}
	})
}

func (l *statusLine) show(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.over:
	case l.lines:
		fmt.Fprintln(l.w, text)
	default: // a line that wraps could not be wiped out
		fmt.Fprintf(l.w, "\r\x1b[K%s", cutTo(text, max(l.width()-1, 10)))
		l.shown = true
	}
}

// stop ends the line and wipes it out.
func (l *statusLine) stop() {
	l.mu.Lock()
	if !l.over {
		l.over = true
		close(l.done)
	}
	l.wipe()
	l.mu.Unlock()
	l.wg.Wait()
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

// afterStatus ends the status line before anything is written to the terminal that it stands on.
type afterStatus struct {
	w      io.Writer
	status *statusLine
}

func (w afterStatus) Write(b []byte) (int, error) {
	w.status.stop()
	return w.w.Write(b)
}

// progressText gives e.g. `1,200 of 12,000 rows, 10 %, 96 rows/s, 1:52 left, 3 failed`. Rows count only what models have
// answered, so a statement without a model has none.
func progressText(elapsed time.Duration, st State) string {
	text, done := "", st.Fraction
	switch {
	case st.Unit != "":
		text = fmt.Sprintf("%s of %s %s", amount.Grouped(st.Rows), amount.Grouped(st.Total), st.Unit)
	case st.Total > 0:
		text = fmt.Sprintf("%s of %s", amount.Grouped(st.Rows), amount.Of(st.Total, "row"))
	case st.Rows > 0:
		text = rateText(st.Rows, elapsed)
	default:
		text = "running for " + clock(elapsed)
	}
	if st.Doing != "" {
		text = st.Doing + ": " + text
	}
	if st.Total > 0 {
		done = float64(st.Rows) / float64(st.Total)
	}
	if done >= 0.01 && done < 1 {
		text += fmt.Sprintf(", %d %%", int(100*done))
	}
	if st.Total > 0 && st.Rows > 0 {
		text += ", " + rate(st.Rows, elapsed, st.Unit)
	}
	if done >= 0.01 && done < 1 {
		text += fmt.Sprintf(", %s left", clock(time.Duration(float64(elapsed)*(1-done)/done)))
	}
	for _, n := range st.Notes {
		text += ", " + n
	}
	return text
}

// rateText gives e.g. `12,000 rows, 1,200 rows/s`.
func rateText(rows int64, elapsed time.Duration) string {
	return amount.Of(rows, "row") + ", " + rate(rows, elapsed, "")
}

func rate(done int64, elapsed time.Duration, unit string) string {
	rate := float64(done) / elapsed.Seconds()
	if unit == "" {
		unit = "rows"
	}
	if rate >= 10 {
		return amount.Grouped(int64(rate)) + " " + unit + "/s"
	}
	return fmt.Sprintf("%.1f %s/s", rate, unit)
}

// clock writes 0:07, 12:34 or 1:00:00.
func clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
