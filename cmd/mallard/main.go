// Command mallard is a SQL shell on DuckDB that speaks BigQuery ML: see `mallard -help`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitPipe   = 128 + int(syscall.SIGPIPE)
)

func main() {
	mallard.RunWorker()
	// A write to a closed pipe (`| head`) is to be an error that ends the command in order, not a signal.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(context.Background(), os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

func (t terminal) inTerminal() bool  { return isTerminal(t.in) }
func (t terminal) outTerminal() bool { return isTerminal(t.out) }
func (t terminal) errTerminal() bool { return isTerminal(t.err) }

func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width is the number of columns of the terminal at stdout or else at stderr; 80 if neither is one.
func (t terminal) width() int {
	for _, w := range []io.Writer{t.out, t.err} {
		if n, _ := size(w); n > 0 {
			return n
		}
	}
	return 80
}

// errWidth is how wide a line of an error may be: as the terminal, or where it goes elsewhere wide enough for most lines.
func (t terminal) errWidth() int {
	if n, _ := size(t.err); n > 0 {
		return n
	}
	return 240
}

// height is the number of lines of the terminal; 24 if there is none.
func (t terminal) height() int {
	if _, n := size(t.out); n > 0 {
		return n
	}
	return 24
}

// size is that of a terminal, 0 for anything else.
func size(v any) (columns, lines int) {
	if f, ok := v.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil {
			return w, h
		}
	}
	return 0, 0
}

func run(ctx context.Context, args []string, t terminal) int {
	if len(args) > 0 {
		switch args[0] {
		case "emulate":
			return runEmulate(ctx, args[1:], t)
		case "beam":
			return runBeam(ctx, args[1:], t)
		case "model":
			return runModel(ctx, args[1:], t)
		case "serve":
			return runServe(ctx, args[1:], t)
		}
	}
	o, err := parseArgs(args)
	switch {
	case errors.Is(err, errHelp):
		fmt.Fprint(t.out, helpOf(o.command))
		return exitDone
	case err != nil:
		fmt.Fprintf(t.err, "mallard: %v\nmallard -help shows what there is.\n", err)
		return exitUsage
	case o.version:
		fmt.Fprintln(t.out, versionText())
		return exitDone
	}
	switch o.command {
	case "help":
		fmt.Fprint(t.out, helpOf(strings.Join(o.args, "")))
		return exitDone
	case "test":
		return runTests(ctx, o, t)
	case "doctor":
		return runDoctor(ctx, o, t)
	case "config":
		return runConfig(ctx, o, t)
	case "completion":
		fmt.Fprint(t.out, completions[o.args[0]](o))
		return exitDone
	case "man":
		fmt.Fprint(t.out, manual())
		return exitDone
	}
	if err := o.checkDatabase(t); err != nil {
		fmt.Fprintf(t.err, "mallard: %v\n", err)
		return exitUsage
	}
	err = runShell(ctx, o, t)
	var exit shell.Exit
	switch {
	case err == nil:
		return exitDone
	case shell.BrokenPipe(err):
		return exitPipe // what stood behind the statement did not run: said as by any program that a closed pipe ends
	case errors.As(err, &exit):
		return exit.Code
	case !errors.Is(err, shell.ErrFailed):
		fmt.Fprintf(t.err, "mallard: %v\n", err)
	}
	return exitFailed
}
