// Package openai asks any server that speaks OpenAI's API: OpenAI, Ollama, llama.cpp, vLLM and others.
//
// It takes and gives the JSON of Vertex AI, so that a caller needs one code path: a generateContent body becomes a chat completion, a :predict request
// of a text embedding model becomes an embeddings request, and the answers come back as candidates, predictions and usageMetadata. What the other API has
// no word for (safetySettings, Google Search, files in buckets, top_k, task types) is an error that names it, never dropped.
//
// One call is one request; nothing is retried or cached here. Only Options decide where and with which key: OPENAI_* variables
// of the environment are not read, because a key for one server must not reach another. Start with [New].
package openai
