package functions

import (
	"context"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// still is an engine that does nothing, for the cost of the callback itself.
type still struct{ out []Tensor }

func (s *still) Run(_ context.Context, in []Tensor) (Batch, error) {
	for i := range s.out {
		n := in[0].Shape[0]
		s.out[i].Shape[0] = n
		row := s.out[i].DType.Size()
		for _, d := range s.out[i].Shape[1:] {
			row *= int(d)
		}
		s.out[i].Data = s.out[i].Data[:int(n)*row]
	}
	return s, nil
}

func (s *still) Output(i int) (Tensor, error) { return s.out[i], nil }
func (s *still) Close()                       {}

// benchChunk measures the callback on one chunk that a query would give it.
func benchChunk(b *testing.B, m *Model, types Types, rows int, input string) {
	db := newBed(b)
	db.add(m, types, echo)
	e := &still{}
	for _, o := range m.Outputs {
		n := 2048 * o.DType.Size()
		shape := append([]int64{}, o.Shape...)
		for _, d := range shape[1:] {
			n *= int(d)
		}
		e.out = append(e.out, Tensor{DType: o.DType, Shape: shape, Data: make([]byte, n)})
	}
	m.Open = func(context.Context) (Engine, error) { return e, nil }
	m.tune.firm.Store(true)
	m.tune.setCost(1000)
	c := &predictCall{predict: &predict{types: types, result: resultText(m.Outputs, types), host: db.host}, model: m}
	var res mapping.Result
	db.raw(func(conn mapping.Connection) error {
		mapping.Query(conn, input, &res)
		chunk := mapping.FetchChunk(res)
		defer mapping.DestroyDataChunk(&chunk)
		defer mapping.DestroyResult(&res)
		if n := int(mapping.DataChunkGetSize(chunk)); n != rows {
			b.Fatalf("the chunk has %d rows, want %d", n, rows)
		}
		for i := range m.Inputs {
			v := mapping.DataChunkGetVector(chunk, mapping.IdxT(i+1))
			t := mapping.VectorGetColumnType(v)
			col, err := newColumn(&m.Inputs[i], argumentOf(udf.TypeOf(t)), types)
			mapping.DestroyLogicalType(&t)
			if err != nil {
				b.Fatal(err)
			}
			c.columns = append(c.columns, col)
		}
		rt := resultType(m.Outputs, types).Logical()
		out := mapping.CreateDataChunk([]mapping.LogicalType{rt})
		mapping.DestroyLogicalType(&rt)
		defer mapping.DestroyDataChunk(&out)
		result := mapping.DataChunkGetVector(out, 0)
		b.ReportAllocs()
		for b.Loop() {
			if types == BigQuery {
				mapping.DataChunkReset(out)
			}
			if err := c.Execute(chunk, result); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
		return nil
	})
}

func numbers() *Model {
	m := &Model{Stateless: true, Outputs: []Port{{Name: "y", DType: Float32, Shape: []int64{-1, 1}}}}
	for _, n := range []string{"a", "b", "c", "d"} {
		m.Inputs = append(m.Inputs, Port{Name: n, DType: Float32, Shape: []int64{-1}})
	}
	return m
}

func BenchmarkChunk(b *testing.B) {
	const texts = `SELECT i, 'a text that is longer than the prefix ' || i AS input FROM range(2048) t(i)`
	b.Run("text", func(b *testing.B) { benchChunk(b, lengthModel(), Native, 2048, texts) })
	b.Run("text widened", func(b *testing.B) { benchChunk(b, lengthModel(), BigQuery, 2048, texts) })
	b.Run("text with NULLs", func(b *testing.B) {
		benchChunk(b, lengthModel(), Native, 2048, `SELECT i, CASE WHEN i % 10 > 0 THEN 'a text that is longer than the prefix ' || i END AS input FROM range(2048) t(i)`)
	})
	b.Run("one text", func(b *testing.B) {
		benchChunk(b, lengthModel(), Native, 1, `SELECT 1, 'a text that is longer than the prefix' AS input`)
	})
	b.Run("four floats", func(b *testing.B) {
		benchChunk(b, numbers(), Native, 2048, `SELECT i, i::FLOAT, i::FLOAT, i::FLOAT, i::FLOAT FROM range(2048) t(i)`)
	})
	b.Run("four doubles", func(b *testing.B) {
		benchChunk(b, numbers(), Native, 2048, `SELECT i, i::DOUBLE, i::DOUBLE, i::DOUBLE, i::DOUBLE FROM range(2048) t(i)`)
	})
	wide := &Model{Stateless: true, Inputs: []Port{{Name: "x", DType: Float32, Shape: []int64{-1, 64}}}, Outputs: []Port{{Name: "y", DType: Float32, Shape: []int64{-1, 64}}}}
	b.Run("FLOAT[64]", func(b *testing.B) {
		benchChunk(b, wide, Native, 2048, `SELECT i, list_transform(range(64), lambda x: x)::FLOAT[64] FROM range(2048) t(i)`)
	})
	wide2 := &Model{Stateless: true, Inputs: wide.Inputs, Outputs: wide.Outputs}
	b.Run("DOUBLE list of 64", func(b *testing.B) {
		benchChunk(b, wide2, BigQuery, 2048, `SELECT i, list_transform(range(64), lambda x: x)::DOUBLE[] FROM range(2048) t(i)`)
	})
}

// BenchmarkStatement measures whole statements over a still engine.
func BenchmarkStatement(b *testing.B) {
	db := newBed(b)
	m := lengthModel()
	db.add(m, Native, lengths)
	stmt, err := db.Prepare(predictSQL2(m, Native, "SELECT ?::VARCHAR AS input"))
	if err != nil {
		b.Fatal(err)
	}
	defer stmt.Close()
	b.Run("one row prepared", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			rows, err := stmt.Query("a text that is longer than the prefix")
			if err != nil {
				b.Fatal(err)
			}
			for rows.Next() {
			}
			if err := rows.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	db.must(`CREATE TABLE w AS SELECT 'a text that is longer than the prefix ' || i AS input FROM range(500000) t(i)`)
	b.Run("500,000 texts", func(b *testing.B) {
		begin := time.Now()
		for b.Loop() {
			db.must(`SELECT sum(dense_1[1]) FROM ` + predictSQL(m, Native, "SELECT * FROM w"))
		}
		b.ReportMetric(500000*float64(b.N)/time.Since(begin).Seconds(), "rows/s")
	})
}
