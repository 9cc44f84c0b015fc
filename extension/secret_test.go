package extension_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/accountkey"
	"github.com/mallardml/mallard/internal/trace"
)

// TestSecrets: whatever way a wrong credential comes in, it shows in no error, notice, status, cache row, catalog row, usage
// row, log or export of the database; also not where the server quotes it.
func TestSecrets(t *testing.T) {
	const secret = "s3cr3t-0123456789"
	// It refuses, and quotes what it was given.
	quoting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": 400, "message": "bad credential " + r.Header.Get("Authorization"), "status": "INVALID_ARGUMENT"}})
	}))
	defer quoting.Close()
	s, cfg := emulator(t, vertextest.Options{Token: "right"})
	dir := t.TempDir()
	file := func(name, text string) string {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	t.Setenv("MALLARD_TEST_SECRET", secret)
	token := file("token", secret+"\n")
	private := accountkey.PrivateKey(t)
	account := func(key, uri string) string {
		return string(accountkey.JSON(t, map[string]string{"private_key_id": secret, "private_key": key, "token_uri": uri}))
	}
	lines := strings.Split(private, "\n")
	secrets := []string{secret, lines[1], lines[5]}
	url := s.URL()
	tests := map[string]mallard.ConnectionConfig{
		"token_env":       {Auth: "token", TokenEnv: "MALLARD_TEST_SECRET", BaseURL: url},
		"token_file":      {Auth: "token", TokenFile: token, BaseURL: url},
		"token_quoted":    {Auth: "token", TokenFile: token, BaseURL: quoting.URL},
		"account":         {Auth: "service_account", CredentialsFile: file("account.json", account(private, quoting.URL)), BaseURL: url},
		"account_broken":  {Auth: "service_account", CredentialsFile: file("broken.json", account("-----BEGIN PRIVATE KEY-----\n"+secret+"\n-----END PRIVATE KEY-----\n", quoting.URL)), BaseURL: url},
		"account_no_json": {Auth: "service_account", CredentialsFile: token, BaseURL: url},
		"key_env":         {Kind: "openai", APIKeyEnv: "MALLARD_TEST_SECRET", BaseURL: quoting.URL + "/v1"},
		"key_file":        {Kind: "openai", APIKeyFile: token, BaseURL: quoting.URL + "/v1"},
	}
	for name, c := range tests {
		c.Project, c.Location = "p", "us-central1"
		c.Retry = mallard.RetryConfig{Attempts: 1}
		cfg.Connections[name] = c
	}
	db := open(t, "", cfg)
	var said []string
	var log bytes.Buffer
	ctx := extension.WithNotices(t.Context(), func(text string) { said = append(said, text) })
	ctx = trace.With(ctx, trace.Logger{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	exec(t, db, createG) // without a token: refused, too
	for name := range cfg.Connections {
		if _, err := db.ExecContext(ctx, "CREATE OR REPLACE MODEL m REMOTE WITH CONNECTION `"+name+"` OPTIONS(ENDPOINT='gemini-2.5-flash')"); err != nil {
			said = append(said, err.Error())
			continue
		}
		_, err := db.ExecContext(ctx, "CREATE OR REPLACE TABLE r AS SELECT * FROM ML.GENERATE_TEXT(MODEL m, (SELECT 'a' AS prompt), STRUCT(TRUE AS flatten_json_output))")
		if err != nil {
			said = append(said, err.Error())
		} else {
			rows := table(t, db, "SELECT ml_generate_text_llm_result, ml_generate_text_status FROM r")
			if rows[1][1] == "" {
				t.Errorf("%s: the wrong credential is accepted: %v", name, rows)
			}
			said = append(said, fmt.Sprint(rows))
		}
		for _, query := range []string{"SELECT * FROM ml_cache()", "SELECT * FROM ml_usage()", "SELECT sql FROM duckdb_views()", "SHOW MODELS", "DESCRIBE MODEL m"} {
			said = append(said, fmt.Sprint(table(t, db, query)))
		}
	}
	for _, name := range []string{"default", "key_env"} { // a password in the ENDPOINT would go into the catalog
		if _, err := db.ExecContext(ctx, "CREATE MODEL x REMOTE WITH CONNECTION `"+name+"` OPTIONS(ENDPOINT='https://user:"+secret+"@us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/1')"); err == nil {
			t.Errorf("connection %s takes an ENDPOINT with a password", name)
		}
	}
	exported := filepath.Join(dir, "exported")
	exec(t, db, "EXPORT DATABASE '"+exported+"'")
	err := filepath.WalkDir(exported, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		said = append(said, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	said = append(said, log.String())
	if log.Len() == 0 {
		t.Error("nothing was logged")
	}
	for _, text := range said {
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("a secret shows: %s", text)
			}
		}
	}
}

// TestBadRemoteInput: the mistakes of a caller and of a server, each named.
func TestBadRemoteInput(t *testing.T) {
	s, cfg := emulator(t, vertextest.Options{Locations: []string{"us-central1"}, Models: []string{"gemini-2.5-flash", "text-embedding-005"},
		Faults: []vertextest.Fault{{Kind: vertextest.WrongType, Method: "predict", Contains: "odd"}, {Kind: vertextest.Garbage, Contains: "garbage"}, {Kind: vertextest.BlockPrompt, Contains: "bad words"}}})
	s.Endpoint("1", vertextest.Predictor(nil))
	c := cfg.Connections["default"]
	c.Retry = mallard.RetryConfig{Attempts: 2, Base: mallard.Duration(1)}
	cfg.Connections["default"] = c
	c.Location = "mars-north1"
	cfg.Connections["mars"] = c
	db := open(t, "", cfg)
	exec(t, db, createG, "CREATE MODEL e REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='text-embedding-005')",
		"CREATE MODEL gone REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-9-flash')",
		"CREATE MODEL far REMOTE WITH CONNECTION mars OPTIONS(ENDPOINT='gemini-2.5-flash')",
		"CREATE MODEL c INPUT(text STRING) OUTPUT(x FLOAT64) REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/77')")
	for _, tt := range []struct{ name, give, want string }{
		{"unknown model", "SELECT * FROM ML.GENERATE_TEXT(MODEL gone, (SELECT 'a' AS prompt))", "404 NOT_FOUND"},
		{"unknown region", "SELECT * FROM ML.GENERATE_TEXT(MODEL far, (SELECT 'a' AS prompt))", "mars-north1"},
		{"unknown endpoint", "SELECT * FROM ML.PREDICT(MODEL c, (SELECT 'a' AS text))", "404 NOT_FOUND"},
		{"text of an embedding model", "SELECT * FROM ML.GENERATE_TEXT(MODEL e, (SELECT 'a' AS prompt))", "ML.GENERATE_TEXT needs a text model, such as gemini-2.5-flash; this is a text embedding model"},
		{"embedding of a text model", "SELECT * FROM ML.GENERATE_EMBEDDING(MODEL g, (SELECT 'a' AS content))", "ML.GENERATE_EMBEDDING needs an embedding model"},
		{"prediction of a text model", "SELECT * FROM ML.PREDICT(MODEL g, (SELECT 'a' AS prompt))", "ML.PREDICT needs a model with INPUT and OUTPUT on a custom endpoint"},
		{"text of a custom endpoint", "SELECT * FROM ML.GENERATE_TEXT(MODEL c, (SELECT 'a' AS prompt))", "ML.GENERATE_TEXT needs a text model"},
		{"no prompt", "SELECT * FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'a' AS question))", "Column prompt is not found in the input data"},
		{"no content", "SELECT * FROM ML.GENERATE_EMBEDDING(MODEL e, (SELECT 'a' AS prompt))", "Column content is not found in the input data"},
		{"a prompt that is a number", "SELECT * FROM ML.GENERATE_TEXT(MODEL g, (SELECT 1 AS prompt))", "input `prompt` wants STRING"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := db.ExecContext(t.Context(), tt.give); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	got := table(t, db, "SELECT id, ml_generate_text_llm_result IS NULL, ml_generate_text_status FROM ML.GENERATE_TEXT(MODEL g, (SELECT * FROM (VALUES (1, 'good'), (2, NULL), (3, ''), (4, 'garbage'), (5, 'bad words')) AS v(id, prompt)), STRUCT(TRUE AS flatten_json_output)) ORDER BY id")
	for i, want := range []string{"[1 false ]", "[2 true Invalid prompt: it is NULL or empty.]", "[3 true Invalid prompt: it is NULL or empty.]", "[4 true A retryable error occurred: INVALID ANSWER error from", "[5 true The prompt was blocked: SAFETY"} {
		if line := fmt.Sprint(got[i+1]); !strings.HasPrefix(line, want) {
			t.Errorf("got %s, want %s", line, want)
		}
	}
	got = table(t, db, "SELECT id, len(ml_generate_embedding_result), ml_generate_embedding_status FROM ML.GENERATE_EMBEDDING(MODEL e, (SELECT * FROM (VALUES (1, 'good'), (2, NULL), (3, 'odd')) AS v(id, content))) ORDER BY id")
	for i, want := range []string{"[1 768 ]", "[2 0 Invalid content: it is NULL or empty.]", "[3 0 Invalid answer: "} {
		if line := fmt.Sprint(got[i+1]); !strings.HasPrefix(line, want) {
			t.Errorf("got %s, want %s", line, want)
		}
	}
}
