package arrowquery

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/duckapi"
)

// QueryDuckDB runs one query of DuckDB's own SQL on the DuckDB connection under c, whatever the dialect of c, in the transaction
// that c has open, if any. Its rows are computed as they are read; else it is [Query].
func QueryDuckDB(ctx context.Context, c *sql.Conn, query string) (array.RecordReader, error) {
	return read(c, func(n interface{ Raw() *duckdb.Conn }) (*duckapi.Chunks, error) { return stream(ctx, n.Raw(), query) })
}

// stream starts a query whose chunks are computed as they are asked for.
func stream(ctx context.Context, c *duckdb.Conn, query string) (*duckapi.Chunks, error) {
	h, err := duckapi.Connection(c)
	if err != nil {
		return nil, err
	}
	from, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	st, ok := from.(*duckdb.Stmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a statement of type %T is none of DuckDB's", from), from.Close())
	}
	p, err := duckapi.Prepared(st)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	res, err := duckapi.Execute(ctx, h, p, duckapi.Streamed)
	if errors.Is(err, duckapi.ErrNotStarted) {
		var rows driver.Rows
		if rows, err = st.QueryBound(ctx); err == nil { // it tells why, else
			err = errors.Join(duckapi.ErrNotStarted, rows.Close())
		}
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	var chunk mapping.DataChunk
	drop := func() {
		if chunk.Ptr != nil {
			mapping.DestroyDataChunk(&chunk)
			chunk = mapping.DataChunk{}
		}
	}
	next := func() (mapping.DataChunk, error) {
		drop()
		stop := duckapi.Interrupting(ctx, h)
		chunk = mapping.FetchChunk(res)
		stop()
		switch {
		case chunk.Ptr != nil:
			return chunk, nil
		case mapping.ResultError(&res) != "":
			return chunk, errors.Join(ctx.Err(), duckapi.ResultError(&res))
		}
		return chunk, errors.Join(ctx.Err(), io.EOF)
	}
	end := func() error {
		drop()
		mapping.DestroyResult(&res)
		return st.Close()
	}
	return &duckapi.Chunks{Result: res, Connection: h, Next: next, Close: end}, nil
}
