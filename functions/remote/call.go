package remote

import (
	"context"
	"errors"
	"fmt"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/udf"
)

// register makes a volatile function: DuckDB would fold or repeat calls of any other.
func register(conn mapping.Connection, name string, params []udf.Type, varargs bool, result googlesql.Type,
	bind func(*udf.Binding) (udf.Call, error)) error {
	f := udf.Scalar{Name: name, Params: params, Result: stored(result), Volatile: true, Bind: bind}
	if varargs {
		f.Varargs = udf.Of(mapping.TypeAny)
	}
	return f.Register(conn)
}

// submit is the function that takes note of rows: (version, columns…) to a key.
type submit struct{ host Host }

func registerSubmit(conn mapping.Connection, name string, host Host) error {
	return register(conn, name, []udf.Type{key}, true, scalar(googlesql.Int64), (&submit{host}).bind)
}

// bound is what the functions have in common once they are bound.
type bound struct {
	host    Host
	conn    uint64
	spec    *Spec
	columns []udf.Type
	late    bool // the types are read from the rows
}

func bindSpec(b *udf.Binding, host Host) (*bound, error) {
	const how = "write ML.GENERATE_TEXT or the like, which call this function"
	if b.Count() == 0 {
		return nil, errors.New("the version of the model is missing; " + how)
	}
	version, err := b.Int64(0)
	if err != nil {
		return nil, fmt.Errorf("the version of the model: %w; "+how, err)
	}
	spec, err := host.Spec(version)
	if err != nil {
		return nil, err
	}
	host.Asks(b.Conn)
	return &bound{host: host, conn: b.Conn, spec: spec}, nil
}

// Close gives the spec back.
func (c *bound) Close() { c.host.ReleaseSpec(c.spec.Version) }

func (s *submit) bind(b *udf.Binding) (udf.Call, error) {
	c, err := bindSpec(b, s.host)
	if err != nil {
		return nil, err
	}
	if err := c.check(b); err != nil {
		c.Close()
		return nil, err
	}
	return &submitCall{c}, nil
}

// check compares the arguments with what the call reads.
func (c *bound) check(b *udf.Binding) error {
	if err := c.count(b); err != nil {
		return err
	}
	for i := range c.columns {
		c.columns[i] = b.Argument(i + 1)
		if err := c.fits(i, c.columns[i]); err != nil {
			return err
		}
	}
	return nil
}

// count makes place for the columns, whose types are not known yet.
func (c *bound) count(b *udf.Binding) error {
	s := c.spec
	want := len(s.InputColumns())
	if n := b.Count() - 1; n != want {
		return fmt.Errorf("model %s: %s reads %s, %d given", s.Model, s.Func, amount.Of(want, "column"), n)
	}
	c.columns = make([]udf.Type, want)
	return nil
}

// fits reports whether a column may feed input i.
func (c *bound) fits(i int, col udf.Type) error {
	s := c.spec
	w := s.InputColumns()[i]
	if s.asks() && i == 0 && !isPrompt(col) {
		return WantsPrompt(s.Func, w.Name, col.String())
	}
	wants, tip := "", fmt.Sprintf("; cast it: CAST(%s AS %s)", quote.Name(w.Name), w.DuckDB)
	switch {
	case s.Func == "ML.PREDICT":
		if !reads(s.Inputs[i].Type, col) {
			wants = s.Inputs[i].Type.String()
		}
	case s.Objects && i == 2:
		if col.Kind != mapping.TypeBigInt && !isNull(col) {
			wants = "INT64"
		}
	case s.Objects || i > 0:
		if !isText(col) && !isNull(col) {
			wants = "STRING"
		}
	case !isPrompt(col):
		wants = "STRING or a STRUCT of STRING, ARRAY<STRING> and ObjectRef"
		if col.Kind == mapping.TypeStruct || col.Kind == mapping.TypeList {
			tip = ""
		}
	}
	if wants != "" {
		return fmt.Errorf("model %s: input `%s` wants %s, column is %s%s", s.Model, w.Name, wants, col, tip)
	}
	return nil
}

// asks reports whether the call is a scalar function, over an endpoint and without a model of the user's.
func (s *Spec) asks() bool {
	switch s.Func {
	case "AI.GENERATE", "AI.GENERATE_BOOL", "AI.GENERATE_INT", "AI.GENERATE_DOUBLE", "AI.IF", "AI.SCORE", "AI.CLASSIFY", "AI.EMBED":
		return true
	}
	return false
}

// WantsPrompt is the error of a scalar function whose prompt or content has a type that is none.
func WantsPrompt(function, argument, has string) error {
	return fmt.Errorf("%s: `%s` must be a STRING, or a STRUCT of STRING, ARRAY<STRING> and ObjectRef, and is %s; write CAST(… AS STRING)",
		function, argument, has)
}

// types gives the types of a chunk's columns.
func (c *bound) types(vectors []mapping.Vector) ([]udf.Type, error) {
	if !c.late {
		return c.columns, nil
	}
	types := make([]udf.Type, len(vectors))
	for i := range types {
		types[i] = udf.VectorType(vectors[i])
		if err := c.fits(i, types[i]); err != nil {
			return nil, err
		}
	}
	return types, nil
}

