package functions

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/udf"
)

// RegisterPredict registers the volatile function that runs models with these outputs. Its first argument is the version
// of the model, the others are the model's inputs in their order, of any type: they are checked when a statement is bound.
func RegisterPredict(conn mapping.Connection, name string, outputs []Port, types Types, host Host) error {
	p := &predict{name: name, types: types, result: resultText(outputs, types), host: host}
	f := udf.Scalar{
		Name: name, Params: []udf.Type{udf.Of(mapping.TypeBigInt)}, Varargs: udf.Of(mapping.TypeAny),
		Result: resultType(outputs, types), Volatile: true, Bind: p.bind,
	}
	return f.Register(conn)
}

type predict struct {
	name   string
	types  Types
	result string
	host   Host
}

// predictCall is a prediction bound in one statement.
type predictCall struct {
	*predict
	conn    uint64
	model   *Model
	columns []column
	engine  atomic.Pointer[Engine]
	opening sync.Mutex
	spare   sync.Pool // of *chunk
}

func (p *predict) bind(b *udf.Binding) (udf.Call, error) {
	n := b.Count()
	if n == 0 {
		return nil, fmt.Errorf("%s: the version of the model is missing; write ML.PREDICT or ML_PREDICT, which call this function", p.name)
	}
	version, err := b.Int64(0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	m, err := p.host.Model(version)
	if err != nil {
		return nil, err
	}
	c := &predictCall{predict: p, conn: b.Conn, model: m}
	if err := c.check(b, n-1); err != nil {
		p.host.Release(version)
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	return c, nil
}

// check compares the arguments with the model's inputs.
func (c *predictCall) check(b *udf.Binding, n int) error {
	m := c.model
	if got := resultText(m.Outputs, c.types); got != c.result {
		return fmt.Errorf("its outputs are (%s), function %s returns (%s); run the statement again", got, c.name, c.result)
	}
	if n != len(m.Inputs) {
		return fmt.Errorf("it has %s, %d given; write ML.PREDICT or ML_PREDICT, which match columns by name", amount.Of(len(m.Inputs), "input"),
			n)
	}
	for i := range m.Inputs {
		col, err := newColumn(&m.Inputs[i], argumentOf(b.Argument(i+1)), c.types)
		if err != nil {
			return err
		}
		c.columns = append(c.columns, col)
	}
	return nil
}

// Close gives the model back.
func (c *predictCall) Close() { c.host.Release(c.model.Version) }

// open gives the engine; a failure is tried again by the next statement's chunk.
func (c *predictCall) open(ctx context.Context) (Engine, error) {
	if e := c.engine.Load(); e != nil {
		return *e, nil
	}
	c.opening.Lock()
	defer c.opening.Unlock()
	if e := c.engine.Load(); e != nil {
		return *e, nil
	}
	e, err := c.model.Open(ctx)
	if err != nil {
		return nil, err
	}
	c.engine.Store(&e)
	return e, nil
}

// Execute infers a chunk.
func (c *predictCall) Execute(in mapping.DataChunk, out mapping.Vector) (err error) {
	defer udf.Rescue(&err)
	q := c.host.Query(c.conn)
	if err = c.serve(q, in, out); err != nil {
		q.fail(err)
	}
	return err
}

// chunk is the state of one callback; it is used again by the next.
type chunk struct {
	*predictCall
	q      *Query
	ctx    context.Context
	engine Engine
	feeds  []feed
	sinks  []*sink
	size   int
	rows   []int32 // that are inferred
	absent []int32 // that are NULL
	write  sync.Mutex

	repeats []repeat
	groups  []int    // ends of groups of rows of one shape
	cuts    []int    // ends of batches
	weights []int32  // length of each row's texts
	keys    []uint64 // what rows are sorted by; empty while they are not
	sampled []int32
	length  float64 // mean of the texts
	table   []int32
}

func (c *predictCall) take() *chunk {
	if k, ok := c.spare.Get().(*chunk); ok {
		return k
	}
	k := &chunk{predictCall: c, feeds: make([]feed, len(c.columns)), sinks: make([]*sink, len(c.model.Outputs))}
	for i := range c.columns {
		k.feeds[i].column = &c.columns[i]
	}
	for i := range c.model.Outputs {
		k.sinks[i] = newSink(c.model, &c.model.Outputs[i], c.types)
	}
	return k
}

// give keeps the state for another chunk, without what belongs to this one.
func (c *predictCall) give(k *chunk) {
	k.q, k.ctx, k.engine = nil, nil, nil
	for i := range k.feeds {
		k.feeds[i].unload()
	}
	for _, s := range k.sinks {
		s.vec, s.leaf = mapping.Vector{}, nil
	}
	c.spare.Put(k)
}

func (c *predictCall) serve(q *Query, in mapping.DataChunk, out mapping.Vector) (err error) {
	defer udf.Rescue(&err)
	if err := q.Context.Err(); err != nil {
		return err
	}
	k := c.take()
	defer c.give(k)
	k.q, k.ctx, k.size = q, q.Context, int(mapping.DataChunkGetSize(in))
	if k.size == 0 {
		return nil
	}
	for i := range k.feeds {
		k.feeds[i].load(mapping.DataChunkGetVector(in, mapping.IdxT(i+1)))
	}
	if err := k.partition(); err != nil {
		return fmt.Errorf("model %s: %w", c.model.Name, err)
	}
	for i, s := range k.sinks {
		s.open(mapping.StructVectorGetChild(out, mapping.IdxT(i)))
	}
	if len(k.absent) > 0 {
		udf.SetNulls(out, k.absent, 1)
		for _, s := range k.sinks {
			s.null(k.absent)
		}
		q.done(len(k.absent))
	}
	if len(k.rows) == 0 {
		return nil
	}
	if k.engine, err = c.open(k.ctx); err != nil {
		return err
	}
	return k.infer()
}

// partition sorts the rows into those to infer and those that are NULL.
func (k *chunk) partition() error {
	k.rows = slices.Grow(k.rows[:0], k.size)[:k.size]
	for i := range k.rows {
		k.rows[i] = int32(i)
	}
	rows := k.rows
	var err error
	for i := range k.feeds {
		if rows, err = k.feeds[i].usable(rows, len(rows) == k.size); err != nil {
			return err
		}
	}
	k.rows, k.absent = rows, k.absent[:0]
	if len(rows) == k.size {
		return nil
	}
	next := int32(0)
	for _, r := range rows {
		for ; next < r; next++ {
			k.absent = append(k.absent, next)
		}
		next = r + 1
	}
	for ; next < int32(k.size); next++ {
		k.absent = append(k.absent, next)
	}
	return nil
}
