package udf

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// counted is a call that counts what becomes of it.
type counted struct {
	f                    func(chunk mapping.DataChunk, out mapping.Vector) error
	rows, chunks, closed atomic.Int64
	after                func() // in Close
}

func (c *counted) Execute(chunk mapping.DataChunk, out mapping.Vector) error {
	if c.closed.Load() != 0 {
		return errors.New("executed after Close")
	}
	c.chunks.Add(1)
	c.rows.Add(int64(mapping.DataChunkGetSize(chunk)))
	return c.f(chunk, out)
}

func (c *counted) Close() {
	c.closed.Add(1)
	if c.after != nil {
		c.after()
	}
}

// calls are those that a function was bound to.
type calls struct {
	mu  sync.Mutex
	all []*counted
}

func (c *calls) add(x *counted) *counted {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, x)
	return x
}

// count gives how many were bound, and how many of these are closed; none may be closed twice.
func (c *calls) count(tb testing.TB) (bound, closed int) {
	tb.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.all {
		n := int(x.closed.Load())
		if n > 1 {
			tb.Errorf("a call was closed %d times", n)
		}
		closed += n
	}
	return len(c.all), closed
}

// rowwise makes a function of VARCHARs out of one of a row, with nil for NULL.
func rowwise(f func(args []*string) (*string, error)) func(mapping.DataChunk, mapping.Vector) error {
	return func(chunk mapping.DataChunk, out mapping.Vector) error {
		cols := make([]Column, mapping.DataChunkGetColumnCount(chunk))
		for i := range cols {
			cols[i] = Read(mapping.DataChunkGetVector(chunk, mapping.IdxT(i)))
		}
		for row := range int(mapping.DataChunkGetSize(chunk)) {
			args := make([]*string, len(cols))
			for i, c := range cols {
				if !c.Null(row) {
					text := strings.Clone(c.Text(row))
					args[i] = &text
				}
			}
			text, err := f(args)
			if err != nil {
				return err
			}
			if text == nil {
				SetNull(out, row)
			} else if err := SetText(out, row, *text); err != nil {
				return err
			}
		}
		return nil
	}
}

// saying makes a function that returns one text, whatever its arguments.
func saying(text string) func(mapping.DataChunk, mapping.Vector) error {
	return func(chunk mapping.DataChunk, out mapping.Vector) error {
		for row := range int(mapping.DataChunkGetSize(chunk)) {
			if err := SetText(out, row, text); err != nil {
				return err
			}
		}
		return nil
	}
}

// joinText is join(VARCHAR, VARCHAR…), which can be told to misbehave.
func joinText(name string, volatile bool, seen *calls) *Scalar {
	varchar := Of(mapping.TypeVarchar)
	return &Scalar{
		Name: name, Params: []Type{varchar}, Varargs: varchar, Result: varchar, Volatile: volatile,
		Bind: func(b *Binding) (Call, error) {
			return seen.add(&counted{f: rowwise(func(args []*string) (*string, error) {
				var parts []string
				for _, a := range args {
					switch {
					case a == nil:
						parts = append(parts, "-")
						continue
					case *a == "fail":
						return nil, errors.New("told to fail")
					case *a == "panic":
						panic("boom")
					case *a == "nil":
						return nil, nil
					case *a == "bytes":
						*a = "ab\xff"
					}
					parts = append(parts, *a)
				}
				text := strings.Join(parts, "+")
				return &text, nil
			})}), nil
		},
	}
}

