package main

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/mallardml/mallard/connectors/tensorflow"
)

// bare runs a model with nothing around it: rows in memory, as many threads as DuckDB has, batches taken in turn, outputs
// thrown away. It goes through connectors/tensorflow; bare.c does the same without a line of ours.
type bare struct {
	session *tensorflow.Session
	texts   []string
	arena   []byte      // where the texts lie
	nums    [][]float32 // in the order of the session's inputs
	threads int
	pools   pools
}

// pools are TensorFlow's threads over operations and inside one.
type pools struct{ inter, intra int }

// quickest opens the session that suits the model best: with TensorFlow's own pools, or on the calling thread alone. The
// bare loop is to be as fast as it can be made.
func quickest(ctx context.Context, b *bench, j *job, size int) (*bare, error) {
	var best *bare
	var fastest time.Duration
	for _, p := range []pools{{-1, 0}, {-1, 1}, {0, 0}} {
		x, err := openBare(ctx, b, j, p)
		if err != nil {
			return nil, err
		}
		n := min(x.rows(), max(1, 8*size))
		if size == 1 {
			n = min(x.rows(), 1000)
		}
		least := time.Duration(math.MaxInt64)
		for begin, i := time.Now(), 0; i < 4 && (i < 2 || time.Since(begin) < 3*time.Second); i++ { // the first is mostly preparation
			d, err := x.part(ctx, n, size, nil)
			if err != nil {
				return nil, err
			}
			least = min(least, d.wall)
		}
		if best == nil || least < fastest {
			best, x, fastest = x, best, least
		}
		if x != nil {
			x.close()
		}
	}
	return best, nil
}

func openBare(ctx context.Context, b *bench, j *job, p pools) (*bare, error) {
	s, err := b.tf.LoadModel(ctx, tensorflow.LoadOptions{Dir: b.file("models", j.name), InterOpThreads: p.inter, IntraOpThreads: p.intra})
	if err != nil {
		return nil, err
	}
	x := &bare{session: s, threads: b.threads, pools: p}
	if j.text {
		x.texts, x.arena, err = outside(b.data.texts[j.table])
		return x, err
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

func (x *bare) close() {
	_ = x.session.Close()
	if x.arena != nil {
		_ = syscall.Munmap(x.arena)
	}
}

// outside copies texts out of Go's heap. DuckDB's strings do not live there either, and lending memory of the heap to C
// costs a lock for each string.
func outside(texts []string) (views []string, arena []byte, err error) {
	size := 1
	for _, t := range texts {
		size += len(t)
	}
	if arena, err = syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE); err != nil {
		return nil, nil, err
	}
	at := 0
	for _, t := range texts {
		n := copy(arena[at:], t)
		views = append(views, unsafe.String(&arena[at], n))
		at += n
	}
	return views, arena, nil
}

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
	return x.part(ctx, x.rows(), size, look)
}

// part runs the first n rows.
func (x *bare) part(ctx context.Context, n, size int, look func([]float32)) (lap, error) {
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
