package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/mallardml/mallard/connectors/internal/transport"
)

// Error is a call that gave no answer.
type Error = transport.Error

// Client sends requests to one server. It is safe for concurrent use.
type Client struct {
	o    Options
	host string
	http *transport.Client
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
	return &Client{o: o, host: u.Host, http: transport.NewClient(o.UserAgent, o.MaxAnswerBytes)}, nil
}

// Close ends the client's connections. Calls in flight and later ones fail.
func (c *Client) Close() error { return c.http.Close() }

// Call posts a body to a method of the API, "chat/completions" or "embeddings", and returns the answer as it came. The body names the
// model; endpoint is for errors, and must be one that [Options.ModelName] reads.
func (c *Client) Call(
	ctx context.Context, method, endpoint string, body json.RawMessage, header map[string]string,
) (json.RawMessage, error) {
	model, err := c.o.ModelName(endpoint)
	if err != nil {
		return nil, &Error{Subject: c.host, Status: http.StatusBadRequest, Code: "INVALID_ARGUMENT", Msg: err.Error()}
	}
	subject := "model " + model + " at " + c.host
	key, err := c.o.key()
	if err != nil {
		return nil, &Error{Subject: subject, Status: http.StatusUnauthorized, Code: "UNAUTHENTICATED", Msg: err.Error()}
	}
	h := http.Header{}
	for k, v := range header {
		h.Set(k, v)
	}
	for k, v := range map[string]string{"OpenAI-Organization": c.o.Organization, "OpenAI-Project": c.o.Project} {
		if v != "" {
			h.Set(k, v)
		}
	}
	if key != "" {
		h.Set("Authorization", "Bearer "+key)
	}
	failed := func(err error) error { return transport.Failed(ctx, subject, err) }
	raw, err := c.http.Post(ctx, subject, c.o.BaseURL+"/"+method, body, h, failed)
	var e *Error
	if errors.As(err, &e) {
		e.Redact(key, "[key]")
		if e.Status == http.StatusUnauthorized {
			e.Advice = "Check the connection's API key."
		}
	}
	if key != "" { // an error may come as an answer, and quote it
		raw = bytes.ReplaceAll(raw, []byte(key), []byte("[key]"))
	}
	return raw, err
}

// modelPath stands between the base URL and the name in the URL form of a model.
const modelPath = "/models/"

// ExpandEndpoint gives the URL form of a model's name, BASE/models/NAME. The name stays as it is written, slashes and all; a URL comes
// back as it is.
func (o Options) ExpandEndpoint(name string) string {
	name = strings.TrimSpace(name)
	if isURL(name) {
		return name
	}
	return o.base() + modelPath + name
}

// ModelName reads the model's name, as it was written: a bare name, BASE/models/NAME, or a Vertex AI URL …/publishers/P/models/NAME,
// which base_url redirects here.
func (o Options) ModelName(endpoint string) (string, error) {
	name := strings.TrimSpace(endpoint)
	if rest, ok := strings.CutPrefix(name, o.base()+modelPath); ok {
		name = rest
	} else if isURL(name) {
		u, err := url.Parse(name)
		if err != nil || u.User != nil || u.RawQuery != "" {
			return "", errors.New("the endpoint is not a model's name or URL")
		}
		before, rest, found := strings.Cut(u.Path, modelPath)
		if !found {
			return "", errors.New("no model in the endpoint URL: write the model's name, or " + o.base() + "/models/NAME")
		}
		own, err := url.Parse(o.base())
		if err != nil || u.Host != own.Host && !strings.Contains(before, "/publishers/") {
			return "", errors.New("host " + u.Host + " is not the connection's own: set base_url of the connection")
		}
		name = rest
	}
	if name == "" {
		return "", errors.New("the endpoint names no model")
	}
	return name, nil
}

func isURL(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}
