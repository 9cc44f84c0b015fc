package objecttable

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/storage"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"github.com/mallardml/mallard/connectors/gcs"
	"github.com/mallardml/mallard/connectors/gcs/gcstest"
)

// quick makes a server of many objects the store of gs://, and gives the bare client of it.
func (db *testDB) quick(n, size int, wait time.Duration) *storage.Client {
	db.tb.Helper()
	server := httptest.NewServer(gcstest.NewBulk(n, size, wait))
	db.tb.Cleanup(server.Close)
	url := server.URL
	c, err := gcs.New(context.Background(), gcs.Options{Auth: gcs.None, Endpoint: url})
	if err != nil {
		db.tb.Fatal(err)
	}
	db.tb.Cleanup(func() { _ = c.Close() })
	db.host.stores["gs"] = c
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 128
	db.tb.Cleanup(transport.CloseIdleConnections)
	bare, err := storage.NewClient(context.Background(), option.WithHTTPClient(&http.Client{Transport: transport}), option.WithEndpoint(url+"/storage/v1/"), storage.WithJSONReads(), storage.WithDisabledClientMetrics())
	if err != nil {
		db.tb.Fatal(err)
	}
	return bare
}

func (db *testDB) one(q string) string {
	db.tb.Helper()
	rows, err := db.query(q)
	if err != nil || len(rows) != 1 {
		db.tb.Fatalf("%s: %d rows, %v", q, len(rows), err)
	}
	return rows[0]
}

// BenchmarkList lists 100,000 objects: the bare client, and an object table with the same columns.
func BenchmarkList(b *testing.B) {
	const n = 100_000
	for _, wait := range []time.Duration{0, 20 * time.Millisecond} {
		db := openDB(b, Options{})
		bare := db.quick(n, 100, wait)
		b.Run(fmt.Sprintf("wait=%v/bare", wait), func(b *testing.B) {
			for b.Loop() {
				q := &storage.Query{Prefix: "img/", Projection: storage.ProjectionNoACL}
				if err := q.SetAttrSelection([]string{"Name", "Generation", "Size", "ContentType", "MD5", "Updated"}); err != nil {
					b.Fatal(err)
				}
				it, got := bare.Bucket("bucket").Objects(context.Background(), q), 0
				for {
					if _, err := it.Next(); err == iterator.Done {
						break
					} else if err != nil {
						b.Fatal(err)
					}
					got++
				}
				if got != n {
					b.Fatal(got)
				}
			}
		})
		b.Run(fmt.Sprintf("wait=%v/table", wait), func(b *testing.B) {
			for b.Loop() {
				if got := db.one("SELECT count(*), count(DISTINCT uri), sum(size), min(generation), min(content_type), min(md5_hash), min(updated) IS NOT NULL FROM mallard_objects('gs://bucket/img/*')"); !strings.HasPrefix(got, "100000|100000|10000000|1|") {
					b.Fatal(got)
				}
			}
		})
	}
}

// BenchmarkRead reads 5,000 objects of 10 kB: one by one, the bare client with 32 goroutines, an object table. Listing
// is part of the latter.
func BenchmarkRead(b *testing.B) {
	const n, size = 5000, 10_000
	for _, wait := range []time.Duration{0, 20 * time.Millisecond} {
		db := openDB(b, Options{})
		bare := db.quick(n, size, wait)
		read := func(i int) error {
			r, err := bare.Bucket("bucket").Object(fmt.Sprintf("img/%06d.jpg", i)).Generation(1).NewReader(context.Background())
			if err != nil {
				return err
			}
			defer r.Close()
			if got, err := io.Copy(io.Discard, r); got != size {
				return fmt.Errorf("%d bytes, %w", got, err)
			}
			return nil
		}
		for _, limit := range []int{1, 32} {
			if limit == 1 && wait > 0 {
				continue // it takes n × wait
			}
			b.Run(fmt.Sprintf("wait=%v/bare%d", wait, limit), func(b *testing.B) {
				for b.Loop() {
					var g errgroup.Group
					g.SetLimit(limit)
					for i := range n {
						g.Go(func() error { return read(i) })
					}
					if err := g.Wait(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("wait=%v/table", wait), func(b *testing.B) {
			spec := Spec{Table: Table{URIs: []string{"gs://bucket/img/*"}}}
			for b.Loop() {
				if got := db.one("SELECT sum(octet_length(object_bytes(uri, generation))) FROM " + spec.SQL()); got != strconv.Itoa(n*size) {
					b.Fatal(got)
				}
			}
		})
	}
}

// BenchmarkPeakMemory scans the bytes of 5,000 objects of 1 MB and reports how much the process grew.
func BenchmarkPeakMemory(b *testing.B) {
	db := openDB(b, Options{})
	db.host.stores["gs"] = &memStore{n: 5000, size: 1_000_000}
	spec := Spec{Table: Table{URIs: []string{"gs://bucket/*"}}}
	db.one("SELECT 1")
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Skip("no peak memory here:", err)
	}
	before := peak(b)
	for b.Loop() {
		if got := db.one("SELECT sum(octet_length(object_bytes(uri, generation))) FROM " + spec.SQL()); got != "5000000000" {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(peak(b)-before)/1000, "MB-more")
}

// peak is the most memory the process had, in kB.
func peak(b *testing.B) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	f := strings.Fields(rest)
	n, err := strconv.Atoi(f[0])
	if err != nil {
		b.Fatal(err)
	}
	return n
}
