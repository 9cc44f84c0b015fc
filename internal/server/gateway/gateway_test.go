package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/server/gateway"
)

func TestMain(m *testing.M) { leak.Main(m) }

// start serves HTTP, which tells the path, and gRPC's health.
func start(t *testing.T, edit func(*gateway.Options)) (g *gateway.Gateway, addr, folder string) {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	addr, folder = "localhost:"+port, filepath.Join(t.TempDir(), "files")
	s := grpc.NewServer()
	healthpb.RegisterHealthServer(s, health.NewServer())
	o := gateway.Options{
		Address: addr, Project: "p", Hosts: []string{"bigquery.googleapis.com", "bigquerystorage.googleapis.com", "storage.googleapis.com"}, Folder: folder,
		GRPC: s, HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host, r.URL.Path, r.TLS != nil) }),
	}
	if edit != nil {
		edit(&o)
	}
	if g, err = gateway.New(o); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- g.Serve(l) }()
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
		defer stop()
		if err := g.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(folder); !os.IsNotExist(err) {
			t.Errorf("the folder stays: %v", err)
		}
	})
	return g, addr, folder
}

func roots(t *testing.T, folder string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "roots.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificates")
	}
	return pool
}

// own gives the authority's certificate.
func own(t *testing.T, folder string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "roots.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, rest := pem.Decode(text)
		if b == nil {
			t.Fatal("the authority is not there")
		}
		if c, err := x509.ParseCertificate(b.Bytes); err == nil && c.Subject.CommonName == "Mallard, for this machine" {
			return c
		}
		text = rest
	}
}

func get(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func client(t *testing.T, pool *x509.CertPool, proxy string) *http.Client {
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	if proxy != "" {
		u, err := url.Parse(proxy)
		if err != nil {
			t.Fatal(err)
		}
		tr.Proxy = http.ProxyURL(u)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// TestOneAddress: HTTP, HTTPS, gRPC with and without TLS, and the proxy, on one port.
func TestOneAddress(t *testing.T) {
	_, addr, folder := start(t, nil)
	pool := roots(t, folder)
	if got := get(t, client(t, nil, ""), "http://"+addr+"/x"); got != addr+"/xfalse" {
		t.Errorf("HTTP: %s", got)
	}
	if got := get(t, client(t, pool, ""), "https://"+addr+"/x"); got != addr+"/xtrue" {
		t.Errorf("HTTPS: %s", got)
	}
	if got := get(t, client(t, pool, "http://"+addr), "https://bigquery.googleapis.com/x"); got != "bigquery.googleapis.com/xtrue" {
		t.Errorf("by the proxy: %s", got)
	}
	if got := get(t, client(t, pool, "http://"+addr), "https://bucket.storage.googleapis.com/x"); got != "bucket.storage.googleapis.com/xtrue" {
		t.Errorf("a bucket by the proxy: %s", got)
	}
	t.Setenv("https_proxy", "http://"+addr)
	for name, o := range map[string]struct {
		target string
		creds  credentials.TransportCredentials
	}{
		"plain": {addr, insecure.NewCredentials()}, "TLS": {addr, credentials.NewTLS(&tls.Config{RootCAs: pool})},
		"by the proxy": {"bigquerystorage.googleapis.com:443", credentials.NewTLS(&tls.Config{RootCAs: pool})},
	} {
		options := []grpc.DialOption{grpc.WithTransportCredentials(o.creds)}
		if name == "by the proxy" { // Go caches what the environment says
			options = append(options, grpc.WithContextDialer(func(ctx context.Context, to string) (net.Conn, error) { return connect(ctx, addr, to, "") }))
		}
		c, err := grpc.NewClient("passthrough:///"+o.target, options...)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := healthpb.NewHealthClient(c).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil || r.Status != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("gRPC %s: %v, %v", name, r, err)
		}
		c.Close()
	}
}

// connect asks the proxy for a tunnel.
func connect(ctx context.Context, addr, to, authorization string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", to, to, authorization)
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return nil, err
	}
	if r.StatusCode != http.StatusOK {
		c.Close()
		return nil, fmt.Errorf("status %d", r.StatusCode)
	}
	return c, nil
}

// TestTunnel: every other CONNECT goes where it says, with its own certificate.
func TestTunnel(t *testing.T) {
	_, addr, _ := start(t, nil)
	far := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "far") }))
	defer far.Close()
	pool := x509.NewCertPool()
	pool.AddCert(far.Certificate())
	if got := get(t, client(t, pool, "http://"+addr), far.URL); got != "far" {
		t.Errorf("got %s", got)
	}
	for _, to := range []string{"localhost", "", "localhost:1", "bigquery.googleapis.com:444x"} {
		if c, err := connect(t.Context(), addr, to, ""); err == nil {
			c.Close()
			t.Errorf("CONNECT %q succeeds", to)
		}
	}
	// A tunnel that is open when the gateway ends is ended: the cleanup waits for it.
	if _, err := connect(t.Context(), addr, strings.TrimPrefix(far.URL, "https://"), ""); err != nil {
		t.Error(err)
	}
}

