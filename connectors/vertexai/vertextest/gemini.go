package vertextest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
)

// generate answers generateContent, streamGenerateContent and countTokens.
func (c *call) generate(ctx context.Context) *reply {
	if c.Method == "countTokens" {
		return ok(map[string]any{"totalTokens": c.Tokens, "totalBillableCharacters": 4 * c.Tokens})
	}
	m, bad := c.normal(&aiplatformpb.GenerateContentRequest{})
	if bad != nil {
		return bad
	}
	p, bad := c.prompt(m)
	if bad != nil {
		return bad
	}
	cfg, _ := m["generationConfig"].(map[string]any)
	if bad := checkConfig(cfg); bad != nil {
		return bad
	}
	if bad := checkSafety(m); bad != nil {
		return bad
	}
	if bad := c.checkThroughput(); bad != nil {
		return bad
	}
	prompt := CountTokens(p.System) + CountTokens(p.Text) + 258*len(p.Files)
	if most := c.server.options().Limits.PromptTokens; prompt > most {
		return failf(400, "The input token count (%d) exceeds the maximum number of tokens allowed (%d).", prompt, most)
	}
	text, finish, bad := c.text(ctx, p, prompt, cfg)
	if bad != nil {
		return bad
	}
	candidate := map[string]any{
		"content":      map[string]any{"role": "model", "parts": []any{map[string]any{"text": text}}},
		"finishReason": finish, "avgLogprobs": -0.1,
	}
	if blocked(finish) {
		delete(candidate, "content")
		text = ""
	}
	if list, has := m["safetySettings"].([]any); has {
		var ratings []any
		for _, s := range list {
			category, _ := s.(map[string]any)["category"].(string)
			ratings = append(ratings, rating(category, false))
		}
		candidate["safetyRatings"] = ratings
	}
	if tools, _ := m["tools"].([]any); grounded(tools) {
		candidate["groundingMetadata"] = map[string]any{"webSearchQueries": []any{p.Text},
			"groundingChunks": []any{map[string]any{"web": map[string]any{"uri": "https://example.com/", "title": "example.com"}}}}
	}
	answer := CountTokens(text)
	usage := map[string]any{"promptTokenCount": prompt, "candidatesTokenCount": answer, "totalTokenCount": prompt + answer,
		"trafficType": "ON_DEMAND"}
	if strings.EqualFold(c.Header.Get("X-Vertex-AI-LLM-Request-Type"), "dedicated") {
		usage["trafficType"] = "PROVISIONED_THROUGHPUT"
	}
	body := map[string]any{
		"candidates": []any{candidate}, "usageMetadata": usage, "modelVersion": c.Model,
		"createTime": c.Time.UTC().Format(time.RFC3339Nano), "responseId": fmt.Sprintf("response-%016x", hash(c.Resource, p.Text)),
	}
	if c.Method == "streamGenerateContent" {
		return &reply{body: body, parts: split(body, candidate, text)}
	}
	return ok(body)
}

// checkThroughput refuses a kind of capacity that there is not.
func (c *call) checkThroughput() *reply {
	switch kind := strings.ToLower(c.Header.Get("X-Vertex-AI-LLM-Request-Type")); kind {
	case "", "shared":
	case "dedicated":
		if !c.server.options().Provisioned {
			r := failf(400, "Provisioned throughput is not purchased or is not active")
			r.err.reason = "FAILED_PRECONDITION"
			return r
		}
	default:
		return failf(400, "Invalid value %q in X-Vertex-AI-LLM-Request-Type.", kind)
	}
	return nil
}