func TestScalar(t *testing.T) {
	var folded, volatile calls
	b := newBed(t, joinText("joined", false, &folded), joinText("each", true, &volatile))
	b.want("a+a text longer than twelve+-", `SELECT joined('a', 'a text longer than twelve', NULL)`)
	b.want("-", `SELECT joined(NULL)`)
	b.want("NULL", `SELECT joined('nil')`)
	b.want("5000|0", `SELECT count(DISTINCT j), count(*) FILTER (j <> 'x+' || i) FROM (SELECT i, joined('x', i::VARCHAR) AS j FROM range(5000) t(i))`)
	b.want("3", `SELECT * FROM query(joined('SELECT 1', '2'))`)
	for _, c := range []*calls{&folded, &volatile} {
		c.all = nil
	}
	b.want("1000", `SELECT count(joined('a', 'constant')) FROM range(1000)`)
	b.want("1000", `SELECT count(each('a', 'constant')) FROM range(1000)`)
	rows := func(c *calls) (n int64) {
		for _, x := range c.all {
			n += x.rows.Load()
		}
		return n
	}
	if f, v := rows(&folded), rows(&volatile); f != 1 || v != 1000 {
		t.Errorf("constant calls ran %d and %d rows, want 1 (folded) and 1000 (volatile)", f, v)
	}
	b.wantError("Binder Error", `SELECT joined()`)
}

// TestErrors has every callback fail in every way, and the function work afterwards.
func TestErrors(t *testing.T) {
	var seen calls
	text := Of(mapping.TypeVarchar)
	bad := func(name string, bind func(*Binding) (Call, error)) *Scalar {
		return &Scalar{Name: name, Result: text, Volatile: true, Bind: bind}
	}
	one := saying("one")
	b := newBed(t, joinText("joined", true, &seen),
		bad("bind_fails", func(*Binding) (Call, error) { return nil, errors.New("it cannot be bound; try another") }),
		bad("bind_panics", func(*Binding) (Call, error) { panic(fmt.Errorf("boom")) }),
		bad("bind_forgets", func(*Binding) (Call, error) { return nil, nil }),
		bad("bind_asks", func(b *Binding) (Call, error) { _, err := b.Int64(7); return nil, err }),
		bad("close_panics", func(*Binding) (Call, error) {
			return seen.add(&counted{f: one, after: func() { panic("boom") }}), nil
		}),
	)
	b.wantError("told to fail", `SELECT joined('fail')`)
	b.wantError(ErrPanic.Error()+": boom", `SELECT joined('panic')`)
	b.wantError("scalar_test.go", `SELECT joined('panic')`) // the stack
	b.wantError(`the text is not valid UTF-8: it begins with "ab\xff"`, `SELECT joined('bytes')`)
	b.wantError("Binder Error: it cannot be bound; try another", `SELECT bind_fails()`)
	b.wantError("Binder Error: "+ErrPanic.Error()+": boom", `SELECT bind_panics()`)
	b.wantError("Binder Error: ", `SELECT bind_forgets()`)
	b.wantError("Binder Error: argument 8 is missing", `SELECT bind_asks()`)
	b.want("one", `SELECT close_panics()`)
	b.want("after errors", `SELECT joined('after errors')`)
	b.wantError("told to fail", `SELECT max(joined(CASE WHEN i = 300000 THEN 'fail' ELSE 'x' END)) FROM range(1000000) t(i)`)
	if bound, closed := seen.count(t); bound == 0 || bound != closed {
		t.Errorf("%d calls were bound and %d closed", bound, closed)
	}
}

func TestRescue(t *testing.T) {
	f := func() (err error) {
		defer Rescue(&err)
		panic("boom")
	}
	if err := f(); !errors.Is(err, ErrPanic) || !strings.Contains(err.Error(), "TestRescue") {
		t.Errorf("got %v, want ErrPanic and the stack", err)
	}
	g := func() (err error) {
		defer Rescue(&err)
		return errFake
	}
	if err := g(); err != errFake {
		t.Errorf("got %v, want the error as it is", err)
	}
}

var errFake = errors.New("fake")

