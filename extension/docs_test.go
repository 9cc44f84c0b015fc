package extension_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard/dialect"
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
			for _, block := range sqlBlocks(string(b)) {
				for _, st := range dialect.Split(block, dialect.Auto) {
					if _, err := db.ExecContext(t.Context(), block[st.Pos:st.End]); err != nil {
						t.Errorf("%s\n%v", block[st.Pos:st.End], err)
					}
				}
			}
		})
	}
}

// sqlBlocks gives the fenced SQL blocks of a Markdown text. A fence stands alone on its line, so that a block may hold
// backticks.
func sqlBlocks(text string) []string {
	var blocks []string
	var b strings.Builder
	in := false
	for line := range strings.Lines(text) {
		switch strings.TrimRight(line, "\n") {
		case "```sql":
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
