package gcs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard/connectors/gcs"
	"github.com/mallardml/mallard/connectors/gcs/gcstest"
	"github.com/mallardml/mallard/internal/accountkey"
	"github.com/mallardml/mallard/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func serve(tb testing.TB, o gcs.Options, objects ...gcstest.Object) (*gcstest.Server, *gcs.Client) {
	tb.Helper()
	s, err := gcstest.NewServer(objects...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	if o.Auth == "" {
		o.Auth = gcs.None
	}
	o.Endpoint = s.URL
	c, err := gcs.New(context.Background(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return s, c
}

func list(tb testing.TB, c *gcs.Client, bucket, prefix, suffix string, fields ...string) []gcs.Object {
	tb.Helper()
	var out []gcs.Object
	if err := c.List(context.Background(), bucket, prefix, suffix, fields, func(p []gcs.Object) error { out = append(out, p...); return nil }); err != nil {
		tb.Fatal(err)
	}
	return out
}

func read(c *gcs.Client, bucket, name string, generation, offset int64) (string, error) {
	r, _, err := c.Open(context.Background(), bucket, name, generation, offset)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

func TestListColumns(t *testing.T) {
	when := time.Date(2024, 2, 3, 4, 5, 6, 789000, time.UTC)
	s, c := serve(t, gcs.Options{},
		gcstest.Object{Bucket: "bucket", Name: "dir/a.jpg", Content: []byte("aaa"), ContentType: "image/jpeg", Metadata: map[string]string{"k": "v"}, Generation: 17, Updated: when},
		gcstest.Object{Bucket: "bucket", Name: "dir/it's \"ü\" *b..c/../x.jpg", Content: []byte("x")},
		gcstest.Object{Bucket: "bucket", Name: "dir/z.png", Content: []byte("z")},
		gcstest.Object{Bucket: "bucket", Name: "other.jpg", Content: []byte("z")},
	)
	got := list(t, c, "bucket", "dir/", ".jpg")
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	// printf aaa | openssl md5 -binary | base64
	if o := got[0]; o.URI != "gs://bucket/dir/a.jpg" || o.Generation != 17 || o.ContentType != "image/jpeg" || o.Size != 3 || o.MD5 != "R7zlx09Yn0hn29V+nKn4CA==" || o.Metadata["k"] != "v" || o.Updated.IsZero() {
		t.Errorf("%+v", o)
	}
	if o := got[1]; o.URI != "gs://bucket/dir/it's \"ü\" *b..c/../x.jpg" {
		t.Errorf("%+v", o)
	}
	if text, err := read(c, "bucket", "dir/it's \"ü\" *b..c/../x.jpg", got[1].Generation, 0); text != "x" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	list(t, c, "bucket", "dir/", "", "uri", "size")
	all := s.Requests()
	last := all[len(all)-1]
	if !strings.Contains(last, "prefix=dir") || !strings.Contains(last, "fields=") || strings.Contains(last, "md5Hash") || !strings.Contains(last, "size") {
		t.Error(last)
	}
}

func TestLargeListing(t *testing.T) {
	// The fake takes a time that grows with the square: it has two pages, the server of equal objects has many.
	var objects []gcstest.Object
	for i := range 1050 {
		objects = append(objects, gcstest.Object{Bucket: "bucket", Name: fmt.Sprintf("img/%06d.jpg", i)})
	}
	_, few := serve(t, gcs.Options{}, objects...)
	s := httptest.NewServer(gcstest.NewBulk(21_000, 1, 0))
	defer s.Close()
	many, err := gcs.New(context.Background(), gcs.Options{Auth: gcs.None, Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer many.Close()
	for n, c := range map[int]*gcs.Client{1050: few, 21_000: many} {
		got := list(t, c, "bucket", "img/", "", "uri")
		if len(got) != n {
			t.Fatalf("%d objects", len(got))
		}
		for i, o := range got {
			if want := fmt.Sprintf("gs://bucket/img/%06d.jpg", i); o.URI != want {
				t.Fatalf("%d: %s", i, o.URI)
			}
		}
	}
}

// What fails on the way is asked for again: nothing is lost and nothing is spoiled.
func TestFaultsAreRetried(t *testing.T) {
	content := strings.Repeat("0123456789", 10000)
	for _, kind := range []gcstest.Kind{503, 500, 429, 408, gcstest.Reset, gcstest.Truncate} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			s, c := serve(t, gcs.Options{}, gcstest.Object{Bucket: "bucket", Name: "a", Content: []byte(content)})
			s.Fail(kind, 1, nil)
			if kind == gcstest.Truncate {
				s.Fail(kind, 1, gcstest.Media)
			}
			if got := list(t, c, "bucket", "", ""); len(got) != 1 {
				t.Errorf("%d objects", len(got))
			}
			s.Fail(kind, 2, gcstest.Media)
			if got, err := read(c, "bucket", "a", 0, 0); got != content {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if got, err := read(c, "bucket", "a", 0, 99990); got != content[99990:] {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	s, c := serve(t, gcs.Options{RetryFor: 500 * time.Millisecond}, gcstest.Object{Bucket: "bucket", Name: "a", Content: []byte("content"), Generation: 5})
	want := func(name string, err error, reason string, status int, text string) {
		t.Helper()
		var e *gcs.Error
		if !errors.As(err, &e) || e.Reason() != reason || e.HTTPStatus() != status || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	never := func([]gcs.Object) error { return errors.New("called") }
	_, err := read(c, "bucket", "nope", 0, 0)
	want("no object", err, gcs.NotFound, 404, "gs://bucket/nope: not found")
	_, err = read(c, "bucket", "a", 4, 0)
	want("another generation", err, gcs.NotFound, 404, "removed or replaced since it was listed")
	want("no bucket", c.List(context.Background(), "nobucket", "", "", nil, never), gcs.NotFound, 404, "gs://nobucket/: not found; there is no such bucket")
	_, err = c.Stat(context.Background(), "bucket", "nope", 0)
	want("no object", err, gcs.NotFound, 404, "gs://bucket/nope: not found")
	s.Fail(403, 1, nil)
	want("forbidden", c.List(context.Background(), "bucket", "", "", nil, never), gcs.Forbidden, 403, "roles/storage.objectViewer")
	s.Fail(403, 1, nil)
	_, err = read(c, "bucket", "a", 5, 0)
	want("forbidden", err, gcs.Forbidden, 403, "forbidden")
	s.Fail(401, 1, nil)
	_, err = read(c, "bucket", "a", 5, 0)
	want("logged out", err, gcs.Forbidden, 401, "gcloud auth")
	s.Fail(gcstest.Corrupt, 1, gcstest.Media)
	_, err = read(c, "bucket", "a", 5, 0)
	want("corrupt", err, gcs.Corrupt, 0, "bad CRC")
	s.Fail(503, 1000, gcstest.Media)
	_, err = read(c, "bucket", "a", 5, 0)
	want("unavailable", err, gcs.Unavailable, 503, "try again later")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.List(ctx, "bucket", "", "", nil, never); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAuthentication(t *testing.T) {
	t.Setenv("MALLARD_TEST_TOKEN", " secret-token\n")
	var header string
	s, _ := serve(t, gcs.Options{}, gcstest.Object{Bucket: "bucket", Name: "a", Content: []byte("x")})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := gcs.New(context.Background(), gcs.Options{Auth: gcs.Token, TokenEnv: "MALLARD_TEST_TOKEN", Endpoint: s.URL, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		header = r.Header.Get("Authorization")
		return transport.RoundTrip(r)
	})})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read(c, "bucket", "a", 0, 0); got != "x" || header != "Bearer secret-token" {
		t.Errorf("%q, %v, %q", got, err, header)
	}
	t.Setenv("MALLARD_TEST_TOKEN", "")
	if _, err := read(c, "bucket", "a", 0, 0); err == nil || !strings.Contains(err.Error(), "MALLARD_TEST_TOKEN holds no access token") {
		t.Error(err)
	}
	for _, tt := range []struct {
		give gcs.Options
		want string
	}{
		{gcs.Options{Auth: "magic"}, "use adc, service_account, token or none"},
		{gcs.Options{Auth: gcs.Token}, "needs the name of an environment variable or a file"},
		{gcs.Options{Auth: gcs.ServiceAccount, CredentialsFile: "nope.json"}, "key file cannot be read"},
		{gcs.Options{Auth: gcs.ServiceAccount, CredentialsFile: "gcs_test.go"}, "is not a service account's key file"},
	} {
		if _, err := gcs.New(context.Background(), tt.give); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.give, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestEmulatorVariable(t *testing.T) {
	s, _ := serve(t, gcs.Options{}, gcstest.Object{Bucket: "bucket", Name: "a", Content: []byte("x")})
	t.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(s.URL, "http://"))
	c, err := gcs.New(context.Background(), gcs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := read(c, "bucket", "a", 0, 0); got != "x" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSignedURL(t *testing.T) {
	b := accountkey.JSON(t, map[string]string{"client_email": "me@example.iam.gserviceaccount.com", "token_uri": "http://127.0.0.1:1/token"})
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := gcs.New(context.Background(), gcs.Options{Auth: gcs.ServiceAccount, CredentialsFile: file})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u, err := c.SignedURL("bucket", "a b", "GET", time.Now().Add(time.Hour))
	if err != nil || !strings.Contains(u, "/bucket/a%20b?") || !strings.Contains(u, "X-Goog-Signature=") {
		t.Error(u, err)
	}
	_, anonymous := serve(t, gcs.Options{})
	if _, err := anonymous.SignedURL("bucket", "a", "GET", time.Now()); err == nil || !strings.Contains(err.Error(), "needs a service account's key") {
		t.Error(err)
	}
}

// TestShortAddress: an error names the object and the server, not the request's address with its parameters.
func TestShortAddress(t *testing.T) {
	c, err := gcs.New(t.Context(), gcs.Options{Auth: gcs.None, Endpoint: "http://127.0.0.1:1", RetryFor: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Stat(t.Context(), "bucket", "folder/object", 0)
	if err == nil || !strings.HasPrefix(err.Error(), "gs://bucket/folder/object: failed: 127.0.0.1:1 does not answer: ") || strings.Contains(err.Error(), "?") {
		t.Errorf("Stat: %v", err)
	}
	err = c.List(t.Context(), "bucket", "folder/", "", nil, func([]gcs.Object) error { return nil })
	if err == nil || strings.Contains(err.Error(), "?") {
		t.Errorf("List: %v", err)
	}
}
