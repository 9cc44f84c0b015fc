package objecttable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

var columnTypes = []udf.Type{
	varchar, bigint, varchar, bigint, varchar, timestamp,
	udf.ListOf(udf.StructOf(udf.Field{Name: "name", Type: varchar}, udf.Field{Name: "value", Type: varchar})),
	refType,
}

const (
	colURI = iota
	colGeneration
	colContentType
	colSize
	colMD5
	colUpdated
	colMetadata
	colRef
)

// boundScan is mallard_objects in a statement.
type boundScan struct {
	r    *Runtime
	spec Spec
	conn uint64
}

// registerScan registers mallard_objects.
func (r *Runtime) registerScan(conn mapping.Connection) error {
	t := udf.Table{Name: "mallard_objects", Params: []udf.Type{varchar}, Bind: r.bindScan}
	return t.Register(conn)
}

func (r *Runtime) bindScan(b *udf.TableBinding) (udf.Relation, error) {
	text, ok := b.Text(0)
	if !ok {
		return nil, errors.New("object table: its description is NULL; give a URI, as 'gs://bucket/folder/*'")
	}
	spec, err := ParseSpec(text)
	if err != nil {
		return nil, err
	}
	if _, err := spec.patterns(); err != nil {
		return nil, err
	}
	// Unknown before the listing. DuckDB takes none for one row and would keep the table as the small side of every join,
	// whose chunks are full ones, whatever the objects' sizes.
	b.Estimate(1_000_000)
	return &boundScan{r, spec, b.Conn}, nil
}

// Columns are those of every object table.
func (b *boundScan) Columns() []udf.Field {
	fields := make([]udf.Field, len(columnNames))
	for i, name := range columnNames {
		fields[i] = udf.Field{Name: name, Type: columnTypes[i]}
	}
	return fields
}

// scan is one run of it: a goroutine lists, DuckDB takes rows.
type scan struct {
	*boundScan
	q       *Query
	cancel  context.CancelFunc
	columns []int
	pages   chan []Object
	wg      sync.WaitGroup
	err     error // why pages was closed
	rest    []Object
	now     *group // emitted
	next    *group // announced for reading ahead, not yet emitted
}

