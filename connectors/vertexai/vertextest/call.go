package vertextest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// parsePath reads /VERSION/RESOURCE:METHOD; false when it is no path of the prediction service.
func (r *Request) parsePath(path string) bool {
	r.Path = path
	p := strings.TrimPrefix(path, "/")
	if rest, chat := strings.CutSuffix(p, "/endpoints/openapi/chat/completions"); chat {
		r.Method, p = "chatCompletions", rest+"/endpoints/openapi"
	} else {
		i := strings.LastIndexByte(p, ':')
		if i < 0 {
			return false
		}
		r.Method, p = p[i+1:], p[:i]
	}
	var ok bool
	if r.Version, r.Resource, ok = strings.Cut(p, "/"); !ok || r.Version != "v1" && r.Version != "v1beta1" {
		return false
	}
	return r.parseResource()
}

func (r *Request) parseResource() bool {
	p := strings.Split(r.Resource, "/")
	if len(p) > 4 && p[0] == "projects" && p[2] == "locations" {
		r.Project, r.Location, p = p[1], p[3], p[4:]
	}
	switch {
	case len(p) == 2 && p[0] == "endpoints":
		r.EndpointID = p[1]
	case len(p) >= 4 && p[0] == "publishers" && p[2] == "models":
		r.Publisher, r.Model = p[1], strings.Join(p[3:], "/")
	default:
		return false
	}
	return true
}

