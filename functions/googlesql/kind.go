package googlesql

import (
	"database/sql"
	"fmt"
	"math/big"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// The Go types of values that Go's own types do not tell apart.
type (
	jsonText   string // of a JSON
	date       int32  // days since 1970-01-01
	datetime   int64  // microseconds since 1970-01-01 00:00:00
	timestamp  int64  // microseconds since 1970-01-01 00:00:00 UTC
	timeOfDay  int64  // microseconds since midnight
	interval   = udf.Interval
	numeric    struct{ *big.Int } // times 10^9
	bignumeric struct{ *big.Int } // times 10^18
	hugeint    struct{ *big.Int }
)

// kind is how the values of a Go type lie in vectors.
type kind[T any] struct {
	of    udf.Type
	nulls bool // a value tells whether it is NULL
	// read gives the values of a vector where they lie: texts and bytes live as long as the vector.
	read  func(v mapping.Vector) func(i int) T
	write func(v mapping.Vector, i int, x T) error
}

// kindOf finds how a Go type is kept. It panics for one that is not listed.
func kindOf[T any]() kind[T] {
	var k any
	switch any(*new(T)).(type) {
	case string:
		k = kind[string]{of: udf.Of(mapping.TypeVarchar), read: readText[string], write: udf.SetText}
	case jsonText:
		k = kind[jsonText]{of: udf.JSON(), read: readText[jsonText], write: func(v mapping.Vector, i int, x jsonText) error {
			return udf.SetText(v, i, string(x))
		}}
	case []byte:
		read := func(v mapping.Vector) func(int) []byte { return udf.Read(v).Bytes }
		k = kind[[]byte]{of: udf.Of(mapping.TypeBlob), read: read, write: udf.SetBytes}
	case bool:
		k = plain[bool](mapping.TypeBoolean)
	case int64:
		k = plain[int64](mapping.TypeBigInt)
	case float64:
		k = plain[float64](mapping.TypeDouble)
	case date:
		k = plain[date](mapping.TypeDate)
	case datetime:
		k = plain[datetime](mapping.TypeTimestamp)
	case timestamp:
		k = plain[timestamp](mapping.TypeTimestampTZ)
	case timeOfDay:
		k = plain[timeOfDay](mapping.TypeTime)
	case interval:
		k = plain[interval](mapping.TypeInterval)
	case numeric:
		k = kind[numeric]{of: udf.Decimal(38, 9), read: readDecimal[numeric], write: writeDecimal[numeric]}
	case bignumeric:
		k = kind[bignumeric]{of: udf.Decimal(38, 18), read: readDecimal[bignumeric], write: writeDecimal[bignumeric]}
	case hugeint:
		k = kind[hugeint]{of: udf.Of(mapping.TypeHugeInt), read: readDecimal[hugeint], write: writeDecimal[hugeint]}
	case sql.Null[string]:
		k = nullable[string]()
	case sql.Null[jsonText]:
		k = nullable[jsonText]()
	case sql.Null[[]byte]:
		k = nullable[[]byte]()
	case sql.Null[bool]:
		k = nullable[bool]()
	case sql.Null[int64]:
		k = nullable[int64]()
	case sql.Null[float64]:
		k = nullable[float64]()
	case sql.Null[date]:
		k = nullable[date]()
	case sql.Null[datetime]:
		k = nullable[datetime]()
	case sql.Null[timestamp]:
		k = nullable[timestamp]()
	case sql.Null[timeOfDay]:
		k = nullable[timeOfDay]()
	case sql.Null[interval]:
		k = nullable[interval]()
	case sql.Null[numeric]:
		k = nullable[numeric]()
	case sql.Null[bignumeric]:
		k = nullable[bignumeric]()
	default:
		k = listKind[T]()
	}
	return k.(kind[T])
}

// listKind finds how a slice is kept.
func listKind[T any]() any {
	switch any(*new(T)).(type) {
	case []string:
		return list[string]()
	case []jsonText:
		return list[jsonText]()
	case [][]byte:
		return list[[]byte]()
	case []bool:
		return list[bool]()
	case []int64:
		return list[int64]()
	case []float64:
		return list[float64]()
	case []sql.Null[numeric]:
		return list[sql.Null[numeric]]()
	case []sql.Null[bignumeric]:
		return list[sql.Null[bignumeric]]()
	case []date:
		return list[date]()
	case []timestamp:
		return list[timestamp]()
	case []numeric:
		return list[numeric]()
	case []bignumeric:
		return list[bignumeric]()
	case []sql.Null[string]:
		return list[sql.Null[string]]()
	case []sql.Null[jsonText]:
		return list[sql.Null[jsonText]]()
	case []sql.Null[[]byte]:
		return list[sql.Null[[]byte]]()
	case []sql.Null[bool]:
		return list[sql.Null[bool]]()
	case []sql.Null[int64]:
		return list[sql.Null[int64]]()
	case []sql.Null[float64]:
		return list[sql.Null[float64]]()
	case sql.Null[[]string]:
		return nullable[[]string]()
	case sql.Null[[]jsonText]:
		return nullable[[]jsonText]()
	case sql.Null[[]bool]:
		return nullable[[]bool]()
	case sql.Null[[]int64]:
		return nullable[[]int64]()
	case sql.Null[[]float64]:
		return nullable[[]float64]()
	case sql.Null[[]sql.Null[string]]:
		return nullable[[]sql.Null[string]]()
	case sql.Null[[]sql.Null[bool]]:
		return nullable[[]sql.Null[bool]]()
	case sql.Null[[]sql.Null[int64]]:
		return nullable[[]sql.Null[int64]]()
	case sql.Null[[]sql.Null[float64]]:
		return nullable[[]sql.Null[float64]]()
	}
	panic(fmt.Sprintf("no type of DuckDB's for %T", *new(T)))
}

func plain[T any](t mapping.Type) kind[T] {
	return kind[T]{of: udf.Of(t), read: func(v mapping.Vector) func(int) T {
		data := mapping.VectorGetData(v)
		return func(i int) T { return *udf.At[T](data, i) }
	}, write: func(v mapping.Vector, i int, x T) error {
		*udf.At[T](mapping.VectorGetData(v), i) = x
		return nil
	}}
}

func readText[T ~string](v mapping.Vector) func(i int) T {
	c := udf.Read(v)
	return func(i int) T { return T(c.Text(i)) }
}

func readDecimal[T ~struct{ *big.Int }](v mapping.Vector) func(i int) T {
	data := mapping.VectorGetData(v)
	return func(i int) T { return T{udf.At[udf.HugeInt](data, i).Big(true)} }
}

// mostDecimal is the first integer of 39 digits.
var mostDecimal = new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)

