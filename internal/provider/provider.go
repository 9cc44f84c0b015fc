// Package provider holds the kinds of connections to remote models. A kind is added in one place: a file with its factory, and its entry
// in the list of [Kinds]. Start with [Find].
package provider

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/mallardml/mallard/functions/remote"
)

// Settings are what a connection of the configuration says of its provider. Secrets stand in environment variables or files.
type Settings struct {
	Name                         string // of the connection
	Project, Location            string
	BaseURL                      string
	Auth                         string
	CredentialsFile, Impersonate string
	TokenEnv, TokenFile          string
	Transport                    string
	AllowedHosts                 []string
	Labels                       map[string]string
	APIKeyEnv, APIKeyFile        string
	Capabilities                 map[string][]string // by the model's name at its provider, or a beginning of it
}

// Provider is one connection, as its kind reads the settings. It is safe for concurrent use.
type Provider interface {
	// Endpoint completes the ENDPOINT of a model, which may be a name.
	Endpoint(given string) (string, error)
	// Model says what kind of model is behind an endpoint, with its article; "" for one of the user's own, with INPUT and OUTPUT.
	Model(endpoint string) string
	// Address fills in how the provider is asked for a call: the family, and what of a [remote.Spec] is its own.
	Address(s *remote.Spec) error
	// Open makes the client, which outlives the context. It has a Close.
	Open(ctx context.Context) (remote.Service, error)
	// Describe gives kind, host and way of authentication for people; nothing that may be secret.
	Describe() string
	// Lacks says what to do before the connection can work, as far as can be told without asking; "" for nothing.
	Lacks() string
	// Ping asks the provider the smallest question there is, once.
	Ping(ctx context.Context) error
}

// Kind is a kind of connection.
type Kind struct {
	Name string
	// Keys are those of a connection that only this kind reads: for another one they are an error.
	Keys []string
	// New reads the settings, and reports every impossible one.
	New func(s Settings) (Provider, error)
}

// Kinds lists all kinds; the first is the one of a connection that names none.
func Kinds() []Kind { return []Kind{vertexAIKind, openAIKind} }

// Find gives the kind of a name, in any case.
func Find(name string) (Kind, error) {
	var names []string
	for _, k := range Kinds() {
		if name == "" || strings.EqualFold(name, k.Name) {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return Kind{}, fmt.Errorf("unknown kind %q: use %s", name, strings.Join(names, " or "))
}

// Stray says of a key that is given for a kind which does not read it whose key it is; nil for a key that is not.
func (k Kind) Stray(key string) error {
	for _, other := range Kinds() {
		if slices.Contains(other.Keys, key) && !slices.Contains(k.Keys, key) {
			return fmt.Errorf("%s is for kind %s; kind %s takes %s", key, other.Name, k.Name, strings.Join(k.Keys, ", "))
		}
	}
	return nil
}

// HoldsPassword reports a URL with a user or password in it; what is no URL might hold one behind an @.
func HoldsPassword(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return strings.Contains(s, "@")
	}
	return u.User != nil
}

// embeds reports whether a function makes embeddings.
func embeds(function string) bool { return strings.Contains(function, "EMBED") }
