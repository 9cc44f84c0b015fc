// Package gateway lets programs that know nothing of this server reach it where they look for Google: over TLS under Google's names,
// through an HTTP proxy, with credentials and a token. One address serves it all: what a connection's first bytes say decides.
//
// The authority behind the certificates is made when a server starts, and its key is never written. It may sign for localhost and the names
// that are served, and for a day; it is renewed before.
package gateway

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/mallardml/mallard/internal/private"
)

// Options say what a gateway leads to.
type Options struct {
	// Address is where clients reach it: localhost:9050.
	Address string
	// Project is that of the credentials.
	Project string
	// Hosts are the names of Google's that are served: bigquery.googleapis.com. A CONNECT to another goes where it says.
	Hosts []string
	// Token is what requests must carry; "" lets everybody in. See [Gateway.Admits].
	Token string
	// Folder is for the files of clients. It is made, for this user alone, and its files go with the gateway. By default it is one in the
	// user's cache folder, named by the port.
	Folder string
	// HTTP answers requests, but for CONNECT and the token's.
	HTTP http.Handler
	// GRPC answers calls.
	GRPC *grpc.Server
	// Logger gets faults of connections, for debugging; nil is silent.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Gateway leads clients to a server. It is safe for concurrent use.
type Gateway struct {
	o         Options
	authority *authority
	account   *account
	folder    string
	http      *http.Server
	plain     *queue // connections that speak HTTP/1.1
	calls     *queue // those that speak gRPC
	upstream  upstream

	open   sync.WaitGroup // connections whose kind is not known yet, and tunnels
	ctx    context.Context
	cancel context.CancelFunc
	renew  *time.Timer
}

// New makes the authority, the credentials and the files. The caller closes the gateway.
func New(o Options) (*Gateway, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{o: o, folder: o.Folder, upstream: environmentProxy(o.Address)}
	if g.folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		_, port, err := net.SplitHostPort(o.Address)
		if err != nil {
			return nil, err
		}
		g.folder = filepath.Join(cache, "mallard", "serve-"+port)
	}
	if err := private.Folder(g.folder); err != nil {
		return nil, err
	}
	var err error
	if g.authority, err = newAuthority(o.names(), o.Now); err != nil {
		return nil, err
	}
	if g.account, err = newAccount(o.Project, "http://"+o.Address+tokenPath, o.Now); err != nil {
		return nil, err
	}
	if err := g.write(); err != nil {
		return nil, errors.Join(err, g.remove())
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.plain, g.calls = newQueue(), newQueue()
	g.http = &http.Server{
		Handler: g.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 1 << 16,
		ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}
	g.renew = time.AfterFunc(lifetime/2, g.renewal)
	return g, nil
}

// names are those that certificates are for.
func (o Options) names() []string {
	host, _, _ := net.SplitHostPort(o.Address)
	names := append([]string{"localhost", "127.0.0.1", "::1"}, o.Hosts...)
	if host = strings.Trim(host, "[]"); host != "" && !slices.Contains(names, host) {
		names = append(names, host)
	}
	return names
}

// renewal writes the certificate anew before it ends.
func (g *Gateway) renewal() {
	err := g.authority.renew()
	if err == nil {
		err = g.writeRoots()
	}
	if err != nil {
		g.o.Logger.Error("the certificate could not be renewed", "error", err)
	}
	if g.ctx.Err() == nil {
		g.renew.Reset(lifetime / 2)
	}
}

// Serve answers the connections of a listener until it is closed, by Shutdown or else.
func (g *Gateway) Serve(l net.Listener) error {
	var serving sync.WaitGroup
	serving.Go(func() { _ = g.http.Serve(g.plain) }) // it ends with the queue
	if g.o.GRPC != nil {
		serving.Go(func() { _ = g.o.GRPC.Serve(g.calls) })
	}
	defer serving.Wait()
	unwatch := context.AfterFunc(g.ctx, func() { _ = l.Close() })
	defer unwatch()
	defer g.plain.Close()
	defer g.calls.Close()
	for {
		c, err := l.Accept()
		if err != nil {
			if g.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			var e interface{ Temporary() bool }
			if errors.As(err, &e) && e.Temporary() { // out of descriptors, say
				time.Sleep(10 * time.Millisecond)
				continue
			}
			return err
		}
		g.open.Go(func() { g.route(c) })
	}
}

// Shutdown takes no more connections, and lets requests end until ctx does.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.renew.Stop()
	g.cancel()
	err := g.http.Shutdown(ctx)
	if err != nil {
		err = g.http.Close()
	}
	if g.o.GRPC != nil {
		graceful := make(chan struct{})
		go func() {
			defer close(graceful)
			g.o.GRPC.GracefulStop()
		}()
		select {
		case <-graceful:
		case <-ctx.Done():
			g.o.GRPC.Stop()
			<-graceful
		}
	}
	g.plain.Close()
	g.calls.Close()
	g.open.Wait()
	return errors.Join(err, g.remove())
}

