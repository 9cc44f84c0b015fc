package vertexai

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/accountkey"
)

const gemini = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash"

func TestOptionsAreChecked(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	const secret = "ya29.secret"
	tests := []struct {
		give Options
		want string
	}{
		{Options{Auth: "magic"}, "unknown auth"},
		{Options{Auth: AuthNone, Transport: "soap"}, "unknown transport"},
		{Options{Auth: AuthServiceAccount}, "needs a credentials file"},
		{Options{Auth: AuthServiceAccount, CredentialsFile: filepath.Join(dir, "no")}, "cannot read"},
		{Options{Auth: AuthServiceAccount, CredentialsFile: write("bad.json", `{"private_key":"`+secret+`"`)}, "not a service account key file"},
		{Options{Auth: AuthServiceAccount, CredentialsFile: write("user.json", `{"type":"authorized_user","refresh_token":"`+secret+`"}`)}, "not a service account key file"},
		{Options{Auth: AuthToken}, "either"},
		{Options{Auth: AuthToken, TokenEnv: "T", TokenFile: "f"}, "either"},
		{Options{Auth: AuthToken, TokenEnv: "T", Getenv: func(string) string { return "" }}, "gcloud auth print-access-token"},
		{Options{Auth: AuthToken, TokenEnv: "T", Getenv: func(string) string { return secret + "\r\nX: y" }}, "blanks"},
		{Options{Auth: AuthToken, TokenFile: write("empty", "\n")}, "is empty"},
		{Options{Auth: AuthImpersonate}, "e-mail"},
		{Options{Auth: AuthNone, BaseURL: "localhost:80"}, "http://HOST:PORT"},
		{Options{Auth: AuthNone, BaseURL: "http://u:" + secret + "@h"}, "user or password"},
		{Options{Auth: AuthNone, BaseURL: "http://h?key=" + secret}, "query"},
		{Options{Auth: AuthNone, BaseURL: "http://h/path", Transport: TransportGRPC}, "use transport rest"},
		{Options{Auth: AuthToken, TokenEnv: "T", BaseURL: "http://example.com"}, "plain http"},
		{Options{Auth: AuthToken, TokenEnv: "T", BaseURL: "http://127.0.0.1", Transport: TransportGRPC}, "without TLS"},
		{Options{Auth: AuthADC, CredentialsFile: write("junk.json", secret)}, "not a credentials file"},
	}
	for _, tt := range tests {
		c, err := New(context.Background(), tt.give)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%+v: %v, want %q", tt.give, err, tt.want)
		}
		if c != nil {
			_ = c.Close()
		}
	}
}

func TestNoDefaultCredentials(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	_, err := New(context.Background(), Options{})
	if err == nil || !strings.Contains(err.Error(), "gcloud auth application-default login") {
		t.Errorf("%v", err)
	}
}

