package objecttable

import (
	"fmt"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// scalar is a function of whole vectors. f runs on several threads at once and sees NULL arguments.
type scalar struct {
	name   string
	says   string // the name that errors begin with, when it is another
	params []udf.Type
	result udf.Type
	f      func(q *Query, conn uint64, in []mapping.Vector, n int, out mapping.Vector) error
	bind   func(q *Query) error // what a statement is asked when it binds the function; nil for nothing
	host   Host
}

func (s *scalar) register(conn mapping.Connection) error {
	f := udf.Scalar{
		Name: s.name, Params: s.params, Result: s.result,
		Volatile: true, // or the optimiser would write a call that is used twice twice, and decode an image twice
		Bind: func(b *udf.Binding) (udf.Call, error) {
			if s.bind != nil {
				if err := s.bind(s.host.Query(b.Conn)); err != nil {
					return nil, err
				}
			}
			return &scalarCall{s, b.Conn}, nil
		},
	}
	return f.Register(conn)
}

// scalarCall is a scalar bound in a statement.
type scalarCall struct {
	*scalar
	conn uint64
}

// Close has nothing to give back.
func (c *scalarCall) Close() {}

// Execute computes a chunk.
func (c *scalarCall) Execute(chunk mapping.DataChunk, out mapping.Vector) error {
	q := c.host.Query(c.conn)
	if err := q.Context.Err(); err != nil {
		return q.failed(err)
	}
	in := make([]mapping.Vector, mapping.DataChunkGetColumnCount(chunk))
	for i := range in {
		in[i] = mapping.DataChunkGetVector(chunk, mapping.IdxT(i))
	}
	if err := c.f(q, c.conn, in, int(mapping.DataChunkGetSize(chunk)), out); err != nil {
		name := c.name
		if c.says != "" {
			name = c.says
		}
		return q.failed(fmt.Errorf("%s: %w", name, err))
	}
	return nil
}
