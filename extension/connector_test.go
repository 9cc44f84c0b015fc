package extension

import (
	"strings"
	"testing"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/internal/quote"
)

func TestSplitDSN(t *testing.T) {
	tests := []struct {
		give, rest, config string
		lang               dialect.Lang
	}{
		{"", "", "", dialect.Auto},
		{"a.db?threads=2", "a.db?threads=2", "", dialect.Auto},
		{"a.db?mallard_config=c.toml&threads=2", "a.db?threads=2", "c.toml", dialect.Auto},
		{"?mallard_dialect=bigquery", "", "", dialect.GoogleSQL},
	}
	for _, tt := range tests {
		rest, config, lang, err := splitDSN(tt.give)
		if err != nil || rest != tt.rest || config != tt.config || lang != tt.lang {
			t.Errorf("splitDSN(%q) = %q, %q, %v, %v", tt.give, rest, config, lang, err)
		}
	}
}

func FuzzSplitName(f *testing.F) {
	f.Add("`a.b`.c")
	f.Add(`"a""b".c`)
	f.Fuzz(func(t *testing.T, s string) {
		parts, err := splitName(s)
		if err != nil {
			return
		}
		again, err := splitName(quote.Path(parts...))
		if err != nil || strings.Join(again, "\x00") != strings.Join(parts, "\x00") {
			t.Errorf("%q gives %q, and its quoted form %q, %v", s, parts, again, err)
		}
	})
}
