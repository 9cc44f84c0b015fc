package amount_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// counted is a number with its noun in the plural.
	counted = regexp.MustCompile(`%d (?:rows|bytes|values|elements|strings|dimensions|answers|requests|predictions|instances|embeddings|inputs|outputs|columns|words|attempts|` +
		`arguments|models|objects|files|keys|texts|items|statements|errors|tokens)\b`)
	// bound are those that stand behind a bound, which is never one.
	bound = regexp.MustCompile(`(?:more than|at most|larger than|longer than|limit:|of|to) $`)
)

// elsewhere are files that write counts in somebody else's words, or for programmers.
var elsewhere = []string{"bench/", "examples/", "build/", "sqllogic/hash.go", "functions/googlesql/", "internal/googlesql/", "internal/dialect/expr.go"}

// Messages count with Of: "1 rows" is what a person sees who has one.
func TestMessagesCountWithOf(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || d.IsDir() && (name == "build" || name == ".git") {
			return fs.SkipDir
		}
		name = filepath.ToSlash(name)
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		for _, e := range elsewhere {
			if strings.HasPrefix(name, e) {
				return nil
			}
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(src), "\n") {
			for _, at := range counted.FindAllStringIndex(line, -1) {
				if !bound.MatchString(line[:at[0]]) {
					t.Errorf("%s:%d: %q: write amount.Of", name, i+1, line[at[0]:at[1]])
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
