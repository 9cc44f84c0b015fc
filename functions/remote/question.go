package remote

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/mallardml/mallard/internal/dispatch"
)

// question is a [Spec] as the runtime sees it.
type question struct{ spec *Spec }

var _ dispatch.Codec = question{}

// call is the Spec as the runtime asks for it.
func (s *Spec) dispatched() *dispatch.Call {
	c := &dispatch.Call{
		Func: s.Func, Model: s.Model, Endpoint: s.Endpoint, Name: s.modelName(), Connection: s.Connection, Codec: question{s},
		Limits: s.limits, Retry: s.retry, Price: s.price, Priced: s.priced,
		Identity: dispatch.Identify(s.Endpoint, s.Connection.Options().Origin, s.method, string(s.parameters)),
	}
	if s.caches() {
		c.Cache = s.Cache
	}
	if n := s.Options.MaxOutputTokens; n != nil {
		c.MaxTokens = *n
	}
	if s.Family.Text() {
		if c.FirstTokens = 256; c.MaxTokens > 0 {
			c.FirstTokens = min(c.MaxTokens, 256)
		}
	}
	return c
}

// row turns what the codec says of an input row into what the runtime takes.
func (s *Spec) row(ctx context.Context, payload, status string) dispatch.Row {
	r := dispatch.Row{Payload: payload, Status: status}
	if r.Objects = isDeferred(payload); r.Objects {
		r.Request = s.known(ctx, payload)
	}
	return r
}

// Connect implements [dispatch.Codec].
func (q question) Connect(ctx context.Context) (dispatch.Ask, error) {
	svc, err := q.spec.Service(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, requests []string) ([]dispatch.Answer, error) {
		answers, err := q.spec.codec.call(ctx, svc, requests)
		if err == nil && len(answers) != len(requests) {
			err = &errCount{len(answers), len(requests)}
		}
		return answers, err
	}, nil
}

// Judge implements [dispatch.Codec].
func (q question) Judge(err error) dispatch.Fault {
	f := judge(err)
	out := dispatch.Fault{
		Reason: f.reason, Detail: f.detail, Retryable: f.retryable, Throttled: f.throttled, Split: f.split, Large: f.large,
		RetryAfter: f.retryAfter,
		Status:     func(attempts int) string { return f.status(q.spec.Endpoint, attempts) },
	}
	if f.fatal {
		out.Fatal = &RemoteError{Status: f.status(q.spec.Endpoint, 1), Cause: f.err}
	}
	return out
}

// Read implements [dispatch.Codec].
func (q question) Read(body json.RawMessage) ([][]any, string) { return q.spec.codec.values(body) }

// Missing implements [dispatch.Codec].
func (q question) Missing() []any { return q.spec.codec.missing() }

// Objects implements [dispatch.Codec].
func (q question) Objects(payload string) (dispatch.Objects, error) {
	r, err := readDeferred(payload)
	return objects{q.spec, r}, err
}

// RemoteError fails a query because no row of it could be answered.
type RemoteError struct {
	Status string // what the rows' status would have been
	Cause  error
}

// Error is the status, or the cause where that is a whole sentence with advice.
func (e *RemoteError) Error() string {
	var m interface{ Message() string }
	if errors.As(e.Cause, &m) {
		return oneLine(e.Cause.Error())
	}
	return e.Status
}

// Unwrap gives the cause.
func (e *RemoteError) Unwrap() error { return e.Cause }
