package shell

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// pagerSettings say what shows a result that does not fit.
type pagerSettings struct {
	never, always bool
	program       string // empty: the environment's
}

func (s *Shell) setPager(_ context.Context, args []string) error {
	switch line := strings.Join(args, " "); strings.ToLower(line) {
	case "":
		return s.say("%s\n", cmp.Or(s.pagerProgram(), "there is no pager: set PAGER, or install less"))
	case "on":
		s.pager.never, s.pager.always = false, true
	case "off":
		s.pager.never, s.pager.always = true, false
	case "auto", "automatic":
		s.pager.never, s.pager.always = false, false
	default:
		s.pager.program, s.pager.never = line, false
	}
	return nil
}

// pagerProgram is the command line of the pager.
func (s *Shell) pagerProgram() string {
	if p := cmp.Or(s.pager.program, os.Getenv("MALLARD_PAGER"), os.Getenv("DUCKDB_PAGER"), os.Getenv("PAGER")); p != "" {
		return p
	}
	if _, err := exec.LookPath("less"); err == nil {
		return "less -SRFX"
	}
	return ""
}

// page gives what results go through on their way to the terminal, nil for nothing. A duckbox fits by itself.
func (s *Shell) page(w io.Writer) *pager {
	if cmp.Or(s.format.Mode, DuckBox) == DuckBox && s.format.MaxRows >= 0 && !s.pager.always {
		return nil
	}
	return s.pageWith(w)
}

func (s *Shell) pageWith(w io.Writer) *pager {
	program := s.pagerProgram()
	if s.pager.never || s.editor == nil || program == "" || program == "cat" {
		return nil
	}
	return &pager{s: s, out: w, program: program, room: max(s.o.Height()-1, 5)}
}

// pager holds what is written until it does not fit, and gives it to a program then.
type pager struct {
	s       *Shell
	out     io.Writer
	program string
	room    int // lines
	held    bytes.Buffer
	lines   int
	in      io.WriteCloser
	command *exec.Cmd
	back    func() error
	gone    bool
}

// Write implements [io.Writer].
func (p *pager) Write(b []byte) (int, error) {
	switch {
	case p.gone:
		return len(b), nil // the reader has seen enough
	case p.in != nil:
		if _, err := p.in.Write(b); err != nil {
			p.gone = true
		}
		return len(b), nil
	}
	p.held.Write(b)
	if p.lines += bytes.Count(b, []byte("\n")); p.lines > p.room {
		if err := p.start(); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// start runs the program; without one everything is printed.
func (p *pager) start() error {
	if a, ok := p.out.(afterStatus); ok {
		a.status.stop()
	}
	c := systemShell(context.Background(), p.program) // Ctrl-C is the program's own
	c.Stdout, c.Stderr = p.s.o.Out, p.s.o.Err
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	if p.back, err = p.s.lend(); err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return errors.Join(fmt.Errorf("pager: %w", err), p.back())
	}
	p.in, p.command = in, c
	_, err = p.in.Write(p.held.Bytes())
	p.gone = err != nil
	p.held.Reset()
	return nil
}

func (p *pager) close() error {
	if p.in == nil {
		_, err := p.out.Write(p.held.Bytes())
		return err
	}
	_ = p.in.Close()
	_ = p.command.Wait() // how it ends is its own affair
	return p.back()
}
