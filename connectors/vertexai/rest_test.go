package vertexai

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"google.golang.org/protobuf/types/known/structpb"
)

func TestStatusErrors(t *testing.T) {
	const secret = "ya29.secret"
	tests := []struct {
		name         string
		status       int
		header, body string
		want         Error
		text         string
	}{
		// The body of https://cloud.google.com/apis/design/errors.
		{"Google's", 429, "", `{"error":{"code":429,"message":"Resource exhausted.\nTry again.","status":"RESOURCE_EXHAUSTED","details":[
			{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","domain":"googleapis.com"},
			{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"42.5s"}]}}`,
			Error{Status: 429, Code: "RESOURCE_EXHAUSTED", Detail: "RATE_LIMIT_EXCEEDED", Wait: 42500 * time.Millisecond}, "Resource exhausted. Try again."},
		{"the longer wait", 503, "50", `{"error":{"code":503,"message":"x","status":"UNAVAILABLE","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"42s"}]}}`,
			Error{Status: 503, Code: "UNAVAILABLE", Wait: 50 * time.Second}, "x"},
		{"a list", 400, "", `[{"error":{"code":400,"message":"bad","status":"FAILED_PRECONDITION"}}]`, Error{Status: 400, Code: "FAILED_PRECONDITION"}, "bad"},
		{"Anthropic's", 529, "", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, Error{Status: 529, Code: "UNAVAILABLE"}, "Overloaded"},
		{"Mistral's", 422, "", `{"object":"error","message":"max_tokens too large"}`, Error{Status: 422, Code: "INVALID_ARGUMENT"}, "max_tokens too large"},
		{"a page", 502, "", `<html>` + secret + `</html>`, Error{Status: 502, Code: "UNAVAILABLE"}, "[token]"},
		{"nothing", 404, "", ``, Error{Status: 404, Code: "NOT_FOUND"}, "Check project, location and model"},
		{"permission", 403, "", `{"error":{"message":"Permission denied","status":"PERMISSION_DENIED"}}`, Error{Status: 403, Code: "PERMISSION_DENIED"}, "roles/aiplatform.user"},
		{"quotes the token", 401, "", `{"error":{"message":"bad token ` + secret + `","status":"UNAUTHENTICATED"}}`, Error{Status: 401, Code: "UNAUTHENTICATED"}, "[token]"},
		{"redirect", 307, "", ``, Error{Status: 307, Code: "HTTP_307"}, "not followed"},
		{"half an error", 500, "", `{"error":{"message":"x`, Error{Status: 500, Code: "INTERNAL"}, "Internal Server Error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/else" {
					t.Error("the redirect was followed")
				}
				w.Header().Set("Location", "/else")
				if tt.header != "" {
					w.Header().Set("Retry-After", tt.header)
				}
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer s.Close()
			c, err := New(context.Background(), Options{Auth: AuthToken, TokenEnv: "T", Getenv: func(string) string { return secret }, BaseURL: s.URL})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_, err = c.GenerateContent(context.Background(), gemini, json.RawMessage(`{}`), nil)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%v", err)
			}
			if e.Status != tt.want.Status || e.Code != tt.want.Code || e.Detail != tt.want.Detail || e.Wait != tt.want.Wait {
				t.Errorf("%+v", e)
			}
			if !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestRequestsThatAreNotSent(t *testing.T) {
	c, err := New(context.Background(), Options{Auth: AuthNone, BaseURL: "http://127.0.0.1:1", Transport: TransportGRPC})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ctx := context.Background()
	custom := "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/1"
	for _, tt := range []struct {
		give func() (json.RawMessage, error)
		want string
	}{
		{func() (json.RawMessage, error) { return c.GenerateContent(ctx, gemini, json.RawMessage(`[]`), nil) }, "not a JSON object"},
		{func() (json.RawMessage, error) {
			return c.GenerateContent(ctx, gemini, json.RawMessage(`{"newField":1}`), nil)
		}, "newField"},
		{func() (json.RawMessage, error) {
			return c.Predict(ctx, custom, []json.RawMessage{json.RawMessage(`{`)}, nil)
		}, "instance 0"},
		{func() (json.RawMessage, error) {
			return c.Predict(ctx, custom, []json.RawMessage{json.RawMessage(`1`), json.RawMessage(`[9007199254740993]`)}, nil)
		}, "instance 1: the integer 9007199254740993"},
		{func() (json.RawMessage, error) { return c.RawPredict(ctx, custom, json.RawMessage(`null`)) }, "not a JSON object"},
		{func() (json.RawMessage, error) { return c.EmbedContent(ctx, "nonsense", json.RawMessage(`{}`)) }, "not an endpoint URL"},
	} {
		_, err := tt.give()
		var e *Error
		if !errors.As(err, &e) || e.Status != 400 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}

func TestUnreachable(t *testing.T) {
	for _, transport := range []string{TransportREST, TransportGRPC} {
		c, err := New(context.Background(), Options{Auth: AuthNone, BaseURL: "http://127.0.0.1:1", Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.GenerateContent(context.Background(), gemini, json.RawMessage(`{}`), nil)
		var e *Error
		if !errors.As(err, &e) || e.Status != 0 || e.Code != "NETWORK" || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%s: %v", transport, err)
		}
		_ = c.Close()
	}
}

func TestValues(t *testing.T) {
	for give, want := range map[string]string{
		`null`: `null`, `true`: `true`, `"ä\u0000"`: `"ä\u0000"`, `-0.5`: `-0.5`, `9007199254740992`: `9.007199254740992e+15`, `123456789`: `123456789`,
		`1e300`: `1e+300`, `[1,[],{}]`: `[1,[],{}]`, `{"b":1,"a":[null]}`: `{"a":[null],"b":1}`,
	} {
		v, err := toValue(json.RawMessage(give))
		if err != nil {
			t.Errorf("%s: %v", give, err)
			continue
		}
		if got := string(appendValue(nil, v)); got != want {
			t.Errorf("%s: %s, want %s", give, got, want)
		}
	}
	for _, bad := range []string{``, `[`, `1 2`, `9007199254740993`, `-9007199254740993`, `18446744073709551615`, `1e400`, `9223372036854775807`} {
		if v, err := toValue(json.RawMessage(bad)); err == nil {
			t.Errorf("%s gave %v", bad, v)
		}
	}
	nan := predictAnswer(&aiplatformpb.PredictResponse{Predictions: []*structpb.Value{structpb.NewNumberValue(math.NaN()), structpb.NewNumberValue(math.Inf(-1))}, DeployedModelId: `"7"`})
	if string(nan) != `{"predictions":["NaN","-Infinity"],"deployedModelId":"\"7\""}` {
		t.Errorf("%s", nan)
	}
}

func FuzzValue(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.5,null,true,"x"],"b":{"c":-0}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := toValue(raw)
		if err != nil {
			return
		}
		out := appendValue(nil, v)
		if !json.Valid(out) {
			t.Fatalf("%q became %q", raw, out)
		}
		again, err := toValue(out)
		if err != nil || string(appendValue(nil, again)) != string(out) {
			t.Fatalf("%q is not a fixed point: %v", out, err)
		}
	})
}
