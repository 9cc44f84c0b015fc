package bucket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mallardml/mallard/connectors/localfs"
	"github.com/mallardml/mallard/internal/amount"
)

// idle is how long an upload waits for its next part.
const idle = time.Hour

// session is a resumable upload (https://cloud.google.com/storage/docs/performing-resumable-uploads). One request at a time writes.
type session struct {
	mu      sync.Mutex
	bucket  string
	name    string
	query   string // the conditions of the request that began it
	to      *localfs.Upload
	have    int64
	touched time.Time
	ended   bool
}

func (u *session) abort() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return nil
	}
	u.ended = true
	return u.to.Abort()
}

// begin opens a resumable upload, and says where its parts go.
func (s *Service) begin(b *localfs.Bucket, w http.ResponseWriter, r *http.Request) error {
	name, err := named(r, r.Body)
	if err != nil {
		return err
	}
	if n, err := strconv.ParseInt(r.Header.Get("X-Upload-Content-Length"), 10, 64); err == nil && n > s.o.MaxObject {
		return &http.MaxBytesError{Limit: s.o.MaxObject}
	}
	if err := s.drop(); err != nil {
		return err
	}
	to, err := b.Create(name)
	if err != nil {
		return err
	}
	id := rand.Text() + rand.Text()
	s.mu.Lock()
	full := len(s.uploads) >= s.o.MaxUploads
	if !full {
		s.uploads[id] = &session{bucket: b.Name(), name: name, query: r.URL.RawQuery, to: to, touched: s.now()}
	}
	s.mu.Unlock()
	if full {
		return errors.Join(&fault{http.StatusTooManyRequests, "rateLimitExceeded", "Too many resumable uploads are open; finish or delete some."},
			to.Abort())
	}
	session := url.Values{"uploadType": {"resumable"}, "name": {name}, "upload_id": {id}}
	w.Header().Set("Location", address(r)+r.URL.EscapedPath()+"?"+session.Encode())
	w.Header().Set("X-GUploader-UploadID", id)
	w.WriteHeader(http.StatusOK)
	return nil
}

// drop forgets uploads that nobody has touched for long.
func (s *Service) drop() error {
	var old []*session
	s.mu.Lock()
	for id, u := range s.uploads {
		if u.mu.TryLock() { // else it is being written
			if s.now().Sub(u.touched) > idle {
				old = append(old, u)
				delete(s.uploads, id)
			}
			u.mu.Unlock()
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, u := range old {
		errs = append(errs, u.abort())
	}
	return errors.Join(errs...)
}

func (s *Service) find(b *localfs.Bucket, r *http.Request) (string, *session, error) {
	id := r.URL.Query().Get("upload_id")
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.uploads[id]
	if !ok || u.bucket != b.Name() {
		return id, nil, &fault{http.StatusNotFound, "notFound", "There is no such upload, or it has ended."}
	}
	return id, u, nil
}

func (s *Service) forget(id string) {
	s.mu.Lock()
	delete(s.uploads, id)
	s.mu.Unlock()
}

// cancel ends an upload; 499 is what Cloud Storage answers.
func (s *Service) cancel(_ context.Context, b *localfs.Bucket, w http.ResponseWriter, r *http.Request) error {
	id, u, err := s.find(b, r)
	if err != nil {
		return err
	}
	s.forget(id)
	if err := u.abort(); err != nil {
		return err
	}
	w.WriteHeader(499)
	return nil
}

// resume takes the next part of an upload, or says what is there.
func (s *Service) resume(ctx context.Context, b *localfs.Bucket, w http.ResponseWriter, r *http.Request) error {
	id, u, err := s.find(b, r)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return &fault{http.StatusNotFound, "notFound", "The upload has ended."}
	}
	from, total, err := contentRange(r.Header.Get("Content-Range"), u.have)
	if err != nil {
		return err
	}
	if from > u.have || total > s.o.MaxObject {
		return invalid("The part begins at %d of %d, and %s came before; at most %d are taken.", from, total,
			amount.Of(u.have, "byte"), s.o.MaxObject)
	}
	body := http.MaxBytesReader(w, r.Body, s.o.MaxObject-from)
	if _, err := io.CopyN(io.Discard, body, u.have-from); err != nil && err != io.EOF { // sent again
		return err
	}
	n, err := io.Copy(u.to, body)
	u.have += n
	u.touched = s.now()
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			u.ended = true
			s.forget(id)
			return errors.Join(err, u.to.Abort())
		}
		return err
	}
	if total == wholeBody {
		total = u.have
	}
	if total < 0 || u.have < total {
		if u.have > 0 {
			w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", u.have-1))
		}
		if r.Header.Get("X-GUploader-No-308") == "yes" { // Go's client, which would follow a redirect
			w.Header().Set("X-HTTP-Status-Code-Override", "308")
			w.WriteHeader(http.StatusOK)
			return nil
		}
		w.WriteHeader(http.StatusPermanentRedirect)
		return nil
	}
	u.ended = true
	s.forget(id)
	if u.have > total {
		return errors.Join(invalid("%s came, of %d.", amount.Of(u.have, "byte"), total), u.to.Abort())
	}
	begun := r.Clone(ctx)
	begun.URL.RawQuery = u.query
	res, err := s.commit(ctx, b, begun, u.name, u.to)
	if err != nil {
		return err
	}
	reply(w, res)
	return nil
}

// wholeBody is the total of a request without Content-Range: the object ends where its body does.
const wholeBody = -2

// contentRange reads "bytes 0-9/10", "bytes 0-9/*" and "bytes */10"; without it the body is the rest. A total of -1 is not known yet.
func contentRange(text string, have int64) (from, total int64, err error) {
	if text == "" {
		return have, wholeBody, nil
	}
	bad := invalid("Content-Range %.100q: write bytes FIRST-LAST/TOTAL.", text)
	span, size, ok := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
	if !ok || !strings.HasPrefix(text, "bytes ") {
		return 0, 0, bad
	}
	total = -1
	if size != "*" {
		if total, err = strconv.ParseInt(size, 10, 64); err != nil || total < 0 {
			return 0, 0, bad
		}
	}
	if span == "*" {
		return have, total, nil
	}
	first, last, ok := strings.Cut(span, "-")
	if from, err = strconv.ParseInt(first, 10, 64); !ok || err != nil || from < 0 {
		return 0, 0, bad
	}
	end, err := strconv.ParseInt(last, 10, 64)
	if err != nil || end < from-1 || total >= 0 && end >= total {
		return 0, 0, bad
	}
	return from, total, nil
}
