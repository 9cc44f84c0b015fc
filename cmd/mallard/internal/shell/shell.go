// Package shell reads statements, runs them and prints their results.
//
// It knows no SQL of its own: what a statement is, how an error is shown and which query stands behind .tables come from
// Options. A script is run with [Shell.Run], a person is served with [Shell.Interact]; both can be tested with strings.
package shell

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell/editor"
)

// DB is what the shell needs of a database. A *sql.Conn keeps temporary tables and transactions over statements, a *sql.DB does not.
type DB interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Statement is one statement of a text, as byte offsets.
type Statement struct{ Pos, End int }

// Progress tells how far the running statement has come. It is asked from another goroutine.
type Progress interface {
	State() State
	// Below is what stands below the plan that EXPLAIN draws; empty for nothing.
	Below() string
}

// State is how far a statement has come.
type State struct {
	// Doing says what is being done, if it is not the query itself.
	Doing string
	// Rows counts what is done, in Total if that is known. Unit says of what, rows if it is empty.
	Rows, Total int64
	Unit        string
	// Fraction is the part done, from 0 to 1; less than 0 if it is not known. With a Total it is not needed.
	Fraction float64
	// Notes follow, such as "3 failed".
	Notes []string
}

// Command is a dot-command that stands for a query, such as .tables.
type Command struct {
	Name string // with its dot
	Args string // for the help, e.g. [PATTERN]
	Help string
	// Plain prints the bare values, whatever the mode is.
	Plain bool
	// Query gives the SQL to run, under the context that Context makes of the shell's; nil leaves it. Or Run does what is to be done.
	Query   func(args []string) (string, error)
	Run     func(ctx context.Context, r Runner, args []string) error
	Context func(context.Context) context.Context
}

// Runner is what a command has of the shell.
type Runner interface {
	// Print writes a text where results go.
	Print(text string) error
	// Rows gives all rows of a small result as texts, NULL as an empty one.
	Rows(ctx context.Context, query string) ([][]string, error)
	// Insert prints the rows of a table as INSERT statements.
	Insert(ctx context.Context, schema, table string) error
}

// Place is where a statement stands.
type Place struct {
	Name string // of the script
	Text string // a part of the script, not only the statement; empty where Name is that of a dot-command, of which nobody wrote the SQL
	Pos  int    // of the statement in Text, in bytes
	Line int    // of the beginning of Text in the script, from 1
}

