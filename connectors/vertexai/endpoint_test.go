package vertexai

import (
	"context"
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	tests := []struct {
		give string
		want Endpoint
	}{
		// The forms of https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-create-remote-model and -https.
		{"https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash",
			Endpoint{"https", "us-central1-aiplatform.googleapis.com", "v1", "p", "us-central1", "google", "gemini-2.5-flash", ""}},
		{"https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash",
			Endpoint{"https", "aiplatform.googleapis.com", "v1", "p", "global", "google", "gemini-2.5-flash", ""}},
		{"https://aiplatform.us.rep.googleapis.com/v1/projects/p/locations/us/publishers/google/models/gemini-3-pro",
			Endpoint{"https", "aiplatform.us.rep.googleapis.com", "v1", "p", "us", "google", "gemini-3-pro", ""}},
		{"https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/1234567890",
			Endpoint{"https", "us-central1-aiplatform.googleapis.com", "v1", "p", "us-central1", "", "", "1234567890"}},
		{"https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4@20250514",
			Endpoint{"https", "us-east5-aiplatform.googleapis.com", "v1", "p", "us-east5", "anthropic", "claude-sonnet-4@20250514", ""}},
		{" https://US-central1-aiplatform.googleapis.com/v1beta1/projects/my-project/locations/us-central1/publishers/google/models/multimodalembedding@001:predict ",
			Endpoint{"https", "us-central1-aiplatform.googleapis.com", "v1beta1", "my-project", "us-central1", "google", "multimodalembedding@001", ""}},
		{"http://127.0.0.1:8080/v1/projects/p/locations/l/endpoints/7/", Endpoint{"http", "127.0.0.1:8080", "v1", "p", "l", "", "", "7"}},
	}
	for _, tt := range tests {
		got, err := ParseEndpoint(tt.give)
		if err != nil || got != tt.want {
			t.Errorf("%s:\n%+v %v\nwant\n%+v", tt.give, got, err, tt.want)
		}
		if again, err := ParseEndpoint(got.String()); err != nil || again != got {
			t.Errorf("%s reads back as %+v %v", got, again, err)
		}
	}
}

func TestParseEndpointRefuses(t *testing.T) {
	const secret = "AIzaSecret"
	for _, give := range []string{
		"", "gemini-2.5-flash", "ftp://h/v1/projects/p/locations/l/endpoints/1", "https:///v1/projects/p/locations/l/endpoints/1",
		"https://h/v1/projects/p/locations/l/endpoints/", "https://h/v1/projects//locations/l/endpoints/1", "https://h/v1/projects/p/locations/l",
		"https://h/v1/projects/p/locations/l/endpoints/1/2", "https://h/v1/projects/p/locations/l/publishers/google/models", "https://h/projects/p/locations/l/endpoints/1/x",
		"https://user:" + secret + "@h/v1/projects/p/locations/l/endpoints/1", "https://h/v1/projects/p/locations/l/endpoints/1?key=" + secret,
		"https://h/v1/projects/p/locations/l/endpoints/1#" + secret, "https://h/v1/projects/../locations/l/endpoints/1", "https://h/v1/projects/p/locations/l/endpoints/%2e%2e",
		"https://h/v1/projects/p%3fx/locations/l/endpoints/1", "https://h/v1/projects/p/locations/l/publishers/google/models/a%2f..%2fb", "https://%41:x/v1", "https://h/v1/projects/p/locations/l/endpoints/1:", "https://h/v1/projects/p/locations/l/endpoints/1:2:predict", "\x7f://",
	} {
		got, err := ParseEndpoint(give)
		if err == nil {
			t.Errorf("%q gave %+v", give, got)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("a secret in %q", err)
		}
	}
}

func TestExpandEndpoint(t *testing.T) {
	const regional = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/"
	tests := []struct{ name, location, want string }{
		{"gemini-2.5-flash", "US", regional + "publishers/google/models/gemini-2.5-flash"},
		{"gemini-2.5-flash", "", regional + "publishers/google/models/gemini-2.5-flash"},
		{"gemini-2.5-flash", "EU", "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/publishers/google/models/gemini-2.5-flash"},
		{"gemini-2.5-flash", "asia-northeast1", "https://asia-northeast1-aiplatform.googleapis.com/v1/projects/p/locations/asia-northeast1/publishers/google/models/gemini-2.5-flash"},
		{"gemini-2.5-flash", "global", "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash"},
		{"gemini-3-pro-preview", "us", "https://aiplatform.us.rep.googleapis.com/v1/projects/p/locations/us/publishers/google/models/gemini-3-pro-preview"},
		{"gemini-3.1-flash", "EU", "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/publishers/google/models/gemini-3.1-flash"},
		{"gemini-10-pro", "us-central1", "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-10-pro"},
		{"gemini-embedding-001", "US", regional + "publishers/google/models/gemini-embedding-001"},
		{"multimodalembedding@001", "us-central1", regional + "publishers/google/models/multimodalembedding@001"},
		{"claude-opus-4-6", "US", regional + "publishers/anthropic/models/claude-opus-4-6"},
		{"mistral-small-2503", "US", regional + "publishers/mistralai/models/mistral-small-2503"},
		{"openapi/meta/llama-3.3-70b-instruct-maas", "US", regional + "publishers/meta/models/llama-3.3-70b-instruct-maas"},
		{"meta/llama-4-maverick-17b-128e-instruct-maas", "US", regional + "publishers/meta/models/llama-4-maverick-17b-128e-instruct-maas"},
		{"publishers/google/models/text-embedding-005", "US", regional + "publishers/google/models/text-embedding-005"},
		{"projects/q/locations/eu/endpoints/12", "US", "https://europe-west4-aiplatform.googleapis.com/v1/projects/q/locations/europe-west4/endpoints/12"},
		{"1234567890", "US", regional + "endpoints/1234567890"},
		{" https://h/v1/projects/p/locations/l/endpoints/1:predict ", "US", "https://h/v1/projects/p/locations/l/endpoints/1"},
		{"http://127.0.0.1:99/v1/projects/p/locations/l/endpoints/1/", "US", "http://127.0.0.1:99/v1/projects/p/locations/l/endpoints/1"},
	}
	for _, tt := range tests {
		if got := ExpandEndpoint(tt.name, "p", tt.location); got != tt.want {
			t.Errorf("%s in %q: %s, want %s", tt.name, tt.location, got, tt.want)
		}
	}
}

