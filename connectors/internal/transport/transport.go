// Package transport makes HTTP transports that can be ended. net/http's own gives up the connections that are idle when it is asked; one
// that is being dialled or used then lives on with its goroutines, for as long as the other side likes. Start with [New].
package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
)

// ErrClosed is the cause of a request's failure after Close.
var ErrClosed = errors.New("the client is closed")

// Transport is net/http's, whose connections end with it. It is safe for concurrent use.
type Transport struct {
	*http.Transport

	mu     sync.Mutex
	conns  map[net.Conn]struct{} // nil: closed
	dials  sync.WaitGroup
	cancel context.CancelFunc
}

// New takes over a transport, which must not have been used yet.
func New(t *http.Transport) *Transport {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Transport{Transport: t, conns: map[net.Conn]struct{}{}, cancel: cancel}
	dial := t.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	t.DialContext = func(request context.Context, network, address string) (net.Conn, error) {
		if !c.begin() {
			return nil, ErrClosed
		}
		defer c.dials.Done()
		request, done := context.WithCancel(request)
		defer done()
		defer context.AfterFunc(ctx, done)()
		n, err := dial(request, network, address)
		if err != nil {
			if ctx.Err() != nil {
				err = ErrClosed
			}
			return nil, err
		}
		return c.keep(n)
	}
	return c
}

func (c *Transport) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conns == nil {
		return false
	}
	c.dials.Add(1)
	return true
}

func (c *Transport) keep(n net.Conn) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conns == nil {
		return nil, errors.Join(ErrClosed, n.Close())
	}
	c.conns[n] = struct{}{}
	return &conn{n, c}, nil
}

// conn is forgotten when net/http closes it.
type conn struct {
	net.Conn
	of *Transport
}

func (n *conn) Close() error {
	n.of.mu.Lock()
	delete(n.of.conns, n.Conn)
	n.of.mu.Unlock()
	return n.Conn.Close()
}

// Close ends all connections: idle, in use, and those being dialled, for which it waits. Requests in flight and later ones fail. It may be
// called again.
func (c *Transport) Close() error {
	c.mu.Lock()
	conns := c.conns
	c.conns = nil
	c.mu.Unlock()
	c.cancel()
	c.dials.Wait()
	for n := range conns {
		_ = n.Close() // what was to be said on it is lost in any case
	}
	c.CloseIdleConnections()
	return nil
}
