package gateway

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"time"
)

// tokenPath is where credentials become a token.
const tokenPath = "/token"

// account is the service account whose key clients sign with.
type account struct {
	now   func() time.Time
	key   *rsa.PrivateKey
	email string
	file  []byte // as Google writes it
}

func newAccount(project, tokenURI string, now func() time.Time) (*account, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	a := &account{now: now, key: key, email: "mallard@" + project + ".iam.gserviceaccount.com"}
	sum := sha256.Sum256(key.N.Bytes())
	a.file, err = json.MarshalIndent(map[string]string{
		"type": "service_account", "project_id": project, "private_key_id": hex.EncodeToString(sum[:20]),
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": a.email, "client_id": "100000000000000000001", "token_uri": tokenURI, "universe_domain": "googleapis.com",
		"auth_uri": strings.TrimSuffix(tokenURI, tokenPath) + "/auth",
	}, "", "  ")
	return a, err
}

// signed reports whether a JSON Web Token is signed with the account's key and still holds.
func (a *account) signed(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	var header struct{ Alg string }
	var claims struct{ Exp float64 }
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !decode(parts[0], &header) || !decode(parts[1], &claims) || header.Alg != "RS256" {
		return false
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signature) == nil && float64(a.now().Unix()) < claims.Exp
}

func decode(part string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(b, into) == nil
}

// Admits reports whether what a request carries as Authorization lets it in: the token, or one that the account has signed itself, as
// clients of gRPC do. Without a token everything does.
func (g *Gateway) Admits(authorization string) bool {
	if g.o.Token == "" {
		return true
	}
	kind, given, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(kind, "Bearer") {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(g.o.Token)) == 1 || g.account.signed(given)
}

// token answers OAuth 2.0's request for an access token (RFC 6749, RFC 7523).
func (g *Gateway) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	token := "local"
	if g.o.Token != "" {
		if err := r.ParseForm(); err != nil || !g.account.signed(r.PostForm.Get("assertion")) {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]string{
				"error": "invalid_grant", "error_description": "The assertion is not signed with the key of the server's credentials file.",
			})
			return
		}
		token = g.o.Token
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": token, "expires_in": 3600, "token_type": "Bearer"})
}
