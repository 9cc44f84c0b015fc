package vertextest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mallardml/mallard/connectors/vertexai"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

var transports = []string{vertexai.TransportREST, vertexai.TransportGRPC}

func serve(t testing.TB, o vertextest.Options) *vertextest.Server {
	t.Helper()
	s, err := vertextest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func dial(t testing.TB, s *vertextest.Server, transport string) *vertexai.Client {
	t.Helper()
	c, err := vertexai.New(context.Background(), vertexai.Options{Auth: vertexai.AuthNone, BaseURL: s.URL(), Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func instances(texts ...string) []json.RawMessage {
	var out []json.RawMessage
	for _, s := range texts {
		b, _ := json.Marshal(map[string]string{"content": s})
		out = append(out, b)
	}
	return out
}

func body(prompt string) json.RawMessage {
	b, _ := json.Marshal(map[string]any{"contents": []any{map[string]any{"role": "user", "parts": []any{map[string]any{"text": prompt}}}}})
	return b
}

func asked(t testing.TB, raw json.RawMessage, err error) map[string]any {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return m
}

// at walks a decoded answer by keys and indexes.
func at(t testing.TB, v any, path ...any) any {
	t.Helper()
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("no object at %v of %v", p, path)
			}
			v = m[p]
		case int:
			l, ok := v.([]any)
			if !ok || p >= len(l) {
				t.Fatalf("no element %d of %v", p, path)
			}
			v = l[p]
		}
	}
	return v
}

func double(_ context.Context, in []any, _ any) ([]any, error) {
	out := make([]any, len(in))
	for i, e := range in {
		f, err := e.(map[string]any)["x"].(json.Number).Float64()
		if err != nil {
			return nil, err
		}
		out[i] = []float64{2 * f}
	}
	return out, nil
}

func TestBothTransports(t *testing.T) {
	ctx := context.Background()
	for _, tr := range transports {
		t.Run(tr, func(t *testing.T) {
			s := serve(t, vertextest.Options{Endpoints: map[string]vertextest.Predictor{"7": double}})
			c := dial(t, s, tr)

			raw, err := c.Predict(ctx, s.EndpointURL("7"), []json.RawMessage{json.RawMessage(`{"x":1.5}`), json.RawMessage(`{"x":-2}`)}, nil)
			m := asked(t, raw, err)
			if got := fmt.Sprint(m["predictions"]); got != "[[3] [-4]]" {
				t.Errorf("predictions %v", got)
			}
			if m["deployedModelId"] != "1" {
				t.Errorf("deployedModelId %v", m["deployedModelId"])
			}

			raw, err = c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), body("Why?"), nil)
			m = asked(t, raw, err)
			if got := at(t, m, "candidates", 0, "content", "parts", 0, "text"); got != "Echo: Why?" {
				t.Errorf("text %v", got)
			}
			if got := at(t, m, "candidates", 0, "finishReason"); got != "STOP" {
				t.Errorf("finishReason %v", got)
			}
			if got := fmt.Sprint(at(t, m, "usageMetadata", "promptTokenCount"), at(t, m, "usageMetadata", "candidatesTokenCount"), at(t, m, "usageMetadata", "totalTokenCount")); got != "1 3 4" {
				t.Errorf("usage %v", got)
			}

			raw, err = c.Predict(ctx, s.ModelURL("text-embedding-005"), instances("a", "b", "a"), json.RawMessage(`{"outputDimensionality":8}`))
			m = asked(t, raw, err)
			a, b, again := at(t, m, "predictions", 0, "embeddings", "values"), at(t, m, "predictions", 1, "embeddings", "values"), at(t, m, "predictions", 2, "embeddings", "values")
			if len(a.([]any)) != 8 || fmt.Sprint(a) != fmt.Sprint(again) || fmt.Sprint(a) == fmt.Sprint(b) {
				t.Errorf("vectors %v %v %v", a, b, again)
			}
			if got := at(t, m, "predictions", 0, "embeddings", "statistics", "token_count"); got != 1.0 {
				t.Errorf("token_count %v", got)
			}

			raw, err = c.EmbedContent(ctx, s.ModelURL("gemini-embedding-2-preview"), json.RawMessage(`{"content":{"parts":[{"text":"a"}]}}`))
			m = asked(t, raw, err)
			if got := len(at(t, m, "embedding", "values").([]any)); got != 3072 {
				t.Errorf("size %d", got)
			}

			url := strings.Replace(s.ModelURL("claude-sonnet-4-6"), "publishers/google", "publishers/anthropic", 1)
			raw, err = c.RawPredict(ctx, url, json.RawMessage(`{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`))
			m = asked(t, raw, err)
			if got := at(t, m, "content", 0, "text"); got != "Echo: Hi" {
				t.Errorf("claude %v", got)
			}

			var seen []string
			for _, r := range s.Requests() {
				if r.GRPC != (tr == vertexai.TransportGRPC) || r.Status != 200 {
					t.Errorf("%s: gRPC %v, status %d", r.Path, r.GRPC, r.Status)
				}
				seen = append(seen, r.Method)
			}
			if got := strings.Join(seen, " "); got != "predict generateContent predict embedContent rawPredict" {
				t.Errorf("methods %s", got)
			}
		})
	}
}

