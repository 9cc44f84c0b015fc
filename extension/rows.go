package extension

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/result"
)

// rows reads a result chunk by chunk: one that is computed, or one that DuckDB computes as it is read.
type rows struct {
	res     mapping.Result
	names   []string
	columns []*result.Vector
	close   func() error // follows the result
	owns    bool         // it destroys the result

	chunk     mapping.DataChunk // nil Ptr between chunks
	size, row int
	over      bool // nothing more is to be fetched

	live *execution // of a result that is computed as it is read
}

var _ interface {
	driver.Rows
	driver.RowsColumnTypeScanType
	driver.RowsColumnTypeDatabaseTypeName
} = (*rows)(nil)

// newRows reads a result. A column that cannot be read fails here, before the first row.
func newRows(res mapping.Result, end func() error) (*rows, error) {
	r := &rows{res: res, close: end}
	for i := range mapping.ColumnCount(&res) {
		r.names = append(r.names, mapping.ColumnName(&res, i))
		t := mapping.ColumnLogicalType(&res, i)
		v, err := result.NewVector(t)
		mapping.DestroyLogicalType(&t)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", r.names[i], err)
		}
		r.columns = append(r.columns, v)
	}
	return r, nil
}

// Columns implements [driver.Rows].
func (r *rows) Columns() []string { return r.names }

// ColumnTypeScanType implements [driver.RowsColumnTypeScanType].
func (r *rows) ColumnTypeScanType(i int) reflect.Type { return r.columns[i].ScanType() }

// ColumnTypeDatabaseTypeName implements [driver.RowsColumnTypeDatabaseTypeName].
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return r.columns[i].Name() }

// Next implements [driver.Rows].
func (r *rows) Next(dst []driver.Value) error {
	for r.row == r.size {
		if err := r.fetch(); err != nil {
			return err
		}
	}
	for i, c := range r.columns {
		dst[i] = c.Value(r.row)
	}
	r.row++
	return nil
}

func (r *rows) fetch() error {
	r.drop()
	if r.over {
		return io.EOF
	}
	stop, end := func() {}, func() {}
	if r.live != nil {
		if err := r.live.ctx.Err(); err != nil {
			return r.live.fault(err)
		}
		stop, end = duckapi.Interrupting(r.live.ctx, r.live.s.h), r.live.s.lend(r.live.ctx)
	}
	r.chunk = mapping.FetchChunk(r.res)
	stop()
	end()
	if r.chunk.Ptr == nil {
		if r.live != nil && mapping.ResultError(&r.res) != "" {
			err := duckapi.ResultError(&r.res)
			mapping.DestroyResult(&r.res) // the connection is asked about the error, and may have one result only
			r.owns = false
			if duckapi.Is(err, duckdb.ErrorTypeInterrupt) && r.live.ctx.Err() == nil {
				err = r.live.why(err)
			}
			r.over = true
			return r.live.fault(err)
		}
		r.over = true
		return io.EOF
	}
	r.size, r.row = int(mapping.DataChunkGetSize(r.chunk)), 0
	for i, c := range r.columns {
		c.Attach(mapping.DataChunkGetVector(r.chunk, mapping.IdxT(i)))
	}
	return nil
}

// drop frees the chunk at hand.
func (r *rows) drop() {
	if r.chunk.Ptr != nil {
		mapping.DestroyDataChunk(&r.chunk)
	}
	r.chunk.Ptr, r.size, r.row = nil, 0, 0
}

// Close implements [driver.Rows].
func (r *rows) Close() error {
	r.drop()
	r.over = true
	end := r.close
	r.close = nil
	if end == nil {
		return nil
	}
	if r.live != nil {
		r.live.cancel() // callbacks under way give up, so that the result need not wait for them
	}
	if r.owns {
		mapping.DestroyResult(&r.res)
	}
	err := end()
	if r.live == nil {
		return err
	}
	if r.live.restore != nil {
		err = errors.Join(err, r.live.restore())
	}
	r.live.end()
	return err
}

// chunksOf gives rows as chunks of DuckDB's.
func chunksOf(s *session, from driver.Rows) (*duckapi.Chunks, error) {
	r, ok := from.(*rows)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a result of type %T has no chunks", from), from.Close())
	}
	next := func() (mapping.DataChunk, error) {
		err := r.fetch()
		return r.chunk, err
	}
	return &duckapi.Chunks{Result: r.res, Connection: s.h, Next: next, Close: r.Close}, nil
}
