package remote

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
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

var pageTitle = regexp.MustCompile(`(?is)<(?:title|h1)[^>]*>(.*?)</(?:title|h1)>`)

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
		if t := pageTitle.FindSubmatch(b); t != nil && oneLine(string(t[1])) != "" {
			return "a page (HTML or XML), not JSON: " + oneLine(string(t[1]))
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

// inBandError is an error that came as an answer, with a status of success: whole, or in the place of one result.
type inBandError struct {
	status    int // HTTP status by the error's code; 0 when it has none
	reason    string
	message   string
	permanent bool
}

func (e *inBandError) Error() string             { return e.message }
func (e *inBandError) HTTPStatus() int           { return e.status }
func (e *inBandError) Reason() string            { return e.reason }
func (e *inBandError) Message() string           { return e.message }
func (e *inBandError) Final() bool               { return e.permanent }
func (e *inBandError) RetryAfter() time.Duration { return 0 }

// inBand finds the error in an answer that is one, in the forms of Google, OpenAI, Anthropic, OpenRouter, vLLM, Mistral, Ollama, FastAPI,
// Cloudflare, MiniMax and Baidu. results are the fields that an answer has otherwise.
func inBand(m map[string]json.RawMessage, results ...string) error {
	if says(m["error"]) && !silent(m["error"]) {
		return faultIn(m["error"], m)
	}
	for _, r := range results {
		if says(m[r]) {
			return nil
		}
	}
	// Nothing that was asked for, but words.
	for _, key := range []string{"errors", "message", "detail", "base_resp", "msg", "error_msg", "error_message", "error_description", "reason"} {
		if raw := m[key]; says(raw) && (members(raw) == nil || !silent(raw) && members(raw)["content"] == nil) {
			return faultIn(raw, m)
		}
	}
	return nil
}

// silent reports an object of which no field says anything, as gateways send them beside what was asked for.
func silent(raw json.RawMessage) bool {
	m := members(raw)
	for _, v := range m {
		if says(v) && string(v) != `"0"` {
			return false
		}
	}
	return m != nil
}

// layers are the objects of an error, from the inside out: gateways wrap what they got into lists and objects of their own.
func layers(raw json.RawMessage) (out []map[string]json.RawMessage) {
	for range 4 {
		if list := elements(raw); len(list) == 1 {
			raw = list[0]
		}
		m := members(raw)
		if m == nil {
			break
		}
		out = append(out, m)
		if raw = m["error"]; raw == nil {
			raw = m["errors"]
		}
	}
	slices.Reverse(out)
	return out
}

// faultIn reads an error, which is an object or a text, inside of an object that may have its code.
func faultIn(raw json.RawMessage, around map[string]json.RawMessage) *inBandError {
	e := &inBandError{message: words(raw)}
	places := layers(raw)
	for _, keys := range [][]string{
		{"message", "detail", "msg", "error_msg", "error_message", "status_msg", "error", "reason"}, {"type", "code"},
	} {
		for _, m := range places {
			for _, key := range keys {
				if e.message == "" {
					e.message = words(m[key])
				}
			}
		}
	}
	if e.message == "" {
		e.message = words(around["message"])
	}
	if e.message == "" {
		e.message = clip(string(raw), 200)
	}
	e.message = oneLine(e.message)
	for _, m := range append(places, around) {
		for _, key := range sortedKeys(m) {
			switch plainName(key) {
			case "code", "status", "statuscode", "errorcode", "httpstatus", "httpcode":
			case "type", "errortype":
			default:
				continue
			}
			if n := quantity(m[key]); e.status == 0 && n >= 400 && n <= 599 {
				e.status = int(n)
			} else if e.status == 0 {
				e.status = statusOf(words(m[key]))
			}
			if plainName(words(m[key])) == "insufficientquota" {
				e.permanent = true
			}
		}
	}
	if e.reason = reasons[e.status]; e.reason == "" && e.status == 529 {
		e.reason = "UNAVAILABLE"
	}
	return e
}

// statusOf is the HTTP status that an error of this name has where it comes as one; 0 for names that nobody knows.
func statusOf(name string) int {
	name = plainName(name)
	if status, ok := errorNames[name]; ok {
		return status
	}
	for _, part := range []struct {
		name   string
		status int
	}{{"ratelimit", 429}, {"toomanyrequests", 429}, {"overloaded", 503}, {"unavailable", 503}, {"timeout", 504}, {"timedout", 504}} {
		if strings.Contains(name, part.name) {
			return part.status
		}
	}
	return 0
}

// plainName is a name of an error in lower case, without what stands between its words.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// errorNames are the names that the APIs give to errors, with the HTTP status that each has where it comes as one.
var errorNames = map[string]int{
	"resourceexhausted": 429, "ratelimitexceeded": 429, "ratelimiterror": 429, "toomanyrequests": 429, "insufficientquota": 429,
	"unavailable": 503, "overloaded": 503, "overloadederror": 503, "engineoverloaded": 503, "serviceunavailable": 503,
	"serverisoverloaded": 503,
	"internal":           500, "internalerror": 500, "internalservererror": 500, "servererror": 500, "apierror": 500,
	"deadlineexceeded": 504, "timeout": 504, "timeouterror": 504, "aborted": 409, "unimplemented": 501,
	"invalidargument": 400, "invalidrequest": 400, "invalidrequesterror": 400, "badrequest": 400, "badrequesterror": 400,
	"failedprecondition": 400, "contextlengthexceeded": 400, "contentpolicyviolation": 400,
	"unauthenticated": 401, "authenticationerror": 401, "invalidapikey": 401, "permissiondenied": 403, "permissionerror": 403,
	"notfound": 404, "notfounderror": 404, "modelnotfound": 404, "requesttoolarge": 413,
}

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
