package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
)

// TestShellPage: docs/shell.md has a row without an empty cell for each flag and dot-command of DuckDB's shell and of ours.
func TestShellPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "shell.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	words := regexp.MustCompile("[ `](-[a-z][a-z-]*|\\.[a-z_]+)")
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, ""), "|")
		if len(cells) != 5 || slices.ContainsFunc(cells[1:4], func(c string) bool { return strings.TrimSpace(c) == "" }) {
			t.Errorf("a row has an empty cell: %s", line)
		}
		for _, cell := range cells[1:] {
			for _, m := range words.FindAllStringSubmatch(cell, -1) {
				named[m[1]] = true
			}
		}
	}
	var names []string
	for _, file := range []string{"commands.txt", "flags.txt"} {
		list, err := os.ReadFile(filepath.Join("internal", "shell", "testdata", "duckdb", file))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, strings.Fields(string(list))...)
	}
	o := &options{}
	o.flags().VisitAll(func(f *flag.Flag) {
		if !slices.Contains([]string{"var", "replay", "update", "install", "online"}, f.Name) {
			names = append(names, "-"+f.Name)
		}
	})
	sh := shell.New(nil, shell.Options{Commands: new(session).commands(o)})
	for _, n := range append(names, sh.CommandNames()...) {
		if !named[n] {
			t.Errorf("%s is not in docs/shell.md", n)
		}
	}
}
