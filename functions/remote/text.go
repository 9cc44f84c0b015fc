package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dispatch"
)

// textCodec asks for text: one prompt per request, in the form of its family.
type textCodec struct {
	spec   *Spec
	format textFormat
	frame  map[string]any // the request without the prompt
	shape  []textField
	// before and after stand around a prompt that is one text; after ends with the frame.
	before, after string
	header        map[string]string
	temperature   *float64 // nil where the API's own default holds
}

// textFormat is the form in which a provider is asked for text, and answers; each has its file. It belongs to one call.
type textFormat interface {
	method() string
	// frame completes c.frame, which holds model_params, by the arguments of the call.
	frame(c *textCodec) error
	// around is the beginning of a request up to the prompt, and what closes the prompt; the frame's fields follow.
	around() (before, after string)
	// check finds the error that an answer is or has: the request failed, whatever its status.
	check(body json.RawMessage) error
	// reply reads an answer, with a problem where it has no text.
	reply(body json.RawMessage) reply
}

// mediaFormat is a textFormat whose prompts may have objects. media gives the field of a request that holds the prompt.
type mediaFormat interface {
	media(ctx context.Context, s *Spec, parts []part, objects *carried) (key string, value any, err error)
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

func (s *Spec) initText(format textFormat) error {
	c := &textCodec{spec: s, format: format}
	js, str := scalar(googlesql.JSON), scalar(googlesql.String)
	add := func(name string, t googlesql.Type, f textField) {
		s.columns = append(s.columns, googlesql.Field{Name: name, Type: t})
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
		if s.Family == Gemini || s.Family == OpenAI { // the columns of a statement that was written for Gemini
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
		add("result", scalar(googlesql.Bool), oneValue)
		add("full_response", js, fullResponse)
	case "AI.GENERATE_INT":
		add("result", scalar(googlesql.Int64), oneValue)
		add("full_response", js, fullResponse)
	case "AI.GENERATE_DOUBLE":
		add("result", scalar(googlesql.Float64), oneValue)
		add("full_response", js, fullResponse)
	case "AI.IF":
		add("result", scalar(googlesql.Bool), oneValue)
	case "AI.SCORE":
		add("result", scalar(googlesql.Float64), oneValue)
	case "AI.CLASSIFY":
		add("result", str, oneValue)
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
	switch s.Func {
	case "AI.IF", "AI.SCORE", "AI.CLASSIFY": // what is chosen or sorted by an answer is so again
		o.Temperature = new(float64)
	}
	c.frame = map[string]any{}
	if o.ModelParams != nil {
		params, err := object(o.ModelParams)
		if err != nil {
			return fmt.Errorf("model_params: %w", err)
		}
		c.frame = params
	}
	s.method = c.format.method()
	if err := c.format.frame(c); err != nil {
		return err
	}
	// Without a temperature the API's own holds, which is above zero.
	s.cacheable = s.CacheAlways || c.temperature != nil && *c.temperature == 0
	b, err := marshal(c.frame)
	if err != nil {
		return err
	}
	c.before, c.after = c.format.around()
	if len(c.frame) > 0 {
		c.after += ","
	}
	c.after += string(b[1:])
	return nil
}

// schema is what answers must follow; nil for free text.
func (c *textCodec) schema() []googlesql.Field {
	switch c.spec.Func {
	case "AI.GENERATE_BOOL", "AI.GENERATE_INT", "AI.GENERATE_DOUBLE", "AI.IF", "AI.SCORE", "AI.CLASSIFY":
		return c.spec.columns[:1]
	}
	return c.spec.Options.OutputSchema
}

// put sets a field unless the argument was left out.
func put[T any](m map[string]any, name string, v *T) {
	if v != nil {
		m[name] = *v
	}
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

func (c *textCodec) missing() []any { return make([]any, len(c.spec.columns)) }

// payload writes the whole request of a row.
func (c *textCodec) payload(ctx context.Context, row []any) (string, string) {
	var parts []part
	if c.spec.Objects {
		uri, mime := asText(row[0]), asText(row[1])
		if uri == "" {
			return "", "The row has no uri."
		}
		// The file first, then the text about it.
		parts = append(parts, part{Object: Object{URI: uri, Version: generation(row)}, MIME: mime})
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
		if list := c.spec.Options.Categories; len(list) > 0 {
			parts = append([]part{{Text: classifying(list)}}, parts...)
		}
	}
	text := plain(parts)
	if text != nil { // nearly all rows
		b := make([]byte, 0, len(c.before)+len(*text)+len(c.after)+16)
		b, err := appendText(append(b, c.before...), *text)
		if err != nil {
			return "", "Invalid prompt: " + err.Error()
		}
		return string(append(b, c.after...)), ""
	}
	if _, ok := c.format.(mediaFormat); !ok {
		return "", "Invalid prompt: this model reads text only."
	}
	r := deferredRow{Parts: parts}
	if c.spec.ready(parts) {
		return c.finish(ctx, r)
	}
	p, err := r.payload()
	if err != nil {
		return "", "Invalid prompt: " + err.Error()
	}
	return p, ""
}

// finish implements codec.
func (c *textCodec) finish(ctx context.Context, r deferredRow) (string, string) {
	var objects carried
	key, value, err := c.format.(mediaFormat).media(ctx, c.spec, r.Parts, &objects)
	if err != nil {
		return "", "Invalid prompt: " + err.Error()
	}
	body := maps.Clone(c.frame)
	body[key] = value
	b, err := objects.write(body)
	if err != nil {
		return "", "Invalid prompt: " + err.Error()
	}
	return b, ""
}

func (c *textCodec) call(ctx context.Context, svc Service, payloads []string) ([]dispatch.Answer, error) {
	if c.spec.method == "predict" {
		answers, err := predict(ctx, svc, c.spec, payloads)
		if err == nil && len(answers) == 1 {
			err = c.format.check(answers[0].Body)
		}
		return answers, err
	}
	raw, err := svc.Call(ctx, c.spec.method, c.spec.Endpoint, json.RawMessage(payloads[0]), c.header)
	if err != nil {
		return nil, err
	}
	if raw, err = readAnswer(raw); err != nil {
		return nil, err
	}
	if err := c.format.check(raw); err != nil {
		return nil, err
	}
	a := dispatch.Answer{Body: raw}
	a.InputTokens, a.OutputTokens = tokens(raw)
	return []dispatch.Answer{a}, nil
}

// reply is what the functions want of a response.
type reply struct {
	text      *string // nil for none; never empty
	ratings   json.RawMessage
	grounding json.RawMessage
	usage     json.RawMessage
	problem   string // why there is no text, or why it is not the answer
}

// say takes a text, unless it is empty: an empty text answers nothing.
func (r *reply) say(text string) {
	if text != "" {
		r.text = &text
	}
}

// fail says why the text, if any, is not an answer.
func (r *reply) fail(problem string) { r.text, r.problem = nil, problem }

// because is the server's own explanation, behind ours.
func because(raw json.RawMessage) string {
	if s := oneLine(words(raw)); s != "" {
		return ": " + s
	}
	return ""
}

// noRoom is the problem of a model that ran out of tokens before it wrote any text.
func noRoom(reason string, thought bool) string {
	if thought {
		return "The answer has no text: all its tokens went into reasoning (" + reason + "); raise max_output_tokens."
	}
	return "The answer has no text: " + reason + "; raise max_output_tokens."
}

func (c *textCodec) values(body json.RawMessage) ([][]any, string) {
	if !utf8.Valid(body) {
		return nil, errNotText
	}
	r := c.format.reply(body)
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
				var bad string
				if fields, bad = structured(r.text, c.schema()); bad == "" && c.spec.Func == "AI.CLASSIFY" {
					fields[0], bad = categoryOf(fields[0], c.spec.Options.Categories)
				}
				if bad != "" {
					r.problem, fields = bad, nil
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
func structured(text *string, schema []googlesql.Field) ([]any, string) {
	if text == nil {
		return nil, "The answer has no text."
	}
	bad := func(format string) ([]any, string) {
		return nil, "The answer does not follow output_schema: " + fmt.Sprintf(format, clip(oneLine(*text), 200))
	}
	var m map[string]json.RawMessage
	if given := []byte(unfenced(*text)); lenient(given, &m) != nil || m == nil {
		if len(given) > 0 && given[0] == '{' {
			return bad("it is no valid JSON, or was cut short: %s")
		}
		return bad("it is no JSON object: %s")
	}
	if !slices.ContainsFunc(schema, func(f googlesql.Field) bool { return member(m, f.Name) != nil }) {
		return bad("it has none of the fields that were asked for: %s")
	}
	fields := make([]any, len(schema))
	for i, f := range schema {
		v, err := jsonValue(f.Type, member(m, f.Name))
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
