package objecttable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/udf"
)

func (r *Runtime) byteFunctions() []*scalar {
	out := []*scalar{{name: "object_md5", params: []udf.Type{varchar, bigint, varchar}, result: varchar, f: r.objectMD5}}
	for n := 1; n <= 3; n++ {
		out = append(out, &scalar{name: "object_bytes", params: []udf.Type{varchar, bigint, varchar}[:n], result: blob, f: r.objectBytes,
			bind: binds})
	}
	return out
}

// binds tells the statement that it reads objects' bytes.
func binds(q *Query) error {
	if q.BindsBytes == nil {
		return nil
	}
	return q.BindsBytes()
}

// objectBytes is object_bytes(uri [, generation [, authorizer]]).
func (r *Runtime) objectBytes(q *Query, conn uint64, in []mapping.Vector, n int, out mapping.Vector) error {
	uris := udf.Read(in[0])
	var generations, authorizers udf.Column
	if len(in) > 1 {
		generations = udf.Read(in[1])
	}
	if len(in) > 2 {
		authorizers = udf.Read(in[2])
	}
	todo := make([]job, 0, n)
	for i := range n {
		if uris.Null(i) {
			udf.SetNull(out, i)
			continue
		}
		j := job{row: i, uri: strings.Clone(uris.Text(i))} // errors and notes keep it
		if len(in) > 1 && !generations.Null(i) {
			j.generation = *udf.At[int64](generations.Data, i)
		}
		if len(in) > 2 && !authorizers.Null(i) {
			j.authorizer = strings.Clone(authorizers.Text(i))
		}
		todo = append(todo, j)
	}
	return r.readAll(q, conn, todo, n, out)
}