func writeDecimal[T ~struct{ *big.Int }](v mapping.Vector, i int, x T) error {
	n := struct{ *big.Int }(x).Int
	if n.CmpAbs(mostDecimal) >= 0 {
		return fmt.Errorf("%s is a number of more than 38 digits", n)
	}
	*udf.At[udf.HugeInt](mapping.VectorGetData(v), i) = udf.HugeOf(n)
	return nil
}

func nullable[T any]() kind[sql.Null[T]] {
	k := kindOf[T]()
	return kind[sql.Null[T]]{of: k.of, nulls: true, read: func(v mapping.Vector) func(int) sql.Null[T] {
		c, read := udf.Read(v), k.read(v)
		return func(i int) sql.Null[T] {
			if c.Null(i) {
				return sql.Null[T]{}
			}
			return sql.Null[T]{V: read(i), Valid: true}
		}
	}, write: func(v mapping.Vector, i int, x sql.Null[T]) error {
		if !x.Valid {
			setNull(v, i, k.of)
			return nil
		}
		return k.write(v, i, x.V)
	}}
}

// list keeps a slice. An element that is NULL is the zero value where the Go type of elements has no NULL.
func list[T any]() kind[[]T] {
	k := kindOf[T]()
	return kind[[]T]{of: udf.ListOf(k.of), read: func(v mapping.Vector) func(int) []T {
		c, child := udf.Read(v), mapping.ListVectorGetChild(v)
		elements, read := udf.Read(child), k.read(child)
		return func(i int) []T {
			l := c.List(i)
			all := make([]T, l.Length)
			for j := range all {
				if at := int(l.Offset) + j; k.nulls || !elements.Null(at) {
					all[j] = read(at)
				}
			}
			return all
		}
	}, write: func(v mapping.Vector, i int, x []T) error {
		first, err := udf.SetList(v, i, len(x))
		if err != nil {
			return err
		}
		child := mapping.ListVectorGetChild(v)
		for j, e := range x {
			if err := k.write(child, first+j, e); err != nil {
				return err
			}
		}
		return nil
	}}
}

// setNull makes a slot of a result NULL.
func setNull(v mapping.Vector, i int, t udf.Type) {
	udf.SetNull(v, i)
	if t.Kind == mapping.TypeList {
		*udf.At[udf.List](mapping.VectorGetData(v), i) = udf.List{}
	}
}
