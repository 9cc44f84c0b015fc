package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What came where a JSON object should have come is said, and what can be read is read.
func TestReadAnswer(t *testing.T) {
	for give, want := range map[string]string{
		"\xEF\xBB\xBF{\"a\":1}\r\n": `{"a":1}`,
		" \n{\"a\":1} ":             `{"a":1}`,
		`{"predictions":[NaN,[Infinity,-Infinity,-1],"NaN","a\"NaN"]}`: `{"predictions":["NaN",["Infinity","-Infinity",-1],"NaN","a\"NaN"]}`,
		`[{"error":{"code":429}}]`:                                     `{"error":{"code":429}}`,
	} {
		if got, err := readAnswer([]byte(give)); err != nil || string(got) != want {
			t.Errorf("%q: %s %v", give, got, err)
		}
	}
	for give, want := range map[string]string{
		"":  "the answer is empty",
		" ": "the answer is empty",
		"data: {\"choices\":[{\"delta\":{}}]}\n\ndata: [DONE]\n": "the answer is a stream of events (SSE), not one JSON object",
		"event: message_start\ndata: {}\n\n":                     "the answer is a stream of events (SSE)",
		": OPENROUTER PROCESSING\n\n":                            "the answer is a stream of events (SSE)",
		"<!DOCTYPE html><html><head><title>Sign\n in</title>":    "the answer is a page (HTML or XML), not JSON: Sign in",
		"<html>log in</html>":                                    `the answer is a page (HTML or XML), not JSON: it begins with "<html>log in</html>"`,
		"{\"response\":\"a\"}\n{\"response\":\"b\"}\n":           "the answer is more than one JSON value, as a stream has them",
		`{"a":1} x`:               "the answer is more than one JSON value",
		"\xFF\xFE{\x00}\x00":      "the answer is text in UTF-16",
		"\x00{\x00}":              "the answer is text in UTF-16",
		"retry: 3000\n\ndata: {}": "the answer is a stream of events (SSE)",
		`{"choices":[{"mess`:      "the answer is not JSON, or was cut short",
		`{"a":Nan}`:               "the answer is not JSON, or was cut short",
		`{"a":NaN`:                "the answer is not JSON, or was cut short",
		"upstream connect error":  `the answer is not JSON, or was cut short: it begins with "upstream connect error"`,
		"null":                    "the answer is JSON, but no object",
		"[1]":                     "the answer is JSON, but no object",
		`"text"`:                  "the answer is JSON, but no object",
	} {
		got, err := readAnswer([]byte(give))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %s, %v; want %s", give, got, err, want)
		} else if f := judge(err); !f.retryable || f.reason != "INVALID ANSWER" {
			t.Errorf("%q: judged %+v", give, f)
		}
	}
}

