package remote

import "encoding/json"

// openFormat is predict of an open model that is deployed to an endpoint: a prompt, or with use_chat_mode a chat completion
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-generate-text).
type openFormat struct{ chat bool }

func (openFormat) method() string { return "predict" }

func (f openFormat) frame(c *textCodec) error {
	o := &c.spec.Options
	put(c.frame, "max_tokens", o.MaxOutputTokens)
	put(c.frame, "temperature", o.Temperature)
	put(c.frame, "top_p", o.TopP)
	put(c.frame, "top_k", o.TopK)
	if f.chat {
		c.frame["@requestFormat"] = "chatCompletions"
	}
	c.temperature = number(c.frame["temperature"])
	return nil
}

func (f openFormat) around() (before, after string) {
	if f.chat {
		return `{"messages":[{"role":"user","content":`, `}]`
	}
	return `{"prompt":`, ""
}

// check implements textFormat; errors of a whole answer are found where it is taken apart.
func (openFormat) check(body json.RawMessage) error { return inBand(members(body), openTexts[:]...) }

// openTexts are the fields in which servers of open models put a text.
var openTexts = [...]string{"choices", "content", "generated_text", "text", "output"}

func (openFormat) reply(body json.RawMessage) reply {
	r := reply{}
	if r.say(words(body)); r.text != nil {
		return r
	}
	m := members(body)
	if m["choices"] != nil {
		return chatReply(body)
	}
	if e, ok := inBand(m, openTexts[:]...).(*inBandError); ok { // beside other predictions, which are fine
		r.problem = "The server answered an error: " + e.message
		return r
	}
	for _, key := range openTexts {
		if r.say(words(m[key])); r.text != nil {
			return r
		}
	}
	r.problem = "The answer has no text."
	return r
}
