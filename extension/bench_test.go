package extension_test

import (
	"path/filepath"
	"testing"

	"github.com/mallardml/mallard/connectors/tensorflow"
)

// BenchmarkPreparedRow is the latency of one row through a prepared statement; BenchmarkBareRow is what TensorFlow alone
// takes for it.
func BenchmarkPreparedRow(b *testing.B) {
	db := open(b, "", config(b))
	db.SetMaxOpenConns(1)
	exec(b, db, "CREATE SCHEMA demo", withModels(b, createText))
	st, err := db.PrepareContext(b.Context(), "SELECT dense_1[1] FROM ML.PREDICT(MODEL demo.m, (SELECT ? AS input))")
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	var v float64
	b.ReportAllocs()
	for b.Loop() {
		if err := st.QueryRowContext(b.Context(), "How Red Hat Decides Which Open Source Companies to Acquire").Scan(&v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlainRow is a prepared statement without a model: the floor that DuckDB and its driver set.
func BenchmarkPlainRow(b *testing.B) {
	db := open(b, "", config(b))
	db.SetMaxOpenConns(1)
	st, err := db.PrepareContext(b.Context(), "SELECT length(input)::DOUBLE FROM (SELECT ?::VARCHAR AS input)")
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	var v float64
	b.ReportAllocs()
	for b.Loop() {
		if err := st.QueryRowContext(b.Context(), "How Red Hat Decides Which Open Source Companies to Acquire").Scan(&v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareRow(b *testing.B) {
	lib, err := tensorflow.Find(tensorflow.FindOptions{})
	if err != nil {
		b.Fatal(err)
	}
	rt, err := tensorflow.Open(lib)
	if err != nil {
		b.Fatal(err)
	}
	s, err := rt.LoadModel(b.Context(), tensorflow.LoadOptions{Dir: filepath.Join(models(b), "text_classifier")})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	in := []tensorflow.Tensor{{DType: tensorflow.String, Shape: []int64{1}, Strings: []string{"How Red Hat Decides Which Open Source Companies to Acquire"}}}
	b.ReportAllocs()
	for b.Loop() {
		r, err := s.Run(b.Context(), in)
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
