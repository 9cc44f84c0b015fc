package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/mallardml/mallard/internal/amount"
)

// providerError is what errors of a Service offer.
type providerError interface {
	error
	HTTPStatus() int
	RetryAfter() time.Duration
	Reason() string // NETWORK or BAD_ANSWER when there was no usable answer
}

// fault is a failed request, judged.
type fault struct {
	reason     string // RESOURCE EXHAUSTED
	detail     string
	retryable  bool
	throttled  bool
	split      bool // a smaller request may pass
	large      bool // it was refused for its size
	fatal      bool // no row can pass
	retryAfter time.Duration
	err        error
}

var reasons = map[int]string{
	400: "INVALID ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION DENIED", 404: "NOT FOUND", 408: "DEADLINE EXCEEDED", 409: "ABORTED",
	413: "REQUEST TOO LARGE", 422: "INVALID ARGUMENT", 429: "RESOURCE EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 501: "UNIMPLEMENTED",
	502: "UNAVAILABLE",
	503: "UNAVAILABLE", 504: "DEADLINE EXCEEDED",
}

// errAnswer is a response that cannot be read: cut short on its way, or of another form.
type errAnswer struct{ err error }

func (e *errAnswer) Error() string { return e.err.Error() }
func (e *errAnswer) Unwrap() error { return e.err }

// errCount is a response with the wrong number of predictions.
type errCount struct{ got, want int }

func (e *errCount) Error() string {
	return fmt.Sprintf("the endpoint answered %s for %s", amount.Of(e.got, "prediction"), amount.Of(e.want, "row"))
}

// judge decides what follows from an error of a Service.
func judge(err error) fault {
	f := fault{err: err, detail: oneLine(err.Error())}
	var p providerError
	var count *errCount
	var answer *errAnswer
	var inside *inBandError
	switch {
	case errors.As(err, &inside) && inside.status == 0:
		f.reason, f.detail = "UNKNOWN", inside.message // it says neither what kind it is nor that another try helps
	case errors.As(err, &count):
		f.reason, f.split = "INVALID ANSWER", true
	case errors.As(err, &answer):
		f.reason, f.retryable = "INVALID ANSWER", true
	case errors.As(err, &p) && p.HTTPStatus() == 0 && p.Reason() == "BAD_ANSWER":
		f.reason, f.retryable, f.detail = "INVALID ANSWER", true, detail(p)
	case errors.As(err, &p) && p.HTTPStatus() == 0 && p.Reason() == "NETWORK" && !wrongHost(err):
		f.reason, f.retryable, f.detail = "UNAVAILABLE", true, detail(p)
	case errors.Is(err, context.DeadlineExceeded): // of our own timeout
		f.reason, f.retryable, f.detail = "DEADLINE EXCEEDED", true, "no answer in time"
	case errors.As(err, &p) && p.HTTPStatus() > 0:
		f.detail = detail(p)
		code := p.HTTPStatus()
		f.reason = strings.ToUpper(strings.ReplaceAll(p.Reason(), "_", " "))
		if f.reason == "" {
			if f.reason = reasons[code]; f.reason == "" {
				f.reason = fmt.Sprintf("HTTP %d", code)
			}
		}
		f.retryAfter = p.RetryAfter()
		f.throttled = code == http.StatusTooManyRequests
		f.retryable = code == http.StatusRequestTimeout || f.throttled || code >= 500 && code != http.StatusNotImplemented
		// In an answer such codes may be about one row: a gateway gives what it asked for it.
		f.fatal = !errors.As(err, &inside) && (code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusNotFound)
		f.split = code == http.StatusRequestEntityTooLarge || code == http.StatusBadRequest || code == http.StatusUnprocessableEntity
		f.large = code == http.StatusRequestEntityTooLarge || f.split && tooLarge(f.detail)
		if final, ok := p.(interface{ Final() bool }); ok && final.Final() { // an account without money says 429, too
			f.retryable, f.throttled, f.fatal = false, false, !errors.As(err, &inside)
		}
	case network(err):
		f.reason, f.retryable = "UNAVAILABLE", true
	default:
		// Nothing that the provider said: missing credentials, a host that is not allowed.
		f.reason, f.fatal = "FAILED PRECONDITION", true
	}
	return f
}

// detail is a provider's message without the endpoint and the code, which the status has already.
func detail(p providerError) string {
	if m, ok := p.(interface{ Message() string }); ok && m.Message() != "" {
		return oneLine(m.Message())
	}
	return oneLine(p.Error())
}

// tooLarge knows the words of a refusal that is about the size of the request.
func tooLarge(msg string) bool {
	msg = strings.ToLower(msg)
	for _, words := range []string{"token count", "too many tokens", "tokens per request", "too large", "payload size", "too many instances",
		"exceeds the limit", "batch size"} {
		if strings.Contains(msg, words) {
			return true
		}
	}
	return false
}

// network reports whether a request may have failed on its way.
func network(err error) bool {
	if wrongHost(err) {
		return false
	}
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EPIPE)
}

// wrongHost reports a host name that does not exist, and stays so.
func wrongHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// status is the text for the rows of a request that failed for good.
func (f fault) status(endpoint string, attempts int) string {
	s := f.reason + " error from " + endpoint
	if f.retryable {
		s = "A retryable error occurred: " + s
	}
	if attempts > 1 {
		s += " after " + amount.Of(attempts, "attempt")
	}
	if f.detail != "" {
		s += ": " + f.detail
	}
	return s
}

// oneLine makes a foreign message fit a status.
func oneLine(s string) string {
	return clip(strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " "), 500)
}

// inBandError is an error that came as an answer, with a status of success: whole, or in the place of one result.
type inBandError struct {
	status    int // HTTP status by the error's code; 0 when it has none
	reason    string
	message   string
	permanent bool
}

func (e *inBandError) Error() string { return e.message }

func (e *inBandError) HTTPStatus() int { return e.status }

func (e *inBandError) Reason() string { return e.reason }

func (e *inBandError) Message() string { return e.message }

func (e *inBandError) Final() bool { return e.permanent }

func (e *inBandError) RetryAfter() time.Duration { return 0 }