type failure interface {
	error
	HTTPStatus() int
	Reason() string
	RetryAfter() time.Duration
}

func failed(t testing.TB, err error) failure {
	t.Helper()
	var f failure
	if !errors.As(err, &f) {
		t.Fatalf("not the typed error: %v", err)
	}
	return f
}

func TestFaults(t *testing.T) {
	ctx := context.Background()
	tests := []struct {
		give       vertextest.Fault
		wantStatus int
		wantReason string
		wantWait   bool
		grpcStatus int  // where it differs
		spoilt     bool // over REST the answer comes as it came, and is no JSON; reading it is the caller's
	}{
		{give: vertextest.Fault{Kind: vertextest.Status, Status: 429}, wantStatus: 429, wantReason: "RESOURCE_EXHAUSTED"},
		{give: vertextest.Fault{Kind: vertextest.Status, Status: 429, RetryAfter: 3 * time.Second}, wantStatus: 429, wantReason: "RESOURCE_EXHAUSTED", wantWait: true},
		{give: vertextest.Fault{Kind: vertextest.Status, Status: 429, RetryAfter: 3 * time.Second, RetryAsDate: true}, wantStatus: 429, wantReason: "RESOURCE_EXHAUSTED", wantWait: true},
		{give: vertextest.Fault{Kind: vertextest.Status, Status: 429, RetryAfter: 3 * time.Second, RetryAsDetail: true}, wantStatus: 429, wantReason: "RESOURCE_EXHAUSTED", wantWait: true},
		{give: vertextest.Fault{Kind: vertextest.Status, Status: 500}, wantStatus: 500, wantReason: "INTERNAL"},
		{give: vertextest.Fault{Kind: vertextest.Status}, wantStatus: 503, wantReason: "UNAVAILABLE"},
		{give: vertextest.Fault{Kind: vertextest.Status, Status: 413}, wantStatus: 413, wantReason: "INVALID_ARGUMENT", grpcStatus: 400},
		{give: vertextest.Fault{Kind: vertextest.Drop}, wantReason: "NETWORK"},
		{give: vertextest.Fault{Kind: vertextest.Midway}, wantReason: "NETWORK"},
		{give: vertextest.Fault{Kind: vertextest.Truncate}, spoilt: true},
		{give: vertextest.Fault{Kind: vertextest.Garbage}, spoilt: true},
	}
	for _, tr := range transports {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s/%s %d", tr, tt.give.Kind, tt.give.Status), func(t *testing.T) {
				s := serve(t, vertextest.Options{Faults: []vertextest.Fault{tt.give}})
				raw, err := dial(t, s, tr).GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), body("Why?"), nil)
				if tt.spoilt && tr == vertexai.TransportREST {
					if err != nil || json.Valid(raw) {
						t.Errorf("%s, %v", raw, err)
					}
					return
				}
				f := failed(t, err)
				status, reason := tt.wantStatus, tt.wantReason
				if tr == vertexai.TransportGRPC {
					if tt.grpcStatus != 0 {
						status = tt.grpcStatus
					}
					if status == 0 { // gRPC gives every lost answer this status
						status, reason = 503, "UNAVAILABLE"
					}
				}
				if f.HTTPStatus() != status || f.Reason() != reason {
					t.Errorf("got %d %s, want %d %s: %v", f.HTTPStatus(), f.Reason(), status, reason, err)
				}
				if w := f.RetryAfter(); (w > time.Second && w <= 4*time.Second) != tt.wantWait {
					t.Errorf("RetryAfter %v: %v", w, err)
				}
				if n := s.Count(); n != 1 {
					t.Errorf("%d requests for one call", n)
				}
			})
		}
	}
}

