package remote

import (
	"context"
	"encoding/json"

	"github.com/mallardml/mallard/internal/dispatch"
)

// openEmbeddingFormat is predict of an open embedding model that is deployed to an endpoint
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-generate-embedding).
type openEmbeddingFormat struct{}

func (openEmbeddingFormat) method() string                     { return "predict" }
func (openEmbeddingFormat) common(*Spec, map[string]any) error { return nil }

func (openEmbeddingFormat) text(s *Spec, text, title string) (string, string) {
	return texts("inputs", text, "task_type", s.Options.TaskType, "title", title)
}

func (openEmbeddingFormat) call(ctx context.Context, svc Service, s *Spec, payloads []string) ([]dispatch.Answer, error) {
	return textEmbeddingFormat{}.call(ctx, svc, s, payloads)
}

func (openEmbeddingFormat) vectors(body json.RawMessage) []embedded {
	return []embedded{{values: bare(body)}}
}

// bare finds the vector in a prediction of an open model: the list itself, or a list of it, or a field that holds it.
func bare(body json.RawMessage) json.RawMessage {
	for range 4 {
		if m := members(body); m != nil {
			for _, k := range []string{"embedding", "embeddings", "values", "outputs", "predictions"} {
				if m[k] != nil {
					body = m[k]
					break
				}
			}
		}
		if lists := elements(body); len(lists) == 1 && len(lists[0]) > 0 && (lists[0][0] == '[' || lists[0][0] == '{') {
			body = lists[0]
		}
	}
	return body
}
