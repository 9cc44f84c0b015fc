package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/dispatch"
)

// openAIEmbeddingFormat is embeddings of a server that speaks OpenAI's API
// (https://platform.openai.com/docs/api-reference/embeddings/create): several texts per request.
type openAIEmbeddingFormat struct{}

func (openAIEmbeddingFormat) method() string { return "embeddings" }

func (openAIEmbeddingFormat) common(s *Spec, parameters map[string]any) error {
	for _, key := range []string{"model", "input"} {
		if _, ok := parameters[key]; ok {
			return fmt.Errorf("model_params: %s comes from the call itself; leave it out", key)
		}
	}
	// autoTruncate is Vertex AI's: such servers decide themselves what becomes of long texts.
	delete(parameters, "autoTruncate")
	delete(parameters, "auto_truncate")
	parameters["model"] = s.modelName()
	if _, ok := parameters["encoding_format"]; !ok {
		parameters["encoding_format"] = "float"
	}
	if n := s.Options.OutputDimensionality; n > 0 {
		parameters["dimensions"] = n
	}
	return nil
}

func (openAIEmbeddingFormat) text(_ *Spec, text, _ string) (string, string) {
	b, err := appendText(nil, text)
	if err != nil {
		return "", "Invalid content: " + err.Error()
	}
	return string(b), ""
}

func (openAIEmbeddingFormat) call(ctx context.Context, svc Service, s *Spec, payloads []string) ([]dispatch.Answer, error) {
	body := `{"input":[` + strings.Join(payloads, ",") + "]," + string(s.parameters[1:])
	raw, err := svc.Call(ctx, s.method, s.Endpoint, json.RawMessage(body), nil)
	if err != nil {
		return nil, err
	}
	if raw, err = readAnswer(raw); err != nil {
		return nil, err
	}
	m := members(raw)
	if err := inBand(m, "data"); err != nil {
		return nil, err
	}
	list := elements(m["data"])
	if list == nil {
		return nil, &inBandError{message: lacks(m, "data")}
	}
	answers, err := placed(list, len(payloads))
	if err != nil {
		return nil, err
	}
	in, out := tokens(raw)
	answers[0].InputTokens, answers[0].OutputTokens = in, out
	if len(answers) == 1 && in > 0 { // of several texts nobody knows the single counts
		answers[0].Body = fmt.Appendf(nil, `{"data":%s,"usage":%s}`, answers[0].Body, m["usage"])
	}
	return answers, nil
}

// placed puts embeddings in the order of their texts, which each names by its index.
func placed(data []json.RawMessage, rows int) ([]dispatch.Answer, error) {
	if len(data) != rows {
		return nil, &errCount{len(data), rows}
	}
	out := make([]dispatch.Answer, rows)
	for i, raw := range data {
		if v := given(members(raw)["index"]); v != nil {
			n, ok := readInt(v)
			if !ok || n < 0 || n >= int64(rows) {
				return nil, &errAnswer{fmt.Errorf("the answer has the index %s among %s", clip(string(v), 30), amount.Of(rows, "embedding"))}
			}
			i = int(n)
		}
		if out[i].Body != nil {
			return nil, &errAnswer{errors.New("the answer has two embeddings of one index")}
		}
		out[i].Body = raw
	}
	return out, nil
}

func (openAIEmbeddingFormat) vectors(body json.RawMessage) []embedded {
	m := members(body)
	if d := members(m["data"]); d != nil {
		stats, _ := marshal(map[string]any{"token_count": firstTokens(body), "truncated": false})
		return []embedded{{values: bare(m["data"]), statistics: stats}}
	}
	return []embedded{{values: bare(body)}}
}

func firstTokens(body json.RawMessage) int64 {
	in, _ := tokens(body)
	return in
}
