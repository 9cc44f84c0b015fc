package gateway

import (
	"bufio"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// connect answers a CONNECT: to a name that is served with ourselves, else with a tunnel to where it says.
func (g *Gateway) connect(w http.ResponseWriter, r *http.Request) {
	if g.o.Token != "" && !g.mayConnect(r) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="mallard"`)
		http.Error(w, "this proxy wants the server's -token as the password", http.StatusProxyAuthRequired)
		return
	}
	if _, _, err := net.SplitHostPort(r.Host); err != nil {
		http.Error(w, fmt.Sprintf("CONNECT wants HOST:PORT, not %.100q", r.Host), http.StatusBadRequest)
		return
	}
	var there net.Conn
	if !g.served(r.Host) {
		var err error
		if there, err = g.upstream.dial(r.Context(), r.Host); err != nil {
			g.o.Logger.Debug("no tunnel", "to", r.Host, "error", err)
			http.Error(w, fmt.Sprintf("%.100q was not reached: %v", r.Host, err), http.StatusBadGateway)
			return
		}
	}
	here, in, err := http.NewResponseController(w).Hijack()
	if err != nil {
		if there != nil {
			_ = there.Close()
		}
		http.Error(w, "this connection cannot become a tunnel", http.StatusBadRequest)
		return
	}
	_ = here.SetDeadline(time.Time{})
	if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		_ = here.Close()
		if there != nil {
			_ = there.Close()
		}
		return
	}
	c := &peeked{Conn: here, in: in.Reader}
	g.open.Go(func() {
		if there == nil {
			g.route(c)
			return
		}
		g.tunnel(c, there)
	})
}

// mayConnect reports whether a request for a tunnel carries the token, as the password of any user.
func (g *Gateway) mayConnect(r *http.Request) bool {
	text, ok := strings.CutPrefix(r.Header.Get("Proxy-Authorization"), "Basic ")
	if !ok {
		return false
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	_, password, _ := strings.Cut(string(b), ":")
	return subtle.ConstantTimeCompare([]byte(password), []byte(g.o.Token)) == 1
}

// tunnel carries bytes both ways until both ends are done, or the gateway is.
func (g *Gateway) tunnel(here, there net.Conn) {
	end := func() { _, _ = here.Close(), there.Close() }
	unwatch := context.AfterFunc(g.ctx, end)
	defer unwatch()
	defer end()
	done := make(chan struct{})
	carry := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
			return
		}
		_ = to.Close()
	}
	go func() {
		defer close(done)
		carry(there, here)
	}()
	carry(here, there)
	<-done
}

// CloseWrite ends one direction of the connection.
func (p *peeked) CloseWrite() error {
	if half, ok := p.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return p.Conn.Close()
}

// upstream is the way to the rest of the world.
type upstream struct {
	proxy func(*url.URL) (*url.URL, error)
}

// environmentProxy is what the server's own environment says; a proxy that is the server itself is none.
func environmentProxy(self string) upstream {
	of := httpproxy.FromEnvironment().ProxyFunc()
	_, own, _ := net.SplitHostPort(self)
	return upstream{func(u *url.URL) (*url.URL, error) {
		p, err := of(u)
		if err != nil || p == nil || p.Port() == own && isLoopback(p.Hostname()) {
			return nil, err
		}
		return p, nil
	}}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// dial reaches a place, by the proxy of the environment where there is one.
func (u upstream) dial(ctx context.Context, hostport string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: patience}
	proxy, err := u.proxy(&url.URL{Scheme: "https", Host: hostport})
	if err != nil || proxy == nil {
		if err != nil {
			return nil, err
		}
		return dialer.DialContext(ctx, "tcp", hostport)
	}
	if proxy.Scheme != "http" {
		return nil, fmt.Errorf("the proxy of the environment is a %s one, which is not supported", proxy.Scheme)
	}
	at := proxy.Host
	if proxy.Port() == "" {
		at = net.JoinHostPort(proxy.Hostname(), "80")
	}
	c, err := dialer.DialContext(ctx, "tcp", at)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	r := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: hostport}, Host: hostport, Header: http.Header{}}
	if user := proxy.User; user != nil {
		password, _ := user.Password()
		r.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	in := bufio.NewReader(c)
	err = r.Write(c)
	var answer *http.Response
	if err == nil {
		answer, err = http.ReadResponse(in, r)
	}
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the proxy of the environment answers %s", answer.Status)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	_ = c.SetDeadline(time.Time{})
	return &peeked{Conn: c, in: in}, nil
}
