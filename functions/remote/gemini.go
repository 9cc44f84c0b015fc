package remote

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/mallardml/mallard/googlesql"
)

// geminiFormat is generateContent
// (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference).
type geminiFormat struct{}

func (geminiFormat) method() string { return "generateContent" }

func (geminiFormat) frame(c *textCodec) error {
	o := &c.spec.Options
	if o.RequestType != "" {
		c.header = map[string]string{"X-Vertex-AI-LLM-Request-Type": o.RequestType}
	}
	config, _ := c.frame["generationConfig"].(map[string]any)
	if config == nil {
		config = map[string]any{}
	}
	put(config, "maxOutputTokens", o.MaxOutputTokens)
	put(config, "temperature", o.Temperature)
	put(config, "topP", o.TopP)
	put(config, "topK", o.TopK)
	if len(o.StopSequences) > 0 {
		config["stopSequences"] = o.StopSequences
	}
	c.temperature = number(config["temperature"])
	if schema := c.schema(); len(schema) > 0 {
		config["responseMimeType"] = "application/json"
		config["responseSchema"] = choose(responseSchema(googlesql.StructOf(schema...)), o.Categories)
	}
	if len(config) > 0 {
		c.frame["generationConfig"] = config
	}
	if o.GroundWithSearch {
		c.frame["tools"] = []any{map[string]any{"googleSearch": map[string]any{}}}
	}
	if len(o.SafetySettings) > 0 {
		c.frame["safetySettings"] = o.SafetySettings
	}
	return nil
}

func (geminiFormat) around() (before, after string) {
	return `{"contents":[{"role":"user","parts":[{"text":`, `}]}]`
}

func (geminiFormat) media(ctx context.Context, s *Spec, parts []part, objects *carried) (key string, value any, err error) {
	wire, err := s.wireParts(ctx, parts, objects)
	return "contents", []any{map[string]any{"role": "user", "parts": wire}}, err
}

// responseSchema is the OpenAPI schema of a type, which the API wants answers to follow.
func responseSchema(t googlesql.Type) map[string]any {
	switch t.Kind {
	case googlesql.Bool:
		return map[string]any{"type": "BOOLEAN"}
	case googlesql.Int64:
		return map[string]any{"type": "INTEGER"}
	case googlesql.Float64, googlesql.Numeric, googlesql.BigNumeric:
		return map[string]any{"type": "NUMBER"}
	case googlesql.Array:
		return map[string]any{"type": "ARRAY", "items": responseSchema(*t.Elem)}
	case googlesql.Struct:
		properties, order := map[string]any{}, make([]string, len(t.Fields))
		for i, f := range t.Fields {
			properties[f.Name] = responseSchema(f.Type)
			order[i] = f.Name
		}
		return map[string]any{"type": "OBJECT", "properties": properties, "required": order, "propertyOrdering": order}
	}
	return map[string]any{"type": "STRING"}
}

func (geminiFormat) check(body json.RawMessage) error {
	m := members(body)
	if err := inBand(m, "candidates", "promptFeedback"); err != nil {
		return err
	}
	if c := members(leading(m["candidates"])); !well(c["error"]) {
		return faultIn(c["error"], c)
	}
	return nil
}

func (geminiFormat) reply(body json.RawMessage) reply {
	m := members(body)
	r := reply{usage: given(m["usageMetadata"])}
	c := members(leading(m["candidates"]))
	if c == nil {
		f := members(m["promptFeedback"])
		r.ratings = given(f["safetyRatings"])
		r.problem = lacks(m, "candidates")
		if b := words(f["blockReason"]); b != "" {
			r.problem = "The prompt was blocked: " + b + because(f["blockReasonMessage"])
		}
		return r
	}
	r.ratings, r.grounding = given(c["safetyRatings"]), given(c["groundingMetadata"])
	var text strings.Builder
	thought, called := false, ""
	for _, raw := range elements(members(c["content"])["parts"]) {
		p := members(raw)
		switch {
		case string(p["thought"]) == "true":
			thought = true
		case says(p["functionCall"]):
			called = words(members(p["functionCall"])["name"])
		default:
			text.WriteString(words(p["text"]))
		}
	}
	r.say(text.String())
	switch reason := words(c["finishReason"]); reason {
	case "", "STOP", "FINISH_REASON_UNSPECIFIED":
		switch {
		case called != "":
			r.fail("The answer has no text: the model called the function " + called + ".")
		case r.text == nil:
			r.problem = "The answer has no text."
		}
	case "MAX_TOKENS":
		if r.text == nil {
			r.problem = noRoom("MAX_TOKENS", thought || quantity(members(r.usage)["thoughtsTokenCount"]) > 0)
		}
	default:
		r.problem = "The answer was stopped: " + reason + because(c["finishMessage"])
	}
	return r
}
