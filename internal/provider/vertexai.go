package provider

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mallardml/mallard/connectors/vertexai"
	"github.com/mallardml/mallard/functions/remote"
)

var vertexAIKind = Kind{
	Name: "vertexai",
	Keys: []string{"auth", "impersonate", "transport", "allowed_hosts", "labels"},
	New: func(s Settings) (Provider, error) {
		p := vertexAI{s}
		switch s.Auth {
		case "", vertexai.AuthADC, vertexai.AuthServiceAccount, vertexai.AuthToken, vertexai.AuthImpersonate, vertexai.AuthNone:
			return p, nil
		}
		return p, fmt.Errorf("unknown auth %q: use adc, service_account, token, impersonate or none", s.Auth)
	},
}

// vertexAI is Google's Vertex AI, or an emulator of it. Publishers and the names of their models are known here only.
type vertexAI struct{ s Settings }

func (p vertexAI) Endpoint(given string) (string, error) {
	if !strings.Contains(given, "://") && p.s.Project == "" {
		return "", fmt.Errorf("ENDPOINT '%s' is a name, and connection `%s` has no project to find it in; "+
			"set project under [connections.%q] or give the URL", given, p.s.Name, p.s.Name)
	}
	url := vertexai.ExpandEndpoint(given, p.s.Project, p.s.Location)
	_, err := vertexai.ParseEndpoint(url)
	return url, err
}

func (vertexAI) Model(endpoint string) string {
	if f := remote.FamilyOf(endpoint); f != remote.Auto {
		return f.Model()
	}
	return ""
}

func (vertexAI) Address(s *remote.Spec) error {
	s.Family = remote.FamilyOf(s.Endpoint)
	switch {
	case len(s.Outputs) > 0:
		s.Family = remote.Custom
	case s.Family == remote.Auto && embeds(s.Func): // an open model, deployed to an endpoint
		s.Family = remote.OpenEmbedding
	case s.Family == remote.Auto:
		s.Family = remote.Open
	}
	return nil
}

func (p vertexAI) Open(ctx context.Context) (remote.Service, error) {
	return vertexai.New(context.WithoutCancel(ctx), vertexai.Options{
		Auth: p.s.Auth, CredentialsFile: p.s.CredentialsFile, TokenEnv: p.s.TokenEnv, TokenFile: p.s.TokenFile,
		Impersonate: p.s.Impersonate, BaseURL: p.s.BaseURL, Transport: p.s.Transport, Labels: p.s.Labels, AllowedHosts: p.s.AllowedHosts,
	})
}

func (p vertexAI) Describe() string {
	where := "Vertex AI in " + cmp.Or(p.s.Location, "US")
	if p.s.BaseURL != "" {
		where = host(p.s.BaseURL)
	}
	return fmt.Sprintf("vertexai, %s, project %s, auth %s", where, cmp.Or(p.s.Project, "not set"), cmp.Or(p.s.Auth, vertexai.AuthADC))
}

func (p vertexAI) Lacks() string {
	switch p.s.Auth {
	case vertexai.AuthNone:
		return ""
	case vertexai.AuthToken:
		switch {
		case p.s.TokenEnv != "" && os.Getenv(p.s.TokenEnv) == "":
			return "put an access token into the environment variable " + p.s.TokenEnv + ", such as from: gcloud auth print-access-token"
		case p.s.TokenFile != "":
			return unreadable("token_file", p.s.TokenFile, false)
		}
		return ""
	case vertexai.AuthServiceAccount:
		return unreadable("credentials_file", p.s.CredentialsFile, true)
	}
	if p.s.CredentialsFile != "" {
		return unreadable("credentials_file", p.s.CredentialsFile, true)
	}
	if file := os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"); file != "" {
		return unreadable("$GOOGLE_APPLICATION_CREDENTIALS", file, true)
	}
	if _, err := os.Stat(wellKnown()); err != nil {
		return "no application default credentials were found: run gcloud auth application-default login " +
			"(on a machine of Google Cloud none are needed)"
	}
	return ""
}

// Ping has one word embedded.
func (p vertexAI) Ping(ctx context.Context) (err error) {
	endpoint, err := p.Endpoint("text-embedding-005")
	if err != nil {
		return err
	}
	s, err := p.Open(ctx)
	if err != nil {
		return err
	}
	if c, ok := s.(io.Closer); ok {
		defer func() { err = errors.Join(err, c.Close()) }()
	}
	_, err = s.Call(ctx, "predict", endpoint, json.RawMessage(`{"instances": [{"content": "quack"}]}`), nil)
	return err
}
