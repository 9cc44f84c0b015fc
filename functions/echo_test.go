package functions

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// echo returns its inputs as its outputs.
func echo(_ context.Context, in []Tensor) ([]Tensor, error) {
	out := make([]Tensor, len(in))
	for i, t := range in {
		out[i] = Tensor{DType: t.DType, Shape: append([]int64{}, t.Shape...)}
		out[i].Data = append([]byte{}, t.Data...)
		for _, s := range t.Strings {
			out[i].Strings = append(out[i].Strings, strings.Clone(s))
		}
	}
	return out, nil
}

// sources are SQL types with an expression for a random value that is exact in every tensor type it may feed.
var sources = []struct{ name, expr, fits string }{
	{"TINYINT", "(random()*100)::TINYINT", "number"},
	{"SMALLINT", "(random()*100)::SMALLINT", "number"},
	{"INTEGER", "(random()*100)::INTEGER", "number"},
	{"BIGINT", "(random()*100)::BIGINT", "number"},
	{"UTINYINT", "(random()*100)::UTINYINT", "number"},
	{"USMALLINT", "(random()*100)::USMALLINT", "number"},
	{"UINTEGER", "(random()*100)::UINTEGER", "number"},
	{"UBIGINT", "(random()*100)::UBIGINT", "number"},
	{"HUGEINT", "(random()*100)::HUGEINT", "number"},
	{"UHUGEINT", "(random()*100)::UHUGEINT", "number"},
	{"DECIMAL(4,1)", "(floor(random()*100)/2-20)::DECIMAL(4,1)", "float"},
	{"DECIMAL(9,2)", "(floor(random()*100)/4-20)::DECIMAL(9,2)", "float"},
	{"DECIMAL(18,3)", "(floor(random()*100)/8-20)::DECIMAL(18,3)", "float"},
	{"DECIMAL(38,4)", "(floor(random()*100)/8-20)::DECIMAL(38,4)", "float"},
	{"FLOAT", "(floor(random()*100)/8-9)::FLOAT", "float"},
	{"DOUBLE", "(floor(random()*100)/8-9)::DOUBLE", "float"},
	{"BOOLEAN", "(random()<0.5)", "bool"},
	{"VARCHAR", "repeat(chr(97+(random()*25)::INT), (random()*30)::INT)", "string"},
	{"BLOB", "repeat(chr(97+(random()*25)::INT), (random()*30)::INT)::BLOB", "string"},
	{"colour", "(['red','green','a very long colour name'])[1+(random()*2)::INT]::colour", "string"},
	{"UUID", "uuid()", "string"},
	{"JSON", "('[' || (random()*1000)::INT || ', 1, 2, 3]')::JSON", "string"},
}

var feeds = map[string][]DType{
	"number": {Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64, Float16, BFloat16, Float32, Float64},
	"float":  {Float16, BFloat16, Float32, Float64},
	"bool":   {Bool},
	"string": {String},
}

// form is a way to give a row of a shape: array lengths outermost first (-1 a list), or one list for all.
type form struct {
	shape []int64
	nest  []int
}

var forms = []form{
	{nil, nil},
	{[]int64{1}, nil}, {[]int64{1}, []int{-1}}, {[]int64{1}, []int{1}},
	{[]int64{3}, []int{3}}, {[]int64{3}, []int{-1}},
	{[]int64{-1}, []int{-1}}, {[]int64{-1}, []int{4}},
	{[]int64{2, 3}, []int{2, 3}}, {[]int64{2, 3}, []int{-1, -1}}, {[]int64{2, 3}, []int{-1, 3}}, {[]int64{2, 3}, []int{2, -1}},
	{[]int64{2, 3}, []int{-1}}, {[]int64{2, 3}, []int{6}},
	{[]int64{-1, 2}, []int{-1, -1}}, {[]int64{-1, 2}, []int{-1, 2}}, {[]int64{-1, 2}, []int{-1}}, {[]int64{-1, 2}, []int{4}},
	{[]int64{2, -1}, []int{2, -1}}, {[]int64{2, -1}, []int{-1, -1}},
	{[]int64{-1, -1}, []int{-1, -1}}, {[]int64{-1, -1}, []int{2, 3}},
	{[]int64{2, 2, 3}, []int{2, 2, 3}}, {[]int64{2, 2, 3}, []int{-1, -1, -1}}, {[]int64{2, 2, 3}, []int{-1}}, {[]int64{2, 2, 3}, []int{-1, 2, -1}},
	{[]int64{-1, 2, 3}, []int{-1, 2, 3}}, {[]int64{-1, -1, 2}, []int{-1, -1, -1}},
}

