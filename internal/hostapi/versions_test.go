package hostapi

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestVersionsAgree compares the places that list the versions of DuckDB into which the extension can be loaded.
func TestVersionsAgree(t *testing.T) {
	number := regexp.MustCompile(`\d+\.\d+\.\d+`)
	read := func(file, pattern string) []string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllString(string(text), -1)
		if found == nil {
			t.Fatalf("%s: nothing is like %s", file, pattern)
		}
		return number.FindAllString(strings.Join(found, " "), -1)
	}
	loaded := read("shim.cc", `versions\[\] = \{[^}]*\}`)
	first, last := loaded[0], loaded[len(loaded)-1]
	stable := slices.Index(loaded, read("shim.cc", `get_api\(info, "[^"]*"\)`)[0])
	if stable < 0 {
		t.Fatal("the API's version is not among those that are loaded")
	}
	for _, c := range []struct {
		file, pattern string
		want          []string
	}{
		{"../../Makefile", `(?m)^HOSTS *:= .*$`, loaded},
		{"../../docs/extension.md", "(?m)^\\| [0-9][^|]*\\|", loaded},
		{"../../python/pyproject.toml", `duckdb>=[^"]*`, []string{first, last}},
		{"../../python/mallard/__init__.py", `_EXACT = \([^)]*\)`, loaded[:stable]},
		{"footer/main.go", `\{"v[^"]*\+?", "v[^"]*", (un)?stable\}`, twice(loaded[:stable+1])},
		{"../../python/setup.py", `"v[0-9.]*\+"`, loaded[stable : stable+1]},
	} {
		if got := read(c.file, c.pattern); !slices.Equal(got, c.want) {
			t.Errorf("%s lists %v, and shim.cc wants %v there", c.file, got, c.want)
		}
	}
}

// twice repeats each element beside itself: a file is named by its version and has it in its footer.
func twice(all []string) (out []string) {
	for _, v := range all {
		out = append(out, v, v)
	}
	return out
}