// TestCopies holds that each bound call is closed once, after its statement and all copies of it.
func TestCopies(t *testing.T) {
	var seen calls
	b := newBed(t, joinText("joined", false, &seen))
	for _, q := range []string{
		`SELECT joined(i::VARCHAR) FROM range(5000) t(i)`,
		// A filter above a union is copied into both sides.
		`SELECT count(*) FROM (SELECT i FROM range(9) a(i) UNION ALL SELECT i FROM range(5) b(i)) WHERE joined(i::VARCHAR) = '3'`,
		`WITH c AS NOT MATERIALIZED (SELECT joined(i::VARCHAR) AS j FROM range(9) t(i)) SELECT * FROM c JOIN c AS d USING (j)`,
		`EXPLAIN SELECT joined(i::VARCHAR) FROM range(9) t(i)`,
		`SELECT i FROM range(9) t(i) ORDER BY joined(i::VARCHAR) LIMIT 2`,
	} {
		before, _ := seen.count(t)
		rows, err := b.Query(q)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		for rows.Next() {
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		if bound, closed := seen.count(t); bound == before || closed != bound {
			t.Errorf("%s: %d calls were bound before, %d after, and %d of them are closed", q, before, bound, closed)
		}
	}
	stmt, err := b.Prepare(`SELECT joined(i::VARCHAR) FROM range(3) t(i)`)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var n int
		rows, err := stmt.Query()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			n++
		}
		if err := rows.Close(); err != nil || n != 3 {
			t.Fatal(n, err)
		}
	}
	if bound, closed := seen.count(t); bound == closed {
		t.Errorf("all %d calls are closed while the statement is prepared", bound)
	}
	if err := stmt.Close(); err != nil {
		t.Fatal(err)
	}
	if bound, closed := seen.count(t); bound != closed {
		t.Errorf("%d calls were bound and %d closed after the statement", bound, closed)
	}
}

// TestReplaced holds that a function of the same name and types is replaced, and let go when its last statement ends.
func TestReplaced(t *testing.T) {
	var first, second calls
	b := newBed(t, joinText("joined", true, &first))
	b.SetMaxOpenConns(1)
	stmt, err := b.Prepare(`SELECT joined('x')`)
	if err != nil {
		t.Fatal(err)
	}
	before := handles.Load()
	b.register(joinText("joined", true, &second))
	if got := handles.Load() - before; got != 1 {
		t.Errorf("%d handles came with the new function, want 1: the statement holds the old one", got)
	}
	if err := stmt.Close(); err != nil {
		t.Fatal(err)
	}
	if got := handles.Load() - before; got >= 1 {
		t.Errorf("%d handles more after the statement: the old function was not let go", got)
	}
	b.want("y", `SELECT joined('y')`)
	if bound, _ := second.count(t); bound != 1 {
		t.Errorf("the new function was bound %d times, want 1", bound)
	}
}

func TestRefused(t *testing.T) {
	var seen calls
	b := newBed(t)
	b.SetMaxOpenConns(1)
	before := handles.Load()
	try := func(f function) (err error) {
		b.register(registering(func(c mapping.Connection) error { err = f.Register(c); return nil }))
		return err
	}
	enum := joinText("joined", true, &seen)
	enum.Result = Of(mapping.TypeEnum)
	if err := try(enum); err == nil || !strings.Contains(err.Error(), "function joined: DuckDB refused") {
		t.Errorf("an ENUM without values: got %v, want a refusal", err)
	}
	if err := try(&Table{Name: "t", Params: []Type{Of(mapping.TypeEnum)}}); err == nil || !strings.Contains(err.Error(), "function t: DuckDB refused") {
		t.Errorf("a table with an ENUM: got %v, want a refusal", err)
	}
	if got := handles.Load(); got != before {
		t.Errorf("%d handles are left of refused functions", got-before)
	}
	// Registration follows the transaction.
	b.exec("BEGIN")
	if err := try(joinText("joined", true, &seen)); err != nil {
		t.Fatal(err)
	}
	b.want("x", `SELECT joined('x')`)
	b.exec("ROLLBACK")
	b.wantError("joined does not exist", `SELECT joined('x')`)
}

type registering func(mapping.Connection) error

func (r registering) Register(c mapping.Connection) error { return r(c) }

