package bigquery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard"
)

// Fault is an error as the API shows it (https://docs.cloud.google.com/bigquery/docs/error-messages).
type Fault struct {
	Status   int    // of HTTP
	Reason   string // a word of BigQuery's, which clients decide by: backendError, internalError and rateLimitExceeded are asked again
	Message  string
	Location string // what is to blame, such as "query"
	Cause    error
}

// Error is the message.
func (f *Fault) Error() string { return f.Message }

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Cause }

func fault(status int, reason, format string, args ...any) *Fault {
	return &Fault{Status: status, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *Fault {
	return fault(http.StatusBadRequest, "invalid", format, args...)
}

func notFound(format string, args ...any) *Fault {
	return fault(http.StatusNotFound, "notFound", format, args...)
}

func duplicate(format string, args ...any) *Fault {
	return fault(http.StatusConflict, "duplicate", format, args...)
}

// unsupported refuses what BigQuery does and Mallard does not. It is no 501: clients ask those again.
func unsupported(format string, args ...any) *Fault {
	return fault(http.StatusBadRequest, "notImplemented", format, args...)
}

// faultOf gives the fault that an error is.
func faultOf(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	f = &Fault{Message: messageOf(err), Cause: err}
	var e *mallard.Error
	if errors.As(err, &e) {
		f.Location = "query"
	}
	switch mallard.CodeOf(err) {
	case mallard.CodeNotFound:
		f.Status, f.Reason = http.StatusNotFound, "notFound"
		if !strings.HasPrefix(f.Message, "Not found: ") {
			f.Message = "Not found: " + f.Message
		}
	case mallard.CodeAlreadyExists:
		f.Status, f.Reason = http.StatusConflict, "duplicate"
		if !strings.HasPrefix(f.Message, "Already Exists: ") {
			f.Message = "Already Exists: " + f.Message
		}
	case mallard.CodePermission:
		f.Status, f.Reason = http.StatusForbidden, "accessDenied"
	case mallard.CodeResource:
		f.Status, f.Reason = http.StatusBadRequest, "resourcesExceeded"
	case mallard.CodeCancelled:
		f.Status, f.Reason = 499, "stopped"
		f.Message = "Job execution was cancelled: User requested cancellation"
		if errors.Is(err, context.DeadlineExceeded) {
			f.Status, f.Reason, f.Message = http.StatusBadRequest, "stopped", "Operation timed out: the job's timeout passed"
		}
	default: // a statement that is wrong, or that cannot be run: asking again does not help
		f.Status, f.Reason = http.StatusBadRequest, "invalidQuery"
	}
	return f
}

var tableNotFound = regexp.MustCompile("^Table not found: `?([^ ;`]+)`?")

// messageOf is an error in BigQuery's form: the place stands behind it.
func messageOf(err error) string {
	var e *mallard.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	msg := e.Msg
	if m := tableNotFound.FindStringSubmatch(msg); m != nil {
		name := m[1]
		if parts := strings.SplitN(name, ".", 3); len(parts) == 3 {
			name = parts[0] + ":" + parts[1] + "." + parts[2]
		}
		msg = "Not found: Table " + name + " was not found" + msg[len(m[0]):]
	}
	if e.Line > 0 && !strings.Contains(msg, "at [") {
		msg += fmt.Sprintf(" at [%d:%d]", e.Line, e.Col)
	}
	if e.Hint != "" {
		msg += "; " + e.Hint
	}
	return msg
}

// proto is the fault in a job's status.
func (f *Fault) proto() *api.ErrorProto {
	return &api.ErrorProto{Reason: f.Reason, Message: f.Message, Location: f.Location}
}

// statuses are the words of google.rpc.Code for HTTP's numbers.
var statuses = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
	405: "INVALID_ARGUMENT", 409: "ALREADY_EXISTS",
	412: "FAILED_PRECONDITION", 413: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED",
	499: "CANCELLED", 500: "INTERNAL", 501: "UNIMPLEMENTED", 503: "UNAVAILABLE",
}

type errorItem struct {
	Message      string `json:"message"`
	Domain       string `json:"domain"`
	Reason       string `json:"reason"`
	Location     string `json:"location,omitempty"`
	LocationType string `json:"locationType,omitempty"`
}

// body is the fault as a reply.
func (f *Fault) body() any {
	item := errorItem{Message: f.Message, Domain: "global", Reason: f.Reason, Location: f.Location}
	switch f.Location {
	case "":
	case "query":
		item.Location, item.LocationType = "q", "parameter"
	default:
		item.LocationType = "parameter"
	}
	type reply struct {
		Code    int         `json:"code"`
		Message string      `json:"message"`
		Errors  []errorItem `json:"errors"`
		Status  string      `json:"status"`
	}
	return map[string]reply{"error": {f.Status, f.Message, []errorItem{item}, statuses[f.Status]}}
}

// WriteFault answers a request with a fault.
func WriteFault(w http.ResponseWriter, f *Fault) {
	text, _ := json.Marshal(f.body()) // texts and numbers only
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(f.Status)
	_, _ = w.Write(append(text, '\n')) // the client has gone
}
