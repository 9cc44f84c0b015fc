package isolated

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unicode"

	"golang.org/x/sys/unix"

	"github.com/mallardml/mallard/internal/amount"
)

// process is a worker that was started.
type process struct {
	cmd    *exec.Cmd
	errors tail
	lanes  chan *lane // those without a call
	made   int
	ours   atomic.Pointer[string] // why we ended it, where we did

	calls atomic.Int32  // sent, and without an answer
	dead  chan struct{} // closed when the process has ended, with what follows
	cause string
	lost  int32 // calls that its end left without an answer

	background sync.WaitGroup
}

// start starts a worker with n lanes. The thread that starts a process stays until that has ended, since Linux ends the process with it.
func start(program string, n int, memory int64) (*process, error) {
	p := &process{lanes: make(chan *lane, n), dead: make(chan struct{})}
	var others []*os.File
	defer func() {
		for i, f := range others {
			if i%2 == 0 { // the sockets; both sides have the memory in common
				_ = f.Close()
			}
		}
	}()
	for range n {
		l, other, err := lanePair()
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		others = append(others, other...)
		p.lanes <- l
		p.made++
	}
	p.cmd = exec.Command(program, Argument, strconv.Itoa(n))
	p.cmd.Env = append(os.Environ(), Environment+"=1", "GOTRACEBACK=none")
	p.cmd.ExtraFiles = others
	p.cmd.Stderr = &p.errors
	p.cmd.WaitDelay = time.Second // for what the worker's own children hold open
	// A group of its own: Ctrl-C in a terminal cancels a statement, and is no business of the worker.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error)
	p.background.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			err = p.cmd.Wait()
			p.cause, p.lost = p.reason(err), p.calls.Load()
			close(p.dead)
		}
	})
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("start the process of the engine, %s: %w", program, err), p.close())
	}
	if memory > 0 {
		p.background.Go(func() { p.watch(memory) })
	}
	return p, nil
}

// watch ends a worker that has more memory of its own than it may: pages that are no file's and shared with nobody, so that libraries and
// tensors on their way do not count. A limit of addresses (RLIMIT_AS) would not do: the runtime of Go and malloc's arenas reserve many
// times what they use.
func (p *process) watch(most int64) {
	const interval = 10 * time.Millisecond
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	file := "/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/statm"
	for {
		select {
		case <-p.dead:
			return
		case <-ticker.C:
		}
		if p.calls.Load() == 0 {
			continue
		}
		b, _ := os.ReadFile(file) // a process that is gone has none, and ends the loop
		if f := bytes.Fields(b); len(f) > 2 {
			resident, _ := strconv.ParseInt(string(f[1]), 10, 64)
			shared, _ := strconv.ParseInt(string(f[2]), 10, 64)
			if own := (resident - shared) * int64(os.Getpagesize()); own > most {
				p.kill(fmt.Sprintf("it had %s of memory, and [tensorflow] worker_memory allows %d", amount.Of(own, "byte"), most))
			}
		}
	}
}

// kill ends the worker for a reason.
func (p *process) kill(why string) {
	p.ours.CompareAndSwap(nil, &why)
	_ = p.cmd.Process.Kill() // one that has ended is what is wanted
}

// close ends the worker, waits for its end, and frees what it shared with us.
func (p *process) close() error {
	if p.cmd != nil && p.cmd.Process != nil {
		p.kill("the database was closed")
	}
	p.background.Wait()
	var errs []error
	for range p.made {
		l := <-p.lanes // outputs that are still read lie in its memory
		errs = append(errs, l.close())
	}
	p.made = 0
	return errors.Join(errs...)
}

// reason says why the process ended, from its state and the last lines that it wrote.
func (p *process) reason(err error) string {
	if why := p.ours.Load(); why != nil {
		return *why
	}
	why := "it exited"
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		why = exit.Error()
		if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
			why = unix.SignalName(s.Signal())
		}
	}
	if said := p.errors.last(); said != "" {
		why += ": " + said
	}
	return why
}

// call asks the worker over a lane. An error that is a [*crash] says that the worker ended; the context's error that its answer is still
// to come, and the lane with it.
func (p *process) call(ctx context.Context, l *lane, message []byte) ([]byte, error) {
	p.calls.Add(1)
	if err := l.send(message); err != nil {
		return nil, p.ended(err, true)
	}
	b, err := l.answerWithin(ctx)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, p.ended(err, false)
	}
	p.calls.Add(-1)
	return result(b)
}

// crash is the end of a worker during a call.
type crash struct {
	cause  string
	others bool // were without an answer, too, and may be the ones to blame
	unsent bool // the worker was gone before the call
}

// Error says why the worker ended.
func (c *crash) Error() string { return "the process of the engine ended: " + c.cause }

// EngineEnded marks the error for package functions, which knows the rows.
func (*crash) EngineEnded() bool { return true }

// ended waits for the end of a worker whose lane does not work any more.
func (p *process) ended(err error, unsent bool) error {
	const exiting = 10 * time.Second // between the end of its sockets and its own
	if !errors.Is(err, errForeign) {
		select {
		case <-p.dead:
		case <-time.After(exiting):
		}
	}
	p.kill("its answers could not be read")
	<-p.dead
	p.calls.Add(-1)
	return &crash{cause: p.cause, others: p.lost > 1, unsent: unsent}
}

// abandoned is how long a run that nobody waits for may still take.
const abandoned = 5 * time.Second

// abandon waits for the answer of a call whose context has ended, and ends the worker if it does not come.
func (p *process) abandon(l *lane, then func(), done func()) {
	p.background.Go(func() {
		defer done()
		timer := time.AfterFunc(abandoned, func() { p.kill("a statement that was cancelled did not stop") })
		defer timer.Stop()
		if _, err := l.answer(); err != nil {
			_ = p.ended(err, false)
			return
		}
		p.calls.Add(-1)
		then()
	})
}

// tail keeps of what a worker writes the lines that say most of its end: a failed check and the signal if they are there, else the last
// ones. The runtime of Go writes the stacks of all goroutines behind a signal.
type tail struct {
	mu      sync.Mutex
	part    []byte
	lines   []string
	telling []string
}

const maxLine, maxLines = 300, 3

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range bytes.Lines(b) {
		end := bytes.HasSuffix(line, []byte("\n"))
		t.part = append(t.part, line[:min(len(line), max(0, 4*maxLine-len(t.part)))]...)
		if end {
			t.flush()
		}
	}
	return len(b), nil
}

// flush ends a line.
func (t *tail) flush() {
	line := []rune(strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(string(t.part), "\uFFFD"))))
	t.part = t.part[:0]
	if len(line) == 0 {
		return
	}
	text := string(line[:min(len(line), maxLine)])
	if t.lines = append(t.lines, text); len(t.lines) > maxLines {
		t.lines = t.lines[1:]
	}
	tells := strings.Contains(text, "Check failed")
	for _, begin := range []string{"SIG", "[signal ", "fatal error: ", "panic: ", "terminate called"} {
		tells = tells || strings.HasPrefix(text, begin)
	}
	if tells && len(t.telling) < maxLines {
		t.telling = append(t.telling, text)
	}
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
	if len(t.telling) > 0 {
		return strings.Join(t.telling, "; ")
	}
	return strings.Join(t.lines, "; ")
}
