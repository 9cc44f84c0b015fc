package arrowquery_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/extension/arrowquery"
	"github.com/mallardml/mallard/internal/config"
)

func conn(t *testing.T) *sql.Conn {
	t.Helper()
	cfg := config.DefaultConfig()
	cfg.Store.Path = t.TempDir()
	c, err := extension.NewConnector("", extension.Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { db.Close() })
	one, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { one.Close() })
	return one
}

// TestTypes compares each column with what DuckDB says of itself, as text.
func TestTypes(t *testing.T) {
	c := conn(t)
	const query = `SELECT i, (i % 200)::UTINYINT AS u, i / 2 AS d, 't' || i AS s, i % 3 = 0 AS b, [i, NULL] AS l, {'a': i, 'b': NULL} AS st, MAP {'k': i} AS m,
		NULL AS n, encode('b' || i) AS bl, DATE '2020-01-01' + i::INTEGER AS da FROM range(5000) t(i) WHERE i <> 7`
	r, err := arrowquery.Query(t.Context(), c, query)
	if err != nil {
		t.Fatal(err)
	}
	var rows, sum int64
	var batches []arrow.RecordBatch
	for r.Next() {
		b := r.RecordBatch()
		b.Retain()
		batches = append(batches, b)
		rows += b.NumRows()
	}
	schema := r.Schema()
	r.Release()
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(schema.Field(0).Type, schema.Field(3).Type, schema.Field(5).Type, schema.Field(10).Type); got != "int64 utf8 list<l: int64, nullable> date32" {
		t.Errorf("types %s", got)
	}
	runtime.GC()
	for _, b := range batches { // they outlive the reader
		ints := b.Column(0).(*array.Int64)
		texts := b.Column(3).(*array.String)
		for i := range ints.Len() {
			sum += ints.Value(i)
			if want := fmt.Sprint("t", ints.Value(i)); texts.Value(i) != want {
				t.Fatalf("row %d: %s, want %s", i, texts.Value(i), want)
			}
			if b.Column(5).(*array.List).IsNull(i) || !b.Column(8).IsNull(i) {
				t.Fatalf("row %d: NULLs are wrong", i)
			}
		}
		b.Release()
	}
	if rows != 4999 || sum != 4999*5000/2-7 {
		t.Errorf("%d rows, sum %d", rows, sum)
	}
	if len(batches) < 2 {
		t.Errorf("%d batches", len(batches))
	}
}

// TestPredict: ML statements, with parameters, whole and streamed.
func TestPredict(t *testing.T) {
	c := conn(t)
	models, err := filepath.Abs("../../testdata/models")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ExecContext(t.Context(), "CREATE MODEL m OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='"+models+"/swivel_like/*')"); err != nil {
		t.Skip(err) // without TensorFlow
	}
	for name, ctx := range map[string]context.Context{"whole": t.Context(), "streamed": extension.WithStreaming(t.Context())} {
		r, err := arrowquery.Query(ctx, c, "SELECT 1; SELECT * FROM ML.PREDICT(MODEL m, (SELECT ? || i AS content, i FROM range(3000) t(i)))", "title ")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows := int64(0)
		for r.Next() {
			rows += r.RecordBatch().NumRows()
			if lists := r.RecordBatch().Column(0); lists.Len() == 0 || lists.IsNull(0) {
				t.Errorf("%s: no prediction in %v", name, lists.DataType())
			}
		}
		r.Release()
		if err := r.Err(); err != nil || rows != 3000 {
			t.Errorf("%s: %d rows, %v", name, rows, err)
		}
	}
	var e *extension.Error
	if _, err := arrowquery.Query(t.Context(), c, "SELECT * FROM ML.PREDICT(MODEL nothing, (SELECT 1 AS content))"); !errors.As(err, &e) || e.Line != 1 {
		t.Errorf("a missing model: %v", err)
	}
}

// TestErrors: of a later row, of a cancelled statement, of what cannot be bound, of another driver's connection.
func TestErrors(t *testing.T) {
	c := conn(t)
	r, err := arrowquery.Query(extension.WithStreaming(t.Context()), c, "SELECT CASE WHEN i = 9000 THEN 'x' ELSE '1' END::INTEGER FROM range(10000) t(i)")
	if err == nil {
		for r.Next() {
		}
		err = r.Err()
		r.Release()
	}
	if err == nil || !strings.Contains(err.Error(), "Could not convert string 'x'") {
		t.Errorf("a later row: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := arrowquery.Query(ctx, c, "SELECT 1"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := arrowquery.Query(t.Context(), c, "SELECT ?", []string{"caf\xe9"}); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("a bad text: %v", err)
	}
	r, err = arrowquery.Query(t.Context(), c, "SELECT $x + 1 AS y", sql.Named("x", []float32{1}[0]))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Next() || r.RecordBatch().NumRows() != 1 {
		t.Error("no row")
	}
	r.Release()
	r.Release() // once too often is harmless
	other, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	plain, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := arrowquery.Query(t.Context(), plain, "SELECT 1"); err == nil || !strings.Contains(err.Error(), "Mallard has opened") {
		t.Errorf("another driver: %v", err)
	}
}

// ExampleQuery reads the rows of a query as record batches.
func ExampleQuery() {
	c, err := extension.NewConnector("", extension.Options{})
	if err != nil {
		panic(err)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	r, err := arrowquery.Query(context.Background(), conn, "SELECT i, i * ? AS twice FROM range(3) t(i)", 2)
	if err != nil {
		panic(err)
	}
	defer r.Release()
	for r.Next() {
		fmt.Println(r.RecordBatch().Column(1))
	}
	fmt.Println(r.Err())
	// Output:
	// [0 2 4]
	// <nil>
}
