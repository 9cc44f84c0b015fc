package gcs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"github.com/mallardml/mallard/connectors/internal/objectfault"
)

// Reasons of an Error.
const (
	NotFound    = objectfault.NotFound
	Forbidden   = objectfault.Forbidden
	Changed     = objectfault.Changed
	Corrupt     = objectfault.Corrupt
	Unavailable = objectfault.Unavailable
)

// Error is a failed request. Its text names the object and says what to do.
type Error struct {
	objectfault.Fault
	status int
}

// HTTPStatus is the status of the answer, or 0.
func (e *Error) HTTPStatus() int { return e.status }

// fault gives an error its reason. generation is 0 when any would do.
func fault(ctx context.Context, uri string, generation int64, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := &Error{Fault: objectfault.Fault{URI: uri, Why: objectfault.Other, Err: err}}
	var sent *url.Error
	if errors.As(err, &sent) { // its address is that of the object, with a tail of parameters
		e.Err = fmt.Errorf("%s does not answer: %w", host(sent.URL), sent.Err)
	}
	var api *googleapi.Error
	if errors.As(err, &api) {
		e.status = api.Code
		e.Err = errors.New(api.Message)
		if api.Message == "" {
			e.Err = errors.New(http.StatusText(api.Code))
		}
	}
	switch {
	case errors.Is(err, storage.ErrBucketNotExist):
		e.Why, e.status, e.Err, e.Hint = NotFound, 404, nil, "there is no such bucket: check its name"
	case errors.Is(err, storage.ErrObjectNotExist), e.status == http.StatusNotFound:
		e.Why, e.status, e.Err = NotFound, 404, nil
		if generation != 0 {
			e.Hint = "the object was removed or replaced since it was listed: query again"
		}
	case e.status == http.StatusPreconditionFailed:
		e.Why, e.Hint = Changed, "the object was replaced since it was listed: query again"
	case e.status == http.StatusUnauthorized:
		e.Why, e.Hint = Forbidden, "log in: `gcloud auth application-default login`, or check the connection's authentication"
	case e.status == http.StatusForbidden:
		e.Why, e.Hint = Forbidden, "grant the connection's account the role roles/storage.objectViewer on the bucket"
	case e.status == http.StatusTooManyRequests, e.status >= 500:
		e.Why, e.Hint = Unavailable, "it was retried; try again later"
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
