package bigquery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mallardml/mallard/internal/amount"
)

// upload is a file that came with a request
// (https://docs.cloud.google.com/bigquery/docs/reference/api-uploads).
type upload struct {
	path string
	size int64
}

// remove drops the file.
func (u *upload) remove() {
	if u != nil {
		_ = os.Remove(u.path) // the folder goes with the server
	}
}

// resumable is an upload that comes in parts.
type resumable struct {
	id      string
	project string
	job     []byte // the job's JSON
	used    time.Time

	mu   sync.Mutex // of the file: one part at a time
	file *os.File
	size int64
	done bool
}

// uploads are those that are under way.
type uploads struct {
	mu     sync.Mutex
	folder string // "" before the first
	byID   map[string]*resumable
}

// How many uploads may be under way, and how long one is kept that nothing comes of.
const (
	maxUploads = 100
	uploadLife = time.Hour
)

// uploadPath is the path of the method, behind /upload and the prefix.
const uploadPath = "/projects/{projectId}/jobs"

// serveUploads adds the methods of uploads to the routes.
func (s *Service) serveUploads(mux *http.ServeMux) {
	for _, prefix := range []string{"/upload" + Prefix, "/upload", "/resumable/upload" + Prefix} {
		for _, verb := range []string{"POST ", "PUT "} {
			mux.HandleFunc(verb+prefix+uploadPath, func(w http.ResponseWriter, r *http.Request) {
				c := &call{s: s, w: w, r: r}
				if v, err := s.uploadJob(c); v != nil || err != nil {
					c.reply(v, err)
				}
			})
		}
	}
}

// uploadJob answers a request of an upload; nil without an error is an answer that is written already.
func (s *Service) uploadJob(c *call) (any, error) {
	switch kind := c.param("uploadType"); {
	case c.param("upload_id") != "":
		return s.continueUpload(c)
	case kind == "multipart":
		return s.multipartUpload(c)
	case kind == "resumable":
		return s.beginUpload(c)
	default:
		return nil, invalid("uploadType %.50q is not served; use multipart or resumable", kind)
	}
}

// tempFile makes a file for what comes.
func (s *Service) tempFile() (*os.File, error) {
	s.uploads.mu.Lock()
	defer s.uploads.mu.Unlock()
	if s.uploads.folder == "" {
		folder, err := os.MkdirTemp("", "mallard-serve-")
		if err != nil {
			return nil, err
		}
		s.uploads.folder = folder
	}
	return os.OpenFile(filepath.Join(s.uploads.folder, newID("")), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

// receive writes a stream to a file.
func (s *Service) receive(from io.Reader) (*upload, error) {
	f, err := s.tempFile()
	if err != nil {
		return nil, err
	}
	u := &upload{path: f.Name()}
	u.size, err = io.Copy(f, io.LimitReader(from, s.Limits.Upload+1))
	if err = errors.Join(err, f.Close()); err == nil && u.size > s.Limits.Upload {
		err = s.tooLarge()
	}
	if err != nil {
		u.remove()
		return nil, err
	}
	return u, nil
}

func (s *Service) tooLarge() error {
	return fault(http.StatusRequestEntityTooLarge, "uploadTooLarge", "The upload is larger than %d bytes.", s.Limits.Upload)
}

// multipartUpload takes the job and its file in one request.
func (s *Service) multipartUpload(c *call) (v any, err error) {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") || params["boundary"] == "" {
		return nil, invalid("The request's Content-Type is no multipart/related with a boundary")
	}
	parts := multipart.NewReader(c.r.Body, params["boundary"])
	first, err := parts.NextPart()
	if err != nil {
		return nil, invalid("The request has no part with the job: %v", err)
	}
	text, err := io.ReadAll(io.LimitReader(first, s.Limits.Body+1))
	if err != nil || int64(len(text)) > s.Limits.Body {
		return nil, invalid("The part with the job is not to be read, or larger than %d bytes", s.Limits.Body)
	}
	if !json.Valid(text) {
		return nil, parseError(errors.New("the part with the job is no JSON"))
	}
	second, err := parts.NextPart()
	if err != nil {
		return nil, invalid("The request has no part with the file: %v", err)
	}
	u, err := s.receive(second)
	if err != nil {
		return nil, uploadFault(err)
	}
	if _, err := parts.NextPart(); !errors.Is(err, io.EOF) {
		u.remove()
		return nil, invalid("The request has more parts than the job and the file, or ends early")
	}
	return s.insertUploaded(c, text, u)
}

func uploadFault(err error) error {
	var f *Fault
	if errors.As(err, &f) {
		return err
	}
	return invalid("The upload ended early: %v", err)
}

// insertUploaded begins a job with its file, which the job removes.
func (s *Service) insertUploaded(c *call, text []byte, u *upload) (any, error) {
	v, err := s.insert(c, text, u)
	if err != nil {
		u.remove()
	}
	return v, err
}

// beginUpload takes the job of an upload whose file comes in parts.
func (s *Service) beginUpload(c *call) (any, error) {
	text, err := c.read()
	if err != nil {
		return nil, err
	}
	if !json.Valid(text) {
		return nil, parseError(errors.New("the job is no JSON"))
	}
	if err := s.checkProject(c.ctx(), c.project()); err != nil {
		return nil, err
	}
	s.dropUploads(func(u *resumable) bool { return time.Since(u.used) > uploadLife })
	f, err := s.tempFile()
	if err != nil {
		return nil, err
	}
	u := &resumable{id: newID(""), project: c.project(), job: text, used: time.Now(), file: f}
	s.uploads.mu.Lock()
	full := len(s.uploads.byID) >= maxUploads
	if !full {
		s.uploads.byID[u.id] = u
	}
	s.uploads.mu.Unlock()
	if full {
		u.drop()
		return nil, fault(403, "quotaExceeded", "Exceeded the number of uploads: %d are under way.", maxUploads)
	}
	h := c.w.Header()
	h.Set("Location", fmt.Sprintf("%s/upload%s/projects/%s/jobs?uploadType=resumable&upload_id=%s", strings.TrimSuffix(c.base(), Prefix),
		Prefix, u.project, u.id))
	h.Set("X-GUploader-UploadID", u.id)
	h.Set("Content-Length", "0")
	c.w.WriteHeader(http.StatusOK)
	return nil, nil
}

// drop forgets what came.
func (u *resumable) drop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.done {
		u.done = true
		_ = u.file.Close()
		_ = os.Remove(u.file.Name())
	}
}

