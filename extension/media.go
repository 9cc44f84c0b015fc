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

// locate finds the store of an object, and what its URI means there.
func (o *objects) locate(ctx context.Context, ref remote.Object) (s objecttable.Store, p objecttable.Pattern, generation int64, err error) {
	if p, err = objecttable.ParsePattern(ref.URI); err != nil {
		return nil, p, 0, err
	}
	if ref.Version != "" {
		if generation, err = strconv.ParseInt(ref.Version, 10, 64); err != nil {
			return nil, p, 0, fmt.Errorf("version %q is no generation", ref.Version)
		}
	}
	authorizer := ref.Authorizer
	if _, ok := o.in.cfg.Connections[authorizer]; !ok {
		authorizer = "default"
	}
	s, err = o.Store(ctx, p.Scheme, authorizer)
	return s, p, generation, err
}

// contentType asks what an object is; the providers read the object itself.
func (o *objects) contentType(ctx context.Context, ref remote.Object) (string, error) {
	s, p, generation, err := o.locate(ctx, ref)
	if err != nil {
		return "", err
	}
	about, err := s.Stat(ctx, p.Bucket, p.Prefix, generation)
	return about.ContentType, err
}

// load reads an object that a provider cannot reach by itself, for a request that carries its bytes.
func (o *objects) load(ctx context.Context, ref remote.Object) (data []byte, mimeType string, err error) {
	s, p, generation, err := o.locate(ctx, ref)
	if err != nil {
		return nil, "", err
	}
	about, err := s.Stat(ctx, p.Bucket, p.Prefix, generation)
	if err != nil {
		return nil, "", err
	}
	if about.Size > maxInline {
		return nil, "", fmt.Errorf("it has %d bytes, and at most %d can be sent inside a request; put it into a bucket", about.Size, int64(maxInline))
	}
	body, _, err := s.Open(ctx, p.Bucket, p.Prefix, about.Generation, 0)
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