func TestAllowedHosts(t *testing.T) {
	const path = "/v1/projects/p/locations/l/endpoints/1"
	type test struct {
		o    Options
		give string
		want bool
	}
	tests := []test{
		{Options{}, "https://us-central1-aiplatform.googleapis.com" + path, true},
		{Options{}, "https://aiplatform.us.rep.googleapis.com" + path, true},
		{Options{}, "https://aiplatform.googleapis.com:443" + path, true},
		{Options{}, "https://googleapis.com" + path, false},
		{Options{}, "https://evilgoogleapis.com" + path, false},
		{Options{}, "https://googleapis.com.evil.example" + path, false},
		{Options{}, "https://aiplatform.googleapis.com.:443" + path, false},
		{Options{}, "https://169.254.169.254" + path, false},
		{Options{}, "http://aiplatform.googleapis.com" + path, false},
		{Options{AllowedHosts: []string{"proxy.corp:8443"}}, "https://proxy.corp:8443" + path, true},
		{Options{AllowedHosts: []string{"proxy.corp:8443"}}, "https://proxy.corp:9999" + path, false},
		{Options{AllowedHosts: []string{"Proxy.corp"}}, "https://proxy.corp:9999" + path, true},
		{Options{AllowedHosts: []string{"127.0.0.1"}}, "http://127.0.0.1:80" + path, true},
		{Options{AllowedHosts: []string{"[::1]"}}, "http://[::1]" + path, true},
		{Options{AllowedHosts: []string{"*"}}, "http://example.com" + path, false},
		{Options{BaseURL: "http://127.0.0.1:1"}, "https://anything.example" + path, true},
	}
	// Ways to write an address of this machine, of its network or of its cloud, and names that only look like Google's.
	for _, host := range []string{
		"2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518", "169.254.169.254.", "169.254.169.254.:443",
		"[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[0:0:0:0:0:ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]", "[fe80::1%25eth0]",
		"metadata.google.internal", "metadata.google.internal.", "metadata", "127.1", "0", "0.0.0.0", "[::]", "[::1]", "localhost", "10.0.0.1", "192.168.0.1",
		"１６９.254.169.254", "169。254。169。254", "ⓜetadata.google.internal", "169.254.169.254.nip.io",
		".googleapis.com", "googleapis.com.", "aiplatform.googleapis.com.evil.example", "aiplatform.googleapis。com", "aiplatform.googleapis.com。evil.example",
		"aiplatform.gооgleapis.com", "aiplatform.googleapis.com%00.evil.example", "aiplatform.googleapis.com%2eevil.example", "aiplatform.googleapis.com:443@evil.example",
		"evil.example\\.googleapis.com", "evil.example#.googleapis.com", "evil.example?.googleapis.com", "evil.example/.googleapis.com",
	} {
		tests = append(tests, test{Options{}, "https://" + host + path, false})
	}
	for _, tt := range tests {
		tt.o.Auth = AuthNone
		c, err := New(context.Background(), tt.o)
		if err != nil {
			t.Fatal(err)
		}
		err = c.CheckEndpoint(tt.give)
		if (err == nil) != tt.want {
			t.Errorf("%v %s: %v", tt.o.AllowedHosts, tt.give, err)
		}
		_, parsed := ParseEndpoint(tt.give)
		if err != nil && parsed == nil && (err.(*Error).Code != "BLOCKED_HOST" || err.(*Error).HTTPStatus() != 403) {
			t.Errorf("%v", err)
		}
		_ = c.Close()
	}
}

func FuzzEndpoint(f *testing.F) {
	f.Add("https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash")
	f.Add("openapi/meta/llama")
	f.Add("projects/a/locations/b/projects/a/locations/b/endpoints/1")
	f.Fuzz(func(t *testing.T, s string) {
		if e, err := ParseEndpoint(s); err == nil {
			if again, err := ParseEndpoint(e.String()); err != nil || again != e {
				t.Fatalf("%q: %+v reads back as %+v, %v", s, e, again, err)
			}
		}
		url := ExpandEndpoint(s, "p", "US")
		if _, err := ParseEndpoint(url); err != nil {
			return
		}
		if again := ExpandEndpoint(url, "q", "EU"); again != url {
			t.Fatalf("%q: %q expands again to %q", s, url, again)
		}
	})
}
