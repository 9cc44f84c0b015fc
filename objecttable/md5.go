package objecttable

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"io"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// LateMD5 is the column md5_hash over mallard_objects, which knows the hashes that a bucket keeps only. Those of files are
// computed outside the listing, for the rows that are left by WHERE and LIMIT.
const LateMD5 = "system.main.object_md5(uri, generation, md5_hash) AS md5_hash"

// objectMD5 is object_md5(uri, generation, known): the MD5 of a file in base64, as Cloud Storage has it. What is known is
// kept, and no object of Cloud Storage is read: a composed one has no MD5.
func (r *Runtime) objectMD5(q *Query, _ uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	type hash struct {
		row        int
		uri        string
		generation int64
		sum        string
	}
	uris, generations, known := udf.Read(in[0]), udf.Read(in[1]), udf.Read(in[2])
	todo := make([]hash, 0, n)
	for i := range n {
		switch {
		case !known.Null(i):
			if err := udf.SetText(out, i, known.Text(i)); err != nil {
				return err
			}
		case uris.Null(i):
			udf.SetNull(out, i)
		default:
			h := hash{row: i, uri: strings.Clone(uris.Text(i))}
			if !generations.Null(i) {
				h.generation = *udf.At[int64](generations.Data, i)
			}
			todo = append(todo, h)
		}
	}
	return spread(q.Context, todo, r.o.Concurrency, func(ctx context.Context, h *hash) (err error) {
		h.sum, err = r.sum(ctx, h.uri, h.generation)
		return err
	}, func(h *hash, err error) error {
		if err != nil {
			udf.SetNull(out, h.row)
			return q.row(h.uri, err)
		}
		if h.sum == "" {
			udf.SetNull(out, h.row)
			return nil
		}
		return udf.SetText(out, h.row, h.sum)
	})
}

// sum reads an object for its MD5; "" is that of an object whose store knows better.
func (r *Runtime) sum(ctx context.Context, uri string, generation int64) (string, error) {
	scheme, bucket, name, err := SplitURI(uri)
	if err != nil {
		return "", err
	}
	store, err := r.host.Store(ctx, scheme, "")
	if scheme == "gs" {
		if u, ok := store.(Unhashed); err != nil || !ok || !u.Unhashed(bucket) {
			return "", nil
		}
	}
	if err != nil {
		return "", statementError{err}
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	body, _, err := store.Open(ctx, bucket, name, generation, 0)
	if err != nil {
		return "", err
	}
	defer body.Close()
	h := md5.New()
	if _, err := io.Copy(h, body); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil)), nil
}
