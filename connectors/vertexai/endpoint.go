package vertexai

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
)

// Endpoint is the parsed form of an ENDPOINT URL.
type Endpoint struct {
	Scheme, Host string // Host may hold a port
	Version      string // v1, v1beta1
	Project      string
	Location     string
	Publisher    string // set for publisher models, with Model
	Model        string // may hold slashes and @version
	ID           string // set for custom endpoints
}

// ParseEndpoint reads https://HOST/VERSION/projects/P/locations/L/{endpoints/ID | publishers/PUB/models/M}. A method at the end (:predict)
// is dropped.
func ParseEndpoint(text string) (Endpoint, error) {
	const form = "want https://HOST/v1/projects/P/locations/L/endpoints/ID or …/publishers/PUBLISHER/models/MODEL"
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return Endpoint{}, errors.New("the endpoint is not a URL: " + form)
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return Endpoint{}, fmt.Errorf("%q is not an endpoint URL: %s", text, form)
	case u.User != nil:
		return Endpoint{}, fmt.Errorf("the endpoint URL of %s must not hold a user or password: use the connection's auth settings", u.Host)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		// A query may carry an API key, so it is not repeated here.
		return Endpoint{}, fmt.Errorf("the endpoint URL of %s must not hold a query or fragment", u.Host)
	}
	p := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(p) < 7 || p[1] != "projects" || p[3] != "locations" || !strings.HasPrefix(p[0], "v") {
		return Endpoint{}, fmt.Errorf("unknown path in endpoint %q: %s", clean(u), form)
	}
	e := Endpoint{Scheme: u.Scheme, Host: strings.ToLower(u.Host), Version: p[0], Project: p[2], Location: p[4]}
	rest := p[5:]
	switch {
	case rest[0] == "endpoints" && len(rest) == 2:
		e.ID = dropMethod(rest[1])
	case rest[0] == "publishers" && len(rest) >= 4 && rest[2] == "models":
		e.Publisher, e.Model = rest[1], dropMethod(strings.Join(rest[3:], "/"))
	default:
		return Endpoint{}, fmt.Errorf("unknown path in endpoint %q: %s", clean(u), form)
	}
	for _, part := range append([]string{e.Version, e.Project, e.Location, e.Publisher + e.ID}, strings.Split(e.Model+e.ID, "/")...) {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, ":?#%\\ \t\r\n") {
			return Endpoint{}, fmt.Errorf("empty or unusable part in endpoint %q: %s", clean(u), form)
		}
	}
	return e, nil
}

func clean(u *url.URL) string { return u.Scheme + "://" + u.Host + u.EscapedPath() }

// dropMethod takes :predict and the like off the end.
func dropMethod(s string) string {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || i+1 == len(s) || strings.Trim(s[i+1:], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return s
	}
	return s[:i]
}

// Resource is the resource name: projects/P/locations/L/…
func (e Endpoint) Resource() string {
	base := "projects/" + e.Project + "/locations/" + e.Location
	if e.ID != "" {
		return base + "/endpoints/" + e.ID
	}
	return base + "/publishers/" + e.Publisher + "/models/" + e.Model
}

// String is the URL.
func (e Endpoint) String() string {
	return e.Scheme + "://" + e.Host + "/" + e.Version + "/" + e.Resource()
}

// ExpandEndpoint turns the name form of ENDPOINT into a URL; a URL comes back as it is (without blanks, a slash or a method at its end).
//
// A location is a region or a multi-region: US becomes us-central1 and EU europe-west4, except that Gemini 3 and later are asked at the
// multi-region's own host, and at the global one from any other region, because Google does not serve them in regions. An empty location
// means US. A name of digits only is a custom endpoint. The publisher is taken from the model's name. project must not be empty for a real
// call.
func ExpandEndpoint(name, project, location string) string {
	name = trim(name)
	if strings.Contains(name, "://") {
		scheme, rest, _ := strings.Cut(name, "://")
		if i := strings.LastIndexByte(rest, '/'); i >= 0 {
			rest = rest[:i] + dropMethod(rest[i:])
		}
		return strings.ToLower(scheme) + "://" + trim(rest)
	}
	if project == "" {
		project = "-"
	}
	name = trim(dropMethod(name))
	publisher, model, id := "google", name, ""
	switch p := strings.Split(name, "/"); {
	case strings.HasPrefix(name, "projects/") && len(p) >= 6 && p[2] == "locations":
		return ExpandEndpoint(strings.Join(p[4:], "/"), p[1], p[3])
	case len(p) == 2 && p[0] == "endpoints":
		id = p[1]
	case len(p) >= 4 && p[0] == "publishers" && p[2] == "models":
		publisher, model = p[1], strings.Join(p[3:], "/")
	case len(p) == 2 && p[0] == "models":
		model = p[1]
	case len(p) == 3 && p[0] == "openapi": // openapi/meta/llama-…
		publisher, model = p[1], p[2]
	case len(p) == 2: // meta/llama-…
		publisher, model = p[0], p[1]
	case digits(name):
		id = name
	default:
		publisher = publisherOf(name)
	}
	host, loc := hostOf(location, publisher == "google" && id == "" && newGemini(model))
	base := "https://" + host + "/v1/projects/" + project + "/locations/" + loc
	if id != "" {
		return base + "/endpoints/" + id
	}
	return base + "/publishers/" + publisher + "/models/" + model
}

