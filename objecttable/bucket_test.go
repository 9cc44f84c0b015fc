package objecttable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mallardml/mallard/connectors/gcs"
	"github.com/mallardml/mallard/connectors/gcs/gcstest"
)

func (db *testDB) bucket(objects ...gcstest.Object) *gcstest.Server {
	db.tb.Helper()
	s, err := gcstest.NewServer(objects...)
	if err != nil {
		db.tb.Fatal(err)
	}
	db.tb.Cleanup(s.Close)
	c, err := gcs.New(context.Background(), gcs.Options{Auth: gcs.None, Endpoint: s.URL, RetryFor: 2 * time.Minute})
	if err != nil {
		db.tb.Fatal(err)
	}
	db.tb.Cleanup(func() { _ = c.Close() })
	db.host.stores["gs"] = c
	return s
}

func photos(tb testing.TB) []gcstest.Object {
	var out []gcstest.Object
	for _, n := range []string{"photo.png", "photo420.jpg", "cmyk.jpg"} {
		b, err := os.ReadFile("../internal/image/testdata/" + n)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, gcstest.Object{Bucket: "bucket", Name: "img/" + n, Content: b, ContentType: "image/" + strings.TrimPrefix(filepath.Ext(n), "."), Metadata: map[string]string{"z": "2", "a": "it's"}, Generation: 7})
	}
	return append(out, gcstest.Object{Bucket: "bucket", Name: "img/", Generation: 1}, gcstest.Object{Bucket: "bucket", Name: "img/notes.txt", Content: []byte("no image"), ContentType: "text/plain", Generation: 8})
}

func TestBucket(t *testing.T) {
	db := openDB(t, Options{})
	s := db.bucket(photos(t)...)
	db.want(`gs://bucket/img/cmyk.jpg|7|image/jpg|2771|[{'name': a, 'value': 'it\'s'}, {'name': z, 'value': 2}]
gs://bucket/img/notes.txt|8|text/plain|8|[]
gs://bucket/img/photo.png|7|image/png|3596|[{'name': a, 'value': 'it\'s'}, {'name': z, 'value': 2}]
gs://bucket/img/photo420.jpg|7|image/jpg|1674|[{'name': a, 'value': 'it\'s'}, {'name': z, 'value': 2}]`,
		"SELECT uri, generation, content_type, size, metadata::VARCHAR FROM mallard_objects('gs://bucket/img/*')")
	spec := Spec{Table: Table{URIs: []string{"gs://bucket/img/*"}}}
	// The ResNet tutorial's inner query.
	db.want("gs://bucket/img/cmyk.jpg|[224, 224, 3]\ngs://bucket/img/notes.txt|<nil>\ngs://bucket/img/photo.png|[224, 224, 3]\ngs://bucket/img/photo420.jpg|[224, 224, 3]",
		"SELECT uri, ml_image_struct(ml_resize_image(ml_decode_image(object_bytes(uri, generation)), 224, 224, FALSE))._field_1::VARCHAR FROM "+spec.SQL())
	if got := db.host.noted(); !strings.Contains(got, "not a JPEG, PNG or BMP image") {
		t.Error(got)
	}
	before := len(s.Requests())
	db.want("1674", "SELECT octet_length(object_bytes(uri, generation)) FROM "+spec.SQL()+" WHERE uri LIKE '%420.jpg'")
	if got := s.Requests()[before:]; len(got) != 2 { // the filter runs before the bytes are read
		t.Errorf("%q", got)
	}
	before = len(s.Requests())
	db.want("4", "SELECT count(*) FROM "+spec.SQL())
	if got := s.Requests()[before:]; len(got) != 1 || strings.Contains(got[0], "md5Hash") || strings.Contains(got[0], "metadata") {
		t.Errorf("%q", got)
	}
	db.wantError("there is no such bucket", "SELECT * FROM mallard_objects('gs://nobucket/*')")
	s.PutBucket("empty")
	db.want("", "SELECT * FROM mallard_objects('gs://empty/*')")
	s.Fail(403, 1, nil)
	db.wantError("gs://bucket/img/: forbidden: Forbidden; grant", "SELECT * FROM mallard_objects('gs://bucket/img/*')")
	stmt, err := db.Prepare("SELECT count(*) FROM mallard_objects(?)")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for range 2 {
		var n int
		if err := stmt.QueryRow("gs://bucket/img/*.jpg").Scan(&n); err != nil || n != 2 {
			t.Errorf("%d, %v", n, err)
		}
	}
}

