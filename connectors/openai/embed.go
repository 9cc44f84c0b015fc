package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// Predict embeds texts: instances {"content": …}, parameters outputDimensionality and autoTruncate. The latter is accepted and means nothing here: such servers
// decide themselves what becomes of long texts. The answer is that of a text embedding model; token counts of single texts are not known to this API, so
// statistics stands only when one text was asked for, and usageMetadata holds the sum.
func (c *Client) Predict(ctx context.Context, endpoint string, instances []json.RawMessage, parameters json.RawMessage) (json.RawMessage, error) {
	model, err := c.model(endpoint)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(instances))
	for i, in := range instances {
		if texts[i], err = instanceText(in); err != nil {
			return nil, c.refuse(model, fmt.Sprintf("instance %d: %v", i, err))
		}
	}
	if len(texts) == 0 {
		return nil, c.refuse(model, "no instances")
	}
	size, err := dimensions(parameters)
	if err != nil {
		return nil, c.refuse(model, err.Error())
	}
	vectors, tokens, err := c.embed(ctx, model, texts, size)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(vectors))
	for i, v := range vectors {
		e := map[string]any{"values": v}
		if len(vectors) == 1 && tokens > 0 {
			e["statistics"] = map[string]any{"token_count": tokens, "truncated": false}
		}
		list[i] = map[string]any{"embeddings": e}
	}
	return json.Marshal(map[string]any{"predictions": list, "usageMetadata": map[string]any{"promptTokenCount": tokens, "totalTokenCount": tokens}})
}

// EmbedContent embeds the text of one content and answers as gemini-embedding-2 does.
func (c *Client) EmbedContent(ctx context.Context, endpoint string, body json.RawMessage) (json.RawMessage, error) {
	model, err := c.model(endpoint)
	if err != nil {
		return nil, err
	}
	m, err := fields(body)
	if err != nil {
		return nil, c.refuse(model, "the request body is not a JSON object")
	}
	text, size, err := embedContent(m)
	if err != nil {
		return nil, c.refuse(model, err.Error())
	}
	vectors, tokens, err := c.embed(ctx, model, []string{text}, size)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"embedding": map[string]any{"values": vectors[0]}, "truncated": false,
		"usageMetadata": map[string]any{"promptTokenCount": tokens, "totalTokenCount": tokens}})
}

func embedContent(m map[string]json.RawMessage) (string, int64, error) {
	size := int64(0)
	if v, has := m["embedContentConfig"]; has {
		cfg, err := fields(v)
		if err != nil {
			return "", 0, fmt.Errorf("embedContentConfig is not an object")
		}
		for k, v := range cfg {
			m[k] = v
		}
		delete(m, "embedContentConfig")
	}
	text := ""
	for _, k := range sorted(m) {
		switch v := m[k]; k {
		case "content":
			var t content
			if err := json.Unmarshal(v, &t); err != nil {
				return "", 0, fmt.Errorf("content is not {parts: [{text}]}")
			}
			for _, e := range t.Parts {
				var s string
				if json.Unmarshal(e["text"], &s) != nil {
					return "", 0, cannot("content of other parts than text")
				}
				text += s
			}
		case "outputDimensionality":
			n, err := integer(v)
			if err != nil {
				return "", 0, fmt.Errorf("outputDimensionality is not an integer")
			}
			size = n
		case "autoTruncate", "model":
		default:
			if !empty(v) {
				return "", 0, cannot(k)
			}
		}
	}
	if text == "" {
		return "", 0, fmt.Errorf("content has no text")
	}
	return text, size, nil
}

func instanceText(in json.RawMessage) (string, error) {
	m, err := fields(in)
	if err != nil {
		return "", fmt.Errorf("not an object with content")
	}
	for _, k := range sorted(m) {
		if k != "content" && !empty(m[k]) {
			return "", cannot(k)
		}
	}
	var text string
	if err := json.Unmarshal(m["content"], &text); err != nil {
		return "", fmt.Errorf("content is missing or not a string")
	}
	if text == "" {
		return "", fmt.Errorf("content is empty")
	}
	return text, nil
}

