package shell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell/editor"
)

// settings are what dot-commands change, but for the form of results.
type settings struct {
	echo, changes, safe bool
	total               int64  // rows changed so far
	highlight           bool   // what is typed has colours
	errorColors         bool   // and errors
	resultColors        bool   // and results
	prompt, more        string // before a statement and its further lines; empty for the shell's own
	pager               pagerSettings
	log                 io.WriteCloser
	editor              *editor.Editor // while a person is served
	last                *result        // kept for .last while a person is served
	text                string         // the last statement, for .edit
	left                *outcome       // of the statement that runs
	progress            bool           // of a statement is shown
	lenient             bool           // commands that are not here are passed over
}

func newSettings(o Options) settings {
	return settings{echo: o.Echo, highlight: o.Colored, errorColors: o.Colored, resultColors: o.Colored, progress: true, left: &outcome{}}
}

// onOff reads a switch.
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

// toggle makes a command of a switch.
func toggle(name string, of func(s *Shell) *bool) func(*Shell, context.Context, []string) error {
	return func(s *Shell, _ context.Context, args []string) error { return onOff(name, args[0], of(s)) }
}

func (s *Shell) setBail(_ context.Context, args []string) error {
	err := onOff(".bail", args[0], &s.bail)
	s.onward = err == nil && !s.bail
	return err
}

// showSettings prints what DuckDB's .show does.
func (s *Shell) showSettings(context.Context, []string) error {
	onOff := map[bool]string{false: "off", true: "on"}
	out := "stdout"
	if s.sink != nil {
		out = s.sink.name
	}
	between, end := s.format.separators()
	widths := ""
	for _, w := range s.format.Widths {
		widths += strconv.Itoa(w) + " "
	}
	for _, row := range [][2]string{
		{"echo", onOff[s.echo]}, {"headers", onOff[!s.format.NoHeader]}, {"mode", string(cmp.Or(s.format.Mode, DuckBox))},
		{"nullvalue", string(tclText([]byte(s.format.null())))},
		{"output", out}, {"colseparator", string(tclText([]byte(between)))}, {"rowseparator", string(tclText([]byte(end)))}, {"width", widths},
		{"filename", s.database()},
	} {
		if err := s.say("%12s: %s\n", row[0], row[1]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Shell) database() string {
	if s.o.Database != nil {
		if name := s.o.Database(); name != "" {
			return name
		}
	}
	return ":memory:"
}

func (s *Shell) version(context.Context, []string) error { return s.say("%s\n", s.o.Version) }

func (s *Shell) width(_ context.Context, args []string) error {
	var widths []int
	for _, a := range args {
		w, err := strconv.Atoi(a)
		if err != nil || max(w, -w) > 10_000 {
			return fmt.Errorf("usage: .width N..., whole numbers, not %s", a)
		}
		widths = append(widths, w)
	}
	s.format.Widths = widths
	return nil
}

func (s *Shell) maxWidth(_ context.Context, args []string) error {
	if len(args) == 0 {
		return s.say("current max width: %d\n", s.format.MaxWidth)
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 0 {
		return errors.New("usage: .maxwidth N, a whole number; 0 is the terminal's width")
	}
	s.format.MaxWidth = n
	return nil
}

// separatorOf reads the argument of .thousand_sep and .decimal_sep.
func separatorOf(name string, of func(f *Format) *byte) func(*Shell, context.Context, []string) error {
	return func(s *Shell, _ context.Context, args []string) error {
		v := of(&s.format)
		switch {
		case len(args) == 0:
			now := "none"
			if *v != 0 {
				now = string(rune(*v))
			}
			return s.say("%s\n", now)
		case args[0] == "space":
			*v = ' '
		case args[0] == "none" || args[0] == "off":
			*v = 0
		case len(args[0]) == 1:
			*v = args[0][0]
		default:
			return fmt.Errorf("%s takes one byte, space or none", name)
		}
		return nil
	}
}

func (s *Shell) largeNumbers(_ context.Context, args []string) error {
	modes := map[string]LargeNumbers{"all": LargeAll, "footer": LargeFooter, "off": LargeOff, "default": LargeDefault}
	m, ok := modes[strings.ToLower(args[0])]
	if !ok {
		return errors.New("usage: .large_number_rendering all|footer|off|default")
	}
	s.format.Large = m
	return nil
}

func (s *Shell) prompts(_ context.Context, args []string) error {
	s.prompt, s.more = "", ""
	if len(args) > 0 {
		s.prompt = args[0]
	}
	if len(args) > 1 {
		s.more = args[1]
	}
	return nil
}

func (s *Shell) safeMode(ctx context.Context, _ []string) error {
	if s.o.Lock != nil && !s.safe {
		if err := s.o.Lock(ctx); err != nil {
			return fmt.Errorf(".safe_mode: %w", err)
		}
	}
	s.safe = true
	return nil
}

func (s *Shell) setLog(next io.WriteCloser) error {
	old := s.log
	s.log = next
	if old == nil {
		return nil
	}
	return old.Close()
}

// record writes a statement and how it ended to the log.
func (s *Shell) record(src string, err error) {
	if s.log == nil {
		return
	}
	end := "ok"
	if err != nil {
		end = "error: " + err.Error()
	}
	_, _ = fmt.Fprintf(s.log, "%s %s\n-- %s\n",
		time.Now().Format(time.RFC3339), strings.TrimSpace(src), strings.ReplaceAll(end, "\n", "\n-- "))
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
		return s.say("%s\n", cmp.Or(s.format.Mode, DuckBox))
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
	if slices.Contains(Modes, m) {
		return m, nil
	}
	names := modeNames()
	return "", fmt.Errorf("mode %s is unknown%s; there are %s", name, Nearest(string(m), names), strings.Join(names, ", "))
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
