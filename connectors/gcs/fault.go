package gcs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
)

// Reasons of an Error.
const (
	NotFound    = "not found"
	Forbidden   = "forbidden"
	Changed     = "changed"
	TooLarge    = "too large"
	Corrupt     = "corrupt"
	Unavailable = "unavailable"
	Other       = "failed"
)

// Error is a failed request. Its text names the object and says what to do.
type Error struct {
	URI    string
	reason string
	status int
	hint   string
	err    error
}

// Error is the text for people.
func (e *Error) Error() string {
	s := e.URI + ": " + e.reason
	if e.err != nil {
		s += ": " + e.err.Error()
	}
	if e.hint != "" {
		s += "; " + e.hint
	}
	return s
}

// Unwrap returns what the client library said.
func (e *Error) Unwrap() error { return e.err }

// Reason is one of the constants.
func (e *Error) Reason() string { return e.reason }

// HTTPStatus is the status of the answer, or 0.
func (e *Error) HTTPStatus() int { return e.status }

// fault gives an error its reason. generation is 0 when any would do.
func fault(ctx context.Context, uri string, generation int64, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := &Error{URI: uri, reason: Other, err: err}
	var sent *url.Error
	if errors.As(err, &sent) { // its address is that of the object, with a tail of parameters
		e.err = fmt.Errorf("%s does not answer: %w", host(sent.URL), sent.Err)
	}
	var api *googleapi.Error
	if errors.As(err, &api) {
		e.status = api.Code
		e.err = errors.New(api.Message)
		if api.Message == "" {
			e.err = errors.New(http.StatusText(api.Code))
		}
	}
	switch {
	case errors.Is(err, storage.ErrBucketNotExist):
		e.reason, e.status, e.err, e.hint = NotFound, 404, nil, "there is no such bucket: check its name"
	case errors.Is(err, storage.ErrObjectNotExist), e.status == http.StatusNotFound:
		e.reason, e.status, e.err = NotFound, 404, nil
		if generation != 0 {
			e.hint = "the object was removed or replaced since it was listed: query again"
		}
	case e.status == http.StatusPreconditionFailed:
		e.reason, e.hint = Changed, "the object was replaced since it was listed: query again"
	case e.status == http.StatusUnauthorized:
		e.reason, e.hint = Forbidden, "log in: `gcloud auth application-default login`, or check the connection's authentication"
	case e.status == http.StatusForbidden:
		e.reason, e.hint = Forbidden, "grant the connection's account the role roles/storage.objectViewer on the bucket"
	case e.status == http.StatusTooManyRequests, e.status >= 500:
		e.reason, e.hint = Unavailable, "it was retried; try again later"
	}
	return e
}

// host is the part of an address that tells a person who was asked.
func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return "the server"
}
