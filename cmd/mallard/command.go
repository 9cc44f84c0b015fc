package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/dialect"
)

// commands are the dot-commands that the shell itself does not have: those of the open session behind those of the catalog.
func (s *session) commands(o *options) []shell.Command {
	return slices.Concat(catalogCommands, objectCommands, []shell.Command{
		{Name: ".dialect", Args: "[auto|duckdb|bigquery]", Help: "Show or choose how SQL is read: auto reads GoogleSQL where a backtick says so",
			Run: s.dialect},
		{Name: ".doctor", Args: "[-online]", Help: "Say what works, what does not and what to do; -online asks connections and buckets",
			Run: func(ctx context.Context, r shell.Runner, args []string) error {
				asked := *o
				switch {
				case len(args) == 1 && strings.TrimLeft(args[0], "-") == "online":
					asked.online = true
				case len(args) > 0:
					return errors.New("it takes nothing but -online")
				}
				text, _ := report(ctx, &asked)
				return r.Print(text)
			}},
	})
}

// dialect is .dialect.
func (s *session) dialect(_ context.Context, r shell.Runner, args []string) error {
	if len(args) > 1 {
		return errors.New("write one dialect")
	}
	if len(args) == 1 {
		lang, err := mallard.ParseDialect(args[0])
		if err != nil {
			return err
		}
		return s.readAs(lang)
	}
	return r.Print(fmt.Sprintln(s.lang))
}

// readAs makes the session read SQL in a dialect.
func (s *session) readAs(lang dialect.Lang) error {
	s.lang = lang
	return extension.SetDialect(s.conn, lang)
}
