package objecttable

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mallardml/mallard/connectors/gcs/gcstest"
)

func TestDownload(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789"), 50_000)
	db := openDB(t, Options{})
	s := db.bucket(
		gcstest.Object{Bucket: "bucket", Name: "m/saved_model.pb", Content: []byte("graph")},
		gcstest.Object{Bucket: "bucket", Name: "m/variables/variables.data-00000-of-00001", Content: big},
		gcstest.Object{Bucket: "bucket", Name: "m/assets/it's ü.txt", Content: nil},
		gcstest.Object{Bucket: "bucket", Name: "m/assets/"},
		gcstest.Object{Bucket: "bucket", Name: "other", Content: []byte("x")},
	)
	dir := t.TempDir()
	var mu sync.Mutex
	var last, total int64
	get := func() error {
		_, err := Download(context.Background(), db.host.stores["gs"], "bucket", "m/", dir, func(d, n int64) {
			mu.Lock()
			defer mu.Unlock()
			last, total = max(last, d), n
		})
		return err
	}
	want := func(name, content string) {
		t.Helper()
		if b, err := os.ReadFile(filepath.Join(dir, name)); string(b) != content {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	s.Fail(403, 1, func(r *http.Request) bool { return gcstest.Media(r) && strings.Contains(r.URL.Path, "saved_model") })
	if err := get(); err == nil || !strings.Contains(err.Error(), "gs://bucket/m/saved_model.pb: forbidden") {
		t.Fatal(err)
	}
	s.Fail(gcstest.Truncate, 1, gcstest.Media)
	s.Fail(gcstest.Corrupt, 1, gcstest.Media)
	if err := get(); err != nil {
		t.Fatal(err)
	}
	want("saved_model.pb", "graph")
	want("variables/variables.data-00000-of-00001", string(big))
	want("assets/it's ü.txt", "")
	if last != 500_005 || total != 500_005 {
		t.Errorf("%d of %d", last, total)
	}
	// A third run reads nothing but the listing; a spoiled file is fetched again, a cut one continued.
	before := len(s.Requests())
	if err := get(); err != nil || len(s.Requests()) != before+1 {
		t.Errorf("%q, %v", s.Requests()[before:], err)
	}
	if err := os.WriteFile(filepath.Join(dir, "saved_model.pb"), []byte("grapH"), 0o644); err != nil {
		t.Fatal(err)
	}
	variables := filepath.Join(dir, "variables", "variables.data-00000-of-00001")
	if err := os.Remove(variables); err != nil {
		t.Fatal(err)
	}
	part := variables + "." + generation(t, db, "bucket", "m/variables/variables.data-00000-of-00001") + partSuffix
	if err := os.WriteFile(part, big[:200_000], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	want("saved_model.pb", "graph")
	want("variables/variables.data-00000-of-00001", string(big))
	// A part that is wrong is not joined to.
	if err := os.Remove(variables); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(part, big[1:200_000], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	want("variables/variables.data-00000-of-00001", string(big))
	entries, err := filepath.Glob(filepath.Join(dir, "*", "*"+partSuffix))
	if err != nil || len(entries) != 0 {
		t.Error(entries, err)
	}
}

func TestDownloadRefusesNames(t *testing.T) {
	for _, tt := range []struct{ give, want string }{
		{"m/../../etc/passwd", "would leave the folder"},
		{"m//etc/passwd", "holds a / at its start"},
		{"m/a/./b", "would leave the folder"},
		{"m/a//b", "empty part"},
		{`m/a\b`, `a \`},
		{"m/c:x", "or a :"},
		{"m/a\nb", "control characters"},
		{"m/x.mallard-part", "unfinished copies"},
		{"m/" + strings.Repeat("x", 201), "more than 200 bytes"},
		{"m/GOOD", "differ in case only"},
		{"m/good/x", "one is the other's folder"},
	} {
		db := openDB(t, Options{})
		s := db.bucket(gcstest.Object{Bucket: "bucket", Name: "m/good", Content: []byte("x")}, gcstest.Object{Bucket: "bucket", Name: tt.give, Content: []byte("x")})
		dir := t.TempDir()
		_, err := Download(context.Background(), db.host.stores["gs"], "bucket", "m/", dir, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.give, err, tt.want)
		}
		if e, err := os.ReadDir(dir); len(e) != 0 || err != nil {
			t.Errorf("%q: %v, %v", tt.give, e, err)
		}
		for _, r := range s.Requests() {
			if strings.Contains(r, "alt=media") {
				t.Errorf("%q: %s", tt.give, r)
			}
		}
	}
}

// generation is that of an object, as text.
func generation(t *testing.T, db *testDB, bucket, name string) string {
	t.Helper()
	o, err := db.host.stores["gs"].Stat(context.Background(), bucket, name, 0)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(o.Generation, 10)
}
