package remote

import (
	"context"
	"encoding/json"
)

// Service is one connection to a provider. It is safe for concurrent use, gives up at once when the context ends, and
// does not retry: the runtime does.
type Service interface {
	// Call sends one request by a method of the provider's API, in the form that the API has for it, and returns the body of
	// the answer as it came. The methods are Vertex AI's predict, generateContent, rawPredict and embedContent, and OpenAI's
	// chat/completions and embeddings. header holds further request headers.
	//
	// endpoint is [Spec.Endpoint]: for Vertex AI the model's full URL without the method, such as
	// https://HOST/v1/projects/P/locations/L/publishers/google/models/M.
	//
	// An error that came from the provider offers HTTPStatus() int, RetryAfter() time.Duration and Reason() string (such as
	// RESOURCE_EXHAUSTED), found by errors.As, and perhaps Message() string, the cause alone, and Final() bool, that no later
	// try can pass. Without an HTTP answer the status is 0 and the reason NETWORK or BAD_ANSWER, which are tried again. Its
	// text must hold no secret: it becomes data.
	Call(ctx context.Context, method, endpoint string, body json.RawMessage, header map[string]string) (json.RawMessage, error)
}
