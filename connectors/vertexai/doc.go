// Package vertexai asks models on Vertex AI: custom endpoints, Gemini, embedding models and partner models.
//
// It speaks JSON on our side: a request body goes in as the public REST API documents it and the answer's body comes out.
// It does not batch, cache, pace or retry: one call here is one request on the wire, and the error says whether and when to try again.
// Start with [New].
//
// # Transports
//
// REST is the default: bodies pass through unchanged, so fields newer than this package work.
// Google's Go client for the prediction service speaks gRPC only, so REST here is Google's authentication library over net/http, and
// gRPC is the generated client. Both give the same JSON.
//
// # Credentials
//
// Application default credentials, a service account file, an access token from a variable or file, impersonation of a service account, or
// none for an emulator. No error text holds a token.
package vertexai