func dimensions(parameters json.RawMessage) (int64, error) {
	if len(parameters) == 0 || empty(parameters) {
		return 0, nil
	}
	m, err := fields(parameters)
	if err != nil {
		return 0, fmt.Errorf("the parameters are not an object")
	}
	size := int64(0)
	for _, k := range sorted(m) {
		switch k {
		case "autoTruncate":
		case "outputDimensionality", "dimension":
			if size, err = integer(m[k]); err != nil || size < 1 {
				return 0, fmt.Errorf("%s is not a positive integer", k)
			}
		default:
			return 0, cannot("parameter " + k)
		}
	}
	return size, nil
}

// embed asks for the vectors of all texts, in requests of at most MaxInputs.
func (c *Client) embed(ctx context.Context, model string, texts []string, size int64) ([][]json.Number, int64, error) {
	var out [][]json.Number
	tokens := int64(0)
	for len(texts) > 0 {
		n := min(len(texts), c.o.MaxInputs)
		p := sdk.EmbeddingNewParams{Model: model, Input: sdk.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts[:n]}, EncodingFormat: sdk.EmbeddingNewParamsEncodingFormatFloat}
		if size > 0 {
			p.Dimensions = sdk.Int(size)
		}
		raw, err := c.send(ctx, model, func(opts ...option.RequestOption) error {
			_, err := c.embd.New(ctx, p, opts...)
			return err
		})
		if err != nil {
			return nil, 0, err
		}
		vectors, used, err := embeddings(raw, n)
		if err != nil {
			return nil, 0, c.bad(model, err.Error())
		}
		out, tokens, texts = append(out, vectors...), tokens+used, texts[n:]
	}
	return out, tokens, nil
}

// embeddings reads an answer for n texts. The numbers keep the digits they came with.
func embeddings(raw []byte, n int) ([][]json.Number, int64, error) {
	var in struct {
		Data []struct {
			Index     *int          `json:"index"`
			Embedding []json.Number `json:"embedding"`
		} `json:"data"`
		Usage struct {
			Prompt int64 `json:"prompt_tokens"`
			Total  int64 `json:"total_tokens"`
		} `json:"usage"`
	}
	if !object(raw) {
		return nil, 0, fmt.Errorf("the answer is cut off or not a JSON object")
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, 0, fmt.Errorf("the answer is not a list of embeddings: %w", err)
	}
	if len(in.Data) != n {
		return nil, 0, fmt.Errorf("%d embeddings for %d texts", len(in.Data), n)
	}
	out := make([][]json.Number, n)
	for i, d := range in.Data {
		if d.Index != nil {
			i = *d.Index
		}
		if i < 0 || i >= n || out[i] != nil {
			return nil, 0, fmt.Errorf("index %d of the embeddings is out of range or repeated", i)
		}
		if len(d.Embedding) == 0 {
			return nil, 0, fmt.Errorf("embedding %d is empty", i)
		}
		for _, f := range d.Embedding {
			if !json.Valid([]byte(f)) { // "NaN" and other strings, which json.Number lets through
				return nil, 0, fmt.Errorf("embedding %d holds %q, which is no number", i, string(f))
			}
		}
		out[i] = d.Embedding
	}
	return out, max(in.Usage.Prompt, in.Usage.Total), nil
}

// fields decodes an object and gives its keys in lowerCamelCase; Google's API takes both spellings.
func fields(raw json.RawMessage) (map[string]json.RawMessage, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, fmt.Errorf("null")
	}
	out := make(map[string]json.RawMessage, len(m))
	for k, v := range m {
		out[camel(k)] = v
	}
	return out, nil
}

func camel(s string) string {
	if !strings.Contains(s, "_") {
		return s
	}
	var b strings.Builder
	up := false
	for _, r := range s {
		if r == '_' {
			up = true
			continue
		}
		if up && r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		up = false
		b.WriteRune(r)
	}
	return b.String()
}

// empty reports null, "", [] and {}: fields that say nothing.
func empty(v json.RawMessage) bool {
	if len(v) > 64 {
		return false
	}
	switch strings.Join(strings.Fields(string(v)), "") {
	case "", "null", `""`, "[]", "{}":
		return true
	}
	return false
}

func sorted(m map[string]json.RawMessage) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
