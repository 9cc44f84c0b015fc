package functions

import (
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"
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

var kindText = map[mapping.Type]string{
	mapping.TypeBlob: "BLOB", mapping.TypeVarchar: "VARCHAR", mapping.TypeBoolean: "BOOLEAN", mapping.TypeDouble: "DOUBLE",
	mapping.TypeFloat: "FLOAT", mapping.TypeTinyInt: "TINYINT", mapping.TypeSmallInt: "SMALLINT", mapping.TypeInteger: "INTEGER",
	mapping.TypeBigInt: "BIGINT", mapping.TypeUTinyInt: "UTINYINT", mapping.TypeUSmallInt: "USMALLINT",
	mapping.TypeUInteger: "UINTEGER", mapping.TypeUBigInt: "UBIGINT",
}

func scalarText(p *Port, types Types) string { return kindText[scalarKind(p, types)] }

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

// resultType builds STRUCT(o0 T0, o1 T1, …). The caller destroys it.
func resultType(outputs []Port, types Types) mapping.LogicalType {
	fields, names := make([]mapping.LogicalType, len(outputs)), make([]string, len(outputs))
	for i := range outputs {
		names[i] = fmt.Sprintf("o%d", i)
		t := mapping.CreateLogicalType(scalarKind(&outputs[i], types))
		ls := levels(&outputs[i], types)
		for j := len(ls) - 1; j >= 0; j-- {
			child := t
			if ls[j] < 0 {
				t = mapping.CreateListType(child)
			} else {
				t = mapping.CreateArrayType(child, mapping.IdxT(ls[j]))
			}
			mapping.DestroyLogicalType(&child)
		}
		fields[i] = t
	}
	s := mapping.CreateStructType(fields, names)
	for i := range fields {
		mapping.DestroyLogicalType(&fields[i])
	}
	return s
}
