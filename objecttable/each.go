package objecttable

import (
	"fmt"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/udf"
)

// each is the form of a function over an array: of its first argument's elements, each with the other arguments of its row.
// A NULL array gives NULL.
func each(s *scalar) *scalar {
	params := append([]udf.Type{udf.ListOf(s.params[0])}, s.params[1:]...)
	return &scalar{name: s.name, says: s.says, params: params, result: udf.ListOf(s.result), bind: s.bind,
		f: func(q *Query, conn uint64, in []mapping.Vector, n int, out mapping.Vector) error {
			lists := udf.Read(in[0])
			entries := mapping.VectorGetData(out)
			var elements, rows []uint32 // of the result: which element of the input it is of, and which row
			for i := range n {
				if lists.Null(i) {
					udf.SetNull(out, i)
					continue
				}
				l := *udf.At[udf.List](lists.Data, i)
				*udf.At[udf.List](entries, i) = udf.List{Offset: uint64(len(rows)), Length: l.Length}
				for e := range l.Length {
					elements, rows = append(elements, uint32(l.Offset+e)), append(rows, uint32(i))
				}
			}
			first, err := udf.Extend(out, len(rows))
			if err != nil || len(rows) == 0 {
				return err
			}
			if first != 0 {
				return fmt.Errorf("%w: the result has %s before its first", udf.ErrPanic, amount.Of(first, "element"))
			}
			args := make([]mapping.Vector, len(in))
			args[0] = pick(mapping.ListVectorGetChild(in[0]), elements)
			for k := 1; k < len(in); k++ {
				args[k] = pick(in[k], rows)
			}
			defer func() {
				for k := range args {
					mapping.DestroyVector(&args[k])
				}
			}()
			return s.f(q, conn, args, len(rows), mapping.ListVectorGetChild(out))
		},
	}
}

// ofNull is the form of a function over a bare NULL, which DuckDB would find as good an array as an element.
func ofNull(s *scalar) *scalar {
	params := append([]udf.Type{udf.Of(mapping.TypeSQLNull)}, s.params[1:]...)
	return &scalar{name: s.name, says: s.says, params: params, result: s.result,
		f: func(_ *Query, _ uint64, _ []mapping.Vector, n int, out mapping.Vector) error {
			for i := range n {
				if len(s.result.Children) > 0 {
					udf.SetNullStruct(out, i, len(s.result.Children))
				} else {
					udf.SetNull(out, i)
				}
			}
			return nil
		},
	}
}

// pick copies values of a vector, by their places, to a new one, which the caller destroys.
func pick(v mapping.Vector, places []uint32) mapping.Vector {
	n := mapping.IdxT(len(places))
	t := mapping.VectorGetColumnType(v)
	defer mapping.DestroyLogicalType(&t)
	sel := mapping.CreateSelectionVector(n)
	defer mapping.DestroySelectionVector(&sel)
	copy(unsafe.Slice((*uint32)(unsafe.Pointer(mapping.SelectionVectorGetDataPtr(sel))), n), places)
	out := mapping.CreateVector(t, n)
	mapping.VectorCopySel(v, out, sel, n, 0, 0)
	return out
}
