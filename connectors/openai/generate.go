package openai

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

// GenerateContent asks for a chat completion and answers as Gemini does. Header X-Vertex-AI-LLM-Request-Type has no meaning here: "dedicated" is refused,
// other headers are not sent.
func (c *Client) GenerateContent(ctx context.Context, endpoint string, body json.RawMessage, header map[string]string) (json.RawMessage, error) {
	model, err := c.model(endpoint)
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		if strings.EqualFold(k, "X-Vertex-AI-LLM-Request-Type") && strings.EqualFold(v, "dedicated") {
			return nil, c.refuse(model, "request_type DEDICATED: this server has no provisioned throughput")
		}
	}
	p, err := c.params(model, body)
	if err != nil {
		return nil, c.refuse(model, err.Error())
	}
	raw, err := c.send(ctx, model, func(opts ...option.RequestOption) error {
		_, err := c.chat.New(ctx, p, opts...)
		return err
	})
	if err != nil {
		return nil, err
	}
	out, err := candidates(raw)
	if err != nil {
		return nil, c.bad(model, err.Error())
	}
	return out, nil
}

type content struct {
	Role  string `json:"role"`
	Parts []part `json:"parts"`
}

type part = map[string]json.RawMessage

type blob struct {
	MIME string `json:"mimeType"`
	Data string `json:"data"`
	URI  string `json:"fileUri"`
}

// params translates a generateContent body. Every error names what cannot be translated.
func (c *Client) params(model string, body json.RawMessage) (sdk.ChatCompletionNewParams, error) {
	p := sdk.ChatCompletionNewParams{Model: model}
	m, err := fields(body)
	if err != nil {
		return p, fmt.Errorf("the request body is not a JSON object")
	}
	for k, v := range m {
		if empty(v) {
			delete(m, k)
		}
	}
	if v, has := m["systemInstruction"]; has {
		text, err := instruction(v)
		if err != nil {
			return p, err
		}
		p.Messages = append(p.Messages, sdk.SystemMessage(text))
	}
	var turns []content
	if err := json.Unmarshal(m["contents"], &turns); err != nil {
		var one content // a single Content is legal in Google's JSON
		if json.Unmarshal(m["contents"], &one) != nil {
			return p, fmt.Errorf("contents is missing or not a list of {role, parts}")
		}
		turns = []content{one}
	}
	if len(turns) == 0 {
		return p, fmt.Errorf("contents is empty")
	}
	for i, t := range turns {
		msg, err := message(t)
		if err != nil {
			return p, fmt.Errorf("contents[%d]: %w", i, err)
		}
		p.Messages = append(p.Messages, msg)
	}
	if v, has := m["generationConfig"]; has {
		if err := c.config(&p, v); err != nil {
			return p, err
		}
	}
	for _, k := range []string{"contents", "systemInstruction", "generationConfig"} {
		delete(m, k)
	}
	for _, k := range sorted(m) {
		return p, cannot(k)
	}
	return p, nil
}

func cannot(name string) error {
	return fmt.Errorf("%s has no counterpart in the OpenAI API: leave it out, or use a vertexai connection", name)
}

// instruction joins the text parts of systemInstruction, which may be a plain string as well.
func instruction(v json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(v, &text) == nil {
		return text, nil
	}
	var t content
	if err := json.Unmarshal(v, &t); err != nil {
		return "", fmt.Errorf("systemInstruction is not {parts: [{text}]}")
	}
	for _, e := range t.Parts {
		var s string
		if json.Unmarshal(e["text"], &s) != nil {
			return "", fmt.Errorf("systemInstruction: parts other than text are not supported")
		}
		text += s
	}
	return text, nil
}

