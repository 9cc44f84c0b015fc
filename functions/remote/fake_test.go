package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mallardml/mallard/internal/dispatch"
)

// httpError is an error as a Service gives it.
type httpError struct {
	code   int
	reason string
	after  time.Duration
	msg    string
}

func (e *httpError) Error() string             { return e.msg }
func (e *httpError) HTTPStatus() int           { return e.code }
func (e *httpError) RetryAfter() time.Duration { return e.after }
func (e *httpError) Reason() string            { return e.reason }

var (
	errTooMany = &httpError{http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", 0, "Quota exceeded."}
	errBusy    = &httpError{http.StatusServiceUnavailable, "UNAVAILABLE", 0, "Try again."}
)

// fake is a provider whose latency and faults are scripted. By default a prompt is answered by itself in upper case, and a
// content by the vector of its length.
type fake struct {
	latency time.Duration
	// fault is asked before each request, numbered from 1, with the rows of it.
	fault func(n int, rows []string) error
	// text answers a generateContent or rawPredict body; instance answers one instance.
	text     func(body string) string
	instance func(instance string) string

	mu     sync.Mutex
	n      int
	flight int
	most   int
	sent   []string // bodies, or instances joined by line breaks
	rows   map[string]int
	header map[string]string
	params string
}

func (f *fake) request(ctx context.Context, rows []string) error {
	f.mu.Lock()
	f.n++
	n := f.n
	f.flight++
	f.most = max(f.most, f.flight)
	f.sent = append(f.sent, strings.Join(rows, "\n"))
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.flight--
		f.mu.Unlock()
	}()
	if f.latency > 0 {
		t := time.NewTimer(f.latency)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if f.fault != nil {
		if err := f.fault(n, rows); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows == nil {
		f.rows = map[string]int{}
	}
	for _, r := range rows {
		f.rows[r]++
	}
	return nil
}

// requests is how many were sent so far.
func (f *fake) requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// twice lists rows that were answered more than once.
func (f *fake) twice() (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r, n := range f.rows {
		if n > 1 {
			all = append(all, r)
		}
	}
	return all
}

// Call implements Service.
func (f *fake) Call(ctx context.Context, method, endpoint string, body json.RawMessage, header map[string]string) (json.RawMessage, error) {
	switch method {
	case "predict":
		var in struct {
			Instances  []json.RawMessage
			Parameters json.RawMessage
		}
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		return f.Predict(ctx, endpoint, in.Instances, in.Parameters)
	case "generateContent":
		return f.GenerateContent(ctx, endpoint, body, header)
	case "embedContent":
		return f.EmbedContent(ctx, endpoint, body)
	}
	return f.RawPredict(ctx, endpoint, body)
}

func (f *fake) Predict(ctx context.Context, _ string, instances []json.RawMessage, parameters json.RawMessage) (json.RawMessage, error) {
	rows := make([]string, len(instances))
	for i, in := range instances {
		rows[i] = string(in)
	}
	f.mu.Lock()
	f.params = string(parameters)
	f.mu.Unlock()
	if err := f.request(ctx, rows); err != nil {
		return nil, err
	}
	out := make([]string, len(rows))
	for i, r := range rows {
		if f.instance != nil {
			out[i] = f.instance(r)
			continue
		}
		var in struct{ Content string }
		_ = json.Unmarshal([]byte(r), &in)
		out[i] = fmt.Sprintf(`{"embeddings":{"values":[%d,0.5],"statistics":{"token_count":3,"truncated":false}}}`, len(in.Content))
	}
	return json.RawMessage(`{"predictions":[` + strings.Join(out, ",") + `],"deployedModelId":"1"}`), nil
}

func (f *fake) GenerateContent(ctx context.Context, _ string, body json.RawMessage, header map[string]string) (json.RawMessage, error) {
	f.mu.Lock()
	f.header = header
	f.mu.Unlock()
	if err := f.request(ctx, []string{string(body)}); err != nil {
		return nil, err
	}
	if f.text != nil {
		return json.RawMessage(f.text(string(body))), nil
	}
	var req struct {
		Contents []struct{ Parts []struct{ Text string } }
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return nil, err
	}
	text, _ := json.Marshal(strings.ToUpper(req.Contents[0].Parts[0].Text))
	return json.RawMessage(`{"candidates":[{"content":{"role":"model","parts":[{"text":` + string(text) + `}]},"finishReason":"STOP","safetyRatings":[{"category":"HARM_CATEGORY_HARASSMENT","probability":"NEGLIGIBLE"}]}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2,"totalTokenCount":7}}`), nil
}

func (f *fake) RawPredict(ctx context.Context, _ string, body json.RawMessage) (json.RawMessage, error) {
	if err := f.request(ctx, []string{string(body)}); err != nil {
		return nil, err
	}
	return json.RawMessage(f.text(string(body))), nil
}

func (f *fake) EmbedContent(ctx context.Context, _ string, body json.RawMessage) (json.RawMessage, error) {
	if err := f.request(ctx, []string{string(body)}); err != nil {
		return nil, err
	}
	return json.RawMessage(`{"embedding":{"values":[1,2]},"usageMetadata":{"promptTokenCount":4},"truncated":false}`), nil
}

var _ Service = (*fake)(nil)

const geminiURL = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash"
const embeddingURL = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/text-embedding-005"
const endpointURL = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/42"

// memoryCache is a Cache in memory.
type memoryCache struct {
	mu   sync.Mutex
	m    map[[32]byte]dispatch.Answer
	puts int
	fail error
	slow time.Duration // of Get
}

func (c *memoryCache) Get(_ context.Context, keys []dispatch.Key) ([]*dispatch.Answer, error) {
	time.Sleep(c.slow)
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]*dispatch.Answer, len(keys))
	for i, k := range keys {
		if a, ok := c.m[k.Sum]; ok {
			out[i] = &a
		}
	}
	return out, c.fail
}

func (c *memoryCache) Put(_ context.Context, entries []dispatch.Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.puts++
	if c.m == nil {
		c.m = map[[32]byte]dispatch.Answer{}
	}
	for _, e := range entries {
		c.m[e.Key.Sum] = e.Answer
	}
	return c.fail
}
