package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mallardml/mallard/googlesql"
)

// openAIFormat is chat completions of a server that speaks OpenAI's API (https://platform.openai.com/docs/api-reference/chat). What
// the server cannot do it says itself: nothing is guessed from the model's name.
type openAIFormat struct {
	system json.RawMessage // the message before the prompt, or nil
}

func (*openAIFormat) method() string { return "chat/completions" }

func (f *openAIFormat) frame(c *textCodec) error {
	s, o := c.spec, &c.spec.Options
	if err := f.geminiParams(c.frame, s.tokenField()); err != nil {
		return fmt.Errorf("model_params: %w", err)
	}
	if _, ok := c.frame["model"]; ok {
		return fmt.Errorf("model_params: model comes from the ENDPOINT; leave it out")
	}
	c.frame["model"] = s.modelName()
	put(c.frame, s.tokenField(), o.MaxOutputTokens)
	put(c.frame, "top_k", o.TopK)
	c.putSampling()
	if schema := c.schema(); len(schema) > 0 {
		c.frame["response_format"] = map[string]any{"type": "json_schema",
			"json_schema": map[string]any{"name": "answer",
				"schema": fromGoogleSchema(choose(responseSchema(googlesql.StructOf(schema...)), o.Categories))}}
	}
	// A stream would be another form of answer, and several answers are more than a row has place for.
	for _, key := range []string{"stream", "n"} {
		if v, ok := c.frame[key]; ok && v != false && fmt.Sprint(v) != "1" {
			return fmt.Errorf("model_params: %s: a row gets one answer, whole; leave it out", key)
		}
	}
	return nil
}

func (f *openAIFormat) around() (before, after string) {
	if f.system != nil {
		return `{"messages":[` + string(f.system) + `,{"role":"user","content":`, `}]`
	}
	return `{"messages":[{"role":"user","content":`, `}]`
}

func (*openAIFormat) check(body json.RawMessage) error { return chatFault(body) }
func (*openAIFormat) reply(body json.RawMessage) reply { return chatReply(body) }

// media writes a prompt with objects, which all go inside the request.
func (f *openAIFormat) media(ctx context.Context, s *Spec, parts []part, objects *carried) (key string, value any, err error) {
	content := make([]any, len(parts))
	for i, p := range parts {
		if p.isText() {
			content[i] = map[string]any{"type": "text", "text": p.Text}
			continue
		}
		data, mime, err := s.load(ctx, p)
		if err != nil {
			return "", nil, err
		}
		if content[i], err = openAIPart(p.URI, geminiType(mime), data, objects); err != nil {
			return "", nil, err
		}
	}
	messages := []any{map[string]any{"role": "user", "content": content}}
	if f.system != nil {
		messages = slices.Insert(messages, 0, any(f.system))
	}
	return "messages", messages, nil
}

func openAIPart(uri, mime string, data []byte, objects *carried) (any, error) {
	inline := func() string { return "data:" + mime + ";base64," + objects.add(data) }
	switch {
	case strings.HasPrefix(mime, "image/"):
		return map[string]any{"type": "image_url", "image_url": map[string]any{"url": inline()}}, nil
	case mime == "audio/wav", mime == "audio/mp3", mime == "audio/mpeg":
		format := "mp3"
		if mime == "audio/wav" {
			format = "wav"
		}
		return map[string]any{"type": "input_audio", "input_audio": map[string]any{"data": objects.add(data), "format": format}}, nil
	case mime == "application/pdf":
		return map[string]any{"type": "file", "file": map[string]any{"filename": "file.pdf", "file_data": inline()}}, nil
	case strings.HasPrefix(mime, "text/"):
		return map[string]any{"type": "text", "text": strings.ToValidUTF8(string(data), "\uFFFD")}, nil
	}
	return nil, fmt.Errorf("object %s has the content type %q, for which the OpenAI API has no place; it takes images, WAV, MP3, PDF and text",
		clip(uri, 200), mime)
}

