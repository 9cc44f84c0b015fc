package bigquery

import (
	"context"
	"errors"
	"fmt"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/duckapi"
	values "github.com/mallardml/mallard/internal/result"
	"github.com/mallardml/mallard/internal/server/wire"
)

// pageBytes is about how much JSON a page of rows has at most, as BigQuery's has 10 MB.
const pageBytes = 10 << 20

// page is rows of a table as JSON.
type page struct {
	text []byte // the array
	rows int64
}

// page reads rows of a table of DuckDB's from one on, as many as are wanted (-1: all) and fit. where is what stands behind FROM.
func (s *Service) page(ctx context.Context, query string, columns []googlesql.Field, most int64,
	timestamps wire.TimestampFormat) (p page, err error) {
	p.text = append(p.text, '[')
	c, err := s.DB.Conn(ctx)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	e := wire.Encoder{Columns: columns, Timestamps: timestamps}
	var wrong error
	err = raw(c, func(n chunked) error {
		return eachRow(ctx, n.Raw(), query, func(row []any) bool {
			if most >= 0 && p.rows == most || p.rows > 0 && len(p.text) > pageBytes {
				return false
			}
			if p.rows > 0 {
				p.text = append(p.text, ',')
			}
			text, fail := e.AppendRow(p.text, row)
			if fail != nil {
				wrong = fail
				return false
			}
			p.text = text
			p.rows++
			return true
		})
	})
	p.text = append(p.text, ']')
	return p, errors.Join(err, wrong)
}

// eachRow runs a query of DuckDB's, and gives its rows as they are computed until f has enough.
func eachRow(ctx context.Context, c *duckdb.Conn, query string, f func([]any) bool) (err error) {
	p, done, err := prepared(ctx, c, query)
	if err != nil {
		return err
	}
	defer done()
	h, err := duckapi.Connection(c)
	if err != nil {
		return err
	}
	res, err := duckapi.Execute(ctx, h, p, duckapi.Streamed)
	if err != nil {
		return err
	}
	defer func() { mapping.DestroyResult(&res) }()
	columns := make([]*values.Vector, mapping.ColumnCount(&res))
	for i := range columns {
		t := mapping.ColumnLogicalType(&res, mapping.IdxT(i))
		columns[i], err = values.NewVector(t)
		mapping.DestroyLogicalType(&t)
		if err != nil {
			return err
		}
	}
	row := make([]any, len(columns))
	for {
		stop := duckapi.Interrupting(ctx, h)
		chunk := mapping.FetchChunk(res)
		stop()
		if chunk.Ptr == nil {
			if mapping.ResultError(&res) != "" {
				return errors.Join(ctx.Err(), duckapi.ResultError(&res))
			}
			return nil
		}
		for i, v := range columns {
			v.Attach(mapping.DataChunkGetVector(chunk, mapping.IdxT(i)))
		}
		more := true
		for at := 0; more && at < int(mapping.DataChunkGetSize(chunk)); at++ {
			for i, v := range columns {
				row[i] = v.Value(at)
			}
			more = f(row)
		}
		mapping.DestroyDataChunk(&chunk)
		if !more {
			return nil
		}
	}
}

// prepared prepares a statement of DuckDB's. done follows.
func prepared(ctx context.Context, c *duckdb.Conn, query string) (p mapping.PreparedStatement, done func(), err error) {
	st, err := c.PrepareContext(ctx, query)
	if err != nil {
		return p, nil, err
	}
	done = func() { _ = st.Close() }
	of, ok := st.(*duckdb.Stmt)
	if !ok {
		done()
		return p, nil, fmt.Errorf("a statement of type %T is none of DuckDB's", st)
	}
	if p, err = duckapi.Prepared(of); err != nil {
		done()
	}
	return p, done, err
}
