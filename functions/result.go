package functions

import (
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// maxArray is the longest fixed array that DuckDB has; longer rows become lists.
const maxArray = 100_000

// scalarKind is the DuckDB type of one element of an output.
func scalarKind(p *Port, types Types) mapping.Type {
	switch d := p.DType; {
	case d == String && p.Binary:
		return mapping.TypeBlob
	case d == String:
		return mapping.TypeVarchar
	case d == Bool:
		return mapping.TypeBoolean
	case types == BigQuery && d.Integer():
		return mapping.TypeBigInt
	case types == BigQuery || d == Float64:
		return mapping.TypeDouble
	case d.Float():
		return mapping.TypeFloat
	}
	return [...]mapping.Type{
		Int8: mapping.TypeTinyInt, Int16: mapping.TypeSmallInt, Int32: mapping.TypeInteger, Int64: mapping.TypeBigInt,
		Uint8: mapping.TypeUTinyInt, Uint16: mapping.TypeUSmallInt, Uint32: mapping.TypeUInteger, Uint64: mapping.TypeUBigInt,
	}[p.DType]
}

func scalarText(p *Port, types Types) string { return udf.KindName(scalarKind(p, types)) }

// levels gives the nesting of an output, outermost first: the length of a fixed array, or -1 for a list.
func levels(p *Port, types Types) []int {
	if p.scalar() {
		return nil
	}
	if types == BigQuery {
		return []int{-1}
	}
	ls := make([]int, len(p.inner()))
	for i, d := range p.inner() {
		ls[i] = -1
		if d >= 1 && d < maxArray {
			ls[i] = int(d)
		}
	}
	return ls
}

// SQLType is the DuckDB type of an output.
func (p *Port) SQLType(types Types) string {
	ls := levels(p, types)
	var b strings.Builder
	b.WriteString(scalarText(p, types))
	for i := len(ls) - 1; i >= 0; i-- { // the innermost stands first
		if ls[i] < 0 {
			b.WriteString("[]")
		} else {
			fmt.Fprintf(&b, "[%d]", ls[i])
		}
	}
	return b.String()
}

func resultText(outputs []Port, types Types) string {
	parts := make([]string, len(outputs))
	for i := range outputs {
		parts[i] = outputs[i].SQLType(types)
	}
	return strings.Join(parts, ", ")
}

// resultType is STRUCT(o0 T0, o1 T1, …).
func resultType(outputs []Port, types Types) udf.Type {
	fields := make([]udf.Field, len(outputs))
	for i := range outputs {
		t := udf.Of(scalarKind(&outputs[i], types))
		ls := levels(&outputs[i], types)
		for j := len(ls) - 1; j >= 0; j-- {
			if ls[j] < 0 {
				t = udf.ListOf(t)
			} else {
				t = udf.ArrayOf(t, ls[j])
			}
		}
		fields[i] = udf.Field{Name: fmt.Sprintf("o%d", i), Type: t}
	}
	return udf.StructOf(fields...)
}
