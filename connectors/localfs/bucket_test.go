package localfs

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folder is a folder with files, beside one that nobody may reach.
func folder(t *testing.T, names ...string) (inside, outside string) {
	t.Helper()
	dir := tree(t, append([]string{"outside/secret.txt"}, prefixed("in/", names)...)...)
	if err := os.MkdirAll(dir+"/in", 0o755); err != nil {
		t.Fatal(err)
	}
	return dir + "/in", dir + "/outside"
}

func prefixed(prefix string, names []string) []string {
	var out []string
	for _, n := range names {
		out = append(out, prefix+n)
	}
	return out
}

func bucket(t *testing.T, folder string) *Bucket {
	t.Helper()
	b, err := OpenBucket("b", folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func names(t *testing.T, b *Bucket, prefix, suffix string) string {
	t.Helper()
	var out []string
	if err := b.List(t.Context(), "", prefix, suffix, nil, func(p []Object) error {
		for _, o := range p {
			out = append(out, strings.TrimPrefix(o.URI, "gs://b/"))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

// TestBucketList: the names of a bucket, links that stay in its folder, and nothing of what links lead to outside.
func TestBucketList(t *testing.T) {
	in, out := folder(t, "a/b.jpg", "a-b.jpg", "x.csv", ".mallard-upload-1")
	for link, to := range map[string]string{"here": "x.csv", "secret": out + "/secret.txt", "out": out, "a/up": "../../outside/secret.txt",
		"gone": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(in, link)); err != nil {
			t.Fatal(err)
		}
	}
	b := bucket(t, in)
	for _, tt := range []struct{ prefix, suffix, want string }{
		{"", "", "a-b.jpg a/b.jpg here x.csv"},
		{"a/", "", "a/b.jpg"},
		{"", ".jpg", "a-b.jpg a/b.jpg"},
		{"none/", "", ""},
		{"../outside/", "", ""},
		{"/", "", ""},
		{"a/../", "", ""},
	} {
		if got := names(t, b, tt.prefix, tt.suffix); got != tt.want {
			t.Errorf("%q…%q: %s, want %s", tt.prefix, tt.suffix, got, tt.want)
		}
	}
	for _, name := range []string{"secret", "out/secret.txt", "a/up", "../outside/secret.txt", "a/../../outside/secret.txt",
		out + "/secret.txt", "a", "", "a//b.jpg"} {
		if _, err := b.Stat(t.Context(), "", name, 0); err == nil {
			t.Errorf("Stat(%q) finds it", name)
		}
		if body, _, err := b.Open(t.Context(), "", name, 0, 0); err == nil {
			_ = body.Close()
			t.Errorf("Open(%q) opens it", name)
		}
		if err := b.Remove(t.Context(), name, 0); err == nil && name != "secret" && name != "a/up" {
			t.Errorf("Remove(%q) removes it", name)
		}
	}
	if _, err := os.Stat(out + "/secret.txt"); err != nil {
		t.Error(err)
	}
}

// TestBucketWrite: an object is there once it is whole, is replaced whole, and nothing is written outside.
func TestBucketWrite(t *testing.T) {
	in, out := folder(t)
	if err := os.Symlink(out, filepath.Join(in, "out")); err != nil {
		t.Fatal(err)
	}
	b := bucket(t, in)
	put := func(name, content string) (Object, error) {
		u, err := b.Create(name)
		if err != nil {
			return Object{}, err
		}
		if _, err := io.WriteString(u, content); err != nil {
			return Object{}, errors.Join(err, u.Abort())
		}
		if got := names(t, b, "", ""); strings.Contains(got, unfinished) {
			t.Errorf("an unfinished object is listed: %s", got)
		}
		return u.Commit(t.Context())
	}
	first, err := put("deep/er/a.txt", "one")
	if err != nil || first.URI != "gs://b/deep/er/a.txt" || first.Size != 3 || first.ContentType != "text/plain" {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := put("deep/er/a.txt", "three")
	if err != nil || second.Generation == first.Generation || second.Size != 5 {
		t.Fatalf("%+v, %v", second, err)
	}
	var changed *Error
	if _, _, err := b.Open(t.Context(), "", "deep/er/a.txt", first.Generation, 0); !errors.As(err, &changed) || changed.Reason() != Changed {
		t.Errorf("the replaced generation: %v", err)
	}
	for _, name := range []string{"out/x", "../x", "/x", "", ".", "a/./b", "a//b", "a/", `a\b`, "a\x00b", unfinished + "x", "deep/er"} {
		if _, err := put(name, "x"); err == nil {
			t.Errorf("%q is written", name)
		}
	}
	if entries, err := os.ReadDir(out); err != nil || len(entries) != 1 {
		t.Errorf("outside: %v, %v", entries, err)
	}
	u, err := b.Create("b")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Abort(); err != nil {
		t.Error(err)
	}
	if got := names(t, b, "", ""); got != "deep/er/a.txt" {
		t.Errorf("%s", got)
	}
	if err := b.Remove(context.Background(), "deep/er/a.txt", first.Generation); err == nil {
		t.Error("another generation is removed")
	}
	if err := b.Remove(context.Background(), "deep/er/a.txt", second.Generation); err != nil {
		t.Error(err)
	}
	left := 0
	if err := filepath.WalkDir(in, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			left++
		}
		return err
	}); err != nil || left > 0 {
		t.Errorf("%d files are left, %v", left, err)
	}
}

// TestGlob: the files of gs:// names.
func TestGlob(t *testing.T) {
	in, _ := folder(t, "a/1.csv", "a/2.csv", "a/deep/3.csv", "b.json")
	bs := NewBuckets(map[string]string{"b": in, "gone": in + "/nowhere"})
	defer func() {
		if err := bs.Close(); err != nil {
			t.Error(err)
		}
	}()
	for uri, want := range map[string]string{"gs://b/a/*.csv": "a/1.csv a/2.csv a/deep/3.csv", "gs://b/b.json": "b.json",
		"gs://b/*": "a/1.csv a/2.csv a/deep/3.csv b.json"} {
		got, err := bs.Glob(t.Context(), uri)
		for i, f := range got {
			got[i] = strings.TrimPrefix(filepath.ToSlash(f), in+"/")
		}
		if g := strings.Join(got, " "); g != want || err != nil {
			t.Errorf("%s: %s, %v", uri, g, err)
		}
	}
	for _, uri := range []string{"gs://b/none", "gs://b/a", "gs://b/x*", "gs://b/../*", "gs://other/x", "gs://gone/x", "gs://b", "s3://b/a",
		"gs://b/*a*"} {
		if got, err := bs.Glob(t.Context(), uri); err == nil {
			t.Errorf("%s: %v", uri, got)
		}
	}
	if got := bs.Names(); !slices.Equal(got, []string{"b", "gone"}) {
		t.Error(got)
	}
}