// TestAuthority: the authority may sign for the names that are served, for a day, and its key is in no file.
func TestAuthority(t *testing.T) {
	_, addr, folder := start(t, nil)
	ca := own(t, folder)
	if left := time.Until(ca.NotAfter); left > 24*time.Hour || left < 23*time.Hour {
		t.Errorf("it holds for %v", left)
	}
	if !ca.PermittedDNSDomainsCritical || strings.Join(ca.PermittedDNSDomains, " ") !=
		"localhost bigquery.googleapis.com bigquerystorage.googleapis.com storage.googleapis.com" || len(ca.PermittedIPRanges) != 2 || !ca.MaxPathLenZero {
		t.Errorf("it may sign for %v, %v", ca.PermittedDNSDomains, ca.PermittedIPRanges)
	}
	pool := roots(t, folder)
	for _, name := range []string{"www.google.com", "googleapis.com", "iam.googleapis.com", "evil-bigquery.googleapis.com"} {
		c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: pool, ServerName: name})
		if err == nil {
			c.Close()
			t.Errorf("a certificate for %s", name)
		}
	}
	if st, err := os.Stat(folder); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", st, err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 4 {
		t.Errorf("%v, %v", files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info, err)
		}
		text, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil || f.Name() != "credentials.json" && bytes.Contains(text, []byte("PRIVATE KEY")) {
			t.Errorf("%s holds a key, %v", f.Name(), err)
		}
	}
}

// TestToken: the credentials file becomes a token with Google's own client, and with a -token nobody else gets it.
func TestToken(t *testing.T) {
	for _, token := range []string{"", "se'cret"} {
		g, addr, folder := start(t, func(o *gateway.Options) { o.Token = token })
		text, err := os.ReadFile(filepath.Join(folder, "credentials.json"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := google.CredentialsFromJSONWithType(t.Context(), text, google.ServiceAccount, "https://www.googleapis.com/auth/cloud-platform")
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.TokenSource.Token()
		want := token
		if want == "" {
			want = "local"
		}
		if err != nil || got.AccessToken != want || !g.Admits("Bearer "+got.AccessToken) || c.ProjectID != "p" {
			t.Errorf("token %v, %v", got, err)
		}
		self, err := google.JWTAccessTokenSourceFromJSON(text, "https://bigquerystorage.googleapis.com/")
		if err != nil {
			t.Fatal(err)
		}
		signed, err := self.Token()
		if err != nil || !g.Admits("Bearer "+signed.AccessToken) {
			t.Errorf("a token of the account's own: %v", err)
		}
		r, err := http.PostForm("http://"+addr+"/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "assertion": {"a.b.c"}})
		if err != nil {
			t.Fatal(err)
		}
		var tok oauth2.Token
		_ = json.NewDecoder(r.Body).Decode(&tok)
		r.Body.Close()
		if token != "" && (r.StatusCode != http.StatusBadRequest || tok.AccessToken != "") || token == "" && tok.AccessToken != "local" {
			t.Errorf("token %q: %d %v", token, r.StatusCode, tok)
		}
		other := strings.Split(signed.AccessToken, ".")
		other[1] = base64.RawURLEncoding.EncodeToString([]byte(`{"exp": 99999999999}`))
		for _, bad := range []string{"", "Bearer", "Bearer x", "Basic " + token, "Bearer " + strings.Join(other, ".")} {
			if g.Admits(bad) != (token == "") {
				t.Errorf("token %q: %q is admitted: %v", token, bad, g.Admits(bad))
			}
		}
		if token == "" {
			continue
		}
		if c, err := connect(t.Context(), addr, "bigquery.googleapis.com:443", ""); err == nil {
			c.Close()
			t.Error("a tunnel without the token")
		}
		basic := "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("mallard:"+token)) + "\r\n"
		if c, err := connect(t.Context(), addr, "bigquery.googleapis.com:443", basic); err != nil {
			t.Error(err)
		} else {
			c.Close()
		}
		if got := get(t, client(t, roots(t, folder), variables(g)["https_proxy"]), "https://bigquery.googleapis.com/x"); got != "bigquery.googleapis.com/xtrue" {
			t.Errorf("by the proxy: %s", got)
		}
	}
}

func variables(g *gateway.Gateway) map[string]string {
	all := map[string]string{}
	for _, v := range g.Variables() {
		all[v.Name] = v.Value
	}
	return all
}

// TestExport: a shell reads the lines as they were meant, and keeps what no_proxy held.
func TestExport(t *testing.T) {
	text := gateway.Export([]gateway.Variable{
		{Name: "A", Value: `it's $HOME "x" \ `, Reader: "nobody"}, {Name: "no_proxy", Value: "localhost", Reader: "x", Append: true}, {Name: "B", Value: "b", Append: true},
	})
	c := exec.Command("sh", "-c", text+`printf '%s|%s|%s' "$A" "$no_proxy" "$B"`)
	c.Env = []string{"no_proxy=corp", "HOME=/"}
	out, err := c.CombinedOutput()
	if err != nil || string(out) != `it's $HOME "x" \ |localhost,corp|b` {
		t.Errorf("%s, %v", out, err)
	}
	env := gateway.Environ([]string{"A=1", "no_proxy=corp", "C=3"}, []gateway.Variable{{Name: "A", Value: "2"}, {Name: "no_proxy", Value: "localhost", Append: true}})
	if got := strings.Join(env, " "); got != "C=3 A=2 no_proxy=localhost,corp" {
		t.Errorf("environment %s", got)
	}
}

// TestSilence: a connection that says nothing, or no TLS, or half a handshake, does not keep the gateway from ending.
func TestSilence(t *testing.T) {
	_, addr, _ := start(t, nil)
	for _, says := range []string{"", "P", "PR", "\x16", "\x16\x03\x01\xff\xff", "\x00\x01", "GET", "PRI * HTTP/2.0\r\n\r\nxx"} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := io.WriteString(c, says); err != nil {
			t.Error(err)
		}
	}
}
