package extension

import (
	"errors"
	"testing"

	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/engine"
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

// TestEngines: what checks a MODEL_TYPE without loading an engine knows the same ones.
func TestEngines(t *testing.T) {
	kinds, workers, err := engines(config.DefaultConfig())
	if err := errors.Join(err, workers.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := kinds.Find(engine.DefaultType()); err != nil {
		t.Error(err)
	}
	for _, k := range kinds {
		if err := engine.CheckType(k.ModelType()); err != nil {
			t.Error(err)
		}
	}
	if engine.CheckType("ONNX") == nil {
		t.Error("a type without a kind is accepted")
	}
}