// onWrite is a log that is called for each line.
type onWrite func()

func (f onWrite) Write(b []byte) (int, error) { f(); return len(b), nil }

// TestCancelEndsACall: the caller gives up when the request is in the log, where it stands although it has no answer.
func TestCancelEndsACall(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			s := serve(t, vertextest.Options{Faults: []vertextest.Fault{{Kind: vertextest.Hang}}, Log: onWrite(cancel)})
			_, err := dial(t, s, tr).GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), body("Why?"), nil)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	ctx := context.Background()
	s := serve(t, vertextest.Options{Limits: vertextest.Limits{PromptTokens: 100}})
	c := dial(t, s, vertexai.TransportREST)
	many := func(n int, text string) []json.RawMessage {
		list := make([]string, n)
		for i := range list {
			list[i] = text
		}
		return instances(list...)
	}
	claude := strings.Replace(s.ModelURL("claude-opus-4"), "/google/", "/anthropic/", 1)
	tests := []struct {
		name       string
		give       func() (json.RawMessage, error)
		wantStatus int // 0: no error
		wantText   string
	}{
		{"250 texts", func() (json.RawMessage, error) {
			return c.Predict(ctx, s.ModelURL("text-embedding-005"), many(250, "x"), nil)
		}, 0, ""},
		{"251 texts", func() (json.RawMessage, error) {
			return c.Predict(ctx, s.ModelURL("text-embedding-005"), many(251, "x"), nil)
		}, 400, "251 instance(s)"},
		{"20,000 tokens", func() (json.RawMessage, error) {
			return c.Predict(ctx, s.ModelURL("text-embedding-005"), many(10, strings.Repeat("word", 2000)), nil)
		}, 0, ""},
		{"20,010 tokens", func() (json.RawMessage, error) {
			return c.Predict(ctx, s.ModelURL("text-embedding-005"), many(10, strings.Repeat("word", 2001)), nil)
		}, 400, "20010"},
		{"two texts for gemini-embedding-001", func() (json.RawMessage, error) {
			return c.Predict(ctx, s.ModelURL("gemini-embedding-001"), many(2, "x"), nil)
		}, 400, "2 instance(s)"},
		{"empty text", func() (json.RawMessage, error) {
			return c.Predict(ctx, s.ModelURL("text-embedding-005"), many(1, ""), nil)
		}, 400, "empty"},
		{"prompt too long", func() (json.RawMessage, error) {
			return c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), body(strings.Repeat("word", 101)), nil)
		}, 400, "exceeds the maximum number of tokens"},
		{"empty prompt", func() (json.RawMessage, error) {
			return c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), body(""), nil)
		}, 400, "empty text parameter"},
		{"unknown field", func() (json.RawMessage, error) {
			return c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), json.RawMessage(`{"contents":[{"parts":[{"text":"x"}]}],"temperature":1}`), nil)
		}, 400, "temperature"},
		{"snake case", func() (json.RawMessage, error) {
			return c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), json.RawMessage(`{"contents":[{"parts":[{"text":"x"}]}],"generation_config":{"max_output_tokens":1}}`), nil)
		}, 0, ""},
		{"temperature", func() (json.RawMessage, error) {
			return c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), json.RawMessage(`{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"temperature":3}}`), nil)
		}, 400, "temperature"},
		{"unknown model", func() (json.RawMessage, error) { return c.GenerateContent(ctx, s.ModelURL("gpt-5"), body("x"), nil) }, 404, "was not found"},
		{"unknown endpoint", func() (json.RawMessage, error) { return c.Predict(ctx, s.EndpointURL("404"), many(1, "x"), nil) }, 404, "not found"},
		{"embedding model asked for text", func() (json.RawMessage, error) {
			return c.GenerateContent(ctx, s.ModelURL("text-embedding-005"), body("x"), nil)
		}, 400, "not supported"},
		{"dedicated", func() (json.RawMessage, error) {
			return c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), body("x"), map[string]string{"X-Vertex-AI-LLM-Request-Type": "dedicated"})
		}, 400, "Provisioned throughput is not purchased"},
		{"claude without version", func() (json.RawMessage, error) {
			return c.RawPredict(ctx, claude, json.RawMessage(`{"max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`))
		}, 400, "anthropic_version"},
		{"dimension too big", func() (json.RawMessage, error) {
			return c.Predict(ctx, s.ModelURL("text-embedding-005"), many(1, "x"), json.RawMessage(`{"outputDimensionality":769}`))
		}, 400, "769"},
		{"multimodal dimension", func() (json.RawMessage, error) {
			return c.Predict(ctx, s.ModelURL("multimodalembedding@001"), []json.RawMessage{json.RawMessage(`{"text":"x"}`)}, json.RawMessage(`{"dimension":100}`))
		}, 400, "dimension"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.give()
			if tt.wantStatus == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			f := failed(t, err)
			if f.HTTPStatus() != tt.wantStatus || !strings.Contains(f.Error(), tt.wantText) {
				t.Errorf("%d: %v", f.HTTPStatus(), f)
			}
		})
	}
}

