package arrowquery

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/duckapi"
)

// Query runs statements on a connection of a Mallard database, as c.QueryContext does, and gives the rows of the last one as
// record batches of up to 2,048 rows. Arguments belong to the last statement.
//
// A batch owns its buffers: they are DuckDB's, handed over through Arrow's C data interface and not copied again. It stays
// valid after the next one, after the reader, and after the connection; it is freed with Release. Under
// extension.WithStreaming a batch is computed when it is asked for.
//
// The caller must Release the reader before c runs its next statement. An error of a later row comes from the reader's Err.
// The reader is for one goroutine at a time; batches are for any.
func Query(ctx context.Context, c *sql.Conn, query string, args ...any) (array.RecordReader, error) {
	type chunked interface {
		QueryChunks(ctx context.Context, query string, args []driver.NamedValue) (*duckapi.Chunks, error)
		CheckNamedValue(v *driver.NamedValue) error
	}
	return read(c, func(n chunked) (*duckapi.Chunks, error) {
		values, err := namedValues(n, args)
		if err != nil {
			return nil, err
		}
		return n.QueryChunks(ctx, query, values)
	})
}

// read reads the rows of a query that is started on Mallard's connection under c.
func read[C any](c *sql.Conn, start func(C) (*duckapi.Chunks, error)) (array.RecordReader, error) {
	var r *reader
	err := c.Raw(func(dc any) error {
		n, ok := dc.(C)
		if !ok {
			return fmt.Errorf("arrowquery needs a connection of a database that Mallard has opened, not a %T", dc)
		}
		chunks, err := start(n)
		if err != nil {
			return err
		}
		r, err = newReader(chunks)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// namedValues does with arguments what database/sql does.
func namedValues(checker driver.NamedValueChecker, args []any) ([]driver.NamedValue, error) {
	values := make([]driver.NamedValue, len(args))
	for i, a := range args {
		v := &values[i]
		v.Ordinal, v.Value = i+1, a
		if n, ok := a.(sql.NamedArg); ok {
			v.Name, v.Value = n.Name, n.Value
		}
		err := checker.CheckNamedValue(v)
		if errors.Is(err, driver.ErrSkip) {
			v.Value, err = driver.DefaultParameterConverter.ConvertValue(v.Value)
		}
		if err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i+1, err)
		}
	}
	return values, nil
}

// reader implements [array.RecordReader].
type reader struct {
	refs   atomic.Int64
	chunks *duckapi.Chunks
	conv   *converter
	schema *arrow.Schema
	batch  arrow.RecordBatch
	err    error
}

func newReader(chunks *duckapi.Chunks) (*reader, error) {
	conv, err := newConverter(chunks.Connection)
	if err != nil {
		return nil, errors.Join(err, chunks.Close())
	}
	schema, err := conv.schema(&chunks.Result)
	if err != nil {
		conv.close()
		return nil, errors.Join(err, chunks.Close())
	}
	r := &reader{chunks: chunks, conv: conv, schema: schema}
	r.refs.Store(1)
	return r, nil
}

// Retain implements [array.RecordReader].
func (r *reader) Retain() { r.refs.Add(1) }

// Release implements [array.RecordReader].
func (r *reader) Release() {
	if r.refs.Add(-1) != 0 {
		return
	}
	r.drop()
	r.conv.close()
	r.err = errors.Join(r.err, r.chunks.Close())
}

func (r *reader) drop() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}

// Schema implements [array.RecordReader].
func (r *reader) Schema() *arrow.Schema { return r.schema }

// Next implements [array.RecordReader].
func (r *reader) Next() bool {
	r.drop()
	if r.err != nil || r.refs.Load() <= 0 {
		return false
	}
	var chunk mapping.DataChunk
	if chunk, r.err = r.chunks.Next(); r.err == nil {
		r.batch, r.err = r.conv.batch(chunk, r.schema)
	}
	if errors.Is(r.err, io.EOF) {
		r.err = nil
		return false
	}
	return r.err == nil
}

// RecordBatch implements [array.RecordReader].
func (r *reader) RecordBatch() arrow.RecordBatch { return r.batch }

// Record implements [array.RecordReader].
//
// Deprecated: use RecordBatch.
func (r *reader) Record() arrow.RecordBatch { return r.batch }

// Err implements [array.RecordReader].
func (r *reader) Err() error { return r.err }
