// Package bucket is Cloud Storage's JSON API (https://cloud.google.com/storage/docs/json_api/v1) over folders that stand for buckets: list,
// read, upload, copy and delete, as the client libraries and gcloud ask. Start with [New]. The rooms, from the top: route.go (who answers
// what), object.go, listing.go, upload.go, resumable.go, digest.go, reply.go.
//
// A fake of Cloud Storage that is a library would keep the attributes of objects in files of its own or in memory; here the folder is the
// bucket, as it is found: a file that a program puts there is an object at once. What a folder cannot keep (custom metadata, ACLs, old
// generations) is not kept.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mallardml/mallard/connectors/localfs"
)

// Options say what is served. The zero values of the bounds are the defaults.
type Options struct {
	// Folders are the buckets by their names.
	Folders map[string]string
	// MaxObject is the size in bytes of the largest object that is taken; 0 is 16 GiB.
	MaxObject int64
	// MaxUploads is how many resumable uploads are open at once; 0 is 64. One that is not touched for an hour is dropped.
	MaxUploads int
}

// Service answers requests. It is safe for concurrent use.
type Service struct {
	o       Options
	buckets *localfs.Buckets
	mux     *http.ServeMux
	digests digests
	now     func() time.Time

	mu      sync.Mutex
	uploads map[string]*session
}

// New opens the folders.
func New(o Options) (*Service, error) {
	if o.MaxObject == 0 {
		o.MaxObject = 16 << 30
	}
	if o.MaxUploads == 0 {
		o.MaxUploads = 64
	}
	s := &Service{o: o, buckets: localfs.NewBuckets(o.Folders), mux: http.NewServeMux(), now: time.Now, uploads: map[string]*session{}}
	for _, name := range s.buckets.Names() {
		if !bucketName.MatchString(name) || slices.Contains(reserved, name) {
			return nil, fmt.Errorf("bucket %q: a name has 3 to 63 small letters, digits, dashes, underscores and dots, and is none of %s", name,
				strings.Join(reserved, ", "))
		}
		if _, err := s.buckets.Bucket(name); err != nil {
			return nil, errors.Join(err, s.buckets.Close())
		}
	}
	s.route()
	return s, nil
}

// bucketName is what https://cloud.google.com/storage/docs/buckets#naming asks for, but for rules of domains.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$`)

// reserved are the first parts of other addresses of the server.
var reserved = []string{"batch", "bigquery", "discovery", "download", "healthz", "metrics", "projects", "resumable", "storage", "token",
	"upload"}

// Buckets are the folders.
func (s *Service) Buckets() *localfs.Buckets { return s.buckets }

// ServeHTTP answers a request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Patterns are those of [http.ServeMux] that the service answers, for a server of several services.
func (s *Service) Patterns() []string {
	patterns := []string{"/storage/v1/", "/download/storage/v1/", "/upload/storage/v1/"}
	for _, name := range s.buckets.Names() {
		patterns = append(patterns, "GET /"+name+"/{object...}") // the XML API's address of an object, which some clients read
	}
	return patterns
}

// Close drops unfinished uploads and closes the folders.
func (s *Service) Close() error {
	s.mu.Lock()
	open := s.uploads
	s.uploads = map[string]*session{}
	s.mu.Unlock()
	var errs []error
	for _, u := range open {
		errs = append(errs, u.abort())
	}
	return errors.Join(append(errs, s.buckets.Close())...)
}

// handler answers a request for a bucket, or tells what is wrong with it.
type handler func(ctx context.Context, b *localfs.Bucket, w http.ResponseWriter, r *http.Request) error
