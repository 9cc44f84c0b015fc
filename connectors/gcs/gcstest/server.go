// Package gcstest is a Cloud Storage inside the process, for tests: fsouza/fake-gcs-server behind a door that can fail
// on request. Start with NewServer and give its URL to gcs.Options.Endpoint or STORAGE_EMULATOR_HOST.
package gcstest

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"cloud.google.com/go/storage"
	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// Object is an object to begin with.
type Object struct {
	Bucket, Name string
	Content      []byte
	ContentType  string
	Metadata     map[string]string
	Generation   int64 // 0: chosen by the server
	Updated      time.Time
}

// Server is a running fake. It is safe for concurrent use.
type Server struct {
	URL  string
	fake *fakestorage.Server
	http *httptest.Server

	mu     sync.Mutex
	faults []*fault
	log    []string
}

// Kind is what goes wrong with a request. Positive numbers are HTTP status codes to answer with.
type Kind int

const (
	// Reset breaks the connection without an answer.
	Reset Kind = -1 - iota
	// Truncate breaks the connection after half of the answer.
	Truncate
	// Corrupt changes a byte of the answer.
	Corrupt
)

type fault struct {
	match func(*http.Request) bool
	kind  Kind
	times int
}

// NewServer starts a fake with objects; their buckets are made. Close ends it.
func NewServer(objects ...Object) (*Server, error) {
	fake, err := fakestorage.NewServerWithOptions(fakestorage.Options{NoListener: true})
	if err != nil {
		return nil, fmt.Errorf("fake Cloud Storage: %w", err)
	}
	s := &Server{fake: fake}
	for _, o := range objects {
		s.Put(o)
	}
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	return s, nil
}

// Put stores an object, a new generation when there is one of its name.
func (s *Server) Put(o Object) {
	s.fake.CreateObject(fakestorage.Object{Content: o.Content, ObjectAttrs: fakestorage.ObjectAttrs{
		BucketName: o.Bucket, Name: o.Name, ContentType: o.ContentType, Metadata: o.Metadata, Generation: o.Generation, Updated: o.Updated,
	}})
}

// PutBucket makes an empty bucket.
func (s *Server) PutBucket(name string) {
	s.fake.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: name})
}

// Delete removes an object.
func (s *Server) Delete(bucket, name string) error {
	return s.fake.Backend().DeleteObject(bucket, name)
}

// Fail makes the next requests that match fail, so many times; a nil match is every request.
func (s *Server) Fail(kind Kind, times int, match func(*http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &fault{match, kind, times})
}

// Media matches requests for the content of objects.
func Media(r *http.Request) bool { return r.URL.Query().Get("alt") == "media" }

// Requests are the method and URI of all requests so far.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

// Close ends the server.
func (s *Server) Close() {
	s.http.Close()
	s.fake.Stop()
}

// Client is the storage library's own client of this server.
func (s *Server) Client() *storage.Client { return s.fake.Client() }

// ServeHTTP is the door.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.log = append(s.log, r.Method+" "+r.URL.RequestURI())
	var kind Kind
	for _, f := range s.faults {
		if f.times > 0 && (f.match == nil || f.match(r)) {
			f.times--
			kind = f.kind
			break
		}
	}
	s.mu.Unlock()
	switch {
	case kind == 0:
		s.fake.HTTPHandler().ServeHTTP(w, r)
	case kind > 0:
		http.Error(w, fmt.Sprintf(`{"error":{"code":%d,"message":%q}}`, int(kind), http.StatusText(int(kind))), int(kind))
	case kind == Reset:
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		_ = c.Close()
	default:
		rec := httptest.NewRecorder()
		s.fake.HTTPHandler().ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(rec.Code)
		if kind == Truncate {
			_, _ = w.Write(body[:len(body)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		if len(body) > 0 {
			body[len(body)/2] ^= 1
		}
		_, _ = w.Write(body)
	}
}
