package wasm

/*
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "wasm.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"
	"unsafe"
)

var library struct {
	mu   sync.Mutex
	path string // of the library that is open: it cannot be closed
}

// openRuntime opens wasmtime's library, once in a process.
func openRuntime(path string) error {
	library.mu.Lock()
	defer library.mu.Unlock()
	if library.path == path {
		return nil
	}
	if library.path != "" {
		return fmt.Errorf("%s is open in this process; start a new one to use another", library.path)
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	if err := failed(C.mallard_wasm_open(name)); err != nil {
		return err
	}
	library.path = path
	return nil
}

// failed takes what C says.
func failed(message C.failure) error {
	if message == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(message))
	return errors.New(C.GoString(message))
}

// compile gives the compiled form of a module.
func compile(wasm []byte, keep func([]byte) error) error {
	var p unsafe.Pointer
	var n C.size_t
	if err := failed(C.mallard_wasm_compile(unsafe.Pointer(&wasm[0]), C.size_t(len(wasm)), &p, &n)); err != nil {
		return err
	}
	defer C.mallard_wasm_free_bytes(p, n)
	return keep(unsafe.Slice((*byte)(p), int(n)))
}

// module is a compiled module; it stays as long as the process.
type module struct{ c *C.module }

func load(file string) (module, error) {
	name := C.CString(file)
	defer C.free(unsafe.Pointer(name))
	var m *C.module
	err := failed(C.mallard_wasm_load(name, &m))
	return module{m}, err
}

// instance is a sandbox. One goroutine at a time may call it.
type instance struct {
	c        *C.instance
	memory   int64
	catalogs map[int64]int64 // the numbers that it gave to catalogs, by ours
}

func (s *Service) start() (*instance, error) {
	zoneinfo := C.CString(s.zoneinfo)
	defer C.free(unsafe.Pointer(zoneinfo))
	in := &instance{catalogs: map[int64]int64{}}
	if err := failed(C.mallard_wasm_start(s.module.c, zoneinfo, maxMemory, &in.c)); err != nil {
		return nil, fmt.Errorf("start GoogleSQL's sandbox: %w", err)
	}
	return in, nil
}

// lost is why an instance can only be closed.
type lost struct{ message string }

func (l *lost) Error() string { return l.message }

// code stands before the service's words.
var code = regexp.MustCompile(`^Code: \d+, Message: `)

// call runs a method. When ctx ends, or the call has used so much of the processor, the call ends and the instance is lost.
func (in *instance) call(ctx context.Context, method string, request []byte, limit time.Duration) ([]byte, error) {
	name := C.CString(method)
	defer C.free(unsafe.Pointer(name))
	done, gone := make(chan struct{}), make(chan bool)
	go func() { gone <- in.watch(ctx, limit, done) }()
	o := C.mallard_wasm_call(in.c, name, unsafe.Pointer(unsafe.SliceData(request)), C.size_t(len(request)))
	close(done)
	interrupted := <-gone
	defer C.free(o.answer)
	in.memory = int64(o.memory)
	answer := C.GoBytes(o.answer, C.int(o.size))
	switch {
	case interrupted:
		return nil, &lost{""}
	case o.status == C.CALL_LOST:
		return nil, &lost{string(answer)}
	case o.status == C.CALL_ERROR:
		return nil, errors.New(code.ReplaceAllString(string(answer), ""))
	}
	return answer, nil
}

// watch interrupts a call that is not done in time. The limit is one of processor time: a busy machine makes no statement wrong.
func (in *instance) watch(ctx context.Context, limit time.Duration, done <-chan struct{}) (interrupted bool) {
	start, left := in.cpu(), limit
	timer := time.NewTimer(left)
	defer timer.Stop()
	for {
		select {
		case <-done:
			return false
		case <-timer.C:
			if now := in.cpu(); start >= 0 && now-start < limit {
				timer.Reset(max(limit-(now-start), time.Millisecond))
				continue
			}
		case <-ctx.Done():
		}
		C.mallard_wasm_interrupt(in.c)
		return true
	}
}

func (in *instance) cpu() time.Duration { return time.Duration(C.mallard_wasm_cpu(in.c)) }

func (in *instance) close() { C.mallard_wasm_delete(in.c) }
