package vertexai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Forward gives a function that sends REST requests on to another server: vertextest.Options.Forward. upstream is a base URL such as
// http://127.0.0.1:8180, which replaces scheme and host and is asked without credentials, or "google" for Google's hosts, which the requests name
// already and which are asked with application default credentials. Only these hosts see credentials. The function is safe for concurrent use.
func Forward(ctx context.Context, upstream string) (func(*http.Request) (*http.Response, error), error) {
	if upstream == "google" {
		creds, err := credentials(ctx, Options{Auth: AuthADC})
		if err != nil {
			return nil, err
		}
		return func(r *http.Request) (*http.Response, error) {
			if r.URL.Scheme != "https" || !allowed(strings.ToLower(r.URL.Hostname()), []string{"*.googleapis.com"}) {
				return nil, fmt.Errorf("vertexai: %s is not one of Google's hosts", r.URL.Host)
			}
			token, err := creds.Token(r.Context())
			if err != nil {
				return nil, errors.New("vertexai: the application default credentials gave no access token; renew them with `gcloud auth application-default login`")
			}
			r.Header.Set("Authorization", "Bearer "+token.Value)
			return http.DefaultClient.Do(r)
		}, nil
	}
	if err := (Options{BaseURL: upstream, Auth: AuthNone}).checkBase(); err != nil {
		return nil, err
	}
	base, err := url.Parse(upstream)
	if err != nil {
		return nil, errors.New("vertexai: the upstream URL is not a URL")
	}
	return func(r *http.Request) (*http.Response, error) {
		r.URL.Scheme, r.URL.Host, r.Host = base.Scheme, base.Host, ""
		r.URL.Path = strings.TrimRight(base.Path, "/") + r.URL.Path
		return http.DefaultClient.Do(r)
	}, nil
}