// patience is how long a connection may say nothing, and a handshake may take.
const patience = 10 * time.Second

// preface is how HTTP/2 without TLS begins; only gRPC does so here.
const preface = "PRI"

// handshake is the first byte of TLS.
const handshake = 0x16

// route gives a connection to who speaks its language.
func (g *Gateway) route(c net.Conn) {
	unwatch := context.AfterFunc(g.ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	defer unwatch()
	if g.ctx.Err() == nil {
		_ = c.SetDeadline(time.Now().Add(patience))
	}
	in := bufio.NewReader(c)
	first, err := in.Peek(1)
	if err == nil && first[0] == preface[0] {
		first, err = in.Peek(len(preface))
	}
	if err != nil {
		_ = c.Close()
		return
	}
	seen := &peeked{Conn: c, in: in}
	if first[0] == handshake {
		g.routeTLS(seen)
		return
	}
	_ = c.SetDeadline(time.Time{})
	if string(first) == preface && g.o.GRPC != nil {
		g.calls.put(seen)
		return
	}
	g.plain.put(seen)
}

// routeTLS ends TLS. Who offers HTTP/1.1 gets it; who speaks HTTP/2 alone speaks gRPC.
func (g *Gateway) routeTLS(c net.Conn) {
	under := &gathering{Conn: c}
	t := tls.Server(under, g.tls())
	ctx, stop := context.WithTimeout(g.ctx, patience)
	defer stop()
	if err := t.HandshakeContext(ctx); err != nil {
		g.o.Logger.Debug("no TLS", "error", err)
		_ = c.Close()
		return
	}
	_ = c.SetDeadline(time.Time{})
	if t.ConnectionState().NegotiatedProtocol == "h2" {
		g.calls.put(&joined{Conn: t, under: under})
		return
	}
	g.plain.put(t)
}

func (g *Gateway) tls() *tls.Config {
	config := func(protocols ...string) *tls.Config {
		return &tls.Config{GetCertificate: g.authority.certificate, NextProtos: protocols, MinVersion: tls.VersionTLS12}
	}
	c := config("http/1.1")
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedProtos, "h2") && !slices.Contains(hello.SupportedProtos, "http/1.1") && g.o.GRPC != nil {
			return config("h2"), nil
		}
		return nil, nil
	}
	return c
}

// peeked is a connection whose first bytes were looked at.
type peeked struct {
	net.Conn
	in *bufio.Reader
}

// Read implements [net.Conn].
func (p *peeked) Read(b []byte) (int, error) {
	if p.in.Buffered() > 0 {
		return p.in.Read(b)
	}
	return p.Conn.Read(b)
}

// queue is a listener of connections that others accepted.
type queue struct {
	ready chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newQueue() *queue { return &queue{ready: make(chan net.Conn), done: make(chan struct{})} }

func (q *queue) put(c net.Conn) {
	select {
	case q.ready <- c:
	case <-q.done:
		_ = c.Close()
	}
}

// Accept implements [net.Listener].
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.ready:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (q *queue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

// Addr implements [net.Listener].
func (q *queue) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "gateway" }
func (address) String() string  { return "gateway" }

// served reports whether a host and port are those of a service of Google's that is served here.
func (g *Gateway) served(hostport string) bool {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil || port != strconv.Itoa(443) {
		return false
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(g.o.Hosts, func(h string) bool {
		return host == h || strings.HasSuffix(host, "."+h) // a bucket may stand in front
	})
}

// handler answers what is the gateway's own, and leaves the rest to the server.
func (g *Gateway) handler() http.Handler {
	rest := g.o.HTTP
	if rest == nil {
		rest = http.NotFoundHandler()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect:
			g.connect(w, r)
		case r.URL.Path == tokenPath && cmp.Or(r.Method, http.MethodGet) == http.MethodPost:
			g.token(w, r)
		default:
			rest.ServeHTTP(w, r)
		}
	})
}
