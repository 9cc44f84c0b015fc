package functions

import (
	"fmt"
	"runtime/debug"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// TextFunc computes one row of a text function. conn is DuckDB's id of the calling connection. args[i] is empty where
// null[i] is true. The strings are views on DuckDB's memory and end with the call: clone what is kept. It returns the
// text, or true for NULL. It runs on several threads at once.
type TextFunc func(conn uint64, args []string, null []bool) (text string, isNull bool, err error)

// RegisterText registers a scalar function of params VARCHARs (and any number more with varargs) that returns VARCHAR.
// It sees NULL arguments. DuckDB folds calls with constant arguments unless the function is volatile. Text that is not
// valid UTF-8 is an error, since DuckDB would store NULL instead.
func RegisterText(conn mapping.Connection, name string, params int, varargs, volatile bool, f TextFunc) error {
	varchar := mapping.CreateLogicalType(mapping.TypeVarchar)
	defer mapping.DestroyLogicalType(&varchar)
	fn := mapping.CreateScalarFunction()
	defer mapping.DestroyScalarFunction(&fn)
	mapping.ScalarFunctionSetName(fn, name)
	for range params {
		mapping.ScalarFunctionAddParameter(fn, varchar)
	}
	if varargs {
		mapping.ScalarFunctionSetVarargs(fn, varchar)
	}
	mapping.ScalarFunctionSetReturnType(fn, varchar)
	return register(conn, fn, name, volatile, &textFunction{name: name, f: f})
}

type textFunction struct {
	name string
	f    TextFunc
}

func (t *textFunction) bind(b *binding) (executor, error) {
	return &textCall{textFunction: t, conn: b.conn}, nil
}

// textCall is a text function bound in one statement.
type textCall struct {
	*textFunction
	conn uint64
}

func (t *textCall) close() {}

func (t *textCall) execute(chunk mapping.DataChunk, out mapping.Vector) (err error) {
	defer rescue(&err)
	n := int(mapping.DataChunkGetSize(chunk))
	cols := make([]textColumn, mapping.DataChunkGetColumnCount(chunk))
	for i := range cols {
		v := mapping.DataChunkGetVector(chunk, mapping.IdxT(i))
		cols[i] = textColumn{(*stringT)(mapping.VectorGetData(v)), mapping.VectorGetValidity(v)}
	}
	args, null := make([]string, len(cols)), make([]bool, len(cols))
	for row := range n {
		for i, c := range cols {
			null[i] = !valid(c.mask, row)
			args[i] = ""
			if !null[i] {
				args[i] = at(c.data, row).view()
			}
		}
		text, isNull, err := t.f(t.conn, args, null)
		if err != nil {
			return err
		}
		if isNull {
			setNull(out, row)
			continue
		}
		if err := assignText(out, row, text); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

type textColumn struct {
	data *stringT
	mask unsafe.Pointer
}

// rescue turns a panic into an error: unwinding into DuckDB's frames would end the process.
func rescue(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("internal error, please report it: %v\n%s", r, debug.Stack())
	}
}
