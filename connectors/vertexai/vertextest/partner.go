package vertextest

import (
	"context"
	"fmt"
	"strings"
)

// claude is :rawPredict of Anthropic's models: the Messages API, with the model in the path.
func (c *call) claude(ctx context.Context) *reply {
	m := c.object()
	if m["anthropic_version"] != "vertex-2023-10-16" {
		return failf(400, "anthropic_version: Field required, and must be vertex-2023-10-16")
	}
	most, has := number(m["max_tokens"])
	if !has || most < 1 {
		return failf(400, "max_tokens: Field required")
	}
	if _, has := m["model"]; has {
		return failf(400, "model: Extra inputs are not permitted")
	}
	text := chatText(m)
	if text == "" {
		return failf(400, "messages: text content blocks must be non-empty")
	}
	system, _ := m["system"].(string)
	answer, r := c.say(ctx, Prompt{Model: c.Model, System: system, Text: text})
	if r != nil {
		return r
	}
	stop := "end_turn"
	if cut, was := cutTokens(answer, int(most)); was {
		answer, stop = cut, "max_tokens"
	}
	return ok(map[string]any{
		"id": fmt.Sprintf("msg_vrtx_%016x", hash(c.Resource, text)), "type": "message", "role": "assistant", "model": c.Model,
		"content": []any{map[string]any{"type": "text", "text": answer}}, "stop_reason": stop, "stop_sequence": nil,
		"usage": map[string]any{"input_tokens": c.Tokens, "output_tokens": CountTokens(answer)},
	})
}

// chat is the chat completions API, of Mistral's :rawPredict and of endpoints/openapi.
func (c *call) chat(ctx context.Context) *reply {
	m := c.object()
	model, _ := m["model"].(string)
	if model == "" {
		return failf(400, "The request has no model.")
	}
	text := chatText(m)
	if text == "" {
		return failf(400, "The request has no messages.")
	}
	answer, r := c.say(ctx, Prompt{Model: model, Text: text})
	if r != nil {
		return r
	}
	finish := "stop"
	if most, has := number(m["max_tokens"]); has {
		if cut, was := cutTokens(answer, int(most)); was {
			answer, finish = cut, "length"
		}
	}
	n := CountTokens(answer)
	return ok(map[string]any{
		"id": fmt.Sprintf("chatcmpl-%016x", hash(c.Resource, text)), "object": "chat.completion", "created": c.Time.Unix(), "model": model,
		"choices": []any{map[string]any{"index": 0, "finish_reason": finish, "message": map[string]any{"role": "assistant", "content": answer}}},
		"usage":   map[string]any{"prompt_tokens": c.Tokens, "completion_tokens": n, "total_tokens": c.Tokens + n},
	})
}

// say answers a partner model's prompt by the script, the hook or an echo.
func (c *call) say(ctx context.Context, p Prompt) (string, *reply) {
	if r, filled := c.server.match(p); r != nil {
		if r.Status != 0 {
			return "", failf(r.Status, "%s", filled)
		}
		return filled, nil
	}
	text, err := c.server.write(ctx, p)
	if err != nil {
		return "", hookError(err)
	}
	return text, nil
}

// chatText joins the texts of the user's messages, which are strings or lists of parts.
func chatText(m map[string]any) string {
	var b strings.Builder
	list, _ := m["messages"].([]any)
	for _, e := range list {
		msg, _ := e.(map[string]any)
		if msg["role"] != "user" {
			continue
		}
		if s, isText := msg["content"].(string); isText {
			b.WriteString(s)
			continue
		}
		b.WriteString(textOf(msg["content"]))
	}
	return b.String()
}
