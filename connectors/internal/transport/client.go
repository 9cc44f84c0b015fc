package transport

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Client posts JSON to a provider of models: one call is one request, without retries or redirects, and no answer is read beyond a
// bound. It is safe for concurrent use.
type Client struct {
	// HTTP sends; a caller may add a middleware before the first request.
	HTTP *http.Client

	own       *Transport
	userAgent string
	most      int64
}

// NewClient makes a client whose answers have at most so many bytes.
func NewClient(userAgent string, most int64) *Client {
	own := New(&http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		DialContext:       (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2: true,
		// The runtime bounds the calls; fewer idle connections than calls would open a new one for most of them.
		MaxIdleConnsPerHost: 1024,
		IdleConnTimeout:     60 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
	})
	return &Client{userAgent: userAgent, most: most, own: own, HTTP: &http.Client{
		Transport: own,
		// A redirect would carry the key to a host that nobody allowed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close ends the client's connections. Calls in flight and later ones fail.
func (c *Client) Close() error { return c.own.Close() }

// Post sends one request and gives the body of its answer as it came. The error is an [*Error], unless failed makes another of what
// the network gave.
func (c *Client) Post(
	ctx context.Context, subject, address string, body []byte, header http.Header, failed func(error) error,
) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, &Error{Subject: subject, Status: http.StatusBadRequest, Code: "INVALID_ARGUMENT",
			Msg: "the endpoint cannot be asked: its URL is wrong"}
	}
	// With GetBody net/http may send the request a second time after a broken connection; whether to repeat is the caller's decision.
	req.GetBody = nil
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, failed(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, c.most+1))
	switch {
	case res.StatusCode/100 != 2:
		return nil, Refused(subject, res.StatusCode, res.Header, b) // a broken error body still has its status
	case err != nil:
		return nil, failed(err)
	case int64(len(b)) > c.most:
		return nil, &Error{Subject: subject, Status: http.StatusRequestEntityTooLarge, Code: "ANSWER_TOO_LARGE",
			Msg: "the answer is longer than " + strconv.FormatInt(c.most, 10) + " bytes", Advice: "Ask for fewer rows per request."}
	}
	return b, nil
}