// decode reads the body; numbers keep their digits.
func (c *call) decode() *reply {
	d := json.NewDecoder(bytes.NewReader(c.raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return failf(400, "Invalid JSON payload received. %v", err)
	}
	if _, err := d.Token(); err == nil {
		return failf(400, "Invalid JSON payload received. Expected end of input.")
	}
	c.Body = v
	c.Rows = 1
	m, isObject := v.(map[string]any)
	if !isObject {
		return failf(400, "Invalid JSON payload received. Unknown name \"\": Root element must be a message.")
	}
	switch c.Method {
	case "predict":
		list, _ := m["instances"].([]any)
		c.Rows = len(list)
		for _, in := range list {
			c.Tokens += CountTokens(instanceText(in))
		}
	case "generateContent", "streamGenerateContent", "countTokens", "embedContent":
		c.Tokens = CountTokens(textOf(first(m, "contents", "content")))
	default:
		c.Tokens = CountTokens(chatText(m))
	}
	return nil
}

func (c *call) object() map[string]any {
	m, _ := c.Body.(map[string]any)
	return m
}

// instanceText is the text that a token limit counts.
func instanceText(in any) string {
	m, _ := in.(map[string]any)
	if s, ok := m["content"].(string); ok {
		return s
	}
	if s, ok := m["text"].(string); ok {
		return s
	}
	return ""
}

// first gives the value of the first key that is there.
func first(m map[string]any, keys ...string) any {
	for _, k := range keys {
		if v, ok := m[k]; ok {
			return v
		}
	}
	return nil
}

// answer asks the model.
func (c *call) answer(ctx context.Context) *reply {
	if c.EndpointID != "" && c.Method != "chatCompletions" {
		return c.custom(ctx)
	}
	if c.Method == "chatCompletions" {
		return c.chat(ctx)
	}
	kind := kindOf(c.Publisher, c.Model)
	known := kind != ""
	if len(c.server.options().Models) > 0 {
		known = contains(c.server.options().Models, c.Model)
	}
	if !known {
		return failf(404, "Publisher Model `%s` was not found or your project does not have access to it. Please ensure you are using a valid "+
			"model version.", c.Resource)
	}
	wrong := failf(400, "%s is not supported in the %s API.", c.Model, c.Method)
	switch c.Method {
	case "predict":
		switch kind {
		case "text-embedding", "gemini-embedding":
			return c.embedTexts(ctx, kind)
		case "multimodal":
			return c.embedMultimodal(ctx)
		}
	case "generateContent", "streamGenerateContent", "countTokens":
		if kind == "gemini" {
			return c.generate(ctx)
		}
	case "embedContent":
		if kind == "gemini-embedding-2" {
			return c.embedContent(ctx)
		}
	case "rawPredict":
		switch kind {
		case "anthropic":
			return c.claude(ctx)
		case "chat":
			return c.chat(ctx)
		}
	default:
		return failf(404, "The requested URL %s was not found on this server.", c.Path)
	}
	return wrong
}

// kindOf sorts the real service's models into families; empty: none of them.
func kindOf(publisher, model string) string {
	switch publisher {
	case "anthropic":
		return "anthropic"
	case "mistralai", "meta", "deepseek-ai", "qwen", "openai":
		return "chat"
	case "google":
	default:
		return ""
	}
	for _, f := range []struct{ prefix, kind string }{
		{"gemini-embedding-2", "gemini-embedding-2"}, {"gemini-embedding-", "gemini-embedding"}, {"gemini-", "gemini"},
		{"text-embedding-", "text-embedding"}, {"text-multilingual-embedding-", "text-embedding"}, {"textembedding-gecko", "text-embedding"},
		{"multimodalembedding", "multimodal"},
	} {
		if strings.HasPrefix(model, f.prefix) {
			return f.kind
		}
	}
	return ""
}

// custom answers for an endpoint of the user's own.
func (c *call) custom(ctx context.Context) *reply {
	if c.Method != "predict" && c.Method != "rawPredict" {
		return failf(400, "Endpoint `%s` does not support %s.", c.Resource, c.Method)
	}
	m := c.object()
	for k := range m {
		if k != "instances" && k != "parameters" && k != "labels" {
			return failf(400, "Invalid JSON payload received. Unknown name %q: Cannot find field.", k)
		}
	}
	instances, isList := m["instances"].([]any)
	if !isList || len(instances) == 0 {
		return failf(400, "The request has no instances.")
	}
	if most := c.server.options().Limits.CustomInstances; most > 0 && len(instances) > most {
		return failf(400, "%d instance(s) is above the allowed limit of %d instance(s).", len(instances), most)
	}
	c.server.mu.RLock()
	p := c.server.endpoints[c.EndpointID]
	c.server.mu.RUnlock()
	if p == nil && c.server.options().Endpoint != nil {
		p = func(ctx context.Context, in []any, params any) ([]any, error) {
			return c.server.options().Endpoint(ctx, c.EndpointID, in, params)
		}
	}
	c.server.mu.RLock()
	p = predictor(c.server.predictions, c.EndpointID, p)
	c.server.mu.RUnlock()
	if p == nil {
		return c.noEndpoint()
	}
	out, err := p(ctx, instances, m["parameters"])
	if errors.Is(err, ErrNoEndpoint) {
		return c.noEndpoint()
	}
	if err != nil {
		return hookError(err)
	}
	if out == nil {
		out = []any{}
	}
	return ok(map[string]any{
		"predictions": out, "deployedModelId": "1", "modelDisplayName": c.EndpointID, "modelVersionId": "1",
		"model": "projects/" + c.Project + "/locations/" + c.Location + "/models/" + c.EndpointID,
	})
}

func (c *call) noEndpoint() *reply {
	return failf(404, "Endpoint `%s` not found.", c.Resource)
}

func hookError(err error) *reply {
	var s *StatusError
	if errors.As(err, &s) {
		return failf(s.Status, "%s", s.Message)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return failf(499, "%v", err)
	}
	return failf(http.StatusInternalServerError, "%v", err)
}

// normal checks the body against Google's own description of the request and gives it back in lowerCamelCase, with enumerations by name.
// v1beta1 has fields that v1 does not; there unknown ones are dropped.
func (c *call) normal(into proto.Message) (map[string]any, *reply) {
	if err := (protojson.UnmarshalOptions{DiscardUnknown: c.Version == "v1beta1"}).Unmarshal(c.raw, into); err != nil {
		return nil, failf(400, "Invalid JSON payload received. %s", strings.Join(strings.Fields(err.Error()), " "))
	}
	b, err := protojson.Marshal(into)
	if err != nil {
		return nil, failf(400, "Invalid JSON payload received. %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, failf(400, "Invalid JSON payload received. %v", err)
	}
	return m, nil
}
