package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/provider"
)

// ConnectionConfig is one named connection to a provider of remote models. WITH CONNECTION DEFAULT means the one named
// "default"; project.location.name means the one of that whole name, else of its last part. Secrets stand in environment
// variables or files, never here.
type ConnectionConfig struct {
	// Kind is "vertexai" (default) or "openai", for any server that speaks OpenAI's API.
	Kind string `toml:"kind"`
	// Project and Location complete an ENDPOINT that is a name. Location is a region, "US", "EU" or "global".
	Project  string `toml:"project"`
	Location string `toml:"location"`
	// BaseURL replaces scheme and host of every endpoint: an emulator, a proxy, or the server of kind openai (with its /v1).
	BaseURL string `toml:"base_url"`
	// Auth is "adc" (default), "service_account", "token", "impersonate" or "none"; for kind vertexai.
	Auth            string `toml:"auth"`
	CredentialsFile string `toml:"credentials_file"` // of service_account; with adc and impersonate in place of the default ones
	TokenEnv        string `toml:"token_env"`        // of token: the environment variable that holds it, or
	TokenFile       string `toml:"token_file"`       // the file; read anew for each request
	Impersonate     string `toml:"impersonate"`      // e-mail address of the service account
	// Transport is "rest" (default) or "grpc".
	Transport string `toml:"transport"`
	// AllowedHosts are those that may be asked; empty is *.googleapis.com.
	AllowedHosts []string `toml:"allowed_hosts"`
	// Labels go with every generateContent request, for billing reports.
	Labels map[string]string `toml:"labels"`
	// StorageEndpoint replaces Cloud Storage's own, for an emulator.
	StorageEndpoint string `toml:"storage_endpoint"`
	// APIKeyEnv and APIKeyFile name the key of kind openai; servers without keys need none.
	APIKeyEnv  string `toml:"api_key_env"`
	APIKeyFile string `toml:"api_key_file"`
	// Capabilities say what models of kind openai can do ("text", "embedding", "schema"), by name or a beginning of it. What
	// they do not say of a model is tried.
	Capabilities map[string][]string `toml:"capabilities"`
	// Concurrency bounds the requests in flight (default 32); 0 per minute is no bound beyond what the provider says.
	Concurrency       int   `toml:"concurrency"`
	RequestsPerMinute int64 `toml:"requests_per_minute"`
	TokensPerMinute   int64 `toml:"tokens_per_minute"`
	// Timeout bounds one request (default 3m).
	Timeout Duration `toml:"timeout"`
	// Retry says how long a request that may yet succeed is tried again.
	Retry RetryConfig `toml:"retry"`
	// Budget bounds what is sent over the connection while the database is open.
	Budget ConnectionBudget `toml:"budget"`
	// Limits and Prices are by the model's name at its provider, or a beginning of it.
	Limits map[string]LimitConfig `toml:"limits"`
	Prices map[string]PriceConfig `toml:"prices"`
}

// RetryConfig says how requests that failed with 408, 429, 5xx or on the network are tried again; 0 is the default.
type RetryConfig struct {
	Attempts int      `toml:"attempts"` // in all; default 8
	Base     Duration `toml:"base"`     // bound of the first random delay, doubled with each attempt; default 1s
	Cap      Duration `toml:"cap"`      // bound of every delay; default 32s
	Deadline Duration `toml:"deadline"` // from the first attempt to the last; default 5m
}

// ConnectionBudget bounds what may be spent over one connection; 0 is no bound.
type ConnectionBudget struct {
	Requests int64   `toml:"requests"`
	Tokens   int64   `toml:"tokens"`
	Money    float64 `toml:"money"`
}

// LimitConfig bounds one request; 0 leaves what the provider documents, -1 means no bound.
type LimitConfig struct {
	Rows   int `toml:"rows"`
	Tokens int `toml:"tokens"` // as Mallard estimates them
	Bytes  int `toml:"bytes"`  // of the rows' JSON
}

