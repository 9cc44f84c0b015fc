package shell

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell/editor"
)

// Interact serves a person at a terminal until .quit or Ctrl-D. Ctrl-C cancels the running statement and drops what was typed
// behind it, or drops the text typed so far.
func (s *Shell) Interact(ctx context.Context) (err error) {
	if term := os.Getenv("TERM"); term == "dumb" {
		return s.interactDumb(ctx)
	}
	ed, err := editor.New(editor.Options{
		In: s.o.In, Out: s.o.Out, Complete: s.finished, Suggest: s.suggest, Hint: s.hint, HistoryFile: s.o.HistoryFile, Paint: s.paint,
	})
	if err != nil {
		return err
	}
	s.editor = ed
	defer func() {
		s.editor = nil
		err = errors.Join(err, ed.Close())
	}()
	if s.o.Banner != "" {
		for line := range strings.SplitSeq(s.o.Banner, "\n") {
			fmt.Fprintln(s.o.Out, strings.Join(Wrap(line, s.o.Width()), "\n"))
		}
	}
	// Another process may send what Ctrl-C sends elsewhere: between statements it must not end the shell.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	for {
		text, err := ed.Read(ctx, s.asked(ctx))
		switch {
		case errors.Is(err, editor.ErrInterrupted):
			continue
		case errors.Is(err, io.EOF) || ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("use the terminal: %w", err)
		}
		if err := s.typed(ctx, ed, text); err != nil && !errors.Is(err, ErrFailed) {
			return err
		}
	}
}

// interactDumb serves a terminal that can do no more than print lines.
func (s *Shell) interactDumb(ctx context.Context) error {
	fmt.Fprintln(s.o.Out, s.o.Banner)
	err := s.run(ctx, typedName, prompting{s}, func() bool { return false })
	if errors.Is(err, ErrFailed) {
		return nil
	}
	return err
}

// asked gives the prompts: of a statement, and of its further lines.
func (s *Shell) asked(ctx context.Context) editor.Prompts {
	first := s.prompt
	switch {
	case first != "":
		first = strings.ReplaceAll(first, "{database}", s.database())
	case s.o.PromptOf != nil && !s.busy():
		first = s.o.PromptOf(ctx)
	}
	if first == "" {
		first = s.o.Prompt
	}
	return editor.Prompts{First: first, More: cmp.Or(s.more, continuation(first))}
}

// asWord are what a person types for a command, without the dot that he does not know of.
var asWord = map[string]string{"help": ".help", "exit": ".exit", "quit": ".quit", "?": ".help", `\q`: ".quit", `\e`: ".edit", `\?`: ".help"}

// wordOf gives the command that a text stands for, or nothing.
func wordOf(text string) string {
	return asWord[strings.ToLower(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), ";")))]
}

// prompting prints the prompt before each line that is read.
type prompting struct{ s *Shell }

func (p prompting) Read(b []byte) (int, error) {
	fmt.Fprint(p.s.o.Out, p.s.o.Prompt)
	return p.s.o.In.Read(b)
}

// continuation is as wide as the prompt, so that the lines of a statement stand below each other.
func continuation(prompt string) string {
	w := width(prompt)
	if w < 4 {
		return strings.Repeat(" ", w)
	}
	return strings.Repeat(" ", w-3) + "-> "
}

// suggest gives what Tab offers.
func (s *Shell) suggest(ctx context.Context, text, after string) (list []Suggestion) {
	switch {
	case strings.HasPrefix(text, "."):
		return s.suggestCommand(text)
	case s.o.Suggest != nil && !s.busy():
		list = s.o.Suggest(ctx, text, after)
	}
	return list
}

// hint gives the line below what is typed.
func (s *Shell) hint(text []byte, cursor int) string {
	if s.o.Hint == nil || !s.highlight || len(text) == 0 || text[0] == '.' {
		return ""
	}
	return s.o.Hint(string(text[:cursor]), string(text[cursor:]))
}

// suggestCommand gives what Tab offers in a dot-command: its name, a form of output, a command to explain, on and off, or a file.
func (s *Shell) suggestCommand(text string) (list []Suggestion) {
	start := strings.LastIndexAny(text, " \t") + 1
	typed := text[start:]
	var from []string
	name, _, _ := strings.Cut(text, " ")
	switch {
	case start == 0:
		from = s.CommandNames()
	case name == ".mode":
		from = modeNames()
	case name == ".help":
		from = s.CommandNames()
	case slices.Contains([]string{".read", ".import", ".open", ".output", ".once", ".cd", ".log", ".edit"}, name):
		from = files(typed, name == ".cd")
	case slices.ContainsFunc(dotCommands(), func(c dotCommand) bool { return c.name == name && c.args == "on|off" }):
		from = []string{"on", "off"}
	}
	for _, one := range from {
		if strings.HasPrefix(one, typed) {
			list = append(list, Suggestion{Text: one, Start: start})
		}
	}
	return list
}

// files gives the files, or only the folders, whose paths begin as typed.
func files(typed string, folders bool) (list []string) {
	dir, base := filepath.Split(typed)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		switch {
		case !strings.HasPrefix(e.Name(), base), base == "" && strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			list = append(list, dir+e.Name()+"/")
		case !folders:
			list = append(list, dir+e.Name())
		}
	}
	return list
}

// typing is a text as it was when Enter was pressed last.
type typing struct {
	text []byte
	Completion
}

// finished tells whether Enter runs the text or begins another line. Of a text that only grew no line is read twice.
func (s *Shell) finished(text []byte) bool {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] == '.' || len(text) < 10 && wordOf(string(text)) != "" {
		return true
	}
	t := &s.typing
	if t.Completion == nil || !bytes.HasPrefix(text, t.text) {
		*t = typing{Completion: s.o.Completion()}
	}
	more := text[len(t.text):]
	t.text = append(t.text, more...)
	done := t.Add(string(more))
	if done {
		*t = typing{}
	}
	return done
}

// typed runs what was typed; the statement ends when the person presses Ctrl-C.
func (s *Shell) typed(ctx context.Context, ed *editor.Editor, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	done := ed.Running(stop)
	text = strings.TrimLeft(text, " \t\n")
	if command := wordOf(text); command != "" {
		text = command
	}
	if !strings.HasPrefix(text, ".") {
		s.text = text
	}
	err := s.block(ctx, typedName, s.o.Marker(text), text, 1)
	if done() {
		fmt.Fprintln(s.o.Err, "What was typed ahead is dropped.")
	}
	return err
}