// Scan begins the listing, of what the columns need only.
func (b *boundScan) Scan(columns []int) (udf.Scan, error) {
	q := b.r.host.Query(b.conn)
	ctx, cancel := context.WithCancel(q.Context)
	s := &scan{boundScan: b, q: q, cancel: cancel, columns: columns, pages: make(chan []Object, 2)}
	if objects, ok := b.r.cache.get(&b.spec); ok {
		s.rest = objects
		close(s.pages)
		return s, nil
	}
	fields := b.fields(columns)
	keep := b.spec.Name != "" && b.spec.MaxStaleness > 0 && b.spec.CacheMode == "AUTOMATIC"
	if keep {
		fields = nil
	}
	s.wg.Go(func() {
		defer close(s.pages)
		defer udf.Rescue(&s.err)
		var all []Object
		began := b.r.cache.begin()
		s.err = b.spec.list(ctx, b.r.host, fields, q.skip, func(p []Object) error {
			if keep {
				if all = append(all, p...); len(all) > maxKept {
					keep, all = false, nil
				}
			}
			select {
			case s.pages <- p:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if keep && s.err == nil {
			b.r.cache.put(&b.spec, began, all)
		}
	})
	return s, nil
}

// Close ends the listing.
func (s *scan) Close() {
	s.cancel()
	s.wg.Wait()
	s.r.ahead.drop(s.now)
	s.r.ahead.drop(s.next)
}

func (b *boundScan) fields(columns []int) []string {
	fields := []string{"uri", "size"} // chunks are cut by the size
	for _, c := range columns {
		switch {
		case c == colRef:
			fields = append(fields, "generation", "content_type", "size", "md5_hash", "updated")
		case c >= 0 && c < colRef: // a count reads the row id, which is none of ours
			fields = append(fields, columnNames[c])
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// more makes sure that rest has a row, waiting for a page if it may. It says whether there is one.
func (s *scan) more(wait bool) bool {
	for len(s.rest) == 0 {
		var ok bool
		if wait {
			s.rest, ok = <-s.pages
		} else {
			select {
			case s.rest, ok = <-s.pages:
			default:
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// weight is what an object counts for in a chunk. A decoded image takes some 16 times its file, and again what it is resized
// to, for all rows of a chunk at once; but it is scaled down when it is large, and few rows keep no processor busy.
func (s *scan) weight(o *Object) int64 {
	switch strings.ToLower(path.Ext(o.URI)) {
	case ".jpg", ".jpeg", ".png", ".bmp":
		return max(o.Size, min(16*o.Size, s.r.chunkBytes()/16))
	}
	return o.Size
}

// take cuts the objects of a chunk: a vector full, or what may be held at once should their bytes be read, which a scan
// cannot know. It waits for the first only.
func (s *scan) take(wait bool) []Object {
	capacity, left := int(mapping.VectorSize()), s.r.chunkBytes()
	var out []Object
	for s.more(wait && len(out) == 0) && len(out) < capacity {
		n := min(len(s.rest), capacity-len(out))
		for i := range s.rest[:n] {
			if left -= s.weight(&s.rest[i]); left < 0 && i+len(out) > 0 {
				n = i
				break
			}
		}
		out = append(out, s.rest[:n]...)
		s.rest = s.rest[n:]
		if left < 0 {
			break
		}
	}
	return out
}

// Fill writes the next objects.
func (s *scan) Fill(out mapping.DataChunk) error {
	if err := s.q.Context.Err(); err != nil {
		return s.q.failed(err)
	}
	var objects []Object
	if s.next != nil {
		objects = s.next.objects
	} else {
		objects = s.take(true)
	}
	if len(objects) == 0 {
		s.wg.Wait()
		if s.err != nil {
			return s.q.failed(s.spec.named(s.err))
		}
	}
	if len(objects) > 0 {
		s.announce(objects)
	}
	for i, c := range s.columns {
		v := mapping.DataChunkGetVector(out, mapping.IdxT(i))
		if err := s.write(v, c, objects); err != nil {
			return s.q.failed(err)
		}
	}
	mapping.DataChunkSetSize(out, mapping.IdxT(len(objects)))
	return nil
}

func (s *scan) write(v mapping.Vector, column int, objects []Object) error {
	data := mapping.VectorGetData(v)
	switch column {
	case colURI:
		for i := range objects {
			if err := udf.SetText(v, i, objects[i].URI); err != nil {
				return fmt.Errorf("object table: the name %q: %w", objects[i].URI, err)
			}
		}
	case colGeneration:
		for i := range objects {
			*udf.At[int64](data, i) = objects[i].Generation
		}
	case colContentType:
		for i := range objects {
			setOrNull(v, i, objects[i].ContentType)
		}
	case colSize:
		for i := range objects {
			*udf.At[int64](data, i) = objects[i].Size
		}
	case colMD5:
		for i := range objects {
			setOrNull(v, i, objects[i].MD5)
		}
	case colUpdated:
		for i := range objects {
			*udf.At[int64](data, i) = objects[i].Updated.UnixMicro()
		}
	case colMetadata:
		return writeMetadata(v, objects)
	case colRef:
		return s.writeRef(v, objects)
	}
	return nil
}

// setOrNull writes a text, or NULL for none.
func setOrNull(v mapping.Vector, row int, s string) {
	if s == "" || udf.SetText(v, row, s) != nil {
		udf.SetNull(v, row)
	}
}

func writeMetadata(v mapping.Vector, objects []Object) error {
	for i := range objects {
		m := objects[i].Metadata
		names := make([]string, 0, len(m))
		for n := range m {
			names = append(names, n)
		}
		slices.Sort(names)
		first, err := udf.SetList(v, i, len(names))
		if err != nil {
			return err
		}
		child := mapping.ListVectorGetChild(v)
		for j, n := range names {
			for k, text := range [2]string{n, m[n]} {
				if err := udf.SetText(mapping.StructVectorGetChild(child, mapping.IdxT(k)), first+j, text); err != nil {
					return fmt.Errorf("object table: metadata of %s: %w", objects[i].URI, err)
				}
			}
		}
	}
	return nil
}

func (s *scan) writeRef(v mapping.Vector, objects []Object) error {
	var c [4]mapping.Vector
	for k := range c {
		c[k] = mapping.StructVectorGetChild(v, mapping.IdxT(k))
	}
	for i := range objects {
		o := &objects[i]
		if err := udf.SetText(c[0], i, o.URI); err != nil {
			return fmt.Errorf("object table: the name %q: %w", o.URI, err)
		}
		if err := udf.SetText(c[1], i, strconv.FormatInt(o.Generation, 10)); err != nil {
			return err
		}
		setOrNull(c[2], i, s.spec.Authorizer)
		if err := udf.SetText(c[3], i, refDetails(o)); err != nil {
			return err
		}
	}
	return nil
}

// refDetails is ref.details as BigQuery writes it; updated is in microseconds.
func refDetails(o *Object) string {
	type meta struct {
		ContentType string `json:"content_type"`
		MD5         string `json:"md5_hash,omitempty"`
		Size        int64  `json:"size"`
		Updated     int64  `json:"updated"`
	}
	b, err := json.Marshal(map[string]meta{"gcs_metadata": {o.ContentType, o.MD5, o.Size, o.Updated.UnixMicro()}})
	if err != nil {
		return "{}" // texts and numbers always marshal
	}
	return string(b)
}