// Statement names the script and the line where the statement begins, for an error of which nothing closer is known; a text of one line
// that was typed needs none.
func (p Place) Statement() string {
	blank := len(p.Text[p.Pos:]) - len(strings.TrimLeft(p.Text[p.Pos:], " \t\r\n"))
	if p.Name == typedName && !strings.Contains(strings.TrimSpace(p.Text), "\n") && p.Line == 1 {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", p.Name, p.Line+strings.Count(p.Text[:p.Pos+blank], "\n"))
}

// Options are the surroundings of a shell. The zero value prints boxes to nowhere and takes a line that ends in ; for a statement.
type Options struct {
	// In is the terminal of Interact, and of programs that have the terminal for themselves. Default: os.Stdin.
	In *os.File
	// Out gets results, Err messages. Default: io.Discard.
	Out, Err io.Writer
	// OutTerminal and ErrTerminal tell that a person looks at Out or Err: tables are cut to fit, progress is shown.
	OutTerminal, ErrTerminal bool
	// ShowProgress writes progress to an Err that is no terminal too, as a line from time to time.
	ShowProgress bool
	// Width gives the columns of the terminal. Default: 80.
	Width func() int
	// Format is how results are printed at first.
	Format Format
	// Bail stops a script at the first error. Echo prints what of it runs.
	Bail, Echo bool
	// Lock keeps the database from files and from the network, for .safe_mode. Default: only commands are kept from them.
	Lock func(ctx context.Context) error
	// Height gives the lines of the terminal. Default: 24.
	Height func() int
	// Database names the open database for .show and the prompt. Default: :memory:.
	Database func() string
	// Version is what .version prints.
	Version string
	// Split cuts a text into statements. Default: the whole text is one.
	Split func(src string) []Statement
	// Marker gives the line at the beginning of a text, with its end, that says how this text and what follows in its script are read; it is
	// put before each statement. Default: there is none.
	Marker func(text string) string
	// Completion starts an empty text that will grow. Default: a text is complete when it ends in ;.
	Completion func() Completion
	// RenderError gives the text of a statement's error. Default: the error's own text.
	RenderError func(err error, at Place) string
	// Begin is called before every statement. What it gives back lives as long as the statement; notice prints a message on Err.
	Begin func(ctx context.Context, src string, notice func(string)) (context.Context, Progress)
	// Suggest completes what was typed up to the cursor, with after behind it, when Tab is pressed. Default: nothing but dot-commands.
	Suggest func(ctx context.Context, text, after string) []Suggestion
	// Hint is a line about what stands at the cursor, before and behind it; empty for none. Default: there is none.
	Hint func(before, after string) string
	// Lead gives the columns of a result, by their places, that a terminal too narrow for all shows before others. Default: the outer ones.
	Lead func(names []string) []int
	// AsDuckDB makes a context in which DuckDB itself reads a query. Default: every context is one.
	AsDuckDB func(ctx context.Context) context.Context
	// Open opens another database for .open. Default: .open is refused.
	Open func(ctx context.Context, path string, readOnly bool) (DB, error)
	// Another opens another connection to the same database, for the statements that follow one which cannot be stopped. Default:
	// they are refused until it has ended.
	Another func(ctx context.Context) (DB, error)
	// Commands are further dot-commands.
	Commands []Command
	// Banner is printed when Interact begins.
	Banner string
	// Pieces cuts a typed text for its colours, Keyword tells which words are keywords. Default: it is plain.
	Pieces  func(text string) []Piece
	Keyword func(word string) bool
	// PromptOf gives the prompt at this moment. Default: Prompt.
	PromptOf func(ctx context.Context) string
	// Prompt is shown before a statement. Default: mallard> .
	Prompt string
	// HistoryFile keeps what was typed; empty keeps it in memory.
	HistoryFile string
	// Colored lets results, errors and what is typed have colours on a terminal; see [Colored].
	Colored bool
	// Location is the time zone of TIMESTAMP WITH TIME ZONE. Default: UTC.
	Location *time.Location
}

// Completion tells whether a text ends where a statement ends, while it grows.
type Completion interface {
	// Add appends to the text and reports whether all of it is complete.
	Add(text string) bool
}

// semicolon takes a text for complete when it ends in ;.
type semicolon struct{ last string }

func (s *semicolon) Add(text string) bool {
	if text = strings.TrimSpace(text); text != "" {
		s.last = text
	}
	return s.last == "" || strings.HasSuffix(s.last, ";")
}

// Suggestion is a text that may take the place of what was typed from the byte Start on.
type Suggestion = editor.Suggestion

// typedName names in errors what was typed or given with -c; a single line of it needs no place.
const typedName = "query"

// ErrFailed tells that a statement failed and its error has been printed.
var ErrFailed = errors.New("a statement failed")

// Exit tells that .exit or .quit ended the shell, and with which exit code.
type Exit struct{ Code int }

// Error implements error.
func (e Exit) Error() string { return "exit " + strconv.Itoa(e.Code) }

// outputError is a failed write of results; no other statement can do better.
type outputError struct{ err error }

func (e outputError) Error() string { return "write the result: " + e.err.Error() }
func (e outputError) Unwrap() error { return e.err }

// BrokenPipe tells whether err comes from a reader that went away, such as `| head`: nothing to complain about.
func BrokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// Shell runs statements on one database.
type Shell struct {
	db      DB
	o       Options
	format  Format
	timer   bool
	bail    bool
	onward  bool // .bail off was said: texts and files go on after an error, too
	out     io.Writer
	sink    *sink        // of .output and .once, nil for none
	once    bool         // the sink ends with the next statement
	depth   int          // of .read
	typing  typing       // what Enter was pressed on last
	running Progress     // of the statement that runs
	failed  bool         // something has failed: .exit without a code tells it
	behind  <-chan error // of the statement that was left behind on db, nil for none
	unended *atomic.Int32
	settings
	// keywords are DuckDB's, once a statement is to be made of rows.
	keywords map[string]bool
}

// New makes a shell on db.
func New(db DB, o Options) *Shell {
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Err == nil {
		o.Err = io.Discard
	}
	if o.Width == nil {
		o.Width = func() int { return 80 }
	}
	if o.Height == nil {
		o.Height = func() int { return 24 }
	}
	if o.Split == nil {
		o.Split = func(src string) []Statement { return []Statement{{0, len(src)}} }
	}
	if o.Marker == nil {
		o.Marker = func(string) string { return "" }
	}
	if o.Completion == nil {
		o.Completion = func() Completion { return &semicolon{} }
	}
	if o.RenderError == nil {
		o.RenderError = func(err error, _ Place) string { return err.Error() }
	}
	if o.Begin == nil {
		o.Begin = func(ctx context.Context, _ string, _ func(string)) (context.Context, Progress) { return ctx, nil }
	}
	if o.Prompt == "" {
		o.Prompt = "mallard> "
	}
	return &Shell{db: db, o: o, format: o.Format, bail: o.Bail, out: o.Out, unended: new(atomic.Int32),
		settings: newSettings(o)}
}

// Close ends .output.
func (s *Shell) Close() error { return errors.Join(s.setOutput(nil), s.setLog(nil)) }

// Exec runs the statements and dot-commands of a text up to the first that fails, as DuckDB's shell runs -c: what follows may
// rely on it, unless .bail off says that it does not. name is the text's name in errors. A failure has been reported on Err and is
// ErrFailed, .exit is an [Exit], and another error is one of reading or writing.
func (s *Shell) Exec(ctx context.Context, name, text string) error {
	return s.run(ctx, name, strings.NewReader(text), s.stops)
}

func (s *Shell) stops() bool { return !s.onward }

// GoesOn reports whether .bail off was said, so that what follows a failed text or file runs.
func (s *Shell) GoesOn() bool { return s.onward }

// ReadFile runs a file as Exec runs a text, each statement as soon as it is read.
func (s *Shell) ReadFile(ctx context.Context, path string) error {
	return s.readFile(ctx, path, s.stops)
}

func (s *Shell) readFile(ctx context.Context, path string, stop func() bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.run(ctx, path, f, stop)
}

// ReadHabits runs a file of a person's settings, all of it: what fails is told, and is no failure of the shell. Of another shell's file the
// commands that are not here are passed over.
func (s *Shell) ReadHabits(ctx context.Context, path string, other bool) error {
	s.lenient = other
	err := s.readFile(ctx, path, func() bool { return false })
	s.lenient, s.failed = false, false
	return err
}

// Run runs what comes from a stream without an end that could be known, such as the standard input: unless Options.Bail or
// .bail says otherwise it goes on after an error, and returns ErrFailed in the end.
func (s *Shell) Run(ctx context.Context, name string, in io.Reader) error {
	return s.run(ctx, name, in, func() bool { return s.bail })
}

// run reads a script and runs it text by text; stop tells whether a failure ends it.
func (s *Shell) run(ctx context.Context, name string, in io.Reader, stop func() bool) error {
	r := newScript(in)
	failed, mark := false, ""
	start := func() Completion {
		c := s.o.Completion()
		c.Add(mark)
		return c
	}
	for {
		text, line, err := r.next(start)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: %w", name, err)
		}
		if text != "" {
			if m := s.o.Marker(text); m != "" {
				mark = m
			}
			switch runErr := s.block(ctx, name, mark, text, line); {
			case runErr == nil:
			case !errors.Is(runErr, ErrFailed):
				return runErr
			case stop():
				return ErrFailed
			default:
				failed = true
			}
		}
		if err != nil {
			break
		}
		if ctx.Err() != nil {
			return ErrFailed
		}
	}
	if failed {
		return ErrFailed
	}
	return nil
}