// PriceConfig is what a model costs, in any currency, as long as it is one. Prices are for tokens by the million.
type PriceConfig struct {
	InputPerMillion  float64 `toml:"input_per_million"`
	OutputPerMillion float64 `toml:"output_per_million"`
	PerRequest       float64 `toml:"per_request"`
}

// CacheConfig sets up the cache of answers, which lies in the database file.
type CacheConfig struct {
	// Off asks every time.
	Off bool `toml:"off"`
	// Always keeps the answers of models asked with a temperature above zero, too.
	Always bool `toml:"always"`
	// TTL is how long an answer is used; 0 is for ever. Older ones are asked again and removed.
	TTL Duration `toml:"ttl"`
	// MaxRows and MaxBytes (of the texts) bound the table; 0 is no bound. Beyond them the oldest answers go.
	MaxRows  int64 `toml:"max_rows"`
	MaxBytes int64 `toml:"max_bytes"`
}

func (c CacheConfig) validate() error {
	if c.TTL < 0 || c.MaxRows < 0 || c.MaxBytes < 0 {
		return errors.New("cache: ttl, max_rows and max_bytes must be 0 (no bound) or more")
	}
	return nil
}

// BudgetConfig bounds what one statement, and all while the database is open, may spend; 0 is no bound. Tokens are those of
// input and output, money is counted by the prices of the connections. What goes beyond is not asked, and its rows say so.
type BudgetConfig struct {
	StatementRequests int64   `toml:"statement_requests"`
	StatementTokens   int64   `toml:"statement_tokens"`
	StatementMoney    float64 `toml:"statement_money"`
	SessionRequests   int64   `toml:"session_requests"`
	SessionTokens     int64   `toml:"session_tokens"`
	SessionMoney      float64 `toml:"session_money"`
}

func (b BudgetConfig) validate() error {
	if b.StatementRequests < 0 || b.StatementTokens < 0 || b.StatementMoney < 0 || b.SessionRequests < 0 || b.SessionTokens < 0 ||
		b.SessionMoney < 0 {
		return errors.New("budget: each must be 0 (no bound) or more")
	}
	return nil
}

// StatementBudget is what one statement may spend.
func StatementBudget(b BudgetConfig) dispatch.Budget {
	return dispatch.Budget{Requests: b.StatementRequests, Tokens: b.StatementTokens, Money: b.StatementMoney}
}

// SessionBudget is what all statements may spend while the database is open.
func SessionBudget(b BudgetConfig) dispatch.Budget {
	return dispatch.Budget{Requests: b.SessionRequests, Tokens: b.SessionTokens, Money: b.SessionMoney}
}

// Provider gives the connection to its provider; the error names all that is impossible about it.
func Provider(name string, c ConnectionConfig) (provider.Provider, error) {
	k, err := provider.Find(c.Kind)
	if err != nil {
		return nil, err
	}
	var errs []error
	v := reflect.ValueOf(c)
	for f, value := range v.Fields() {
		if empty := value.IsZero() || (value.Kind() == reflect.Map || value.Kind() == reflect.Slice) && value.Len() == 0; !empty {
			errs = append(errs, k.Stray(f.Tag.Get("toml")))
		}
	}
	p, err := k.New(provider.Settings{
		Name: name, Project: c.Project, Location: c.Location, BaseURL: c.BaseURL, Auth: c.Auth, CredentialsFile: c.CredentialsFile,
		Impersonate: c.Impersonate, TokenEnv: c.TokenEnv, TokenFile: c.TokenFile, Transport: c.Transport, AllowedHosts: c.AllowedHosts,
		Labels: c.Labels, APIKeyEnv: c.APIKeyEnv, APIKeyFile: c.APIKeyFile, Capabilities: c.Capabilities,
	})
	return p, errors.Join(append(errs, err)...)
}

