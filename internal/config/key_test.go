package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestConfigAdvice: what is wrong with a file is said in the words of its author, with the place and the way out.
func TestConfigAdvice(t *testing.T) {
	for _, tt := range []struct{ give, want string }{
		{"[cache]\ntttl = \"5h\"", `t.toml:2:1: unknown key "cache.tttl"; did you mean "ttl"?`},
		{"[connection.default]\nproject = \"x\"", `t.toml:1:2: unknown key "connection.default"`},
		{"[cach]\nttl = \"5h\"", `t.toml:1:2: unknown key "cach"; did you mean "cache"?`},
		{"[connections.default]\nprojet = \"x\"", `t.toml:2:1: unknown key "connections.default.projet"; did you mean "project"?`},
		{"[models.\"demo.m\"]\nxyzzyxyzzy = \"x\"", `unknown key "models.demo.m.xyzzyxyzzy"; config.example.toml lists every key`},
		{"[connections.default]\nproject = 5", `t.toml:2:11: "connections.default.project" must be a text in quotes, and here stands TOML's integer`},
		{"[connections.default]\nretry = 5", `must be a table, and here stands TOML's integer`},
		{"[connections.default]\nallowed_hosts = \"x\"", `must be a list of texts in quotes, and here stands TOML's string`},
		{"[cache]\noff = \"yes\"", `"cache.off" must be true or false, and here stands TOML's string`},
		{"[objects]\nmax_memory = \"1GB\"", `"objects.max_memory" must be a whole number, and here stands TOML's string`},
		{"[budget]\nstatement_money = \"5\"", `"budget.statement_money" must be a number, and here stands TOML's string`},
		{"cache = 1", `"cache" must be a table, and here stands TOML's integer`},
		{"[connections.default]\ntimeout = 5", `connections.default.timeout is a text with a unit`},
		{"[cache]\nttl = 5", `cache.ttl is a text with a unit`},
		{"[connections.default]\nauth = \"xx\"", `unknown auth "xx": use adc, service_account, token, impersonate or none`},
		{"[connections.default]\nprices = { g = { per_request = -1 } }", `prices of "g" must be 0 or more`},
	} {
		_, err := parseConfig("t.toml", []byte(tt.give))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.give, err, tt.want)
		}
	}
}

// TestConfigurationPage: every key has a place in the page.
func TestConfigurationPage(t *testing.T) {
	b, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys(reflect.TypeFor[Config](), "") {
		name := key[strings.LastIndexByte(key, '.')+1:]
		if !strings.Contains(string(b), "`"+name+"`") {
			t.Errorf("docs/configuration.md lacks %s", key)
		}
	}
}
