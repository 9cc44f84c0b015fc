package vertextest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mallardml/mallard/connectors/vertexai"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

// TestLog: every request is a line, over both transports, and its credentials are not in it.
func TestLog(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			var log bytes.Buffer
			s := serve(t, vertextest.Options{Log: &log, Faults: []vertextest.Fault{{Kind: vertextest.Status, Status: 429, Contains: "second"}}})
			c, err := vertexai.New(t.Context(), vertexai.Options{Auth: vertexai.AuthNone, BaseURL: s.URL(), Transport: transport, UserAgent: "tester"})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), body("first"), map[string]string{"X-Vertex-AI-LLM-Request-Type": "shared"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = c.GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), body("second"), nil); err == nil {
				t.Fatal("no error")
			}
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			if len(lines) != 2 {
				t.Fatalf("%d lines: %s", len(lines), log.String())
			}
			var first, second vertextest.LogLine
			if err := errors.Join(json.Unmarshal([]byte(lines[0]), &first), json.Unmarshal([]byte(lines[1]), &second)); err != nil {
				t.Fatal(err)
			}
			if first.Seq != 1 || first.Transport != transport || first.Method != "generateContent" || first.Status != 200 || first.Rows != 1 || first.Tokens != 2 ||
				!strings.HasSuffix(first.Path, "/publishers/google/models/gemini-2.5-flash:generateContent") || !bytes.Contains(first.Request, []byte(`"first"`)) {
				t.Errorf("%+v %s", first, first.Request)
			}
			if first.Header["x-vertex-ai-llm-request-type"] != "shared" || !strings.Contains(first.Header["user-agent"], "tester") || first.Authorized {
				t.Errorf("%+v", first)
			}
			if second.Seq != 2 || second.Status != 429 {
				t.Errorf("%+v", second)
			}
		})
	}
}

// TestLogWithoutSecrets: a token is neither in the log nor in the record.
func TestLogWithoutSecrets(t *testing.T) {
	t.Setenv("TOKEN", "a-secret-token")
	var log bytes.Buffer
	tape := t.TempDir() + "/tape.jsonl"
	s := serve(t, vertextest.Options{Log: &log, Record: tape, Token: "a-secret-token"})
	c, err := vertexai.New(t.Context(), vertexai.Options{Auth: vertexai.AuthToken, TokenEnv: "TOKEN", BaseURL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), body("first"), nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), `"authorized":true`) || strings.Contains(log.String(), "secret") {
		t.Errorf("%s", log.String())
	}
	if b := read(t, tape); !strings.Contains(b, "first") || strings.Contains(b, "secret") {
		t.Errorf("%s", b)
	}
}

// TestLogBounds: the newest requests are kept, within the number and the bytes of the options; Count knows them all.
func TestLogBounds(t *testing.T) {
	small, large := `{"contents":[{"role":"user","parts":[{"text":"duck"}]}]}`, `{"contents":[{"role":"user","parts":[{"text":"`+strings.Repeat("x", 4000)+`"}]}]}`
	for _, tt := range []struct {
		name string
		give vertextest.Options
		body string
		want []int64 // the Seqs that are kept of 50 requests
	}{
		{"number", vertextest.Options{LogSize: 3}, small, []int64{48, 49, 50}},
		{"bytes", vertextest.Options{LogBytes: 10_000}, large, []int64{49, 50}},
		{"larger than all", vertextest.Options{LogBytes: 1000}, large, nil},
		{"none", vertextest.Options{LogSize: -1}, small, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.give)
			c := dial(t, s, vertexai.TransportREST)
			for range 50 {
				if _, err := c.GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), []byte(tt.body), nil); err != nil {
					t.Fatal(err)
				}
			}
			var got []int64
			for _, r := range s.Requests() {
				got = append(got, r.Seq)
			}
			if !slices.Equal(got, tt.want) || s.Count() != 50 {
				t.Errorf("%d of %d, want %d", got, s.Count(), tt.want)
			}
		})
	}
}

// TestLogFailure: a log that cannot be written is told at the end, not silently short.
func TestLogFailure(t *testing.T) {
	s, err := vertextest.New(vertextest.Options{Log: broken{}})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	c := dial(t, s, vertexai.TransportREST)
	if _, err := c.GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), body("first"), nil); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("%v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }
