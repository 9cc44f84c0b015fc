package extension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/objecttable"
)

// maxInline is what Gemini takes inside a request (an image may have 7 MB).
const maxInline = 7 << 20

// storedObject is an object in its store.
type storedObject struct {
	store        objecttable.Store
	bucket, name string
	generation   int64 // 0 for any
}

// locate finds the store of an object, and what its URI means there.
func (o *objects) locate(ctx context.Context, ref remote.Object) (l storedObject, err error) {
	scheme, bucket, name, err := objecttable.SplitURI(ref.URI)
	if err != nil {
		return l, err
	}
	l.bucket, l.name = bucket, name
	if ref.Version != "" {
		if l.generation, err = strconv.ParseInt(ref.Version, 10, 64); err != nil {
			return l, fmt.Errorf("version %q is no generation", ref.Version)
		}
	}
	authorizer := ref.Authorizer
	if _, ok := o.in.cfg.Connections[authorizer]; !ok {
		authorizer = "default"
	}
	l.store, err = o.Store(ctx, scheme, authorizer)
	return l, err
}

// stat asks what an object is, and which version of it; the providers read the object itself.
func (o *objects) stat(ctx context.Context, ref remote.Object) (mimeType, version string, err error) {
	l, err := o.locate(ctx, ref)
	if err != nil {
		return "", "", err
	}
	about, err := l.store.Stat(ctx, l.bucket, l.name, l.generation)
	if err != nil {
		return "", "", err
	}
	return about.ContentType, strconv.FormatInt(about.Generation, 10), nil
}

// load reads an object that a provider cannot reach by itself, for a request that carries its bytes.
func (o *objects) load(ctx context.Context, ref remote.Object) (data []byte, mimeType string, err error) {
	l, err := o.locate(ctx, ref)
	if err != nil {
		return nil, "", err
	}
	about, err := l.store.Stat(ctx, l.bucket, l.name, l.generation)
	if err != nil {
		return nil, "", err
	}
	if about.Size > maxInline {
		return nil, "", fmt.Errorf("it has %d bytes, and at most %d can be sent inside a request; "+
			"put it into a bucket", about.Size, int64(maxInline))
	}
	body, _, err := l.store.Open(ctx, l.bucket, l.name, about.Generation, 0)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	data = make([]byte, 0, about.Size+1)
	for {
		n, err := body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, about.ContentType, nil
		case err != nil:
			return nil, "", err
		case int64(len(data)) > about.Size:
			return nil, "", fmt.Errorf("it grew while it was read; try again")
		}
	}
}