// geminiParams turns what model_params says in Gemini's words, so that a statement written for Vertex AI runs here, into the words of
// chat completions, in place. What has none is refused by name; all else is the server's own and goes as it is.
func (f *openAIFormat) geminiParams(m map[string]any, tokenField string) error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		v := m[key]
		switch camel(key) {
		case "systemInstruction":
			text, err := instruction(v)
			if err != nil {
				return err
			}
			if f.system, err = marshal(map[string]any{"role": "system", "content": text}); err != nil {
				return err
			}
		case "generationConfig":
			config, ok := v.(map[string]any)
			if !ok {
				return fmt.Errorf("%s is no object", key)
			}
			if err := geminiConfig(config, m, tokenField); err != nil {
				return err
			}
		case "safetySettings", "cachedContent", "toolConfig", "labels":
			if b, err := json.Marshal(v); err != nil || says(b) {
				return noCounterpart(key)
			}
		default:
			continue
		}
		delete(m, key)
	}
	return nil
}

func noCounterpart(name string) error {
	return fmt.Errorf("%s has no counterpart in the OpenAI API; leave it out, or use a connection of kind vertexai", name)
}

// chatWords are those of generationConfig that have another name in chat completions.
var chatWords = map[string]string{
	"temperature": "temperature", "topP": "top_p", "topK": "top_k", "presencePenalty": "presence_penalty",
	"frequencyPenalty": "frequency_penalty", "stopSequences": "stop", "seed": "seed", "candidateCount": "n",
}

func geminiConfig(config, to map[string]any, tokenField string) error {
	var schema any
	mime := ""
	for _, key := range slices.Sorted(maps.Keys(config)) {
		v := config[key]
		name := camel(key)
		if v == nil {
			continue
		}
		switch name {
		case "maxOutputTokens":
			to[tokenField] = v
		case "responseMimeType":
			mime, _ = v.(string)
			if mime != "application/json" && mime != "text/plain" {
				return noCounterpart(fmt.Sprintf("%s %v", key, v))
			}
		case "responseSchema":
			schema = fromGoogleSchema(v)
		case "responseJsonSchema":
			schema = v
		default:
			word, ok := chatWords[name]
			if !ok {
				return noCounterpart(key)
			}
			to[word] = v
		}
	}
	switch {
	case schema != nil:
		to["response_format"] = map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "answer", "schema": schema}}
	case mime == "application/json":
		to["response_format"] = map[string]any{"type": "json_object"}
	}
	return nil
}

// instruction joins the texts of systemInstruction, which may be a plain string as well.
func instruction(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	m, _ := v.(map[string]any)
	parts, ok := m["parts"].([]any)
	if !ok {
		parts = []any{m["parts"]}
	}
	var b strings.Builder
	for _, p := range parts {
		m, _ := p.(map[string]any)
		s, ok := m["text"].(string)
		if !ok {
			return "", fmt.Errorf("systemInstruction is not {parts: [{text}]}")
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// fromGoogleSchema turns Google's schema (an OpenAPI subset: upper-case types, nullable, propertyOrdering) into JSON Schema.
func fromGoogleSchema(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(m))
	for k, e := range m {
		switch name := camel(k); name {
		case "type":
			if s, ok := e.(string); ok {
				e = strings.ToLower(s)
			}
			out[name] = e
		case "properties":
			all := map[string]any{}
			props, _ := e.(map[string]any)
			for name, s := range props {
				all[name] = fromGoogleSchema(s)
			}
			out[name] = all
		case "items", "additionalProperties":
			out[name] = fromGoogleSchema(e)
		case "anyOf":
			list, _ := e.([]any)
			all := make([]any, len(list))
			for i, s := range list {
				all[i] = fromGoogleSchema(s)
			}
			out[name] = all
		case "nullable", "propertyOrdering", "example":
		case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
			if s, ok := e.(string); ok { // int64 in Google's JSON
				e = json.Number(s)
			}
			out[name] = e
		default:
			out[name] = e
		}
	}
	if t, ok := out["type"].(string); ok && m["nullable"] == true {
		out["type"] = []any{t, "null"}
	}
	return out
}