// text gives the text of an answer, cut as the configuration wants, and why it ends; or what is answered in its place.
func (c *call) text(ctx context.Context, p Prompt, prompt int, cfg map[string]any) (text, finish string, instead *reply) {
	finish = "STOP"
	if r, filled := c.server.match(p); r != nil {
		if r.Status != 0 {
			return "", "", failf(r.Status, "%s", filled)
		}
		if r.BlockReason != "" {
			return "", "", ok(map[string]any{
				"promptFeedback": map[string]any{"blockReason": r.BlockReason}, "modelVersion": c.Model,
				"usageMetadata": map[string]any{"promptTokenCount": prompt, "totalTokenCount": prompt},
			})
		}
		text = filled
		if r.FinishReason != "" {
			finish = r.FinishReason
		}
	} else {
		var err error
		if text, err = c.server.write(ctx, p); err != nil {
			return "", "", hookError(err)
		}
	}
	for _, stop := range texts(cfg["stopSequences"]) {
		if i := strings.Index(text, stop); stop != "" && i >= 0 {
			text = text[:i]
		}
	}
	if most, ok := number(cfg["maxOutputTokens"]); ok {
		if cut, was := cutTokens(text, int(most)); was {
			text, finish = cut, "MAX_TOKENS"
		}
	}
	return text, finish, nil
}

// write asks the caller's own generator, else it echoes.
func (s *Server) write(ctx context.Context, p Prompt) (string, error) {
	if s.options().Generate != nil {
		return s.options().Generate(ctx, p)
	}
	if p.JSON {
		return string(appendJSON(nil, sample(p.Schema, p.Text, 0))), nil
	}
	return p.echo(), nil
}

// prompt reads the contents and checks what the service checks.
func (c *call) prompt(m map[string]any) (Prompt, *reply) {
	p := Prompt{Model: c.Model}
	contents, _ := m["contents"].([]any)
	if len(contents) == 0 {
		return p, failf(400, "at least one contents field is required")
	}
	sys, _ := m["systemInstruction"].(map[string]any)
	p.System = textOf(sys)
	for _, e := range contents {
		turn, _ := e.(map[string]any)
		switch turn["role"] {
		case nil, "", "user", "model", "function":
		default:
			return p, failf(400, "Please use a valid role: user, model.")
		}
		parts, _ := turn["parts"].([]any)
		if len(parts) == 0 {
			return p, failf(400, "Unable to submit request because it must include at least one parts field, which describes the prompt input.")
		}
		for _, e := range parts {
			if bad := p.add(e); bad != nil {
				return p, bad
			}
		}
	}
	if strings.TrimSpace(p.Text) == "" && len(p.Files) == 0 {
		return p, failf(400, "Unable to submit request because it has an empty text parameter. Add a value to the parameter and try again.")
	}
	cfg, _ := m["generationConfig"].(map[string]any)
	p.JSON = cfg["responseMimeType"] == "application/json"
	p.Schema = first(cfg, "responseSchema", "responseJsonSchema")
	if p.Schema != nil && !p.JSON {
		return p, failf(400, "Unable to submit request because response_schema needs response_mime_type application/json.")
	}
	return p, nil
}

var mimeTypes = map[string]bool{
	"application/pdf": true, "audio/mpeg": true, "audio/mp3": true, "audio/wav": true, "image/png": true, "image/jpeg": true,
	"image/webp": true, "text/plain": true,
	"video/mov": true, "video/mpeg": true, "video/mp4": true, "video/mpg": true, "video/avi": true, "video/wmv": true, "video/mpegps": true,
	"video/flv": true,
}

