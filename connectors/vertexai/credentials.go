package vertexai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"cloud.google.com/go/auth"
	gcreds "cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/credentials/impersonate"
)

const scope = "https://www.googleapis.com/auth/cloud-platform"

// credentials finds what Options.Auth asks for; nil means that nothing is sent.
// The causes are not wrapped where Google's library may quote the file's contents.
func credentials(_ context.Context, o Options) (*auth.Credentials, error) {
	switch o.Auth {
	case AuthNone:
		return nil, nil
	case AuthToken:
		src := &tokenSource{env: o.TokenEnv, file: o.TokenFile, getenv: o.Getenv}
		if _, err := src.read(); err != nil {
			return nil, err
		}
		return auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: src}), nil
	case AuthServiceAccount:
		if err := readable(o.CredentialsFile); err != nil {
			return nil, err
		}
		c, err := gcreds.NewCredentialsFromFile(gcreds.ServiceAccount, o.CredentialsFile,
			&gcreds.DetectOptions{Scopes: []string{scope}, UseSelfSignedJWT: true})
		if err != nil {
			return nil, fmt.Errorf("vertexai: %s is not a service account key file: create one with `gcloud iam service-accounts keys create`",
				o.CredentialsFile)
		}
		return c, nil
	}
	base, err := defaults(o)
	if err != nil || o.Auth == AuthADC {
		return base, err
	}
	c, err := impersonate.NewCredentials(&impersonate.CredentialsOptions{
		TargetPrincipal: o.Impersonate, Delegates: o.Delegates, Scopes: []string{scope}, Credentials: base,
	})
	if err != nil {
		return nil, fmt.Errorf("vertexai: cannot impersonate %s: %w", o.Impersonate, err)
	}
	return c, nil
}

func defaults(o Options) (*auth.Credentials, error) {
	if o.CredentialsFile != "" {
		if err := readable(o.CredentialsFile); err != nil {
			return nil, err
		}
		b, err := os.ReadFile(o.CredentialsFile)
		if err != nil {
			return nil, fmt.Errorf("vertexai: cannot read the credentials file: %w", err)
		}
		var kind struct {
			Type gcreds.CredType `json:"type"`
		}
		_ = json.Unmarshal(b, &kind) // an unknown kind is refused next
		c, err := gcreds.NewCredentialsFromJSON(kind.Type, b, &gcreds.DetectOptions{Scopes: []string{scope}})
		if err != nil {
			return nil, fmt.Errorf("vertexai: %s is not a credentials file of Google's", o.CredentialsFile)
		}
		return c, nil
	}
	c, err := gcreds.DetectDefault(&gcreds.DetectOptions{Scopes: []string{scope}})
	if err != nil {
		return nil, errors.New("vertexai: no application default credentials found: run `gcloud auth application-default login`, set " +
			"GOOGLE_APPLICATION_CREDENTIALS, " +
			"or choose another auth for the connection (service_account, token, impersonate; none for an emulator)")
	}
	return c, nil
}

func readable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("vertexai: cannot read the credentials file: %w", err)
	}
	return f.Close()
}

// tokenSource reads the token anew for each call, because such tokens last an hour and something else renews them.
type tokenSource struct {
	env, file string
	getenv    func(string) string
}

// Token satisfies auth.TokenProvider.
func (s *tokenSource) Token(context.Context) (*auth.Token, error) {
	v, err := s.read()
	if err != nil {
		return nil, err
	}
	return &auth.Token{Value: v, Type: "Bearer"}, nil
}

func (s *tokenSource) read() (string, error) {
	if s.env != "" {
		v := strings.TrimSpace(s.getenv(s.env))
		if v == "" {
			return "", fmt.Errorf("vertexai: environment variable %s holds no access token: try %s=$(gcloud auth print-access-token)", s.env, s.env)
		}
		return v, plain(v, "environment variable "+s.env)
	}
	b, err := os.ReadFile(s.file)
	if err != nil {
		return "", fmt.Errorf("vertexai: cannot read the token file: %w", err)
	}
	v := strings.TrimSpace(string(b))
	if v == "" {
		return "", fmt.Errorf("vertexai: token file %s is empty", s.file)
	}
	return v, plain(v, "token file "+s.file)
}

// plain keeps a token that cannot stand in a header from reaching net/http, whose error would quote it.
func plain(v, where string) error {
	for _, r := range v {
		if r <= ' ' || r > '~' {
			return fmt.Errorf("vertexai: %s does not hold an access token: it has blanks or control characters", where)
		}
	}
	return nil
}
