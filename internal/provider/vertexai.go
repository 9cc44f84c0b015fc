package provider

import (
	"context"
	"fmt"
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
