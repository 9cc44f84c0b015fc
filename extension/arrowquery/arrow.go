// Package arrowquery gives the results of queries as Apache Arrow record batches, ML statements among them. It is a package
// of its own, so that only programs that import it build arrow-go.
package arrowquery

/*
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// DuckDB's C functions for Arrow, as duckdb.h declares them; its header is on no include path here. They are weak, so that the
// package can be built without the library at hand: the program has it.
extern __attribute__((weak)) void duckdb_connection_get_arrow_options(void *connection, void **out);
extern __attribute__((weak)) void duckdb_destroy_arrow_options(void **options);
extern __attribute__((weak)) void *duckdb_to_arrow_schema(void *options, void **types, const char **names, uint64_t count, void *out);
extern __attribute__((weak)) void *duckdb_data_chunk_to_arrow(void *options, void *chunk, void *out);
extern __attribute__((weak)) bool duckdb_error_data_has_error(void *error);
extern __attribute__((weak)) const char *duckdb_error_data_message(void *error);
extern __attribute__((weak)) void duckdb_destroy_error_data(void **error);

static bool mallard_arrow_present(void) {
	return duckdb_connection_get_arrow_options && duckdb_destroy_arrow_options && duckdb_to_arrow_schema && duckdb_data_chunk_to_arrow &&
		duckdb_error_data_has_error && duckdb_error_data_message && duckdb_destroy_error_data;
}

static void *mallard_arrow_options(void *connection) {
	void *options = NULL;
	duckdb_connection_get_arrow_options(connection, &options);
	return options;
}

static void mallard_arrow_drop_options(void *options) { duckdb_destroy_arrow_options(&options); }

// The structs of the Arrow C data interface have a fixed size: 9 and 10 words.
static void *mallard_arrow_struct(void) { return calloc(10, 8); }

static void mallard_arrow_drop_error(void *error) { duckdb_destroy_error_data(&error); }
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/cdata"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// converter turns results of one connection into Arrow.
type converter struct{ options unsafe.Pointer }

func newConverter(h mapping.Connection) (*converter, error) {
	if !bool(C.mallard_arrow_present()) {
		return nil, errors.New("this DuckDB has no functions for Arrow")
	}
	return &converter{C.mallard_arrow_options(h.Ptr)}, nil
}

func (c *converter) close() { C.mallard_arrow_drop_options(c.options) }

// failed reads DuckDB's error, and frees it.
func failed(e unsafe.Pointer) error {
	if e == nil {
		return nil
	}
	defer C.mallard_arrow_drop_error(e)
	if !bool(C.duckdb_error_data_has_error(e)) {
		return nil
	}
	return errors.New(C.GoString(C.duckdb_error_data_message(e)))
}

func (c *converter) schema(res *mapping.Result) (*arrow.Schema, error) {
	n := int(mapping.ColumnCount(res))
	if n == 0 {
		return arrow.NewSchema(nil, nil), nil
	}
	// Both arrays are C's, since they hold pointers of C's.
	types := unsafe.Slice((*unsafe.Pointer)(C.calloc(C.size_t(n), 8)), n)
	names := unsafe.Slice((**C.char)(C.calloc(C.size_t(n), 8)), n)
	made := make([]mapping.LogicalType, n)
	for i := range n {
		made[i] = mapping.ColumnLogicalType(res, mapping.IdxT(i))
		types[i], names[i] = made[i].Ptr, C.CString(mapping.ColumnName(res, mapping.IdxT(i)))
	}
	defer func() {
		for i := range n {
			mapping.DestroyLogicalType(&made[i])
			C.free(unsafe.Pointer(names[i]))
		}
		C.free(unsafe.Pointer(&types[0]))
		C.free(unsafe.Pointer(&names[0]))
	}()
	out := C.mallard_arrow_struct()
	defer C.free(out)
	if err := failed(C.duckdb_to_arrow_schema(c.options, &types[0], &names[0], C.uint64_t(n), out)); err != nil {
		return nil, fmt.Errorf("the columns as Arrow: %w", err)
	}
	return cdata.ImportCArrowSchema((*cdata.CArrowSchema)(out)) // which releases it
}

// batch gives the rows of a chunk, whose buffers the batch owns.
func (c *converter) batch(chunk mapping.DataChunk, s *arrow.Schema) (arrow.RecordBatch, error) {
	out := C.mallard_arrow_struct()
	defer C.free(out)
	if err := failed(C.duckdb_data_chunk_to_arrow(c.options, chunk.Ptr, out)); err != nil {
		return nil, fmt.Errorf("rows as Arrow: %w", err)
	}
	return cdata.ImportCRecordBatchWithSchema((*cdata.CArrowArray)(out), s)
}
