package functions

/*
#include <stdint.h>
#include <stdlib.h>

void mallard_execute(void *info, void *chunk, void *out);
void mallard_bind(void *info);
void mallard_drop_function(void *handle);
void mallard_drop_call(void *handle);
void *mallard_copy_call(void *handle);

typedef void (*mallard_execute_t)(void *, void *, void *);
typedef void (*mallard_pointer_t)(void *);
typedef void *(*mallard_copy_t)(void *);
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"sync/atomic"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// function is a registered SQL function.
type function interface {
	bind(b *binding) (executor, error)
}

// executor is a function bound in one statement. It runs on several threads at once.
type executor interface {
	execute(chunk mapping.DataChunk, out mapping.Vector) error
	// close follows the end of the last copy.
	close()
}

// binding is what a bind callback may ask of DuckDB; it ends with the callback.
type binding struct {
	info   mapping.BindInfo
	client mapping.ClientContext
	conn   uint64
}

// call counts the copies that DuckDB makes of one bound function.
type call struct {
	executor
	refs atomic.Int64
}

// newHandle puts a handle in C memory: as a pointer the bare number would trip the runtime's pointer checks.
func newHandle(v any) unsafe.Pointer {
	p := C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0))))
	*(*cgo.Handle)(p) = cgo.NewHandle(v)
	return p
}

func handleValue[T any](p unsafe.Pointer) T { return (*cgo.Handle)(p).Value().(T) }

func freeHandle(p unsafe.Pointer) {
	(*cgo.Handle)(p).Delete()
	C.free(p)
}

// register finishes a function whose name and types are set, with special NULL handling.
func register(conn mapping.Connection, fn mapping.ScalarFunction, name string, volatile bool, f function) error {
	mapping.ScalarFunctionSetSpecialHandling(fn)
	if volatile {
		mapping.ScalarFunctionSetVolatile(fn)
	}
	mapping.ScalarFunctionSetBind(fn, unsafe.Pointer(C.mallard_pointer_t(C.mallard_bind)))
	mapping.ScalarFunctionSetFunction(fn, unsafe.Pointer(C.mallard_execute_t(C.mallard_execute)))
	mapping.ScalarFunctionSetExtraInfo(fn, newHandle(f), unsafe.Pointer(C.mallard_pointer_t(C.mallard_drop_function)))
	if mapping.RegisterScalarFunction(conn, fn) == mapping.StateError {
		return fmt.Errorf("function %s: DuckDB refused to register it; the transaction may be aborted: ROLLBACK and try again", name)
	}
	return nil
}

//export mallard_execute
func mallard_execute(infoPtr, chunkPtr, outPtr unsafe.Pointer) {
	info := mapping.FunctionInfo{Ptr: infoPtr}
	c := handleValue[*call](mapping.ScalarFunctionGetBindData(info))
	if err := c.execute(mapping.DataChunk{Ptr: chunkPtr}, mapping.Vector{Ptr: outPtr}); err != nil {
		mapping.ScalarFunctionSetError(info, err.Error())
	}
}

//export mallard_bind
func mallard_bind(infoPtr unsafe.Pointer) {
	info := mapping.BindInfo{Ptr: infoPtr}
	x, err := bind(info)
	if err != nil {
		mapping.ScalarFunctionBindSetError(info, err.Error())
		return
	}
	c := &call{executor: x}
	c.refs.Store(1)
	mapping.ScalarFunctionSetBindDataCopy(info, unsafe.Pointer(C.mallard_copy_t(C.mallard_copy_call)))
	mapping.ScalarFunctionSetBindData(info, newHandle(c), unsafe.Pointer(C.mallard_pointer_t(C.mallard_drop_call)))
}

func bind(info mapping.BindInfo) (x executor, err error) {
	defer rescue(&err)
	b := binding{info: info}
	mapping.ScalarFunctionGetClientContext(info, &b.client)
	defer mapping.DestroyClientContext(&b.client)
	b.conn = uint64(mapping.ClientContextGetConnectionId(b.client))
	return handleValue[function](mapping.ScalarFunctionBindGetExtraInfo(info)).bind(&b)
}

//export mallard_copy_call
func mallard_copy_call(p unsafe.Pointer) unsafe.Pointer {
	c := handleValue[*call](p)
	c.refs.Add(1)
	return newHandle(c)
}

//export mallard_drop_call
func mallard_drop_call(p unsafe.Pointer) {
	c := handleValue[*call](p)
	freeHandle(p)
	if c.refs.Add(-1) == 0 {
		var err error
		defer rescue(&err) // nobody to tell, but a panic here would end the process
		c.close()
	}
}

//export mallard_drop_function
func mallard_drop_function(p unsafe.Pointer) { freeHandle(p) }
