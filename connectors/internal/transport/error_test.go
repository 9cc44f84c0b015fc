package transport

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2015, 10, 21, 7, 28, 0, 0, time.UTC)
	for give, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "1.5": 1500 * time.Millisecond, "-1": 0, "0": 0, "soon": 0, "NaN": 0, " 3 ": 3 * time.Second,
		"Wed, 21 Oct 2015 07:28:30 GMT": 30 * time.Second, "Wed, 21 Oct 2015 07:27:00 GMT": 0, "1e300": 100 * 365 * 24 * time.Hour,
	} {
		if got := retryAfter(http.Header{"Retry-After": {give}}, now); got != want {
			t.Errorf("%q: %v, want %v", give, got, want)
		}
	}
	if got := retryAfter(http.Header{"Retry-After": {"1"}, "Retry-After-Ms": {"250"}}, now); got != 250*time.Millisecond {
		t.Errorf("milliseconds: %v", got)
	}
}

// The words of a refusal, in the forms that servers have for them; a field of another type costs nothing else.
func TestRefused(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		want       Error
	}{
		{"Google's", `{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"x/google.rpc.RetryInfo","retryDelay":"1s"}]}}`, 429, Error{Code: "RESOURCE_EXHAUSTED", Msg: "m", Wait: time.Second}},
		{"a code that is a text", `{"error":{"code":"x","message":"m","type":5}}`, 400, Error{Code: "INVALID_ARGUMENT", Msg: "m"}},
		{"a message that is none", `{"error":{"message":{"a":1},"details":"none"}}`, 400, Error{Code: "INVALID_ARGUMENT", Msg: `{"a":1}`}},
		{"Ollama's", `{"error":"model not found"}`, 404, Error{Code: "NOT_FOUND", Msg: "model not found"}},
		{"vLLM's", `{"object":"error","message":"too long","code":400}`, 400, Error{Code: "INVALID_ARGUMENT", Msg: "too long"}},
		{"FastAPI's", `{"detail":[{"loc":["body"],"msg":"field required"}]}`, 422, Error{Code: "INVALID_ARGUMENT", Msg: `[{"loc":["body"],"msg":"field required"}]`}},
		{"no money", `{"error":{"message":"no quota","type":"insufficient_quota"}}`, 429, Error{Code: "RESOURCE_EXHAUSTED", Msg: "no quota", Permanent: true}},
		{"text", "upstream connect error", 503, Error{Code: "UNAVAILABLE", Msg: "upstream connect error"}},
		{"a page", "<html><head><title>502 Bad\nGateway</title></head></html>", 502, Error{Code: "UNAVAILABLE", Msg: "502 Bad Gateway"}},
		{"a page without a title", "<html></html>", 502, Error{Code: "UNAVAILABLE", Msg: "Bad Gateway"}},
		{"nothing", "", 429, Error{Code: "RESOURCE_EXHAUSTED", Msg: "Too Many Requests"}},
		{"a heading", "<html><body><h1>Bad thing</h1></body></html>", 400, Error{Code: "INVALID_ARGUMENT", Msg: "Bad thing"}},
		{"behind a byte order mark", "\xEF\xBB\xBF{\"error\":{\"message\":\"m\"}}", 400, Error{Code: "INVALID_ARGUMENT", Msg: "m"}},
		{"a JSON text", `"not like this"`, 400, Error{Code: "INVALID_ARGUMENT", Msg: "not like this"}},
		{"a list of texts", `["a", "b"]`, 400, Error{Code: "INVALID_ARGUMENT", Msg: `["a", "b"]`}},
		{"fields of its own", `{"errors":["bad one"]}`, 400, Error{Code: "INVALID_ARGUMENT", Msg: `{"errors":["bad one"]}`}},
		{"an empty message", `{"error":{"message":"","type":"x"}}`, 400, Error{Code: "INVALID_ARGUMENT", Msg: `{"error":{"message":"","type":"x"}}`}},
		{"msg", `{"code":1,"msg":"m"}`, 400, Error{Code: "INVALID_ARGUMENT", Msg: "m"}},
		{"a page in a message", `{"error":{"message":"<html><head><title>503 Busy</title></head></html>","code":503}}`, 503, Error{Code: "UNAVAILABLE", Msg: "503 Busy"}},
		{"XML", "<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>It is gone.</Message></Error>", 404, Error{Code: "NOT_FOUND", Msg: "NoSuchKey It is gone."}},
		{"null", "null", 500, Error{Code: "INTERNAL", Msg: "Internal Server Error"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Subject, tt.want.Status = "s", tt.status
			if got := Refused("s", tt.status, nil, []byte(tt.body)); *got != tt.want {
				t.Errorf("%+v\nwant %+v", *got, tt.want)
			}
		})
	}
}

func FuzzRefused(f *testing.F) {
	f.Add([]byte(`{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"x/google.rpc.RetryInfo","retryDelay":"1s"}]}}`), 429)
	f.Add([]byte(`[{"error":null}]`), 500)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		e := Refused("s", status, http.Header{"Retry-After": {string(body)}}, body)
		if e.Wait < 0 || len([]rune(e.Msg)) > 501 || strings.ContainsAny(e.Msg, "\r\n") || e.Error() == "" {
			t.Fatalf("%+v", e)
		}
	})
}
