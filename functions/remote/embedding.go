package remote

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dispatch"
)

// embeddingCodec asks for embeddings, in the form of its family.
type embeddingCodec struct {
	spec   *Spec
	format embeddingFormat
	shape  []embeddingField
}

// embeddingFormat is the form in which a provider is asked for embeddings, and answers; each has its file.
type embeddingFormat interface {
	method() string
	// common puts what all rows ask alike into parameters, which hold model_params.
	common(s *Spec, parameters map[string]any) error
	// text is the request of a row that is one text, or its part of a request.
	text(s *Spec, text, title string) (string, string)
	// call asks for rows.
	call(ctx context.Context, svc Service, s *Spec, payloads []string) ([]dispatch.Answer, error)
	// vectors reads the answer to a row.
	vectors(body json.RawMessage) []embedded
}

// mediaEmbedder is an embeddingFormat that takes objects, too.
type mediaEmbedder interface {
	media(ctx context.Context, s *Spec, r deferredRow) (payload, status string)
}

// embedded is one vector of an answer.
type embedded struct {
	values, statistics json.RawMessage
	start, end         any // seconds of a video
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

func (s *Spec) initEmbedding(format embeddingFormat) error {
	c := &embeddingCodec{spec: s, format: format}
	add := func(name string, t googlesql.Type, f embeddingField) {
		s.columns = append(s.columns, googlesql.Field{Name: name, Type: t})
		c.shape = append(c.shape, f)
	}
	floats := googlesql.ArrayOf(scalar(googlesql.Float64))
	o := &s.Options
	stats := s.Family == TextEmbedding || s.Family == GeminiEmbedding || s.Family == EmbedContent || s.Family == OpenAIEmbedding
	s.segments = s.Media && s.Family == Multimodal
	switch s.Func {
	case "ML.GENERATE_EMBEDDING":
		s.status = "ml_generate_embedding_status"
		if o.Flatten {
			add("ml_generate_embedding_result", floats, vector)
			if stats {
				add("ml_generate_embedding_statistics", scalar(googlesql.JSON), tokenStatistics)
			}
		} else {
			add("ml_generate_embedding_result", scalar(googlesql.JSON), wholePrediction)
		}
		s.statusAt = len(s.columns)
		if s.segments {
			add("ml_generate_embedding_start_sec", scalar(googlesql.Int64), startSecond)
			add("ml_generate_embedding_end_sec", scalar(googlesql.Int64), endSecond)
		}
	case "AI.GENERATE_EMBEDDING":
		s.status = "status"
		add("embedding", floats, vector)
		add("statistics", scalar(googlesql.JSON), tokenStatistics)
		s.statusAt = len(s.columns)
		if s.segments {
			add("video_start_sec", scalar(googlesql.Int64), startSecond)
			add("video_end_sec", scalar(googlesql.Int64), endSecond)
		}
	case "AI.EMBED":
		s.status, s.segments = "status", false
		add("result", floats, vector)
		s.statusAt = len(s.columns)
	}
	s.codec = c
	s.method = c.format.method()
	params := map[string]any{}
	if o.ModelParams != nil {
		var err error
		if params, err = object(o.ModelParams); err != nil {
			return fmt.Errorf("model_params: %w", err)
		}
	}
	if err := c.format.common(s, params); err != nil {
		return err
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
	s := c.spec
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
	title := c.title(row)
	if text := plain(parts); text != nil {
		return c.format.text(s, *text, title)
	}
	if _, ok := c.format.(mediaEmbedder); !ok {
		return "", "Invalid content: this model reads text only."
	}
	r := deferredRow{Parts: parts, Title: title}
	if s.ready(parts) {
		return c.finish(ctx, r)
	}
	p, err := r.payload()
	if err != nil {
		return "", "Invalid content: " + err.Error()
	}
	return p, ""
}

// finish implements codec.
func (c *embeddingCodec) finish(ctx context.Context, r deferredRow) (string, string) {
	return c.format.(mediaEmbedder).media(ctx, c.spec, r)
}

func (c *embeddingCodec) call(ctx context.Context, svc Service, payloads []string) ([]dispatch.Answer, error) {
	return c.format.call(ctx, svc, c.spec, payloads)
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

var (
	errNoVector  = errors.New("it has no embedding")
	errNotFinite = errors.New("the embedding has a value that is not a finite number")
)

func (c *embeddingCodec) values(body json.RawMessage) ([][]any, string) {
	lines, err := c.lines(body)
	if err == nil {
		return lines, ""
	}
	// One text of a batch may have an error in the place of its embedding.
	for _, m := range []map[string]json.RawMessage{members(members(body)["data"]), members(body)} {
		if e, ok := inBand(m).(*inBandError); ok {
			return nil, "The server answered an error: " + e.message
		}
	}
	return nil, "Invalid answer: " + oneLine(err.Error())
}

func (c *embeddingCodec) lines(body json.RawMessage) ([][]any, error) {
	all := c.format.vectors(body)
	if !c.spec.segments && len(all) > 1 {
		all = all[:1]
	}
	lines := make([][]any, len(all))
	for i, e := range all {
		var err error
		if lines[i], err = c.line(e, body); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// line writes one line of results.
func (c *embeddingCodec) line(e embedded, body json.RawMessage) ([]any, error) {
	line := c.missing()
	for i, f := range c.shape {
		switch f {
		case vector:
			v, err := jsonValue(c.spec.columns[i].Type, unpacked(e.values))
			if err != nil {
				return nil, fmt.Errorf("the embedding %w", err)
			}
			if floats, ok := v.([]float64); v == nil || ok && len(floats) == 0 {
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
			if s := given(e.statistics); s != nil {
				line[i] = string(tidyStatistics(s))
			}
		case startSecond:
			line[i] = e.start
		case endSecond:
			line[i] = e.end
		}
	}
	return line, nil
}

// unpacked gives the list of a vector that came as a text: OpenAI's encoding_format base64, which is little-endian float32, or a list
// written as a text. Anything else is given back as it is.
func unpacked(raw json.RawMessage) json.RawMessage {
	text := strings.TrimSpace(words(raw))
	if text == "" {
		return raw
	}
	if text[0] == '[' && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		b, err = base64.RawStdEncoding.DecodeString(text)
	}
	if err != nil || len(b) == 0 || len(b)%4 != 0 {
		return raw
	}
	list := make([]byte, 0, 3*len(b))
	for i := 0; i < len(b); i += 4 {
		list = append(list, ',')
		f := float64(math.Float32frombits(binary.LittleEndian.Uint32(b[i:])))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			list = append(list, "null"...) // which no vector may hold
			continue
		}
		list = strconv.AppendFloat(list, f, 'g', -1, 64)
	}
	list[0] = '['
	return append(list, ']')
}

// notFinite reports what makes every distance to a vector NaN, without a word: NaN, infinities and nulls. Readers of plain numbers never
// give one.
func notFinite(v any) bool {
	f, ok := v.(float64)
	return !ok || math.IsNaN(f) || math.IsInf(f, 0)
}
