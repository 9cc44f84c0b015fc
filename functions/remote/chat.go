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
	choice := members(leading(m["choices"]))
	for _, place := range []map[string]json.RawMessage{choice, members(choice["message"])} {
		if !well(place["error"]) {
			return faultIn(place["error"], place)
		}
	}
	return nil
}

// chatReply reads the first choice of a chat completion.
func chatReply(body json.RawMessage) reply {
	m := members(body)
	r := reply{usage: given(m["usage"])}
	choice := members(leading(m["choices"]))
	if e, ok := chatFault(body).(*inBandError); ok { // beside other predictions, which are fine
		r.problem = "The server answered an error: " + e.message
		return r
	}
	if choice == nil {
		r.problem = lacks(m, "choices")
		return r
	}
	message := members(choice["message"])
	text := chatText(message["content"])
	if message == nil {
		text = words(choice["text"]) // of the older completions
	}
	reason := words(choice["finish_reason"])
	thought := says(message["reasoning_content"]) || says(message["reasoning"]) || says(message["reasoning_details"]) ||
		quantity(members(members(m["usage"])["completion_tokens_details"])["reasoning_tokens"]) > 0
	// Servers without a parser for it leave the reasoning in the text; cut short, there is nothing else.
	cut := outOfTokens[plainName(reason)]
	if onlyThought(text, cut) {
		text, thought = "", true
	}
	r.say(text)
	called := calledTool(message)
	switch {
	case says(message["refusal"]):
		r.fail("The model refused" + because(message["refusal"]))
	case refusal(message["content"]) != nil:
		r.fail("The model refused" + because(refusal(message["content"])))
	case filtered(reason):
		r.problem = "The answer was stopped: " + oneLine(reason)
	case stopped[plainName(reason)]:
		r.fail("The answer was stopped: " + oneLine(reason))
	case called != "" || reason == "tool_calls" || reason == "function_call":
		r.fail(strings.Join(strings.Fields("The answer has no text: the model called the tool "+called+" ("+oneLine(reason)+")."), " "))
	case r.text != nil:
	case cut:
		r.problem = noRoom(reason, thought)
	case message == nil && string(choice["message"]) != "null":
		r.problem = lacks(choice, "message")
	case reason != "" && reason != "stop":
		r.problem = "The answer has no text: " + oneLine(reason) + "."
	case thought && !says(message["content"]):
		r.problem = "The answer has no text: the model wrote its reasoning and no answer."
	case says(message["content"]) && elements(message["content"]) == nil && words(message["content"]) == "":
		r.problem = lacks(message, "content")
	case says(m["error"]) && !wellWords[plainName(faultIn(m["error"], m).message)]: // its code says success, and nothing else does
		r.problem = "The server answered an error: " + faultIn(m["error"], m).message
	default:
		r.problem = "The answer has no text."
	}
	return r
}

// stopped are the reasons, by [plainName], for which a text is not the model's answer.
var stopped = map[string]bool{"error": true, "abort": true, "aborted": true, "cancelled": true, "canceled": true,
	"insufficientsystemresource": true}

// outOfTokens are the reasons of an answer that was cut off at a bound.
var outOfTokens = map[string]bool{"length": true, "maxtokens": true, "maxoutputtokens": true, "modellength": true, "maxlength": true}

// filtered reports a reason that is a filter's: OpenAI's word, perhaps with Google's behind it, or Google's own.
func filtered(reason string) bool {
	name := plainName(reason)
	switch name {
	case "safety", "recitation", "blocklist", "prohibitedcontent", "spii", "sensitive":
		return true
	}
	return strings.HasPrefix(name, "contentfilter")
}

// thoughts are the marks around reasoning in a text.
var thoughts = [...][2]string{
	{"<think>", "</think>"}, {"<thinking>", "</thinking>"}, {"<thought>", "</thought>"}, {"[THINK]", "[/THINK]"}, {"◁think▷", "◁/think▷"},
}

// onlyThought reports a text that is reasoning and nothing else: cut off within, or before anything came behind it.
func onlyThought(text string, cut bool) bool {
	text = strings.TrimSpace(text)
	for _, mark := range thoughts {
		if rest, ok := strings.CutPrefix(text, mark[0]); ok {
			_, after, closed := strings.Cut(rest, mark[1])
			return closed && strings.TrimSpace(after) == "" || !closed && cut
		}
	}
	return false
}

// refusal is that of a content that is a list of parts; nil for none.
func refusal(content json.RawMessage) json.RawMessage {
	for _, e := range elements(content) {
		if p := members(e); says(p["refusal"]) {
			return p["refusal"]
		}
	}
	return nil
}

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