func TestSchedules(t *testing.T) {
	ctx := context.Background()
	s := serve(t, vertextest.Options{Faults: []vertextest.Fault{{Kind: vertextest.Status, Status: 429, Every: 3, Times: 2}}})
	c := dial(t, s, vertexai.TransportREST)
	ask := func() (failed string) {
		for range 12 {
			if _, err := c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), body("x"), nil); err != nil {
				failed += "x"
			} else {
				failed += "."
			}
		}
		return failed
	}
	if got := ask(); got != "..x..x......" {
		t.Errorf("every third, twice: %s", got)
	}
	s.Reset()
	if got := ask(); got != "..x..x......" {
		t.Errorf("after Reset: %s", got)
	}
	if err := s.SetFaults(vertextest.Fault{Kind: vertextest.Status, Contains: `"bad"`}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), body(`a "bad" row`), nil); err == nil {
		t.Error("a matching request went through")
	}
	if _, err := c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), body(`a bad row`), nil); err != nil {
		t.Error(err)
	}
	if err := s.SetFaults(vertextest.Fault{Kind: "nonsense"}); err == nil {
		t.Error("an unknown kind was taken")
	}
}

func TestSpoiltPredictions(t *testing.T) {
	ctx := context.Background()
	for _, tr := range transports {
		t.Run(tr, func(t *testing.T) {
			s := serve(t, vertextest.Options{Endpoints: map[string]vertextest.Predictor{"7": double}})
			c := dial(t, s, tr)
			three := []json.RawMessage{json.RawMessage(`{"x":1}`), json.RawMessage(`{"x":2}`), json.RawMessage(`{"x":3}`)}
			for _, tt := range []struct {
				give vertextest.Fault
				want string
			}{
				{vertextest.Fault{Kind: vertextest.Miscount}, `[[2] [4]]`},
				{vertextest.Fault{Kind: vertextest.Surplus}, `[[2] [4] [6] [2]]`},
				{vertextest.Fault{Kind: vertextest.NaN, Contains: "2"}, `[[2] [NaN] [6]]`},
				{vertextest.Fault{Kind: vertextest.WrongType}, `[map[unexpected:[nonsense true]] [4] [6]]`},
			} {
				if err := s.SetFaults(tt.give); err != nil {
					t.Fatal(err)
				}
				raw, err := c.Predict(ctx, s.EndpointURL("7"), three, nil)
				raw = bytes.Replace(raw, []byte("[NaN]"), []byte(`["NaN"]`), 1) // as Python's servers write it
				if got := fmt.Sprint(asked(t, raw, err)["predictions"]); got != tt.want {
					t.Errorf("%s: %s, want %s", tt.give.Kind, got, tt.want)
				}
			}
			for _, kind := range []vertextest.Kind{vertextest.BlockPrompt, vertextest.BlockAnswer} {
				if err := s.SetFaults(vertextest.Fault{Kind: kind}); err != nil {
					t.Fatal(err)
				}
				raw, err := c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), body("x"), nil)
				m := asked(t, raw, err)
				if kind == vertextest.BlockPrompt && at(t, m, "promptFeedback", "blockReason") != "SAFETY" ||
					kind == vertextest.BlockAnswer && at(t, m, "candidates", 0, "finishReason") != "SAFETY" {
					t.Errorf("%s: %v", kind, m)
				}
			}
		})
	}
}