func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r == '/' || unicode.IsSpace(r) })
}

func hostOf(location string, newest bool) (host, loc string) {
	loc = strings.ToLower(location)
	if loc == "" {
		loc = "us"
	}
	if newest {
		if loc == "us" || loc == "eu" {
			return "aiplatform." + loc + ".rep.googleapis.com", loc
		}
		return "aiplatform.googleapis.com", "global"
	}
	switch loc {
	case "us":
		loc = "us-central1"
	case "eu":
		loc = "europe-west4"
	case "global":
		return "aiplatform.googleapis.com", "global"
	}
	return loc + "-aiplatform.googleapis.com", loc
}

// newGemini reports Gemini 3 and later, by the number after "gemini-".
func newGemini(model string) bool {
	v, ok := strings.CutPrefix(strings.ToLower(model), "gemini-")
	if !ok {
		return false
	}
	n := 0
	for n < len(v) && v[n] >= '0' && v[n] <= '9' {
		n++
	}
	return n > 1 || n == 1 && v[0] >= '3'
}

func publisherOf(model string) string {
	m := strings.ToLower(model)
	for prefix, publisher := range map[string]string{
		"claude-": "anthropic", "mistral-": "mistralai", "codestral-": "mistralai", "ministral-": "mistralai", "pixtral-": "mistralai",
		"llama-": "meta",
	} {
		if strings.HasPrefix(m, prefix) {
			return publisher
		}
	}
	return "google"
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// target is an endpoint resolved for one call: where it really goes, and how errors name it.
type target struct {
	Endpoint
	method string
	prefix string // path of the base URL
}

// target parses, applies the base URL and checks the host.
func (c *Client) target(method, endpoint string) (target, error) {
	e, err := ParseEndpoint(endpoint)
	if err != nil {
		return target{}, &Error{Subject: "vertexai:" + method, Status: 400, Code: "INVALID_ARGUMENT", Msg: err.Error()}
	}
	t := target{Endpoint: e, method: method}
	if c.o.BaseURL != "" {
		// Checked in New.
		u, err := url.Parse(c.o.BaseURL)
		if err != nil {
			return target{}, err
		}
		t.Scheme, t.Host, t.prefix = u.Scheme, u.Host, strings.TrimRight(u.Path, "/")
		return t, nil
	}
	if !allowed(e.Host, c.o.AllowedHosts) {
		return target{}, &Error{Subject: t.String(), Status: 403, Code: "BLOCKED_HOST",
			Msg: "host " + e.Host + " is not among the allowed hosts (" + strings.Join(c.o.AllowedHosts, ", ") +
				"). Add it to allowed_hosts of the connection, or set base_url"}
	}
	if e.Scheme == "http" && !loopback(hostname(e.Host)) {
		return target{}, &Error{Subject: t.String(), Status: 403, Code: "BLOCKED_HOST", Msg: "plain http is for this machine only: use https"}
	}
	return t, nil
}

func (t target) path(method string) string {
	return t.prefix + "/" + t.Version + "/" + t.Resource() + ":" + method
}

func (t target) chatPath() string {
	return t.prefix + "/" + t.Version + "/projects/" + t.Project + "/locations/" + t.Location + "/endpoints/openapi/chat/completions"
}

// chatCompletions reports the publishers whose models Google serves by OpenAI's protocol only.
func (t target) chatCompletions() bool {
	switch t.Publisher {
	case "", "google", "anthropic", "mistralai", "ai21":
		return false
	}
	return true
}

// String is the endpoint with its method, as errors name it.
func (t target) String() string {
	if t.method == "" {
		return t.Endpoint.String()
	}
	return t.Endpoint.String() + ":" + t.method
}

// refuse is an error of ours, before anything is sent.
func (t target) refuse(code, msg string) *Error {
	return &Error{Subject: t.String(), Status: 400, Code: code, Msg: msg}
}

func allowed(host string, patterns []string) bool {
	name := hostname(host)
	for _, p := range patterns {
		p = strings.ToLower(p)
		if p == host || p == name || p == "*" {
			return true
		}
		if suffix, ok := strings.CutPrefix(p, "*"); ok && strings.HasPrefix(suffix, ".") && strings.HasSuffix(name, suffix) &&
			len(name) > len(suffix) {
			return true
		}
	}
	return false
}

func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
