package gcs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"
)

// attrs are the library's names of our columns.
var attrs = map[string]string{
	"uri": "Name", "generation": "Generation", "content_type": "ContentType", "size": "Size", "md5_hash": "MD5", "updated": "Updated",
	"metadata": "Metadata",
}

// List calls page with the objects whose names begin with prefix and end with suffix, in the order of their names, some
// hundred at a time. fields names the columns to ask for (uri, generation, content_type, size, md5_hash, updated,
// metadata); nil is all. It ends with the first error of page. page is called by one goroutine at a time and may keep
// its argument.
func (c *Client) List(ctx context.Context, bucket, prefix, suffix string, fields []string, page func([]Object) error) error {
	q := storage.Query{Prefix: prefix, Projection: storage.ProjectionNoACL}
	selection := []string{"Name"}
	for _, f := range fields {
		a, ok := attrs[f]
		if !ok {
			return fmt.Errorf("gs://%s/%s: there is no field %q", bucket, prefix, f)
		}
		if a != "Name" {
			selection = append(selection, a)
		}
	}
	if fields == nil {
		selection = selection[:0]
		for _, a := range attrs {
			selection = append(selection, a)
		}
	}
	if err := q.SetAttrSelection(selection); err != nil {
		return fmt.Errorf("gs://%s/%s: %w", bucket, prefix, err)
	}
	if suffix != "" && !strings.ContainsAny(prefix+suffix, `*?[]{}\`) {
		q.MatchGlob = prefix + "**" + suffix // saves pages; the exact test is ours
	}
	l := &listing{
		limit: c.o.Listers, prefix: prefix, slow: 15 * time.Millisecond,
		open: func(ctx context.Context, start, end string) pager {
			q := q
			q.StartOffset, q.EndOffset = start, end
			p := iterator.NewPager(c.bucket(bucket).Objects(ctx, &q), pageSize, "")
			return func() ([]Object, string, bool, error) {
				var raw []*storage.ObjectAttrs
				next, err := p.NextPage(&raw)
				if err != nil {
					return nil, "", false, fault(ctx, uri(bucket, prefix), 0, err)
				}
				out := make([]Object, 0, len(raw))
				last := ""
				for _, a := range raw {
					last = a.Name
					if len(a.Name) >= len(prefix)+len(suffix) && strings.HasSuffix(a.Name, suffix) {
						out = append(out, described(bucket, a))
					}
				}
				return out, last, next != "", nil
			}
		},
		name: func(o Object) string { return o.URI[len("gs://")+len(bucket)+1:] },
	}
	if l.limit == 0 {
		l.limit = 8
	}
	return l.run(ctx, page)
}

const pageSize = 1000