func message(t content) (sdk.ChatCompletionMessageParamUnion, error) {
	var none sdk.ChatCompletionMessageParamUnion
	var parts []sdk.ChatCompletionContentPartUnionParam
	text, plain := "", true
	for i, e := range t.Parts {
		p, err := contentPart(e)
		if err != nil {
			return none, fmt.Errorf("parts[%d]: %w", i, err)
		}
		if p.OfText == nil {
			plain = false
		} else {
			text += p.OfText.Text
		}
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return none, fmt.Errorf("parts is empty")
	}
	switch t.Role {
	case "", "user":
		if plain { // a string: many local servers take nothing else
			return sdk.UserMessage(text), nil
		}
		return sdk.UserMessage(parts), nil
	case "model":
		if !plain {
			return none, fmt.Errorf("role model: parts other than text are not supported")
		}
		return sdk.AssistantMessage(text), nil
	}
	return none, fmt.Errorf("role %q is not supported: user or model", t.Role)
}

func contentPart(raw part) (sdk.ChatCompletionContentPartUnionParam, error) {
	var none sdk.ChatCompletionContentPartUnionParam
	p := part{}
	for k, v := range raw {
		if !empty(v) {
			p[camel(k)] = v
		}
	}
	if len(p) != 1 {
		return none, fmt.Errorf("a part must hold one of text, inlineData, fileData; this one holds %s", strings.Join(sorted(p), ", "))
	}
	for k, v := range p {
		switch k {
		case "text":
			var s string
			if err := json.Unmarshal(v, &s); err != nil {
				return none, fmt.Errorf("text is not a string")
			}
			return sdk.TextContentPart(s), nil
		case "inlineData", "fileData":
			b, err := media(v)
			if err != nil {
				return none, fmt.Errorf("%s: %w", k, err)
			}
			if k == "inlineData" {
				return inline(b)
			}
			return linked(b)
		default:
			return none, cannot(k)
		}
	}
	return none, nil
}

func media(v json.RawMessage) (blob, error) {
	m, err := fields(v)
	if err != nil {
		return blob{}, fmt.Errorf("not an object")
	}
	var b blob
	for k, into := range map[string]*string{"mimeType": &b.MIME, "data": &b.Data, "fileUri": &b.URI} {
		if v, has := m[k]; has {
			if err := json.Unmarshal(v, into); err != nil {
				return blob{}, fmt.Errorf("%s is not a string", k)
			}
		}
	}
	return b, nil
}

func inline(b blob) (sdk.ChatCompletionContentPartUnionParam, error) {
	var none sdk.ChatCompletionContentPartUnionParam
	data, err := base64.StdEncoding.DecodeString(b.Data)
	if err != nil || len(data) == 0 {
		return none, fmt.Errorf("inlineData: data is empty or not base64")
	}
	uri := "data:" + b.MIME + ";base64," + b.Data
	switch {
	case strings.HasPrefix(b.MIME, "image/"):
		return sdk.ImageContentPart(sdk.ChatCompletionContentPartImageImageURLParam{URL: uri}), nil
	case b.MIME == "audio/wav", b.MIME == "audio/x-wav":
		return sdk.InputAudioContentPart(sdk.ChatCompletionContentPartInputAudioInputAudioParam{Data: b.Data, Format: "wav"}), nil
	case b.MIME == "audio/mp3", b.MIME == "audio/mpeg":
		return sdk.InputAudioContentPart(sdk.ChatCompletionContentPartInputAudioInputAudioParam{Data: b.Data, Format: "mp3"}), nil
	case b.MIME == "application/pdf":
		return sdk.FileContentPart(sdk.ChatCompletionContentPartFileFileParam{FileData: sdk.String(uri), Filename: sdk.String("file.pdf")}), nil
	case b.MIME == "text/plain":
		return sdk.TextContentPart(string(data)), nil
	}
	return none, cannot("inlineData of type " + b.MIME)
}

