package remote

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/webpage"
)

// readAnswer gives the JSON object that an answer is. It reads what servers really send: a byte order mark before it, and bare NaN and
// infinities in it. The error says what came instead.
func readAnswer(raw []byte) (json.RawMessage, error) {
	b := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(raw), []byte("\xEF\xBB\xBF")))
	if len(b) > 0 && (b[0] == '{' || b[0] == '[') {
		if fixed, ok := finite(b); ok && !json.Valid(b) {
			b = fixed
		}
		if json.Valid(b) {
			if b[0] == '{' {
				return b, nil
			}
			// Google's gateways give errors as a list of one.
			if list := elements(b); len(list) == 1 && members(list[0])["error"] != nil {
				return list[0], nil
			}
		}
	}
	return nil, &errAnswer{fmt.Errorf("the answer is %s", whatCame(b))}
}

// whatCame names an answer that is no JSON object.
func whatCame(b []byte) string {
	if len(b) == 0 {
		return "empty"
	}
	begins := fmt.Sprintf("it begins with %q", clip(strings.ToValidUTF8(string(b[:min(len(b), 240)]), "\uFFFD"), 60))
	switch {
	case bytes.HasPrefix(b, []byte("\xFF\xFE")), bytes.HasPrefix(b, []byte("\xFE\xFF")), len(b) > 1 && (b[0] == 0 || b[1] == 0):
		return "text in UTF-16, not JSON in UTF-8"
	case bytes.HasPrefix(b, []byte("data:")), bytes.HasPrefix(b, []byte("event:")), bytes.HasPrefix(b, []byte("id:")),
		bytes.HasPrefix(b, []byte("retry:")), b[0] == ':':
		return "a stream of events (SSE), not one JSON object: switch streaming off at the server or gateway; " + begins
	case b[0] == '<':
		if t := oneLine(webpage.Title(string(b))); t != "" {
			return "a page (HTML or XML), not JSON: " + t
		}
		return "a page (HTML or XML), not JSON: " + begins
	case json.Valid(b):
		return "JSON, but no object: " + begins
	}
	var first json.RawMessage
	if d := json.NewDecoder(bytes.NewReader(b)); d.Decode(&first) == nil && first[0] == '{' {
		return "more than one JSON value, as a stream has them: switch streaming off at the server or gateway; " + begins
	}
	return "not JSON, or was cut short: " + begins
}

// The readers below take JSON apart a level at a time, and never fail: a field that nobody needs may have any form, and one that is
// needed and has another form counts as missing.

// members are the fields of an object; nil for anything else.
func members(raw json.RawMessage) (m map[string]json.RawMessage) {
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}

// elements are those of a list; nil for anything else.
func elements(raw json.RawMessage) (list []json.RawMessage) {
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

// first is the first element of a list; nil where there is none.
func first(raw json.RawMessage) json.RawMessage {
	if list := elements(raw); len(list) > 0 {
		return list[0]
	}
	return nil
}

// leading is the element of a list whose index is 0, for servers give several answers in the order in which they were ready; else its
// first.
func leading(raw json.RawMessage) json.RawMessage {
	for _, e := range elements(raw) {
		if index := given(members(e)["index"]); index != nil {
			if n, ok := readInt(index); ok && n == 0 {
				return e
			}
		}
	}
	return first(raw)
}

// words is a text; "" for anything else.
func words(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// quantity is a number of tokens, which servers write as 5, 5.0 or "5"; 0 for anything else.
func quantity(raw json.RawMessage) int64 {
	f, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil || !(f > 0) {
		return 0
	}
	return int64(min(f, 1e12))
}

// says reports whether a field says anything: it is there, and not null, false, 0, "" or empty.
func says(raw json.RawMessage) bool {
	switch strings.Join(strings.Fields(string(raw[:min(len(raw), 16)])), "") {
	case "", "null", "false", "0", `""`, "{}", "[]":
		return false
	}
	return true
}

// lacks says that a field with the answer's texts is missing, or has a form that cannot be read. What came stands in it: whatever the
// server wanted to say, its words are not lost.
func lacks(m map[string]json.RawMessage, name string) string {
	switch raw := given(m[name]); {
	case raw == nil && len(m) == 0, len(m) == 1 && (m[name] != nil && raw == nil || string(raw) == "[]"):
		return "The answer has no " + name + "."
	case raw == nil, string(raw) == "[]":
		whole, err := marshal(m)
		if err != nil {
			return "The answer has no " + name + "; it has " + listed(m) + "."
		}
		return "The answer has no " + name + "; it is " + clip(string(whole), 200)
	default:
		return "The answer has an unknown form: " + name + " is " + clip(string(raw), 60)
	}
}

// errNotText is a status: JSON is UTF-8, and other bytes would silently become other characters.
const errNotText = "The answer is not valid UTF-8; the server writes another encoding."

// tokens reads what a response says about its use of tokens, in any of the formats' words.
func tokens(raw json.RawMessage) (in, out int64) {
	m := members(raw)
	u := members(m["usageMetadata"])
	in, out = quantity(u["promptTokenCount"]), quantity(u["candidatesTokenCount"])+quantity(u["thoughtsTokenCount"])
	u = members(m["usage"])
	in += quantity(u["input_tokens"]) + quantity(u["prompt_tokens"])
	out += quantity(u["output_tokens"]) + quantity(u["completion_tokens"])
	return in, out
}
