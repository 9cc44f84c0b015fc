package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
)

const (
	// maxKept is how many rows of the last result are kept, maxKeptCells how many values.
	maxKept      = 100_000
	maxKeptCells = 1_000_000
)

// result is what a statement gave, kept for .last.
type result struct {
	src     string
	cols    []column
	rows    [][]any
	dropped bool // there were more rows
}

// keeper keeps the rows that it hands on.
type keeper struct {
	printer
	r *result
}

func (k *keeper) row(values []any) error {
	if len(k.r.rows) < maxKept && (len(k.r.rows)+1)*len(values) <= maxKeptCells {
		k.r.rows = append(k.r.rows, append([]any(nil), values...))
	} else {
		k.r.dropped = true
	}
	return k.printer.row(values)
}

// showLast prints the last result whole, in the form that holds now.
func (s *Shell) showLast(ctx context.Context, _ []string) error {
	if s.last == nil {
		return errors.New(".last: there is no result yet")
	}
	if s.last.dropped {
		fmt.Fprintf(s.o.Err, "Only the first %s are kept.\n", amount.Of(len(s.last.rows), "row"))
	}
	defer func(f Format) { s.format = f }(s.format)
	s.format.MaxRows, s.format.MaxWidth = -1, unlimited
	w := io.Writer(s.out)
	var page *pager
	if s.toTerminal() {
		if page = s.pageWith(w); page != nil {
			w = page
		}
	}
	err := s.replay(w)
	if page != nil {
		err = errors.Join(err, page.close())
	}
	if err != nil {
		return outputError{err}
	}
	return nil
}

// unlimited is the width of a box that is not cut.
const unlimited = 1 << 30

// replay prints the last result.
func (s *Shell) replay(w io.Writer) error {
	p := s.printer(w)
	if err := p.begin(s.last.cols); err != nil {
		return err
	}
	for _, r := range s.last.rows {
		if err := p.row(r); err != nil {
			return err
		}
	}
	return p.end()
}

// edit lets a person write a statement in an editor of theirs, and runs it.
func (s *Shell) edit(ctx context.Context, args []string) error {
	if len(args) == 1 {
		if err := s.editFile(ctx, args[0]); err != nil {
			return fmt.Errorf(".edit: %w", err)
		}
		return s.read(ctx, args)
	}
	f, err := os.CreateTemp("", "mallard-*.sql")
	if err != nil {
		return fmt.Errorf(".edit: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = io.WriteString(f, strings.TrimSpace(s.text)+"\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.editFile(ctx, f.Name())
	}
	if err != nil {
		return fmt.Errorf(".edit: %w", err)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		return fmt.Errorf(".edit: %w", err)
	}
	text := strings.TrimSpace(string(b))
	if text == "" || text == strings.TrimSpace(s.text) {
		return s.say("Nothing was changed, nothing runs.\n")
	}
	s.text = text
	if err := s.say("%s\n", text); err != nil {
		return err
	}
	return s.Exec(ctx, typedName, text)
}

// editFile opens a file in the editor that the environment names.
func (s *Shell) editFile(ctx context.Context, file string) error {
	for _, name := range []string{"DUCKDB_EDITOR", "EDITOR", "VISUAL"} {
		if program := os.Getenv(name); program != "" {
			c := systemShell(ctx, program+" "+QuoteWord(file))
			if err := s.foreground(c); err != nil {
				return fmt.Errorf("%s, of $%s: %w", program, name, err)
			}
			return nil
		}
	}
	if _, err := exec.LookPath("vi"); err != nil {
		return errors.New("there is no editor: set EDITOR to the one you like, such as export EDITOR=nano")
	}
	return s.foreground(exec.CommandContext(ctx, "vi", file))
}

// QuoteWord makes one word of a text for the system's shell.
func QuoteWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
