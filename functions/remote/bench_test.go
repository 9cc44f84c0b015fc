package remote

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard/internal/dispatch"
)

// BenchmarkRemote asks a provider that takes 50 ms for 10,000 rows of a DuckDB table. "×ideal" is the time over that of
// requests which follow each other without a gap, "×least" the requests over the least possible.
func BenchmarkRemote(b *testing.B) {
	tenth := func(n int, _ []string) error {
		if n%10 == 0 {
			return errTooMany
		}
		return nil
	}
	const rows = 10_000
	for _, bb := range []struct {
		function, endpoint, column string
		batch, concurrency         int
		input                      string
		fault                      func(int, []string) error
	}{
		{"ML.GENERATE_TEXT", geminiURL, "prompt", 1, 64, "FROM w", nil},
		{"ML.GENERATE_EMBEDDING", embeddingURL, "content", 100, 16, "FROM w", nil},
		{"ML.GENERATE_EMBEDDING", embeddingURL, "content", 100, 16, "FROM sparse WHERE i % 100 = 0", nil},
		{"ML.GENERATE_TEXT", geminiURL, "prompt", 1, 64, "FROM w", tenth},
	} {
		name := fmt.Sprintf("batch=%d/concurrency=%d", bb.batch, bb.concurrency)
		if strings.Contains(bb.input, "sparse") {
			name += "/small-chunks"
		}
		if bb.fault != nil {
			name += "/tenth-429"
		}
		b.Run(name, func(b *testing.B) {
			db := openDB(b)
			db.exec(fmt.Sprintf("CREATE TABLE w AS SELECT range AS id, 'row ' || range AS %s FROM range(%d)", bb.column, rows))
			db.exec(fmt.Sprintf("CREATE TABLE sparse AS SELECT range AS i, 'row ' || range AS %s FROM range(%d)", bb.column, rows*100))
			requests := math.Ceil(rows / float64(bb.batch))
			ideal := math.Ceil(requests/float64(bb.concurrency)) * mockLatency.Seconds()
			for b.Loop() {
				f := &fake{latency: mockLatency, fault: bb.fault}
				s := specFor(b, bb.function, bb.endpoint, f, flat)
				s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{Concurrency: bb.concurrency})
				s.Limits = dispatch.Limits{Rows: bb.batch, Tokens: -1}
				db.add(s)
				start := time.Now()
				got := db.must("SELECT count(*) FILTER (" + s.status + " = '') FROM " + over(s, bb.input))
				d := time.Since(start).Seconds()
				if got[0][0] != fmt.Sprint(rows) {
					b.Fatalf("%s of %d rows answered", got[0][0], rows)
				}
				b.ReportMetric(d/ideal, "×ideal")
				b.ReportMetric(float64(f.n)/requests, "×least")
			}
		})
	}
}

// A statement that is cancelled while DuckDB waits ends at once, and its calls with it.
func TestCancelInDuckDB(t *testing.T) {
	db := openDB(t)
	f := &fake{latency: time.Hour}
	s := db.add(textSpec(t, f, flat))
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, _, err := db.query(ctx, "SELECT * FROM "+over(s, "SELECT 'row ' || range AS prompt FROM range(3000)"))
	if d := time.Since(start); err == nil || d > 10*time.Second {
		t.Errorf("%v after %v", err, d)
	}
	if f.flight != 0 {
		t.Errorf("%d requests in flight", f.flight)
	}
}

// The typed error reaches the host, the text DuckDB's caller.
func TestFatalInDuckDB(t *testing.T) {
	db := openDB(t)
	var noted error
	db.o.Fail = func(err error) { noted = err }
	s := db.add(textSpec(t, &fake{fault: func(int, []string) error { return &httpError{403, "PERMISSION_DENIED", 0, "no role"} }}, flat))
	_, _, err := db.query(context.Background(), "SELECT * FROM "+over(s, "SELECT 'a' AS prompt"))
	want := "model demo.m: PERMISSION DENIED error from " + geminiURL + ": no role"
	if err == nil || !strings.Contains(err.Error(), want) || noted == nil || noted.Error() != want {
		t.Errorf("got %v\nnoted %v\nwant %s", err, noted, want)
	}
}
