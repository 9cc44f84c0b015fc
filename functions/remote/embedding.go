package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// embeddingCodec asks for embeddings.
type embeddingCodec struct {
	spec  *Spec
	shape []embeddingField
}

// embeddingField is where a result column comes from.
type embeddingField int

const (
	vector embeddingField = iota
	wholePrediction
	tokenStatistics
	startSecond
	endSecond
)

func (s *Spec) initEmbedding() error {
	c := &embeddingCodec{spec: s}
	add := func(name string, t Type, f embeddingField) {
		s.columns = append(s.columns, Column{name, t})
		c.shape = append(c.shape, f)
	}
	floats := arrayOf(scalar(Float64))
	o := &s.Options
	stats := s.Family == TextEmbedding || s.Family == GeminiEmbedding || s.Family == EmbedContent
	s.segments = s.Media && s.Family == Multimodal
	switch s.Func {
	case "ML.GENERATE_EMBEDDING":
		s.status = "ml_generate_embedding_status"
		if o.Flatten {
			add("ml_generate_embedding_result", floats, vector)
			if stats {
				add("ml_generate_embedding_statistics", scalar(JSON), tokenStatistics)
			}
		} else {
			add("ml_generate_embedding_result", scalar(JSON), wholePrediction)
		}
		s.statusAt = len(s.columns)
		if s.segments {
			add("ml_generate_embedding_start_sec", scalar(Int64), startSecond)
			add("ml_generate_embedding_end_sec", scalar(Int64), endSecond)
		}
	case "AI.GENERATE_EMBEDDING":
		s.status = "status"
		add("embedding", floats, vector)
		add("statistics", scalar(JSON), tokenStatistics)
		s.statusAt = len(s.columns)
		if s.segments {
			add("video_start_sec", scalar(Int64), startSecond)
			add("video_end_sec", scalar(Int64), endSecond)
		}
	case "AI.EMBED":
		s.status, s.segments = "status", false
		add("result", floats, vector)
		s.statusAt = len(s.columns)
	}
	s.codec = c
	s.method = "predict"
	params := map[string]any{}
	if o.ModelParams != nil {
		var err error
		if params, err = object(o.ModelParams); err != nil {
			return fmt.Errorf("model_params: %w", err)
		}
	}
	switch s.Family {
	case EmbedContent:
		s.method = "embedContent"
		return nil
	case TextEmbedding, GeminiEmbedding:
		if _, ok := params["autoTruncate"]; !ok {
			params["autoTruncate"] = true
		}
		if o.OutputDimensionality > 0 {
			params["outputDimensionality"] = o.OutputDimensionality
		}
	case Multimodal:
		if o.OutputDimensionality > 0 {
			params["dimension"] = o.OutputDimensionality
		}
	}
	if len(params) > 0 {
		var err error
		s.parameters, err = marshal(params)
		return err
	}
	return nil
}

func (c *embeddingCodec) missing() []any {
	line := make([]any, len(c.spec.columns))
	if len(c.shape) > 0 && c.shape[0] == vector {
		line[0] = []float64{} // BigQuery has no NULL arrays
	}
	return line
}

func (c *embeddingCodec) payload(ctx context.Context, row []any) (string, string) {
	s, o := c.spec, &c.spec.Options
	var parts []part
	if s.Objects {
		uri, mime := asText(row[0]), asText(row[1])
		if uri == "" {
			return "", "The row has no uri."
		}
		parts = []part{{Object: Object{URI: uri, Version: generation(row)}, MIME: mime}}
	} else {
		v := row[0]
		if text, ok := v.(string); ok && s.Media {
			v = jsonText(text)
		}
		var err error
		if parts, err = promptParts(v); err != nil {
			return "", "Invalid content: " + err.Error()
		}
		if len(parts) == 0 {
			return "", "Invalid content: it is NULL or empty."
		}
	}
	if s.Family == Multimodal && len(parts) > 1 {
		return "", "Invalid content: it must be one text, image or video."
	}
	if s.Family == Multimodal || s.Family == EmbedContent {
		r := deferredRow{Parts: parts, Title: c.title(row)}
		if s.ready(parts) {
			return c.finish(ctx, r)
		}
		p, err := r.payload()
		if err != nil {
			return "", "Invalid content: " + err.Error()
		}
		return p, ""
	}
	text := plain(parts)
	if text == nil {
		return "", "Invalid content: this model reads text only."
	}
	fields := [...]struct{ name, value string }{{"content", *text}, {"task_type", o.TaskType}, {"title", c.title(row)}}
	if s.Family == OpenEmbedding {
		fields[0].name = "inputs"
	}
	return texts(fields[:])
}

