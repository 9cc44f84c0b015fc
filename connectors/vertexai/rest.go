package vertexai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"cloud.google.com/go/auth"

	"github.com/mallardml/mallard/connectors/internal/transport"
)

// post sends one request and returns the body of its answer, as it came.
func (c *Client) post(ctx context.Context, t target, path string, body []byte, header map[string]string) (json.RawMessage, error) {
	h := http.Header{}
	for k, v := range header {
		if !strings.EqualFold(k, "Authorization") && !strings.EqualFold(k, "Host") {
			h.Set(k, v)
		}
	}
	if err := c.quotaProject(ctx, h); err != nil {
		return nil, c.failed(ctx, t, err)
	}
	u := url.URL{Scheme: t.Scheme, Host: t.Host, Path: path}
	b, err := c.http.Post(ctx, t.String(), u.String(), body, h, func(err error) error { return c.failed(ctx, t, err) })
	var e *Error
	if errors.As(err, &e) && e.Status != 0 {
		c.redact(ctx, e)
		advise(e)
	}
	return bytes.TrimSpace(b), err
}

// redact takes the token out of a message, for a server that quotes it.
func (c *Client) redact(ctx context.Context, e *Error) {
	if c.creds == nil {
		return
	}
	if t, err := c.creds.Token(ctx); err == nil {
		e.Redact(t.Value, "[token]")
	}
}

// quotaProject names the project that pays for a user's own credentials; service accounts have none.
func (c *Client) quotaProject(ctx context.Context, h http.Header) error {
	if c.creds == nil {
		return nil
	}
	p, err := c.creds.QuotaProjectID(ctx)
	if err == nil && p != "" {
		h.Set("X-Goog-User-Project", p)
	}
	return err
}

// failed turns an error of the network, the credentials or the context into ours.
func (c *Client) failed(ctx context.Context, t target, err error) error {
	var ae *auth.Error
	if ctx.Err() == nil && errors.As(err, &ae) {
		// Its body may quote the token request, so that it is not the cause.
		if ae.Response != nil && (ae.Response.StatusCode == http.StatusTooManyRequests || ae.Response.StatusCode >= 500) {
			status := ae.Response.StatusCode
			return &Error{Subject: t.String(), Status: status, Code: transport.ReasonOf(status), Msg: "the token service is not available"}
		}
		return advise(&Error{Subject: t.String(), Status: http.StatusUnauthorized, Code: "UNAUTHENTICATED",
			Msg: "no access token could be had"})
	}
	return transport.Failed(ctx, t.String(), err)
}

// Do sends a request as it is with the client's credentials, for a caller that records real traffic. Hosts that are not allowed, and plain
// http to another machine, are refused; redirects are not followed.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	host := strings.ToLower(r.URL.Host)
	base, err := url.Parse(c.o.BaseURL)
	if err != nil {
		return nil, errors.New("vertexai: the base URL is not a URL")
	}
	if c.o.BaseURL != "" && host == base.Host && r.URL.Scheme == base.Scheme {
		return c.http.HTTP.Do(r)
	}
	if !allowed(host, c.o.AllowedHosts) || r.URL.Scheme != "https" && !loopback(hostname(host)) {
		return nil, &Error{Subject: r.URL.Scheme + "://" + host, Status: 403, Code: "BLOCKED_HOST",
			Msg: "host " + host + " is not among the allowed hosts (" + strings.Join(c.o.AllowedHosts, ", ") +
				"). Add it to allowed_hosts of the connection"}
	}
	return c.http.HTTP.Do(r)
}
