package udf

/*
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime/cgo"
	"runtime/debug"
	"sync/atomic"
	"unsafe"
)

// ErrPanic is what a panic in a callback becomes.
var ErrPanic = errors.New("internal error, please report it")

// Rescue turns a panic into an error around [ErrPanic], with the stack. Defer it where Go is called by DuckDB, and in
// goroutines that work for such a call.
func Rescue(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %v\n%s", ErrPanic, r, debug.Stack())
	}
}

// handles counts those that DuckDB holds, for tests.
var handles atomic.Int64

// newHandle puts a handle in C memory: as a pointer the bare number would trip the runtime's pointer checks.
func newHandle(v any) unsafe.Pointer {
	p := C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0))))
	*(*cgo.Handle)(p) = cgo.NewHandle(v)
	handles.Add(1)
	return p
}

func handleValue[T any](p unsafe.Pointer) T { return (*cgo.Handle)(p).Value().(T) }

func freeHandle(p unsafe.Pointer) {
	(*cgo.Handle)(p).Delete()
	C.free(p)
	handles.Add(-1)
}

// closeQuietly is for callbacks that cannot report: a panic would end the process.
func closeQuietly(done func()) {
	var err error
	defer Rescue(&err)
	done()
}

func refused(name string) error {
	return fmt.Errorf("function %s: DuckDB refused to register it; the transaction may be aborted: ROLLBACK and try again", name)
}
