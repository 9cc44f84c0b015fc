package openai

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// Options configures a Client. The zero value asks OpenAI without a key, which it refuses: set APIKeyEnv or BaseURL.
type Options struct {
	BaseURL      string // up to and with /v1; default https://api.openai.com/v1
	APIKeyEnv    string // environment variable that holds the key, read at every call; may be empty when no key is wanted
	APIKeyFile   string // file that holds the key, read at every call
	Organization string // OpenAI-Organization
	Project      string // OpenAI-Project

	MaxAnswerBytes int64  // an answer longer than this is an error; default 256 MiB
	UserAgent      string // default "mallard"

	Getenv func(string) string // default os.Getenv
}

func (o Options) withDefaults() (Options, error) {
	o.BaseURL = o.base()
	if o.MaxAnswerBytes <= 0 {
		o.MaxAnswerBytes = 256 << 20
	}
	if o.UserAgent == "" {
		o.UserAgent = "mallard"
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	var errs []error
	u, err := url.Parse(o.BaseURL)
	switch {
	case err != nil:
		errs = append(errs, errors.New("openai: the base URL is not a URL: write http://HOST:PORT/v1"))
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		errs = append(errs, errors.New("openai: the base URL must be http://HOST:PORT/v1 or https://HOST/v1"))
	case u.User != nil:
		errs = append(errs, errors.New("openai: the base URL must not hold a user or password: use the key settings"))
	case u.RawQuery != "" || u.Fragment != "":
		errs = append(errs, fmt.Errorf("openai: the base URL of %s must not hold a query or fragment", u.Host))
	}
	if o.APIKeyEnv != "" && o.APIKeyFile != "" {
		errs = append(errs, errors.New("openai: name the key by an environment variable or by a file, not by both"))
	}
	return o, errors.Join(errs...)
}

func (o Options) base() string {
	if o.BaseURL == "" {
		return "https://api.openai.com/v1"
	}
	return strings.TrimRight(o.BaseURL, "/")
}

// TokenField is what the server calls the bound on the tokens of an answer: OpenAI's newer models, also at Azure, refuse the name that
// all others know.
func (o Options) TokenField() string {
	u, err := url.Parse(o.base())
	if err == nil && (u.Hostname() == "api.openai.com" || strings.HasSuffix(u.Hostname(), ".openai.azure.com")) {
		return "max_completion_tokens"
	}
	return "max_tokens"
}

// key reads the key; empty when none is configured.
func (o Options) key() (string, error) {
	where, v := "", ""
	switch {
	case o.APIKeyEnv != "":
		where, v = "environment variable "+o.APIKeyEnv, o.Getenv(o.APIKeyEnv)
	case o.APIKeyFile != "":
		b, err := os.ReadFile(o.APIKeyFile)
		if err != nil {
			return "", fmt.Errorf("openai: cannot read the key file: %w", err)
		}
		where, v = "key file "+o.APIKeyFile, string(b)
	default:
		return "", nil
	}
	v = strings.TrimSpace(v)
	if v == "" {
		return "", fmt.Errorf("openai: %s is empty: put the server's API key there, or configure no key", where)
	}
	for _, r := range v {
		if r <= ' ' || r > '~' {
			return "", fmt.Errorf("openai: %s does not hold a key: it has blanks or control characters", where)
		}
	}
	return v, nil
}
