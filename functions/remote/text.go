package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// textCodec asks for text: one prompt per request, in the form of its family.
type textCodec struct {
	spec  *Spec
	frame map[string]any // the request without the prompt
	shape []textField
	// rest is the frame as JSON without its opening brace: "}" or ",…}".
	rest string
	// header of generateContent
	header map[string]string
}

// textField is where a result column comes from.
type textField int

const (
	fullResponse textField = iota
	onlyText
	raiResult
	groundingResult
	statistics
	schemaField // the next field of the output schema
	oneValue    // of AI.GENERATE_BOOL, _INT and _DOUBLE
)

func (s *Spec) initText() error {
	c := &textCodec{spec: s}
	js, str := scalar(JSON), scalar(String)
	add := func(name string, t Type, f textField) {
		s.columns = append(s.columns, Column{name, t})
		c.shape = append(c.shape, f)
	}
	o := &s.Options
	s.status = "status"
	switch s.Func {
	case "ML.GENERATE_TEXT":
		s.status = "ml_generate_text_status"
		if !o.Flatten {
			add("ml_generate_text_result", js, fullResponse)
			break
		}
		add("ml_generate_text_llm_result", str, onlyText)
		if s.Family == Gemini {
			add("ml_generate_text_rai_result", str, raiResult)
			if o.grounded() {
				add("ml_generate_text_grounding_result", str, groundingResult)
			}
		}
	case "AI.GENERATE_TEXT":
		add("result", str, onlyText)
		add("rai_result", js, raiResult)
		add("grounding_result", js, groundingResult)
		add("statistics", js, statistics)
		add("full_response", js, fullResponse)
	case "AI.GENERATE_TABLE":
		for _, f := range o.OutputSchema {
			add(f.Name, f.Type, schemaField)
		}
		add("full_response", js, fullResponse)
	case "AI.GENERATE":
		if len(o.OutputSchema) == 0 {
			add("result", str, onlyText)
		}
		for _, f := range o.OutputSchema {
			add(f.Name, f.Type, schemaField)
		}
		add("full_response", js, fullResponse)
	case "AI.GENERATE_BOOL":
		add("result", scalar(Bool), oneValue)
		add("full_response", js, fullResponse)
	case "AI.GENERATE_INT":
		add("result", scalar(Int64), oneValue)
		add("full_response", js, fullResponse)
	case "AI.GENERATE_DOUBLE":
		add("result", scalar(Float64), oneValue)
		add("full_response", js, fullResponse)
	}
	s.statusAt = len(s.columns)
	s.codec = c
	for i, f := range s.columns {
		if strings.EqualFold(f.Name, s.status) || c.shape[i] == schemaField && strings.EqualFold(f.Name, "full_response") {
			return fmt.Errorf("output_schema has the field %s, which is a column of every result; give it another name", f.Name)
		}
	}
	return c.build()
}

// grounded reports whether answers will have sources.
func (o *Options) grounded() bool {
	if o.GroundWithSearch {
		return true
	}
	var p struct {
		Tools []map[string]json.RawMessage `json:"tools"`
	}
	if o.ModelParams == nil || json.Unmarshal(o.ModelParams, &p) != nil {
		return false
	}
	for _, t := range p.Tools {
		if t["googleSearch"] != nil || t["googleSearchRetrieval"] != nil || t["enterpriseWebSearch"] != nil {
			return true
		}
	}
	return false
}

