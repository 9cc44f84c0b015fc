package vertexai

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// The values of Options.Auth.
const (
	AuthADC            = "adc"             // application default credentials
	AuthServiceAccount = "service_account" // the key file named by CredentialsFile
	AuthToken          = "token"           // an access token from TokenEnv or TokenFile
	AuthImpersonate    = "impersonate"     // the service account named by Impersonate, on top of the default credentials or CredentialsFile
	AuthNone           = "none"            // nothing is sent: emulators
)

// The values of Options.Transport.
const (
	TransportREST = "rest"
	TransportGRPC = "grpc"
)

// Options configures a Client. The zero value means application default credentials, REST and Google's hosts.
type Options struct {
	Auth            string            // one of the Auth constants; default "adc"
	CredentialsFile string            // a credentials file; for "service_account" a key file
	TokenEnv        string            // environment variable that holds the access token, read at every call
	TokenFile       string            // file that holds the access token, read at every call
	Impersonate     string            // e-mail address of the service account to impersonate
	Delegates       []string          // the chain of service accounts between the caller and Impersonate
	BaseURL         string            // replaces scheme and host of every endpoint: an emulator or a proxy
	Transport       string            // "rest" (default) or "grpc"
	Labels          map[string]string // labels of every generateContent request, for billing reports
	AllowedHosts    []string          // default *.googleapis.com; "*." at the start matches any subdomain. The host of BaseURL is allowed too
	UserAgent       string            // default "mallard"
	MaxAnswerBytes  int64             // an answer longer than this is an error; default 256 MiB

	Getenv func(string) string // default os.Getenv
}

func (o Options) withDefaults() (Options, error) {
	if o.Auth == "" {
		o.Auth = AuthADC
	}
	if o.Transport == "" {
		o.Transport = TransportREST
	}
	if len(o.AllowedHosts) == 0 {
		o.AllowedHosts = []string{"*.googleapis.com"}
	}
	if o.UserAgent == "" {
		o.UserAgent = "mallard"
	}
	if o.MaxAnswerBytes <= 0 {
		o.MaxAnswerBytes = 256 << 20
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	return o, o.validate()
}

// validate names every problem at once.
func (o Options) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("vertexai: "+format, args...)) }
	switch o.Auth {
	case AuthADC, AuthNone:
	case AuthServiceAccount:
		if o.CredentialsFile == "" {
			bad("auth %q needs a credentials file", o.Auth)
		}
	case AuthToken:
		if (o.TokenEnv == "") == (o.TokenFile == "") {
			bad("auth %q needs either the name of an environment variable or a file that holds the token", o.Auth)
		}
	case AuthImpersonate:
		if o.Impersonate == "" {
			bad("auth %q needs the e-mail address of the service account to impersonate", o.Auth)
		}
	default:
		bad("unknown auth %q: use adc, service_account, token, impersonate or none", o.Auth)
	}
	if o.Transport != TransportREST && o.Transport != TransportGRPC {
		bad("unknown transport %q: use rest or grpc", o.Transport)
	}
	if o.BaseURL != "" {
		if err := o.checkBase(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (o Options) checkBase() error {
	u, err := url.Parse(o.BaseURL)
	switch {
	case err != nil:
		// url.Error repeats the URL, which may hold a password.
		return errors.New("vertexai: the base URL is not a URL: write http://HOST:PORT or https://HOST")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return errors.New("vertexai: the base URL must be http://HOST:PORT or https://HOST")
	case u.User != nil:
		return errors.New("vertexai: the base URL must not hold a user or password: use the auth settings")
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("vertexai: the base URL of %s must not hold a query or fragment", u.Host)
	case o.Transport == TransportGRPC && strings.Trim(u.Path, "/") != "":
		return fmt.Errorf("vertexai: the base URL of %s has a path, which gRPC cannot carry: use transport rest", u.Host)
	case u.Scheme == "http" && o.Auth != AuthNone && o.Transport == TransportGRPC:
		return fmt.Errorf("vertexai: gRPC sends no credentials without TLS, which the base URL of %s has not: use https, transport rest, or "+
			"auth none", u.Host)
	case u.Scheme == "http" && o.Auth != AuthNone && !loopback(u.Hostname()):
		return fmt.Errorf("vertexai: credentials are not sent over plain http to %s: use https, or auth none", u.Host)
	}
	return nil
}
