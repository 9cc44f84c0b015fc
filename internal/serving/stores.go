// Package serving holds what the statements of a database share of the models and objects that they use: versions of models with
// their engines ([Models]), connections to remote models and the calls over them ([Remote]), and the stores of objects ([Stores]). It
// knows neither DuckDB's connections nor a text of SQL. All of it is safe for concurrent use.
package serving

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mallardml/mallard/connectors/gcs"
	"github.com/mallardml/mallard/connectors/localfs"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/objecttable"
)

// Stores are the stores of objects: Cloud Storage with the account of a connection, and the file system.
type Stores struct {
	cfg     *config.Config
	allowed func(context.Context) error
	folders *localfs.Buckets // those of the configuration

	mu      sync.Mutex
	clients map[string]*gcs.Client // by connection
}

var (
	_ objecttable.Store = (*gcs.Client)(nil)
	_ objecttable.Store = localfs.FS{}
)

// NewStores makes the stores of a configuration. allowed is an error where nothing outside the database may be read.
func NewStores(cfg *config.Config, allowed func(context.Context) error) *Stores {
	return &Stores{cfg: cfg, allowed: allowed, folders: localfs.NewBuckets(config.BucketDirs(cfg)), clients: map[string]*gcs.Client{}}
}

// Allowed is an error where nothing outside the database may be read.
func (s *Stores) Allowed(ctx context.Context) error { return s.allowed(ctx) }

// Close ends the clients.
func (s *Stores) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := []error{s.folders.Close()}
	for _, c := range s.clients {
		errs = append(errs, c.Close())
	}
	s.clients = map[string]*gcs.Client{}
	return errors.Join(errs...)
}

// Store gives the store of a scheme: Cloud Storage with the account of a connection, and the file system.
func (s *Stores) Store(ctx context.Context, scheme, authorizer string) (objecttable.Store, error) {
	if err := s.allowed(ctx); err != nil {
		return nil, err
	}
	if scheme != "gs" {
		return localfs.FS{}, s.confined("files of this machine")
	}
	if authorizer == "" {
		authorizer = "default" // where it is not configured, application default credentials
	} else if authorizer != "default" { // of an ObjectRef it may be location.name or project.location.name
		var err error
		if authorizer, err = config.ConnectionName(s.cfg, strings.Split(authorizer, ".")...); err != nil {
			return nil, err
		}
	}
	if len(s.folders.Names()) > 0 {
		return buckets{s, authorizer}, nil
	}
	return s.cloud(ctx, authorizer)
}

// confined is an error where those who write the statements are not those whose files and credentials are here: they read the folders
// that are served as buckets.
func (s *Stores) confined(what string) error {
	if !s.cfg.BigQuery.Confined {
		return nil
	}
	return failure.As(failure.ErrNoExternalAccess,
		fmt.Errorf("%s are not read here; serve a folder as a bucket, and name gs://BUCKET/…", what))
}

