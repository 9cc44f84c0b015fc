package editor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

// Options are what an editor needs of its surroundings.
type Options struct {
	// In is the terminal, Out shows what is typed on it.
	In  *os.File
	Out io.Writer
	// Complete tells whether Enter ends the text; else it begins another line. It may keep nothing of the text.
	Complete func(text []byte) bool
	// Suggest completes what stands before the cursor, with after behind it, when Tab is pressed. Default: nothing.
	Suggest func(ctx context.Context, before, after string) []Suggestion
	// Hint gives a line that is shown below the text while the cursor is at a byte of it; empty for none. Default: there is none.
	Hint func(text []byte, cursor int) string
	// Paint gives how the text looks, with the cursor at a byte of it. Default: plain.
	Paint func(text []byte, cursor int) []Span
	// HistoryFile keeps what was typed; empty keeps it in memory.
	HistoryFile string
}

// Prompts stand before the first line of a text and before the others. Neither may have escape sequences.
type Prompts struct{ First, More string }

// Suggestion is a text that may take the place of what was typed from the byte Start on.
type Suggestion struct {
	Text  string
	Start int
	Note  string // shown beside it
}

// ErrInterrupted tells that Ctrl-C dropped the text.
var ErrInterrupted = errors.New("interrupted")

const (
	// escapeTime is how long the rest of a key's sequence may take.
	escapeTime = 40 * time.Millisecond
	// cheapDraw is how long drawing may take before it is done less often than something comes.
	cheapDraw = 5 * time.Millisecond
	maxPause  = 300 * time.Millisecond

	pasteOn, pasteOff = "\x1b[?2004h", "\x1b[?2004l"
)

// Editor reads texts from one terminal. Only its Running may be used by several goroutines.
type Editor struct {
	o        Options
	terminal *terminal
	in       *input
	buffer   buffer
	screen   screen
	history  history
	menu     menu
	search   searching
	last     key
	cost     time.Duration // of the last drawing
	signals  chan os.Signal
	changed  chan struct{}

	prompts   Prompts
	suspended *atomic.Bool
}

// New takes over a terminal until Close.
func New(o Options) (*Editor, error) {
	t, err := openTerminal(o.In)
	if err != nil {
		return nil, fmt.Errorf("set up the terminal: %w", err)
	}
	if o.Suggest == nil {
		o.Suggest = func(context.Context, string, string) []Suggestion { return nil }
	}
	if o.Hint == nil {
		o.Hint = func([]byte, int) string { return "" }
	}
	in, err := newInput(o.In)
	if err != nil {
		return nil, errors.Join(err, t.leave())
	}
	e := &Editor{o: o, terminal: t, in: in, signals: make(chan os.Signal, 1), changed: make(chan struct{}, 1), suspended: new(atomic.Bool)}
	e.screen = screen{out: o.Out, size: e.size, paint: o.Paint}
	if o.HistoryFile != "" {
		err = e.history.load(o.HistoryFile)
	}
	e.history.rewind()
	if err == nil {
		_, err = io.WriteString(o.Out, pasteOn)
	}
	if err != nil {
		in.attention.close()
		return nil, errors.Join(err, t.leave())
	}
	notifyChange(e.signals)
	go func() {
		for range e.signals {
			if e.suspended.Load() {
				continue
			}
			_ = t.enter() // the shell that we went on from has its own mode
			select {
			case e.changed <- struct{}{}:
			default:
			}
		}
	}()
	go e.in.pump(o.In)
	return e, nil
}

// Close gives the terminal back as it was.
func (e *Editor) Close() error {
	signal.Stop(e.signals)
	close(e.signals)
	_, err := io.WriteString(e.o.Out, pasteOff)
	return errors.Join(err, e.terminal.leave())
}

// Suspend gives the terminal to another program, as it was before New, until back is called. What is typed meanwhile is that program's.
func (e *Editor) Suspend() (back func() error, err error) {
	if !canSuspend {
		return nil, errors.New("the terminal cannot be given to another program on this system")
	}
	e.in.attention.call()
	select {
	case <-e.in.away:
	case <-e.in.over:
		return func() error { return nil }, nil // nobody types any more
	}
	e.suspended.Store(true)
	_, err = io.WriteString(e.o.Out, pasteOff)
	back = func() error {
		e.suspended.Store(false)
		err := e.terminal.enter()
		_, writeErr := io.WriteString(e.o.Out, pasteOn)
		e.in.back <- struct{}{}
		return errors.Join(err, writeErr)
	}
	if err = errors.Join(err, e.terminal.leave()); err != nil {
		return nil, errors.Join(err, back())
	}
	return back, nil
}

// Running makes Ctrl-C call interrupt and drop what was typed ahead, until done is called, which tells whether anything was dropped.
func (e *Editor) Running(interrupt func()) (done func() (dropped bool)) {
	e.in.during(interrupt)
	return func() bool { return e.in.during(nil) }
}

