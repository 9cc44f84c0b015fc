package remote

import (
	"encoding/json"
	"strings"
)

// partnerFormat is chat completions of Google's partners, Llama and Mistral, by rawPredict
// (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/llama/use-llama).
type partnerFormat struct{}

func (partnerFormat) method() string { return "rawPredict" }

func (partnerFormat) frame(c *textCodec) error {
	s, o := c.spec, &c.spec.Options
	name := ModelName(s.Endpoint)
	if s.Family == Llama && !strings.Contains(name, "/") {
		name = "meta/" + name
	}
	c.frame["model"] = name
	put(c.frame, "max_tokens", o.MaxOutputTokens)
	c.putSampling()
	return nil
}

func (partnerFormat) around() (before, after string) {
	return `{"messages":[{"role":"user","content":`, `}]`
}

func (partnerFormat) check(body json.RawMessage) error { return chatFault(body) }
func (partnerFormat) reply(body json.RawMessage) reply { return chatReply(body) }

// putSampling writes what all chat completions call alike.
func (c *textCodec) putSampling() {
	o := &c.spec.Options
	put(c.frame, "temperature", o.Temperature)
	put(c.frame, "top_p", o.TopP)
	if len(o.StopSequences) > 0 {
		c.frame["stop"] = o.StopSequences
	}
	c.temperature = number(c.frame["temperature"])
}

// chatFault finds the error in a chat completion, or in its choice.
func chatFault(body json.RawMessage) error {
	m := members(body)
	if err := inBand(m, "choices"); err != nil {
		return err
	}
	choice := members(first(m["choices"]))
	for _, place := range []map[string]json.RawMessage{choice, members(choice["message"])} {
		if says(place["error"]) {
			return faultIn(place["error"], place)
		}
	}
	return nil
}

// chatReply reads the first choice of a chat completion.
func chatReply(body json.RawMessage) reply {
	m := members(body)
	r := reply{usage: given(m["usage"])}
	choice := members(first(m["choices"]))
	if choice == nil {
		r.problem = lacks(m, "choices")
		return r
	}
	if e, ok := chatFault(body).(*inBandError); ok { // beside other predictions, which are fine
		r.problem = "The server answered an error: " + e.message
		return r
	}
	message := members(choice["message"])
	text := chatText(message["content"])
	if message == nil {
		text = words(choice["text"]) // of the older completions
	}
	reason := words(choice["finish_reason"])
	thought := says(message["reasoning_content"]) || says(message["reasoning"]) ||
		quantity(members(members(m["usage"])["completion_tokens_details"])["reasoning_tokens"]) > 0
	// Servers without a parser for it leave the reasoning in the text; cut short, there is nothing else.
	cut := reason == "length" || reason == "max_tokens" || reason == "model_length"
	if cut && strings.HasPrefix(strings.TrimSpace(text), "<think>") && !strings.Contains(text, "</think>") {
		text, thought = "", true
	}
	r.say(text)
	called := calledTool(message)
	switch {
	case says(message["refusal"]):
		r.fail("The model refused" + because(message["refusal"]))
	case stopped[reason]:
		r.problem = "The answer was stopped: " + reason
		if reason != "content_filter" {
			r.text = nil
		}
	case called != "" || reason == "tool_calls" || reason == "function_call":
		r.fail("The answer has no text: the model called the tool " + called + " (" + reason + ").")
	case r.text != nil:
	case cut:
		r.problem = noRoom(reason, thought)
	case reason != "" && reason != "stop":
		r.problem = "The answer has no text: " + oneLine(reason) + "."
	case says(message["content"]) && elements(message["content"]) == nil && words(message["content"]) == "":
		r.problem = lacks(message, "content")
	default:
		r.problem = "The answer has no text."
	}
	return r
}

// stopped are the reasons for which a text is not the model's answer.
var stopped = map[string]bool{"content_filter": true, "error": true, "abort": true, "cancelled": true, "insufficient_system_resource": true}

// chatText is a message's content: a text, null, or the list of parts that some servers give, of which thoughts are left out.
func chatText(raw json.RawMessage) string {
	var b strings.Builder
	b.WriteString(words(raw))
	for _, e := range elements(raw) {
		b.WriteString(words(e))
		if p := members(e); p != nil && words(p["type"]) != "thinking" && words(p["type"]) != "reasoning" {
			b.WriteString(words(p["text"]))
		}
	}
	return b.String()
}

// calledTool names the tool that a message calls; "" for none.
func calledTool(message map[string]json.RawMessage) string {
	for _, call := range []json.RawMessage{first(message["tool_calls"]), message["function_call"]} {
		if m := members(call); m != nil {
			f := m
			if inner := members(m["function"]); inner != nil {
				f = inner
			}
			if name := words(f["name"]); name != "" {
				return oneLine(name)
			}
			return "(without a name)"
		}
	}
	return ""
}