// expr writes a random value of a form over a leaf expression. nulls is the share of NULL elements.
func (f form) expr(leaf, name string, nulls float64) (expr, typ string) {
	typ = name
	for i := len(f.nest) - 1; i >= 0; i-- {
		if f.nest[i] < 0 {
			typ += "[]"
		} else {
			typ += fmt.Sprintf("[%d]", f.nest[i])
		}
	}
	if nulls > 0 {
		leaf = fmt.Sprintf("CASE WHEN random() < %g THEN NULL ELSE %s END", nulls, leaf)
	}
	if len(f.nest) == 0 {
		return leaf, typ
	}
	total, known := "", 1
	for _, d := range f.shape {
		if d > 0 {
			known *= int(d)
		}
	}
	if len(f.nest) == 1 {
		total = fmt.Sprint(known)
		for _, d := range f.shape {
			if d < 0 {
				total = fmt.Sprintf("%d * (hash(i) %% 4)::INT", known)
			}
		}
		if f.nest[0] >= 0 {
			total = fmt.Sprint(f.nest[0])
		}
		return fmt.Sprintf("list_transform(range(%s), lambda z: %s)", total, leaf), typ
	}
	expr = leaf
	for i := len(f.shape) - 1; i >= 0; i-- {
		n := fmt.Sprint(f.shape[i])
		switch {
		case f.nest[i] >= 0:
			n = fmt.Sprint(f.nest[i])
		case f.shape[i] < 0:
			n = fmt.Sprintf("(hash(i + %d) %% 3)::INT", i)
		}
		expr = fmt.Sprintf("list_transform(range(%s), lambda z%d: %s)", n, i, expr)
	}
	return expr, typ
}

// want is the value that an echo must give for column x, computed by DuckDB.
func (f form) want(p *Port, types Types) (got, want string) {
	t := p.SQLType(types)
	switch {
	case p.scalar() && len(f.nest) == 1:
		return "y", "x[1]::" + t
	case p.scalar(), len(f.nest) == len(f.shape) && (types == Native || len(f.shape) == 1):
		return "y", "x::" + t
	}
	lists := func(v string, depth int) string {
		v = v + "::" + scalarText(p, types) + strings.Repeat("[]", depth)
		for range depth - 1 {
			v = "flatten(" + v + ")"
		}
		return v
	}
	return lists("y", max(1, len(levels(p, types)))), lists("x", len(f.nest))
}

