package udf

/*
#include <stdint.h>

void mallard_udf_execute(void *info, void *chunk, void *out);
void mallard_udf_bind(void *info);
void *mallard_udf_copy(void *handle);
void mallard_udf_drop_call(void *handle);
void mallard_udf_drop(void *handle);

typedef void (*mallard_udf_execute_t)(void *, void *, void *);
typedef void (*mallard_udf_pointer_t)(void *);
typedef void *(*mallard_udf_copy_t)(void *);
*/
import "C"

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Scalar is a scalar function. Its callbacks see NULL arguments.
type Scalar struct {
	Name   string
	Params []Type
	// Varargs is the type of any number of further arguments; the zero Type for none.
	Varargs Type
	Result  Type
	// Volatile calls run once per row and place. DuckDB folds calls of other functions with constant arguments, and writes
	// a call that is used twice twice.
	Volatile bool
	// Bind is called when a statement is bound, and again whenever DuckDB binds it again. What it returns serves that
	// statement. An error becomes DuckDB's Binder Error.
	Bind func(*Binding) (Call, error)
}

// Call is a scalar function bound in one statement.
type Call interface {
	// Execute writes the results of a chunk's rows (up to 2,048, often fewer) into out. It runs on several threads at once.
	// The arguments are flat vectors: an array each, indexed by the row.
	Execute(chunk mapping.DataChunk, out mapping.Vector) error
	// Close follows the end of the last copy that DuckDB made of the call.
	Close()
}

// Register makes the function known, in the transaction of the connection if it is inside one. It replaces a function of
// the same name, parameters and result. s must not be changed afterwards.
func (s *Scalar) Register(conn mapping.Connection) error {
	fn := mapping.CreateScalarFunction()
	defer mapping.DestroyScalarFunction(&fn)
	mapping.ScalarFunctionSetName(fn, s.Name)
	for _, p := range s.Params {
		t := p.Logical()
		mapping.ScalarFunctionAddParameter(fn, t)
		mapping.DestroyLogicalType(&t)
	}
	if s.Varargs.Kind != 0 {
		t := s.Varargs.Logical()
		mapping.ScalarFunctionSetVarargs(fn, t)
		mapping.DestroyLogicalType(&t)
	}
	t := s.Result.Logical()
	mapping.ScalarFunctionSetReturnType(fn, t)
	mapping.DestroyLogicalType(&t)
	mapping.ScalarFunctionSetSpecialHandling(fn)
	if s.Volatile {
		mapping.ScalarFunctionSetVolatile(fn)
	}
	mapping.ScalarFunctionSetBind(fn, unsafe.Pointer(C.mallard_udf_pointer_t(C.mallard_udf_bind)))
	mapping.ScalarFunctionSetFunction(fn, unsafe.Pointer(C.mallard_udf_execute_t(C.mallard_udf_execute)))
	mapping.ScalarFunctionSetExtraInfo(fn, newHandle(s), unsafe.Pointer(C.mallard_udf_pointer_t(C.mallard_udf_drop)))
	if mapping.RegisterScalarFunction(conn, fn) == mapping.StateError {
		return refused(s.Name)
	}
	return nil
}

// Binding is what a bind callback may ask of DuckDB. It ends with the callback.
type Binding struct {
	// Conn is DuckDB's id of the connection that binds.
	Conn   uint64
	info   mapping.BindInfo
	client mapping.ClientContext
}

// Count is the number of arguments.
func (b *Binding) Count() int { return int(mapping.ScalarFunctionBindGetArgumentCount(b.info)) }

// Argument is the type of argument i, from 0, which must exist. For an ANY parameter it is the type as written: nothing is cast.
func (b *Binding) Argument(i int) Type {
	expr := mapping.ScalarFunctionBindGetArgument(b.info, mapping.IdxT(i))
	defer mapping.DestroyExpression(&expr)
	t := mapping.ExpressionReturnType(expr)
	defer mapping.DestroyLogicalType(&t)
	return TypeOf(t)
}

