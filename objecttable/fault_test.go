package objecttable

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard/connectors/gcs"
	"github.com/mallardml/mallard/connectors/gcs/gcstest"
)

// Broken answers of every kind lose no rows and corrupt none; objects that are gone, changed or forbidden are NULL, and
// no others.
func TestFaults(t *testing.T) {
	const n = 300
	rng := rand.New(rand.NewPCG(1, 2))
	var objects []gcstest.Object
	for i := range n {
		content := bytes.Repeat([]byte(fmt.Sprintf("%06d;", i)), 1+rng.IntN(3000))
		if i%50 == 0 {
			content = nil
		}
		objects = append(objects, gcstest.Object{Bucket: "bucket", Name: fmt.Sprintf("f/%06d", i), Content: content, ContentType: "text/plain"})
	}
	s, err := gcstest.NewServer(objects...)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := gcs.New(context.Background(), gcs.Options{Auth: gcs.None, Endpoint: s.URL, RetryFor: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	db := openDB(t, Options{MaxMemory: 1 << 20})
	db.host.stores["gs"] = c
	if _, err := db.Exec("CREATE TABLE listed AS SELECT * FROM mallard_objects('gs://bucket/f/*')"); err != nil {
		t.Fatal(err)
	}
	media := func(share float64) func(*http.Request) bool {
		return func(r *http.Request) bool { return gcstest.Media(r) && rng.Float64() < share } // called under the server's lock
	}
	corrupted := map[string]bool{} // no object twice: it is read again once only
	corrupt := func(r *http.Request) bool {
		hit := gcstest.Media(r) && !corrupted[r.URL.Path] && rng.Float64() < 0.06
		if hit {
			corrupted[r.URL.Path] = true
		}
		return hit
	}
	listing := func(r *http.Request) bool { return !gcstest.Media(r) }
	faults := func() {
		for _, k := range []gcstest.Kind{503, gcstest.Reset} {
			s.Fail(k, 1, listing)
		}
		for _, k := range []gcstest.Kind{500, 502, 503, 429, gcstest.Reset, gcstest.Truncate} {
			s.Fail(k, 12, media(0.06))
		}
		s.Fail(gcstest.Corrupt, 12, corrupt)
	}
	// md5_hash is the server's.
	const check = "SELECT count(*), count(b), bool_and(octet_length(b) = size AND md5(b) = lower(hex(from_base64(md5_hash)))) FROM "
	faults()
	before := len(s.Requests())
	db.want("300|300|true", check+"(SELECT *, object_bytes(uri, generation) AS b FROM mallard_objects('gs://bucket/f/*'))")
	if got := len(s.Requests()) - before; got < n+30 {
		t.Errorf("%d requests: there were no faults", got)
	}
	if got := db.host.noted(); got != "" {
		t.Error(got)
	}

	gone, changed, forbidden := []string{"f/000003", "f/000200"}, []string{"f/000004", "f/000299"}, "f/000005"
	for _, name := range gone {
		if err := s.Delete("bucket", name); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range changed {
		s.Put(gcstest.Object{Bucket: "bucket", Name: name, Content: []byte("new")})
	}
	s.Fail(403, 1000, func(r *http.Request) bool { return strings.Contains(r.URL.Path, forbidden) })
	faults()
	db.want("300|295|true", check+"(SELECT *, object_bytes(uri, generation) AS b FROM listed)")
	notes := strings.Split(db.host.noted(), "\n")
	slices.Sort(notes)
	if len(notes) != 5 || !strings.HasPrefix(notes[0], "forbidden: gs://bucket/f/000005: forbidden") || !strings.HasPrefix(notes[1], "not found: gs://bucket/f/000003: not found; the object was removed or replaced since it was listed") {
		t.Errorf("%q", notes)
	}
	// The table as it is now: what was replaced is there again.
	faults()
	db.want("298|297|true", check+"(SELECT *, object_bytes(uri, generation) AS b FROM mallard_objects('gs://bucket/f/*'))")

	if got := db.host.noted(); !strings.HasPrefix(got, "forbidden: ") || strings.Contains(got, "\n") {
		t.Error(got)
	}

	// What does not heal is no row of its own making: the statement fails, or the row is NULL.
	s.Fail(503, 1_000_000, listing)
	short, err := gcs.New(context.Background(), gcs.Options{Auth: gcs.None, Endpoint: s.URL, RetryFor: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer short.Close()
	db.host.stores["gs"] = short
	db.wantError("unavailable", "SELECT count(*) FROM mallard_objects('gs://bucket/f/*')")
	s.Fail(gcstest.Corrupt, 1_000_000, gcstest.Media)
	db.want("1|0", "SELECT count(*), count(object_bytes(uri, generation)) FROM listed WHERE uri LIKE '%/000001'")
	if got := db.host.noted(); !strings.HasPrefix(got, "corrupt: gs://bucket/f/000001: corrupt") {
		t.Error(got)
	}
}

// oneQuick is a store whose first object comes at once and whose others never come.
type oneQuick struct{ memStore }

func (s *oneQuick) Open(ctx context.Context, bucket, name string, generation, offset int64) (io.ReadCloser, int64, error) {
	if name != "000000" {
		<-ctx.Done()
		return nil, 0, ctx.Err()
	}
	return s.memStore.Open(ctx, bucket, name, generation, offset)
}

// The error that ends a chunk is noted, not what the rows beside it say when they are given up.
func TestCauseIsNoted(t *testing.T) {
	db := openDB(t, Options{MaxChunk: 100, Concurrency: 4})
	db.host.stores["gs"] = &oneQuick{memStore{n: 10, size: 200}}
	const want = "objects of more than 100 bytes in"
	db.wantError(want, "SELECT object_bytes(uri) FROM mallard_objects('gs://bucket/*')")
	if err := db.host.first; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("noted: %v", err)
	}
}