func TestHugeAnswer(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr, func(t *testing.T) {
			s := serve(t, vertextest.Options{Faults: []vertextest.Fault{{Kind: vertextest.Huge, Size: 2 << 20}}})
			c, err := vertexai.New(context.Background(), vertexai.Options{Auth: vertexai.AuthNone, BaseURL: s.URL(), Transport: tr, MaxAnswerBytes: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_, err = c.GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), body("x"), nil)
			if f := failed(t, err); f.Reason() != "ANSWER_TOO_LARGE" {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestScript(t *testing.T) {
	script, err := vertextest.ReadScript(strings.NewReader(`
# answers
{"regexp":"capital of (\\w+)","answer":"The capital of {{1}} is far: {{prompt}}"}
{"contains":"forbidden","blockReason":"PROHIBITED_CONTENT"}
{"contains":"half","answer":"cut","finishReason":"RECITATION"}
{"contains":"down","status":503,"answer":"out to lunch"}
{"uri":"poster","answer":"{{mime}} at {{uri}}"}
`))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, vertextest.Options{Script: script.Rules})
	c := dial(t, s, vertexai.TransportREST)
	ask := func(b json.RawMessage) (json.RawMessage, error) {
		return c.GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), b, nil)
	}
	text := func(b json.RawMessage) any {
		raw, err := ask(b)
		return at(t, asked(t, raw, err), "candidates", 0, "content", "parts", 0, "text")
	}
	if got := text(body("the capital of Peru?")); got != "The capital of Peru is far: the capital of Peru?" {
		t.Errorf("%v", got)
	}
	if got := text(json.RawMessage(`{"contents":[{"parts":[{"fileData":{"mimeType":"image/jpeg","fileUri":"gs://b/poster.jpg"}},{"text":"What?"}]}]}`)); got != "image/jpeg at gs://b/poster.jpg" {
		t.Errorf("%v", got)
	}
	if got := text(json.RawMessage(`{"contents":[{"parts":[{"text":"abc"}]}],"generationConfig":{"stopSequences":["b"]}}`)); got != "Echo: a" {
		t.Errorf("%v", got)
	}
	raw, err := ask(body("forbidden"))
	if got := at(t, asked(t, raw, err), "promptFeedback", "blockReason"); got != "PROHIBITED_CONTENT" {
		t.Errorf("%v", got)
	}
	raw, err = ask(body("half"))
	if m := asked(t, raw, err); at(t, m, "candidates", 0, "finishReason") != "RECITATION" || at(t, m, "candidates", 0, "content") != nil {
		t.Errorf("%v", m)
	}
	if _, err = ask(body("down")); failed(t, err).HTTPStatus() != 503 || !strings.Contains(err.Error(), "out to lunch") {
		t.Errorf("%v", err)
	}
	raw, err = ask(json.RawMessage(`{"contents":[{"parts":[{"text":"abc"}]}],"generationConfig":{"responseMimeType":"application/json",
		"responseSchema":{"type":"OBJECT","properties":{"n":{"type":"INTEGER"},"l":{"type":"ARRAY","items":{"type":"STRING"}},"b":{"type":"BOOLEAN"}}}}}`))
	var v struct {
		N *int
		L []string
		B *bool
	}
	if err := json.Unmarshal([]byte(at(t, asked(t, raw, err), "candidates", 0, "content", "parts", 0, "text").(string)), &v); err != nil || v.N == nil || len(v.L) != 2 || v.B == nil {
		t.Errorf("schema: %+v %v", v, err)
	}
	for _, bad := range []string{`{"answr":"x"}`, `{`, `{"regexp":"("}`} {
		if _, err := vertextest.ReadScript(strings.NewReader("\n" + bad)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestMultimodal(t *testing.T) {
	s := serve(t, vertextest.Options{})
	c := dial(t, s, vertexai.TransportREST)
	raw, err := c.Predict(context.Background(), s.ModelURL("multimodalembedding@001"), []json.RawMessage{json.RawMessage(
		`{"text":"a","image":{"gcsUri":"gs://b/a.jpg"},"video":{"gcsUri":"gs://b/v.mp4","videoSegmentConfig":{"startOffsetSec":0,"endOffsetSec":20,"intervalSec":16}}}`)}, nil)
	m := asked(t, raw, err)
	norm := 0.0
	for _, x := range at(t, m, "predictions", 0, "imageEmbedding").([]any) {
		norm += x.(float64) * x.(float64)
	}
	if math.Abs(norm-1) > 1e-5 {
		t.Errorf("length² %v", norm)
	}
	if n := len(at(t, m, "predictions", 0, "textEmbedding").([]any)); n != 1408 {
		t.Errorf("size %d", n)
	}
	video := at(t, m, "predictions", 0, "videoEmbeddings").([]any)
	if len(video) != 2 || at(t, video, 1, "startOffsetSec") != 16.0 || at(t, video, 1, "endOffsetSec") != 20.0 {
		t.Errorf("segments %d: %v", len(video), at(t, video, 1, "endOffsetSec"))
	}
}

func TestQuotas(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	var mu sync.Mutex
	s := serve(t, vertextest.Options{RequestsPerMinute: 2, QuotaRetryAfter: true, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	c := dial(t, s, vertexai.TransportREST)
	ask := func() error {
		_, err := c.GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), body("x"), nil)
		return err
	}
	for range 2 {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	if f := failed(t, ask()); f.HTTPStatus() != 429 || f.RetryAfter() != time.Minute {
		t.Errorf("%v, wait %v", f, f.RetryAfter())
	}
	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	if err := ask(); err != nil {
		t.Error(err)
	}
}

func TestToken(t *testing.T) {
	const secret = "ya29.very-secret"
	s := serve(t, vertextest.Options{Token: secret})
	for _, tt := range []struct {
		token  string
		status int
	}{{secret, 0}, {"wrong-" + secret, 401}} {
		c, err := vertexai.New(context.Background(), vertexai.Options{Auth: vertexai.AuthToken, TokenEnv: "T", BaseURL: s.URL(), Getenv: func(string) string { return tt.token }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), body("x"), nil)
		if tt.status == 0 && err != nil {
			t.Error(err)
		}
		if tt.status != 0 {
			if f := failed(t, err); f.HTTPStatus() != tt.status || f.Reason() != "UNAUTHENTICATED" || strings.Contains(err.Error(), secret) {
				t.Errorf("%v", err)
			}
		}
		_ = c.Close()
	}
	for _, tr := range transports {
		_, err := dial(t, s, tr).GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), body("x"), nil)
		if failed(t, err).HTTPStatus() != 401 {
			t.Errorf("%s: %v", tr, err)
		}
	}
}

func TestRecordAndReplay(t *testing.T) {
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "tape.jsonl")
	ask := func(c *vertexai.Client, s *vertextest.Server) (out []string) {
		for _, p := range []string{"one", "two", "one"} {
			raw, err := c.GenerateContent(ctx, s.ModelURL("gemini-2.5-flash"), body(p), nil)
			if err != nil {
				f := failed(t, err)
				out = append(out, fmt.Sprint(f.HTTPStatus(), f.Reason(), f.RetryAfter()))
				continue
			}
			var m map[string]any
			if err := json.Unmarshal(raw, &m); err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprint(m["candidates"]))
		}
		raw, err := c.Predict(ctx, s.ModelURL("text-embedding-005"), instances("a"), nil)
		return append(out, fmt.Sprint(asked(t, raw, err)))
	}
	rec, err := vertextest.New(vertextest.Options{Record: file, Faults: []vertextest.Fault{{Kind: vertextest.Status, Status: 429, RetryAfter: 2 * time.Second, Times: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	rec.Start()
	want := ask(dial(t, rec, vertexai.TransportREST), rec)
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tr := range transports {
		play := serve(t, vertextest.Options{Replay: file})
		c := dial(t, play, tr)
		if got := ask(c, play); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: replayed\n%.200s\nwant\n%.200s", tr, got, want)
		}
		_, err = c.GenerateContent(ctx, play.ModelURL("gemini-2.5-flash"), body("three"), nil)
		if failed(t, err).HTTPStatus() != 404 {
			t.Errorf("%v", err)
		}
	}
	if _, err := vertextest.New(vertextest.Options{Replay: file + ".missing"}); err == nil {
		t.Error("a missing record was taken")
	}
}

func TestForward(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tape.jsonl")
	back := serve(t, vertextest.Options{})
	var hosts []string
	s := serve(t, vertextest.Options{Record: file, Forward: func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host)
		r.URL.Scheme, r.URL.Host = "http", back.GRPCAddr()
		return http.DefaultClient.Do(r)
	}})
	defer http.DefaultClient.CloseIdleConnections()
	raw, err := dial(t, s, vertexai.TransportREST).GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), body("x"), nil)
	if got := at(t, asked(t, raw, err), "candidates", 0, "content", "parts", 0, "text"); got != "Echo: x" {
		t.Errorf("%v", got)
	}
	if len(hosts) != 1 || hosts[0] != "us-central1-aiplatform.googleapis.com" {
		t.Errorf("hosts %v", hosts)
	}
	if _, err := vertextest.New(vertextest.Options{Replay: file}); err != nil {
		t.Error(err)
	}
}

