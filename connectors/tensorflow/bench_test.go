package tensorflow

import (
	"context"
	"fmt"
	"testing"
)

// BenchmarkRun against BenchmarkBare is what a call through Go costs over the C API.
func BenchmarkRun(b *testing.B) {
	for _, name := range []string{"text_classifier", "same_name"} {
		for _, n := range []int{1, 2048} {
			for _, inter := range []int{0, -1} {
				b.Run(fmt.Sprintf("%s/rows=%d/inter=%d", name, n, inter), func(b *testing.B) {
					s := load(b, LoadOptions{Dir: fixtureDir(name), InterOpThreads: inter})
					in := benchInput(name, n)
					b.ReportAllocs()
					for b.Loop() {
						r, err := s.Run(context.Background(), in)
						if err != nil {
							b.Fatal(err)
						}
						_ = r.Close()
					}
				})
				b.Run(fmt.Sprintf("%s/rows=%d/inter=%d/bare", name, n, inter), func(b *testing.B) {
					s := load(b, LoadOptions{Dir: fixtureDir(name), InterOpThreads: inter})
					b.ResetTimer()
					if err := s.Loop(context.Background(), benchInput(name, n), b.N); err != nil {
						b.Fatal(err)
					}
				})
			}
		}
	}
}

func benchInput(name string, n int) []Tensor {
	if name == "same_name" {
		return []Tensor{floatsTensor(make([]float32, n)...)}
	}
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("What is BigQuery number %d, and what is a duck?", i)
	}
	return []Tensor{stringsTensor(texts...)}
}

// BenchmarkInspect reads the largest model at hand.
func BenchmarkInspect(b *testing.B) {
	dir := realModel(b, "guesslang")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Inspect(dir); err != nil {
			b.Fatal(err)
		}
	}
}