// validate names what is impossible about the connection.
func (c ConnectionConfig) validate(name string) error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("connections.%q: "+format, append([]any{name}, args...)...))
	}
	if _, err := Provider(name, c); err != nil {
		bad("%w", err)
	}
	for model, p := range c.Prices {
		if p.InputPerMillion < 0 || p.OutputPerMillion < 0 || p.PerRequest < 0 {
			bad("prices of %q must be 0 or more", model)
		}
	}
	if c.Concurrency < 0 || c.RequestsPerMinute < 0 || c.TokensPerMinute < 0 {
		bad("concurrency and rates must be 0 (the default) or more")
	}
	if c.Timeout < 0 || c.Retry.Attempts < 0 || c.Retry.Base < 0 || c.Retry.Cap < 0 || c.Retry.Deadline < 0 {
		bad("timeout and retry must be 0 (the default) or more")
	}
	if c.Budget.Requests < 0 || c.Budget.Tokens < 0 || c.Budget.Money < 0 {
		bad("budget must be 0 (no bound) or more")
	}
	if provider.HoldsPassword(c.BaseURL) {
		bad("base_url holds a user or password; secrets stand in environment variables or files (token_env, api_key_env, …)")
	}
	return errors.Join(errs...)
}

// ConnectionOptions gives the connection's settings as the runtime reads them.
func ConnectionOptions(name string, c ConnectionConfig) dispatch.ConnectionOptions {
	o := dispatch.ConnectionOptions{
		Name: name, Origin: c.BaseURL, Concurrency: c.Concurrency,
		RequestsPerMinute: c.RequestsPerMinute, TokensPerMinute: c.TokensPerMinute,
		Timeout: time.Duration(c.Timeout),
		Budget:  dispatch.Budget{Requests: c.Budget.Requests, Tokens: c.Budget.Tokens, Money: c.Budget.Money},
		Retry: dispatch.Retry{Attempts: c.Retry.Attempts, Base: time.Duration(c.Retry.Base), Cap: time.Duration(c.Retry.Cap),
			Deadline: time.Duration(c.Retry.Deadline)},
		Limits: map[string]dispatch.Limits{}, Prices: dispatch.Prices{},
	}
	for model, l := range c.Limits {
		o.Limits[model] = dispatch.Limits{Rows: l.Rows, Tokens: l.Tokens, Bytes: l.Bytes}
	}
	for model, p := range c.Prices {
		o.Prices[model] = dispatch.Price{InputPerMillion: p.InputPerMillion, OutputPerMillion: p.OutputPerMillion, PerRequest: p.PerRequest}
	}
	return o
}

// ConnectionName finds the connection that a path of WITH CONNECTION means: by its whole name, else by its last part. No path
// means the one named "default", and so does one that was created elsewhere.
func ConnectionName(c *Config, path ...string) (string, error) {
	if len(path) == 0 {
		if _, ok := c.Connections["default"]; !ok {
			return "", noConnection("there is no connection DEFAULT; write [connections.default] into mallard.toml, with project = \"…\" for " +
				"Vertex AI, or run mallard emulate and write what it shows")
		}
		return "default", nil
	}
	whole, last := strings.Join(path, "."), path[len(path)-1]
	for _, name := range []string{whole, last} {
		if _, ok := c.Connections[name]; ok {
			return name, nil
		}
	}
	if created := c.BigQuery.Created; created != nil && created.Has(path) {
		return ConnectionName(c)
	}
	if len(c.Connections) == 0 {
		return "", noConnection("there is no connection `%s`; the configuration needs [connections.%q]", whole, last)
	}
	return "", noConnection("there is no connection `%s`; the configuration has %s", whole,
		strings.Join(slices.Sorted(maps.Keys(c.Connections)), ", "))
}

func noConnection(format string, args ...any) error {
	return failure.As(failure.ErrConnectionNotFound, fmt.Errorf(format, args...))
}
