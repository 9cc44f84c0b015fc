package tensorflow

import (
	"context"
	"runtime"
	"sync"
	"testing"
)

// TestStaleInput runs while the collector marks: a call block is used again, and the address of a buffer of Go's heap that
// it held before must not be looked at by the write barrier when a new one replaces it. It ended the process with "found
// bad pointer in Go heap" within seconds.
func TestStaleInput(t *testing.T) {
	s := load(t, LoadOptions{Dir: fixtureDir("same_name")})
	stop := make(chan struct{})
	var collector sync.WaitGroup
	collector.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	})
	defer collector.Wait()
	defer close(stop)
	for i := range 1000 {
		n := int64(1<<16 + (i*i%61)<<14) // buffers of many sizes, that come from and go to the system
		in := Tensor{DType: Float32, Shape: []int64{n}, Data: make([]byte, 4*n)}
		r, err := s.Run(context.Background(), []Tensor{in})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
