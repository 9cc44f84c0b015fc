package remote

import (
	"context"
	"encoding/json"
)

// Service is one connection to a provider. It is safe for concurrent use, gives up at once when the context ends, and
// does not retry: the runtime does.
//
// endpoint is the model's full URL without the method, such as
// https://HOST/v1/projects/P/locations/L/publishers/google/models/M.
//
// An error that came from the provider offers HTTPStatus() int, RetryAfter() time.Duration and Reason() string (such as
// RESOURCE_EXHAUSTED), found by errors.As, and perhaps Message() string, the cause alone. Without an HTTP answer the status
// is 0 and the reason NETWORK or BAD_ANSWER, which are tried again. Its text must hold no secret: it becomes data.
type Service interface {
	// Predict is endpoints.predict, or :predict of a publisher's model. It returns the response body.
	Predict(ctx context.Context, endpoint string, instances []json.RawMessage, parameters json.RawMessage) (json.RawMessage, error)
	// GenerateContent is Gemini's :generateContent. header holds extra request headers.
	GenerateContent(ctx context.Context, endpoint string, body json.RawMessage, header map[string]string) (json.RawMessage, error)
	// RawPredict is :rawPredict, for Claude and Mistral, or the chat completions of Llama.
	RawPredict(ctx context.Context, endpoint string, body json.RawMessage) (json.RawMessage, error)
	// EmbedContent is :embedContent of gemini-embedding-2.
	EmbedContent(ctx context.Context, endpoint string, body json.RawMessage) (json.RawMessage, error)
}
