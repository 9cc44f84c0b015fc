package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"github.com/mallardml/mallard/connectors/gcs/gcstest"
	"github.com/mallardml/mallard/internal/config"
)

// atOnce is how many objects are read side by side, by Mallard's own choice and so by the bare client.
const atOnce = 32

// objects lists many objects and reads some small ones, beside Google's own client. Without latency all that counts is
// processor time, of which the fake takes its part; with it, what is done side by side.
func objects(ctx context.Context, b *bench) error {
	const size = 10_000
	listed, read := max(b.rows/5, 100), max(b.rows/100, 40)
	for _, wait := range []time.Duration{0, 20 * time.Millisecond} {
		s, err := startServices(ctx, service{Kind: "bucket", Latency: wait, Objects: listed, Size: 100},
			service{Kind: "bucket", Latency: wait, Objects: read, Size: size})
		if err != nil {
			return err
		}
		err = b.objects(ctx, s, wait, listed, read, size)
		s.close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) objects(ctx context.Context, s *services, wait time.Duration, listed, read, size int) error {
	var ours [2]*mallard
	var bare [2]*storage.Client
	for i, url := range s.urls {
		cfg := config.DefaultConfig()
		cfg.Connections = map[string]config.ConnectionConfig{"default": {Auth: "none", StorageEndpoint: url}}
		m, err := openConfigured(ctx, "", cfg)
		if err != nil {
			return err
		}
		defer m.close()
		c, err := bareClient(ctx, url)
		if err != nil {
			return err
		}
		defer c.Close()
		ours[i], bare[i] = m, c
	}
	const (
		list     = "listing"
		bareList = "listing, bare client"
		get      = "reading"
		bareGet  = "reading, bare client"
		oneByOne = "reading, bare client, one by one"
	)
	about := fmt.Sprintf(" (%s latency)", wait)
	few := max(read/20, 10)
	ts, err := b.race(ctx, "objects", []contestant{
		{list + about, listed, ours[0].sum(`SELECT sum(size + generation + (md5_hash IS NULL)::INT + (content_type IS NULL)::INT
			+ (updated IS NULL)::INT) FROM gcs_objects('gs://bucket/img/*')`, 101*listed), true},
		{bareList + about, listed, func(ctx context.Context) (lap, error) { return lap{}, listBare(ctx, bare[0], listed) }, true},
		{get + about, read, ours[1].sum("SELECT sum(octet_length(object_bytes(uri, generation))) FROM gcs_objects('gs://bucket/img/*')",
			read*size), true},
		{bareGet + about, read, func(ctx context.Context) (lap, error) { return lap{}, readBare(ctx, bare[1], read, size, atOnce) }, true},
		{oneByOne + about, few, func(ctx context.Context) (lap, error) { return lap{}, readBare(ctx, bare[1], few, size, 1) }, true},
	})
	if err != nil {
		return err
	}
	each := ts.over(oneByOne+about, get+about)
	for i := range each {
		each[i] *= float64(read) / float64(few)
	}
	b.ratios = append(b.ratios,
		ratio{"objects", fmt.Sprintf("listing %d / bare client%s", listed, about), ts.over(list+about, bareList+about), atMost, 1.1},
		ratio{"objects", fmt.Sprintf("reading %d / bare client, %d at once%s", read, atOnce, about), ts.over(get+about, bareGet+about), atMost,
			1.1},
		ratio{"objects", "bare client one by one / reading, time per object" + about, each, atLeast, 0})
	return nil
}

// sum runs a query whose only value must be want.
func (m *mallard) sum(query string, want int) func(ctx context.Context) (lap, error) {
	return func(ctx context.Context) (lap, error) {
		var got float64
		err := m.conn.QueryRowContext(ctx, query).Scan(&got)
		if err == nil && got != float64(want) {
			err = fmt.Errorf("got %.0f, want %d", got, want)
		}
		return lap{}, err
	}
}

// bareClient is Google's client as its documentation has it, but for idle connections, of which it would keep two.
func bareClient(ctx context.Context, url string) (*storage.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 128
	return storage.NewClient(ctx, option.WithHTTPClient(&http.Client{Transport: t}), option.WithEndpoint(url+"/storage/v1/"),
		storage.WithJSONReads(), storage.WithDisabledClientMetrics())
}

func listBare(ctx context.Context, c *storage.Client, want int) error {
	q := &storage.Query{Prefix: "img/", Projection: storage.ProjectionNoACL}
	if err := q.SetAttrSelection([]string{"Name", "Generation", "Size", "ContentType", "MD5", "Updated"}); err != nil {
		return err
	}
	it, got := c.Bucket("bucket").Objects(ctx, q), 0
	for {
		_, err := it.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			return err
		}
		got++
	}
	if got != want {
		return fmt.Errorf("%d of %d objects were listed", got, want)
	}
	return nil
}

func readBare(ctx context.Context, c *storage.Client, n, size, atOnce int) error {
	var names gcstest.Bulk
	var next atomic.Int64
	errs := make([]error, atOnce)
	var wg sync.WaitGroup
	for g := range atOnce {
		wg.Go(func() {
			for errs[g] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				errs[g] = readObject(ctx, c.Bucket("bucket").Object(names.Name(i)).Generation(1), size)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func readObject(ctx context.Context, o *storage.ObjectHandle, size int) error {
	r, err := o.NewReader(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	if err == nil && n != int64(size) {
		err = fmt.Errorf("%d bytes of an object of %d", n, size)
	}
	return err
}