// build writes the frame that every request has around its prompt.
func (c *textCodec) build() error {
	s, o := c.spec, &c.spec.Options
	c.frame = map[string]any{}
	if o.ModelParams != nil {
		params, err := object(o.ModelParams)
		if err != nil {
			return fmt.Errorf("model_params: %w", err)
		}
		c.frame = params
	}
	temperature := o.Temperature
	set := func(m map[string]any, name string, v any) {
		switch v := v.(type) {
		case *int64:
			if v != nil {
				m[name] = *v
			}
		case *float64:
			if v != nil {
				m[name] = *v
			}
		case []string:
			if len(v) > 0 {
				m[name] = v
			}
		}
	}
	switch s.Family {
	case Gemini:
		s.method = "generateContent"
		if o.RequestType != "" {
			c.header = map[string]string{"X-Vertex-AI-LLM-Request-Type": o.RequestType}
		}
		config, _ := c.frame["generationConfig"].(map[string]any)
		if config == nil {
			config = map[string]any{}
		}
		set(config, "maxOutputTokens", o.MaxOutputTokens)
		set(config, "temperature", o.Temperature)
		set(config, "topP", o.TopP)
		set(config, "topK", o.TopK)
		set(config, "stopSequences", o.StopSequences)
		if temperature == nil {
			temperature = number(config["temperature"])
		}
		schema := o.OutputSchema
		switch s.Func {
		case "AI.GENERATE_BOOL", "AI.GENERATE_INT", "AI.GENERATE_DOUBLE":
			schema = s.columns[:1]
		}
		if len(schema) > 0 {
			config["responseMimeType"] = "application/json"
			config["responseSchema"] = responseSchema(Type{Kind: Struct, Fields: schema})
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
	case Claude:
		s.method = "rawPredict"
		if c.frame["anthropic_version"] == nil {
			c.frame["anthropic_version"] = "vertex-2023-10-16"
		}
		set(c.frame, "max_tokens", o.MaxOutputTokens)
		if c.frame["max_tokens"] == nil {
			c.frame["max_tokens"] = 1024 // the API has no default
		}
		set(c.frame, "top_p", o.TopP)
		set(c.frame, "top_k", o.TopK)
	case Llama, Mistral:
		s.method = "rawPredict"
		name := ModelName(s.Endpoint)
		if s.Family == Llama && !strings.Contains(name, "/") {
			name = "meta/" + name
		}
		c.frame["model"] = name
		set(c.frame, "max_tokens", o.MaxOutputTokens)
		set(c.frame, "temperature", o.Temperature)
		set(c.frame, "top_p", o.TopP)
		set(c.frame, "stop", o.StopSequences)
	case Open:
		s.method = "predict"
		set(c.frame, "max_tokens", o.MaxOutputTokens)
		set(c.frame, "temperature", o.Temperature)
		set(c.frame, "top_p", o.TopP)
		set(c.frame, "top_k", o.TopK)
	}
	if temperature == nil {
		temperature = number(c.frame["temperature"])
	}
	// Without a temperature the API's own holds, which is above zero.
	s.cacheable = s.CacheAlways || temperature != nil && *temperature == 0
	b, err := marshal(c.frame)
	if err != nil {
		return err
	}
	if c.rest = string(b[1:]); len(c.frame) > 0 {
		c.rest = "," + c.rest
	}
	return nil
}

func number(v any) *float64 {
	if f, ok := v.(float64); ok {
		return &f
	}
	if n, ok := v.(json.Number); ok {
		if f, err := n.Float64(); err == nil {
			return &f
		}
	}
	return nil
}

// responseSchema is the OpenAPI schema of a type, which the API wants answers to follow.
func responseSchema(t Type) map[string]any {
	switch t.Kind {
	case Bool:
		return map[string]any{"type": "BOOLEAN"}
	case Int64:
		return map[string]any{"type": "INTEGER"}
	case Float64, Numeric, BigNumeric:
		return map[string]any{"type": "NUMBER"}
	case Array:
		return map[string]any{"type": "ARRAY", "items": responseSchema(*t.Elem)}
	case Struct:
		properties, order := map[string]any{}, make([]string, len(t.Fields))
		for i, f := range t.Fields {
			properties[f.Name] = responseSchema(f.Type)
			order[i] = f.Name
		}
		return map[string]any{"type": "OBJECT", "properties": properties, "required": order, "propertyOrdering": order}
	}
	return map[string]any{"type": "STRING"}
}

func (c *textCodec) missing() []any { return make([]any, len(c.spec.columns)) }

// payload writes the whole request of a row.
func (c *textCodec) payload(ctx context.Context, row []any) (string, string) {
	var parts []part
	if c.spec.Objects {
		uri, mime := asText(row[0]), asText(row[1])
		if uri == "" {
			return "", "The row has no uri."
		}
		parts = append(parts, part{Object: Object{URI: uri, Version: generation(row)}, MIME: mime}) // the file first, then the text about it
		if p := c.spec.Options.Prompt; p != nil {
			parts = append(parts, part{Text: *p})
		}
	} else {
		var err error
		if parts, err = promptParts(row[0]); err != nil {
			return "", "Invalid prompt: " + err.Error()
		}
		if len(parts) == 0 {
			return "", "Invalid prompt: it is NULL or empty."
		}
	}
	text := plain(parts)
	if text == nil && c.spec.Family != Gemini {
		return "", "Invalid prompt: this model reads text only."
	}
	if c.spec.Family == Gemini && text != nil { // nearly all rows
		b := make([]byte, 0, 64+len(*text)+len(c.rest))
		b, err := appendText(append(b, `{"contents":[{"role":"user","parts":[{"text":`...), *text)
		if err != nil {
			return "", "Invalid prompt: " + err.Error()
		}
		return string(append(append(b, `}]}]`...), c.rest...)), ""
	}
	if text == nil && !c.spec.ready(parts) {
		p, err := deferredRow{Parts: parts}.payload()
		if err != nil {
			return "", "Invalid prompt: " + err.Error()
		}
		return p, ""
	}
	return c.body(ctx, parts, text)
}

// finish implements codec.
func (c *textCodec) finish(ctx context.Context, r deferredRow) (string, string) {
	return c.body(ctx, r.Parts, nil)
}

// body writes the request of a prompt; text is the whole of it, or nil.
func (c *textCodec) body(ctx context.Context, parts []part, text *string) (string, string) {
	body := make(map[string]any, len(c.frame)+1)
	for k, v := range c.frame {
		body[k] = v
	}
	var objects carried
	switch c.spec.Family {
	case Gemini:
		wire, err := c.spec.wireParts(ctx, parts, &objects)
		if err != nil {
			return "", "Invalid prompt: " + err.Error()
		}
		body["contents"] = []any{map[string]any{"role": "user", "parts": wire}}
	case Open:
		if m := c.spec.Options.UseChatMode; m == nil || !*m {
			body["prompt"] = *text
			break
		}
		body["@requestFormat"] = "chatCompletions"
		body["messages"] = []any{map[string]any{"role": "user", "content": *text}}
	default:
		body["messages"] = []any{map[string]any{"role": "user", "content": *text}}
	}
	b, err := objects.write(body)
	if err != nil {
		return "", "Invalid prompt: " + err.Error()
	}
	return b, ""
}

func (c *textCodec) call(ctx context.Context, svc Service, payloads []string) ([]Answer, error) {
	s := c.spec
	body := json.RawMessage(payloads[0])
	var raw json.RawMessage
	var err error
	switch s.method {
	case "generateContent":
		raw, err = svc.GenerateContent(ctx, s.Endpoint, body, c.header)
	case "rawPredict":
		raw, err = svc.RawPredict(ctx, s.Endpoint, body)
	default:
		instances := make([]json.RawMessage, len(payloads))
		for i, p := range payloads {
			instances[i] = json.RawMessage(p)
		}
		if raw, err = svc.Predict(ctx, s.Endpoint, instances, nil); err != nil {
			return nil, err
		}
		return predictions(raw, len(payloads))
	}
	if err != nil {
		return nil, err
	}
	if raw, err = valid(raw); err != nil {
		return nil, err
	}
	a := Answer{Body: raw}
	a.InputTokens, a.OutputTokens = tokens(raw)
	return []Answer{a}, nil
}

// valid checks a response and mends what can be mended.
func valid(raw json.RawMessage) (json.RawMessage, error) {
	if json.Valid(raw) {
		return raw, nil
	}
	if fixed, ok := finite(raw); ok && json.Valid(fixed) {
		return fixed, nil
	}
	return nil, &errAnswer{fmt.Errorf("the answer is not JSON, or was cut short: it begins with %q", clip(string(raw), 60))}
}

// tokens reads what a response says about its use of tokens, in any of the families' words.
func tokens(raw json.RawMessage) (in, out int64) {
	var r struct {
		Gemini struct {
			Prompt     int64 `json:"promptTokenCount"`
			Candidates int64 `json:"candidatesTokenCount"`
			Thoughts   int64 `json:"thoughtsTokenCount"`
		} `json:"usageMetadata"`
		Usage struct {
			Input      int64 `json:"input_tokens"`
			Output     int64 `json:"output_tokens"`
			Prompt     int64 `json:"prompt_tokens"`
			Completion int64 `json:"completion_tokens"`
		} `json:"usage"`
	}
	_ = json.Unmarshal(raw, &r) // a response without is a response all the same
	in = r.Gemini.Prompt + r.Usage.Input + r.Usage.Prompt
	out = r.Gemini.Candidates + r.Gemini.Thoughts + r.Usage.Output + r.Usage.Completion
	return max(in, 0), max(out, 0)
}

// reply is what the functions want of a response.
type reply struct {
	text      *string
	ratings   json.RawMessage
	grounding json.RawMessage
	usage     json.RawMessage
	problem   string // why there is no text
}

func (c *textCodec) values(body json.RawMessage) ([][]any, string) {
	var r reply
	var err error
	switch c.spec.Family {
	case Gemini:
		r, err = geminiReply(body)
	case Claude:
		r, err = claudeReply(body)
	case Open:
		r, err = openReply(body)
	default:
		r, err = chatReply(body)
	}
	if err != nil {
		return nil, "The answer has an unknown form: " + oneLine(err.Error())
	}
	line := c.missing()
	full, err := compact(body)
	if err != nil {
		return nil, err.Error()
	}
	var fields []any
	for i, f := range c.shape {
		switch f {
		case fullResponse:
			line[i] = full
		case onlyText:
			if r.text != nil {
				line[i] = *r.text
			}
		case raiResult:
			if r.ratings != nil && (c.spec.Func != "ML.GENERATE_TEXT" || c.safety()) {
				line[i] = string(r.ratings)
			}
		case groundingResult:
			if r.grounding != nil {
				line[i] = string(r.grounding)
			}
		case statistics:
			if r.usage != nil {
				line[i] = string(r.usage)
			}
		case schemaField, oneValue:
			if fields == nil && r.problem == "" {
				schema := c.spec.Options.OutputSchema
				if f == oneValue {
					schema = c.spec.columns[:1]
				}
				var bad string
				if fields, bad = structured(r.text, schema); bad != "" {
					r.problem = bad
				}
			}
			if i < len(fields) {
				line[i] = fields[i]
			}
		}
	}
	return [][]any{line}, r.problem
}

// safety reports whether the call has safety settings: without them BigQuery leaves the ratings out.
func (c *textCodec) safety() bool {
	return len(c.spec.Options.SafetySettings) > 0 || c.frame["safetySettings"] != nil
}

// structured reads the text of an answer as the fields of a schema.
func structured(text *string, schema []Column) ([]any, string) {
	if text == nil {
		return nil, "The answer has no text."
	}
	var m map[string]json.RawMessage
	if err := lenient([]byte(unfenced(*text)), &m); err != nil {
		return nil, "The answer does not follow output_schema: " + oneLine(err.Error())
	}
	fields := make([]any, len(schema))
	for i, f := range schema {
		v, err := f.Type.read(member(m, f.Name))
		if err != nil {
			return nil, fmt.Sprintf("The answer does not follow output_schema: field %s %v", f.Name, err)
		}
		fields[i] = v
	}
	return fields, ""
}

// unfenced takes the Markdown fence off that small models put around JSON.
func unfenced(s string) string {
	t := strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(t, "```"); ok {
		if _, rest, ok = strings.Cut(rest, "\n"); ok {
			return strings.TrimSuffix(strings.TrimSpace(rest), "```")
		}
	}
	return t
}

// member finds a field, in any case if not in its own.
func member(m map[string]json.RawMessage, name string) json.RawMessage {
	if v, ok := m[name]; ok {
		return v
	}
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

func geminiReply(body json.RawMessage) (reply, error) {
	var resp struct {
		Candidates []struct {
			Content struct {
				Parts []struct {
					Text    *string `json:"text"`
					Thought bool    `json:"thought"`
				} `json:"parts"`
			} `json:"content"`
			FinishReason  string          `json:"finishReason"`
			FinishMessage string          `json:"finishMessage"`
			SafetyRatings json.RawMessage `json:"safetyRatings"`
			Grounding     json.RawMessage `json:"groundingMetadata"`
		} `json:"candidates"`
		PromptFeedback struct {
			BlockReason   string          `json:"blockReason"`
			Message       string          `json:"blockReasonMessage"`
			SafetyRatings json.RawMessage `json:"safetyRatings"`
		} `json:"promptFeedback"`
		Usage json.RawMessage `json:"usageMetadata"`
	}
	if err := lenient(body, &resp); err != nil {
		return reply{}, err
	}
	r := reply{usage: given(resp.Usage)}
	if len(resp.Candidates) == 0 {
		r.ratings = given(resp.PromptFeedback.SafetyRatings)
		r.problem = "The answer has no candidates."
		if b := resp.PromptFeedback.BlockReason; b != "" {
			r.problem = "The prompt was blocked: " + b
			if m := resp.PromptFeedback.Message; m != "" {
				r.problem += ": " + oneLine(m)
			}
		}
		return r, nil
	}
	c := resp.Candidates[0]
	r.ratings, r.grounding = given(c.SafetyRatings), given(c.Grounding)
	var b strings.Builder
	for _, p := range c.Content.Parts {
		if p.Text != nil && !p.Thought {
			b.WriteString(*p.Text)
			r.text = new(string)
		}
	}
	if r.text != nil {
		*r.text = b.String()
	}
	switch c.FinishReason {
	case "", "STOP", "FINISH_REASON_UNSPECIFIED":
		if r.text == nil {
			r.problem = "The answer has no text."
		}
	case "MAX_TOKENS":
		if r.text == nil {
			r.problem = "The answer has no text: MAX_TOKENS; raise max_output_tokens."
		}
	default:
		r.problem = "The answer was stopped: " + c.FinishReason
		if c.FinishMessage != "" {
			r.problem += ": " + oneLine(c.FinishMessage)
		}
	}
	return r, nil
}

// given is raw unless it is missing or null.
func given(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	s, err := compact(raw)
	if err != nil {
		return nil
	}
	return json.RawMessage(s)
}

func claudeReply(body json.RawMessage) (reply, error) {
	var resp struct {
		Content []struct {
			Type string  `json:"type"`
			Text *string `json:"text"`
		} `json:"content"`
		StopReason string          `json:"stop_reason"`
		Usage      json.RawMessage `json:"usage"`
	}
	if err := lenient(body, &resp); err != nil {
		return reply{}, err
	}
	r := reply{usage: given(resp.Usage)}
	var b strings.Builder
	for _, p := range resp.Content {
		if p.Text != nil && (p.Type == "" || p.Type == "text") {
			b.WriteString(*p.Text)
			r.text = new(string)
		}
	}
	if r.text != nil {
		*r.text = b.String()
	}
	if resp.StopReason == "refusal" {
		r.problem = "The answer was stopped: refusal"
	} else if r.text == nil {
		r.problem = "The answer has no text."
	}
	return r, nil
}

func chatReply(body json.RawMessage) (reply, error) {
	var resp struct {
		Choices []struct {
			Message struct {
				Content json.RawMessage `json:"content"`
			} `json:"message"`
			FinishReason string `json:"finish_reason"`
		} `json:"choices"`
		Usage json.RawMessage `json:"usage"`
	}
	if err := lenient(body, &resp); err != nil {
		return reply{}, err
	}
	r := reply{usage: given(resp.Usage)}
	if len(resp.Choices) == 0 {
		r.problem = "The answer has no choices."
		return r, nil
	}
	c := resp.Choices[0]
	var text string
	var parts []struct {
		Text string `json:"text"`
	}
	switch {
	case given(c.Message.Content) == nil:
	case json.Unmarshal(c.Message.Content, &text) == nil:
		r.text = &text
	case json.Unmarshal(c.Message.Content, &parts) == nil:
		for _, p := range parts {
			text += p.Text
		}
		r.text = &text
	default:
		return reply{}, errors.New("message.content is neither text nor parts")
	}
	if c.FinishReason == "content_filter" {
		r.problem = "The answer was stopped: content_filter"
	} else if r.text == nil {
		r.problem = "The answer has no text."
	}
	return r, nil
}

// openReply reads a prediction of a deployed open model: a text, or a chat completion.
func openReply(body json.RawMessage) (reply, error) {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return reply{text: &text}, nil
	}
	var m map[string]json.RawMessage
	if err := lenient(body, &m); err != nil {
		return reply{}, err
	}
	if m["choices"] != nil {
		return chatReply(body)
	}
	for _, key := range []string{"content", "generated_text", "text", "output"} {
		if json.Unmarshal(m[key], &text) == nil && m[key] != nil {
			return reply{text: &text}, nil
		}
	}
	return reply{}, errors.New("a prediction is neither text nor a chat completion")
}
