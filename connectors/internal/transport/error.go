package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/webpage"
)

// Error is a request that gave no answer. Its methods are what a retrying caller needs.
type Error struct {
	Subject   string        // what was asked, without secrets: an endpoint and its method, a model at a host
	Status    int           // HTTP status, also for gRPC; 0 when no usable answer came
	Code      string        // RESOURCE_EXHAUSTED, … by Google's names; NETWORK and BAD_ANSWER when Status is 0
	Detail    string        // the finer reason of google.rpc.ErrorInfo, if any
	Msg       string        // the cause
	Advice    string        // what to do about it, a sentence; "" where nobody knows
	Wait      time.Duration // how long the server asks to wait; 0 unknown
	Permanent bool          // no later try can pass, whatever the status says
	Cause     error
}

// Error gives subject and cause and, where one is known, what to do.
func (e *Error) Error() string {
	s := e.Code
	if e.Status != 0 {
		s = strconv.Itoa(e.Status) + " " + s
	}
	if e.Subject != "" {
		s = e.Subject + ": " + s
	}
	if e.Msg != "" {
		s += ": " + e.Msg
	}
	if e.Advice != "" {
		s = strings.TrimSuffix(s, ".") + ". " + e.Advice
	}
	return s
}

// Unwrap gives the cause, a context's error among others.
func (e *Error) Unwrap() error { return e.Cause }

// HTTPStatus is the HTTP status, also for gRPC (by Google's mapping); 0 when there was no usable answer.
func (e *Error) HTTPStatus() int { return e.Status }

// Reason is the status by Google's names.
func (e *Error) Reason() string { return e.Code }

// RetryAfter is how long the server asks to wait; 0 when it did not say.
func (e *Error) RetryAfter() time.Duration { return e.Wait }

// Message is the cause alone, without subject and status.
func (e *Error) Message() string { return e.Msg }

// Final reports that a retry cannot help.
func (e *Error) Final() bool { return e.Permanent }

// Redact takes a secret out of the message, for a server that quotes it.
func (e *Error) Redact(secret, instead string) {
	if secret != "" {
		e.Msg = strings.ReplaceAll(e.Msg, secret, instead)
	}
}

// reasons are the names of google.rpc.Code for HTTP statuses, and what proxies and partners send beside.
var reasons = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 408: "DEADLINE_EXCEEDED", 409: "ABORTED",
	413: "REQUEST_TOO_LARGE", 422: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 501: "UNIMPLEMENTED",
	502: "UNAVAILABLE", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED", 529: "UNAVAILABLE",
}

// ReasonOf is Google's name for an HTTP status.
func ReasonOf(status int) string {
	if r, ok := reasons[status]; ok {
		return r
	}
	return fmt.Sprintf("HTTP_%d", status)
}

// Failed is the error of a request that got no answer: the network's, or the context's.
func Failed(ctx context.Context, subject string, err error) *Error {
	e := &Error{Subject: subject, Code: "NETWORK", Cause: err}
	if cause := ctx.Err(); cause != nil {
		e.Cause, e.Code, e.Msg = cause, "CANCELLED", "the call was cancelled"
		if errors.Is(cause, context.DeadlineExceeded) {
			e.Code, e.Msg = "DEADLINE_EXCEEDED", "no answer in time"
		}
		return e
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err // without method and URL, which may hold a secret
	}
	var ne net.Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Msg = "the connection was closed before the answer was complete"
	case errors.As(err, &ne) && ne.Timeout():
		e.Msg = "timeout: " + Short(err.Error())
	default:
		e.Msg = Short(err.Error())
	}
	return e
}