// An error that came with a status of success: its own code decides whether it is tried again, and one row's error fails no others.
func TestInBand(t *testing.T) {
	tests := []struct {
		give, reason, detail string
		retryable, throttled bool
	}{
		{`{"error":{"message":"upstream is overloaded","code":503}}`, "UNAVAILABLE", "upstream is overloaded", true, false},
		{`{"error":{"message":"slow down","code":"429"}}`, "RESOURCE EXHAUSTED", "slow down", true, true},
		{`{"error":{"message":"slow down","code":"rate_limit_exceeded"}}`, "RESOURCE EXHAUSTED", "slow down", true, true},
		{`{"error":{"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}`, "RESOURCE EXHAUSTED", "Quota exceeded", true, true},
		{`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, "UNAVAILABLE", "Overloaded", true, false},
		{`{"error":{"message":"no money","type":"insufficient_quota","code":null}}`, "RESOURCE EXHAUSTED", "no money", false, false},
		{`{"error":{"message":"too long","code":400,"metadata":{"x":1}}}`, "INVALID ARGUMENT", "too long", false, false},
		{`{"error":{"message":"flagged","code":403}}`, "PERMISSION DENIED", "flagged", false, false},
		{`{"error":{"code":529}}`, "UNAVAILABLE", `{"code":529}`, true, false},
		{`{"error":"model is loading"}`, "UNKNOWN", "model is loading", false, false},
		{`{"error":"busy","code":503}`, "UNAVAILABLE", "busy", true, false},
		{`{"error":true,"message":"it broke"}`, "UNKNOWN", "it broke", false, false},
		{`{"object":"error","message":"max_tokens too large","type":"BadRequestError","code":400}`, "INVALID ARGUMENT", "max_tokens too large", false, false},
		{`{"detail":"Not authenticated"}`, "UNKNOWN", "Not authenticated", false, false},
		{`{"choices":[{"finish_reason":"error","error":{"code":502,"message":"provider died"},"message":{"content":""}}]}`, "UNAVAILABLE", "provider died", true, false},
		{`{"choices":[{"message":{"content":"half","error":{"code":500,"message":"m"}}}]}`, "INTERNAL", "m", true, false},
		{`{"choices":[{"error":"gone"}]}`, "UNKNOWN", "gone", false, false},
		{`{"error":{"message":"busy","statusCode":503}}`, "UNAVAILABLE", "busy", true, false},
		{`{"error":[{"message":"in a list","code":503}]}`, "UNAVAILABLE", "in a list", true, false},
		{`{"error":{"error":{"message":"wrapped","code":429}}}`, "RESOURCE EXHAUSTED", "wrapped", true, true},
		{`{"error":"full","error_type":"overloaded"}`, "UNAVAILABLE", "full", true, false},
		{`{"error":{"message":"full","code":"model_overloaded"}}`, "UNAVAILABLE", "full", true, false},
		{`{"success":false,"errors":[{"code":7003,"message":"no route"}],"result":null}`, "UNKNOWN", "no route", false, false},
		{`{"code":429,"msg":"too often"}`, "RESOURCE EXHAUSTED", "too often", true, true},
		{`{"error":{"code":0,"message":"","status":"error"},"choices":[{}]}`, "UNKNOWN", `{"code":0,"message":"","status":"error"}`, false, false},
		{`{"error":{"code":"503","message":"success"},"choices":[{}]}`, "UNAVAILABLE", "success", true, false},
		{`{"error":[{"code":0},{"code":500,"message":"half"}],"choices":[{}]}`, "INTERNAL", "half", true, false},
		{`{"error":"none of the workers is up","choices":[{}]}`, "UNKNOWN", "none of the workers is up", false, false},
		{`{"error":{"message":"<html><head><title>502 Bad Gateway</title></head><body>…</body></html>","code":502}}`, "UNAVAILABLE", "502 Bad Gateway", true, false},
		{`{"error":"upstream: <!DOCTYPE html><html><body><h1>Sign &amp; in</h1></body></html>"}`, "UNKNOWN", "upstream: Sign & in", false, false},
		{`{"object":"error","message":"it fell over","choices":null,"code":500}`, "INTERNAL", "it fell over", true, false},
	}
	for _, tt := range tests {
		err := chatFault(json.RawMessage(tt.give))
		if err == nil {
			t.Errorf("%s: no error", tt.give)
			continue
		}
		f := judge(err)
		if f.reason != tt.reason || f.detail != tt.detail || f.retryable != tt.retryable || f.throttled != tt.throttled || f.fatal {
			t.Errorf("%s: %+v", tt.give, f)
		}
	}
	for _, fine := range []string{
		`{"error":null,"choices":[{"message":{"content":"a"},"error":null}]}`, `{"error":{},"choices":[{}]}`, `{"error":"","choices":[]}`,
		`{"message":"hello","choices":[{"message":{"content":"a"}}]}`, `{"error":false,"choices":[{}]}`,
		`{"error":{"code":"0","message":"success"},"choices":[{}]}`, `{"error":"None","choices":[{"error":"none","message":{"error":{"code":200,"message":"OK"}}}]}`,
		`{"error":{"code":0,"message":"成功"},"choices":[{}]}`, `{"error":["none"],"choices":[{}]}`, `{"error":{"message":"No error","type":"none","param":null,"code":null},"choices":[{}]}`,
		`{"error":"0","choices":[{}]}`, `{"error":{"errno":0,"details":[]},"choices":[{}]}`, `{"error":"n/a","choices":[{}]}`, `{"error":{"status":"OK"},"choices":[{}]}`,
		`{"error":{"error":{"code":0}},"choices":[{}]}`, `{"message":"success","code":0}`, `{"errors":[],"detail":"ok"}`,
	} {
		if err := chatFault(json.RawMessage(fine)); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
	for format, body := range map[textFormat]string{
		geminiFormat{}: `{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}`, claudeFormat{}: `{"type":"error","error":{"type":"rate_limit_error","message":"m"}}`,
		openFormat{}: `{"error":"m","code":429}`, partnerFormat{}: `{"object":"error","message":"m","code":429}`,
	} {
		if err := format.check(json.RawMessage(body)); err == nil || !judge(err).throttled {
			t.Errorf("%T %s: %v", format, body, err)
		}
	}
	var inside *inBandError
	if _, err := predictions(json.RawMessage(`{"error":"CUDA out of memory"}`), 1); !errors.As(err, &inside) || inside.message != "CUDA out of memory" {
		t.Errorf("predictions: %v", err)
	}
	if a, err := predictions(json.RawMessage(`{"predictions":[{"error":0.5}]}`), 1); err != nil || len(a) != 1 {
		t.Errorf("an output named error: %v", err)
	}
}

// An error whose code says success hides no answer, and where there is none its words are not lost.
func TestErrorBesideNoText(t *testing.T) {
	for give, want := range map[string]string{
		`{"error":{"code":0,"message":"CUDA OOM"},"choices":[{"message":{"content":null},"finish_reason":"stop"}]}`: "The server answered an error: CUDA OOM",
		`{"error":{"code":"0","message":"success"},"choices":[{"message":{"content":""}}]}`:                         "The answer has no text.",
		`{"error":"None","choices":[{"message":{"content":null}}]}`:                                                 "The answer has no text.",
	} {
		if r := chatReply(json.RawMessage(give)); r.text != nil || r.problem != want {
			t.Errorf("%s: %q, want %q", give, r.problem, want)
		}
	}
	if r := chatReply(json.RawMessage(`{"error":{"code":0,"message":"CUDA OOM"},"choices":[{"message":{"content":"a"}}]}`)); r.text == nil || *r.text != "a" {
		t.Errorf("%+v", r)
	}
}

// Token counts in any form; an unreadable one is 0 and costs nothing else.
func TestTokens(t *testing.T) {
	for give, want := range map[string]string{
		`{"usage":{"prompt_tokens":1.0,"completion_tokens":"2"}}`:         "1 2",
		`{"usage":{"prompt_tokens":"many","completion_tokens":3,"x":[]}}`: "0 3",
		`{"usage":"none"}`: "0 0", `{"usage":[1]}`: "0 0", `{}`: "0 0", `{"usage":{"input_tokens":-4,"output_tokens":1e300}}`: "0 1000000000000",
		`{"usageMetadata":{"promptTokenCount":"5","candidatesTokenCount":2,"thoughtsTokenCount":1}}`: "5 3",
	} {
		in, out := tokens(json.RawMessage(give))
		if got := fmt.Sprint(in, out); got != want {
			t.Errorf("%s: %s, want %s", give, got, want)
		}
	}
}
