package remote

import "unicode/utf8"

// Limits bound one request. A zero field takes the value of the table below.
type Limits struct {
	Rows   int // rows per request
	Tokens int // tokens per request, estimated; -1 for no bound
	Bytes  int // bytes of the rows' JSON per request; -1 for no bound
}

// limitsOf is what the APIs document
// (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings and the tutorial for custom
// endpoints). A request body may have 1.5 MB at endpoints.predict.
func limitsOf(f Family) Limits {
	switch f {
	case TextEmbedding, OpenAIEmbedding:
		return Limits{Rows: 250, Tokens: 20_000, Bytes: -1}
	case Custom, OpenEmbedding:
		return Limits{Rows: 128, Tokens: -1, Bytes: 1_400_000}
	}
	return Limits{Rows: 1, Tokens: -1, Bytes: -1}
}

func (l Limits) or(d Limits) Limits {
	if l.Rows > 0 {
		d.Rows = l.Rows
	}
	if l.Tokens != 0 {
		d.Tokens = l.Tokens
	}
	if l.Bytes != 0 {
		d.Bytes = l.Bytes
	}
	return d
}

// estimate guesses the tokens of a text: four ASCII characters, or one other, to a token. Where it is too low, the
// provider refuses the request and the batch is halved.
func estimate(s string) int {
	n := utf8.RuneCountInString(s)
	other := (len(s) - n) / 2 // characters beyond ASCII have two to four bytes
	return (n-min(other, n))/4 + other + 1
}
