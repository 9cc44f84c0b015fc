package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/mallardml/mallard/connectors/tensorflow"
)

// bare runs a model with nothing around it: rows in memory, as many threads as DuckDB has, batches taken in turn, outputs
// thrown away. It goes through connectors/tensorflow; bare.c does the same without a line of ours.
type bare struct {
	session *tensorflow.Session
	texts   []string
	nums    [][]float32 // in the order of the session's inputs
	threads int
}

func openBare(ctx context.Context, b *bench, j *job, o tensorflow.LoadOptions) (*bare, error) {
	o.Dir = b.file("models", j.name)
	s, err := b.tf.LoadModel(ctx, o)
	if err != nil {
		return nil, err
	}
	x := &bare{session: s, threads: b.threads}
	if j.text {
		x.texts = b.data.texts[j.table]
		return x, nil
	}
	for _, in := range s.Inputs {
		for i, c := range j.columns {
			if c == in.Name {
				x.nums = append(x.nums, b.data.nums[j.table][i])
			}
		}
	}
	if len(x.nums) != len(s.Inputs) {
		return nil, fmt.Errorf("model %s has inputs other than %v", j.name, j.columns)
	}
	return x, nil
}

func (x *bare) close() { _ = x.session.Close() }

func (x *bare) rows() int {
	if x.texts != nil {
		return len(x.texts)
	}
	return len(x.nums[0])
}

// batch views rows as tensors.
func (x *bare) batch(in []tensorflow.Tensor, from, to int) []tensorflow.Tensor {
	shape := []int64{int64(to - from)}
	if x.texts != nil {
		return append(in, tensorflow.Tensor{DType: tensorflow.String, Shape: shape, Strings: x.texts[from:to]})
	}
	for _, c := range x.nums {
		part := c[from:to]
		in = append(in, tensorflow.Tensor{DType: tensorflow.Float32, Shape: shape,
			Data: unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(part))), 4*len(part))})
	}
	return in
}

// loop runs all rows once. look, if given, sees every output while it is valid, on several goroutines.
func (x *bare) loop(ctx context.Context, size int, look func([]float32)) (lap, error) {
	n := x.rows()
	var next atomic.Int64
	errs := make([]error, x.threads)
	var wg sync.WaitGroup
	begin, before := time.Now(), cpuTime()
	for t := range x.threads {
		wg.Go(func() {
			var in []tensorflow.Tensor
			for {
				from := int(next.Add(int64(size))) - size
				if from >= n {
					return
				}
				in = x.batch(in[:0], from, min(from+size, n))
				r, err := x.session.Run(ctx, in)
				if err == nil && look != nil {
					err = see(r, look)
				}
				if err != nil {
					errs[t] = err
					return
				}
				_ = r.Close()
			}
		})
	}
	wg.Wait()
	d := lap{time.Since(begin), cpuTime() - before}
	for _, err := range errs {
		if err != nil {
			return d, err
		}
	}
	return d, nil
}

func see(r *tensorflow.Result, look func([]float32)) error {
	t, err := r.Output(0)
	if err != nil || len(t.Data) == 0 {
		return err
	}
	look(unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(t.Data))), len(t.Data)/4))
	return nil
}

func (x *bare) checksum(ctx context.Context, size int) (float64, error) {
	var mu sync.Mutex
	total := 0.0
	_, err := x.loop(ctx, size, func(v []float32) {
		sum := 0.0
		for _, f := range v {
			sum += float64(f)
		}
		mu.Lock()
		total += sum
		mu.Unlock()
	})
	return total, err
}
