package tensorflow

// #include <stdlib.h>
// #include "tf.h"
import "C"

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

// LoadOptions says which part of which model to load, and how.
type LoadOptions struct {
	Dir       string
	Name      string   // what errors call the model; "": Dir
	Tags      []string // nil: the only tag set, or "serve"
	Signature string   // "": serving_default, or the only one
	Outputs   []string // nil: all, in byte-wise order
	CustomOps []string // op libraries (.so files) to load first
	AllowOps  []string // of Signature.Unsafe, those that may run; a model that reaches another one is refused

	// IntraOpThreads is the width of one op; each session has a pool of its
	// own. 1 keeps an op on the thread that runs it, 0 is TensorFlow's choice.
	IntraOpThreads int
	// InterOpThreads is how many ops of one run may go side by side. 0 is one
	// pool for the process; a positive number a pool for this model; a negative
	// one runs every op on the calling thread, which costs least per run and is
	// best where the caller runs many batches side by side.
	InterOpThreads int
	// XLA compiles with XLA on the CPU, once per batch shape.
	XLA bool
}

// LoadModel opens a session on a signature of a model.
func (r *Runtime) LoadModel(ctx context.Context, o LoadOptions) (*Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := Inspect(o.Dir)
	if err != nil {
		return nil, err
	}
	g, sig, err := m.Select(o.Tags, o.Signature)
	if err != nil {
		return nil, err
	}
	outputs, err := sig.pick(o.Dir, o.Outputs)
	if err != nil {
		return nil, err
	}
	if err := sig.Check(o.Outputs); err != nil {
		return nil, err
	}
	name := cmp.Or(o.Name, o.Dir)
	op := "load model " + name
	// Also of a model that was imported: its record may be a stranger's and name another signature, or what is allowed may have changed.
	if err := sig.CheckReach(o.AllowOps); err != nil {
		return nil, err
	}
	if g.UsesVariables && !m.HasVariables {
		return nil, &Error{Op: op, Kind: errNoVariables, Msg: "the graph has variables, and variables/variables.index is not there",
			Hint: "Copy the whole model folder, with variables/ and assets/"}
	}
	if err := r.loadOps(o.CustomOps); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		dir = o.Dir
	}
	h := &handle{}
	if err := r.take(op, h.load(dir, g.Tags, configProto(o))); err != nil {
		e, ok := errors.AsType[*Error](err)
		if ok {
			e.Msg = strings.ReplaceAll(e.Msg, dir, name)
		}
		if ok && strings.Contains(e.Node, "RestoreV2") {
			return nil, withHint(err, "The files in variables/ are cut or damaged; copy the model again")
		}
		return nil, withHint(err, sig.loadHint())
	}
	s := &Session{Inputs: sig.Inputs, Outputs: outputs, Signature: *sig, h: h, op: "run model " + name}
	if err := h.resolve(op, s.Inputs, h.share(s.Inputs, s.Outputs)); err != nil {
		_ = h.free()
		return nil, err
	}
	s.net = runtime.AddCleanup(s, func(h *handle) { _ = h.free() }, h)
	return s, nil
}

// configProto writes the ConfigProto message that TF_SetConfig takes.
func configProto(o LoadOptions) []byte {
	var b []byte
	num := func(field protowire.Number, v int) {
		b = protowire.AppendTag(b, field, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(int64(v)))
	}
	if o.IntraOpThreads > 0 {
		num(2, o.IntraOpThreads)
	}
	if o.InterOpThreads != 0 {
		num(5, o.InterOpThreads)
	}
	if o.InterOpThreads > 0 {
		num(9, 1) // use_per_session_threads; without it the number counts for the process's first session only
	}
	if o.XLA {
		// graph_options(10).optimizer_options(3): global_jit_level(5)=ON_1, cpu_global_jit(7)=true
		opt := []byte{5 << 3, 1, 7 << 3, 1}
		graph := protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), opt)
		b = protowire.AppendBytes(protowire.AppendTag(b, 10, protowire.BytesType), graph)
	}
	return b
}

// Session is a loaded model. It is safe for concurrent use.
type Session struct {
	Inputs, Outputs []Port
	Signature       Signature

	op  string
	mu  sync.RWMutex // Run holds it shared, Close alone: Close waits for runs in flight
	h   *handle      // nil when closed
	net runtime.Cleanup
}

