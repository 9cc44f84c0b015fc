package functions

import (
	"fmt"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// strings views the texts of some rows.
func (f *feed) strings(to []string, rows []int32, n int) {
	data := f.data // of the loops below: the compiler would read the field for every row
	if f.leaf.kind == mapping.TypeVarchar || f.leaf.kind == mapping.TypeBlob {
		if f.listed == 0 && n == 1 {
			for i, r := range rows {
				to[i] = udf.At[udf.String](data, int(r)).View()
			}
			return
		}
		f.each(rows, n, func(i, elem int) { to[i] = udf.At[udf.String](data, elem).View() })
		return
	}
	if f.leaf.kind == mapping.TypeEnum {
		f.each(rows, n, func(i, elem int) { to[i] = f.leaf.names[f.enum(elem)] })
		return
	}
	f.each(rows, n, func(i, elem int) { to[i] = uuidText(*udf.At[udf.HugeInt](data, elem)) })
}

// each walks the elements of some rows in order.
func (f *feed) each(rows []int32, n int, do func(i, elem int)) {
	i := 0
	for _, r := range rows {
		if f.where != nil && f.starts[r] < 0 {
			w := f.where[r]
			for _, p := range f.pieces[w.first : w.first+w.count] {
				for e := range w.elems {
					do(i, p+e)
					i++
				}
			}
			continue
		}
		begin := f.start(r)
		for e := range n {
			do(i, begin+e)
			i++
		}
	}
}

func (f *feed) enum(i int) int {
	switch f.leaf.storage {
	case mapping.TypeUTinyInt:
		return int(*udf.At[uint8](f.data, i))
	case mapping.TypeUSmallInt:
		return int(*udf.At[uint16](f.data, i))
	}
	return int(*udf.At[uint32](f.data, i))
}

// uuidText writes a UUID as DuckDB shows it; its upper half is stored with the first bit turned over.
func uuidText(h udf.HugeInt) string {
	hi := uint64(h.Upper) ^ 1<<63
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, h.Lower>>48, h.Lower&(1<<48-1))
}