// finish implements codec.
func (c *embeddingCodec) finish(ctx context.Context, r deferredRow) (string, string) {
	s, o := c.spec, &c.spec.Options
	var body any
	var objects carried
	if s.Family == Multimodal {
		m, status := c.medium(ctx, &r.Parts[0], &objects)
		if status != "" {
			return "", status
		}
		body = m
	} else {
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
			extra, _ := object(o.ModelParams)
			for k, v := range extra {
				m[k] = v
			}
		}
		body = m
	}
	b, err := objects.write(body)
	if err != nil {
		return "", "Invalid content: " + err.Error()
	}
	return b, ""
}

// texts writes an object of the fields that are not empty.
func texts(fields []struct{ name, value string }) (string, string) {
	b := make([]byte, 0, 32+len(fields[0].value))
	b = append(b, '{')
	for _, f := range fields {
		if f.value == "" {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), f.name...), `":`...)
		var err error
		if b, err = appendText(b, f.value); err != nil {
			return "", "Invalid content: " + err.Error()
		}
	}
	return string(append(b, '}')), ""
}

func (c *embeddingCodec) title(row []any) string {
	if c.spec.titled() && len(row) > 1 {
		return asText(row[1])
	}
	if c.spec.Options.TaskType == "RETRIEVAL_DOCUMENT" {
		return c.spec.Options.Title
	}
	return ""
}

// medium is the instance of one text, image or video.
func (c *embeddingCodec) medium(ctx context.Context, p *part, objects *carried) (map[string]any, string) {
	if p.isText() {
		return map[string]any{"text": p.Text}, ""
	}
	var where map[string]any
	var mime string
	var err error
	if c.spec.linked(*p) {
		mime, err = c.spec.contentType(ctx, p)
		where = map[string]any{"gcsUri": p.URI}
	} else {
		var data []byte
		data, mime, err = c.spec.load(ctx, *p)
		where = map[string]any{"bytesBase64Encoded": objects.add(data)}
	}
	if err != nil {
		return nil, "Invalid content: " + err.Error()
	}
	kind, _, _ := strings.Cut(mime, "/")
	switch kind {
	case "image":
		where["mimeType"] = mime
		return map[string]any{"image": where}, ""
	case "video":
		o := &c.spec.Options
		if o.OutputDimensionality > 0 {
			return nil, "output_dimensionality is not supported for video."
		}
		segment := map[string]any{}
		if o.StartSecond != nil {
			segment["startOffsetSec"], segment["endOffsetSec"] = seconds(*o.StartSecond), seconds(*o.EndSecond)
		}
		if o.IntervalSeconds != nil {
			segment["intervalSec"] = seconds(*o.IntervalSeconds)
		}
		if len(segment) > 0 {
			where["videoSegmentConfig"] = segment
		}
		return map[string]any{"video": where}, ""
	}
	return nil, fmt.Sprintf("Object %s has the content type %q; only images and videos have embeddings.", p.URI, mime)
}

// seconds writes whole numbers as such: the API takes integers.
func seconds(f float64) any {
	if f == float64(int64(f)) {
		return int64(f)
	}
	return f
}

