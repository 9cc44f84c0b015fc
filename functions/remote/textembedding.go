package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/dispatch"
)

// textEmbeddingFormat is predict of text-embedding-*, text-multilingual-embedding-* and gemini-embedding-001
// (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api).
type textEmbeddingFormat struct{}

func (textEmbeddingFormat) method() string { return "predict" }

func (textEmbeddingFormat) common(s *Spec, parameters map[string]any) error {
	if _, ok := parameters["autoTruncate"]; !ok {
		parameters["autoTruncate"] = true
	}
	if n := s.Options.OutputDimensionality; n > 0 {
		parameters["outputDimensionality"] = n
	}
	return nil
}

func (textEmbeddingFormat) text(s *Spec, text, title string) (string, string) {
	return texts("content", text, "task_type", s.Options.TaskType, "title", title)
}

func (textEmbeddingFormat) call(ctx context.Context, svc Service, s *Spec, payloads []string) ([]dispatch.Answer, error) {
	answers, err := predict(ctx, svc, s, payloads)
	for i := range answers {
		answers[i].InputTokens = embeddingTokens(answers[i].Body)
	}
	return answers, err
}

func (textEmbeddingFormat) vectors(body json.RawMessage) []embedded {
	e := members(members(body)["embeddings"])
	return []embedded{{values: e["values"], statistics: tidyStatistics(e["statistics"])}}
}

// texts writes an object of the fields that are not empty: names and values, in turn. The first field is always there.
func texts(fields ...string) (payload, status string) {
	b := make([]byte, 0, 32+len(fields[1]))
	b = append(b, '{')
	for i := 0; i < len(fields); i += 2 {
		if i > 0 && fields[i+1] == "" {
			continue
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), fields[i]...), `":`...)
		var err error
		if b, err = appendText(b, fields[i+1]); err != nil {
			return "", "Invalid content: " + err.Error()
		}
	}
	return string(append(b, '}')), ""
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
