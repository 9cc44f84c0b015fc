package objecttable

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

var columnTypes = []sqlType{
	varchar, bigint, varchar, bigint, varchar, timestamp,
	listOf(structOf(sqlField{"name", varchar}, sqlField{"value", varchar})),
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

// start begins the listing, of what the columns need only.
func (b *boundScan) start(columns []int) *scan {
	q := b.r.host.Query(b.conn)
	ctx, cancel := context.WithCancel(q.Context)
	s := &scan{boundScan: b, q: q, cancel: cancel, columns: columns, pages: make(chan []Object, 2)}
	if objects, ok := b.r.cache.get(&b.spec); ok {
		s.rest = objects
		close(s.pages)
		return s
	}
	fields := b.fields(columns)
	keep := b.spec.Name != "" && b.spec.MaxStaleness > 0 && b.spec.CacheMode == "AUTOMATIC"
	if keep {
		fields = nil
	}
	s.wg.Go(func() {
		defer close(s.pages)
		defer rescue(&s.err)
		var all []Object
		began := b.r.cache.begin()
		s.err = b.spec.list(ctx, b.r.host, fields, func(p []Object) error {
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
	return s
}

func (s *scan) close() {
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
			fields = append(fields, Columns[c])
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

// take cuts the objects of a chunk: a vector full, or what may be held at once should their bytes be read, which a scan
// cannot know. It waits for the first only.
func (s *scan) take(wait bool) []Object {
	capacity, left := int(mapping.VectorSize()), s.r.chunkBytes()
	var out []Object
	for s.more(wait && len(out) == 0) && len(out) < capacity {
		n := min(len(s.rest), capacity-len(out))
		for i, o := range s.rest[:n] {
			if left -= o.Size; left < 0 && i+len(out) > 0 {
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

func (s *scan) fill(out mapping.DataChunk) (err error) {
	defer rescue(&err)
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
			return s.q.failed(s.err)
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
			if err := setChecked(v, i, objects[i].URI); err != nil {
				return fmt.Errorf("object table: the name %q: %w", objects[i].URI, err)
			}
		}
	case colGeneration:
		for i := range objects {
			*at[int64](data, i) = objects[i].Generation
		}
	case colContentType:
		for i := range objects {
			setOrNull(v, i, objects[i].ContentType)
		}
	case colSize:
		for i := range objects {
			*at[int64](data, i) = objects[i].Size
		}
	case colMD5:
		for i := range objects {
			setOrNull(v, i, objects[i].MD5)
		}
	case colUpdated:
		for i := range objects {
			*at[int64](data, i) = objects[i].Updated.UnixMicro()
		}
	case colMetadata:
		return writeMetadata(v, objects)
	case colRef:
		return s.writeRef(v, objects)
	}
	return nil
}

func writeMetadata(v mapping.Vector, objects []Object) error {
	for i := range objects {
		m := objects[i].Metadata
		names := make([]string, 0, len(m))
		for n := range m {
			names = append(names, n)
		}
		slices.Sort(names)
		first := grow(v, i, len(names))
		child := mapping.ListVectorGetChild(v)
		for j, n := range names {
			for k, text := range [2]string{n, m[n]} {
				if err := setChecked(mapping.StructVectorGetChild(child, mapping.IdxT(k)), first+j, text); err != nil {
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
		if err := setChecked(c[0], i, o.URI); err != nil {
			return fmt.Errorf("object table: the name %q: %w", o.URI, err)
		}
		setText(c[1], i, strconv.FormatInt(o.Generation, 10))
		setOrNull(c[2], i, s.spec.Authorizer)
		setText(c[3], i, refDetails(o))
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
