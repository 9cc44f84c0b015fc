package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// sink is where results go instead of to the terminal.
type sink struct {
	name   string
	w      io.WriteCloser
	finish func() error // after w is closed
	format *Format      // the shell's, which comes back at the end
}

func (s *Shell) output(ctx context.Context, args []string) error {
	return s.redirect(ctx, ".output", args, false)
}
func (s *Shell) onceTo(ctx context.Context, args []string) error {
	return s.redirect(ctx, ".once", args, true)
}
func (s *Shell) excel(ctx context.Context, _ []string) error {
	return s.redirect(ctx, ".excel", []string{"-x"}, true)
}

// redirect sends results to a file, a program, an editor or a spreadsheet.
func (s *Shell) redirect(ctx context.Context, name string, args []string, once bool) error {
	target, bom := "", ""
	for _, a := range args {
		switch {
		case a == "--bom" || a == "-bom":
			bom = "\ufeff"
		case target == "":
			target = a
		case strings.HasPrefix(target, "|"):
			target += " " + a
		default:
			return fmt.Errorf("%s takes one file, not %s too", name, a)
		}
	}
	next, err := s.sinkFor(ctx, target)
	if err == nil && next != nil && bom != "" {
		_, err = io.WriteString(next.w, bom)
	}
	if err == nil {
		err = s.setOutput(next)
		s.once = once && next != nil
		if next != nil && target == "-x" {
			before := s.format
			next.format = &before
			s.format.SetMode(CSV)
			s.format.NoHeader = false
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (s *Shell) sinkFor(ctx context.Context, target string) (*sink, error) {
	command, piped := strings.CutPrefix(target, "|")
	switch {
	case target == "", target == "stdout":
		return nil, nil
	case target == "off":
		return &sink{name: target, w: nothing{}}, nil
	case target == "stderr":
		return &sink{name: target, w: unclosed{s.o.Err}}, nil
	case piped:
		c := systemShell(ctx, strings.TrimSpace(command))
		c.Stdout, c.Stderr = s.o.Out, s.o.Err
		w, err := c.StdinPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			return nil, err
		}
		return &sink{name: target, w: w, finish: c.Wait}, nil
	case target == "-e", target == "-x":
		f, err := os.CreateTemp("", "mallard-*"+map[string]string{"-e": ".txt", "-x": ".csv"}[target])
		if err != nil {
			return nil, err
		}
		open := func() error { return s.openWith(ctx, f.Name()) }
		if target == "-e" {
			open = func() error { return errors.Join(s.editFile(ctx, f.Name()), os.Remove(f.Name())) }
		}
		return &sink{name: f.Name(), w: f, finish: open}, nil
	}
	f, err := os.Create(target)
	if err != nil {
		return nil, err
	}
	return &sink{name: target, w: f}, nil
}

// unclosed is a stream that outlives the sink.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// nothing takes what nobody wants.
type nothing struct{}

func (nothing) Write(b []byte) (int, error) { return len(b), nil }
func (nothing) Close() error                { return nil }

// setOutput ends the sink and takes another, nil for none.
func (s *Shell) setOutput(next *sink) error {
	old := s.sink
	s.sink, s.out, s.once = next, s.o.Out, false
	if next != nil {
		s.out = next.w
	}
	if old == nil {
		return nil
	}
	err := old.w.Close()
	if old.format != nil {
		s.format = *old.format
	}
	if old.finish != nil {
		err = errors.Join(err, old.finish())
	}
	return err
}

// systemShell runs a line as the system's own shell does.
func systemShell(ctx context.Context, line string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		return exec.CommandContext(ctx, "cmd", "/c", line)
	}
	return exec.CommandContext(ctx, "sh", "-c", line)
}

// openWith opens a file with the program that the system has for its kind.
func (s *Shell) openWith(ctx context.Context, file string) error {
	opener := "xdg-open"
	switch runtime.GOOS {
	case "darwin":
		opener = "open"
	case "windows":
		opener = "explorer"
	}
	if _, err := exec.LookPath(opener); err != nil {
		return fmt.Errorf("the result is in %s; there is no %s to open it", file, opener)
	}
	return s.foreground(exec.CommandContext(ctx, opener, file))
}

// foreground runs a program that has the terminal for itself.
func (s *Shell) foreground(c *exec.Cmd) error {
	c.Stdout, c.Stderr = s.o.Out, s.o.Err
	if s.o.OutTerminal {
		c.Stdin = s.o.In
	}
	back, err := s.lend()
	if err != nil {
		return err
	}
	return errors.Join(c.Run(), back())
}

// lend gives the terminal away until back.
func (s *Shell) lend() (back func() error, err error) {
	if s.editor == nil {
		return func() error { return nil }, nil
	}
	return s.editor.Suspend()
}

func (s *Shell) system(ctx context.Context, args []string) error {
	err := s.foreground(systemShell(ctx, args[0]))
	var code *exec.ExitError
	if errors.As(err, &code) {
		fmt.Fprintf(s.o.Err, "System command returns %d\n", code.ExitCode())
		return nil
	}
	return err
}

func (s *Shell) cd(_ context.Context, args []string) error {
	if err := os.Chdir(args[0]); err != nil {
		return fmt.Errorf("cannot change to directory %q: %w", args[0], errors.Unwrap(err))
	}
	return nil
}

func (s *Shell) logTo(_ context.Context, args []string) error {
	switch args[0] {
	case "off":
		return s.setLog(nil)
	case "stdout", "on":
		return s.setLog(unclosed{s.o.Out})
	case "stderr":
		return s.setLog(unclosed{s.o.Err})
	}
	f, err := os.OpenFile(args[0], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf(".log: %w", err)
	}
	return s.setLog(f)
}
