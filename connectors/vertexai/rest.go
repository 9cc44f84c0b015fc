package vertexai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/httptransport"

	"github.com/mallardml/mallard/connectors/internal/transport"
)

func newHTTP(creds *auth.Credentials) (*http.Client, *transport.Transport, error) {
	own := transport.New(&http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		DialContext:       (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2: true,
		// The runtime bounds the calls; fewer idle connections than calls would open a new one for most of them.
		MaxIdleConnsPerHost: 1024,
		IdleConnTimeout:     60 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
	})
	h := &http.Client{
		Transport: own,
		// A redirect would carry the token to a host nobody allowed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if creds == nil {
		return h, own, nil
	}
	return h, own, httptransport.AddAuthorizationMiddleware(h, creds)
}

// post sends one request and returns the body of its answer.
func (c *Client) post(ctx context.Context, t target, path string, body []byte, header map[string]string) (json.RawMessage, error) {
	u := url.URL{Scheme: t.Scheme, Host: t.Host, Path: path}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, t.refuse("INVALID_ARGUMENT", "the endpoint cannot be asked: "+err.Error())
	}
	// With GetBody net/http may send the request a second time after a broken connection; whether to repeat is the caller's decision.
	req.GetBody = nil
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.o.UserAgent)
	if err := c.quotaProject(ctx, req); err != nil {
		return nil, c.failed(ctx, t, err)
	}
	for k, v := range header {
		if strings.EqualFold(k, "Authorization") || strings.EqualFold(k, "Host") {
			continue
		}
		req.Header.Set(k, v)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.failed(ctx, t, err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, c.o.MaxAnswerBytes+1))
	if res.StatusCode/100 != 2 {
		// A broken error body still has its status.
		return nil, c.redact(ctx, statusError(t, res.StatusCode, res.Header, b))
	}
	if err != nil {
		return nil, c.failed(ctx, t, err)
	}
	if int64(len(b)) > c.o.MaxAnswerBytes {
		return nil, &Error{Method: t.method, Endpoint: t.Endpoint.String(), Status: 413, Code: "ANSWER_TOO_LARGE",
			Msg: "the answer is longer than " + strconv.FormatInt(c.o.MaxAnswerBytes, 10) + " bytes. Ask for fewer rows per request"}
	}
	return answer(t, b)
}

// redact takes the token out of a message, for a server that quotes it.
func (c *Client) redact(ctx context.Context, e *Error) *Error {
	if c.creds == nil {
		return e
	}
	if t, err := c.creds.Token(ctx); err == nil && t.Value != "" {
		e.Msg = strings.ReplaceAll(e.Msg, t.Value, "[token]")
	}
	return e
}

// quotaProject names the project that pays for a user's own credentials; service accounts have none.
func (c *Client) quotaProject(ctx context.Context, req *http.Request) error {
	if c.creds == nil {
		return nil
	}
	p, err := c.creds.QuotaProjectID(ctx)
	if err != nil {
		return err
	}
	if p != "" {
		req.Header.Set("X-Goog-User-Project", p)
	}
	return nil
}

// answer checks that a 2xx body is one JSON object.
func answer(t target, b []byte) (json.RawMessage, error) {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '{' {
		if json.Valid(b) {
			return b, nil
		}
		// Servers written in Python give NaN and Infinity bare; one such number must not cost the whole batch.
		if fixed, ok := quoteNonFinite(b); ok && json.Valid(fixed) {
			return fixed, nil
		}
	}
	e := &Error{Method: t.method, Endpoint: t.Endpoint.String(), Code: "BAD_ANSWER", Msg: "the answer is not a JSON object"}
	switch {
	case len(b) == 0:
		e.Msg = "the answer is empty"
	case b[0] == '{':
		e.Msg = "the answer is cut off or not JSON"
	}
	return nil, e
}

