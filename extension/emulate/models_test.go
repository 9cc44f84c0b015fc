package emulate_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard/extension/emulate"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/modeltest"
)

// TestServing: a SavedModel behind an emulated endpoint answers as TensorFlow's Python runtime does, in the instances' order.
func TestServing(t *testing.T) {
	models, err := filepath.Abs("../../testdata/models")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Inputs, Outputs map[string]struct{ Values []any }
	}
	b, err := os.ReadFile(filepath.Join(models, "swivel_like.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	cfg := config.DefaultConfig()
	cfg.Store.Path = t.TempDir()
	m, err := emulate.NewModels(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	endpoint, err := m.Endpoint(t.Context(), "7", filepath.Join(models, "swivel_like"))
	if err != nil {
		t.Fatal(err)
	}
	texts := cases[0].Inputs["content"].Values
	instances := make([]any, len(texts))
	for i, v := range texts {
		instances[i] = map[string]any{"content": v}
		if i%2 == 1 {
			instances[i] = v // a single input needs no name
		}
	}
	got, err := endpoint(context.Background(), instances, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := cases[0].Outputs["embedding"].Values
	for i, g := range got {
		for j, v := range g.([]any) {
			if err := modeltest.Check(v.(float64), want[20*i+j].(float64), modeltest.Tolerance("float32", modeltest.Shallow)); err != nil {
				t.Fatalf("instance %d, element %d: %v", i, j, err)
			}
		}
	}
	if len(got) != len(texts) {
		t.Errorf("%d predictions for %d instances", len(got), len(texts))
	}
	if _, err := endpoint(context.Background(), []any{map[string]any{"other": 1}}, nil); err == nil || !strings.Contains(err.Error(), "other") {
		t.Errorf("a wrong instance: %v", err)
	}
}