// TestForwardFails: what cannot be asked is 502 and in the log, not in the record, and no key of the URL is in the message.
func TestForwardFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tape.jsonl")
	var log bytes.Buffer
	s := serve(t, vertextest.Options{Record: file, Log: &log, Forward: func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("asking: %w", &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New("no route to host")})
	}})
	res, err := http.Post(s.URL()+"/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent?key=a-secret", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 502 || !strings.Contains(string(b), "could not be asked: no route to host") || strings.Contains(string(b), "secret") {
		t.Errorf("%d %s, %v", res.StatusCode, b, err)
	}
	if !strings.Contains(log.String(), `"status":502`) || strings.Contains(log.String(), "secret") || read(t, file) != "" {
		t.Errorf("log %s, record %s", log.String(), read(t, file))
	}
}

// TestForwardRefusesPages: a web page in a browser on the same machine cannot spend the user's quota.
func TestForwardRefusesPages(t *testing.T) {
	s := serve(t, vertextest.Options{Record: filepath.Join(t.TempDir(), "tape.jsonl"), Forward: func(*http.Request) (*http.Response, error) {
		t.Error("the request was sent on")
		return nil, errors.New("no")
	}})
	req, err := http.NewRequest(http.MethodPost, s.URL()+"/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "https://example.com")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || res.StatusCode != 403 || !strings.Contains(string(b), "A web page sent this request") {
		t.Errorf("%d %s, %v", res.StatusCode, b, err)
	}
}