// failed turns an error of the network, the credentials or the context into ours.
func (c *Client) failed(ctx context.Context, t target, err error) error {
	e := &Error{Method: t.method, Endpoint: t.Endpoint.String(), Code: "NETWORK", Cause: err}
	if cause := ctx.Err(); cause != nil {
		e.Cause, e.Code, e.Msg = cause, "CANCELLED", "the call was cancelled"
		if errors.Is(cause, context.DeadlineExceeded) {
			e.Code, e.Msg = "DEADLINE_EXCEEDED", "no answer in time"
		}
		return e
	}
	var ae *auth.Error
	if errors.As(err, &ae) {
		// Its body may quote the token request.
		e.Cause, e.Status, e.Code, e.Msg = nil, http.StatusUnauthorized, "UNAUTHENTICATED", "no access token could be had"
		if ae.Response != nil && (ae.Response.StatusCode == 429 || ae.Response.StatusCode >= 500) {
			e.Status, e.Code = ae.Response.StatusCode, reasonOf(ae.Response.StatusCode)
			e.Msg = "the token service is not available"
		}
		return e
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err // without method and URL, which the message has already
	}
	var ne net.Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Msg = "the connection was closed before the answer was complete"
	case errors.As(err, &ne) && ne.Timeout():
		e.Msg = "timeout: " + err.Error()
	default:
		e.Msg = err.Error()
	}
	return e
}

// statusError reads {"error": {code, message, status, details}}, the list form of it, and anything else a proxy may give.
func statusError(t target, status int, h http.Header, body []byte) *Error {
	e := &Error{Method: t.method, Endpoint: t.Endpoint.String(), Status: status, Code: reasonOf(status)}
	type apiError struct {
		Error struct {
			Message string            `json:"message"`
			Status  string            `json:"status"`
			Details []json.RawMessage `json:"details"`
		} `json:"error"`
	}
	var one apiError
	if err := json.Unmarshal(body, &one); err != nil {
		var list []apiError
		if json.Unmarshal(body, &list) == nil && len(list) > 0 {
			one = list[0]
		}
	}
	if one.Error.Status != "" {
		e.Code = one.Error.Status
	}
	e.Msg = short(one.Error.Message)
	if e.Msg == "" {
		e.Msg = partnerMessage(body)
	}
	if e.Msg == "" && status/100 == 3 {
		e.Msg = "the server redirects, and redirects are not followed"
	}
	if e.Msg == "" {
		e.Msg = http.StatusText(status)
	}
	for _, d := range one.Error.Details {
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
	e.Wait = max(e.Wait, retryAfter(h.Get("Retry-After"), time.Now()))
	return e
}

// partnerMessage reads the error forms of Anthropic ({"type":"error","error":{"message"}} is the same as Google's), Mistral ({"message"} or
// {"detail"}) and plain text; HTML pages of proxies say nothing worth a line.
func partnerMessage(body []byte) string {
	var m struct {
		Message string `json:"message"`
		Error   string `json:"error"`
		Detail  string `json:"detail"`
	}
	if err := json.Unmarshal(body, &m); err == nil {
		for _, s := range []string{m.Message, m.Error, m.Detail} {
			if s != "" {
				return short(s)
			}
		}
		return ""
	}
	s := strings.TrimSpace(string(body))
	if s == "" || s[0] == '<' || s[0] == '{' || s[0] == '[' {
		return ""
	}
	return short(s)
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

// retryAfter reads seconds or an HTTP date; 0 when there is none, when it is past or unreadable.
func retryAfter(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if !(s > 0) {
			return 0
		}
		return time.Duration(min(s, float64(100*365*24*3600)) * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// Do sends a request as it is with the client's credentials, for a caller that records real traffic. Hosts that are not allowed, and plain http to
// another machine, are refused; redirects are not followed.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	host := strings.ToLower(r.URL.Host)
	base, err := url.Parse(c.o.BaseURL)
	if err != nil {
		return nil, errors.New("vertexai: the base URL is not a URL")
	}
	if c.o.BaseURL != "" && host == base.Host && r.URL.Scheme == base.Scheme {
		return c.http.Do(r)
	}
	if !allowed(host, c.o.AllowedHosts) || r.URL.Scheme != "https" && !loopback(hostname(host)) {
		return nil, &Error{Endpoint: r.URL.Scheme + "://" + host, Status: 403, Code: "BLOCKED_HOST",
			Msg: "host " + host + " is not among the allowed hosts (" + strings.Join(c.o.AllowedHosts, ", ") + "). Add it to allowed_hosts of the connection"}
	}
	return c.http.Do(r)
}
