package gateway

import (
	"crypto/tls"
	"net"
	"sync"
)

// gathering is a connection that may hold back what is written.
type gathering struct {
	net.Conn
	mu   sync.Mutex
	held bool
	out  []byte
}

// Write implements [net.Conn].
func (g *gathering) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.held {
		return g.Conn.Write(b)
	}
	g.out = append(g.out, b...)
	return len(b), nil
}

func (g *gathering) hold() {
	g.mu.Lock()
	g.held = true
	g.mu.Unlock()
}

// release writes what was held back.
func (g *gathering) release() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = false
	out := g.out
	g.out = g.out[:0]
	if len(out) == 0 {
		return nil
	}
	_, err := g.Conn.Write(out)
	return err
}

// joined is a connection of TLS that hands over the records of one Write together. TLS itself hands over each of 16 KiB by itself,
// which costs as much as encrypting it.
type joined struct {
	*tls.Conn
	under *gathering
	mu    sync.Mutex
}

// Write implements [net.Conn].
func (j *joined) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.under.hold()
	n, err := j.Conn.Write(b)
	if last := j.under.release(); err == nil && last != nil {
		return 0, last
	}
	return n, err
}
