package udf

/*
#include <stdint.h>

void mallard_udf_table_bind(void *info);
void mallard_udf_table_init(void *info);
void mallard_udf_table_fill(void *info, void *chunk);
void mallard_udf_table_drop_scan(void *handle);
void mallard_udf_table_drop_relation(void *handle);
void mallard_udf_table_drop(void *handle);

typedef void (*mallard_udf_table_pointer_t)(void *);
typedef void (*mallard_udf_table_fill_t)(void *, void *);
*/
import "C"

import (
	"errors"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Table is a table function that DuckDB scans on one thread, and of which it reads the wanted columns only. Its arguments
// are constants or parameters of a prepared statement: DuckDB takes no columns there.
type Table struct {
	Name   string
	Params []Type
	// Named are parameters that a call may leave out, or give by name.
	Named []Field
	// Dropped, if any, is called when DuckDB forgets the function: its database is closed.
	Dropped func()
	// Bind is called when a statement is bound. An error becomes DuckDB's Binder Error.
	Bind func(*TableBinding) (Relation, error)
}

// Relation is a table function bound in one statement. It may be scanned more than once, also at once. One that has a method Close()
// is closed when the statement is over.
type Relation interface {
	// Columns are the columns of the table.
	Columns() []Field
	// Scan begins a scan of some columns, given by their places in Columns. A negative one is a column of
	// DuckDB's own, as a row id: leave its vector alone. count(*) reads the first column.
	Scan(columns []int) (Scan, error)
}

// Logical is a relation whose columns have types that [Type] does not tell whole, such as ENUM or UNION. The types stay the relation's.
type Logical interface {
	Logical(column int) mapping.LogicalType
}

// Scan is one scan of a table function.
type Scan interface {
	// Fill writes the next rows, up to mapping.VectorSize, into the vectors of the wanted columns, in their order, and sets
	// the size of the chunk. Size 0 ends the scan. It runs on one thread at a time.
	Fill(chunk mapping.DataChunk) error
	// Close follows the end of the scan, also of a failed, limited or cancelled one.
	Close()
}

// Register makes the function known, like [Scalar.Register].
func (t *Table) Register(conn mapping.Connection) error {
	fn := mapping.CreateTableFunction()
	defer mapping.DestroyTableFunction(&fn)
	mapping.TableFunctionSetName(fn, t.Name)
	for _, p := range t.Params {
		l := p.Logical()
		mapping.TableFunctionAddParameter(fn, l)
		mapping.DestroyLogicalType(&l)
	}
	for _, p := range t.Named {
		l := p.Type.Logical()
		mapping.TableFunctionAddNamedParameter(fn, p.Name, l)
		mapping.DestroyLogicalType(&l)
	}
	mapping.TableFunctionSupportsProjectionPushdown(fn, true)
	mapping.TableFunctionSetBind(fn, unsafe.Pointer(C.mallard_udf_table_pointer_t(C.mallard_udf_table_bind)))
	mapping.TableFunctionSetInit(fn, unsafe.Pointer(C.mallard_udf_table_pointer_t(C.mallard_udf_table_init)))
	mapping.TableFunctionSetFunction(fn, unsafe.Pointer(C.mallard_udf_table_fill_t(C.mallard_udf_table_fill)))
	mapping.TableFunctionSetExtraInfo(fn, newHandle(t), unsafe.Pointer(C.mallard_udf_table_pointer_t(C.mallard_udf_table_drop)))
	if mapping.RegisterTableFunction(conn, fn) == mapping.StateError {
		return refused(t.Name)
	}
	return nil
}

// TableBinding is what the bind callback of a table function may ask of DuckDB. It ends with the callback.
type TableBinding struct {
	// Conn is DuckDB's id of the connection that binds.
	Conn uint64
	info mapping.BindInfo
}

// Text is the value of argument i, cast to VARCHAR, and whether there is one: NULL has none.
func (b *TableBinding) Text(i int) (text string, ok bool) {
	v := mapping.BindGetParameter(b.info, mapping.IdxT(i))
	defer mapping.DestroyValue(&v)
	if mapping.IsNullValue(v) {
		return "", false
	}
	return mapping.GetVarchar(v), true
}

// Literal is the value of argument i as DuckDB writes it in SQL.
func (b *TableBinding) Literal(i int) string {
	v := mapping.BindGetParameter(b.info, mapping.IdxT(i))
	defer mapping.DestroyValue(&v)
	return mapping.ValueToString(v)
}

// NamedLiteral is the value of a named parameter as DuckDB writes it in SQL, and whether it is given.
func (b *TableBinding) NamedLiteral(name string) (text string, ok bool) {
	v := mapping.BindGetNamedParameter(b.info, name)
	if v.Ptr == nil {
		return "", false
	}
	defer mapping.DestroyValue(&v)
	return mapping.ValueToString(v), true
}

// Estimate tells the planner how many rows there may be. Without it DuckDB plans for one.
func (b *TableBinding) Estimate(rows uint64) {
	mapping.BindSetCardinality(b.info, mapping.IdxT(rows), false)
}

//export mallard_udf_table_bind
func mallard_udf_table_bind(infoPtr unsafe.Pointer) {
	info := mapping.BindInfo{Ptr: infoPtr}
	if err := bindTable(info); err != nil {
		mapping.BindSetError(info, err.Error())
	}
}

func bindTable(info mapping.BindInfo) (err error) {
	defer Rescue(&err)
	b := TableBinding{info: info}
	var client mapping.ClientContext
	mapping.TableFunctionGetClientContext(info, &client)
	b.Conn = uint64(mapping.ClientContextGetConnectionId(client))
	mapping.DestroyClientContext(&client)
	r, err := handleValue[*Table](mapping.BindGetExtraInfo(info)).Bind(&b)
	if err != nil {
		return err
	}
	whole, ok := r.(Logical)
	for i, c := range r.Columns() {
		if ok {
			mapping.BindAddResultColumn(info, c.Name, whole.Logical(i))
			continue
		}
		t := c.Type.Logical()
		mapping.BindAddResultColumn(info, c.Name, t)
		mapping.DestroyLogicalType(&t)
	}
	mapping.BindSetBindData(info, newHandle(r), unsafe.Pointer(C.mallard_udf_table_pointer_t(C.mallard_udf_table_drop_relation)))
	return nil
}

//export mallard_udf_table_init
func mallard_udf_table_init(infoPtr unsafe.Pointer) {
	info := mapping.InitInfo{Ptr: infoPtr}
	if err := initTable(info); err != nil {
		mapping.InitSetError(info, err.Error())
	}
}

func initTable(info mapping.InitInfo) (err error) {
	defer Rescue(&err)
	columns := make([]int, mapping.InitGetColumnCount(info))
	for i := range columns {
		columns[i] = int(mapping.InitGetColumnIndex(info, mapping.IdxT(i)))
	}
	s, err := handleValue[Relation](mapping.InitGetBindData(info)).Scan(columns)
	if err == nil && s == nil {
		err = errors.New("the scan is nothing")
	}
	if err != nil {
		return err
	}
	mapping.InitSetMaxThreads(info, 1)
	mapping.InitSetInitData(info, newHandle(s), unsafe.Pointer(C.mallard_udf_table_pointer_t(C.mallard_udf_table_drop_scan)))
	return nil
}

//export mallard_udf_table_fill
func mallard_udf_table_fill(infoPtr, chunkPtr unsafe.Pointer) {
	info := mapping.FunctionInfo{Ptr: infoPtr}
	if err := fill(handleValue[Scan](mapping.FunctionGetInitData(info)), mapping.DataChunk{Ptr: chunkPtr}); err != nil {
		mapping.FunctionSetError(info, err.Error())
	}
}

func fill(s Scan, chunk mapping.DataChunk) (err error) {
	defer Rescue(&err)
	return s.Fill(chunk)
}

//export mallard_udf_table_drop_scan
func mallard_udf_table_drop_scan(p unsafe.Pointer) {
	s := handleValue[Scan](p)
	freeHandle(p)
	closeQuietly(s.Close)
}

//export mallard_udf_table_drop_relation
func mallard_udf_table_drop_relation(p unsafe.Pointer) {
	r := handleValue[Relation](p)
	freeHandle(p)
	if c, ok := r.(interface{ Close() }); ok {
		closeQuietly(c.Close)
	}
}

//export mallard_udf_table_drop
func mallard_udf_table_drop(p unsafe.Pointer) {
	t := handleValue[*Table](p)
	freeHandle(p)
	if t.Dropped != nil {
		closeQuietly(t.Dropped)
	}
}
