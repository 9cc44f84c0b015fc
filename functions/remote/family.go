package remote

import "strings"

// Family is a kind of model: it decides the arguments that a function takes, the form of its requests and its limits.
type Family int

// The families. Auto tells the family from the endpoint of Vertex AI.
const (
	Auto            Family = iota
	Custom                 // the user's own model on an endpoint: typed INPUT and OUTPUT
	Gemini                 // generateContent
	Claude                 // rawPredict, messages
	Llama                  // rawPredict, chat completions
	Mistral                // rawPredict, chat completions
	Open                   // an open model deployed to an endpoint: predict
	OpenAI                 // chat/completions of a server that speaks OpenAI's API
	TextEmbedding          // text-embedding-*, text-multilingual-embedding-*: predict
	GeminiEmbedding        // gemini-embedding-001: predict, one text per request
	EmbedContent           // gemini-embedding-2: embedContent
	Multimodal             // multimodalembedding: predict
	OpenEmbedding          // an open embedding model deployed to an endpoint: predict
	OpenAIEmbedding        // embeddings of a server that speaks OpenAI's API
)

var familyNames = [...]string{"model", "custom endpoint", "Gemini", "Claude", "Llama", "Mistral", "open", "OpenAI-compatible",
	"text embedding", "Gemini embedding", "Gemini embedding 2", "multimodal embedding", "open embedding", "OpenAI-compatible embedding"}

// String is the family as messages name it.
func (f Family) String() string {
	if f < 0 || int(f) >= len(familyNames) {
		return "unknown"
	}
	return familyNames[f]
}

// Model names a model of the family with its article, as in "an open model".
func (f Family) Model() string {
	if n := f.String(); strings.IndexByte("aeiouO", n[0]) >= 0 {
		return "an " + n + " model"
	} else if f != Auto {
		return "a " + n + " model"
	}
	return "a model"
}

// Text reports whether the family generates text.
func (f Family) Text() bool { return f >= Gemini && f <= OpenAI }

// Embedding reports whether the family makes embeddings.
func (f Family) Embedding() bool { return f >= TextEmbedding && f <= OpenAIEmbedding }

// ModelName is the last part of an endpoint: the publisher's name for the model.
func ModelName(endpoint string) string {
	endpoint = strings.TrimRight(endpoint, "/")
	return endpoint[strings.LastIndexByte(endpoint, '/')+1:]
}

// FamilyOf tells the family of a model of Vertex AI by its endpoint, a name or a URL: publishers and names are Google's. It is Auto for
// endpoints that are a project's own (…/endpoints/ID) and for names it does not know.
func FamilyOf(endpoint string) Family {
	e := strings.ToLower(endpoint)
	if _, after, ok := strings.Cut(e, "/publishers/"); ok {
		e = after
	} else if strings.Contains(e, "/endpoints/") && !strings.Contains(e, "/endpoints/openapi") {
		return Auto
	}
	name := ModelName(e)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.HasPrefix(name, p) || strings.Contains(e, p+"/models/") {
				return true
			}
		}
		return false
	}
	switch {
	case strings.HasPrefix(name, "gemini-embedding-2"):
		return EmbedContent
	case strings.HasPrefix(name, "gemini-embedding"):
		return GeminiEmbedding
	case strings.HasPrefix(name, "multimodalembedding"):
		return Multimodal
	case has("text-embedding", "text-multilingual-embedding", "textembedding-gecko"):
		return TextEmbedding
	case has("gemini"):
		return Gemini
	case has("claude", "anthropic"):
		return Claude
	case has("mistral", "codestral", "ministral", "mixtral", "mistralai"):
		return Mistral
	case has("llama", "meta"), strings.Contains(e, "meta/"):
		return Llama
	}
	return Auto
}