func (p *Prompt) add(part any) *reply {
	m, _ := part.(map[string]any)
	if s, has := m["text"].(string); has {
		p.Text += s
		return nil
	}
	if f, has := m["fileData"].(map[string]any); has {
		mime, _ := f["mimeType"].(string)
		uri, _ := f["fileUri"].(string)
		if !mimeTypes[mime] {
			return failf(400, "Unable to submit request because it has a mimeType parameter with value %s, which is not supported.", mime)
		}
		if !strings.HasPrefix(uri, "gs://") && !strings.HasPrefix(uri, "https://") {
			return failf(400, "Invalid file URI %q: it must begin with gs:// or https://.", uri)
		}
		p.Files = append(p.Files, File{MIME: mime, URI: uri})
		return nil
	}
	if d, has := m["inlineData"].(map[string]any); has {
		mime, _ := d["mimeType"].(string)
		text, _ := d["data"].(string)
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(data) == 0 {
			return failf(400, "Unable to submit request because the inline data is empty or not base64.")
		}
		if !mimeTypes[mime] {
			return failf(400, "Unable to submit request because it has a mimeType parameter with value %s, which is not supported.", mime)
		}
		if strings.HasPrefix(mime, "image/") && len(data) > 7<<20 {
			return failf(400, "Inline image is larger than 7 MB.")
		}
		p.Files = append(p.Files, File{MIME: mime, Data: data})
		return nil
	}
	return failf(400, "Unable to submit request because a part has no data.")
}

func checkConfig(cfg map[string]any) *reply {
	for _, r := range []struct {
		name     string
		low, top float64
	}{{"temperature", 0, 2}, {"topP", 0, 1}, {"topK", 1, 1000}, {"candidateCount", 1, 8}, {"maxOutputTokens", 1, 65536}} {
		if v, has := cfg[r.name]; has {
			if f, ok := number(v); !ok || f < r.low || f > r.top {
				return failf(400, "Unable to submit request because it has a %s value of %v but the supported range is from %g to %g. Update the "+
					"value and try again.", r.name, v, r.low, r.top)
			}
		}
	}
	if n := len(texts(cfg["stopSequences"])); n > 5 {
		return failf(400, "Unable to submit request because it has %d stop sequences and at most 5 are supported.", n)
	}
	return nil
}

func checkSafety(m map[string]any) *reply {
	seen := map[string]bool{}
	list, _ := m["safetySettings"].([]any)
	for _, e := range list {
		category, _ := e.(map[string]any)["category"].(string)
		if category == "" || category == "HARM_CATEGORY_UNSPECIFIED" {
			return failf(400, "Safety setting without a category.")
		}
		if seen[category] {
			return failf(400, "Duplicate safety setting for category %s.", category)
		}
		seen[category] = true
	}
	return nil
}

func grounded(tools []any) bool {
	for _, t := range tools {
		m, _ := t.(map[string]any)
		if _, ok := m["googleSearch"]; ok {
			return true
		}
	}
	return false
}

func blocked(finish string) bool {
	switch finish {
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII":
		return true
	}
	return false
}

// split cuts an answer into the parts of a stream: usage and finish reason come with the last.
func split(body, candidate map[string]any, text string) []map[string]any {
	var parts []map[string]any
	for _, half := range []string{text[:len(text)/2], ""} {
		if half == "" {
			continue
		}
		half = strings.ToValidUTF8(half, "")
		text = text[len(half):]
		parts = append(parts, map[string]any{"modelVersion": body["modelVersion"], "responseId": body["responseId"], "candidates": []any{
			map[string]any{"content": map[string]any{"role": "model", "parts": []any{map[string]any{"text": half}}}}}})
	}
	last := map[string]any{}
	for k, v := range candidate {
		last[k] = v
	}
	if _, has := candidate["content"]; has {
		last["content"] = map[string]any{"role": "model", "parts": []any{map[string]any{"text": text}}}
	}
	end := map[string]any{}
	for k, v := range body {
		end[k] = v
	}
	end["candidates"] = []any{last}
	return append(parts, end)
}

// textOf joins the text parts of a Content or a list of them.
func textOf(v any) string {
	switch v := v.(type) {
	case []any:
		var b strings.Builder
		for _, e := range v {
			b.WriteString(textOf(e))
		}
		return b.String()
	case map[string]any:
		if s, ok := v["text"].(string); ok {
			return s
		}
		return textOf(v["parts"])
	}
	return ""
}

func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case float64:
		return v, true
	}
	return 0, false
}

func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}
