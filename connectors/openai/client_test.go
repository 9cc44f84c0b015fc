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
	"reflect"
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

func same(t *testing.T, what, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%s: %v in %s", what, err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("%s:\n%s\nwant\n%s", what, got, want)
	}
}

// The answer of OpenAI's API reference, "Create chat completion", shortened.
const completion = `{"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion","created":1741569952,"model":"gpt-4.1-2025-04-14",
"choices":[{"index":0,"message":{"role":"assistant","content":"Hello! How can I assist you today?","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],
"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},
"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},"service_tier":"default"}`

func TestGenerateContent(t *testing.T) {
	tests := []struct{ name, give, want string }{
		{"prompt", `{"contents":[{"role":"user","parts":[{"text":"Why?"}]}]}`,
			`{"model":"m","messages":[{"role":"user","content":"Why?"}]}`},
		{"every setting", `{"systemInstruction":{"parts":[{"text":"Be "},{"text":"brief"}]},"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"}]},{"role":"user","parts":[{"text":"c"}]}],
			"generationConfig":{"temperature":0,"topP":0.5,"maxOutputTokens":7,"stopSequences":["x","y"],"seed":3,"presencePenalty":0.1,"frequencyPenalty":0.2,"candidateCount":2,"responseMimeType":"text/plain"}}`,
			`{"model":"m","messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}],
			"temperature":0,"top_p":0.5,"max_tokens":7,"stop":["x","y"],"seed":3,"presence_penalty":0.1,"frequency_penalty":0.2,"n":2}`},
		{"snake case", `{"contents":[{"parts":[{"text":"a"}]}],"system_instruction":"s","generation_config":{"max_output_tokens":"7"}}`,
			`{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"a"}],"max_tokens":7}`},
		{"image", `{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"AAEC"}},{"text":"What?"}]}]}`,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAEC"}},{"type":"text","text":"What?"}]}]}`},
		{"image by address", `{"contents":[{"role":"user","parts":[{"file_data":{"mime_type":"image/png","file_uri":"https://example.com/a.png"}}]}]}`,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}`},
		{"sound", `{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"audio/wav","data":"AAEC"}}]}]}`,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAEC","format":"wav"}}]}]}`},
		{"JSON", `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseMimeType":"application/json"}}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_object"}}`},
		{"schema", `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseMimeType":"application/json","responseSchema":
			{"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true},"l":{"type":"ARRAY","items":{"type":"INTEGER"},"minItems":"2"}},"required":["l"],"propertyOrdering":["l","type"]}}}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":
			{"type":"object","properties":{"type":{"type":["string","null"]},"l":{"type":"array","items":{"type":"integer"},"minItems":2}},"required":["l"]}}}}`},
		{"empty extras", `{"contents":[{"parts":[{"text":"a"}]}],"tools":[],"safetySettings":[],"labels":{},"generationConfig":{"stopSequences":[]}}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{body: completion}
			raw, err := client(t, f, Options{}).GenerateContent(context.Background(), "m", json.RawMessage(tt.give), nil)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "request", f.bodies[0], tt.want)
			if p := f.seen[0].URL.Path; p != "/v1/chat/completions" {
				t.Errorf("path %s", p)
			}
			same(t, "answer", string(raw), `{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"Hello! How can I assist you today?"}]},"finishReason":"STOP"}],
				"usageMetadata":{"promptTokenCount":19,"candidatesTokenCount":10,"totalTokenCount":29},"modelVersion":"gpt-4.1-2025-04-14",
				"responseId":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","createTime":"2025-03-10T01:25:52Z"}`)
		})
	}
}

