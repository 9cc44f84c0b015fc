package tensorflow

// #include "tf.h"
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/mallardml/mallard/internal/amount"
)

const (
	tstringSize = 24
	maxRank     = C.MTF_MAX_RANK
)

// Run predicts; in goes by the position of Inputs. The memory of in is lent to
// TensorFlow until Result.Close, or copied when the graph may keep it. A run
// cannot be stopped once it is under way: ctx is looked at before it.
func (s *Session) Run(ctx context.Context, in []Tensor) (*Result, error) {
	return s.run(ctx, in, 0)
}

// Loop runs n times on one input, all in C, and throws the outputs away: the
// bare TF_SessionRun loop that benchmarks compare with.
func (s *Session) Loop(ctx context.Context, in []Tensor, n int) error {
	if n <= 0 {
		return nil
	}
	r, err := s.run(ctx, in, n)
	if err != nil {
		return err
	}
	return r.Close()
}

// run runs once, or loop times when loop is positive.
func (s *Session) run(ctx context.Context, in []Tensor, loop int) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	h := s.h
	if h == nil {
		return nil, &Error{Op: s.op, Msg: "the model is closed", Kind: errClosed}
	}
	if len(in) != len(s.Inputs) {
		return nil, &Error{Op: s.op, Msg: fmt.Sprintf("%s given, the signature has %d", amount.Of(len(in), "input"), len(s.Inputs)),
			Kind: errInput}
	}
	c := h.take()
	if c == nil {
		return nil, &Error{Op: s.op, Code: codeResourceExhausted, Msg: "no memory"}
	}
	r := &Result{h: h, c: c, in: in}
	args := unsafe.Slice(c.in, len(in))
	for i := range in {
		if err := r.lend(&args[i], i, &in[i], &s.Inputs[i]); err != nil {
			err.Op = s.op
			r.drop()
			return nil, err
		}
	}
	keep := C.int(C.MTF_VIEW)
	if s.Signature.Retains {
		keep = C.MTF_COPY
	}
	var code C.int
	switch {
	case h.nout == 0: // every output is an input
	case loop > 0:
		code = C.mtf_loop(h.model.session, c, keep, C.int(loop))
	default:
		code = C.mtf_run(h.model.session, c, keep)
	}
	if code != 0 {
		err := statusError(s.op, Code(code), C.GoString(c.msg))
		r.drop()
		return nil, err
	}
	runtime.KeepAlive(in)
	return r, nil
}

// lend writes one input into its slot of the call block.
func (r *Result) lend(a *C.mtf_in, i int, t *Tensor, p *Port) *Error {
	if t.DType != p.DType {
		return inputError(p, "is %s, the model wants %s", t.DType, p.DType)
	}
	if len(t.Shape) > maxRank {
		return inputError(p, "has %s, more than %d", amount.Of(len(t.Shape), "dimension"), maxRank)
	}
	if !p.UnknownRank && len(t.Shape) != len(p.Shape) {
		return inputError(p, "has %s, the model wants %d", amount.Of(len(t.Shape), "dimension"), len(p.Shape))
	}
	n := int64(1)
	for d, size := range t.Shape {
		if size < 0 || !p.UnknownRank && p.Shape[d] >= 0 && size != p.Shape[d] {
			return inputError(p, "has shape %v, the model wants %v", t.Shape, p.Shape)
		}
		if size > 0 && n > (1<<56)/size {
			return inputError(p, "has shape %v, which is too large", t.Shape)
		}
		n *= size
		a.dims[d] = C.int64_t(size)
	}
	a.rank = C.int32_t(len(t.Shape))
	a.dtype = C.int32_t(t.DType)
	if t.DType != String {
		if int64(len(t.Data)) != n*int64(t.DType.Size()) {
			return inputError(p, "has %s for shape %v of %s", amount.Of(len(t.Data), "byte"), t.Shape, t.DType)
		}
		a.len = C.uint64_t(len(t.Data))
		a.data = 0
		if len(t.Data) > 0 {
			ptr := unsafe.Pointer(unsafe.SliceData(t.Data))
			r.pin.Pin(ptr) // nothing happens when it is C's
			a.data = C.uintptr_t(uintptr(ptr))
		}
		return nil
	}
	if int64(len(t.Strings)) != n {
		return inputError(p, "has %s for shape %v", amount.Of(len(t.Strings), "string"), t.Shape)
	}
	a.len = C.uint64_t(n)
	if C.mtf_string_room(r.c, C.int(i), C.uint64_t(n)) == 0 {
		return &Error{Code: codeResourceExhausted, Msg: "no memory for the strings of input " + p.Name}
	}
	// One TF_TString view per string: size and kind, pointer, no owner. terminate in tf.c copies what they point to.
	views := unsafe.Slice((*[3]uintptr)(a.views), n)
	for k, str := range t.Strings {
		if len(str) == 0 {
			views[k] = [3]uintptr{}
			continue
		}
		ptr := unsafe.Pointer(unsafe.StringData(str))
		r.pin.Pin(ptr)
		views[k] = [3]uintptr{uintptr(len(str))<<2 | 3, uintptr(ptr), 0}
	}
	return nil
}

func inputError(p *Port, format string, args ...any) *Error {
	return &Error{Msg: "input " + p.Name + " " + fmt.Sprintf(format, args...), Kind: errInput}
}
