package remote

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/mallardml/mallard/internal/dispatch"
)

// embedContentFormat is embedContent of gemini-embedding-2: one content per request
// (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-multimodal-embeddings).
type embedContentFormat struct{}

func (embedContentFormat) method() string { return "embedContent" }

// common implements embeddingFormat: here each request holds its parameters.
func (embedContentFormat) common(_ *Spec, parameters map[string]any) error {
	clear(parameters)
	return nil
}

func (f embedContentFormat) text(s *Spec, text, title string) (string, string) {
	return f.media(context.Background(), s, deferredRow{Parts: []part{{Text: text}}, Title: title})
}

func (embedContentFormat) media(ctx context.Context, s *Spec, r deferredRow) (payload, status string) {
	o := &s.Options
	var objects carried
	wire, err := s.wireParts(ctx, r.Parts, &objects)
	if err != nil {
		return "", "Invalid content: " + err.Error()
	}
	m := map[string]any{"content": map[string]any{"parts": wire}}
	if o.TaskType != "" {
		m["taskType"] = o.TaskType
	}
	if o.OutputDimensionality > 0 {
		m["outputDimensionality"] = o.OutputDimensionality
	}
	if r.Title != "" {
		m["title"] = r.Title
	}
	if o.ModelParams != nil {
		extra, _ := object(o.ModelParams) // read once before, when the call was checked
		maps.Copy(m, extra)
	}
	b, err := objects.write(m)
	if err != nil {
		return "", "Invalid content: " + err.Error()
	}
	return b, ""
}

func (embedContentFormat) call(ctx context.Context, svc Service, s *Spec, payloads []string) ([]dispatch.Answer, error) {
	raw, err := svc.Call(ctx, s.method, s.Endpoint, json.RawMessage(payloads[0]), nil)
	if err != nil {
		return nil, err
	}
	if raw, err = readAnswer(raw); err != nil {
		return nil, err
	}
	if err := inBand(members(raw), "embedding"); err != nil {
		return nil, err
	}
	a := dispatch.Answer{Body: raw}
	a.InputTokens, a.OutputTokens = tokens(raw)
	return []dispatch.Answer{a}, nil
}

func (embedContentFormat) vectors(body json.RawMessage) []embedded {
	m := members(body)
	e := embedded{values: members(m["embedding"])["values"]}
	if n := members(m["usageMetadata"])["promptTokenCount"]; given(n) != nil {
		e.statistics, _ = marshal(map[string]any{"token_count": quantity(n), "truncated": string(m["truncated"]) == "true"})
	}
	return []embedded{e}
}