// block runs a dot-command or the statements of a complete text that begins in the given line, and is read as mark says. As in DuckDB's
// shell a failure ends the text: what stands behind it on the same line does not run.
func (s *Shell) block(ctx context.Context, name, mark, text string, line int) error {
	if s.echo && strings.TrimSpace(text) != "" {
		if err := s.say("%s\n", strings.TrimRight(text, "\r\n")); err != nil {
			return err
		}
	}
	if strings.HasPrefix(text, ".") {
		place := ""
		if name != typedName || line > 1 {
			place = fmt.Sprintf("%s:%d: ", name, line)
		}
		err := s.command(ctx, place, strings.TrimSpace(text))
		var exit Exit
		var out outputError
		if err == nil || errors.Is(err, ErrFailed) || errors.As(err, &exit) || errors.As(err, &out) {
			return err
		}
		s.failed = true
		s.complain(place + err.Error())
		return ErrFailed
	}
	before := len(mark)
	if s.o.Marker(text) != "" {
		before = 0 // it stands in the text itself
	}
	for _, st := range s.o.Split(mark[:before] + text) {
		src := text[st.Pos-before : st.End-before]
		if strings.TrimSpace(src) == "" {
			continue
		}
		if err := s.statement(ctx, mark, src, Place{name, text, st.Pos - before, line}); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ErrFailed
		}
	}
	return nil
}
