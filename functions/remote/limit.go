package remote

import "github.com/mallardml/mallard/internal/dispatch"

// limitsOf is what the APIs document
// (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings and the tutorial for custom
// endpoints). A request body may have 1.5 MB at endpoints.predict.
func limitsOf(f Family) dispatch.Limits {
	switch f {
	case TextEmbedding, OpenAIEmbedding:
		return dispatch.Limits{Rows: 250, Tokens: 20_000, Bytes: -1}
	case Custom, OpenEmbedding:
		return dispatch.Limits{Rows: 128, Tokens: -1, Bytes: 1_400_000}
	}
	return dispatch.Limits{Rows: 1, Tokens: -1, Bytes: -1}
}
