package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fake answers each request with the same status, headers and body, and keeps what was asked.
type fake struct {
	status int
	header map[string]string
	body   string
	seen   []*http.Request
	bodies []string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	f.seen, f.bodies = append(f.seen, r), append(f.bodies, string(b))
	w.Header().Set("Content-Type", "application/json")
	for k, v := range f.header {
		w.Header().Set(k, v)
	}
	if f.status != 0 {
		w.WriteHeader(f.status)
	}
	_, _ = io.WriteString(w, f.body)
}

func client(t testing.TB, f http.Handler, o Options) *Client {
	t.Helper()
	s := httptest.NewServer(f)
	o.BaseURL = s.URL + "/v1"
	c, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		s.Close()
	})
	return c
}

// The answer of OpenAI's API reference, "Create chat completion", shortened.
const completion = `{"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion","created":1741569952,"model":"gpt-4.1-2025-04-14",
"choices":[{"index":0,"message":{"role":"assistant","content":"Hello! How can I assist you today?","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],
"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},
"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},"service_tier":"default"}`

// A body is sent as it is, to the method's address, and the answer comes as it came.
func TestCall(t *testing.T) {
	for _, method := range []string{"chat/completions", "embeddings"} {
		f := &fake{body: " " + completion}
		c := client(t, f, Options{APIKeyEnv: "K", Getenv: func(string) string { return "sk-1" }, Organization: "o", Project: "p"})
		raw, err := c.Call(t.Context(), method, "m", json.RawMessage(`{"model":"m", "x":1}`), nil)
		if err != nil || string(raw) != " "+completion {
			t.Errorf("%s %v", raw, err)
		}
		r := f.seen[0]
		if r.URL.Path != "/v1/"+method || f.bodies[0] != `{"model":"m", "x":1}` || r.Header.Get("Authorization") != "Bearer sk-1" ||
			r.Header.Get("OpenAI-Organization") != "o" || r.Header.Get("OpenAI-Project") != "p" || r.Header.Get("User-Agent") != "mallard" {
			t.Errorf("%s %v %s", r.URL.Path, r.Header, f.bodies[0])
		}
	}
}

// A model's name stays as it is written: servers have names with slashes, colons, percent signs and "models" in them.
func TestModelNames(t *testing.T) {
	o := Options{BaseURL: "http://127.0.0.1:11434/v1"}
	for _, name := range []string{"llama3.2", "llama3.2:1b", "meta-llama/Llama-3.3-70B", "accounts/fireworks/models/llama-v3p1-8b-instruct", "models/gemini-2.5-flash",
		"azureml://registries/azureml-meta/models/Llama-2-7b", "hf.co/bartowski/Llama-3.2-1B:Q4_K_M", "100%/a b?c#d", "/models/m.gguf", "claude-3", "gemini-2.5-flash"} {
		for _, give := range []string{name, o.ExpandEndpoint(name)} {
			if got, err := o.ModelName(give); got != name || err != nil {
				t.Errorf("%s: %q %v", give, got, err)
			}
		}
	}
	for give, want := range map[string]string{
		"https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash": "gemini-2.5-flash",
		"http://127.0.0.1:11434/v2/models/x":  "x", // of the same server, before base_url was changed
		"https://example.com/v1/models/x":     "",
		"http://127.0.0.1:11434/v1":           "",
		"http://u:p@127.0.0.1:11434/models/x": "",
		"":                                    "",
	} {
		got, err := o.ModelName(give)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q %v", give, got, err)
		}
	}
}