// handle owns the C side of a session. It knows nothing of the Session, so
// that the collector may find a forgotten Session and free it.
type handle struct {
	model   C.mtf_model
	in, out *C.TF_Output
	nin     int
	nout    int   // outputs that are fetched
	source  []int // of each output: its place among those, or ^i where it is input i, which TensorFlow does not fetch

	mu     sync.Mutex
	closed bool
	calls  []*C.mtf_call // call blocks at rest
}

func (h *handle) load(dir string, tags []string, config []byte) C.mtf_err {
	cdir := C.CString(dir)
	defer C.free(unsafe.Pointer(cdir))
	ctags := (*[1 << 16]*C.char)(C.calloc(C.size_t(len(tags)+1), C.size_t(unsafe.Sizeof(cdir))))
	defer C.free(unsafe.Pointer(ctags))
	for i, t := range tags {
		ctags[i] = C.CString(t)
		defer C.free(unsafe.Pointer(ctags[i]))
	}
	cconfig := C.CBytes(config)
	defer C.free(cconfig)
	return C.mtf_load(cdir, &ctags[0], C.int(len(tags)), cconfig, C.size_t(len(config)), &h.model)
}

// share notes which outputs are inputs and gives the others, which are fetched.
func (h *handle) share(in, out []Port) (fetched []Port) {
	inputs := map[string]int{}
	for i, p := range in {
		inputs[tensorKeyOf(p.Tensor)] = i
	}
	for _, p := range out {
		if i, ok := inputs[tensorKeyOf(p.Tensor)]; ok {
			h.source = append(h.source, ^i)
			continue
		}
		h.source = append(h.source, len(fetched))
		fetched = append(fetched, p)
	}
	return fetched
}

func (h *handle) resolve(op string, in, out []Port) error {
	h.nin, h.nout = len(in), len(out)
	h.in = (*C.TF_Output)(C.calloc(C.size_t(len(in)+1), C.sizeof_TF_Output))
	h.out = (*C.TF_Output)(C.calloc(C.size_t(len(out)+1), C.sizeof_TF_Output))
	for _, side := range []struct {
		ports []Port
		to    *C.TF_Output
	}{{in, h.in}, {out, h.out}} {
		to := unsafe.Slice(side.to, len(side.ports))
		for i, p := range side.ports {
			name, index := splitTensor(p.Tensor)
			cname := C.CString(name)
			var dtype C.int
			rc := C.mtf_resolve(h.model.graph, cname, C.int(index), &to[i], &dtype)
			C.free(unsafe.Pointer(cname))
			if rc != 0 {
				return &Error{Op: op, Kind: errCorrupt, Msg: fmt.Sprintf("the signature names tensor %q for %q, which the graph does not have",
					p.Tensor, p.Name)}
			}
			if DType(dtype) != p.DType {
				return &Error{Op: op, Kind: errCorrupt,
					Msg: fmt.Sprintf("the signature says %s for %q, and its tensor %q is %s", p.DType, p.Name, p.Tensor, DType(dtype))}
			}
		}
	}
	return nil
}

// splitTensor reads "op:1"; a name without an index means output 0.
func splitTensor(t string) (op string, index int) {
	if i := strings.LastIndexByte(t, ':'); i >= 0 {
		if n, err := strconv.Atoi(t[i+1:]); err == nil && n >= 0 && n < 1<<20 {
			return t[:i], n
		}
	}
	return t, 0
}

// take gives a call block that nobody else uses, nil when memory is out.
func (h *handle) take() *C.mtf_call {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.calls); n > 0 {
		c := h.calls[n-1]
		h.calls = h.calls[:n-1]
		return c
	}
	return C.mtf_call_new(C.int(h.nin), C.int(h.nout), h.in, h.out)
}

// give puts a block back. A result may be closed after its session.
func (h *handle) give(c *C.mtf_call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		C.mtf_call_free(c)
		return
	}
	h.calls = append(h.calls, c)
}

func (h *handle) free() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	h.closed = true
	for _, c := range h.calls {
		C.mtf_call_free(c)
	}
	h.calls = nil
	C.free(unsafe.Pointer(h.in))
	C.free(unsafe.Pointer(h.out))
	e := C.mtf_free(h.model)
	if e.code == 0 {
		return nil
	}
	return statusError("close model", Code(e.code), takeString(e.msg))
}

// Close waits for running calls and frees the model. Results that are still
// open stay readable. It may be called again.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.h == nil {
		return nil
	}
	h := s.h
	s.h = nil
	s.net.Stop()
	return h.free()
}
