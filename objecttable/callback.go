package objecttable

/*
#include <stdint.h>
#include <stdlib.h>

void mallard_object_execute(void *info, void *chunk, void *out);
void mallard_object_bind(void *info);
void mallard_object_scan_bind(void *info);
void mallard_object_scan_init(void *info);
void mallard_object_scan_fill(void *info, void *chunk);
void mallard_object_drop(void *handle);
void mallard_object_drop_scan(void *handle);
void *mallard_object_copy(void *handle);

typedef void (*mallard_object_chunk_t)(void *, void *);
typedef void (*mallard_object_execute_t)(void *, void *, void *);
typedef void (*mallard_object_pointer_t)(void *);
typedef void *(*mallard_object_copy_t)(void *);
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"runtime/debug"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// rescue turns a panic into an error: unwinding into DuckDB's frames would end the process.
func rescue(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("internal error, please report it: %v\n%s", r, debug.Stack())
	}
}

// newHandle puts a handle in C memory: as a pointer the bare number would trip the runtime's pointer checks.
func newHandle(v any) unsafe.Pointer {
	p := C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0))))
	*(*cgo.Handle)(p) = cgo.NewHandle(v)
	return p
}

func handleValue[T any](p unsafe.Pointer) T { return (*cgo.Handle)(p).Value().(T) }

//export mallard_object_drop
func mallard_object_drop(p unsafe.Pointer) {
	(*cgo.Handle)(p).Delete()
	C.free(p)
}

// scalar is a function of whole vectors. f runs on several threads at once and sees NULL arguments.
type scalar struct {
	name   string
	params []sqlType
	result sqlType
	f      func(q *Query, conn uint64, in []mapping.Vector, n int, out mapping.Vector) error
	host   Host
}

// scalarCall is a scalar bound in a statement.
type scalarCall struct {
	*scalar
	conn uint64
}

func (s *scalar) register(conn mapping.Connection) error {
	fn := mapping.CreateScalarFunction()
	defer mapping.DestroyScalarFunction(&fn)
	mapping.ScalarFunctionSetName(fn, s.name)
	for _, p := range s.params {
		t := p.make()
		mapping.ScalarFunctionAddParameter(fn, t)
		mapping.DestroyLogicalType(&t)
	}
	t := s.result.make()
	defer mapping.DestroyLogicalType(&t)
	mapping.ScalarFunctionSetReturnType(fn, t)
	mapping.ScalarFunctionSetSpecialHandling(fn)
	// Volatile, or the optimiser would write a call that is used twice twice, and decode an image twice.
	mapping.ScalarFunctionSetVolatile(fn)
	mapping.ScalarFunctionSetBind(fn, unsafe.Pointer(C.mallard_object_pointer_t(C.mallard_object_bind)))
	mapping.ScalarFunctionSetFunction(fn, unsafe.Pointer(C.mallard_object_execute_t(C.mallard_object_execute)))
	mapping.ScalarFunctionSetExtraInfo(fn, newHandle(s), unsafe.Pointer(C.mallard_object_pointer_t(C.mallard_object_drop)))
	if mapping.RegisterScalarFunction(conn, fn) == mapping.StateError {
		return fmt.Errorf("function %s: DuckDB refused to register it; the transaction may be aborted: ROLLBACK and try again", s.name)
	}
	return nil
}

//export mallard_object_bind
func mallard_object_bind(infoPtr unsafe.Pointer) {
	info := mapping.BindInfo{Ptr: infoPtr}
	var client mapping.ClientContext
	mapping.ScalarFunctionGetClientContext(info, &client)
	conn := uint64(mapping.ClientContextGetConnectionId(client))
	mapping.DestroyClientContext(&client)
	c := &scalarCall{handleValue[*scalar](mapping.ScalarFunctionBindGetExtraInfo(info)), conn}
	mapping.ScalarFunctionSetBindDataCopy(info, unsafe.Pointer(C.mallard_object_copy_t(C.mallard_object_copy)))
	mapping.ScalarFunctionSetBindData(info, newHandle(c), unsafe.Pointer(C.mallard_object_pointer_t(C.mallard_object_drop)))
}

//export mallard_object_copy
func mallard_object_copy(p unsafe.Pointer) unsafe.Pointer {
	return newHandle(handleValue[*scalarCall](p))
}

//export mallard_object_execute
func mallard_object_execute(infoPtr, chunkPtr, outPtr unsafe.Pointer) {
	info := mapping.FunctionInfo{Ptr: infoPtr}
	c := handleValue[*scalarCall](mapping.ScalarFunctionGetBindData(info))
	if err := c.execute(mapping.DataChunk{Ptr: chunkPtr}, mapping.Vector{Ptr: outPtr}); err != nil {
		mapping.ScalarFunctionSetError(info, err.Error())
	}
}

func (c *scalarCall) execute(chunk mapping.DataChunk, out mapping.Vector) (err error) {
	defer rescue(&err)
	q := c.host.Query(c.conn)
	if err := q.Context.Err(); err != nil {
		return q.failed(err)
	}
	in := make([]mapping.Vector, mapping.DataChunkGetColumnCount(chunk))
	for i := range in {
		in[i] = mapping.DataChunkGetVector(chunk, mapping.IdxT(i))
	}
	if err := c.f(q, c.conn, in, int(mapping.DataChunkGetSize(chunk)), out); err != nil {
		return q.failed(fmt.Errorf("%s: %w", c.name, err))
	}
	return nil
}

// registerScan registers mallard_objects.
func (r *Runtime) registerScan(conn mapping.Connection) error {
	fn := mapping.CreateTableFunction()
	defer mapping.DestroyTableFunction(&fn)
	mapping.TableFunctionSetName(fn, "mallard_objects")
	text := varchar.make()
	defer mapping.DestroyLogicalType(&text)
	mapping.TableFunctionAddParameter(fn, text)
	mapping.TableFunctionSupportsProjectionPushdown(fn, true)
	mapping.TableFunctionSetBind(fn, unsafe.Pointer(C.mallard_object_pointer_t(C.mallard_object_scan_bind)))
	mapping.TableFunctionSetInit(fn, unsafe.Pointer(C.mallard_object_pointer_t(C.mallard_object_scan_init)))
	mapping.TableFunctionSetFunction(fn, unsafe.Pointer(C.mallard_object_chunk_t(C.mallard_object_scan_fill)))
	mapping.TableFunctionSetExtraInfo(fn, newHandle(r), unsafe.Pointer(C.mallard_object_pointer_t(C.mallard_object_drop)))
	if mapping.RegisterTableFunction(conn, fn) == mapping.StateError {
		return fmt.Errorf("function mallard_objects: DuckDB refused to register it; the transaction may be aborted: ROLLBACK and try again")
	}
	return nil
}

//export mallard_object_scan_bind
func mallard_object_scan_bind(infoPtr unsafe.Pointer) {
	info := mapping.BindInfo{Ptr: infoPtr}
	if err := bindScan(info); err != nil {
		mapping.BindSetError(info, err.Error())
	}
}

func bindScan(info mapping.BindInfo) (err error) {
	defer rescue(&err)
	v := mapping.BindGetParameter(info, 0)
	defer mapping.DestroyValue(&v)
	if mapping.IsNullValue(v) {
		return fmt.Errorf("object table: its description is NULL; give a URI, as 'gs://bucket/folder/*'")
	}
	spec, err := ParseSpec(mapping.GetVarchar(v))
	if err != nil {
		return err
	}
	if _, err := spec.patterns(); err != nil {
		return err
	}
	var client mapping.ClientContext
	mapping.TableFunctionGetClientContext(info, &client)
	conn := uint64(mapping.ClientContextGetConnectionId(client))
	mapping.DestroyClientContext(&client)
	for i, name := range Columns {
		t := columnTypes[i].make()
		mapping.BindAddResultColumn(info, name, t)
		mapping.DestroyLogicalType(&t)
	}
	// Unknown before the listing. DuckDB takes none for one row and would keep the table as the small side of every join,
	// whose chunks are full ones, whatever the objects' sizes.
	mapping.BindSetCardinality(info, 1_000_000, false)
	b := &boundScan{handleValue[*Runtime](mapping.BindGetExtraInfo(info)), spec, conn}
	mapping.BindSetBindData(info, newHandle(b), unsafe.Pointer(C.mallard_object_pointer_t(C.mallard_object_drop)))
	return nil
}

//export mallard_object_scan_init
func mallard_object_scan_init(infoPtr unsafe.Pointer) {
	info := mapping.InitInfo{Ptr: infoPtr}
	var err error
	defer func() {
		if err != nil {
			mapping.InitSetError(info, err.Error())
		}
	}()
	defer rescue(&err)
	b := handleValue[*boundScan](mapping.InitGetBindData(info))
	columns := make([]int, mapping.InitGetColumnCount(info))
	for i := range columns {
		columns[i] = int(mapping.InitGetColumnIndex(info, mapping.IdxT(i)))
	}
	mapping.InitSetMaxThreads(info, 1)
	mapping.InitSetInitData(info, newHandle(b.start(columns)), unsafe.Pointer(C.mallard_object_pointer_t(C.mallard_object_drop_scan)))
}

//export mallard_object_scan_fill
func mallard_object_scan_fill(infoPtr, chunkPtr unsafe.Pointer) {
	info := mapping.FunctionInfo{Ptr: infoPtr}
	s := handleValue[*scan](mapping.FunctionGetInitData(info))
	if err := s.fill(mapping.DataChunk{Ptr: chunkPtr}); err != nil {
		mapping.FunctionSetError(info, err.Error())
	}
}

//export mallard_object_drop_scan
func mallard_object_drop_scan(p unsafe.Pointer) {
	var err error
	defer rescue(&err) // nobody to tell, but a panic here would end the process
	s := handleValue[*scan](p)
	mallard_object_drop(p)
	s.close()
}