func linked(b blob) (sdk.ChatCompletionContentPartUnionParam, error) {
	if strings.HasPrefix(b.MIME, "image/") && (strings.HasPrefix(b.URI, "https://") || strings.HasPrefix(b.URI, "http://")) {
		return sdk.ImageContentPart(sdk.ChatCompletionContentPartImageImageURLParam{URL: b.URI}), nil
	}
	return sdk.ChatCompletionContentPartUnionParam{}, fmt.Errorf("fileData %s: the server cannot read it; send the bytes (inlineData), or use a vertexai connection", b.URI)
}

// config translates generationConfig.
func (c *Client) config(p *sdk.ChatCompletionNewParams, v json.RawMessage) error {
	m, err := fields(v)
	if err != nil {
		return fmt.Errorf("generationConfig is not an object")
	}
	mime := ""
	var schema any
	for _, k := range sorted(m) {
		v := m[k]
		if empty(v) && k != "temperature" {
			continue
		}
		var f float64
		var err error
		switch k {
		case "temperature":
			if err = json.Unmarshal(v, &f); err == nil && string(v) != "null" {
				p.Temperature = sdk.Float(f)
			}
		case "topP":
			err = json.Unmarshal(v, &f)
			p.TopP = sdk.Float(f)
		case "presencePenalty":
			err = json.Unmarshal(v, &f)
			p.PresencePenalty = sdk.Float(f)
		case "frequencyPenalty":
			err = json.Unmarshal(v, &f)
			p.FrequencyPenalty = sdk.Float(f)
		case "maxOutputTokens":
			n, e := integer(v)
			err = e
			if c.o.TokenField == "max_tokens" {
				p.MaxTokens = sdk.Int(n)
			} else {
				p.MaxCompletionTokens = sdk.Int(n)
			}
		case "seed":
			n, e := integer(v)
			err = e
			p.Seed = sdk.Int(n)
		case "candidateCount":
			n, e := integer(v)
			err = e
			if n != 1 {
				p.N = sdk.Int(n)
			}
		case "stopSequences":
			err = json.Unmarshal(v, &p.Stop.OfStringArray)
		case "responseMimeType":
			err = json.Unmarshal(v, &mime)
		case "responseSchema":
			if err = json.Unmarshal(v, &schema); err == nil {
				schema = jsonSchema(schema)
			}
		case "responseJsonSchema":
			err = json.Unmarshal(v, &schema)
		default:
			return cannot("generationConfig." + k)
		}
		if err != nil {
			return fmt.Errorf("generationConfig.%s: %s has the wrong type", k, short(string(v)))
		}
	}
	switch {
	case schema != nil:
		p.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "answer", Schema: schema}}
	case mime == "application/json":
		p.ResponseFormat.OfJSONObject = &shared.ResponseFormatJSONObjectParam{}
	case mime != "" && mime != "text/plain":
		return cannot("generationConfig.responseMimeType " + mime)
	}
	return nil
}

// integer accepts 5, 5.0 and "5", as Google's JSON does.
func integer(v json.RawMessage) (int64, error) {
	var n json.Number
	if err := json.Unmarshal(v, &n); err != nil {
		return 0, err
	}
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	f, err := n.Float64()
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, fmt.Errorf("not an integer")
	}
	return int64(f), nil
}

// jsonSchema turns Google's schema (an OpenAPI subset: upper-case types, nullable, propertyOrdering) into JSON Schema.
func jsonSchema(v any) any {
	m, isObject := v.(map[string]any)
	if !isObject {
		return v
	}
	out := make(map[string]any, len(m))
	for k, e := range m {
		switch camel(k) {
		case "type":
			if s, isText := e.(string); isText {
				e = strings.ToLower(s)
			}
			out["type"] = e
		case "properties":
			props, isObject := e.(map[string]any)
			if !isObject {
				out[k] = e
				continue
			}
			all := make(map[string]any, len(props))
			for name, s := range props {
				all[name] = jsonSchema(s)
			}
			out["properties"] = all
		case "items", "additionalProperties":
			out[camel(k)] = jsonSchema(e)
		case "anyOf":
			list, _ := e.([]any)
			all := make([]any, len(list))
			for i, s := range list {
				all[i] = jsonSchema(s)
			}
			out["anyOf"] = all
		case "nullable", "propertyOrdering", "example":
		case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
			if s, isText := e.(string); isText { // int64 in Google's JSON
				n, err := strconv.ParseInt(s, 10, 64)
				if err != nil {
					continue
				}
				e = n
			}
			out[camel(k)] = e
		default:
			out[camel(k)] = e
		}
	}
	if m["nullable"] == true {
		if t, isText := out["type"].(string); isText {
			out["type"] = []any{t, "null"}
		}
	}
	return out
}

