package tensorflow

// #include "tf.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/mallardml/mallard/internal/amount"
)

// Result holds the outputs of a run until Close. It belongs to one goroutine.
type Result struct {
	h   *handle
	c   *C.mtf_call // nil when closed
	in  []Tensor    // outputs may be views of the inputs
	pin runtime.Pinner
}

// Len is the number of outputs.
func (r *Result) Len() int { return len(r.h.source) }

// Output views output i, by the position of Session.Outputs. The view, its
// shape and its strings included, is dead after Close.
func (r *Result) Output(i int) (Tensor, error) {
	if r.c == nil {
		return Tensor{}, errors.New("read an output: the result is closed")
	}
	if i < 0 || i >= r.Len() {
		return Tensor{}, fmt.Errorf("read output %d: the model has %d", i, r.Len())
	}
	from := r.h.source[i]
	if from < 0 {
		return r.in[^from], nil
	}
	o := &unsafe.Slice(r.c.out, r.h.nout)[from]
	if o.rank > maxRank {
		return Tensor{}, fmt.Errorf("read output %d: it has %s, more than %d", i, amount.Of(int(o.rank), "dimension"), maxRank)
	}
	t := Tensor{DType: DType(o.dtype), Shape: unsafe.Slice((*int64)(&o.dims[0]), int(o.rank))}
	n := t.Elements()
	if t.DType == String {
		if uint64(n)*tstringSize != uint64(o.len) {
			return Tensor{}, fmt.Errorf("read output %d: %s for %s", i, amount.Of(int64(o.len), "byte"), amount.Of(n, "string"))
		}
		t.Strings = make([]string, n)
		for k := range t.Strings {
			t.Strings[k] = tstring(unsafe.Add(o.data, k*tstringSize))
		}
		return t, nil
	}
	if !t.DType.Supported() || uint64(n)*uint64(t.DType.Size()) != uint64(o.len) {
		return Tensor{}, fmt.Errorf("read output %d: %s for shape %v of %s", i, amount.Of(int64(o.len), "byte"), t.Shape, t.DType)
	}
	t.Data = unsafe.Slice((*byte)(o.data), int(o.len))
	return t, nil
}

// tstring views a TF_TString; the layout is written down in tf.c.
func tstring(p unsafe.Pointer) string {
	switch word := *(*uint64)(p); word & 3 {
	case 0: // small: size in the first byte, text behind it
		return unsafe.String((*byte)(unsafe.Add(p, 1)), int(word&0xff)>>2)
	case 1: // large: size, capacity, pointer
		return unsafe.String(*(**byte)(unsafe.Add(p, 16)), int(word>>2))
	case 2: // offset: size and offset of 4 bytes each
		return unsafe.String((*byte)(unsafe.Add(p, int(word>>32))), int(uint32(word)>>2))
	default: // view: size, pointer
		return unsafe.String(*(**byte)(unsafe.Add(p, 8)), int(word>>2))
	}
}

// Close frees the outputs and gives the inputs back. It may be called again.
func (r *Result) Close() error {
	if r.c != nil {
		C.mtf_release(r.c)
		r.drop()
	}
	return nil
}

// drop gives the call block back, whose tensors are deleted or were never made.
func (r *Result) drop() {
	r.pin.Unpin()
	r.h.give(r.c)
	r.c, r.in = nil, nil
}