// Faults of the server lose no rows and spoil none.
func TestBucketFaults(t *testing.T) {
	var objects []gcstest.Object
	want := 0
	for i := range 60 {
		objects = append(objects, gcstest.Object{Bucket: "bucket", Name: fmt.Sprintf("f/%02d", i), Content: bytes.Repeat([]byte{byte(i)}, 1000+i)})
		want += i * (1000 + i)
	}
	for _, kind := range []gcstest.Kind{503, 429, gcstest.Reset, gcstest.Truncate, gcstest.Corrupt} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			db := openDB(t, Options{MaxMemory: 40_000})
			db.host.strict = true
			s := db.bucket(objects...)
			n, hit := 0, map[string]bool{}               // no object twice: a corrupt one is read again once only
			s.Fail(kind, 6, func(r *http.Request) bool { // called under the server's lock
				if !gcstest.Media(r) || hit[r.URL.Path] {
					return false
				}
				n++
				hit[r.URL.Path] = n%7 == 0
				return n%7 == 0
			})
			spec := Spec{Table: Table{URIs: []string{"gs://bucket/f/*"}}}
			db.want(fmt.Sprintf("60|%d", want), "SELECT count(b), sum(octet_length(b) * ('0x' || substr(hex(b), 1, 2))::INT) FROM (SELECT object_bytes(uri, generation) AS b FROM "+spec.SQL()+")")
		})
	}
	t.Run("gone, changed, forbidden", func(t *testing.T) {
		db := openDB(t, Options{})
		s := db.bucket(objects...)
		if _, err := db.Exec("CREATE TABLE listed AS SELECT uri, generation FROM mallard_objects('gs://bucket/f/0*')"); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete("bucket", "f/03"); err != nil {
			t.Fatal(err)
		}
		s.Put(gcstest.Object{Bucket: "bucket", Name: "f/04", Content: []byte("new")})
		s.Fail(403, 1, func(r *http.Request) bool { return gcstest.Media(r) && strings.Contains(r.URL.Path, "05") })
		db.want("gs://bucket/f/03\ngs://bucket/f/04\ngs://bucket/f/05", "SELECT uri FROM (SELECT uri, object_bytes(uri, generation) AS b FROM listed) WHERE b IS NULL ORDER BY uri")
		got := db.host.noted()
		for _, want := range []string{"not found: gs://bucket/f/03", "not found: gs://bucket/f/04", "forbidden: gs://bucket/f/05"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s\nwant %s", got, want)
			}
		}
	})
}

// memStore is n objects of a size, read after a while.
type memStore struct {
	n, size int
	wait    time.Duration
	mu      sync.Mutex
	opened  map[string]int
	now     int
	most    int
	listed  atomic.Int64
}

func (m *memStore) List(ctx context.Context, bucket, prefix, suffix string, fields []string, page func([]Object) error) error {
	for i := 0; i < m.n; i += 1000 {
		var out []Object
		for j := i; j < min(i+1000, m.n); j++ {
			out = append(out, Object{URI: fmt.Sprintf("gs://%s/%06d", bucket, j), Generation: 1, Size: int64(m.size), ContentType: "image/jpeg"})
		}
		m.listed.Add(int64(len(out)))
		if err := page(out); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (m *memStore) Stat(context.Context, string, string, int64) (Object, error) {
	return Object{}, errors.New("not used")
}

func (m *memStore) Open(ctx context.Context, bucket, name string, generation, offset int64) (io.ReadCloser, int64, error) {
	m.mu.Lock()
	if m.opened == nil {
		m.opened = map[string]int{}
	}
	m.opened[name]++
	m.now++
	m.most = max(m.most, m.now)
	m.mu.Unlock()
	defer func() { m.mu.Lock(); m.now--; m.mu.Unlock() }()
	select {
	case <-time.After(m.wait):
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	return io.NopCloser(io.LimitReader(zeros{}, int64(m.size))), int64(m.size), nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Objects are read once each, many at a time, and the next chunk's while this one is worked on.
func TestReadAhead(t *testing.T) {
	db := openDB(t, Options{MaxMemory: 400_000, Concurrency: 10})
	m := &memStore{n: 200, size: 10_000, wait: 2 * time.Millisecond}
	db.host.stores["gs"] = m
	spec := Spec{Table: Table{URIs: []string{"gs://bucket/*"}}}
	db.want("200|2000000", "SELECT count(*), sum(octet_length(object_bytes(uri, generation))) FROM "+spec.SQL())
	for name, n := range m.opened {
		if n != 1 {
			t.Errorf("%s was read %d times", name, n)
		}
	}
	if len(m.opened) != 200 || m.most < 5 || m.most > 10 {
		t.Errorf("%d read, %d at once", len(m.opened), m.most)
	}
	// LIMIT ends the listing and the reading.
	m.opened, m.n = nil, 1_000_000
	m.listed.Store(0)
	db.want("gs://bucket/000000|10000", "SELECT uri, octet_length(object_bytes(uri, generation)) FROM "+spec.SQL()+" LIMIT 1")
	if m.listed.Load() > 10_000 || len(m.opened) > 30 {
		t.Errorf("%d listed, %d read", m.listed.Load(), len(m.opened))
	}
	if len(db.r.ahead.groups) != 0 {
		t.Errorf("%d objects announced and forgotten", len(db.r.ahead.groups))
	}
	// What a filter leaves out is read neither now nor ahead.
	m.opened, m.n = nil, 200
	db.want("20", "SELECT count(object_bytes(uri, generation)) FROM "+spec.SQL()+" WHERE uri LIKE '%7'")
	if len(m.opened) > 40 {
		t.Errorf("%d read for 20", len(m.opened))
	}
}

func TestCancel(t *testing.T) {
	db := openDB(t, Options{Concurrency: 4})
	db.host.stores["gs"] = &memStore{n: 5000, size: 10, wait: 20 * time.Millisecond}
	ctx, cancel := context.WithCancel(context.Background())
	db.host.ctx = ctx
	time.AfterFunc(100*time.Millisecond, cancel)
	start := time.Now()
	db.wantError("context canceled", "SELECT sum(octet_length(object_bytes(uri, generation))) FROM mallard_objects('gs://bucket/*')")
	if d := time.Since(start); d > 10*time.Second { // all of it takes 25
		t.Errorf("it took %v", d)
	}
	if !errors.Is(db.host.failed, context.Canceled) {
		t.Error(db.host.failed)
	}
}
