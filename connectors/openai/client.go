package openai

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"

	"github.com/mallardml/mallard/connectors/internal/transport"
)

// Client sends requests to one server. It is safe for concurrent use.
type Client struct {
	o    Options
	host string
	own  *transport.Transport
	chat sdk.ChatCompletionService
	embd sdk.EmbeddingService
}

// New makes a client; it sends nothing yet. Close it after use.
func New(_ context.Context, o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if _, err := o.key(); err != nil {
		return nil, err
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil {
		return nil, errors.New("openai: the base URL is not a URL")
	}
	c := &Client{o: o, host: u.Host}
	c.own = transport.New(&http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 1024, // the runtime bounds the calls
		IdleConnTimeout:     60 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
	})
	client := &http.Client{
		Transport:     c.own,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// The services, not sdk.NewClient: that one reads OPENAI_API_KEY and others from the environment, and would send them to any base URL.
	opts := []option.RequestOption{
		option.WithBaseURL(o.BaseURL), option.WithHTTPClient(client), option.WithMaxRetries(0), option.WithHeader("User-Agent", o.UserAgent),
		option.WithMiddleware(c.intercept),
	}
	if o.Organization != "" {
		opts = append(opts, option.WithOrganization(o.Organization))
	}
	if o.Project != "" {
		opts = append(opts, option.WithProject(o.Project))
	}
	c.chat = sdk.NewChatCompletionService(opts...)
	c.embd = sdk.NewEmbeddingService(opts...)
	return c, nil
}

// Close ends the client's connections. Calls in flight and later ones fail.
func (c *Client) Close() error { return c.own.Close() }

// ExpandEndpoint gives the URL form of a model's name, BASE/models/NAME; a URL comes back as it is.
func ExpandEndpoint(name, baseURL string) string {
	name = strings.TrimSpace(name)
	if strings.Contains(name, "://") {
		return name
	}
	if baseURL == "" {
		baseURL = "https://api.openai.com/v1"
	}
	return strings.TrimRight(baseURL, "/") + "/models/" + strings.Trim(name, "/")
}

// CheckEndpoint says whether the endpoint names a model of this server, without sending anything.
func (c *Client) CheckEndpoint(endpoint string) error {
	_, err := c.model(endpoint)
	return err
}

// model reads the model's name: a bare name, BASE/models/NAME, or a Vertex AI URL …/publishers/P/models/NAME, which base_url redirects here.
func (c *Client) model(endpoint string) (string, error) {
	name := strings.TrimSpace(endpoint)
	if strings.Contains(name, "://") {
		u, err := url.Parse(name)
		if err != nil || u.User != nil || u.RawQuery != "" {
			return "", c.refuse("", "the endpoint is not a model's name or URL")
		}
		i := strings.LastIndex(u.Path, "/models/")
		if i < 0 {
			return "", c.refuse("", "no model in the endpoint URL: write the model's name, or "+c.o.BaseURL+"/models/NAME")
		}
		if u.Host != c.host && !strings.Contains(u.Path[:i], "/publishers/") {
			e := c.refuse("", "host "+u.Host+" is not the connection's own: set base_url of the connection")
			e.Status, e.Code = http.StatusForbidden, "BLOCKED_HOST"
			return "", e
		}
		name = u.Path[i+len("/models/"):]
	}
	if name == "" {
		return "", c.refuse("", "the endpoint names no model")
	}
	return name, nil
}

// refuse is an error of ours, before anything is sent.
func (c *Client) refuse(model, msg string) *Error {
	return &Error{Model: model, Host: c.host, Status: http.StatusBadRequest, Code: "INVALID_ARGUMENT", Msg: msg}
}

// intercept turns every answer but 2xx into our error, because the SDK's loses the status when the body is not OpenAI's; and it bounds the body.
func (c *Client) intercept(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	res, err := next(r)
	if err != nil {
		return nil, err
	}
	body := struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, c.o.MaxAnswerBytes+1), res.Body}
	if res.StatusCode/100 == 2 {
		res.Body = body
		return res, nil
	}
	b, _ := io.ReadAll(io.LimitReader(body, 1<<20)) // a broken error body still has its status
	_ = res.Body.Close()
	return nil, statusError(res.StatusCode, res.Header, b)
}

// send runs one request of the SDK's and returns the body of its answer.
func (c *Client) send(ctx context.Context, model string, call func(...option.RequestOption) error) ([]byte, error) {
	key, err := c.o.key()
	if err != nil {
		return nil, &Error{Model: model, Host: c.host, Status: http.StatusUnauthorized, Code: "UNAUTHENTICATED", Msg: err.Error()}
	}
	var raw []byte
	opts := []option.RequestOption{option.WithResponseBodyInto(&raw)}
	if key != "" {
		opts = append(opts, option.WithAPIKey(key))
	}
	if err := call(opts...); err != nil {
		return nil, c.failed(ctx, model, key, err)
	}
	if int64(len(raw)) > c.o.MaxAnswerBytes {
		return nil, &Error{Model: model, Host: c.host, Status: 413, Code: "ANSWER_TOO_LARGE",
			Msg: "the answer is longer than " + strconv.FormatInt(c.o.MaxAnswerBytes, 10) + " bytes. Ask for fewer rows per request"}
	}
	return raw, nil
}

func (c *Client) failed(ctx context.Context, model, key string, err error) error {
	e := &Error{Model: model, Host: c.host, Code: "NETWORK", Cause: err}
	if cause := ctx.Err(); cause != nil {
		e.Cause, e.Code, e.Msg = cause, "CANCELLED", "the call was cancelled"
		if errors.Is(cause, context.DeadlineExceeded) {
			e.Code, e.Msg = "DEADLINE_EXCEEDED", "no answer in time"
		}
		return e
	}
	var own *Error
	if errors.As(err, &own) {
		own.Model, own.Host = model, c.host
		if key != "" {
			own.Msg = strings.ReplaceAll(own.Msg, key, "[key]")
		}
		return own
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Msg = "the connection was closed before the answer was complete"
	default:
		e.Msg = short(err.Error())
		if key != "" {
			e.Msg = strings.ReplaceAll(e.Msg, key, "[key]")
		}
	}
	return e
}

// bad is an answer that cannot be used.
func (c *Client) bad(model, msg string) error {
	return &Error{Model: model, Host: c.host, Code: "BAD_ANSWER", Msg: msg}
}

// RawPredict sends a chat completions body as it is, with the model filled in when it is missing, and returns the answer as it came.
func (c *Client) RawPredict(ctx context.Context, endpoint string, body json.RawMessage) (json.RawMessage, error) {
	model, err := c.model(endpoint)
	if err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil || m == nil {
		return nil, c.refuse(model, "the request body is not a JSON object")
	}
	if _, has := m["anthropic_version"]; has {
		return nil, c.refuse(model, "anthropic_version: this connection speaks OpenAI's API, not Anthropic's")
	}
	if _, has := m["model"]; !has {
		if m["model"], err = json.Marshal(model); err != nil {
			return nil, err
		}
		if body, err = json.Marshal(m); err != nil {
			return nil, err
		}
	}
	raw, err := c.send(ctx, model, func(opts ...option.RequestOption) error {
		_, err := c.chat.New(ctx, param.Override[sdk.ChatCompletionNewParams](body), opts...)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !object(raw) {
		return nil, c.bad(model, "the answer is cut off or not a JSON object")
	}
	return raw, nil
}

func object(b []byte) bool {
	s := strings.TrimSpace(string(b[:min(len(b), 64)]))
	return strings.HasPrefix(s, "{") && json.Valid(b)
}
