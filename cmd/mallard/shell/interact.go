package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/reeflective/readline"
)

// Interact serves a person at the terminal of stdin and stdout until .quit or Ctrl-D. Ctrl-C cancels the running statement or drops the text typed so far.
func (s *Shell) Interact(ctx context.Context) error {
	if s.o.Banner != "" {
		fmt.Fprintln(s.o.Out, s.o.Banner)
	}
	// Between statements Ctrl-C must not end the shell.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	rl := readline.NewShell()
	rl.Prompt.Primary(func() string { return s.o.Prompt })
	// The library marks the last line with the second prompt and those before it with a bar, so the prompt is that bar too.
	rl.Prompt.Secondary(func() string { return continuation })
	// Tab first completes what the candidates share and lists them, then goes through the list.
	for option, value := range map[string]any{"multiline-column": true, "completion-ignore-case": true, "menu-complete-display-prefix": true} {
		if err := rl.Config.Set(option, value); err != nil {
			return fmt.Errorf("set up the line editor: %w", err)
		}
	}
	rl.Completer = func(line []rune, cursor int) readline.Completions { return s.complete(ctx, string(line[:cursor])) }
	rl.AcceptMultiline = func(line []rune) bool { return s.finished(string(line)) }
	if s.o.HistoryFile != "" {
		s.useHistory(rl)
	}
	for ctx.Err() == nil {
		text, err := rl.Readline()
		switch {
		case errors.Is(err, readline.ErrInterrupt):
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(s.o.Out)
			return nil
		case err != nil:
			return fmt.Errorf("read the terminal: %w", err)
		}
		err = s.typed(ctx, text)
		switch {
		case err != nil && !errors.Is(err, ErrFailed):
			return err
		}
	}
	return nil
}

// complete gives what Tab offers.
func (s *Shell) complete(ctx context.Context, text string) readline.Completions {
	var list []Suggestion
	switch {
	case strings.HasPrefix(text, "."):
		for _, name := range s.commandNames() {
			if strings.HasPrefix(name, text) {
				list = append(list, Suggestion{Text: name})
			}
		}
	case s.o.Suggest != nil:
		list = s.o.Suggest(ctx, text)
	}
	if len(list) == 0 {
		return readline.CompleteValues()
	}
	values := make([]string, 0, len(list))
	for _, one := range list {
		if one.Start == list[0].Start {
			values = append(values, one.Text)
		}
	}
	c := readline.CompleteValues(values...)
	c.PREFIX = text[list[0].Start:]
	return c
}

// finished tells whether Enter runs the text or begins another line.
func (s *Shell) finished(text string) bool {
	text = strings.TrimSpace(text)
	return text == "" || strings.HasPrefix(text, ".") || s.o.Complete(text)
}

// typed runs what was typed; the statement ends when the person presses Ctrl-C.
func (s *Shell) typed(ctx context.Context, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	return s.block(ctx, typedName, strings.TrimLeft(text, " \t\n"), 1)
}

func (s *Shell) useHistory(rl *readline.Shell) {
	// The source wants a file that is there.
	f, err := os.OpenFile(s.o.HistoryFile, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		fmt.Fprintf(s.o.Err, "history: %v; it is kept in memory\n", err)
		return
	}
	f.Close()
	rl.History.Delete()
	rl.History.AddFromFile("history", s.o.HistoryFile)
}

// continuation is the library's bar before a further line of a statement.
const continuation = "\x1b[1;30m\U00002502 \x1b[0m"