func TestManyAtOnce(t *testing.T) {
	const calls, width = 2000, 50
	for _, tr := range transports {
		t.Run(tr, func(t *testing.T) {
			s := serve(t, vertextest.Options{Faults: []vertextest.Fault{
				{Kind: vertextest.Latency, Latency: 5 * time.Millisecond},
				{Kind: vertextest.Status, Status: 429, Every: 10}, {Kind: vertextest.Drop, Share: 0.01},
			}})
			c := dial(t, s, tr)
			var wg sync.WaitGroup
			var bad, lost [width]int
			for w := range width {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for range calls / width {
						_, err := c.GenerateContent(context.Background(), s.ModelURL("gemini-2.5-flash"), body("x"), nil)
						var f failure
						switch {
						case err == nil:
						case errors.As(err, &f) && f.HTTPStatus() == 429:
							bad[w]++
						default:
							lost[w]++
						}
					}
				}()
			}
			wg.Wait()
			sum := func(l [width]int) (n int) {
				for _, e := range l {
					n += e
				}
				return n
			}
			if got := sum(bad); got != calls/10 {
				t.Errorf("%d answers 429, want %d", got, calls/10)
			}
			if got := sum(lost); got < 1 || got > 60 {
				t.Errorf("%d connections lost", got)
			}
			if s.Count() != calls || len(s.Requests()) != calls {
				t.Errorf("%d requests, %d in the log, want %d", s.Count(), len(s.Requests()), calls)
			}
			if p := s.Peak(); p > width || p < 2 {
				t.Errorf("peak %d", p)
			}
		})
	}
}
