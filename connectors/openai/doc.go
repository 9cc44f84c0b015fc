// Package openai asks any server that speaks OpenAI's API: OpenAI, Ollama, llama.cpp, vLLM and others.
//
// It sends the bodies of that API as they are and gives the answers as they came. One call is one request; nothing is retried, cached or
// translated here. Only Options decide where and with which key: OPENAI_* variables of the environment are not read, because a key for
// one server must not reach another. Start with [New].
package openai