func TestBinding(t *testing.T) {
	var conn atomic.Uint64
	version := &Scalar{
		Name: "version_of", Params: []Type{Of(mapping.TypeBigInt)}, Result: Of(mapping.TypeVarchar), Varargs: Of(mapping.TypeAny), Volatile: true,
		Bind: func(b *Binding) (Call, error) {
			conn.Store(b.Conn)
			v, err := b.Int64(0)
			if err != nil {
				return nil, err
			}
			return &counted{f: saying(fmt.Sprint(v, " ", b.Conn))}, nil
		},
	}
	types := &Scalar{
		Name: "types_of", Result: Of(mapping.TypeVarchar), Varargs: Of(mapping.TypeAny), Volatile: true,
		Bind: func(b *Binding) (Call, error) {
			parts := make([]string, b.Count())
			for i := range parts {
				parts[i] = b.Argument(i).String()
			}
			return &counted{f: saying(strings.Join(parts, "; "))}, nil
		},
	}
	b := newBed(t, types)
	for _, tt := range []struct{ give, want string }{
		{`1, 1.5, 'a', NULL, true`, "INTEGER; DECIMAL; VARCHAR; NULL; BOOLEAN"},
		{`1::TINYINT, 1::USMALLINT, 1::UHUGEINT, 1::HUGEINT, 1::DOUBLE, 1::FLOAT`, "TINYINT; USMALLINT; UHUGEINT; HUGEINT; DOUBLE; FLOAT"},
		{`[1, 2], [[1.0::FLOAT]], [1, 2]::INTEGER[2], [[1]]::BIGINT[1][]`, "INTEGER[]; FLOAT[][]; INTEGER[2]; BIGINT[1][]"},
		{`{'a': 1, 'b': {'c': ['x']}}, row(1, 'x')`, "STRUCT(a INTEGER, b STRUCT(c VARCHAR[])); STRUCT(INTEGER, VARCHAR)"},
		{`'a'::BLOB, uuid(), 'x'::ENUM('x', 'y'), MAP {'a': 1}, '1'::BIT`, "BLOB; UUID; ENUM; MAP; BIT"},
		{`DATE '2020-01-01', now(), TIMESTAMP '2020-01-01', INTERVAL 1 DAY, '{}'::JSON`, "DATE; TIMESTAMP WITH TIME ZONE; TIMESTAMP; INTERVAL; JSON"},
		{`union_value(a := 1), TIME '10:00', TIMESTAMP_NS '2020-01-01'`, "UNION; TIME; TIMESTAMP_NS"},
		{``, ""},
	} {
		b.want(tt.want, `SELECT types_of(`+tt.give+`)`)
	}
	b.register(version)
	c, err := b.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var first, second string
	if err := c.QueryRowContext(context.Background(), `SELECT version_of(40 + 2)`).Scan(&first); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprint("42 ", conn.Load()); first != want {
		t.Errorf("got %q, want %q", first, want)
	}
	if err := b.QueryRow(`SELECT version_of(42)`).Scan(&second); err != nil { // another connection
		t.Fatal(err)
	}
	if first == second {
		t.Errorf("two connections have one id: %q", first)
	}
	b.wantError("argument 1 must be a constant", `SELECT version_of(i) FROM range(3) t(i)`)
	b.wantError("argument 1 is NULL", `SELECT version_of(NULL)`)
	b.wantError("argument 1: ", `SELECT version_of(('x' || 'y')::BIGINT)`)
}

// TestThreads runs one call on several threads.
func TestThreads(t *testing.T) {
	var seen calls
	b := newBed(t, joinText("joined", true, &seen))
	b.exec(`SET threads = 4`)
	b.exec(`CREATE TABLE w AS SELECT i FROM range(500000) t(i)`)
	b.want("500000|500000", `SELECT count(*), count(DISTINCT j) FROM (SELECT joined(i::VARCHAR, 'a text longer than twelve') AS j FROM w)`)
	var rows, chunks int64
	for _, c := range seen.all {
		rows, chunks = rows+c.rows.Load(), chunks+c.chunks.Load()
	}
	if rows != 500000 || chunks < 500000/2048 {
		t.Errorf("%d rows came in %d chunks, want 500000 in chunks of up to 2,048", rows, chunks)
	}
}
