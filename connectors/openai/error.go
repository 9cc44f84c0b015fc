package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is a call that gave no answer. The methods are what a retrying caller needs.
type Error struct {
	Model  string        // the model asked for
	Host   string        // where
	Status int           // HTTP status; 0 when no usable HTTP answer came
	Code   string        // RESOURCE_EXHAUSTED, … by Google's names; NETWORK and BAD_ANSWER when Status is 0
	Msg    string        // the cause
	Wait   time.Duration // how long the server asks to wait; 0 unknown
	Cause  error
}

// Error gives subject and cause.
func (e *Error) Error() string {
	s := "model " + e.Model + " at " + e.Host + ": "
	if e.Model == "" {
		s = e.Host + ": "
	}
	if e.Status != 0 {
		s += strconv.Itoa(e.Status) + " "
	}
	s += e.Code
	if e.Msg != "" {
		s += ": " + e.Msg
	}
	if e.Status == http.StatusUnauthorized {
		s += ". Check the connection's API key"
	}
	return s
}

// Unwrap gives the cause, a context's error among others.
func (e *Error) Unwrap() error { return e.Cause }

// HTTPStatus is the HTTP status; 0 when there was no usable answer.
func (e *Error) HTTPStatus() int { return e.Status }

// Reason is the status by Google's names.
func (e *Error) Reason() string { return e.Code }

// RetryAfter is how long the server asks to wait; 0 when it did not say.
func (e *Error) RetryAfter() time.Duration { return e.Wait }

// Message is the cause alone.
func (e *Error) Message() string { return e.Msg }

var reasons = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 408: "DEADLINE_EXCEEDED", 409: "ABORTED",
	413: "REQUEST_TOO_LARGE", 422: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 501: "UNIMPLEMENTED", 502: "UNAVAILABLE",
	503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED", 529: "UNAVAILABLE",
}

// statusError reads the error forms of OpenAI ({"error":{"message","code","type"}}), Ollama ({"error":"text"}), vLLM ({"message"}) and plain text.
func statusError(status int, h http.Header, body []byte) *Error {
	e := &Error{Status: status, Code: reasons[status]}
	if e.Code == "" {
		e.Code = fmt.Sprintf("HTTP_%d", status)
	}
	var m struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  json.RawMessage `json:"detail"`
	}
	var inner struct {
		Message string `json:"message"`
		Code    any    `json:"code"`
		Type    string `json:"type"`
	}
	if json.Unmarshal(body, &m) == nil {
		if json.Unmarshal(m.Error, &inner) != nil {
			_ = json.Unmarshal(m.Error, &inner.Message)
		}
		if inner.Message == "" {
			inner.Message = m.Message
		}
		if inner.Message == "" && len(m.Detail) > 0 && json.Unmarshal(m.Detail, &inner.Message) != nil {
			inner.Message = string(m.Detail)
		}
	} else if s := strings.TrimSpace(string(body)); s != "" && s[0] != '<' {
		inner.Message = s
	}
	e.Msg = short(inner.Message)
	switch {
	case e.Msg == "" && status/100 == 3:
		e.Msg = "the server redirects, and redirects are not followed"
	case e.Msg == "":
		e.Msg = http.StatusText(status)
	}
	if inner.Code == "insufficient_quota" || inner.Type == "insufficient_quota" {
		// Sent as 429, but waiting does not help: the account has no money left.
		e.Status, e.Code = http.StatusForbidden, "INSUFFICIENT_QUOTA"
	}
	e.Wait = retryAfter(h, time.Now())
	return e
}

// retryAfter reads Retry-After-Ms, then Retry-After as seconds or an HTTP date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 && ms < 1e12 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if s > 0 {
			return time.Duration(min(s, 1e9) * float64(time.Second))
		}
		return 0
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// short bounds a foreign message and keeps it on one line.
func short(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	const most = 500
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}