// Int64 is the value of argument i, a constant. NULL is an error.
func (b *Binding) Int64(i int) (n int64, err error) {
	err = b.constant(i, func(v mapping.Value) { n = mapping.GetInt64(v) })
	return n, err
}

// Text is the value of argument i, a constant. NULL is an error.
func (b *Binding) Text(i int) (text string, err error) {
	err = b.constant(i, func(v mapping.Value) { text = mapping.GetVarchar(v) })
	return text, err
}

func (b *Binding) constant(i int, read func(mapping.Value)) error {
	if i >= b.Count() {
		return fmt.Errorf("argument %d is missing", i+1)
	}
	expr := mapping.ScalarFunctionBindGetArgument(b.info, mapping.IdxT(i))
	defer mapping.DestroyExpression(&expr)
	if !mapping.ExpressionIsFoldable(expr) {
		return fmt.Errorf("argument %d must be a constant", i+1)
	}
	var v mapping.Value
	failed := mapping.ExpressionFold(b.client, expr, &v)
	defer mapping.DestroyErrorData(&failed)
	if mapping.ErrorDataHasError(failed) {
		return fmt.Errorf("argument %d: %s", i+1, mapping.ErrorDataMessage(failed))
	}
	defer mapping.DestroyValue(&v)
	if mapping.IsNullValue(v) {
		return fmt.Errorf("argument %d is NULL", i+1)
	}
	read(v)
	return nil
}

// bound counts the copies that DuckDB makes of one call.
type bound struct {
	Call
	refs atomic.Int64
}

//export mallard_udf_bind
func mallard_udf_bind(infoPtr unsafe.Pointer) {
	info := mapping.BindInfo{Ptr: infoPtr}
	c, err := bind(info)
	if err != nil {
		mapping.ScalarFunctionBindSetError(info, err.Error())
		return
	}
	b := &bound{Call: c}
	b.refs.Store(1)
	mapping.ScalarFunctionSetBindDataCopy(info, unsafe.Pointer(C.mallard_udf_copy_t(C.mallard_udf_copy)))
	mapping.ScalarFunctionSetBindData(info, newHandle(b), unsafe.Pointer(C.mallard_udf_pointer_t(C.mallard_udf_drop_call)))
}

func bind(info mapping.BindInfo) (c Call, err error) {
	defer Rescue(&err)
	b := Binding{info: info}
	mapping.ScalarFunctionGetClientContext(info, &b.client)
	defer mapping.DestroyClientContext(&b.client)
	b.Conn = uint64(mapping.ClientContextGetConnectionId(b.client))
	c, err = handleValue[*Scalar](mapping.ScalarFunctionBindGetExtraInfo(info)).Bind(&b)
	if err == nil && c == nil {
		err = errors.New("the function was bound to nothing")
	}
	return c, err
}

//export mallard_udf_execute
func mallard_udf_execute(infoPtr, chunkPtr, outPtr unsafe.Pointer) {
	info := mapping.FunctionInfo{Ptr: infoPtr}
	b := handleValue[*bound](mapping.ScalarFunctionGetBindData(info))
	if err := execute(b.Call, mapping.DataChunk{Ptr: chunkPtr}, mapping.Vector{Ptr: outPtr}); err != nil {
		mapping.ScalarFunctionSetError(info, err.Error())
	}
}

func execute(c Call, chunk mapping.DataChunk, out mapping.Vector) (err error) {
	defer Rescue(&err)
	return c.Execute(chunk, out)
}

//export mallard_udf_copy
func mallard_udf_copy(p unsafe.Pointer) unsafe.Pointer {
	b := handleValue[*bound](p)
	b.refs.Add(1)
	return newHandle(b)
}

//export mallard_udf_drop_call
func mallard_udf_drop_call(p unsafe.Pointer) {
	b := handleValue[*bound](p)
	freeHandle(p)
	if b.refs.Add(-1) == 0 {
		closeQuietly(b.Close)
	}
}

//export mallard_udf_drop
func mallard_udf_drop(p unsafe.Pointer) { freeHandle(p) }
