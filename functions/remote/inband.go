package remote

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/webpage"
)

// inBand finds the error in an answer that is one, in the forms of Google, OpenAI, Anthropic, OpenRouter, vLLM, Mistral, Ollama, FastAPI,
// Cloudflare, MiniMax and Baidu. results are the fields that an answer has otherwise.
func inBand(m map[string]json.RawMessage, results ...string) error {
	if !well(m["error"]) {
		return faultIn(m["error"], m)
	}
	for _, r := range results {
		if says(m[r]) {
			return nil
		}
	}
	// Nothing that was asked for, but words.
	for _, key := range []string{"errors", "message", "detail", "base_resp", "msg", "error_msg", "error_message", "error_description",
		"reason"} {
		if raw := m[key]; !well(raw) && members(raw)["content"] == nil {
			return faultIn(raw, m)
		}
	}
	return nil
}

// well reports an error that says that there is none, as gateways send it beside what was asked for: null, {}, "None", {"code": "0",
// "message": "success"}. A code decides, where there is one: words may be in any language.
func well(raw json.RawMessage) bool {
	if !says(raw) {
		return true
	}
	if list := elements(raw); list != nil {
		return !slices.ContainsFunc(list, func(e json.RawMessage) bool { return !well(e) })
	}
	m := members(raw)
	if m == nil {
		word := strings.Trim(string(raw), `"`)
		n, err := strconv.ParseFloat(word, 64)
		return err == nil && (n == 0 || n >= 200 && n < 300) || wellWords[plainName(strings.TrimSpace(word))]
	}
	coded, fine := false, true
	for key, v := range m {
		switch plainName(key) {
		case "code", "status", "statuscode", "errorcode", "errcode", "errno", "retcode", "httpstatus", "httpcode":
			if v = given(v); v == nil || string(v) == `""` {
				continue
			}
			if coded = true; !well(v) {
				return false
			}
		default:
			fine = fine && well(v)
		}
	}
	return coded || fine
}

// wellWords are the words, by [plainName], that say that there is no error.
var wellWords = map[string]bool{
	"": true, "none": true, "null": true, "nil": true, "ok": true, "success": true, "succeeded": true, "successful": true, "noerror": true,
	"noerrors": true,
	"false":    true, "n/a": true, "na": true, "undefined": true, "completed": true,
}

// layers are the objects of an error, from the inside out: gateways wrap what they got into lists and objects of their own.
func layers(raw json.RawMessage) (out []map[string]json.RawMessage) {
	for range 4 {
		for _, e := range elements(raw) {
			if raw = e; !well(e) {
				break
			}
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
	if e.message = oneLine(webpage.Text(e.message)); e.message == "" {
		e.message = "a page (HTML or XML) without words"
	}
	for _, m := range append(places, around) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
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
