package gcs

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"cloud.google.com/go/storage"

	"github.com/mallardml/mallard/connectors/internal/objectfault"
)

// Object is what a listing says about an object. (It is an alias so that others may declare the same type.)
type Object = struct {
	URI         string
	Generation  int64
	ContentType string
	Size        int64
	MD5         string // base64; empty for composed objects
	Updated     time.Time
	Metadata    map[string]string
}

func uri(bucket, name string) string { return "gs://" + bucket + "/" + name }

func (c *Client) object(bucket, name string, generation int64) *storage.ObjectHandle {
	o := c.bucket(bucket).Object(name)
	if generation > 0 {
		o = o.Generation(generation)
	}
	return o
}

// Stat describes one object, its current generation when generation is 0.
func (c *Client) Stat(ctx context.Context, bucket, name string, generation int64) (Object, error) {
	a, err := c.object(bucket, name, generation).Attrs(ctx)
	if err != nil {
		return Object{}, fault(ctx, uri(bucket, name), generation, err)
	}
	return described(bucket, a), nil
}

func described(bucket string, a *storage.ObjectAttrs) Object {
	o := Object{URI: uri(bucket, a.Name), Generation: a.Generation, ContentType: a.ContentType, Size: a.Size, Updated: a.Updated,
		Metadata: a.Metadata}
	if o.ContentType == "" {
		o.ContentType = "application/octet-stream"
	}
	if len(a.MD5) > 0 {
		o.MD5 = base64.StdEncoding.EncodeToString(a.MD5)
	}
	return o
}

// Open reads an object from an offset on, its current generation when generation is 0. It returns the size of the whole
// object, or -1 when the server unpacks it. The end of the object is reported only when its checksum is right (for whole
// objects) and no byte is missing.
func (c *Client) Open(ctx context.Context, bucket, name string, generation, offset int64) (io.ReadCloser, int64, error) {
	var r *storage.Reader
	var err error
	if offset > 0 {
		r, err = c.object(bucket, name, generation).NewRangeReader(ctx, offset, -1)
	} else {
		r, err = c.object(bucket, name, generation).NewReader(ctx)
	}
	if err != nil {
		return nil, 0, fault(ctx, uri(bucket, name), generation, err)
	}
	b := &body{ctx: ctx, r: r, uri: uri(bucket, name), generation: generation, want: r.Attrs.Size - offset}
	if r.Attrs.Decompressed || r.Attrs.Size < 0 {
		b.want = -1
		return b, -1, nil
	}
	return b, r.Attrs.Size, nil
}

// body is an object being read.
type body struct {
	ctx        context.Context
	r          *storage.Reader
	uri        string
	generation int64
	want, got  int64
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.got += int64(n)
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF && (b.want < 0 || b.got == b.want):
		return n, io.EOF
	case err == io.EOF:
		return n, &Error{Fault: objectfault.Fault{URI: b.uri, Why: Corrupt, Err: fmt.Errorf("%d of %d bytes came", b.got, b.want),
			Hint: "query again"}}
	case strings.Contains(err.Error(), "bad CRC"): // the library has no type for it
		return n, &Error{Fault: objectfault.Fault{URI: b.uri, Why: Corrupt, Err: err, Hint: "query again"}}
	}
	return n, fault(b.ctx, b.uri, b.generation, err)
}

func (b *body) Close() error { return b.r.Close() }
