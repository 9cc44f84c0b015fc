package remote

import (
	"encoding/json"
	"strings"
)

// claudeFormat is Anthropic's messages, by rawPredict
// (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude).
type claudeFormat struct{}

func (claudeFormat) method() string { return "rawPredict" }

func (claudeFormat) frame(c *textCodec) error {
	o := &c.spec.Options
	if c.frame["anthropic_version"] == nil {
		c.frame["anthropic_version"] = "vertex-2023-10-16"
	}
	put(c.frame, "max_tokens", o.MaxOutputTokens)
	if c.frame["max_tokens"] == nil {
		c.frame["max_tokens"] = 1024 // the API has no default
	}
	put(c.frame, "top_p", o.TopP)
	put(c.frame, "top_k", o.TopK)
	c.temperature = number(c.frame["temperature"])
	return nil
}

func (claudeFormat) around() (before, after string) {
	return `{"messages":[{"role":"user","content":`, `}]`
}

func (claudeFormat) check(body json.RawMessage) error { return inBand(members(body), "content") }

func (claudeFormat) reply(body json.RawMessage) reply {
	m := members(body)
	r := reply{usage: given(m["usage"])}
	if elements(m["content"]) == nil {
		r.problem = lacks(m, "content")
		return r
	}
	var text strings.Builder
	thought, called := false, ""
	for _, raw := range elements(m["content"]) {
		p := members(raw)
		switch words(p["type"]) {
		case "", "text":
			text.WriteString(words(p["text"]))
		case "thinking", "redacted_thinking":
			thought = true
		case "tool_use":
			called = words(p["name"])
		}
	}
	r.say(text.String())
	switch reason := words(m["stop_reason"]); {
	case reason == "refusal":
		r.problem = "The answer was stopped: refusal" + because(members(m["stop_details"])["explanation"])
	case reason == "tool_use" || called != "":
		r.fail("The answer has no text: the model called the tool " + called + ".")
	case r.text != nil:
	case reason == "max_tokens" || reason == "model_context_window_exceeded":
		r.problem = noRoom(reason, thought)
	default:
		r.problem = "The answer has no text."
	}
	return r
}