// dropUploads forgets some.
func (s *Service) dropUploads(which func(*resumable) bool) {
	s.uploads.mu.Lock()
	var gone []*resumable
	for id, u := range s.uploads.byID {
		if which(u) {
			gone = append(gone, u)
			delete(s.uploads.byID, id)
		}
	}
	s.uploads.mu.Unlock()
	for _, u := range gone {
		u.drop()
	}
}

// closeUploads forgets all, and removes the folder.
func (s *Service) closeUploads() {
	s.dropUploads(func(*resumable) bool { return true })
	s.uploads.mu.Lock()
	defer s.uploads.mu.Unlock()
	if s.uploads.folder != "" {
		if err := os.RemoveAll(s.uploads.folder); err != nil {
			s.Logger.Warn("uploads were not removed", "error", err)
		}
		s.uploads.folder = ""
	}
}

var contentRange = regexp.MustCompile(`^bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)$`)

// continueUpload takes a part, or says how much has come.
func (s *Service) continueUpload(c *call) (any, error) {
	s.uploads.mu.Lock()
	u := s.uploads.byID[c.param("upload_id")]
	if u != nil {
		u.used = time.Now()
	}
	s.uploads.mu.Unlock()
	if u == nil || u.project != c.project() {
		return nil, notFound("Not found: Upload %.100s", c.param("upload_id"))
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done {
		return nil, notFound("Not found: Upload %s", u.id)
	}
	from, to, total, err := rangeOf(c.r)
	if err != nil {
		return nil, err
	}
	if total > s.Limits.Upload || to > s.Limits.Upload {
		return nil, s.tooLarge()
	}
	if to >= 0 || from < 0 && total < 0 {
		if err := u.take(s, c.r.Body, from, to); err != nil {
			return nil, uploadFault(err)
		}
	}
	if from < 0 && to < 0 && total < 0 { // a whole file without a range
		total = u.size
	}
	if total < 0 || u.size < total {
		u.incomplete(c)
		return nil, nil
	}
	if u.size > total {
		return nil, invalid("The upload has %s, more than its %d", amount.Of(u.size, "byte"), total)
	}
	u.done = true
	whole := &upload{path: u.file.Name(), size: u.size}
	if err := u.file.Close(); err != nil {
		whole.remove()
		return nil, err
	}
	s.uploads.mu.Lock()
	delete(s.uploads.byID, u.id)
	s.uploads.mu.Unlock()
	return s.insertUploaded(c, u.job, whole)
}

// rangeOf reads Content-Range; -1 is what it does not tell.
func rangeOf(r *http.Request) (from, to, total int64, err error) {
	text := r.Header.Get("Content-Range")
	if text == "" {
		return -1, -1, -1, nil
	}
	m := contentRange.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, 0, invalid("Content-Range %.100q is not bytes FROM-TO/TOTAL", text)
	}
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return -1
		}
		return n
	}
	from, to, total = number(m[1]), number(m[2]), number(m[3])
	if to >= 0 && (from > to || total >= 0 && to >= total) {
		return 0, 0, 0, invalid("Content-Range %.100q is no range of the file", text)
	}
	if to < 0 && total < 0 {
		total = 1 << 62 // bytes */*: how much has come
	}
	return from, to, total, nil
}

// take appends a part, whose beginning may have come before; mu is held.
func (u *resumable) take(s *Service, body io.Reader, from, to int64) error {
	from = max(from, 0)
	if from > u.size {
		return invalid("The part begins at byte %d, and %d have come", from, u.size)
	}
	if to >= 0 {
		body = io.LimitReader(body, to-from+1)
	}
	if _, err := io.CopyN(io.Discard, body, u.size-from); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // nothing new
		}
		return err
	}
	if _, err := u.file.Seek(u.size, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(u.file, io.LimitReader(body, s.Limits.Upload-u.size+1))
	u.size += n
	if u.size > s.Limits.Upload {
		return s.tooLarge()
	}
	return err
}

// incomplete says how much has come. Clients that ask so get it as a success, since some libraries take 308 for a redirection.
func (u *resumable) incomplete(c *call) {
	h := c.w.Header()
	if u.size > 0 {
		h.Set("Range", fmt.Sprintf("bytes=0-%d", u.size-1))
	}
	h.Set("X-GUploader-UploadID", u.id)
	h.Set("Content-Length", "0")
	if strings.EqualFold(c.r.Header.Get("X-GUploader-No-308"), "yes") {
		h.Set("X-Http-Status-Code-Override", "308")
		c.w.WriteHeader(http.StatusOK)
		return
	}
	c.w.WriteHeader(http.StatusPermanentRedirect)
}
