// Package vertextest is a Vertex AI in this process, for tests and for work without an account.
//
// One port speaks REST (HTTP/1.1 and HTTP/2 in clear text) and gRPC, so one base_url serves both. It answers :predict of custom endpoints
// by a function of the caller's, of text and multimodal embedding models with vectors made from the text's hash, :generateContent and
// :streamGenerateContent of Gemini by a script or an echo, :embedContent, and :rawPredict and chat completions of partner models. The
// limits of the real service hold (instances and tokens per request, sizes, fields, values), so a caller that ignores them fails here too.
// Start with [New].
//
// # Faults
//
// A [Fault] befalls the requests it matches: latency, errors with or without Retry-After, dropped connections, broken or endless answers,
// safety blocks, wrong counts and types. [Server.Requests] says what was asked, [Server.Peak] how many at once.
//
// # Scripts, logs and records
//
// [ReadScript] reads answers, predictions, faults and settings from a file. Options.Log gets every request as a line of JSON ([LogLine]).
// Options.Record keeps exchanges, with Options.Forward those of the real service, and Options.Replay answers from them; none of these files
// holds credentials.
//
// # What it is not
//
// It has no models: answers are deterministic and mean nothing unless the caller supplies [Options.Endpoint], [Options.Generate] or
// [Options.Embed]. It checks no permissions beyond [Options.Token].
package vertextest
