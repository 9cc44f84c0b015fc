package vertexai

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Error is a call that gave no answer. The methods are what a retrying caller needs.
type Error struct {
	Method   string        // predict, generateContent, ...
	Endpoint string        // the endpoint as the caller gave it, without secrets
	Status   int           // HTTP status; 0 when no usable HTTP answer came (network, cut off)
	Code     string        // RESOURCE_EXHAUSTED, ...; NETWORK and BAD_ANSWER when Status is 0; BLOCKED_HOST for a host that is not allowed
	Detail   string        // the finer reason of google.rpc.ErrorInfo, if any
	Msg      string        // the cause
	Wait     time.Duration // how long the server asks to wait; 0 unknown
	Cause    error
}

// Error gives subject, cause and, where we know one, what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Endpoint)
	if e.Method != "" {
		b.WriteString(":" + e.Method)
	}
	b.WriteString(": ")
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d ", e.Status)
	}
	b.WriteString(e.Code)
	if e.Msg != "" {
		b.WriteString(": " + e.Msg)
	}
	if a := e.advice(); a != "" {
		if !strings.HasSuffix(b.String(), ".") {
			b.WriteByte('.')
		}
		b.WriteString(" " + a)
	}
	return b.String()
}

func (e *Error) advice() string {
	switch {
	case e.Status == http.StatusUnauthorized:
		return "Check the connection's credentials (auth)."
	case e.Status == http.StatusForbidden && e.Code == "PERMISSION_DENIED":
		return "The caller needs the role Vertex AI User (roles/aiplatform.user) in that project."
	case e.Status == http.StatusNotFound:
		return "Check project, location and model of the ENDPOINT."
	}
	return ""
}

// Unwrap gives the cause, a context's error among others.
func (e *Error) Unwrap() error { return e.Cause }

// HTTPStatus is the HTTP status, also for gRPC (by Google's mapping); 0 when there was no usable answer.
func (e *Error) HTTPStatus() int { return e.Status }

// Reason is the API's status name.
func (e *Error) Reason() string { return e.Code }

// RetryAfter is how long the server asks to wait; 0 when it did not say.
func (e *Error) RetryAfter() time.Duration { return e.Wait }

// Message is the cause alone, without endpoint and status.
func (e *Error) Message() string { return e.Msg }

// reasons maps HTTP statuses to the names of google.rpc.Code.
var reasons = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 408: "DEADLINE_EXCEEDED", 409: "ABORTED",
	413: "REQUEST_TOO_LARGE", 429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 501: "UNIMPLEMENTED", 502: "UNAVAILABLE",
	503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}

func reasonOf(status int) string {
	if r, ok := reasons[status]; ok {
		return r
	}
	return "HTTP_" + fmt.Sprint(status)
}
