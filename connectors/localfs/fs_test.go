package localfs

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := filepath.ToSlash(t.TempDir())
	for _, n := range names {
		p := filepath.Join(dir, n)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte("content of "+n), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func list(t *testing.T, prefix, suffix string, fields []string) []Object {
	t.Helper()
	var out []Object
	if err := (FS{}).List(context.Background(), "", prefix, suffix, fields, func(p []Object) error { out = append(out, p...); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestList(t *testing.T) {
	dir := tree(t, "a/b.jpg", "a-b.jpg", "a.png", "fed/x.csv", "fed1.csv", "federal/deep/y.csv", "it's \"ü\" b..c.jpg", "a/.hidden")
	if err := os.Symlink(dir, dir+"/loop"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir+"/a.png", dir+"/link.png"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ prefix, suffix, want string }{
		{"/", "", "a-b.jpg a.png a/.hidden a/b.jpg fed/x.csv fed1.csv federal/deep/y.csv it's \"ü\" b..c.jpg link.png"},
		{"/fed", "", "fed/x.csv fed1.csv federal/deep/y.csv"},
		{"/fed", ".csv", "fed/x.csv fed1.csv federal/deep/y.csv"},
		{"/a/", "", "a/.hidden a/b.jpg"},
		{"/", ".jpg", "a-b.jpg a/b.jpg it's \"ü\" b..c.jpg"},
		{"/a.p", "ng", "a.png"},
		{"/a.png", "png", ""}, // prefix and suffix do not overlap
		{"/none", "", ""},
	} {
		var got []string
		for _, o := range list(t, dir+tt.prefix, tt.suffix, []string{"uri"}) {
			got = append(got, strings.TrimPrefix(o.URI, "file://"+dir+"/"))
		}
		if g := strings.Join(got, " "); g != tt.want {
			t.Errorf("%s*%s: %s\nwant %s", tt.prefix, tt.suffix, g, tt.want)
		}
	}
}

func TestColumns(t *testing.T) {
	dir := tree(t, "x.JPG", "x")
	when := time.Date(2024, 2, 3, 4, 5, 6, 789000, time.UTC)
	for _, n := range []string{"/x", "/x.JPG"} {
		if err := os.Chtimes(dir+n, when, when); err != nil {
			t.Fatal(err)
		}
	}
	got := list(t, dir+"/x", "", nil)
	if len(got) != 2 {
		t.Fatalf("%d files", len(got))
	}
	if o := got[0]; o.ContentType != "text/plain" || o.Size != 12 || !o.Updated.Equal(when) || o.Generation != 1706933106000789012 || o.MD5 != "" {
		t.Errorf("%+v", o)
	}
	if o := got[1]; o.ContentType != "image/jpeg" {
		t.Errorf("%+v", o)
	}
	if o := list(t, dir+"/x", "", []string{"uri", "size"})[0]; o.ContentType != "" {
		t.Errorf("not asked for: %+v", o)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, _, err := FS{}.Open(ctx, "", tree(t, "x")+"/x", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var one [1]byte
	if n, err := r.Read(one[:]); n != 1 || err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
	cancel()
	if n, err := r.Read(one[:]); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("after the cancel: %d bytes, %v", n, err)
	}
}

func TestReadIsPinned(t *testing.T) {
	dir := tree(t, "x")
	name := dir + "/x"
	o, err := FS{}.Stat(context.Background(), "", name, 0)
	if err != nil {
		t.Fatal(err)
	}
	read := func(gen, offset int64) (string, error) {
		r, size, err := FS{}.Open(context.Background(), "", name, gen, offset)
		if err != nil {
			return "", err
		}
		defer r.Close()
		if size != o.Size {
			t.Errorf("size %d", size)
		}
		b, err := io.ReadAll(r)
		return string(b), err
	}
	if s, err := read(o.Generation, 0); s != "content of x" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	if s, err := read(o.Generation, 8); s != "of x" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	r, _, err := FS{}.Open(context.Background(), "", name, o.Generation, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := os.WriteFile(name, []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	var e *Error
	if _, err := io.ReadAll(r); !errors.As(err, &e) || e.Reason() != Changed {
		t.Errorf("while reading: %v", err)
	}
	if _, err := read(o.Generation, 0); !errors.As(err, &e) || e.Reason() != Changed {
		t.Errorf("before reading: %v", err)
	}
}

func TestErrors(t *testing.T) {
	dir := tree(t, "x")
	var e *Error
	if _, _, err := (FS{}).Open(context.Background(), "", dir+"/nope", 0, 0); !errors.As(err, &e) || e.Reason() != NotFound || !strings.Contains(err.Error(), dir+"/nope: not found") {
		t.Error(err)
	}
	if _, err := (FS{}).Stat(context.Background(), "", dir, 0); !errors.As(err, &e) || e.Reason() != NotFound {
		t.Error(err)
	}
	if err := (FS{}).List(context.Background(), "", dir+"/nope/", "", nil, nil); !errors.As(err, &e) || e.Reason() != NotFound {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := (FS{}).List(ctx, "", dir+"/", "", nil, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	stop := errors.New("stop")
	if err := (FS{}).List(context.Background(), "", dir+"/", "", nil, func([]Object) error { return stop }); err != stop {
		t.Error(err)
	}
}
