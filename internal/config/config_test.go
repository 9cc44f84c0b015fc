package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// keys lists the TOML keys of a struct type, with the sections before them.
func keys(t reflect.Type, prefix string) []string {
	var all []string
	for f := range t.Fields() {
		name := f.Tag.Get("toml")
		if name == "" || name == "-" { // not of a file
			continue
		}
		switch {
		case f.Type.Kind() == reflect.Struct:
			all = append(all, keys(f.Type, prefix+name+".")...)
		case f.Type.Kind() == reflect.Map && f.Type.Elem().Kind() == reflect.Struct:
			all = append(all, keys(f.Type.Elem(), prefix+name+".*.")...)
		default:
			all = append(all, prefix+name)
		}
	}
	return all
}

// TestExampleIsComplete reads config.example.toml with its commented tables switched on: every key stands in it, with its
// default.
func TestExampleIsComplete(t *testing.T) {
	b, err := os.ReadFile("../../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := parseConfig("config.example.toml", b)
	if err != nil {
		t.Fatal(err)
	}
	cfg.dir = ""
	if want := DefaultConfig(); !reflect.DeepEqual(cfg.TensorFlow.AllowOps, []string{}) || cfg.BigQuery != want.BigQuery || cfg.Store != want.Store || cfg.Cache != want.Cache || cfg.Budget != want.Budget {
		t.Errorf("the example does not give the defaults: %+v", cfg)
	}

	var lines []string
	inTable := false
	for line := range strings.Lines(string(b)) {
		text := strings.TrimPrefix(line, "# ")
		switch {
		case strings.HasPrefix(text, "[connections.") || strings.HasPrefix(text, "[models.") || strings.HasPrefix(text, "[buckets]"):
			inTable = true
		case strings.TrimSpace(line) == "":
			inTable = false
		}
		if inTable {
			line = text
		}
		lines = append(lines, line)
	}
	var tree map[string]any
	if err := toml.Unmarshal([]byte(strings.Join(lines, "")), &tree); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys(reflect.TypeFor[Config](), "") {
		var at any = tree
		for part := range strings.SplitSeq(key, ".") {
			m, ok := at.(map[string]any)
			if !ok {
				at = nil
				break
			}
			if part == "*" {
				for _, at = range m {
					break
				}
				continue
			}
			at = m[part]
		}
		if at == nil {
			t.Errorf("config.example.toml lacks %s", key)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	tests := []struct{ name, give, want string }{
		{"no folder", "[buckets]\nb = ''\n", `c.toml: buckets: write name = "folder", without slashes in the name`},
		{"no bucket", "[buckets]\n'a/b' = 'x'\n", `c.toml: buckets: write name = "folder", without slashes in the name`},
		{"unknown key", "[tensorflow]\nlibary = 'x'\n", `c.toml:2:1: unknown key "tensorflow.libary"; did you mean "library"? config.example.toml lists every key`},
		{"wrong type", "[tensorflow]\nxla = 3\n", `c.toml:2:7: "tensorflow.xla" must be true or false, and here stands TOML's integer`},
		{"bad dialect", "[bigquery]\ndialect = 'mysql'\n", `unknown dialect "mysql": use auto, duckdb or bigquery`},
		{"isolation", "[tensorflow]\nisolation = 'thread'\n", `c.toml: [tensorflow]: isolation "thread" is none; use "process", or "" for none`},
		{"worker alone", "[tensorflow]\nworker_memory = 1\n", `c.toml: [tensorflow]: worker and worker_memory need isolation = "process"`},
		{"negative threads", "[tensorflow]\nintra_op_threads = -1\n", "c.toml: tensorflow: threads must be 0 (TensorFlow decides) or more"},
		{"model without path", "[models.m]\n", `c.toml: models."m": path is missing`},
		{"remote type", "[models.m]\npath='x'\ntype='ONNX'\n", `c.toml: models."m": type "ONNX" is not supported; use TENSORFLOW`},
		{"no TOML", "[bigquery\n", "c.toml:1:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseConfig("c.toml", []byte(tt.give))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestFindConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	none := func(string) string { return "" }
	if got := FindConfig(none); got != "" {
		t.Errorf("without a file: %q", got)
	}
	if err := os.WriteFile("mallard.toml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := FindConfig(none); got != "mallard.toml" {
		t.Errorf("in the current folder: %q", got)
	}
	if got := FindConfig(func(string) string { return filepath.Join("a", "b.toml") }); got != filepath.Join("a", "b.toml") {
		t.Errorf("by MALLARD_CONFIG: %q", got)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("[bigquery]\nproject='p'\n")
	f.Add("[models.\"a.b\"]\npath='x'\nlabels={a='b'}\n")
	f.Fuzz(func(t *testing.T, src string) {
		if cfg, err := parseConfig("c.toml", []byte(src)); err == nil && cfg.Validate() != nil {
			t.Error("a configuration that was read does not validate")
		}
	})
}

// TestConfigWith: a text on top replaces its own keys only, and the configuration below it stays as it is.
func TestConfigWith(t *testing.T) {
	base := DefaultConfig()
	base.BigQuery.Project = "p"
	base.Connections = map[string]ConnectionConfig{
		"default": {Project: "p", BaseURL: "http://127.0.0.1:1", Auth: "none", Limits: map[string]LimitConfig{"a": {Rows: 1}}},
	}
	got, err := base.With("more", "[budget]\nstatement_requests = 3\n[connections.default]\nrequests_per_minute = 5\n[connections.default.limits.b]\nrows = 2\n[connections.other]\nauth = \"none\"\n")
	if err != nil {
		t.Fatal(err)
	}
	c := got.Connections["default"]
	if got.BigQuery.Project != "p" || got.Budget.StatementRequests != 3 || c.BaseURL != "http://127.0.0.1:1" || c.RequestsPerMinute != 5 || c.Limits["b"].Rows != 2 || got.Connections["other"].Auth != "none" {
		t.Errorf("%+v", got)
	}
	if b := base.Connections["default"]; base.Budget.StatementRequests != 0 || b.RequestsPerMinute != 0 || len(base.Connections) != 1 || len(b.Limits) != 1 {
		t.Errorf("the configuration below changed: %+v", base)
	}
	if _, err := base.With("more", "\n[budgets]\n"); err == nil || !strings.HasPrefix(err.Error(), "more:2:2: unknown key") {
		t.Errorf("%v", err)
	}
}