// cloud gives Cloud Storage with the account of a connection.
func (s *Stores) cloud(ctx context.Context, authorizer string) (*gcs.Client, error) {
	if _, ok := s.cfg.Connections[authorizer]; !ok {
		if err := s.confined("buckets that are neither served nor a configured connection's"); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.clients[authorizer]; ok {
		return c, nil
	}
	cfg := s.cfg.Connections[authorizer]
	c, err := gcs.New(context.WithoutCancel(ctx), gcs.Options{
		Auth: cfg.Auth, CredentialsFile: cfg.CredentialsFile, TokenEnv: cfg.TokenEnv, TokenFile: cfg.TokenFile,
		Endpoint: cfg.StorageEndpoint, UserProject: "",
	})
	if err != nil {
		return nil, err
	}
	s.clients[authorizer] = c
	return c, nil
}

// buckets reads the buckets that are folders, and Cloud Storage for all others.
type buckets struct {
	s          *Stores
	authorizer string
}

func (b buckets) of(ctx context.Context, bucket string) (objecttable.Store, error) {
	if b.s.folders.Has(bucket) {
		return b.s.folders.Bucket(bucket)
	}
	return b.s.cloud(ctx, b.authorizer)
}

func (b buckets) List(ctx context.Context, bucket, prefix, suffix string, fields []string, page func([]objecttable.Object) error) error {
	store, err := b.of(ctx, bucket)
	if err != nil {
		return err
	}
	return store.List(ctx, bucket, prefix, suffix, fields, page)
}

func (b buckets) Open(ctx context.Context, bucket, name string, generation, offset int64) (io.ReadCloser, int64, error) {
	store, err := b.of(ctx, bucket)
	if err != nil {
		return nil, 0, err
	}
	return store.Open(ctx, bucket, name, generation, offset)
}

func (b buckets) Stat(ctx context.Context, bucket, name string, generation int64) (objecttable.Object, error) {
	store, err := b.of(ctx, bucket)
	if err != nil {
		return objecttable.Object{}, err
	}
	return store.Stat(ctx, bucket, name, generation)
}

// Unhashed says that a bucket is a folder.
func (b buckets) Unhashed(bucket string) bool { return b.s.folders.Has(bucket) }

// SignedURL signs with the connection's account; the address of an object of a folder is that of its file.
func (b buckets) SignedURL(bucket, name, method string, expires time.Time) (string, error) {
	store, err := b.of(context.Background(), bucket)
	if err != nil {
		return "", err
	}
	return store.(objecttable.Signer).SignedURL(bucket, name, method, expires)
}

// maxInline is what Gemini takes inside a request (an image may have 7 MB).
const maxInline = 7 << 20

// storedObject is an object in its store.
type storedObject struct {
	store        objecttable.Store
	bucket, name string
	generation   int64 // 0 for any
}

// locate finds the store of an object, and what its URI means there.
func (s *Stores) locate(ctx context.Context, ref remote.Object) (l storedObject, err error) {
	scheme, bucket, name, err := objecttable.SplitURI(ref.URI)
	if err != nil {
		return l, err
	}
	l.bucket, l.name = bucket, name
	if ref.Version != "" {
		if l.generation, err = strconv.ParseInt(ref.Version, 10, 64); err != nil {
			return l, fmt.Errorf("version %q is no generation", ref.Version)
		}
	}
	authorizer := ref.Authorizer
	if _, ok := s.cfg.Connections[authorizer]; !ok {
		authorizer = "default"
	}
	l.store, err = s.Store(ctx, scheme, authorizer)
	return l, err
}

// Stat asks what an object is, and which version of it; the providers read the object itself.
func (s *Stores) Stat(ctx context.Context, ref remote.Object) (mimeType, version string, err error) {
	l, err := s.locate(ctx, ref)
	if err != nil {
		return "", "", err
	}
	about, err := l.store.Stat(ctx, l.bucket, l.name, l.generation)
	if err != nil {
		return "", "", err
	}
	return about.ContentType, strconv.FormatInt(about.Generation, 10), nil
}

// Load reads an object that a provider cannot reach by itself, for a request that carries its bytes.
func (s *Stores) Load(ctx context.Context, ref remote.Object) (data []byte, mimeType string, err error) {
	l, err := s.locate(ctx, ref)
	if err != nil {
		return nil, "", err
	}
	about, err := l.store.Stat(ctx, l.bucket, l.name, l.generation)
	if err != nil {
		return nil, "", err
	}
	if about.Size > maxInline {
		return nil, "", fmt.Errorf("it has %s, and at most %d can be sent inside a request; "+
			"put it into a bucket", amount.Of(about.Size, "byte"), int64(maxInline))
	}
	body, _, err := l.store.Open(ctx, l.bucket, l.name, about.Generation, 0)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	data = make([]byte, 0, about.Size+1)
	for {
		n, err := body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, about.ContentType, nil
		case err != nil:
			return nil, "", err
		case int64(len(data)) > about.Size:
			return nil, "", fmt.Errorf("it grew while it was read; try again")
		}
	}
}