func TestUnmappable(t *testing.T) {
	with := func(field string) string { return `{"contents":[{"parts":[{"text":"a"}]}],` + field + `}` }
	tests := []struct{ give, want string }{
		{with(`"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_ONLY_HIGH"}]`), "safetySettings"},
		{with(`"tools":[{"googleSearch":{}}]`), "tools"},
		{with(`"labels":{"a":"b"}`), "labels"},
		{with(`"cachedContent":"x"`), "cachedContent"},
		{with(`"generationConfig":{"topK":4}`), "generationConfig.topK"},
		{with(`"generation_config":{"thinking_config":{"thinking_budget":1}}`), "generationConfig.thinkingConfig"},
		{with(`"generationConfig":{"temperature":"hot"}`), "generationConfig.temperature"},
		{with(`"generationConfig":{"maxOutputTokens":1.5}`), "generationConfig.maxOutputTokens"},
		{with(`"generationConfig":{"responseMimeType":"text/x.enum"}`), "text/x.enum"},
		{`{"contents":[{"parts":[{"fileData":{"mimeType":"image/jpeg","fileUri":"gs://b/o.jpg"}}]}]}`, "gs://b/o.jpg"},
		{`{"contents":[{"parts":[{"inlineData":{"mimeType":"video/mp4","data":"AAEC"}}]}]}`, "video/mp4"},
		{`{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"?"}}]}]}`, "base64"},
		{`{"contents":[{"parts":[{"functionCall":{"name":"f"}}]}]}`, "functionCall"},
		{`{"contents":[{"role":"tool","parts":[{"text":"a"}]}]}`, `role "tool"`},
		{`{"contents":[]}`, "contents"},
		{`{}`, "contents"},
		{`[]`, "not a JSON object"},
		{`{`, "not a JSON object"},
	}
	f := &fake{body: completion}
	c := client(t, f, Options{})
	for _, tt := range tests {
		_, err := c.GenerateContent(context.Background(), "m", json.RawMessage(tt.give), nil)
		var e *Error
		if !errors.As(err, &e) || e.Status != 400 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.give, err, tt.want)
		}
	}
	if _, err := c.GenerateContent(context.Background(), "m", json.RawMessage(with(`"labels":{}`)), map[string]string{"X-Vertex-AI-LLM-Request-Type": "dedicated"}); err == nil {
		t.Error("dedicated was taken")
	}
	if len(f.seen) != 0 {
		t.Errorf("%d requests were sent", len(f.seen))
	}
}