// readAll reads the objects of a chunk of n rows side by side and writes them as they come.
func (r *Runtime) readAll(q *Query, conn uint64, todo []job, n int, out mapping.Vector) error {
	var behind *group
	authorizer := ""
	for i := range todo {
		j := &todo[i]
		if j.item = r.ahead.claim(conn, j.uri, j.generation); j.item != nil {
			behind, authorizer = j.item.group, j.authorizer
		}
	}
	var size int64
	var started atomic.Int64
	return spread(q.Context, todo, r.o.Concurrency, func(ctx context.Context, j *job) error {
		if started.Add(1) == int64(len(todo)) && behind != nil {
			r.follow(q.Context, behind, authorizer) // or workers would idle until the slowest object of the chunk is here
		}
		if it := j.item; it != nil && it.done != nil {
			select {
			case <-it.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			if it.err == nil || !errors.Is(it.err, context.Canceled) {
				j.bytes = it.bytes
				return it.err
			}
		}
		var err error
		j.bytes, err = r.read(ctx, j.uri, j.generation, j.authorizer, &j.held)
		return err
	}, func(j *job, err error) error {
		defer func() {
			r.held.Release(j.held)
			r.give(j.bytes)
			j.bytes = nil
		}()
		if err != nil {
			udf.SetNull(out, j.row)
			return q.row(j.uri, err)
		}
		if size += int64(len(j.bytes)); size > r.o.MaxChunk {
			return fmt.Errorf("objects of more than %s in %s, too many to hold at once; read them straight from the object table, not behind "+
				"ORDER BY, GROUP BY, "+
				"the smaller side of a join or a stored list, or some at a time with WHERE", amount.Of(r.o.MaxChunk, "byte"), amount.Of(n, "row"))
		}
		if err := udf.SetBytes(out, j.row, j.bytes); err != nil {
			return err
		}
		if q.Objects != nil {
			q.Objects.Add(1)
		}
		return nil
	})
}

// job is one row to be read.
type job struct {
	row        int
	uri        string
	generation int64
	authorizer string
	item       *item
	bytes      []byte
	held       int64 // of the memory limit
}

// spread runs do for all jobs on some goroutines, and emit for each as it is done on the caller's. It ends with the
// first error of emit; no goroutine outlives it.
func spread[J any](ctx context.Context, jobs []J, workers int, do func(context.Context, *J) error, emit func(*J, error) error) error {
	type done struct {
		i   int
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers = min(workers, len(jobs))
	work, results := make(chan int), make(chan done, workers)
	defer close(work) // also when emit panics; a worker has room for its last result
	one := func(i int) (err error) {
		defer udf.Rescue(&err)
		return do(ctx, &jobs[i])
	}
	for range workers {
		go func() {
			for i := range work {
				results <- done{i, one(i)}
			}
		}()
	}
	var first error
	next, open := 0, 0
	for next < len(jobs) || open > 0 {
		feed := work
		if next == len(jobs) {
			feed = nil
		}
		select {
		case feed <- next:
			next, open = next+1, open+1
		case d := <-results:
			open--
			// emit gives memory back, so it is called also after the first error.
			if err := emit(&jobs[d.i], d.err); err != nil && first == nil {
				first = err
				next = len(jobs)
				cancel()
			}
		}
	}
	if first == nil {
		first = ctx.Err()
	}
	return first
}

// read reads one object whole. With held, its bytes count against the memory limit until the caller releases them.
func (r *Runtime) read(ctx context.Context, uri string, generation int64, authorizer string, held *int64) ([]byte, error) {
	scheme, bucket, name, err := SplitURI(uri)
	if err != nil {
		return nil, err
	}
	store, err := r.host.Store(ctx, scheme, authorizer)
	if err != nil {
		return nil, statementError{err}
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	b, err := r.readOnce(ctx, store, bucket, name, generation, uri, held)
	// Spoiled on the way: the client does not retry that.
	for range 2 {
		if err == nil || Reason(err) != "corrupt" || ctx.Err() != nil {
			break
		}
		b, err = r.readOnce(ctx, store, bucket, name, generation, uri, held)
	}
	return b, err
}

func (r *Runtime) readOnce(ctx context.Context, store Store, bucket, name string, generation int64, uri string,
	held *int64) ([]byte, error) {
	body, size, err := store.Open(ctx, bucket, name, generation, 0)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if size > r.o.MaxObject {
		return nil, &tooLarge{uri, size, r.o.MaxObject}
	}
	if held != nil && *held == 0 {
		want := size
		if size < 0 {
			want = 1 << 20
		}
		want = min(want, r.o.MaxMemory/2)
		if err := r.held.Acquire(ctx, want); err != nil {
			return nil, err
		}
		*held = want
	}
	if size < 0 {
		b, err := io.ReadAll(io.LimitReader(body, r.o.MaxObject+1))
		if err == nil && int64(len(b)) > r.o.MaxObject {
			err = &tooLarge{uri, int64(len(b)), r.o.MaxObject}
		}
		return b, err
	}
	b := r.buffer(int(size))
	if _, err := io.ReadFull(body, b); err != nil {
		r.give(b)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = fmt.Errorf("%s: it is shorter than announced", uri)
		}
		return nil, err
	}
	// Only the end says that the checksum is right.
	var one [1]byte
	switch n, err := io.ReadFull(body, one[:]); {
	case n > 0:
		r.give(b)
		return nil, fmt.Errorf("%s: it is longer than announced", uri)
	case err != io.EOF:
		r.give(b)
		return nil, err
	}
	return b, nil
}

// buffer and give reuse memory: the collector would let twice as much pile up.
func (r *Runtime) buffer(size int) []byte {
	if p, _ := r.bufs.Get().(*[]byte); p != nil && cap(*p) >= size && cap(*p) <= 4*size+1<<16 {
		return (*p)[:size]
	}
	return make([]byte, size)
}

func (r *Runtime) give(b []byte) {
	if cap(b) > 0 {
		r.bufs.Put(&b)
	}
}

type tooLarge struct {
	uri         string
	size, limit int64
}

func (e *tooLarge) Error() string {
	return fmt.Sprintf("%s: too large: %s, the limit is %d; leave it out with WHERE size <= %[3]d, or raise the limit", e.uri,
		amount.Of(e.size, "byte"), e.limit)
}

// Reason is short for the status column.
func (e *tooLarge) Reason() string { return "too large" }