// take submits the rows of a chunk and returns them with their group and the number of the first.
func (c *bound) take(owner any, st *dispatch.Statement, chunk mapping.DataChunk) (g *dispatch.Group, first int,
	rows []dispatch.Row, err error) {
	if g, err = st.Group(owner, c.spec.call); err != nil {
		return nil, 0, nil, err
	}
	n := int(mapping.DataChunkGetSize(chunk))
	rows = make([]dispatch.Row, n)
	vectors := make([]mapping.Vector, len(c.columns))
	for i := range vectors {
		vectors[i] = mapping.DataChunkGetVector(chunk, mapping.IdxT(i+1))
	}
	columns, err := c.types(vectors)
	if err != nil {
		return nil, 0, nil, err
	}
	ctx, row := st.Context(), make([]any, len(columns))
	for r := range n {
		if r&63 == 0 && ctx.Err() != nil {
			return nil, 0, nil, context.Cause(ctx)
		}
		for i, col := range columns {
			row[i] = readValue(col, vectors[i], r)
		}
		payload, status := c.spec.codec.payload(ctx, row)
		rows[r] = c.spec.row(ctx, payload, status)
	}
	return g, g.Submit(rows), rows, nil
}

type submitCall struct{ *bound }

// Execute takes note of a chunk.
func (c *submitCall) Execute(chunk mapping.DataChunk, out mapping.Vector) (err error) {
	st := c.host.Statement(c.conn)
	defer st.Guard(&err)
	defer udf.Rescue(&err) // or other threads would wait for rows that nobody asks any more
	g, first, rows, err := c.take(c, st, chunk)
	if err != nil {
		return err
	}
	data := mapping.VectorGetData(out)
	for r := range rows {
		k := rowKey{several: c.spec.several(rows[r].Payload), group: g.ID, row: first + r}
		*udf.At[uint64](data, r) = k.uint64()
	}
	return nil
}

// await is the function that waits for answers: (version, key) to the results.
type await struct {
	host   Host
	name   string
	result googlesql.Type
}

func registerAwait(conn mapping.Connection, name string, result googlesql.Type, host Host) error {
	return register(conn, name, []udf.Type{key, key}, false, result, (&await{host, name, result}).bind)
}

func (a *await) bind(b *udf.Binding) (udf.Call, error) {
	c, err := bindSpec(b, a.host)
	if err != nil {
		return nil, err
	}
	if got := c.spec.resultType(false).DuckDB(); got != a.result.DuckDB() {
		c.Close()
		return nil, fmt.Errorf("model %s: its results are %s, function %s returns %s; run the statement again", c.spec.Model, got, a.name,
			a.result.DuckDB())
	}
	return &awaitCall{c, a.result}, nil
}

type awaitCall struct {
	*bound
	result googlesql.Type
}

// Execute waits for the answers of a chunk.
func (c *awaitCall) Execute(chunk mapping.DataChunk, out mapping.Vector) (err error) {
	st := c.host.Statement(c.conn)
	defer st.Guard(&err)
	defer udf.Rescue(&err) // or other threads would wait for rows that nobody asks any more
	return c.serve(st, chunk, out)
}

func (c *awaitCall) serve(st *dispatch.Statement, chunk mapping.DataChunk, out mapping.Vector) error {
	keys := readKeys(chunk)
	values := make([]any, len(keys))
	for id, rows := range byGroup(keys) {
		g := st.Find(id)
		if g == nil {
			return dispatch.ErrEnded
		}
		verdicts, err := g.Await(rows.numbers)
		if err != nil {
			return err
		}
		for i, v := range verdicts {
			values[rows.places[i]] = c.spec.value(v)
		}
	}
	return writeVector(c.result, out, 0, values)
}

// value gives the results of a row, or of a segment.
func (s *Spec) value(v *dispatch.Verdict) any {
	var status any
	if v.Status != "" || !s.statusNull {
		status = v.Status
	}
	line := v.Lines[0]
	out := make([]any, 0, len(line)+1)
	out = append(out, line[:s.statusAt]...)
	out = append(out, status)
	return append(out, line[s.statusAt:]...)
}

// ask is the scalar function: (version, columns…) to the results. Its chunks are barriers.
type ask struct {
	host   Host
	name   string
	result googlesql.Type
}

func registerAsk(conn mapping.Connection, name string, result googlesql.Type, host Host) error {
	return register(conn, name, []udf.Type{key}, true, result, (&ask{host, name, result}).bind)
}

func (a *ask) bind(b *udf.Binding) (udf.Call, error) {
	c, err := bindSpec(b, a.host)
	if err != nil {
		return nil, err
	}
	if got := c.spec.resultType(true).DuckDB(); got != a.result.DuckDB() {
		err = fmt.Errorf("model %s: its results are %s, function %s returns %s; run the statement again", c.spec.Model, got, a.name,
			a.result.DuckDB())
	} else {
		// DuckDB's C API gives no argument that holds a scalar subquery ("Cannot copy BoundSubqueryExpression", which then fails
		// the statement), and no type of a parameter before its value is there: the vectors tell.
		err, c.late = c.count(b), true
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return &askCall{c, a.result}, nil
}

type askCall struct {
	*bound
	result googlesql.Type
}

// Execute asks for a chunk.
func (c *askCall) Execute(chunk mapping.DataChunk, out mapping.Vector) (err error) {
	st := c.host.Statement(c.conn)
	defer st.Guard(&err)
	defer udf.Rescue(&err) // or other threads would wait for rows that nobody asks any more
	g, first, taken, err := c.take(c, st, chunk)
	if err != nil {
		return err
	}
	g.Remember()
	rows := make([]int, len(taken))
	for i := range rows {
		rows[i] = first + i
	}
	verdicts, err := g.Await(rows)
	if err != nil {
		return err
	}
	values := make([]any, len(rows))
	for i, v := range verdicts {
		values[i] = c.spec.value(v)
	}
	return writeVector(c.result, out, 0, values)
}
