package remote

/*
#include <stdint.h>
#include <stdlib.h>

void mallard_remote_execute(void *info, void *chunk, void *out);
void mallard_remote_bind(void *info);
void mallard_remote_drop_function(void *handle);
void mallard_remote_drop_call(void *handle);
void *mallard_remote_copy_call(void *handle);

typedef void (*mallard_remote_execute_t)(void *, void *, void *);
typedef void (*mallard_remote_pointer_t)(void *);
typedef void *(*mallard_remote_copy_t)(void *);
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"runtime/debug"
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

// register makes a volatile function that sees NULL: DuckDB folds or repeats calls of any other.
func register(conn mapping.Connection, name string, params []mapping.Type, varargs bool, result Type, f function) error {
	fn := mapping.CreateScalarFunction()
	defer mapping.DestroyScalarFunction(&fn)
	mapping.ScalarFunctionSetName(fn, name)
	for _, p := range params {
		t := mapping.CreateLogicalType(p)
		mapping.ScalarFunctionAddParameter(fn, t)
		mapping.DestroyLogicalType(&t)
	}
	if varargs {
		t := mapping.CreateLogicalType(mapping.TypeAny)
		mapping.ScalarFunctionSetVarargs(fn, t)
		mapping.DestroyLogicalType(&t)
	}
	t := result.logical()
	defer mapping.DestroyLogicalType(&t)
	mapping.ScalarFunctionSetReturnType(fn, t)
	mapping.ScalarFunctionSetSpecialHandling(fn)
	mapping.ScalarFunctionSetVolatile(fn)
	mapping.ScalarFunctionSetBind(fn, unsafe.Pointer(C.mallard_remote_pointer_t(C.mallard_remote_bind)))
	mapping.ScalarFunctionSetFunction(fn, unsafe.Pointer(C.mallard_remote_execute_t(C.mallard_remote_execute)))
	mapping.ScalarFunctionSetExtraInfo(fn, newHandle(f), unsafe.Pointer(C.mallard_remote_pointer_t(C.mallard_remote_drop_function)))
	if mapping.RegisterScalarFunction(conn, fn) == mapping.StateError {
		return fmt.Errorf("function %s: DuckDB refused to register it; the transaction may be aborted: ROLLBACK and try again", name)
	}
	return nil
}

//export mallard_remote_execute
func mallard_remote_execute(infoPtr, chunkPtr, outPtr unsafe.Pointer) {
	info := mapping.FunctionInfo{Ptr: infoPtr}
	c := handleValue[*call](mapping.ScalarFunctionGetBindData(info))
	if err := execute(c, mapping.DataChunk{Ptr: chunkPtr}, mapping.Vector{Ptr: outPtr}); err != nil {
		mapping.ScalarFunctionSetError(info, err.Error())
	}
}

func execute(c *call, chunk mapping.DataChunk, out mapping.Vector) (err error) {
	defer rescue(&err)
	return c.execute(chunk, out)
}

//export mallard_remote_bind
func mallard_remote_bind(infoPtr unsafe.Pointer) {
	info := mapping.BindInfo{Ptr: infoPtr}
	x, err := bind(info)
	if err != nil {
		mapping.ScalarFunctionBindSetError(info, err.Error())
		return
	}
	c := &call{executor: x}
	c.refs.Store(1)
	mapping.ScalarFunctionSetBindDataCopy(info, unsafe.Pointer(C.mallard_remote_copy_t(C.mallard_remote_copy_call)))
	mapping.ScalarFunctionSetBindData(info, newHandle(c), unsafe.Pointer(C.mallard_remote_pointer_t(C.mallard_remote_drop_call)))
}

func bind(info mapping.BindInfo) (x executor, err error) {
	defer rescue(&err)
	b := binding{info: info}
	mapping.ScalarFunctionGetClientContext(info, &b.client)
	defer mapping.DestroyClientContext(&b.client)
	b.conn = uint64(mapping.ClientContextGetConnectionId(b.client))
	return handleValue[function](mapping.ScalarFunctionBindGetExtraInfo(info)).bind(&b)
}

//export mallard_remote_copy_call
func mallard_remote_copy_call(p unsafe.Pointer) unsafe.Pointer {
	c := handleValue[*call](p)
	c.refs.Add(1)
	return newHandle(c)
}

//export mallard_remote_drop_call
func mallard_remote_drop_call(p unsafe.Pointer) {
	c := handleValue[*call](p)
	freeHandle(p)
	if c.refs.Add(-1) == 0 {
		var err error
		defer rescue(&err) // nobody to tell, but a panic here would end the process
		c.close()
	}
}

//export mallard_remote_drop_function
func mallard_remote_drop_function(p unsafe.Pointer) { freeHandle(p) }

// rescue turns a panic into an error: unwinding into DuckDB's frames would end the process.
func rescue(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %v\n%s", errPanic, r, debug.Stack())
	}
}

// version is the value of the first argument, a constant.
func (b *binding) version() (int64, error) {
	if mapping.ScalarFunctionBindGetArgumentCount(b.info) == 0 {
		return 0, fmt.Errorf("the version of the model is missing; write ML.GENERATE_TEXT or the like, which call this function")
	}
	expr := mapping.ScalarFunctionBindGetArgument(b.info, 0)
	defer mapping.DestroyExpression(&expr)
	if !mapping.ExpressionIsFoldable(expr) {
		return 0, fmt.Errorf("the version of the model must be a constant; write ML.GENERATE_TEXT or the like, which call this function")
	}
	var v mapping.Value
	failed := mapping.ExpressionFold(b.client, expr, &v)
	defer mapping.DestroyErrorData(&failed)
	if mapping.ErrorDataHasError(failed) {
		return 0, fmt.Errorf("the version of the model: %s", mapping.ErrorDataMessage(failed))
	}
	defer mapping.DestroyValue(&v)
	return mapping.GetInt64(v), nil
}

// argument is the type of an argument as it was written: DuckDB casts nothing for an ANY parameter. The caller destroys it.
func (b *binding) argument(i int) mapping.LogicalType {
	expr := mapping.ScalarFunctionBindGetArgument(b.info, mapping.IdxT(i))
	defer mapping.DestroyExpression(&expr)
	return mapping.ExpressionReturnType(expr)
}
