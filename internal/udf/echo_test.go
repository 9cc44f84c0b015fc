package udf

import (
	"testing"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// copyRows writes n slots of src from `from` on to dst from `to` on, through the readers and writers of this package.
func copyRows(t Type, src, dst mapping.Vector, from, to, n int) error {
	c := Read(src)
	for i := range n {
		if c.Null(from + i) {
			if err := setAllNull(t, dst, to+i); err != nil {
				return err
			}
			continue
		}
		switch t.Kind {
		case mapping.TypeVarchar:
			if err := SetText(dst, to+i, c.Text(from+i)); err != nil {
				return err
			}
		case mapping.TypeBlob:
			if err := SetBytes(dst, to+i, c.Bytes(from+i)); err != nil {
				return err
			}
		case mapping.TypeInteger, mapping.TypeFloat:
			*At[uint32](mapping.VectorGetData(dst), to+i) = *At[uint32](c.Data, from+i)
		case mapping.TypeBigInt, mapping.TypeDouble:
			*At[uint64](mapping.VectorGetData(dst), to+i) = *At[uint64](c.Data, from+i)
		case mapping.TypeHugeInt, mapping.TypeDecimal:
			*At[HugeInt](mapping.VectorGetData(dst), to+i) = HugeOf(At[HugeInt](c.Data, from+i).Big(true))
		case mapping.TypeInterval:
			in := At[Interval](c.Data, from+i)
			*At[Interval](mapping.VectorGetData(dst), to+i) = Interval{Months: in.Months, Days: in.Days, Micros: in.Micros}
		case mapping.TypeList:
			l := c.List(from + i)
			first, err := SetList(dst, to+i, int(l.Length))
			if err != nil {
				return err
			}
			if err := copyRows(t.Children[0], mapping.ListVectorGetChild(src), mapping.ListVectorGetChild(dst), int(l.Offset), first, int(l.Length)); err != nil {
				return err
			}
		case mapping.TypeArray:
			if err := copyRows(t.Children[0], mapping.ArrayVectorGetChild(src), mapping.ArrayVectorGetChild(dst), (from+i)*t.Size, (to+i)*t.Size, t.Size); err != nil {
				return err
			}
		case mapping.TypeStruct:
			for k, f := range t.Children {
				k := mapping.IdxT(k)
				if err := copyRows(f, mapping.StructVectorGetChild(src, k), mapping.StructVectorGetChild(dst, k), from+i, to+i, 1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// setAllNull sets a slot to NULL, and the children that its value would have.
func setAllNull(t Type, v mapping.Vector, i int) error {
	SetNull(v, i)
	switch t.Kind {
	case mapping.TypeList:
		*At[List](mapping.VectorGetData(v), i) = List{}
	case mapping.TypeArray:
		SetNulls(mapping.ArrayVectorGetChild(v), []int32{int32(i)}, t.Size)
	case mapping.TypeStruct:
		for k, f := range t.Children {
			if err := setAllNull(f, mapping.StructVectorGetChild(v, mapping.IdxT(k)), i); err != nil {
				return err
			}
		}
	}
	return nil
}

func echo(name string, t Type) *Scalar {
	return &Scalar{Name: name, Params: []Type{t}, Result: t, Volatile: true, Bind: func(*Binding) (Call, error) {
		return &counted{f: func(chunk mapping.DataChunk, out mapping.Vector) error {
			return copyRows(t, mapping.DataChunkGetVector(chunk, 0), out, 0, 0, int(mapping.DataChunkGetSize(chunk)))
		}}, nil
	}}
}

// TestEcho sends 5,000 rows of each type through a function and lets DuckDB compare them with what went in.
func TestEcho(t *testing.T) {
	text, number, whole := Of(mapping.TypeVarchar), Of(mapping.TypeDouble), Of(mapping.TypeInteger)
	deep := ListOf(StructOf(Field{"a", ListOf(ListOf(text))}, Field{"b", ArrayOf(Of(mapping.TypeFloat), 3)}))
	for _, tt := range []struct {
		name string
		t    Type
		expr string // of i
		sql  string
	}{
		// 0 to 29 bytes: empty, inlined (up to 12), behind a pointer (13 and more).
		{"text", text, `repeat('ä', (i % 3)::INT) || left('abcdefghijklmnopqrstuvwxyz', (i % 24)::INT)`, "VARCHAR"},
		{"blob", Of(mapping.TypeBlob), `encode(left('abcdefghijklmnopqrstuvwxyz', (i % 24)::INT)) || '\x00\xFF'::BLOB`, "BLOB"},
		{"json", JSON(), `json_object('a', i)`, "JSON"},
		{"bigint", Of(mapping.TypeBigInt), `(i - 2500) * 1000000000000`, "BIGINT"},
		{"double", number, `CASE i % 4 WHEN 0 THEN 'nan' WHEN 1 THEN '-inf' ELSE (i / 7)::VARCHAR END`, "DOUBLE"},
		{"hugeint", Of(mapping.TypeHugeInt), `(i - 2500)::HUGEINT * 18446744073709551557`, "HUGEINT"},
		{"interval", Of(mapping.TypeInterval), `to_months((i - 9)::INT) + to_days(-i::INT) + to_microseconds(i * 1000003)`, "INTERVAL"},
		{"decimal", Decimal(38, 9), `(i - 2500)::DECIMAL(38,9) / 7`, "DECIMAL(38,9)"},
		{"list", ListOf(number), `list_transform(range(i % 5), lambda x: x / 3)`, "DOUBLE[]"},
		{"list_nulls", ListOf(text), `list_transform(range(i % 9), lambda x: CASE WHEN x % 3 > 0 THEN repeat('x', (x * 4)::INT) END)`, "VARCHAR[]"},
		{"lists", ListOf(ListOf(whole)), `list_transform(range(i % 4), lambda x: range(x + i % 3))`, "INTEGER[][]"},
		{"array", ArrayOf(Of(mapping.TypeFloat), 3), `[i, i / 3, NULL]`, "FLOAT[3]"},
		{"arrays", ArrayOf(ArrayOf(whole, 2), 70), `list_transform(range(70), lambda x: [x, i])`, "INTEGER[2][70]"},
		{"struct", StructOf(Field{"a", whole}, Field{"B c", text}), `{'a': i, 'B c': CASE WHEN i % 3 > 0 THEN 'a text of ' || i END}`, `STRUCT(a INTEGER, "B c" VARCHAR)`},
		{"deep", deep, `list_transform(range(i % 3), lambda x: {'a': [[x::VARCHAR], [], NULL, ['a text longer than twelve', NULL]], 'b': [x, i, 1]})`, `STRUCT(a VARCHAR[][], b FLOAT[3])[]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, echo("echo", tt.t))
			b.exec(`CREATE TABLE w AS SELECT i, (CASE WHEN hash(i) % 10 > 0 THEN (` + tt.expr + `) END)::` + tt.sql + ` AS x FROM range(5000) t(i)`)
			b.want(tt.sql, `SELECT DISTINCT typeof(echo(x)) FROM w`)
			for _, from := range []string{`w`, `(FROM w WHERE i % 3 = 0)`, `(FROM w ORDER BY hash(i, 1))`, `(SELECT w.* FROM w, range(2))`, `(FROM w WHERE x IS NULL)`} {
				b.want("0", `SELECT count(*) FILTER (y IS DISTINCT FROM x) FROM (SELECT echo(x) AS y, x FROM `+from+`)`)
			}
			b.want("true|true", `SELECT count(*) FILTER (y IS NULL) = count(*) FILTER (x IS NULL), bool_or(y IS NULL) FROM (SELECT echo(x) AS y, x FROM w)`)
		})
	}
	b := newBed(t, echo("echo", StructOf(Field{"a", whole}, Field{"s", StructOf(Field{"t", text})})))
	b.want("1000|1000|1000|1000", `SELECT count(*) FILTER (u IS NOT NULL), count(u.a), count(u.s), count(u.s.t) FROM (
		SELECT echo(CASE WHEN i % 2 = 0 THEN {'a': i::INTEGER, 's': {'t': i::VARCHAR}} END) AS u FROM range(2000) t(i))`)
}

// TestNullStruct keeps the fact that the bit of a struct does not hide its children.
func TestNullStruct(t *testing.T) {
	half := &Scalar{Name: "half", Result: StructOf(Field{"a", Of(mapping.TypeBigInt)}), Varargs: Of(mapping.TypeAny), Volatile: true, Bind: func(*Binding) (Call, error) {
		return &counted{f: func(chunk mapping.DataChunk, out mapping.Vector) error {
			for i := range int(mapping.DataChunkGetSize(chunk)) {
				*At[int64](mapping.VectorGetData(mapping.StructVectorGetChild(out, 0)), i) = 7
				SetNull(out, i)
			}
			return nil
		}}, nil
	}}
	b := newBed(t, half)
	b.want("true|7", `SELECT u IS NULL, u.a FROM (SELECT half(1) AS u)`)
}

// TestInvalidText keeps the fact that DuckDB takes any bytes for a text here, which is why SetText looks.
func TestInvalidText(t *testing.T) {
	raw := &Scalar{Name: "raw", Params: []Type{Of(mapping.TypeBlob)}, Result: Of(mapping.TypeVarchar), Volatile: true, Bind: func(*Binding) (Call, error) {
		return &counted{f: func(chunk mapping.DataChunk, out mapping.Vector) error {
			in := Read(mapping.DataChunkGetVector(chunk, 0))
			return SetBytes(out, 0, in.Bytes(0))
		}}, nil
	}}
	b := newBed(t, raw)
	b.want("abc", `SELECT raw('abc'::BLOB)`)
	b.want("ab\xff", `SELECT raw('ab\xFF'::BLOB)`)
}

// TestLimits holds that what DuckDB answers with an exception, which would end the process, is an error before.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		elem Type
		n    int
		ok   bool
	}{
		{Of(mapping.TypeBigInt), 1 << 12, true},
		{Of(mapping.TypeBigInt), 1<<32 + 1, false},
		{Of(mapping.TypeBigInt), 1 << 62, false},
		{ArrayOf(Of(mapping.TypeFloat), 90_000), 1 << 22, false},
		{StructOf(Field{"a", Of(mapping.TypeBigInt)}, Field{"b", ArrayOf(Of(mapping.TypeFloat), 90_000)}), 1 << 22, false},
	} {
		l := ListOf(tt.elem).Logical()
		chunk := mapping.CreateDataChunk([]mapping.LogicalType{l})
		mapping.DestroyLogicalType(&l)
		v := mapping.DataChunkGetVector(chunk, 0)
		if first, err := Extend(v, tt.n); (err == nil) != tt.ok || first != 0 {
			t.Errorf("%d times %s: %v", tt.n, tt.elem, err)
		}
		if first, err := Extend(v, 3); err != nil || tt.ok && first != tt.n || !tt.ok && first != 0 {
			t.Errorf("three more after %d times %s: begin at %d, %v", tt.n, tt.elem, first, err)
		}
		mapping.DestroyDataChunk(&chunk)
	}
}
