package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/mallardml/mallard/connectors/openai"
	"github.com/mallardml/mallard/functions/remote"
)

var openAIKind = Kind{
	Name: "openai",
	Keys: []string{"api_key_env", "api_key_file", "capabilities"},
	New: func(s Settings) (Provider, error) {
		p := openAI{s, openai.Options{BaseURL: s.BaseURL, APIKeyEnv: s.APIKeyEnv, APIKeyFile: s.APIKeyFile}}
		var errs []error
		for model, list := range s.Capabilities {
			for _, c := range list {
				if !slices.Contains(capabilities[:], c) {
					errs = append(errs, fmt.Errorf("capabilities of %q: there is no %q; a model may have %s",
						model, c, strings.Join(capabilities[:], ", ")))
				}
			}
		}
		return p, errors.Join(errs...)
	},
}

// What a model can do, as the configuration names it: write texts, make embeddings, write answers that follow a schema.
const (
	canText      = "text"
	canEmbedding = "embedding"
	canSchema    = "schema"
)

var capabilities = [...]string{canText, canEmbedding, canSchema}

// openAI is a server that speaks OpenAI's API. A model's name is the server's own and tells nothing: what the configuration does not
// say of a model is tried, and the server says what it cannot do.
type openAI struct {
	s Settings
	o openai.Options
}

func (p openAI) Endpoint(given string) (string, error) {
	full := p.o.ExpandEndpoint(given)
	if HoldsPassword(full) { // it would go into the catalog
		return "", fmt.Errorf("the ENDPOINT, or base_url of connection `%s`, holds a user or password; "+
			"name the key with api_key_env or api_key_file", p.s.Name)
	}
	return full, nil
}

func (openAI) Model(string) string { return "a model of an OpenAI-compatible server" }

func (p openAI) Address(s *remote.Spec) error {
	name, err := p.o.ModelName(s.Endpoint)
	if err != nil {
		return err
	}
	s.Name, s.TokenField, s.Inline = name, p.o.TokenField(), true
	if s.Family = remote.OpenAI; embeds(s.Func) {
		s.Family = remote.OpenAIEmbedding
	}
	can, known := p.can(name)
	if !known {
		return nil
	}
	for _, need := range needs(s.Func) {
		if !slices.Contains(can, need) {
			return fmt.Errorf("%s needs `%s` of a model, and capabilities of [connections.%q] give %s no more than %s",
				s.Func, need, p.s.Name, name, strings.Join(can, ", "))
		}
	}
	return nil
}

// can is what the configuration says of a model: the longest entry that its name begins with holds.
func (p openAI) can(model string) (list []string, known bool) {
	found := -1
	for name, l := range p.s.Capabilities {
		if len(name) > found && strings.HasPrefix(strings.ToLower(model), strings.ToLower(name)) {
			list, found = l, len(name)
		}
	}
	return list, found >= 0
}

// needs is what a function asks of a model.
func needs(function string) []string {
	switch function {
	case "AI.GENERATE_TABLE", "AI.GENERATE_BOOL", "AI.GENERATE_INT", "AI.GENERATE_DOUBLE", "AI.IF", "AI.SCORE", "AI.CLASSIFY":
		return []string{canText, canSchema}
	}
	if embeds(function) {
		return []string{canEmbedding}
	}
	return []string{canText}
}

func (p openAI) Open(ctx context.Context) (remote.Service, error) { return openai.New(ctx, p.o) }

func (p openAI) Describe() string {
	auth := "no key"
	switch {
	case p.s.APIKeyEnv != "":
		auth = "key from $" + p.s.APIKeyEnv
	case p.s.APIKeyFile != "":
		auth = "key from " + p.s.APIKeyFile
	}
	return fmt.Sprintf("openai, %s, %s", host(p.s.BaseURL), auth)
}

func (p openAI) Lacks() string {
	switch {
	case p.s.BaseURL == "":
		return "set base_url to the server, with its /v1"
	case p.s.APIKeyEnv != "" && os.Getenv(p.s.APIKeyEnv) == "":
		return "put the key into the environment variable " + p.s.APIKeyEnv
	case p.s.APIKeyFile != "":
		return unreadable("api_key_file", p.s.APIKeyFile, false)
	}
	return ""
}

// Ping asks for the list of the server's models.
func (p openAI) Ping(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(p.s.BaseURL, "/")+"/models", nil)
	if err != nil {
		return errors.New("base_url is no address")
	}
	key := os.Getenv(p.s.APIKeyEnv)
	if p.s.APIKeyFile != "" {
		b, err := os.ReadFile(p.s.APIKeyFile)
		if err != nil {
			return err
		}
		key = strings.TrimSpace(string(b))
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		var e *url.Error // shows the address, which may hold a name and a password
		if errors.As(err, &e) {
			err = e.Err
		}
		return err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%s: the key is refused", res.Status)
	case res.StatusCode >= 300:
		return fmt.Errorf("GET %s/models: %s; base_url ends in /v1 with most servers", host(p.s.BaseURL), res.Status)
	}
	return nil
}