func (c *embeddingCodec) call(ctx context.Context, svc Service, payloads []string) ([]Answer, error) {
	if c.spec.method != "embedContent" {
		answers, err := predict(ctx, svc, c.spec, payloads)
		for i := range answers {
			answers[i].InputTokens = embeddingTokens(answers[i].Body)
		}
		return answers, err
	}
	raw, err := svc.EmbedContent(ctx, c.spec.Endpoint, json.RawMessage(payloads[0]))
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

// embedded is what of a prediction or an embedContent response holds the vectors.
type embedded struct {
	Embeddings struct {
		Values     json.RawMessage `json:"values"`
		Statistics json.RawMessage `json:"statistics"`
	} `json:"embeddings"`
	Embedding struct {
		Values json.RawMessage `json:"values"`
	} `json:"embedding"`
	Usage  json.RawMessage `json:"usageMetadata"`
	Cut    bool            `json:"truncated"`
	Text   json.RawMessage `json:"textEmbedding"`
	Image  json.RawMessage `json:"imageEmbedding"`
	Videos []struct {
		Start     json.Number     `json:"startOffsetSec"`
		End       json.Number     `json:"endOffsetSec"`
		Embedding json.RawMessage `json:"embedding"`
	} `json:"videoEmbeddings"`
}

// embeddingTokens finds statistics.token_count; it stands behind thousands of numbers that need not be read twice.
func embeddingTokens(body json.RawMessage) int64 {
	const name = `"token_count":`
	i := bytes.LastIndex(body, []byte(name))
	if i < 0 {
		return 0
	}
	s := strings.TrimSpace(string(body[i+len(name) : min(i+len(name)+24, len(body))]))
	if end := strings.IndexAny(s, ",} \t\r\n"); end >= 0 {
		s = s[:end]
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n > 0) {
		return 0
	}
	return int64(min(n, 1e12))
}

var (
	errNoVector  = errors.New("it has no embedding")
	errNotFinite = errors.New("the embedding has a value that is not a finite number")
)

func (c *embeddingCodec) values(body json.RawMessage) ([][]any, string) {
	lines, err := c.lines(body)
	if err != nil {
		return nil, "Invalid answer: " + oneLine(err.Error())
	}
	return lines, ""
}

func (c *embeddingCodec) lines(body json.RawMessage) ([][]any, error) {
	var e embedded
	if c.spec.Family == OpenEmbedding {
		return c.line(bare(body), nil, nil, nil, body)
	}
	if err := lenient(body, &e); err != nil {
		return nil, err
	}
	switch c.spec.Family {
	case Multimodal:
		if len(e.Videos) == 0 {
			raw := given(e.Image)
			if raw == nil {
				raw = given(e.Text)
			}
			return c.line(raw, nil, nil, nil, body)
		}
		var all [][]any
		for _, v := range e.Videos {
			start, _ := readInt(number0(v.Start))
			end, _ := readInt(number0(v.End))
			line, err := c.line(v.Embedding, nil, start, end, body)
			if err != nil {
				return nil, err
			}
			all = append(all, line...)
			if !c.spec.segments {
				break
			}
		}
		return all, nil
	case EmbedContent:
		var stats json.RawMessage
		var u struct {
			Tokens *int64 `json:"promptTokenCount"`
		}
		if json.Unmarshal(e.Usage, &u) == nil && u.Tokens != nil {
			stats, _ = marshal(map[string]any{"token_count": *u.Tokens, "truncated": e.Cut})
		}
		return c.line(e.Embedding.Values, stats, nil, nil, body)
	}
	return c.line(e.Embeddings.Values, e.Embeddings.Statistics, nil, nil, body)
}

func number0(n json.Number) json.RawMessage {
	if n == "" {
		return json.RawMessage("0")
	}
	return json.RawMessage(n)
}

// bare finds the vector in a prediction of an open model: the list itself, or a list of it, or a field that holds it.
func bare(body json.RawMessage) json.RawMessage {
	for range 4 {
		var m map[string]json.RawMessage
		if json.Unmarshal(body, &m) == nil {
			for _, k := range []string{"embedding", "embeddings", "values", "outputs", "predictions"} {
				if m[k] != nil {
					body = m[k]
					break
				}
			}
		}
		var lists []json.RawMessage
		if json.Unmarshal(body, &lists) == nil && len(lists) == 1 && len(lists[0]) > 0 && (lists[0][0] == '[' || lists[0][0] == '{') {
			body = lists[0]
		}
	}
	return body
}

// line writes one line of results.
func (c *embeddingCodec) line(values, stats json.RawMessage, start, end any, body json.RawMessage) ([][]any, error) {
	line := c.missing()
	for i, f := range c.shape {
		switch f {
		case vector:
			v, err := c.spec.columns[i].Type.read(values)
			if err != nil {
				return nil, fmt.Errorf("the embedding %w", err)
			}
			if v == nil {
				return nil, errNoVector
			}
			if list, ok := v.([]any); ok && slices.ContainsFunc(list, notFinite) {
				return nil, errNotFinite
			}
			line[i] = v
		case wholePrediction:
			s, err := compact(body)
			if err != nil {
				return nil, err
			}
			line[i] = s
		case tokenStatistics:
			if s := given(stats); s != nil {
				line[i] = string(tidyStatistics(s))
			}
		case startSecond:
			line[i] = start
		case endSecond:
			line[i] = end
		}
	}
	return [][]any{line}, nil
}

// notFinite reports what makes every distance to a vector NaN, without a word: NaN, infinities and nulls. Readers of plain numbers never give one.
func notFinite(v any) bool {
	f, ok := v.(float64)
	return !ok || math.IsNaN(f) || math.IsInf(f, 0)
}

// tidyStatistics writes token_count as an integer: protobuf's JSON makes it 4.0 on some ways.
func tidyStatistics(raw json.RawMessage) json.RawMessage {
	var st struct {
		Truncated *bool    `json:"truncated"`
		Tokens    *float64 `json:"token_count"`
	}
	if json.Unmarshal(raw, &st) != nil || st.Tokens == nil || st.Truncated == nil || *st.Tokens != float64(int64(*st.Tokens)) {
		return raw
	}
	return fmt.Appendf(nil, `{"token_count":%d,"truncated":%t}`, int64(*st.Tokens), *st.Truncated)
}