// Refused is the error of an answer with a status that is no success. It reads the words of Google ({"error": {message, status,
// details}}, or a list of it), OpenAI ({"error": {message, type, code}}), Anthropic, Ollama ({"error": "text"}), vLLM and Mistral
// ({"message"}), FastAPI ({"detail"}), plain text and the title of a page.
func Refused(subject string, status int, h http.Header, body []byte) *Error {
	e := &Error{Subject: subject, Status: status, Code: ReasonOf(status)}
	w := wordsOf(body)
	if isReason(w.status) {
		e.Code = w.status
	}
	e.Msg = Short(webpage.Text(w.message))
	switch {
	case e.Msg != "":
	case status/100 == 3:
		e.Msg = "the server redirects, and redirects are not followed"
	default:
		e.Msg = http.StatusText(status)
	}
	for _, d := range w.details {
		var info struct {
			Type       string `json:"@type"`
			Reason     string `json:"reason"`
			RetryDelay string `json:"retryDelay"`
		}
		if json.Unmarshal(d, &info) != nil {
			continue
		}
		switch {
		case strings.HasSuffix(info.Type, "google.rpc.ErrorInfo"):
			e.Detail = info.Reason
		case strings.HasSuffix(info.Type, "google.rpc.RetryInfo"):
			if w, err := time.ParseDuration(info.RetryDelay); err == nil && w > 0 {
				e.Wait = w
			}
		}
	}
	// Sent as 429, but waiting does not help: the account has no money left.
	e.Permanent = w.code == "insufficient_quota" || w.kind == "insufficient_quota"
	e.Wait = max(e.Wait, retryAfter(h, time.Now()))
	return e
}

// isReason reports a name as google.rpc.Code has them.
func isReason(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == ""
}

// words are what the body of a refusal says.
type words struct {
	message, status, code, kind string
	details                     []json.RawMessage
}

func wordsOf(body []byte) (w words) {
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xEF\xBB\xBF")))
	var m map[string]json.RawMessage
	if json.Unmarshal(body, &m) != nil {
		var list []map[string]json.RawMessage
		if json.Unmarshal(body, &list) != nil || len(list) == 0 {
			return words{message: otherText(body)}
		}
		m = list[0]
	}
	// Each field is read by itself: one that has another type than is usual must not cost the others.
	text := func(m map[string]json.RawMessage, key string) (s string) {
		if json.Unmarshal(m[key], &s) != nil {
			s = strings.Trim(string(m[key]), " \t\r\n")
			if s == "null" {
				s = ""
			}
		}
		return s
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(m["error"], &inner) == nil && inner != nil {
		w.message, w.status, w.code, w.kind = text(inner, "message"), text(inner, "status"), text(inner, "code"), text(inner, "type")
		_ = json.Unmarshal(inner["details"], &w.details) // details of another form tell nothing
	} else {
		w.message = text(m, "error")
	}
	for _, key := range []string{"message", "detail", "msg"} {
		if w.message == "" {
			w.message = text(m, key)
		}
	}
	if w.message == "" && len(m) > 0 { // of a form that nobody knows: whatever it says, it says it
		w.message = string(body)
	}
	return w
}

// otherText is what a body that is no object says: a text, plain or as JSON, the title of a page, or a list of anything.
func otherText(body []byte) (s string) {
	if json.Unmarshal(body, &s) == nil { // null is no text
		return s
	}
	switch s = string(body); {
	case s == "", s == "[]", !json.Valid(body) && (s[0] == '{' || s[0] == '['): // cut short
		return ""
	case s[0] != '<':
		return s
	}
	return webpage.Text(s)
}

// retryAfter reads Retry-After-Ms, then Retry-After as seconds or an HTTP date; 0 when there is none, when it is past or unreadable.
func retryAfter(h http.Header, now time.Time) time.Duration {
	const most = 100 * 365 * 24 * 3600
	seconds := func(s float64) time.Duration { return time.Duration(min(s, most) * float64(time.Second)) }
	if ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After-Ms")), 64); err == nil && ms > 0 {
		return seconds(ms / 1000)
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if s > 0 && !math.IsNaN(s) {
			return seconds(s)
		}
		return 0
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// Short bounds a foreign message and keeps it on one line.
func Short(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	const most = 500
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}
