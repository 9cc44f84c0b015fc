package vertexai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/httptransport"

	"github.com/mallardml/mallard/connectors/internal/transport"
)

// Client sends requests to Vertex AI. It is safe for concurrent use.
type Client struct {
	o     Options
	creds *auth.Credentials // nil: none

	http *transport.Client

	mu     sync.Mutex
	closed bool
	grpc   map[string]*grpcClient // by host
}

// New makes a client. It finds the credentials but sends nothing yet. Close it after use.
func New(ctx context.Context, o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	creds, err := credentials(ctx, o)
	if err != nil {
		return nil, err
	}
	c := &Client{o: o, creds: creds, http: transport.NewClient(o.UserAgent, o.MaxAnswerBytes), grpc: map[string]*grpcClient{}}
	if creds != nil {
		if err := httptransport.AddAuthorizationMiddleware(c.http.HTTP, creds); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Close ends the client's connections. Calls in flight and later ones fail.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	var errs []error
	for _, g := range c.grpc {
		errs = append(errs, g.Close())
	}
	c.grpc = nil
	return errors.Join(append(errs, c.http.Close())...)
}

// CheckEndpoint says whether a call to the endpoint would be refused here, without sending anything.
func (c *Client) CheckEndpoint(endpoint string) error {
	_, err := c.target("", endpoint)
	return err
}

// Call sends a body by one of the API's methods, and returns the answer's body as it came: predict of a custom endpoint or a publisher
// model, Gemini's generateContent, embedContent of gemini-embedding-2, and rawPredict, the partner models' own wire format. Header holds
// further request headers (X-Vertex-AI-LLM-Request-Type).
//
// By rawPredict models of the publishers that speak chat completions (Llama and other open models offered as a service) are asked at
// endpoints/openapi/chat/completions, which is the only place Google serves them; the body's "model" is filled in when it is missing.
func (c *Client) Call(
	ctx context.Context, method, endpoint string, body json.RawMessage, header map[string]string,
) (json.RawMessage, error) {
	t, err := c.target(method, endpoint)
	if err != nil {
		return nil, err
	}
	if err := wantObject(t, body); err != nil {
		return nil, err
	}
	over := map[string]func(context.Context, target, json.RawMessage, map[string]string) (json.RawMessage, error){
		"predict": c.predictGRPC, "generateContent": c.generateGRPC, "rawPredict": c.rawGRPC, "embedContent": c.embedGRPC,
	}[method]
	switch {
	case over == nil:
		return nil, t.refuse("INVALID_ARGUMENT", "Vertex AI has no method "+method)
	case method == "generateContent":
		if body, err = withLabels(t, body, c.o.Labels); err != nil {
			return nil, err
		}
	case method == "rawPredict" && t.chatCompletions():
		// gRPC has no method for it; REST works with the same credentials.
		if body, err = withModel(t, body); err != nil {
			return nil, err
		}
		return c.post(ctx, t, t.chatPath(), body, header)
	}
	if c.o.Transport == TransportGRPC {
		return over(ctx, t, body, header)
	}
	return c.post(ctx, t, t.path(method), body, header)
}

// Predict is [Client.Call] of predict, for instances that are not in one body yet.
func (c *Client) Predict(
	ctx context.Context, endpoint string, instances []json.RawMessage, parameters json.RawMessage,
) (json.RawMessage, error) {
	t, err := c.target("predict", endpoint)
	if err != nil {
		return nil, err
	}
	body, err := predictBody(t, instances, parameters)
	if err != nil {
		return nil, err
	}
	return c.Call(ctx, "predict", endpoint, body, nil)
}

// GenerateContent is [Client.Call] of generateContent.
func (c *Client) GenerateContent(
	ctx context.Context, endpoint string, body json.RawMessage, header map[string]string,
) (json.RawMessage, error) {
	return c.Call(ctx, "generateContent", endpoint, body, header)
}

// RawPredict is [Client.Call] of rawPredict.
func (c *Client) RawPredict(ctx context.Context, endpoint string, body json.RawMessage) (json.RawMessage, error) {
	return c.Call(ctx, "rawPredict", endpoint, body, nil)
}

// EmbedContent is [Client.Call] of embedContent.
func (c *Client) EmbedContent(ctx context.Context, endpoint string, body json.RawMessage) (json.RawMessage, error) {
	return c.Call(ctx, "embedContent", endpoint, body, nil)
}

func predictBody(t target, instances []json.RawMessage, parameters json.RawMessage) ([]byte, error) {
	n := len(`{"instances":[],"parameters":}`) + len(parameters)
	for _, in := range instances {
		n += len(in) + 1
	}
	b := bytes.NewBuffer(make([]byte, 0, n))
	b.WriteString(`{"instances":[`)
	for i, in := range instances {
		if !json.Valid(in) {
			return nil, t.refuse("INVALID_ARGUMENT", fmt.Sprintf("instance %d is not JSON", i))
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(in)
	}
	b.WriteByte(']')
	if len(parameters) > 0 {
		if !json.Valid(parameters) {
			return nil, t.refuse("INVALID_ARGUMENT", "the parameters are not JSON")
		}
		b.WriteString(`,"parameters":`)
		b.Write(parameters)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// wantObject checks without reading: a body may carry megabytes of images.
func wantObject(t target, body json.RawMessage) error {
	if b := bytes.TrimLeft(body, " \t\r\n"); len(b) == 0 || b[0] != '{' || !json.Valid(b) {
		return t.refuse("INVALID_ARGUMENT", "the request body is not a JSON object")
	}
	return nil
}

// withLabels adds the connection's labels; a label that the body has already wins.
func withLabels(t target, body json.RawMessage, labels map[string]string) (json.RawMessage, error) {
	if len(labels) == 0 {
		return body, nil
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil || m == nil {
		return nil, t.refuse("INVALID_ARGUMENT", "the request body is not a JSON object")
	}
	all := make(map[string]string, len(labels))
	for k, v := range labels {
		all[k] = v
	}
	if own, ok := m["labels"]; ok {
		if err := json.Unmarshal(own, &all); err != nil {
			return nil, t.refuse("INVALID_ARGUMENT", "labels in the request body is not an object of strings")
		}
	}
	b, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	m["labels"] = b
	return json.Marshal(m)
}

func withModel(t target, body json.RawMessage) (json.RawMessage, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil || m == nil {
		return nil, t.refuse("INVALID_ARGUMENT", "the request body is not a JSON object")
	}
	if _, ok := m["model"]; ok {
		return body, nil
	}
	b, err := json.Marshal(t.Publisher + "/" + t.Model)
	if err != nil {
		return nil, err
	}
	m["model"] = b
	return json.Marshal(m)
}