var finish = map[string]string{"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY", "": "FINISH_REASON_UNSPECIFIED"}

// candidates translates a chat completion into Gemini's answer.
func candidates(raw []byte) (json.RawMessage, error) {
	var in struct {
		ID      string `json:"id"`
		Model   string `json:"model"`
		Created any    `json:"created"`
		Choices []struct {
			Index   int `json:"index"`
			Message struct {
				Content   any    `json:"content"`
				Refusal   string `json:"refusal"`
				Reasoning any    `json:"reasoning_content"`
			} `json:"message"`
			FinishReason string `json:"finish_reason"`
		} `json:"choices"`
		Usage *struct {
			Prompt     int64 `json:"prompt_tokens"`
			Completion int64 `json:"completion_tokens"`
			Total      int64 `json:"total_tokens"`
			Details    struct {
				Reasoning int64 `json:"reasoning_tokens"`
			} `json:"completion_tokens_details"`
			PromptDetails struct {
				Cached int64 `json:"cached_tokens"`
			} `json:"prompt_tokens_details"`
		} `json:"usage"`
	}
	if !object(raw) {
		return nil, fmt.Errorf("the answer is cut off or not a JSON object")
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("the answer is not a chat completion: %w", err)
	}
	if len(in.Choices) == 0 {
		return nil, fmt.Errorf("the answer has no choices")
	}
	list := make([]any, 0, len(in.Choices))
	for i, ch := range in.Choices {
		reason, known := finish[ch.FinishReason]
		if !known {
			reason = "OTHER"
		}
		cand := map[string]any{"index": i, "finishReason": reason}
		text, err := answerText(ch.Message.Content)
		if err != nil {
			return nil, err
		}
		switch {
		case ch.Message.Refusal != "":
			cand["finishReason"], cand["finishMessage"] = "SAFETY", ch.Message.Refusal
		case reason == "SAFETY" && text == "":
		default:
			cand["content"] = map[string]any{"role": "model", "parts": []any{map[string]any{"text": text}}}
		}
		list = append(list, cand)
	}
	out := map[string]any{"candidates": list, "modelVersion": in.Model}
	if in.ID != "" {
		out["responseId"] = in.ID
	}
	if f, isNumber := in.Created.(float64); isNumber && f > 0 && f < 1e11 {
		out["createTime"] = time.Unix(int64(f), 0).UTC().Format(time.RFC3339)
	}
	if u := in.Usage; u != nil {
		usage := map[string]any{"promptTokenCount": u.Prompt, "candidatesTokenCount": u.Completion - u.Details.Reasoning, "totalTokenCount": max(u.Total, u.Prompt+u.Completion)}
		if u.Details.Reasoning > 0 {
			usage["thoughtsTokenCount"] = u.Details.Reasoning
		}
		if u.PromptDetails.Cached > 0 {
			usage["cachedContentTokenCount"] = u.PromptDetails.Cached
		}
		out["usageMetadata"] = usage
	}
	return json.Marshal(out)
}

// answerText reads a string, null, or the list of parts that a few servers give.
func answerText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []any:
		var b strings.Builder
		for _, e := range v {
			m, _ := e.(map[string]any)
			s, _ := m["text"].(string)
			b.WriteString(s)
		}
		return b.String(), nil
	}
	return "", fmt.Errorf("the answer's content is neither text nor a list of parts")
}
