package emulate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard/extension/emulate"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/sqllogic"
)

const gemini = "statement ok\nCREATE MODEL m REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-2.5-flash')\n\n"

// ask is a record that asks a model a question.
func ask(prompt, want string) string {
	return "query T\nSELECT ml_generate_text_llm_result FROM ML.GENERATE_TEXT(MODEL m, (SELECT '" + prompt + "' AS prompt), STRUCT(TRUE AS flatten_json_output))\n----\n" + want + "\n\n"
}

func run(t *testing.T, s emulate.Suite, text string) sqllogic.Result {
	t.Helper()
	cfg := config.DefaultConfig()
	cfg.Store.Path = t.TempDir()
	s.Config = cfg
	path := filepath.Join(t.TempDir(), "a.test")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r := sqllogic.Runner{Options: sqllogic.Options{Begin: s.Begin}}
	return r.RunFile(t.Context(), path)
}

// TestSuite: a file needs no configuration at all, and two files do not see each other's requests.
func TestSuite(t *testing.T) {
	for range 2 {
		res := run(t, emulate.Suite{}, "require vertexai\n\nvertexai script\n{\"contains\": \"duck\", \"answer\": \"quack\"}\n\n"+gemini+ask("a duck", "quack")+ask("a goose", "Echo: a goose")+
			"query IT\nSELECT count(*), any_value(path) LIKE '/v1/projects/local/%' FROM __REQUESTS__\n----\n2\ttrue\n\nvertexai forget\n\nquery I\nSELECT count(*) FROM __REQUESTS__\n----\n0\n\n"+
			"query I\nSELECT size FROM read_text('${REQUESTS}')\n----\n0\n")
		if res.Status != sqllogic.Passed {
			t.Error(res.Err)
		}
	}
}

// TestReplay: a request that the record does not hold fails the file, which names it, also when nobody looks at its status.
func TestReplay(t *testing.T) {
	tape, err := filepath.Abs("../../testdata/remote/tapes/birds.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	config := "config\n[connections.default]\nproject = \"my-project\"\n\n"
	for name, give := range map[string]struct {
		suite emulate.Suite
		text  string
	}{
		"directive": {emulate.Suite{}, "require vertexai\n\n" + config + "vertexai replay " + tape + "\n\n"},
		"option":    {func() (s emulate.Suite) { s.Server.Replay = tape; return s }(), config},
	} {
		t.Run(name, func(t *testing.T) {
			if res := run(t, give.suite, give.text+gemini+ask("What does a duck say?", "A duck says quack.")); res.Status != sqllogic.Passed {
				t.Error(res.Err)
			}
			res := run(t, give.suite, give.text+gemini+"statement maybe\nSELECT * FROM ML.GENERATE_TEXT(MODEL m, (SELECT 'Something new' AS prompt))\n\n")
			if want := `the record has no answer to projects/my-project/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent {"contents":`; res.Status != sqllogic.Failed ||
				!strings.Contains(res.Err.Error(), want) || !strings.Contains(res.Err.Error(), "Something new") {
				t.Errorf("%v", res.Err)
			}
		})
	}
}

// TestDirectiveErrors: what is wrong with a directive is said with its line.
func TestDirectiveErrors(t *testing.T) {
	for _, tt := range []struct{ give, want string }{
		{"vertexai\n", "a.test:1: write vertexai script [FILE]"},
		{"vertexai sing\n", "a.test:1: write vertexai script [FILE]"},
		{"vertexai forget\nnow\n", "lines below stand below vertexai script alone"},
		{"vertexai script\n{\"answr\": 1}\n", "a.test:1: script line 1: json: unknown field \"answr\""},
		{"vertexai script nowhere.jsonl\n", "nowhere.jsonl"},
		{"vertexai replay nowhere.jsonl\n", "cannot read the record"},
		{"vertexai endpoint 7 nowhere\n", "endpoint 7: "},
		{"statement ok\nSELECT 1\n\nrequire vertexai\n", "a.test:4: require vertexai: it must stand before the first statement"},
		{"statement ok\nSELECT 1\n\nconfig\n[budget]\nstatement_requests = 1\n", "a.test:4: it must stand before the first statement"},
		{"config more\n", "write the configuration on the lines below config"},
		{"config\n[nonsense]\n", "a.test:1: config:1:2: unknown key \"nonsense\""},
	} {
		res := run(t, emulate.Suite{}, tt.give)
		if res.Status != sqllogic.Failed || !strings.Contains(res.Err.Error(), tt.want) {
			t.Errorf("%q: %v, %v; want %s", tt.give, res.Status, res.Err, tt.want)
		}
	}
}
