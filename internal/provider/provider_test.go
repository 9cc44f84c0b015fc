package provider_test

import (
	"strings"
	"testing"

	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/provider"
)

func open(t *testing.T, kind string, s provider.Settings) provider.Provider {
	t.Helper()
	k, err := provider.Find(kind)
	if err != nil {
		t.Fatal(err)
	}
	p, err := k.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A call is addressed by the provider: Vertex AI knows its publishers, an OpenAI-compatible server's names say nothing.
func TestAddress(t *testing.T) {
	vertex := provider.Settings{Name: "v", Project: "p", Location: "us-central1"}
	local := provider.Settings{Name: "l", BaseURL: "http://127.0.0.1:11434/v1"}
	tests := []struct {
		kind             string
		s                provider.Settings
		endpoint, fn     string
		family           remote.Family
		full, name, bind string
	}{
		{"", vertex, "gemini-2.5-flash", "ML.GENERATE_TEXT", remote.Gemini, "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash", "", ""},
		{"VertexAI", vertex, "llama-3.3-70b-instruct-maas", "ML.GENERATE_TEXT", remote.Llama, "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/meta/models/llama-3.3-70b-instruct-maas", "", ""},
		{"vertexai", vertex, "123", "AI.EMBED", remote.OpenEmbedding, "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/123", "", ""},
		{"vertexai", vertex, "123", "ML.GENERATE_TEXT", remote.Open, "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/123", "", ""},
		{"openai", local, "llama3.2", "ML.GENERATE_TEXT", remote.OpenAI, "http://127.0.0.1:11434/v1/models/llama3.2", "llama3.2", "max_tokens"},
		{"openai", local, "gemini-embedding-001", "AI.GENERATE_TABLE", remote.OpenAI, "http://127.0.0.1:11434/v1/models/gemini-embedding-001", "gemini-embedding-001", "max_tokens"},
		{"OpenAI", local, "claude-3", "AI.EMBED", remote.OpenAIEmbedding, "http://127.0.0.1:11434/v1/models/claude-3", "claude-3", "max_tokens"},
		{"openai", provider.Settings{}, "a/models/b", "AI.GENERATE", remote.OpenAI, "https://api.openai.com/v1/models/a/models/b", "a/models/b", "max_completion_tokens"},
	}
	for _, tt := range tests {
		p := open(t, tt.kind, tt.s)
		full, err := p.Endpoint(tt.endpoint)
		if err != nil || full != tt.full {
			t.Errorf("%s: %s %v", tt.endpoint, full, err)
		}
		s := &remote.Spec{Func: tt.fn, Endpoint: full}
		if err := p.Address(s); err != nil || s.Family != tt.family || s.Name != tt.name || s.TokenField != tt.bind || s.Inline != (tt.name != "") {
			t.Errorf("%s %s: %s %q %q %v, %v", tt.fn, tt.endpoint, s.Family, s.Name, s.TokenField, s.Inline, err)
		}
	}
}

// What the configuration says of a model holds; what it does not say is tried.
func TestCapabilities(t *testing.T) {
	p := open(t, "openai", provider.Settings{Name: "l", Capabilities: map[string][]string{"nomic": {"embedding"}, "llama": {"text"}, "llama3.2": {"text", "schema"}, "off": {}}})
	for _, tt := range []struct{ model, fn, want string }{
		{"nomic-embed-text", "AI.EMBED", ""}, {"Llama2", "ML.GENERATE_TEXT", ""}, {"llama3.2:1b", "AI.GENERATE_BOOL", ""}, {"other", "AI.GENERATE_TABLE", ""},
		{"nomic-embed-text", "AI.GENERATE", "AI.GENERATE needs `text` of a model"}, {"llama2", "AI.GENERATE_TABLE", "needs `schema`"},
		{"llama3.2", "ML.GENERATE_EMBEDDING", "give llama3.2 no more than text, schema"}, {"off", "AI.GENERATE", "needs `text`"},
	} {
		err := p.Address(&remote.Spec{Func: tt.fn, Endpoint: tt.model})
		if tt.want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: %v", tt.fn, tt.model, err)
		}
	}
	k, err := provider.Find("openai")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.New(provider.Settings{Capabilities: map[string][]string{"m": {"vision"}}}); err == nil || !strings.Contains(err.Error(), `there is no "vision"`) {
		t.Error(err)
	}
}

// A key that only another kind reads is an error, as is an unknown kind; each key belongs to one kind.
func TestKinds(t *testing.T) {
	if _, err := provider.Find("opanai"); err == nil || err.Error() != `unknown kind "opanai": use vertexai or openai` {
		t.Error(err)
	}
	owner := map[string]string{}
	for _, k := range provider.Kinds() {
		for _, key := range k.Keys {
			if owner[key] != "" {
				t.Errorf("%s belongs to %s and %s", key, owner[key], k.Name)
			}
			owner[key] = k.Name
			for _, other := range provider.Kinds() {
				if err := other.Stray(key); (err != nil) != (other.Name != k.Name) {
					t.Errorf("%s for kind %s: %v", key, other.Name, err)
				}
			}
		}
		if err := k.Stray("base_url"); err != nil {
			t.Error(err)
		}
	}
}
