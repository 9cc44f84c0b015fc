package gateway

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
)

// TestRenewal: certificates are made anew every twelve hours. Who trusts those of the start is served until they end, and who reads the file
// again for as long as the server runs.
func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "files")
		g, err := New(Options{Address: "localhost:1", Project: "p", Hosts: []string{"bigquery.googleapis.com"}, Folder: folder, GRPC: grpc.NewServer(),
			HTTP: http.NotFoundHandler()})
		if err != nil {
			t.Fatal(err)
		}
		trusted := func() *x509.CertPool {
			text, err := os.ReadFile(filepath.Join(folder, "roots.pem"))
			if err != nil || !bytes.Contains(text, g.authority.pem()) {
				t.Fatalf("the file does not have the certificates of now: %v", err)
			}
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM(g.authority.pem())
			return pool
		}
		served := func(by *x509.CertPool) bool {
			c, err := g.authority.certificate(&tls.ClientHelloInfo{ServerName: "bigquery.googleapis.com"})
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := x509.ParseCertificate(c.Certificate[0])
			if err != nil {
				t.Fatal(err)
			}
			_, err = leaf.Verify(x509.VerifyOptions{DNSName: "bigquery.googleapis.com", Roots: by, CurrentTime: time.Now()})
			return err == nil
		}
		first := trusted()
		for hours := 0; hours < 72; hours += 6 {
			if got, want := served(first), hours < 24; got != want {
				t.Errorf("after %d hours a program of the start is served: %t", hours, got)
			}
			if !served(trusted()) {
				t.Errorf("after %d hours a program that begins is not served", hours)
			}
			time.Sleep(6*time.Hour + time.Second)
			synctest.Wait()
		}
		if err := g.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
