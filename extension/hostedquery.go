package extension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/udf"
)

// hostedQuery is a text of statements as a table function: FROM mallard('…'). While a statement of the host's is bound, ours are looked
// at only; each scan runs them, on a connection of its own.
type hostedQuery struct {
	h       *hosted
	src     string
	shape   *shape
	selects bool // the columns are those of the last statement; else they tell what was done
	untold  bool // it may have rows, whose columns are not known
}

var _ interface {
	udf.Relation
	udf.Logical
} = (*hostedQuery)(nil)

// relation binds a text.
func (h *hosted) relation(src string) (udf.Relation, error) {
	r := &hostedQuery{h: h, src: src}
	if err := r.bind(context.WithValue(context.Background(), analyzing{}, true)); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// open gives a connection of its own.
func (h *hosted) open(ctx context.Context) (*conn, error) {
	dc, err := h.c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return dc.(connection).conn, nil
}

func (r *hostedQuery) bind(ctx context.Context) (err error) {
	n, err := r.h.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	all := n.session.split(ctx, r.src)
	if len(all) == 0 {
		return errors.New("mallard needs a statement, and the text has none")
	}
	p := &preview{ctx: estimating(ctx, &[]dispatch.Estimate{}), on: &analyzer{session: n.session}, conn: n}
	defer func() { p.close(r.shape) }()
	if err := p.statements(r.src, all); err != nil {
		return err
	}
	if r.selects = p.last != nil && !p.many; r.selects {
		r.shape = p.last
		r.shape.distinguish()
		return nil
	}
	r.untold = p.many
	list := udf.ListOf(udf.Of(mapping.TypeVarchar))
	r.shape = &shape{[]udf.Field{{Name: "rows_changed"}, {Name: "notices"}},
		[]mapping.LogicalType{udf.Of(mapping.TypeBigInt).Logical(), list.Logical()}}
	return nil
}

// described reads the columns of a statement.
func described(ctx context.Context, n *conn, src string, st dialect.Statement) (*shape, error) {
	s, err := newStatement(ctx, n.session, src, st)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	found := &shape{}
	if s.inner == nil { // SHOW MODELS, which is planned when it runs, and changes nothing
		rows, err := n.QueryContext(ctx, src[st.Pos:st.End], nil)
		if err != nil {
			return nil, err
		}
		c, err := chunksOf(n.session, rows)
		if err != nil {
			return nil, err
		}
		for i := range mapping.ColumnCount(&c.Result) {
			found.columns = append(found.columns, udf.Field{Name: mapping.ColumnName(&c.Result, i)})
			found.types = append(found.types, mapping.ColumnLogicalType(&c.Result, i))
		}
		return found, c.Close()
	}
	p, err := duckapi.Prepared(s.inner)
	if err != nil {
		return nil, err
	}
	if mapping.NParams(p) > 0 {
		return nil, errors.New("the statements have parameters, which mallard('…') cannot give them: write the values")
	}
	for i := range mapping.PreparedStatementColumnCount(p) {
		found.columns = append(found.columns, udf.Field{Name: mapping.PreparedStatementColumnName(p, i)})
		t := mapping.PreparedStatementColumnLogicalType(p, i)
		found.types = append(found.types, t)
		if unknown(udf.TypeOf(t)) {
			found.close()
			if calls := dialect.Called(src[st.Pos:st.End], "query"); len(calls) > 0 {
				at := dialect.Span{Pos: st.Pos + calls[0].Pos, End: st.Pos + calls[0].End}
				return nil, n.session.scriptFault(ctx, src, at, errTextParameter)
			}
			return nil, fmt.Errorf("the type of the column %s is not known", mapping.PreparedStatementColumnName(p, i))
		}
	}
	return found, nil
}

// unknown reports whether DuckDB knows a type only when parameters have values.
func unknown(t udf.Type) bool {
	return t.Kind == mapping.TypeInvalid || slices.ContainsFunc(t.Children, unknown)
}

// Columns implements [udf.Relation].
func (r *hostedQuery) Columns() []udf.Field { return r.shape.columns }

// Logical implements [udf.Logical].
func (r *hostedQuery) Logical(i int) mapping.LogicalType { return r.shape.types[i] }

// Close follows the end of the host's statement.
func (r *hostedQuery) Close() {
	if r.shape != nil {
		r.shape.close()
		r.shape = nil
	}
}

// Scan implements [udf.Relation]. The statements begin with the first rows that are asked for.
func (r *hostedQuery) Scan(columns []int) (udf.Scan, error) {
	s := &hostedScan{r: r, columns: columns, named: r.h.c.in.named.Load()}
	s.ctx, s.cancel = context.WithCancel(WithNotices(context.Background(), func(text string) {
		s.notices = append(s.notices, text)
		r.h.notice(text)
	}))
	return s, nil
}

// hostedScan runs the statements once.
type hostedScan struct {
	r       *hostedQuery
	columns []int
	ctx     context.Context
	cancel  context.CancelFunc
	notices []string
	n       *conn
	chunks  *duckapi.Chunks
	named   int64 // models made before
	over    bool
}

// Fill implements [udf.Scan].
func (s *hostedScan) Fill(chunk mapping.DataChunk) (err error) {
	mapping.DataChunkSetSize(chunk, 0)
	switch {
	case s.over:
		return nil
	case s.n == nil:
		if s.n, err = s.r.h.open(s.ctx); err != nil {
			return err
		}
	}
	if !s.r.selects {
		return s.run(chunk)
	}
	if s.chunks == nil {
		if err := s.begin(); err != nil || s.over {
			return err
		}
	}
	for {
		from, err := s.chunks.Next()
		if errors.Is(err, io.EOF) {
			s.over = true
			return s.followed()
		}
		if err != nil {
			return err
		}
		n := mapping.DataChunkGetSize(from)
		if n == 0 {
			continue
		}
		for to, c := range s.columns {
			if c >= 0 {
				mapping.VectorReferenceVector(mapping.DataChunkGetVector(chunk, mapping.IdxT(to)), mapping.DataChunkGetVector(from, mapping.IdxT(c)))
			}
		}
		mapping.DataChunkSetSize(chunk, n)
		return nil
	}
}

// begin runs the statements up to the rows of the last one, which have to have the columns that the host knows.
func (s *hostedScan) begin() error {
	rows, err := s.n.QueryContext(WithStreaming(s.ctx), s.r.src, nil)
	if err != nil {
		return err
	}
	if _, none := rows.(noRows); none { // no query of a script has run
		s.over = true
		return s.followed()
	}
	if s.chunks, err = chunksOf(s.n.session, rows); err != nil {
		return err
	}
	same := int(mapping.ColumnCount(&s.chunks.Result)) == len(s.r.shape.types)
	for i := 0; same && i < len(s.r.shape.types); i++ {
		t := mapping.ColumnLogicalType(&s.chunks.Result, mapping.IdxT(i))
		same = sameType(t, s.r.shape.types[i])
		mapping.DestroyLogicalType(&t)
	}
	if !same {
		return errors.New("the columns of the statements are others than when this one was bound: " +
			"something they read has changed since; run it again")
	}
	return nil
}

// sameType compares two types as far as vectors of the one may stand in a column of the other.
func sameType(a, b mapping.LogicalType) bool {
	x, y := udf.TypeOf(a), udf.TypeOf(b)
	return typeText(x) == typeText(y)
}

func typeText(t udf.Type) string {
	text := fmt.Sprint(t.Kind, t.Storage, t.Width, t.Scale, t.Size, len(t.Names))
	if t.Kind == mapping.TypeEnum {
		text += strings.Join(t.Names, "\x00")
	}
	for _, c := range t.Children {
		text += "(" + typeText(c) + ")"
	}
	return text
}

// run runs statements without rows, and tells what they did.
func (s *hostedScan) run(chunk mapping.DataChunk) error {
	s.over = true
	res, err := s.n.ExecContext(s.ctx, s.r.src, nil)
	if err != nil {
		return err
	}
	if s.r.untold {
		notify(s.ctx, "Rows of the script are not shown: which columns they have is known only when it runs. Let it write them into a table.")
	}
	n, err := res.RowsAffected()
	if err == nil {
		err = s.followed()
	}
	if err != nil {
		return err
	}
	for to, c := range s.columns {
		v := mapping.DataChunkGetVector(chunk, mapping.IdxT(to))
		switch c {
		case 0:
			*udf.At[int64](mapping.VectorGetData(v), 0) = n
		case 1:
			if err := writeTexts(v, s.notices); err != nil {
				return err
			}
		}
	}
	mapping.DataChunkSetSize(chunk, 1)
	return nil
}

// followed registers what models need that the statements have made.
func (s *hostedScan) followed() error {
	if s.r.h.c.in.named.Load() == s.named {
		return nil
	}
	return s.r.h.foresee(s.ctx, s.n.Conn)
}

// Close implements [udf.Scan].
func (s *hostedScan) Close() {
	s.cancel()
	if s.chunks != nil {
		_ = s.chunks.Close()
	}
	if s.n != nil {
		_ = s.n.Close()
	}
}

// writeTexts writes the first row of a column of lists.
func writeTexts(v mapping.Vector, texts []string) error {
	first, err := udf.SetList(v, 0, len(texts))
	if err != nil {
		return err
	}
	child := mapping.ListVectorGetChild(v)
	for i, t := range texts {
		if err := udf.SetText(child, first+i, t); err != nil {
			return err
		}
	}
	return nil
}