func TestErrors(t *testing.T) {
	const key = "sk-very-secret"
	tests := []struct {
		name   string
		fake   fake
		status int
		reason string
		wait   time.Duration
		text   string
	}{
		{"busy", fake{status: 429, header: map[string]string{"Retry-After": "7"}, body: `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`}, 429, "RESOURCE_EXHAUSTED", 7 * time.Second, "Rate limit reached"},
		{"busy in ms", fake{status: 429, header: map[string]string{"Retry-After": "1", "Retry-After-Ms": "250"}, body: `{}`}, 429, "RESOURCE_EXHAUSTED", 250 * time.Millisecond, "Too Many Requests"},
		{"no money", fake{status: 429, body: `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`}, 429, "RESOURCE_EXHAUSTED", 0, "current quota"},
		{"key", fake{status: 401, body: `{"error":{"message":"Incorrect API key provided: ` + key + `."}}`}, 401, "UNAUTHENTICATED", 0, "[key]"},
		{"Ollama", fake{status: 404, body: `{"error":"model \"x\" not found, try pulling it first"}`}, 404, "NOT_FOUND", 0, "try pulling it"},
		{"vLLM", fake{status: 400, body: `{"object":"error","message":"This model's maximum context length is 10 tokens","code":400}`}, 400, "INVALID_ARGUMENT", 0, "maximum context length"},
		{"proxy", fake{status: 502, header: map[string]string{"Content-Type": "text/html"}, body: "<html>bad gateway</html>"}, 502, "UNAVAILABLE", 0, "bad gateway"},
		{"redirect", fake{status: 302, header: map[string]string{"Location": "https://example.com/"}}, 302, "HTTP_302", 0, "redirects"},
		{"key in an answer", fake{body: `{"error":"bad key ` + key + `"}`}, 200, "", 0, "bad key [key]"},
		{"huge", fake{body: `{"x":"` + strings.Repeat("x", 2000) + `"}`}, 413, "ANSWER_TOO_LARGE", 0, "1000 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := client(t, &tt.fake, Options{APIKeyEnv: "K", Getenv: func(string) string { return key }, MaxAnswerBytes: 1000})
			raw, err := c.Call(context.Background(), "chat/completions", "m", json.RawMessage(`{"model":"m","messages":[{"role":"user","content":"a"}]}`), nil)
			if tt.status == http.StatusOK {
				if err != nil || !strings.Contains(string(raw), tt.text) {
					t.Errorf("%s, %v", raw, err)
				}
				return
			}
			var e interface {
				HTTPStatus() int
				Reason() string
				RetryAfter() time.Duration
			}
			if !errors.As(err, &e) {
				t.Fatalf("not the typed error: %v", err)
			}
			if e.HTTPStatus() != tt.status || e.Reason() != tt.reason || e.RetryAfter() != tt.wait || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%d %s %v: %v", e.HTTPStatus(), e.Reason(), e.RetryAfter(), err)
			}
			if strings.Contains(err.Error(), key) {
				t.Errorf("the key is in %q", err)
			}
			if len(tt.fake.seen) != 1 {
				t.Errorf("%d requests for one call", len(tt.fake.seen))
			}
			if got := tt.fake.seen[0].Header.Get("Authorization"); got != "Bearer "+key {
				t.Errorf("Authorization %q", got)
			}
		})
	}
}

func TestDroppedAndCancelled(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if strings.Contains(string(b), "drop") {
			panic(http.ErrAbortHandler)
		}
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}), Options{})
	_, err := c.Call(context.Background(), "chat/completions", "m", json.RawMessage(`{"p":"drop"}`), nil)
	var e *Error
	if !errors.As(err, &e) || e.Status != 0 || e.Code != "NETWORK" || !strings.Contains(err.Error(), "closed before") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := c.Call(ctx, "chat/completions", "m", json.RawMessage(`{"p":"hang"}`), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestOptions(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	if err := os.WriteFile(file, []byte(" sk-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err := (Options{APIKeyFile: file}).key(); k != "sk-1" || err != nil {
		t.Errorf("%q %v", k, err)
	}
	for _, tt := range []struct {
		give Options
		want string
	}{
		{Options{BaseURL: "localhost:11434"}, "base URL"},
		{Options{BaseURL: "http://u:p@h/v1"}, "user or password"},
		{Options{BaseURL: "http://h/v1?key=sk-1"}, "query"},
		{Options{APIKeyEnv: "K", APIKeyFile: "f"}, "not by both"},
		{Options{APIKeyEnv: "K", Getenv: func(string) string { return "" }}, "K is empty"},
		{Options{APIKeyEnv: "K", Getenv: func(string) string { return "a\nb" }}, "blanks"},
		{Options{APIKeyFile: file + ".no"}, "cannot read"},
	} {
		_, err := New(context.Background(), tt.give)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "sk-1") {
			t.Errorf("%+v: %v", tt.give, err)
		}
	}
	for base, want := range map[string]string{"": "max_completion_tokens", "https://x.openai.azure.com/openai/v1": "max_completion_tokens", "http://localhost:11434/v1": "max_tokens"} {
		if got := (Options{BaseURL: base}).TokenField(); got != want {
			t.Errorf("%s: %s", base, got)
		}
	}
}

// A key of the environment belongs to OpenAI, not to whatever base URL is configured.
func TestEnvironmentKeyIsNotSent(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-env")
	t.Setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
	t.Setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: sk-env")
	f := &fake{body: completion}
	if _, err := client(t, f, Options{}).Call(context.Background(), "chat/completions", "m", json.RawMessage(`{}`), nil); err != nil {
		t.Fatal(err)
	}
	if h := fmt.Sprint(f.seen[0].Header); strings.Contains(h, "sk-env") || f.seen[0].Header.Get("Authorization") != "" {
		t.Errorf("headers %s", h)
	}
}
