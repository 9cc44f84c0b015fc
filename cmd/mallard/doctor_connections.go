package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/mallardml/mallard"
)

// onlineTimeout bounds how long a provider is waited for.
const onlineTimeout = 30 * time.Second

// connections says of each connection where it goes, whether its credentials are there, and with -online whether the
// provider answers. No secret is read into a finding.
func connections(ctx context.Context, o *options, cfg *mallard.Config) (list []finding) {
	if len(cfg.Connections) == 0 {
		return []finding{{subject: "connections", state: "none; TensorFlow models and local files need none"}}
	}
	names := make([]string, 0, len(cfg.Connections))
	for name := range cfg.Connections {
		names = append(names, name)
	}
	slices.Sort(names)
	if c, ok := cfg.Connections["default"]; ok {
		list = append(list, finding{subject: "storage", state: "gs:// through connection default, " + firstOf(c.StorageEndpoint, "Cloud Storage")})
	} else {
		list = append(list, finding{subject: "storage", state: "gs:// without credentials, for public buckets: there is no [connections.default]"})
	}
	for _, name := range names {
		c := cfg.Connections[name]
		f := finding{subject: "connection", state: name + ": " + describe(c)}
		if f.todo = missing(c); f.todo == "" && o.online {
			if err := askProvider(ctx, o, cfg, c); err != nil {
				f.state += "; it does not answer"
				f.todo, f.fatal = err.Error(), true // the user asked for an answer
			} else {
				f.state += "; it answers"
			}
		}
		list = append(list, f)
	}
	return list
}

// describe gives kind, host and way of authentication.
func describe(c mallard.ConnectionConfig) string {
	if c.Kind == "openai" {
		auth := "no key"
		if c.APIKeyEnv != "" || c.APIKeyFile != "" {
			auth = "key from " + firstOf(envName(c.APIKeyEnv), c.APIKeyFile)
		}
		return fmt.Sprintf("openai, %s, %s", host(c.BaseURL), auth)
	}
	where := host(c.BaseURL)
	if c.BaseURL == "" {
		where = "Vertex AI in " + firstOf(c.Location, "US")
	}
	return fmt.Sprintf("vertexai, %s, project %s, auth %s", where, firstOf(c.Project, "not set"), firstOf(c.Auth, "adc"))
}

// host shows a base URL without what may be secret in it.
func host(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return "no base_url"
	}
	return u.Scheme + "://" + u.Host
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func envName(s string) string {
	if s == "" {
		return ""
	}
	return "$" + s
}

// missing says what to do before the connection can work, as far as can be told without asking; empty if nothing.
func missing(c mallard.ConnectionConfig) string {
	if c.Kind == "openai" {
		switch {
		case c.BaseURL == "":
			return "set base_url to the server, with its /v1"
		case c.APIKeyEnv != "" && os.Getenv(c.APIKeyEnv) == "":
			return "put the key into the environment variable " + c.APIKeyEnv
		case c.APIKeyFile != "":
			return unreadable("api_key_file", c.APIKeyFile, false)
		}
		return ""
	}
	switch c.Auth {
	case "none":
		return ""
	case "token":
		switch {
		case c.TokenEnv != "" && os.Getenv(c.TokenEnv) == "":
			return "put an access token into the environment variable " + c.TokenEnv + ", such as from: gcloud auth print-access-token"
		case c.TokenFile != "":
			return unreadable("token_file", c.TokenFile, false)
		}
		return ""
	case "service_account":
		return unreadable("credentials_file", c.CredentialsFile, true)
	}
	if c.CredentialsFile != "" {
		return unreadable("credentials_file", c.CredentialsFile, true)
	}
	if file := os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"); file != "" {
		return unreadable("$GOOGLE_APPLICATION_CREDENTIALS", file, true)
	}
	if _, err := os.Stat(wellKnown()); err != nil {
		return "no application default credentials were found: run gcloud auth application-default login (on a machine of Google Cloud none are needed)"
	}
	return ""
}

// wellKnown is where gcloud leaves the application default credentials.
func wellKnown() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("APPDATA"), "gcloud", "application_default_credentials.json")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".config", "gcloud", "application_default_credentials.json")
}

// unreadable says what is wrong with a file of credentials. What it holds goes nowhere.
func unreadable(key, file string, isJSON bool) string {
	b, err := os.ReadFile(file)
	switch {
	case file == "":
		return "set " + key
	case err != nil:
		return fmt.Sprintf("%s cannot be read: %v", key, err)
	case len(strings.TrimSpace(string(b))) == 0:
		return fmt.Sprintf("%s is empty: %s", key, file)
	case isJSON && !json.Valid(b):
		return fmt.Sprintf("%s is no JSON: %s; download the key again", key, file)
	}
	return ""
}

// askProvider sends the smallest question there is: one word to embed, or the list of an OpenAI server's models.
func askProvider(ctx context.Context, o *options, cfg *mallard.Config, c mallard.ConnectionConfig) (err error) {
	ctx, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	if c.Kind == "openai" {
		return askOpenAI(ctx, c)
	}
	one := *cfg
	c.Retry.Attempts = 1
	one.Connections = map[string]mallard.ConnectionConfig{"default": c}
	s, err := o.connect(ctx, &one, "", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if _, err := s.conn.ExecContext(ctx, "CREATE MODEL doctor REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='text-embedding-005')"); err != nil {
		return err
	}
	var status string
	err = s.conn.QueryRowContext(ctx, "SELECT ml_generate_embedding_status FROM ML.GENERATE_EMBEDDING(MODEL doctor, (SELECT 'quack' AS content), STRUCT(TRUE AS flatten_json_output))").Scan(&status)
	if err == nil && status != "" {
		err = errors.New(status)
	}
	return err
}

func askOpenAI(ctx context.Context, c mallard.ConnectionConfig) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.BaseURL, "/")+"/models", nil)
	if err != nil {
		return errors.New("base_url is no address")
	}
	key := os.Getenv(c.APIKeyEnv)
	if c.APIKeyFile != "" {
		b, err := os.ReadFile(c.APIKeyFile)
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
		return fmt.Errorf("GET %s/models: %s; base_url ends in /v1 with most servers", host(c.BaseURL), res.Status)
	}
	return nil
}

// cacheFolder says whether the folder for history, TensorFlow and models can be written.
func cacheFolder() finding {
	dir, err := os.UserCacheDir()
	if err == nil {
		dir = filepath.Join(dir, "mallard")
		if err = os.MkdirAll(dir, 0o700); err == nil {
			var f *os.File
			if f, err = os.CreateTemp(dir, ".doctor-*"); err == nil {
				err = errors.Join(f.Close(), os.Remove(f.Name()))
			}
		}
	}
	if err != nil {
		return finding{"cache folder", err.Error(), "set HOME or XDG_CACHE_HOME to a folder that can be written, or [store] path in the configuration", false}
	}
	return finding{subject: "cache folder", state: dir + " can be written"}
}
