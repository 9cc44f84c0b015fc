package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"github.com/mallardml/mallard/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// serve serves a folder with files as bucket "data", beside a file that nobody may reach, to Google's own client.
func serve(t *testing.T, o Options, files map[string]string) (*Service, *httptest.Server, *storage.Client, string) {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.MkdirAll(in, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		path := filepath.Join(in, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	o.Folders = map[string]string{"data": in, "other-data": t.TempDir()}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	tr := &http.Transport{}
	c, err := storage.NewClient(t.Context(), option.WithHTTPClient(&http.Client{Transport: tr}), option.WithEndpoint(h.URL+"/storage/v1/"),
		storage.WithJSONReads(), storage.WithDisabledClientMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		tr.CloseIdleConnections()
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, h, c, in
}

func write(ctx context.Context, o *storage.ObjectHandle, content string, chunk int) (*storage.Writer, error) {
	w := o.NewWriter(ctx)
	w.ChunkSize = chunk
	if _, err := io.WriteString(w, content); err != nil {
		return w, errors.Join(err, w.Close())
	}
	return w, w.Close()
}

func read(ctx context.Context, o *storage.ObjectHandle, offset, length int64) (string, error) {
	r, err := o.NewRangeReader(ctx, offset, length)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), errors.Join(err, r.Close())
}

func status(err error) int {
	var e *googleapi.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// TestClient: Google's Go client uploads in one request and in several, reads ranges, copies, holds conditions and deletes.
func TestClient(t *testing.T) {
	_, _, c, in := serve(t, Options{}, map[string]string{"there before.txt": "hello"})
	ctx := t.Context()
	b := c.Bucket("data")
	if got, err := read(ctx, b.Object("there before.txt"), 0, -1); got != "hello" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	large := strings.Repeat("0123456789abcdef", 40_000) // 640,000 bytes: three chunks of the smallest size
	for name, chunk := range map[string]int{"once/a.bin": 0, "parts/ü?#%.bin": 256 << 10} {
		w, err := write(ctx, b.Object(name), large, chunk)
		if err != nil {
			t.Fatal(err)
		}
		if a := w.Attrs(); a.Size != int64(len(large)) || a.Name != name || a.Generation == 0 {
			t.Errorf("%s: %+v", name, a)
		}
		if got, err := os.ReadFile(filepath.Join(in, name)); string(got) != large || err != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if got, err := read(ctx, b.Object(name), 100, 10); got != large[100:110] || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if got, err := read(ctx, b.Object(name), -5, -1); got != large[len(large)-5:] || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := write(ctx, b.Object("once/a.bin").If(storage.Conditions{DoesNotExist: true}), "x",
		0); status(err) != http.StatusPreconditionFailed {
		t.Errorf("an object that must not be there: %v", err)
	}
	if _, err := c.Bucket("other-data").Object("copy").CopierFrom(b.Object("once/a.bin")).Run(ctx); err != nil {
		t.Error(err)
	}
	// printf hello | openssl md5 -binary | base64; the CRC32C is that of rocksdb's and of Google's tools
	a, err := b.Object("there before.txt").Attrs(ctx)
	if err != nil || fmt.Sprintf("%x", a.MD5) != "5d41402abc4b2a76b9719d911017c592" || a.CRC32C != 0x9a71bb4c ||
		a.ContentType != "text/plain" ||
		!strings.HasPrefix(a.MediaLink, "http://127.0.0.1:") {
		t.Errorf("%+v, %v", a, err)
	}
	if err := b.Object("once/a.bin").Delete(ctx); err != nil {
		t.Error(err)
	}
	if _, err := b.Object("once/a.bin").Attrs(ctx); !errors.Is(err, storage.ErrObjectNotExist) {
		t.Error(err)
	}
	if _, err := c.Bucket("nowhere").Attrs(ctx); !errors.Is(err, storage.ErrBucketNotExist) {
		t.Error(err)
	}
	if err := c.Bucket("data").Create(ctx, "p", nil); status(err) != http.StatusConflict {
		t.Error(err)
	}
	if err := c.Bucket("new-data").Create(ctx, "p", nil); status(err) != http.StatusForbidden {
		t.Error(err)
	}
}

// TestListing: pages, prefixes, delimiters, offsets and globs.
func TestListing(t *testing.T) {
	files := map[string]string{"a/1": "", "a/2": "", "a/b/3": "", "a-b": "", "c": "", "d/4": ""}
	_, _, c, _ := serve(t, Options{}, files)
	for _, tt := range []struct {
		q    storage.Query
		want string
	}{
		{storage.Query{}, "a-b a/1 a/2 a/b/3 c d/4"},
		{storage.Query{Prefix: "a/"}, "a/1 a/2 a/b/3"},
		{storage.Query{Delimiter: "/"}, "a-b a/ c d/"},
		{storage.Query{Prefix: "a/", Delimiter: "/"}, "a/1 a/2 a/b/"},
		{storage.Query{StartOffset: "a/2", EndOffset: "d"}, "a/2 a/b/3 c"},
		{storage.Query{MatchGlob: "a/*"}, "a/1 a/2"},
		{storage.Query{MatchGlob: "a/**"}, "a/1 a/2 a/b/3"},
		{storage.Query{MatchGlob: "{c,d/?}"}, "c d/4"},
		{storage.Query{MatchGlob: "a/[!1]*"}, "a/2"},
	} {
		for _, size := range []int{1, 2, 1000} {
			p := iterator.NewPager(c.Bucket("data").Objects(t.Context(), &tt.q), size, "")
			var got []string
			for {
				var page []*storage.ObjectAttrs
				next, err := p.NextPage(&page)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range page {
					got = append(got, a.Name+a.Prefix)
				}
				if next == "" {
					break
				}
			}
			// A page has its objects before its prefixes.
			if g := strings.Join(got, " "); g != tt.want && (size != 1000 || len(strings.Fields(g)) != len(strings.Fields(tt.want))) && size < 2 {
				t.Errorf("%+v by %d: %s, want %s", tt.q, size, g, tt.want)
			}
		}
	}
}

// do sends a request as it is written.
func do(t *testing.T, method, url, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header
}

// TestResumable: parts that come twice, are asked for and do not fit; limits of size and number; uploads that nobody goes on with.
func TestResumable(t *testing.T) {
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	s, h, _, in := serve(t, Options{MaxObject: 20, MaxUploads: 2}, nil)
	at := h.URL + "/upload/storage/v1/b/data/o?uploadType=resumable"
	begin := func(name string) (int, string) {
		code, _, header := do(t, "POST", at, `{"name": "`+name+`"}`)
		return code, header.Get("Location")
	}
	code, to := begin("a/b")
	if code != 200 || !strings.HasPrefix(to, h.URL) {
		t.Fatal(code, to)
	}
	for _, step := range []struct {
		body, span string
		status     int
		have       string
	}{
		{"", "bytes */*", 308, ""},
		{"hello", "bytes 0-4/*", 308, "bytes=0-4"},
		{"lo wo", "bytes 3-7/11", 308, "bytes=0-7"}, // two bytes again
		{"x", "bytes 9-9/11", 400, ""},
		{"x", "pages 9-9/11", 400, ""},
		{"x", "bytes 9-3/11", 400, ""},
		{"x", "bytes 8-8/21", 400, ""}, // more than an object may have
		{"", "bytes */11", 308, "bytes=0-7"},
		{"rld", "bytes 8-10/11", 200, ""},
		{"", "bytes */11", 404, ""},
	} {
		code, body, header := do(t, "PUT", to, step.body, "Content-Range", step.span)
		if code != step.status || header.Get("Range") != step.have {
			t.Errorf("%s: %d %s %s", step.span, code, header.Get("Range"), body)
		}
	}
	if got, err := os.ReadFile(filepath.Join(in, "a", "b")); string(got) != "hello world" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	_, whole := begin("w")
	if code, body, _ := do(t, "PUT", whole, "all at once"); code != 200 || !strings.Contains(body, `"size":"11"`) {
		t.Errorf("%d %s", code, body)
	}
	_, huge := begin("h")
	if code, _, _ := do(t, "PUT", huge, strings.Repeat("x", 21)); code != http.StatusRequestEntityTooLarge {
		t.Errorf("21 bytes: %d", code)
	}
	if code, _, _ := do(t, "POST", h.URL+"/upload/storage/v1/b/data/o?uploadType=resumable", `{"name": "l"}`, "X-Upload-Content-Length",
		"21"); code != http.StatusRequestEntityTooLarge {
		t.Errorf("21 bytes announced: %d", code)
	}
	_, one := begin("one")
	begin("two")
	if code, _ := begin("three"); code != http.StatusTooManyRequests {
		t.Errorf("a third upload: %d", code)
	}
	if code, _, _ := do(t, "DELETE", one, ""); code != 499 {
		t.Errorf("delete: %d", code)
	}
	s.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if code, _ := begin("four"); code != 200 {
		t.Errorf("after an hour: %d", code)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left := filesOf(t, in); left != "a/b w" {
		t.Errorf("left: %s", left)
	}
}

func filesOf(t testing.TB, dir string) string {
	t.Helper()
	var names []string
	if err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, p)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// TestNames: a bucket's name must not stand in the way of other addresses, and its folder must be there.
func TestNames(t *testing.T) {
	for name, folder := range map[string]string{"storage": t.TempDir(), "UP": t.TempDir(), "a/b": t.TempDir(),
		"gone-data": filepath.Join(t.TempDir(), "nowhere")} {
		if s, err := New(Options{Folders: map[string]string{name: folder}}); err == nil {
			t.Errorf("%s is taken", name)
			_ = s.Close()
		}
	}
}

// FuzzRequest: no request panics, answers with a 5xx, reads or writes anything outside of the folder.
func FuzzRequest(f *testing.F) {
	dir := f.TempDir()
	in := filepath.Join(dir, "in")
	if err := errors.Join(os.Mkdir(in, 0o755), os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("hidden-words"), 0o600)); err != nil {
		f.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(in, "link")); err != nil {
		f.Fatal(err)
	}
	s, err := New(Options{Folders: map[string]string{"data": in}, MaxObject: 1 << 16, MaxUploads: 4})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	for _, seed := range [][5]string{
		{"GET", "/storage/v1/b/data/o/..%2Fsecret.txt?alt=media", "", "", ""},
		{"GET", "/storage/v1/b/data/o/link%2Fsecret.txt?alt=media", "", "", ""},
		{"GET", "/data/link/secret.txt", "", "bytes=0-1", ""},
		{"GET", "/storage/v1/b/data/o?prefix=../&delimiter=/&matchGlob=[a-&pageToken=Yg==&maxResults=1", "", "", ""},
		{"POST", "/upload/storage/v1/b/data/o?uploadType=media&name=../x", "content", "", ""},
		{"POST", "/upload/storage/v1/b/data/o?uploadType=media&name=link/x", "content", "", ""},
		{"POST", "/upload/storage/v1/b/data/o?uploadType=multipart",
			"--b\r\nContent-Type: application/json\r\n\r\n{\"name\": \"/etc/x\"}\r\n--b\r\n\r\nhi\r\n--b--", "multipart/related; boundary=b", ""},
		{"POST", "/upload/storage/v1/b/data/o?uploadType=resumable", `{"name": "../y"}`, "", ""},
		{"PUT", "/upload/storage/v1/b/data/o?upload_id=x", "x", "", "bytes 0-0/1"},
		{"POST", "/storage/v1/b/data/o/a/rewriteTo/b/data/o/..%2F..%2Fz", "", "", ""},
		{"DELETE", "/storage/v1/b/data/o/link", "", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4])
	}
	f.Fuzz(func(t *testing.T, method, target, body, header, span string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost/", bytes.NewBufferString(body))
		if err != nil {
			t.Skip()
		}
		if r.URL, err = r.URL.Parse(target); err != nil || !strings.HasPrefix(r.URL.Path, "/") {
			t.Skip()
		}
		r.Header.Set("Content-Type", header)
		r.Header.Set("Range", header)
		if span != "" {
			r.Header.Set("Content-Range", span)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 || strings.Contains(w.Body.String(), "hidden-words") {
			t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
		outside, err := os.ReadDir(dir)
		if err != nil || len(outside) != 2 {
			t.Fatalf("%s %s: outside are %v, %v", method, target, outside, err)
		}
	})
}
