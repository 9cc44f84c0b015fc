package remote

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/udf"
)

func isInteger(t udf.Type) bool {
	switch t.Kind {
	case mapping.TypeTinyInt, mapping.TypeSmallInt, mapping.TypeInteger, mapping.TypeBigInt, mapping.TypeUTinyInt, mapping.TypeUSmallInt,
		mapping.TypeUInteger, mapping.TypeUBigInt, mapping.TypeHugeInt, mapping.TypeUHugeInt:
		return true
	}
	return false
}

func isText(t udf.Type) bool { return t.Kind == mapping.TypeVarchar || t.Kind == mapping.TypeEnum }

func isNull(t udf.Type) bool { return t.Kind == mapping.TypeSQLNull }

// reads reports whether a column of DuckDB type c may feed a value of the type. An integer that is too large is noticed row
// by row.
func reads(t googlesql.Type, c udf.Type) bool {
	if isNull(c) {
		return true
	}
	switch t.Kind {
	case googlesql.Bool:
		return c.Kind == mapping.TypeBoolean
	case googlesql.Int64:
		return isInteger(c)
	case googlesql.Float64:
		return isInteger(c) || c.Kind == mapping.TypeFloat || c.Kind == mapping.TypeDouble || c.Kind == mapping.TypeDecimal
	case googlesql.Numeric, googlesql.BigNumeric:
		return isInteger(c) || c.Kind == mapping.TypeDecimal
	case googlesql.String:
		return isText(c)
	case googlesql.Array:
		return (c.Kind == mapping.TypeList || c.Kind == mapping.TypeArray) && reads(*t.Elem, c.Children[0])
	}
	return false
}

// isPrompt reports whether a column of this type can be a prompt: texts, files, and structs and lists of these.
func isPrompt(t udf.Type) bool {
	switch t.Kind {
	case mapping.TypeStruct:
		for i, c := range t.Children {
			// Of an ObjectRef only what is read matters.
			if !isPrompt(c) && !(hasField(t, "uri") && !strings.EqualFold(t.Names[i], "uri")) {
				return false
			}
		}
		return true
	case mapping.TypeList, mapping.TypeArray:
		return isPrompt(t.Children[0])
	}
	return isText(t) || isNull(t)
}

