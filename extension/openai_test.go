package extension_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/extension"
)

// openAIServer answers as a server that speaks OpenAI's API, whatever the model is called: a chat completion with the model's name, and
// the vector (length of the text, 1). A prompt that is an HTTP status and words gets these as a refusal; one that begins with { is the
// answer. models gives the names that were asked for.
func openAIServer(t testing.TB) (cfg *mallard.Config, models func() []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Model    string
			Input    []string
			Messages []struct{ Content string }
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		mu.Lock()
		asked = append(asked, in.Model)
		mu.Unlock()
		switch r.URL.Path {
		case "/v1/embeddings":
			data := make([]any, len(in.Input))
			for i, s := range in.Input {
				data[i] = map[string]any{"index": i, "embedding": []int{len(s), 1}}
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
		case "/v1/chat/completions":
			prompt := in.Messages[len(in.Messages)-1].Content
			var status int
			if n, _ := fmt.Sscanf(prompt, "%d ", &status); n == 1 {
				w.WriteHeader(status)
				_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": prompt[4:], "type": prompt[4:]}})
			} else if strings.HasPrefix(prompt, "{") {
				_, _ = fmt.Fprint(w, prompt)
			} else {
				_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": in.Model}}}})
			}
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	cfg = config(t)
	cfg.Connections = map[string]mallard.ConnectionConfig{
		"default": {Kind: "openai", BaseURL: s.URL + "/v1", Retry: mallard.RetryConfig{Attempts: 1}},
	}
	return cfg, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string{}, asked...)
	}
}

// TestOpenAINames: a model's name reaches the server as it is written, and says nothing of what the model can do.
func TestOpenAINames(t *testing.T) {
	cfg, models := openAIServer(t)
	db := open(t, "", cfg)
	names := []string{"llama3.2", "meta/llama3.2", "accounts/fireworks/models/llama-v3p1-8b-instruct", "models/gemini-2.5-flash", "azureml://registries/a/models/Llama-2",
		"hf.co/x/Y-1B:Q4_K_M", "claude-3", "mistral-small", "gemini-2.5-flash", "text-embedding-3-small", "multimodalembedding@001", "gemini-embedding-001", "12345"}
	for _, name := range names {
		exec(t, db, "CREATE OR REPLACE MODEL m REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='"+name+"')")
		for _, q := range []string{
			"SELECT ml_generate_text_llm_result FROM ML.GENERATE_TEXT(MODEL m, (SELECT 'a' AS prompt), STRUCT(0.5 AS temperature, TRUE AS flatten_json_output))",
			"SELECT AI.GENERATE('a', endpoint => '" + name + "').result",
			"SELECT result FROM AI.GENERATE_TEXT(MODEL m, (SELECT 'b' AS prompt))",
		} {
			if got := one[string](t, db, q); got != name {
				t.Errorf("%s: %q", q, got)
			}
		}
		if got := one[string](t, db, "SELECT ml_generate_embedding_result::VARCHAR FROM ML.GENERATE_EMBEDDING(MODEL m, (SELECT 'duck' AS content))"); got != "[4.0, 1.0]" {
			t.Errorf("%s: embedding %s", name, got)
		}
		if got := one[string](t, db, "SELECT AI.EMBED('duck', endpoint => '"+name+"').result::VARCHAR"); got != "[4.0, 1.0]" {
			t.Errorf("%s: embedding %s", name, got)
		}
	}
	for _, m := range models() {
		if !strings.Contains("\n"+strings.Join(names, "\n")+"\n", "\n"+m+"\n") {
			t.Errorf("the server was asked for %q", m)
		}
	}
}

// TestOpenAISimilarity: (3, 1) and (7, 1) have the cosine 22 / sqrt(10 · 50); a text is like itself.
func TestOpenAISimilarity(t *testing.T) {
	cfg, _ := openAIServer(t)
	db := open(t, "", cfg)
	if got := one[float64](t, db, "SELECT round(AI.SIMILARITY('abc', 'abcdefg', endpoint => 'nomic-embed-text'), 9)"); got != 0.983869910 {
		t.Errorf("got %v", got)
	}
	if got := one[float64](t, db, "SELECT round(AI.SIMILARITY('abc', 'abc', endpoint => 'nomic-embed-text'), 9)"); got != 1 {
		t.Errorf("got %v", got)
	}
}

// TestNoticeHasTheCause: the line after a statement says why rows failed, in the server's words, also where the statement shows no status.
func TestNoticeHasTheCause(t *testing.T) {
	cfg, _ := openAIServer(t)
	for _, tt := range []struct{ prompt, cause, status string }{
		{"429 Quota is used up", "RESOURCE EXHAUSTED 1: A retryable error occurred: ", "Quota is used up"},
		{"503 down", "UNAVAILABLE 1: ", "down"},
		{"400 not like this", "INVALID ARGUMENT 1: ", "not like this"},
		{"429 insufficient_quota", "RESOURCE EXHAUSTED 1: ", ": insufficient_quota"},
		{"401 who are you", "UNAUTHENTICATED 1: ", "who are you"},
		{`{"choices":[{"message":{"content":null}}]}`, "ANSWER 1: ", "The answer has no text"},
		{`{"error":{"code":429,"message":"later"}}`, "RESOURCE EXHAUSTED 1: ", "later"},
		{`{"error":"it broke"}`, "UNKNOWN 1: ", "it broke"},
		{"", "NOT SENT 1: ", "it is NULL or empty"},
	} {
		db := open(t, "", cfg)
		exec(t, db, createG)
		quoted := strings.ReplaceAll(tt.prompt, "'", "''")
		for _, q := range []string{
			"SELECT AI.GENERATE('" + quoted + "').result",
			"SELECT ml_generate_text_llm_result FROM ML.GENERATE_TEXT(MODEL g, (SELECT '" + quoted + "' AS prompt), STRUCT(TRUE AS flatten_json_output))",
		} {
			var notices []string
			ctx := extension.WithNotices(t.Context(), func(s string) { notices = append(notices, s) })
			err := scanOne(ctx, db, q)
			got := strings.Join(notices, "\n")
			if !strings.Contains(got, "1 failed ("+tt.cause) || !strings.Contains(got, tt.status) {
				t.Errorf("%s: notices %q", q, got)
			}
			if fatal := strings.HasPrefix(tt.prompt, "401") || strings.Contains(tt.prompt, "insufficient"); (err != nil) != fatal || fatal && !strings.Contains(err.Error(), tt.status) {
				t.Errorf("%s: %v", q, err)
			}
		}
	}
}

// scanOne runs a query whose one value must be NULL.
func scanOne(ctx context.Context, db *sql.DB, q string) error {
	var v any
	err := db.QueryRowContext(ctx, q).Scan(&v)
	if err == nil && v != nil {
		return fmt.Errorf("%v in place of NULL", v)
	}
	return err
}
