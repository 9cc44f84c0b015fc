package shell

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/spelling"
)

// dotCommand is a dot-command of the shell itself.
type dotCommand struct {
	name, args, help string
	min, max         int
	run              func(s *Shell, ctx context.Context, args []string) error
}

// unsafe are the commands that reach files and programs.
var unsafe = []string{".cd", ".dump", ".edit", ".excel", ".import", ".log", ".once", ".open", ".output", ".pager", ".plot", ".read",
	".shell", ".system"}

// others are names that DuckDB's shell has for a command.
var others = map[string]string{".header": ".headers", ".system": ".shell"}

// command runs a dot-command; place is where it stands, empty for what was typed.
func (s *Shell) command(ctx context.Context, place, line string) error {
	args, err := words(line)
	if err != nil {
		return err
	}
	name := strings.ToLower(args[0])
	if s.safe && slices.Contains(unsafe, name) {
		return fmt.Errorf("%s cannot be used in safe mode", name)
	}
	if other, ok := others[name]; ok {
		name = other
	}
	args = args[1:]
	for _, c := range dotCommands() {
		if c.name != name {
			continue
		}
		if name == ".shell" { // a system's shell has quotes of its own
			_, rest, _ := strings.Cut(strings.Replace(line, "\t", " ", 1), " ")
			args = strings.Fields(rest)
			if len(args) > 0 {
				args = []string{strings.TrimSpace(rest)}
			}
		}
		if len(args) < c.min || len(args) > c.max {
			return fmt.Errorf("usage: %s %s", c.name, c.args)
		}
		return c.run(s, ctx, args)
	}
	for _, c := range s.o.Commands {
		if c.Name == name {
			return s.query(ctx, place, c, args)
		}
	}
	if why, ok := missing[name]; ok {
		if s.lenient {
			return nil
		}
		return fmt.Errorf("%s is not here: %s", name, why)
	}
	return fmt.Errorf("%s: unknown command%s, .help lists all", name, Nearest(name, s.CommandNames()))
}

// query runs a command that stands for a query or for several.
func (s *Shell) query(ctx context.Context, place string, c Command, args []string) error {
	if c.Context != nil {
		ctx = c.Context(ctx)
	}
	if c.Run != nil {
		if err := c.Run(ctx, runner{s}, args); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		return nil
	}
	query, err := c.Query(args)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	if c.Plain {
		defer func(f Format) { s.format = f }(s.format)
		s.format.SetMode(List)
		s.format.NoHeader = true
	}
	return s.statement(ctx, "", query, Place{Name: place + c.Name})
}

// CommandNames lists the dot-commands.
func (s *Shell) CommandNames() []string {
	var names []string
	for _, c := range dotCommands() {
		names = append(names, c.name)
	}
	for _, c := range s.o.Commands {
		names = append(names, c.Name)
	}
	return names
}

// words cuts a dot-command into words; quotes keep blanks, and within double quotes \t, \n, \\ and \" are what they are in Go.
func words(line string) ([]string, error) {
	var list []string
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return list, nil
		}
		switch line[0] {
		case '\'':
			end := strings.IndexByte(line[1:], '\'')
			if end < 0 {
				return nil, errors.New("a quote is not closed: " + line)
			}
			list, line = append(list, line[1:1+end]), line[end+2:]
		case '"':
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, errors.New("a quote is not closed or an escape not known: " + line)
			}
			word, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, err
			}
			list, line = append(list, word), line[len(quoted):]
		default:
			end := strings.IndexAny(line, " \t")
			if end < 0 {
				end = len(line)
			}
			list, line = append(list, line[:end]), line[end:]
		}
	}
}

func (s *Shell) exit(_ context.Context, args []string) error {
	code := 0
	switch {
	case len(args) == 1:
		n, err := strconv.ParseUint(args[0], 10, 8)
		if err != nil {
			return fmt.Errorf("usage: .exit [CODE], a whole number up to 255, not %s", args[0])
		}
		code = int(n)
	case s.failed:
		code = 1
	}
	return Exit{code}
}

func (s *Shell) headers(_ context.Context, args []string) error {
	on := !s.format.NoHeader
	err := onOff(".headers", args[0], &on)
	s.format.NoHeader = !on
	return err
}

func (s *Shell) say(format string, args ...any) error {
	if _, err := fmt.Fprintf(s.out, format, args...); err != nil {
		return outputError{err}
	}
	return nil
}

func (s *Shell) printText(_ context.Context, args []string) error {
	return s.say("%s\n", strings.Join(args, " "))
}

func (s *Shell) open(ctx context.Context, args []string) error {
	if s.o.Open == nil {
		return errors.New(".open is not possible here")
	}
	path, readOnly, fresh := "", false, false
	for _, a := range args {
		switch {
		case a == "--new":
			fresh = true
		case a == "--readonly":
			readOnly = true
		case strings.HasPrefix(a, "--"), path != "":
			return errors.New("usage: .open [--new] [--readonly] [FILE]")
		default:
			path = a
		}
	}
	if fresh && path != "" {
		for _, f := range []string{path, path + ".wal"} {
			if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf(".open: %w", err)
			}
		}
	}
	db, err := s.o.Open(ctx, path, readOnly)
	if err != nil {
		return fmt.Errorf(".open: %w", err)
	}
	s.db = db
	return nil
}

// maxReads stops a file that reads itself.
const maxReads = 20

func (s *Shell) read(ctx context.Context, args []string) error {
	if s.depth == maxReads {
		return fmt.Errorf(".read: %s: more than %d files within each other", args[0], maxReads)
	}
	s.depth++
	defer func() { s.depth-- }()
	if err := s.ReadFile(ctx, args[0]); err != nil {
		return fmt.Errorf(".read: %w", err)
	}
	return nil
}

// Nearest gives `, did you mean x?` for the closest of the names, or nothing.
func Nearest(name string, names []string) string {
	best, least := "", 2*(len(name)/3+2)
	for _, n := range names {
		d := 2 * spelling.Distance(name, n)
		if len(n) != len(name) {
			d++ // of two equally near names take the one of the same length: letters are swapped more often than forgotten
		}
		if d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %s?", best)
}
