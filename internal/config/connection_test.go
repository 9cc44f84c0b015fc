package config

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard/internal/failure"
)

// TestConnectionConfig: what the file may not say.
func TestConnectionConfig(t *testing.T) {
	tests := []struct{ name, give, want string }{
		{"timeout", "[connections.a]\ntimeout = 'soon'\n", `"soon" is no duration; write 30s, 5m or 720h`},
		{"negative timeout", "[connections.a]\ntimeout = '-1s'\n", "timeout and retry must be 0"},
		{"negative attempts", "[connections.a]\nretry = { attempts = -1 }\n", "timeout and retry must be 0"},
		{"negative budget", "[connections.a]\nbudget = { money = -1.0 }\n", "budget must be 0 (no bound) or more"},
		{"unknown budget", "[connections.a]\nbudget = { dollars = 1.0 }\n", `connections.a.dollars`},
		{"a password", "[connections.a]\nbase_url = 'http://u:p4ssw0rd@host/v1'\n", "base_url holds a user or password"},
		{"negative cache", "[cache]\nmax_rows = -1\n", "cache: ttl, max_rows and max_bytes must be 0"},
		{"negative session", "[budget]\nsession_requests = -1\n", "budget: each must be 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parseConfig("c.toml", []byte(tt.give)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	cfg, err := parseConfig("c.toml", []byte("[cache]\nttl = '720h'\nmax_rows = 5\n[connections.a]\ntimeout = '30s'\nretry = { attempts = 2, base = '2s', cap = '', deadline = '1m' }\nbudget = { requests = 7 }\n"))
	if err != nil {
		t.Fatal(err)
	}
	a := cfg.Connections["a"]
	if time.Duration(cfg.Cache.TTL) != 720*time.Hour || cfg.Cache.MaxRows != 5 || time.Duration(a.Timeout) != 30*time.Second || a.Budget.Requests != 7 ||
		a.Retry != (RetryConfig{Attempts: 2, Base: Duration(2 * time.Second), Deadline: Duration(time.Minute)}) {
		t.Errorf("read %+v", cfg)
	}
}

// TestConnectionName: a whole name goes before its last part, and no name is "default".
func TestConnectionName(t *testing.T) {
	c := &Config{Connections: map[string]ConnectionConfig{"p.us.a": {}, "a": {}, "b": {}}}
	for _, tt := range []struct{ path, want string }{
		{"p.us.a", "p.us.a"}, {"q.eu.a", "a"}, {"p.us.b", "b"}, {"none", "the configuration has a, b, p.us.a"}, {"", "no connection DEFAULT"},
	} {
		var path []string
		if tt.path != "" {
			path = strings.Split(tt.path, ".")
		}
		got, err := ConnectionName(c, path...)
		if err != nil {
			got = err.Error()
			if !errors.Is(err, failure.ErrConnectionNotFound) {
				t.Errorf("%q: %v is no ErrConnectionNotFound", tt.path, err)
			}
		}
		if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
			t.Errorf("%q is %s, want %s", tt.path, got, tt.want)
		}
	}
	if _, err := ConnectionName(&Config{}, "x"); err == nil || !strings.Contains(err.Error(), `needs [connections."x"]`) {
		t.Errorf("without connections: %v", err)
	}
}
