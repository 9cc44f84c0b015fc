package shell

import (
	"context"
	"errors"
	"fmt"
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

func dotCommands() []dotCommand {
	return []dotCommand{
		{".bail", "on|off", "Stop a script at the first error", 1, 1, func(s *Shell, _ context.Context, a []string) error {
			return onOff(".bail", a[0], &s.bail)
		}},
		{".exit", "[CODE]", "Leave the shell with CODE, by default 0, in a script 1 if something failed", 0, 1, (*Shell).exit},
		{".headers", "on|off", "Print the names of the columns or not", 1, 1, (*Shell).headers},
		{".help", "[COMMAND]", "Show this list", 0, 1, (*Shell).help},
		{".maxrows", "[N]", "Rows of a table on a terminal, 0 for all (default 40)", 0, 1, (*Shell).maxRows},
		{".mode", "[MODE [TABLE]]", "Form of output: " + modeList() + "; insert makes statements for TABLE", 0, 2, (*Shell).mode},
		{".nullvalue", "TEXT", "Print TEXT for NULL", 1, 1, (*Shell).nullValue},
		{".open", "[FILE]", "Open another database, without FILE one in memory", 0, 1, (*Shell).open},
		{".output", "[FILE]", "Write results to FILE, without FILE to the screen", 0, 1, (*Shell).output},
		{".print", "[TEXT...]", "Print TEXT", 0, 1 << 20, (*Shell).printText},
		{".quit", "[CODE]", "Leave the shell, as .exit", 0, 1, (*Shell).exit},
		{".read", "FILE", "Run the statements of FILE", 1, 1, (*Shell).read},
		{".separator", "TEXT [END]", "Part the columns of csv, list and the like with TEXT, and end their rows with END", 1, 2,
			(*Shell).separator},
		{".timer", "on|off", "Print how long a statement took", 1, 1, func(s *Shell, _ context.Context, a []string) error {
			return onOff(".timer", a[0], &s.timer)
		}},
	}
}

func modeList() string {
	names := make([]string, len(Modes))
	for i, m := range Modes {
		names[i] = string(m)
	}
	return strings.Join(names, ", ")
}

// command runs a dot-command; place is where it stands, empty for what was typed.
func (s *Shell) command(ctx context.Context, place, line string) error {
	args, err := words(line)
	if err != nil {
		return err
	}
	name := strings.ToLower(args[0])
	args = args[1:]
	for _, c := range dotCommands() {
		if c.name != name && !(name == ".header" && c.name == ".headers") {
			continue
		}
		if len(args) < c.min || len(args) > c.max {
			return fmt.Errorf("usage: %s %s", c.name, c.args)
		}
		return c.run(s, ctx, args)
	}
	for _, c := range s.o.Commands {
		if c.Name != name {
			continue
		}
		query, err := c.Query(args)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		if c.Plain {
			defer func(f Format) { s.format = f }(s.format)
			s.format.Mode, s.format.NoHeader = List, true
		}
		if c.Context != nil {
			ctx = c.Context(ctx)
		}
		return s.statement(ctx, "", query, Place{Name: place + c.Name})
	}
	return fmt.Errorf("%s: unknown command%s, .help lists all", name, Nearest(name, s.commandNames()))
}

func (s *Shell) commandNames() []string {
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

func onOff(name, arg string, v *bool) error {
	switch strings.ToLower(arg) {
	case "on", "true", "yes", "1":
		*v = true
	case "off", "false", "no", "0":
		*v = false
	default:
		return fmt.Errorf("usage: %s on|off", name)
	}
	return nil
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

func (s *Shell) help(_ context.Context, args []string) error {
	type entry struct{ left, help string }
	var list []entry
	add := func(name, args, help string) {
		list = append(list, entry{strings.TrimSpace(name + " " + args), help})
	}
	for _, c := range dotCommands() {
		add(c.name, c.args, c.help)
	}
	for _, c := range s.o.Commands {
		add(c.Name, c.Args, c.Help)
	}
	if len(args) == 1 {
		want := "." + strings.TrimPrefix(strings.ToLower(args[0]), ".")
		list = slices.DeleteFunc(list, func(e entry) bool { return !strings.HasPrefix(e.left, want) })
		if len(list) == 0 {
			return fmt.Errorf("%s: unknown command, .help lists all", want)
		}
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.left, b.left) })
	for _, e := range list {
		// A long help text goes on below itself.
		left := fmt.Sprintf("%-22s ", e.left)
		for _, l := range Wrap(e.help, 79-len(left)) {
			if err := s.say("%s%s\n", left, l); err != nil {
				return err
			}
			left = strings.Repeat(" ", len(left))
		}
	}
	return nil
}

// Wrap breaks a text into lines of at most w bytes where its words allow it.
func Wrap(text string, w int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > w {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

func (s *Shell) maxRows(_ context.Context, args []string) error {
	if len(args) == 0 {
		return s.say("%d\n", max(0, s.format.maxRows()))
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 0 {
		return errors.New("usage: .maxrows N, a whole number; 0 shows all rows")
	}
	if n == 0 {
		n = -1
	}
	s.format.MaxRows = n
	return nil
}

func (s *Shell) mode(_ context.Context, args []string) error {
	if len(args) == 0 {
		m := s.format.Mode
		if m == Auto {
			m = DuckBox
		}
		return s.say("%s\n", m)
	}
	m, err := parseMode(args[0])
	if err != nil {
		return err
	}
	if len(args) > 1 && m != Insert {
		return fmt.Errorf("mode %s takes no table", m)
	}
	s.format.SetMode(m)
	s.format.Into = strings.Join(args[1:], "")
	if m == CSV {
		end := "\r\n" // so DuckDB's shell has it, but not for -csv
		s.format.RowSeparator = &end
	}
	return nil
}

// parseMode reads the name of a form of output.
func parseMode(name string) (Mode, error) {
	m := Mode(strings.ToLower(name))
	switch {
	case slices.Contains(Modes, m):
		return m, nil
	}
	names := make([]string, len(Modes))
	for i, m := range Modes {
		names[i] = string(m)
	}
	return "", fmt.Errorf("mode %s is unknown%s; there are %s", name, Nearest(string(m), names), modeList())
}

func (s *Shell) nullValue(_ context.Context, args []string) error {
	s.format.NullValue = &args[0]
	return nil
}

func (s *Shell) separator(_ context.Context, args []string) error {
	s.format.Separator = &args[0]
	if len(args) > 1 {
		s.format.RowSeparator = &args[1]
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
	path := ""
	if len(args) > 0 {
		path = args[0]
	}
	db, err := s.o.Open(ctx, path)
	if err != nil {
		return fmt.Errorf(".open: %w", err)
	}
	s.db = db
	return nil
}

func (s *Shell) output(_ context.Context, args []string) error {
	if len(args) == 0 {
		return s.setOutput("")
	}
	return s.setOutput(args[0])
}

func (s *Shell) setOutput(path string) error {
	if s.file != nil {
		err := s.file.Close()
		s.file, s.out = nil, s.o.Out
		if err != nil {
			return fmt.Errorf(".output: %w", err)
		}
	}
	if path == "" || path == "stdout" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf(".output: %w", err)
	}
	s.file, s.out = f, f
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