func hasField(t udf.Type, name string) bool {
	for _, n := range t.Names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// readValue gives the value of a row. Texts are views on the vector.
func readValue(t udf.Type, v mapping.Vector, row int) any {
	if isNull(t) || !udf.Valid(mapping.VectorGetValidity(v), row) {
		return nil
	}
	data := mapping.VectorGetData(v)
	switch t.Kind {
	case mapping.TypeBoolean:
		return *udf.At[bool](data, row)
	case mapping.TypeTinyInt:
		return int64(*udf.At[int8](data, row))
	case mapping.TypeSmallInt:
		return int64(*udf.At[int16](data, row))
	case mapping.TypeInteger:
		return int64(*udf.At[int32](data, row))
	case mapping.TypeBigInt:
		return *udf.At[int64](data, row)
	case mapping.TypeUTinyInt:
		return int64(*udf.At[uint8](data, row))
	case mapping.TypeUSmallInt:
		return int64(*udf.At[uint16](data, row))
	case mapping.TypeUInteger:
		return int64(*udf.At[uint32](data, row))
	case mapping.TypeUBigInt:
		return json.Number(fmt.Sprint(*udf.At[uint64](data, row)))
	case mapping.TypeHugeInt, mapping.TypeUHugeInt:
		return json.Number(udf.At[udf.HugeInt](data, row).Big(t.Kind == mapping.TypeHugeInt).String())
	case mapping.TypeFloat:
		return float64(*udf.At[float32](data, row))
	case mapping.TypeDouble:
		return *udf.At[float64](data, row)
	case mapping.TypeDecimal:
		return readDecimalAt(t, data, row)
	case mapping.TypeVarchar:
		if t.Alias == "JSON" {
			return jsonText(udf.At[udf.String](data, row).View())
		}
		return udf.At[udf.String](data, row).View()
	case mapping.TypeEnum:
		return t.Names[enumAt(t, data, row)]
	case mapping.TypeBlob:
		return []byte(udf.At[udf.String](data, row).View())
	case mapping.TypeList:
		e := *udf.At[udf.List](data, row)
		child := mapping.ListVectorGetChild(v)
		out := make([]any, e.Length)
		for i := range out {
			out[i] = readValue(t.Children[0], child, int(e.Offset)+i)
		}
		return out
	case mapping.TypeArray:
		child := mapping.ArrayVectorGetChild(v)
		out := make([]any, t.Size)
		for i := range out {
			out[i] = readValue(t.Children[0], child, row*t.Size+i)
		}
		return out
	case mapping.TypeStruct:
		r := record{names: t.Names, values: make([]any, len(t.Children))}
		for i, c := range t.Children {
			r.values[i] = readValue(c, mapping.StructVectorGetChild(v, mapping.IdxT(i)), row)
		}
		return r
	}
	return nil // a part of an ObjectRef that is not read
}

func readDecimalAt(t udf.Type, data unsafe.Pointer, row int) json.Number {
	var b *big.Int
	switch t.Storage {
	case mapping.TypeSmallInt:
		b = big.NewInt(int64(*udf.At[int16](data, row)))
	case mapping.TypeInteger:
		b = big.NewInt(int64(*udf.At[int32](data, row)))
	case mapping.TypeBigInt:
		b = big.NewInt(*udf.At[int64](data, row))
	default:
		b = udf.At[udf.HugeInt](data, row).Big(true)
	}
	return decimalNumber(b, int(t.Scale))
}

// enumAt is the number of an ENUM's value.
func enumAt(t udf.Type, data unsafe.Pointer, row int) int {
	switch t.Storage {
	case mapping.TypeUTinyInt:
		return int(*udf.At[uint8](data, row))
	case mapping.TypeUSmallInt:
		return int(*udf.At[uint16](data, row))
	}
	return int(*udf.At[uint32](data, row))
}

// decimalNumber writes v divided by 10^scale.
func decimalNumber(v *big.Int, scale int) json.Number {
	s := new(big.Int).Abs(v).String()
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	if scale > 0 {
		s = strings.TrimRight(strings.TrimRight(s[:len(s)-scale]+"."+s[len(s)-scale:], "0"), ".")
	}
	if v.Sign() < 0 {
		s = "-" + s
	}
	return json.Number(s)
}

// stored is the DuckDB type.
func stored(t googlesql.Type) udf.Type {
	switch t.Kind {
	case googlesql.Bool:
		return udf.Of(mapping.TypeBoolean)
	case googlesql.Int64:
		return udf.Of(mapping.TypeBigInt)
	case googlesql.Float64:
		return udf.Of(mapping.TypeDouble)
	case googlesql.Numeric, googlesql.BigNumeric:
		return udf.Decimal(38, uint8(decimalScale(t)))
	case googlesql.JSON:
		return udf.JSON()
	case googlesql.Array:
		return udf.ListOf(stored(*t.Elem))
	case googlesql.Struct:
		fields := make([]udf.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = udf.Field{Name: f.Name, Type: stored(f.Type)}
		}
		return udf.StructOf(fields...)
	}
	return udf.Of(mapping.TypeVarchar)
}

// writeVector stores values at the slots of a vector from base on. The NULL of a parent is written to all its children: its own
// bit alone would show what lies in the slots.
func writeVector(t googlesql.Type, vec mapping.Vector, base int, values []any) error {
	switch t.Kind {
	case googlesql.Array:
		return writeLists(t, vec, base, values)
	case googlesql.Struct:
		field := make([]any, len(values))
		for f := range t.Fields {
			for i, v := range values {
				field[i] = nil
				if v != nil {
					field[i] = v.([]any)[f]
				}
			}
			if err := writeVector(t.Fields[f].Type, mapping.StructVectorGetChild(vec, mapping.IdxT(f)), base, field); err != nil {
				return err
			}
		}
		for i, v := range values {
			if v == nil {
				udf.SetNull(vec, base+i)
			}
		}
		return nil
	}
	data := mapping.VectorGetData(vec)
	for i, v := range values {
		switch v := v.(type) {
		case nil:
			udf.SetNull(vec, base+i)
		case bool:
			*udf.At[bool](data, base+i) = v
		case int64:
			*udf.At[int64](data, base+i) = v
		case float64:
			*udf.At[float64](data, base+i) = v
		case *big.Int:
			*udf.At[udf.HugeInt](data, base+i) = udf.HugeOf(v)
		case string:
			v = strings.ToValidUTF8(v, "\uFFFD") // SetText refuses what is not valid
			if err := udf.SetText(vec, base+i, v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: a %T stands for a %s", udf.ErrPanic, v, t)
		}
	}
	return nil
}

func writeLists(t googlesql.Type, vec mapping.Vector, base int, values []any) error {
	total := 0
	for _, v := range values {
		switch v := v.(type) {
		case []any:
			total += len(v)
		case []float64:
			total += len(v)
		}
	}
	begin, err := udf.Extend(vec, total)
	if err != nil {
		return err
	}
	entries := mapping.VectorGetData(vec)
	child := mapping.ListVectorGetChild(vec)
	next := begin
	for i, v := range values {
		n := 0
		switch v := v.(type) {
		case nil:
			udf.SetNull(vec, base+i)
		case []float64:
			if n = len(v); n > 0 {
				copy(unsafe.Slice(udf.At[float64](mapping.VectorGetData(child), next), n), v)
			}
		case []any:
			n = len(v)
			if err := writeVector(*t.Elem, child, next, v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: a %T stands for a %s", udf.ErrPanic, v, t)
		}
		*udf.At[udf.List](entries, base+i) = udf.List{Offset: uint64(next), Length: uint64(n)}
		next += n
	}
	return nil
}