func (e *Editor) size() (columns, rows int) {
	columns, rows, err := term.GetSize(int(e.o.In.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return columns, rows
}

// Read gives the next text. The error is ErrInterrupted for Ctrl-C, io.EOF for Ctrl-D or a terminal that is gone, or the context's.
func (e *Editor) Read(ctx context.Context, prompts Prompts) (string, error) {
	e.prompts = prompts
	e.buffer.set("")
	e.buffer.undone = nil
	e.menu, e.search = menu{}, searching{}
	dirty, final, rested := true, false, false
	for {
		ev, ok, partial, err := e.in.next(final)
		final = false
		switch {
		case ok:
			dirty = true
			if done, err := e.apply(ctx, ev); done || err != nil {
				return string(e.buffer.text), err
			}
			continue
		case err != nil:
			return "", io.EOF // the terminal is gone: nobody is left to tell why
		case ctx.Err() != nil:
			return "", ctx.Err()
		}
		if dirty && (e.cost < cheapDraw || rested) {
			if err := e.draw(); err != nil {
				return "", err
			}
			dirty = false
		}
		var most time.Duration
		if dirty {
			most = min(10*e.cost, maxPause)
		}
		if partial {
			most = escapeTime
		}
		more, change := e.in.wait(ctx, most, e.changed)
		rested = !more
		final = partial && !more && !change
		if change {
			dirty = true
			if _, err := io.WriteString(e.o.Out, pasteOn); err != nil {
				return "", err
			}
		}
	}
}

func (e *Editor) draw() error {
	began := time.Now()
	prompt := e.prompts.First
	if e.search.on {
		prompt = e.search.prompt()
	}
	columns, rows := e.screen.size()
	below := e.menu.lines(columns-1, max(1, rows/2-1))
	if len(below) == 0 && rows > 2 && len(e.buffer.text) <= maxPainted {
		if hint := e.o.Hint(e.buffer.text, e.buffer.cursor); hint != "" {
			below = []string{noteLook + short(hint, columns-1) + plainLook}
		}
	}
	err := e.screen.draw(&e.buffer, short(prompt, columns/2), e.prompts.More, below)
	e.cost = time.Since(began)
	return err
}

// finish leaves the text on the screen as it is.
func (e *Editor) finish(mark string) error {
	return e.screen.finish(&e.buffer, e.prompts.First, e.prompts.More, mark)
}

// apply does what a key says; done tells that the text is ready.
func (e *Editor) apply(ctx context.Context, ev event) (done bool, err error) {
	if ev.key == none {
		return false, nil
	}
	if e.search.on && e.searchKey(ev) {
		return false, nil
	}
	before := e.last
	e.last = ev.key
	if ev.key == tab {
		e.complete(ctx)
		return false, nil
	}
	e.menu = menu{}
	b := &e.buffer
	switch ev.key {
	case newline:
		if e.o.Complete(b.text) {
			e.history.add(string(b.text))
			b.cursor = len(b.text)
			return true, e.finish("")
		}
		b.insert([]byte("\n"))
	case interrupt:
		e.history.rewind()
		return true, errors.Join(e.finish("^C"), ErrInterrupted)
	case endOfFile:
		if len(b.text) == 0 {
			return true, errors.Join(e.finish(""), io.EOF)
		}
		b.delete(b.cursor, b.after(b.cursor))
	case clearScreen:
		e.screen.drawn, e.screen.cursorRow = nil, 0
		_, err = io.WriteString(e.o.Out, "\x1b[H\x1b[2J")
	case search:
		e.search = searching{on: true, before: snapshot{string(b.text), b.cursor}, at: len(e.history.list)}
	case undo:
		b.undo()
	default:
		if !e.move(ev.key) {
			if ev.key != text || before != text {
				b.keep()
			}
			e.edit(ev)
		}
	}
	return false, err
}

// move does the keys that move the cursor.
func (e *Editor) move(k key) bool {
	b := &e.buffer
	from, to := b.line(b.cursor)
	switch k {
	case up:
		if !b.vertical(-1) {
			e.history.show(b, e.history.at-1)
		}
		return true
	case down:
		if !b.vertical(1) {
			e.history.show(b, e.history.at+1)
		}
		return true
	case first:
		e.history.show(b, 0)
		return true
	case last:
		e.history.show(b, len(e.history.list))
		return true
	case left:
		b.cursor = b.before(b.cursor)
	case right:
		b.cursor = b.after(b.cursor)
	case home:
		b.cursor = from
	case end:
		b.cursor = to
	case wordLeft:
		b.cursor = b.wordBefore(b.cursor)
	case wordRight:
		b.cursor = b.wordAfter(b.cursor)
	case escape:
	default:
		return false
	}
	b.column = -1
	return true
}

// edit does the keys that change the text.
func (e *Editor) edit(ev event) {
	b := &e.buffer
	from, to := b.line(b.cursor)
	switch ev.key {
	case text:
		b.insert(ev.text)
	case alone:
		b.insert([]byte("\n"))
	case backspace:
		b.delete(b.before(b.cursor), b.cursor)
	case deleteNext:
		b.delete(b.cursor, b.after(b.cursor))
	case deleteWordLeft:
		b.kill(b.wordBefore(b.cursor), b.cursor)
	case deleteWordRight:
		b.kill(b.cursor, b.wordAfter(b.cursor))
	case killLeft:
		b.kill(from, b.cursor)
	case killRight:
		if b.cursor == to && to < len(b.text) {
			to++ // at the end of a line its newline goes
		}
		b.kill(b.cursor, to)
	case yank:
		b.insert(b.killed)
	case transpose:
		b.transpose()
	}
}