// serviceAccount writes a key file of the form that Google gives out, with a fresh key.
func serviceAccount(t *testing.T) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(p, accountkey.JSON(t, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestHeaders(t *testing.T) {
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		give Options
		want func(string) bool
	}{
		{"none", Options{Auth: AuthNone}, func(s string) bool { return s == "" }},
		{"variable", Options{Auth: AuthToken, TokenEnv: "T", Getenv: func(n string) string { return "from-" + n }}, func(s string) bool { return s == "Bearer from-T" }},
		{"file", Options{Auth: AuthToken, TokenFile: tokenFile}, func(s string) bool { return s == "Bearer from-file" }},
		// A self-signed JWT: three parts, no request to a token server.
		{"service account", Options{Auth: AuthServiceAccount, CredentialsFile: serviceAccount(t)}, func(s string) bool {
			return strings.HasPrefix(s, "Bearer ey") && strings.Count(s, ".") == 2
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var seen http.Header
			var path, body string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen, path = r.Header, r.URL.Path
				b := make([]byte, r.ContentLength)
				_, _ = r.Body.Read(b)
				body = string(b)
				_, _ = w.Write([]byte(`{}`))
			}))
			defer s.Close()
			tt.give.BaseURL = s.URL + "/proxy/"
			tt.give.UserAgent = "mallard/1"
			tt.give.Labels = map[string]string{"team": "a", "cost": "b"}
			c, err := New(context.Background(), tt.give)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_, err = c.GenerateContent(context.Background(), gemini, json.RawMessage(`{"contents":[],"labels":{"cost":"own"}}`),
				map[string]string{"X-Vertex-AI-LLM-Request-Type": "shared", "authorization": "Bearer stolen"})
			if err != nil {
				t.Fatal(err)
			}
			if got := seen.Get("Authorization"); !tt.want(got) {
				t.Errorf("Authorization %q", got)
			}
			if seen.Get("X-Vertex-AI-LLM-Request-Type") != "shared" || seen.Get("User-Agent") != "mallard/1" {
				t.Errorf("headers %v", seen)
			}
			if path != "/proxy/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent" {
				t.Errorf("path %s", path)
			}
			if body != `{"contents":[],"labels":{"cost":"own","team":"a"}}` {
				t.Errorf("body %s", body)
			}
		})
	}
}

func TestTokenIsReadAnew(t *testing.T) {
	token := "first"
	var seen []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		_, _ = w.Write([]byte(`{}`))
	}))
	defer s.Close()
	c, err := New(context.Background(), Options{Auth: AuthToken, TokenEnv: "T", Getenv: func(string) string { return token }, BaseURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for _, token = range []string{"first", "second"} {
		if _, err := c.EmbedContent(context.Background(), gemini, json.RawMessage(`{}`)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(seen, ", "); got != "Bearer first, Bearer second" {
		t.Errorf("%s", got)
	}
	token = ""
	_, err = c.EmbedContent(context.Background(), gemini, json.RawMessage(`{}`))
	if err == nil || !strings.Contains(err.Error(), "T holds no access token") {
		t.Errorf("%v", err)
	}
}

func TestRawPredictOfOpenModels(t *testing.T) {
	var path, body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		b := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(b)
		body = string(b)
		_, _ = w.Write([]byte(`{}`))
	}))
	defer s.Close()
	for _, transport := range []string{TransportREST, TransportGRPC} {
		c, err := New(context.Background(), Options{Auth: AuthNone, BaseURL: s.URL, Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.RawPredict(context.Background(), ExpandEndpoint("openapi/meta/llama-3.3-70b-instruct-maas", "p", "us-central1"), json.RawMessage(`{"messages":[]}`)); err != nil {
			t.Fatal(err)
		}
		if path != "/v1/projects/p/locations/us-central1/endpoints/openapi/chat/completions" || body != `{"messages":[],"model":"meta/llama-3.3-70b-instruct-maas"}` {
			t.Errorf("%s %s", path, body)
		}
		_ = c.Close()
	}
}

func TestClosed(t *testing.T) {
	c, err := New(context.Background(), Options{Auth: AuthNone, BaseURL: "http://127.0.0.1:1", Transport: TransportGRPC})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.GenerateContent(context.Background(), gemini, json.RawMessage(`{}`), nil); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("%v", err)
	}
}

func TestDo(t *testing.T) {
	var seen string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Get("Authorization") }))
	defer s.Close()
	c, err := New(context.Background(), Options{Auth: AuthToken, TokenEnv: "T", Getenv: func(string) string { return "abc" }, BaseURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for url, want := range map[string]bool{s.URL + "/x": true, "http://aiplatform.googleapis.com/x": false, "https://evil.example/x": false} {
		r, err := http.NewRequest(http.MethodPost, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen = ""
		res, err := c.Do(r)
		if (err == nil) != want || want && seen != "Bearer abc" {
			t.Errorf("%s: %v, Authorization %q", url, err, seen)
		}
		if err == nil {
			_ = res.Body.Close()
		}
	}
}
