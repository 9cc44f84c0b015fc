// Package accountkey makes key files of service accounts, of the form that Google gives out, for tests.
package accountkey

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"testing"
)

// PrivateKey gives a fresh private key, in PEM.
func PrivateKey(tb testing.TB) string {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// JSON gives the text of a key file with these fields on top of those that it needs; its private key is fresh unless it
// is among them.
func JSON(tb testing.TB, fields map[string]string) []byte {
	tb.Helper()
	all := map[string]string{
		"type": "service_account", "project_id": "p", "private_key_id": "k1", "client_id": "1",
		"client_email": "s@p.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token",
	}
	for name, v := range fields {
		all[name] = v
	}
	if all["private_key"] == "" {
		all["private_key"] = PrivateKey(tb)
	}
	b, err := json.Marshal(all)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
