package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// patience is how long a statement that is told to end has for it: with Ctrl-C a person has the prompt back within a second.
const patience = 700 * time.Millisecond

// errLeft tells that a statement did not end when it was told to, and was left behind.
var errLeft = errors.New("The statement is inside a function that DuckDB cannot stop; it ends by itself, and prints nothing.")

// answer runs a statement and prints its result until it is over, or has not ended in time although ctx has. DuckDB looks for an interrupt
// between its functions only, and in one of them it may be for minutes: repeat('abc', 1000000000). Such a statement is left behind: it goes
// on, but prints no more.
func (s *Shell) answer(ctx context.Context, mark, src string, w io.Writer) error {
	out := &gate{w: w}
	then := *s // what is left behind must not see what commands change
	over := make(chan error, 1)
	s.unended.Add(1)
	go func() {
		err := then.ask(ctx, mark, src, out)
		s.unended.Add(-1)
		over <- err
	}()
	select {
	case err := <-over:
		return err
	case <-ctx.Done():
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case err := <-over:
		return err
	case <-late.C:
	}
	out.shut()
	s.behind = over
	return errors.Join(ctx.Err(), errLeft)
}

// ask runs a statement and prints its result.
func (s *Shell) ask(ctx context.Context, mark, src string, w io.Writer) error {
	rows, err := s.db.QueryContext(ctx, mark+src)
	if err != nil {
		return err
	}
	err = s.print(w, src, rows)
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	return err
}

// busy reports whether the connection still runs a statement that was left behind.
func (s *Shell) busy() bool {
	if s.behind == nil {
		return false
	}
	select {
	case <-s.behind:
		s.behind = nil
	default:
	}
	return s.behind != nil
}

// Unended reports whether a statement that was left behind still runs. Closing its database would wait for it.
func (s *Shell) Unended() bool { return s.unended.Load() > 0 }

// free gives the shell a connection that runs nothing: the one it has, unless a statement that was left behind is still on it.
func (s *Shell) free(ctx context.Context) error {
	if !s.busy() {
		return nil
	}
	if s.o.Another == nil {
		return errors.New("the statement before has not ended yet")
	}
	db, err := s.o.Another(ctx)
	if err != nil {
		return fmt.Errorf("the statement before has not ended yet, and there is no other connection: %w", err)
	}
	s.db, s.behind = db, nil
	fmt.Fprintln(s.o.Err, "The statement before has not ended yet: this one runs on a new connection. Variables, settings, temporary tables "+
		"and an open transaction stay with the old one.")
	return nil
}

// gate is a writer that can be shut.
type gate struct {
	mu     sync.Mutex
	w      io.Writer
	closed bool
}

func (g *gate) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return 0, io.ErrClosedPipe
	}
	return g.w.Write(b)
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}
