package functions

import (
	"fmt"
	"slices"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// TextFunc computes one row of a text function. conn is DuckDB's id of the calling connection. args[i] is empty where
// null[i] is true. The strings are views on DuckDB's memory and end with the call: clone what is kept. It returns the
// text, or true for NULL. It runs on several threads at once.
type TextFunc func(conn uint64, args []string, null []bool) (text string, isNull bool, err error)

// RegisterText registers a scalar function of params VARCHARs (and any number more with varargs) that returns VARCHAR.
// It sees NULL arguments. DuckDB folds calls with constant arguments unless the function is volatile. Text that is not
// valid UTF-8 is an error: a VARCHAR cannot hold it.
func RegisterText(conn mapping.Connection, name string, params int, varargs, volatile bool, f TextFunc) error {
	varchar := udf.Of(mapping.TypeVarchar)
	u := udf.Scalar{Name: name, Params: slices.Repeat([]udf.Type{varchar}, params), Result: varchar, Volatile: volatile}
	if varargs {
		u.Varargs = varchar
	}
	u.Bind = func(b *udf.Binding) (udf.Call, error) { return &textCall{name: name, f: f, conn: b.Conn}, nil }
	return u.Register(conn)
}

// textCall is a text function bound in one statement.
type textCall struct {
	name string
	f    TextFunc
	conn uint64
}

// Close has nothing to give back.
func (t *textCall) Close() {}

// Execute computes a chunk row by row.
func (t *textCall) Execute(chunk mapping.DataChunk, out mapping.Vector) error {
	n := int(mapping.DataChunkGetSize(chunk))
	cols := make([]udf.Column, mapping.DataChunkGetColumnCount(chunk))
	for i := range cols {
		cols[i] = udf.Read(mapping.DataChunkGetVector(chunk, mapping.IdxT(i)))
	}
	args, null := make([]string, len(cols)), make([]bool, len(cols))
	for row := range n {
		for i, c := range cols {
			null[i] = c.Null(row)
			args[i] = ""
			if !null[i] {
				args[i] = c.Text(row)
			}
		}
		text, isNull, err := t.f(t.conn, args, null)
		if err != nil {
			return err
		}
		if isNull {
			udf.SetNull(out, row)
			continue
		}
		if err := udf.SetText(out, row, text); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}