// checkEcho sends random rows through an echo model and lets DuckDB compare.
func checkEcho(t *testing.T, b *bed, seed uint64, source int, dt DType, f form, types Types, rows int, batch, fixed int) {
	t.Helper()
	src := sources[source]
	r := rand.New(rand.NewPCG(seed, 1))
	nulls := []float64{0, 0, 0.02, 0.5}[r.IntN(4)]
	elemNulls := []float64{0, 0, 0.05}[r.IntN(3)]
	if len(f.nest) == 0 {
		elemNulls = 0
	}
	p := Port{Name: "x", DType: dt, Shape: append([]int64{-1}, f.shape...)}
	o := p
	o.Name = "y"
	i := Port{Name: "i", DType: Int32, Shape: []int64{-1, 1}} // tells whether rows are mixed up
	z := i
	z.Name = "z"
	m := &Model{Inputs: []Port{p, i}, Outputs: []Port{o, z}, BatchSize: batch, FixedBatch: fixed, Stateless: r.IntN(2) == 0}
	b.add(m, types, echo)
	if r.IntN(2) == 0 { // a slow model: repeats, sorting, small batches
		m.tune.firm.Store(true)
		m.tune.setCost(1e5)
		m.tune.batch.Store(int32(r.IntN(60)))
	}
	expr, typ := f.expr(src.expr, src.name, elemNulls)
	b.must("DROP TABLE IF EXISTS r")
	b.must(fmt.Sprintf("CREATE TABLE r AS SELECT i, CASE WHEN random() < %g THEN NULL ELSE v END AS x0 FROM (SELECT i, %s AS v FROM range(%d) t(i))", nulls, expr, rows))
	b.must("DROP TABLE IF EXISTS s")
	b.must(fmt.Sprintf("CREATE TABLE s AS SELECT i, x0::%s AS x FROM r", typ))
	got, want := f.want(&o, types)
	input := []string{"SELECT * FROM s", "SELECT * FROM s WHERE hash(i) % 3 = 0", "SELECT * FROM s ORDER BY hash(i)",
		"SELECT s.* FROM s, range(2) u(k) WHERE i % 2 = 0", "SELECT i % 2 AS i, x FROM (SELECT i, first(x) OVER (PARTITION BY i % 2 ORDER BY i) AS x FROM s)"}[r.IntN(5)]
	sql := fmt.Sprintf(`SELECT count(*), count(*) FILTER (bad) FROM (SELECT CASE WHEN x IS NULL OR x::VARCHAR LIKE '%%NULL%%'
		THEN y IS NOT NULL OR z IS NOT NULL ELSE z IS DISTINCT FROM i OR %s IS DISTINCT FROM %s END AS bad FROM %s)`, got, want, predictSQL(m, types, input))
	res := b.must(sql)
	if res[0][1] != "0" {
		t.Errorf("seed %d: %s (%s) to %s %v, types %d, batch %d, fixed %d: %s of %s rows differ\n%s", seed, typ, expr, dt, p.Shape, types, batch, fixed, res[0][1], res[0][0], sql)
		t.Log(b.must(fmt.Sprintf("SELECT x, y FROM %s LIMIT 5", predictSQL(m, types, input))))
	}
}

func (b *bed) colours() {
	b.must("CREATE TYPE colour AS ENUM ('red', 'green', 'blue', 'a very long colour name')")
}

func TestEchoTypes(t *testing.T) {
	b := newBed(t)
	b.colours()
	seed := uint64(0)
	for i, s := range sources {
		for _, dt := range feeds[s.fits] {
			for _, types := range []Types{Native, BigQuery} {
				seed++
				checkEcho(t, b, seed, i, dt, forms[int(seed)%len(forms)], types, 300, 0, 0)
			}
		}
	}
}

func TestEchoShapes(t *testing.T) {
	b := newBed(t)
	b.colours()
	seed := uint64(1000)
	for _, f := range forms {
		for _, types := range []Types{Native, BigQuery} {
			for _, pick := range []struct {
				source int
				dt     DType
			}{{14, Float32}, {3, Int32}, {17, String}} {
				seed++
				checkEcho(t, b, seed, pick.source, pick.dt, f, types, 2500, int(seed%3)*100, 0)
				checkEcho(t, b, seed, pick.source, pick.dt, f, types, 100, 0, 1+int(seed%7))
			}
		}
	}
}

func FuzzEcho(f *testing.F) {
	f.Add(uint64(1), uint16(10), uint8(0), uint8(0))
	f.Add(uint64(2), uint16(3000), uint8(33), uint8(4))
	f.Fuzz(func(t *testing.T, seed uint64, rows uint16, batch, fixed uint8) {
		b := newBed(t)
		b.colours()
		r := rand.New(rand.NewPCG(seed, 2))
		source := r.IntN(len(sources))
		dts := feeds[sources[source].fits]
		checkEcho(t, b, seed, source, dts[r.IntN(len(dts))], forms[r.IntN(len(forms))], Types(r.IntN(2)), int(rows)%5000, int(batch), int(fixed)%9)
	})
}
