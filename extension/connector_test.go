package extension

import (
	"testing"

	"github.com/mallardml/mallard/dialect"
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
