package extension_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/extension/emulate"
	"github.com/mallardml/mallard/sqllogic"
)

// TestDocs runs every SQL block of the documentation, page by page, from the root of the repository.
func TestDocs(t *testing.T) {
	_, cfg := localVertexAI(t)
	t.Chdir("..")
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) < 3 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			b, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			db := open(t, "", cfg)
			db.SetMaxOpenConns(1)
			for _, block := range fenced(string(b), "sql") {
				for _, st := range dialect.Split(block, dialect.Auto) {
					if _, err := db.ExecContext(t.Context(), block[st.Pos:st.End]); err != nil {
						t.Errorf("%s\n%v", block[st.Pos:st.End], err)
					}
				}
			}
		})
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	unusual = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// TestDocLinks: what the pages point to is there, headings within pages included.
func TestDocLinks(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) < 3 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	text := map[string]string{}
	read := func(file string) string {
		if _, ok := text[file]; !ok {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Error(err)
			}
			text[file] = string(b)
		}
		return text[file]
	}
	for _, page := range append(pages, "../README.md") {
		for _, m := range link.FindAllStringSubmatch(read(page), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			file := page
			if to != "" {
				file = filepath.Join(filepath.Dir(page), to)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if anchor == "" {
				continue
			}
			found := false
			for _, h := range heading.FindAllStringSubmatch(read(file), -1) {
				slug := strings.ReplaceAll(unusual.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")
				found = found || slug == anchor
			}
			if !found {
				t.Errorf("%s: there is no heading %s", page, m[1])
			}
		}
	}
}

// TestDocTestFiles runs every .test file that the documentation shows.
func TestDocTestFiles(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	dir, n := t.TempDir(), 0
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range fenced(string(b), "test") {
			n++
			name := fmt.Sprintf("%s_%d.test", strings.TrimSuffix(filepath.Base(page), ".md"), n)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n == 0 {
		t.Fatal("no page shows a .test file")
	}
	sqllogic.Run(t, dir, sqllogic.Options{
		Begin:   emulate.Suite{Config: config(t)}.Begin,
		Require: func(name string) (bool, string) { return name == "tensorflow", "" },
		Vars:    map[string]string{"MODELS": models(t)},
	})
}

// fenced gives the blocks of a Markdown text that are marked with a language. A fence stands alone on its line, so that a block may hold
// backticks.
func fenced(text, language string) []string {
	var blocks []string
	var b strings.Builder
	in := false
	for line := range strings.Lines(text) {
		switch strings.TrimRight(line, "\n") {
		case "```" + language:
			in = true
			continue
		case "```":
			if in {
				blocks = append(blocks, b.String())
				b.Reset()
			}
			in = false
			continue
		}
		if in {
			b.WriteString(line)
		}
	}
	return blocks
}