func TestAnswers(t *testing.T) {
	tests := []struct{ name, give, want string }{
		{"length", `{"choices":[{"message":{"content":"a"},"finish_reason":"length"}]}`, `{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"a"}]},"finishReason":"MAX_TOKENS"}],"modelVersion":""}`},
		{"filtered", `{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}`, `{"candidates":[{"index":0,"finishReason":"SAFETY"}],"modelVersion":""}`},
		{"refused", `{"choices":[{"message":{"content":null,"refusal":"I will not"},"finish_reason":"stop"}]}`, `{"candidates":[{"index":0,"finishReason":"SAFETY","finishMessage":"I will not"}],"modelVersion":""}`},
		{"tools", `{"choices":[{"message":{"content":null},"finish_reason":"tool_calls"}]}`, `{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":""}]},"finishReason":"OTHER"}],"modelVersion":""}`},
		{"thoughts", `{"model":"r","choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":10,"total_tokens":11,"completion_tokens_details":{"reasoning_tokens":8}}}`,
			`{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"ab"}]},"finishReason":"STOP"}],"modelVersion":"r","usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":11,"thoughtsTokenCount":8}}`},
	}
	for _, tt := range tests {
		raw, err := candidates([]byte(tt.give))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		same(t, tt.name, string(raw), tt.want)
	}
	for _, bad := range []string{``, `{`, `[]`, `{"choices":[]}`, `{"choices":[{"message":{"content":5}}]}`, `<html>`, `{"choices":[{"message":`} {
		if out, err := candidates([]byte(bad)); err == nil {
			t.Errorf("%q gave %s", bad, out)
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
		{"no money", fake{status: 429, body: `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`}, 403, "INSUFFICIENT_QUOTA", 0, "current quota"},
		{"key", fake{status: 401, body: `{"error":{"message":"Incorrect API key provided: ` + key + `."}}`}, 401, "UNAUTHENTICATED", 0, "[key]"},
		{"Ollama", fake{status: 404, body: `{"error":"model \"x\" not found, try pulling it first"}`}, 404, "NOT_FOUND", 0, "try pulling it"},
		{"vLLM", fake{status: 400, body: `{"object":"error","message":"This model's maximum context length is 10 tokens","code":400}`}, 400, "INVALID_ARGUMENT", 0, "maximum context length"},
		{"proxy", fake{status: 502, header: map[string]string{"Content-Type": "text/html"}, body: "<html>bad gateway</html>"}, 502, "UNAVAILABLE", 0, "Bad Gateway"},
		{"redirect", fake{status: 302, header: map[string]string{"Location": "https://example.com/"}}, 302, "HTTP_302", 0, "redirects"},
		{"cut off", fake{body: completion[:200]}, 0, "BAD_ANSWER", 0, "cut off"},
		{"page", fake{header: map[string]string{"Content-Type": "text/html"}, body: "<html>log in</html>"}, 0, "BAD_ANSWER", 0, "not a JSON object"},
		{"huge", fake{body: `{"x":"` + strings.Repeat("x", 2000) + `"}`}, 413, "ANSWER_TOO_LARGE", 0, "1000 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := client(t, &tt.fake, Options{APIKeyEnv: "K", Getenv: func(string) string { return key }, MaxAnswerBytes: 1000})
			_, err := c.GenerateContent(context.Background(), "m", json.RawMessage(`{"contents":[{"parts":[{"text":"a"}]}]}`), nil)
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
	_, err := c.GenerateContent(context.Background(), "m", json.RawMessage(`{"contents":[{"parts":[{"text":"drop"}]}]}`), nil)
	var e *Error
	if !errors.As(err, &e) || e.Status != 0 || e.Code != "NETWORK" || !strings.Contains(err.Error(), "closed before") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := c.GenerateContent(ctx, "m", json.RawMessage(`{"contents":[{"parts":[{"text":"hang"}]}]}`), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestPredict(t *testing.T) {
	f := &fake{body: `{"object":"list","data":[{"object":"embedding","index":1,"embedding":[3,4]},{"object":"embedding","index":0,"embedding":[0.0023064255,-0.009327292]}],"model":"text-embedding-ada-002","usage":{"prompt_tokens":8,"total_tokens":8}}`}
	c := client(t, f, Options{})
	raw, err := c.Predict(context.Background(), "e", []json.RawMessage{json.RawMessage(`{"content":"a"}`), json.RawMessage(`{"content":"b","title":""}`)}, json.RawMessage(`{"outputDimensionality":2,"autoTruncate":true}`))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "request", f.bodies[0], `{"model":"e","input":["a","b"],"dimensions":2,"encoding_format":"float"}`)
	same(t, "answer", string(raw), `{"predictions":[{"embeddings":{"values":[0.0023064255,-0.009327292]}},{"embeddings":{"values":[3,4]}}],"usageMetadata":{"promptTokenCount":8,"totalTokenCount":8}}`)

	for _, tt := range []struct{ instance, params, want string }{
		{`{"content":"a","task_type":"CLUSTERING"}`, ``, "taskType"},
		{`{"content":"a","title":"t"}`, ``, "title"},
		{`{"content":""}`, ``, "empty"},
		{`{"text":"a"}`, ``, "text"},
		{`"a"`, ``, "not an object"},
		{`{"content":"a"}`, `{"outputDimensionality":0}`, "outputDimensionality"},
		{`{"content":"a"}`, `{"other":1}`, "other"},
	} {
		_, err := c.Predict(context.Background(), "e", []json.RawMessage{json.RawMessage(tt.instance)}, json.RawMessage(tt.params))
		var e *Error
		if !errors.As(err, &e) || e.Status != 400 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: %v", tt.instance, tt.params, err)
		}
	}
	for _, bad := range []string{`{"data":[]}`, `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`, `{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}`,
		`{"data":[{"embedding":[1]},{"embedding":[]}]}`, `{"data":[{"embedding":["x"]},{"embedding":[1]}]}`, `{"data":[{"embedding":[1]},{"embedding":["NaN"]}]}`} {
		if _, _, err := embeddings([]byte(bad), 2); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestPredictInPieces(t *testing.T) {
	asked := 0
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Input []string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		w.Header().Set("Content-Type", "application/json")
		var data []string
		for i, s := range in.Input {
			data = append(data, fmt.Sprintf(`{"index":%d,"embedding":[%s]}`, i, s))
		}
		asked++
		_, _ = fmt.Fprintf(w, `{"data":[%s],"usage":{"total_tokens":%d}}`, strings.Join(data, ","), len(data))
	}), Options{MaxInputs: 2})
	var in []json.RawMessage
	for i := range 5 {
		in = append(in, json.RawMessage(fmt.Sprintf(`{"content":"%d"}`, i)))
	}
	raw, err := c.Predict(context.Background(), "e", in, nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "answer", string(raw), `{"predictions":[{"embeddings":{"values":[0]}},{"embeddings":{"values":[1]}},{"embeddings":{"values":[2]}},{"embeddings":{"values":[3]}},{"embeddings":{"values":[4]}}],"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5}}`)
	if asked != 3 {
		t.Errorf("%d requests", asked)
	}
	raw, err = c.EmbedContent(context.Background(), "e", json.RawMessage(`{"content":{"parts":[{"text":"7"}]},"embedContentConfig":{"outputDimensionality":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "embedContent", string(raw), `{"embedding":{"values":[7]},"truncated":false,"usageMetadata":{"promptTokenCount":1,"totalTokenCount":1}}`)
}

func TestRawPredict(t *testing.T) {
	f := &fake{body: completion}
	c := client(t, f, Options{})
	raw, err := c.RawPredict(context.Background(), "meta/llama", json.RawMessage(`{"messages":[{"role":"user","content":"a"}],"top_k":5}`))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "request", f.bodies[0], `{"model":"meta/llama","messages":[{"role":"user","content":"a"}],"top_k":5}`)
	same(t, "answer", string(raw), completion)
}

func TestModelNames(t *testing.T) {
	c := client(t, &fake{}, Options{})
	for _, tt := range []struct{ give, want string }{
		{"llama3.2:1b", "llama3.2:1b"},
		{"meta-llama/Llama-3.3-70B", "meta-llama/Llama-3.3-70B"},
		{ExpandEndpoint("llama3.2", c.o.BaseURL), "llama3.2"},
		{"https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash"},
		{"https://example.com/v1/models/x", ""},
		{c.o.BaseURL, ""},
		{"", ""},
	} {
		got, err := c.model(tt.give)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q %v", tt.give, got, err)
		}
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
		{Options{TokenField: "tokens"}, "token field"},
	} {
		_, err := New(context.Background(), tt.give)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "sk-1") {
			t.Errorf("%+v: %v", tt.give, err)
		}
	}
	for base, want := range map[string]string{"": "max_completion_tokens", "https://x.openai.azure.com/openai/v1": "max_completion_tokens", "http://localhost:11434/v1": "max_tokens"} {
		if o, err := (Options{BaseURL: base}).withDefaults(); err != nil || o.TokenField != want {
			t.Errorf("%s: %s %v", base, o.TokenField, err)
		}
	}
}

// A key of the environment belongs to OpenAI, not to whatever base URL is configured.
func TestEnvironmentKeyIsNotSent(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-env")
	t.Setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
	t.Setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: sk-env")
	f := &fake{body: completion}
	if _, err := client(t, f, Options{}).GenerateContent(context.Background(), "m", json.RawMessage(`{"contents":[{"parts":[{"text":"a"}]}]}`), nil); err != nil {
		t.Fatal(err)
	}
	if h := fmt.Sprint(f.seen[0].Header); strings.Contains(h, "sk-env") || f.seen[0].Header.Get("Authorization") != "" {
		t.Errorf("headers %s", h)
	}
}

func FuzzCandidates(f *testing.F) {
	f.Add([]byte(completion))
	f.Add([]byte(`{"choices":[{"message":{"content":[{"text":1}]}}],"created":-1e300}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := candidates(raw)
		if err == nil && !json.Valid(out) {
			t.Fatalf("not JSON: %q", out)
		}
		if v, n, err := embeddings(raw, 1); err == nil {
			if _, err := json.Marshal(v); err != nil || len(v) != 1 {
				t.Fatalf("%v %d %v", v, n, err)
			}
		}
		if e := statusError(500, nil, raw); e.Error() == "" || len([]rune(e.Msg)) > 501 {
			t.Fatalf("message %q", e.Msg)
		}
	})
}

func FuzzParams(f *testing.F) {
	f.Add([]byte(`{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"AAEC"}},{"text":"What?"}]}],"generationConfig":{"responseSchema":{"type":"OBJECT","properties":{"a":{"type":"ARRAY","items":{}}}}}}`))
	c := &Client{o: Options{TokenField: "max_tokens"}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := c.params("m", raw)
		if err != nil {
			return
		}
		if b, err := p.MarshalJSON(); err != nil || !json.Valid(b) {
			t.Fatalf("%q: %v", b, err)
		}
	})
}
