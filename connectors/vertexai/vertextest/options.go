package vertextest

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Predictor answers the instances of one request, one prediction each, in order. Numbers in instances and parameters are json.Number, so
// that integers keep all their digits. A prediction may be any value of encoding/json, []float64, []float32, NaN included.
type Predictor func(ctx context.Context, instances []any, parameters any) ([]any, error)

// Options configures a Server. The zero value listens on a free port of 127.0.0.1 and answers everything by default.
type Options struct {
	Addr  string // default 127.0.0.1:0
	Token string // when set, requests without `Authorization: Bearer <Token>` get 401

	// text answers: the first rule that matches, else an echo
	Script   []Rule
	Generate func(ctx context.Context, p Prompt) (string, error) // answers prompts that no rule matches
	// vectors instead of hashed ones; outputDimensionality cuts them
	Embed func(ctx context.Context, model string, texts []string) ([][]float64, error)
	// answers of custom endpoints by their instances, before Endpoints and Endpoint
	Predictions []Prediction
	Endpoints   map[string]Predictor // custom endpoints by ID
	// the endpoints that Endpoints does not name; ErrNoEndpoint for unknown ones
	Endpoint func(ctx context.Context, id string, instances []any, parameters any) ([]any, error)

	Faults []Fault
	Seed   uint64 // of Fault.Share
	Limits Limits

	RequestsPerMinute int           // per model; 0 unlimited
	TokensPerMinute   int           // per model; 0 unlimited
	QuotaWindow       time.Duration // the length of that "minute"; default 1 minute
	QuotaRetryAfter   bool          // answers over the quota carry Retry-After
	Provisioned       bool          // provisioned throughput is bought: request type dedicated works

	Projects  []string // known projects; empty: all. Others get 403
	Locations []string // known locations; empty: all. Others get 404
	Models    []string // known publisher models; empty: the families of the real service. Others get 404

	Record string // appends every exchange to this JSON Lines file
	// answers from such a file, predictions also instance by instance; a request it does not hold gets 404 and is in Missed
	Replay string
	// with Record: sends REST requests on to the real service (http.Client.Do of an authorised client)
	Forward func(*http.Request) (*http.Response, error)

	Log      io.Writer        // gets a LogLine as JSON for every request, one Write each, before its answer is sent
	LogSize  int              // requests kept for Requests, the newest; default 100,000, negative none
	LogBytes int64            // bytes of bodies kept for Requests, as they came (decoded they take several times as much); default 32 MiB
	Now      func() time.Time // default time.Now
}

// Limits are those of the real service; zero fields take its value, given behind them.
type Limits struct {
	TextInstances   int   `json:"textInstances"`   // 250 texts per request (text-embedding models)
	TextTokens      int   `json:"textTokens"`      // 20,000 tokens per request (text-embedding models)
	TokensPerText   int   `json:"tokensPerText"`   // 2,048; the rest of a text is cut off
	GeminiInstances int   `json:"geminiInstances"` // 1 (gemini-embedding-001)
	CustomInstances int   `json:"customInstances"` // unlimited (custom endpoints are bounded by bytes)
	PromptTokens    int   `json:"promptTokens"`    // 1,048,576 (generateContent)
	RequestBytes    int64 `json:"requestBytes"`    // 20 MiB; above it 413
	// 1.5 MiB for custom endpoints and all :predict calls but of multimodal models; above it 413
	EndpointBytes    int64 `json:"endpointBytes"`
	MultimodalTokens int   `json:"multimodalTokens"` // 32; the rest of a text is cut off
}

func (l Limits) withDefaults() Limits {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&l.TextInstances, 250)
	def(&l.TextTokens, 20_000)
	def(&l.TokensPerText, 2048)
	def(&l.GeminiInstances, 1)
	def(&l.PromptTokens, 1<<20)
	def(&l.MultimodalTokens, 32)
	if l.RequestBytes == 0 {
		l.RequestBytes = 20 << 20
	}
	if l.EndpointBytes == 0 {
		l.EndpointBytes = 1536 << 10
	}
	return l
}
