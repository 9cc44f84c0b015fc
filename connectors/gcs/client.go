package gcs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"golang.org/x/oauth2"
	"google.golang.org/api/option"
	htransport "google.golang.org/api/transport/http"

	"github.com/mallardml/mallard/connectors/internal/transport"
)

// Kinds of authentication.
const (
	ADC            = "adc"
	ServiceAccount = "service_account"
	Token          = "token"
	None           = "none"
)

// Options say how to reach Cloud Storage. The zero value uses application default credentials.
type Options struct {
	// Auth is adc (the default), service_account, token, or none for public buckets and emulators.
	Auth string
	// CredentialsFile is the key file for service_account.
	CredentialsFile string
	// TokenEnv names the environment variable, or TokenFile the file, that holds the access token for token. It is read
	// again for every client request that needs it, so it may be renewed.
	TokenEnv, TokenFile string
	// Endpoint replaces https://storage.googleapis.com, as in http://127.0.0.1:4443. No /storage/v1 behind it.
	Endpoint string
	// UserProject is billed for requester-pays buckets.
	UserProject string
	// UserAgent is put before the client's own.
	UserAgent string
	// RetryFor is how long one request is retried; default a minute.
	RetryFor time.Duration
	// Listers is how many ranges of names are listed side by side; default 8, 1 lists one after the other.
	Listers int
	// Transport carries the requests; default one with 128 idle connections per host.
	Transport http.RoundTripper
}

// Client reaches one Cloud Storage. It is safe for concurrent use.
type Client struct {
	c   *storage.Client
	o   Options
	own *transport.Transport // nil: the caller's
	key *key
}

// key is what signing needs of a service account's key file.
type key struct {
	Email   string `json:"client_email"`
	Private string `json:"private_key"`
}

// New makes a client. It sends nothing.
func New(ctx context.Context, o Options) (*Client, error) {
	emulator := os.Getenv("STORAGE_EMULATOR_HOST") != ""
	auth := o.Auth
	if auth == "" {
		auth = ADC
	}
	if emulator {
		auth = None
	}
	c := &Client{o: o}
	opts := []option.ClientOption{option.WithScopes(storage.ScopeReadOnly), option.WithTelemetryDisabled()}
	switch auth {
	case ADC:
		c.key = defaultKey()
	case ServiceAccount:
		b, err := os.ReadFile(o.CredentialsFile)
		if err != nil {
			return nil, fmt.Errorf("Cloud Storage: the service account's key file cannot be read: %w", err)
		}
		c.key = &key{}
		if err := json.Unmarshal(b, c.key); err != nil || c.key.Email == "" || c.key.Private == "" {
			return nil, fmt.Errorf("Cloud Storage: %s is not a service account's key file; make one with `gcloud iam service-accounts keys create`",
				o.CredentialsFile)
		}
		opts = append(opts, option.WithAuthCredentialsJSON(option.ServiceAccount, b))
	case Token:
		if (o.TokenEnv == "") == (o.TokenFile == "") {
			return nil, errors.New("Cloud Storage: authentication by token needs the name of an environment variable or a file")
		}
		opts = append(opts, option.WithTokenSource(tokenSource{o}))
	case None:
		opts = append(opts, option.WithoutAuthentication())
	default:
		return nil, fmt.Errorf("Cloud Storage: authentication %q is not known: use adc, service_account, token or none", auth)
	}
	base := o.Transport
	if base == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 512, 128
		c.own = transport.New(t)
		base = c.own
	}
	tr, err := htransport.NewTransport(ctx, base, opts...)
	if err != nil {
		return nil, fmt.Errorf("Cloud Storage: no credentials: %w; run `gcloud auth application-default login`, or set another kind of "+
			"authentication", err)
	}
	own := []option.ClientOption{option.WithHTTPClient(&http.Client{Transport: tr}), storage.WithDisabledClientMetrics()}
	if o.Endpoint != "" {
		own = append(own, option.WithEndpoint(strings.TrimRight(o.Endpoint, "/")+"/storage/v1/"))
	}
	if o.Endpoint != "" || emulator {
		own = append(own, storage.WithJSONReads()) // emulators know the other kind under Google's host name only
	}
	if o.UserAgent != "" {
		own = append(own, option.WithUserAgent(o.UserAgent))
	}
	if c.c, err = storage.NewClient(ctx, own...); err != nil {
		return nil, fmt.Errorf("Cloud Storage: %w", err)
	}
	retryFor := o.RetryFor
	if retryFor == 0 {
		retryFor = time.Minute
	}
	c.c.SetRetry(
		storage.WithBackoff(gax.Backoff{Initial: 200 * time.Millisecond, Max: 10 * time.Second, Multiplier: 2}),
		storage.WithMaxRetryDuration(retryFor),
	)
	return c, nil
}

// Close ends the client's connections. Calls in flight and later ones fail. A Transport of the options is left as it is.
func (c *Client) Close() error {
	err := c.c.Close()
	if c.own != nil {
		err = errors.Join(err, c.own.Close())
	}
	return err
}

func (c *Client) bucket(name string) *storage.BucketHandle {
	b := c.c.Bucket(name)
	if c.o.UserProject != "" {
		b = b.UserProject(c.o.UserProject)
	}
	return b
}

type tokenSource struct{ o Options }

// Token reads the token where the options say; oauth2's transport asks for every request.
func (s tokenSource) Token() (*oauth2.Token, error) {
	t := os.Getenv(s.o.TokenEnv)
	where := "environment variable " + s.o.TokenEnv
	if s.o.TokenFile != "" {
		b, err := os.ReadFile(s.o.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("Cloud Storage: the token cannot be read: %w", err)
		}
		t, where = string(b), "file "+s.o.TokenFile
	}
	if t = strings.TrimSpace(t); t == "" {
		return nil, fmt.Errorf("Cloud Storage: %s holds no access token; `gcloud auth print-access-token` prints one", where)
	}
	return &oauth2.Token{AccessToken: t, Expiry: time.Now().Add(time.Minute)}, nil
}

// SignedURL makes an address under which anybody may read (method GET) or replace (PUT) the object until it expires, at
// most 7 days from now. It needs a service account's key file, of the options or of application default credentials, and
// sends nothing.
func (c *Client) SignedURL(bucket, name, method string, expires time.Time) (string, error) {
	if c.key == nil {
		return "", fmt.Errorf("%s: a signed URL needs a service account's key: set the connection's auth to service_account and its "+
			"credentials_file", uri(bucket, name))
	}
	o := &storage.SignedURLOptions{
		GoogleAccessID: c.key.Email, PrivateKey: []byte(c.key.Private), Method: method, Expires: expires, Scheme: storage.SigningSchemeV4,
	}
	if e, err := url.Parse(c.o.Endpoint); err == nil && e.Host != "" {
		o.Hostname, o.Insecure = e.Host, e.Scheme == "http"
	}
	signed, err := c.bucket(bucket).SignedURL(name, o)
	if err != nil {
		return "", fmt.Errorf("%s: the URL cannot be signed: %w; check the key file of the connection", uri(bucket, name), err)
	}
	return signed, nil
}

// defaultKey is the key file of application default credentials, or nil when they are of another kind.
func defaultKey() *key {
	b, err := os.ReadFile(os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"))
	if err != nil {
		return nil
	}
	var k key
	if json.Unmarshal(b, &k) != nil || k.Email == "" || k.Private == "" {
		return nil
	}
	return &k
}
