package shell

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

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
	if len(args) > 0 && strings.TrimLeft(args[0], "-") == "all" {
		args = args[1:] // as DuckDB's shell has it
	}
	if len(args) > 0 {
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
		if len(left) > 23 {
			if err := s.say("%s\n", e.left); err != nil {
				return err
			}
			left = strings.Repeat(" ", 23)
		}
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
