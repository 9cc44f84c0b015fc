package googlesql

import (
	"encoding/json"
	"fmt"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/udf"
)

// value is a value of any type. Its data is nil for NULL, else the Go type that kindOf has for its type: bool, int64, float64,
// numeric, bignumeric, string, []byte, date, datetime, timeOfDay, timestamp, interval, jsonText, or []value for the elements
// of an ARRAY and the fields of a STRUCT. Texts and bytes live as long as the vector.
type value struct {
	of   googlesql.Type
	data any
}

// anyValues makes a function of values of any types. Its first argument is a constant: their types, as JSON of
// googlesql.Type (see TypesText in the writer), which tell what DuckDB's do not, such as the fields without names.
func anyValues[R any](make func() func([]value) (R, error)) definition {
	k := kindOf[R]()
	return definition{
		params: []udf.Type{udf.Of(mapping.TypeVarchar)}, varargs: udf.Of(mapping.TypeAny), result: k.of,
		bind: func(b *udf.Binding) (execute, error) {
			text, err := b.Text(0)
			if err != nil {
				return nil, err
			}
			var types []googlesql.Type
			if err := json.Unmarshal([]byte(text), &types); err != nil || len(types) != b.Count()-1 {
				return nil, fmt.Errorf("the types of %d arguments are missing: %w", b.Count()-1, err)
			}
			f := make()
			return func(chunk mapping.DataChunk, out mapping.Vector) error {
				if err := checkTypes(types, chunk); err != nil {
					return err
				}
				read := readers(types, chunk)
				row := func(i int) (R, error) {
					values := []value{}
					for _, r := range read {
						values = append(values, r(i))
					}
					return f(values)
				}
				return each(k, chunk, out, func(int) bool { return false }, row)
			}, nil
		},
	}
}

// checkTypes tells when values are not of the types that are said to be theirs. It looks at the vectors: DuckDB cannot give the
// expression of an argument while a call is bound where it is a subquery.
func checkTypes(types []googlesql.Type, chunk mapping.DataChunk) error {
	for i, t := range types {
		if got := udf.VectorType(mapping.DataChunkGetVector(chunk, mapping.IdxT(i+1))); !matches(t, got) {
			return fmt.Errorf("argument %d is %s, not %s", i+1, got, t.DuckDB())
		}
	}
	return nil
}

// matches reports whether values of a type of GoogleSQL's lie in DuckDB as got.
func matches(t googlesql.Type, got udf.Type) bool {
	switch t.Kind {
	case googlesql.Array:
		return got.Kind == mapping.TypeList && matches(*t.Elem, got.Children[0])
	case googlesql.Struct:
		if got.Kind != mapping.TypeStruct || len(got.Children) != len(t.Fields) {
			return false
		}
		for i, f := range t.Fields {
			if !matches(f.Type, got.Children[i]) {
				return false
			}
		}
		return true
	}
	return got.String() == t.DuckDB() || bare(got) == t.DuckDB()
}

// bare is the name of a DECIMAL with its width.
func bare(t udf.Type) string { return fmt.Sprintf("%s(%d,%d)", udf.KindName(t.Kind), t.Width, t.Scale) }

func readers(types []googlesql.Type, chunk mapping.DataChunk) []func(i int) value {
	all := make([]func(i int) value, len(types))
	for i, t := range types {
		all[i] = readerOf(t, mapping.DataChunkGetVector(chunk, mapping.IdxT(i+1)))
	}
	return all
}

// readerOf reads the values of a vector.
func readerOf(t googlesql.Type, v mapping.Vector) func(i int) value {
	c := udf.Read(v)
	data := scalarReader(t, v)
	switch t.Kind {
	case googlesql.Array:
		elem := readerOf(*t.Elem, mapping.ListVectorGetChild(v))
		data = func(i int) any {
			l := c.List(i)
			all := make([]value, l.Length)
			for j := range all {
				all[j] = elem(int(l.Offset) + j)
			}
			return all
		}
	case googlesql.Struct:
		fields := make([]func(int) value, len(t.Fields))
		for k, f := range t.Fields {
			fields[k] = readerOf(f.Type, mapping.StructVectorGetChild(v, mapping.IdxT(k)))
		}
		data = func(i int) any {
			all := make([]value, len(fields))
			for k, f := range fields {
				all[k] = f(i)
			}
			return all
		}
	}
	return func(i int) value {
		if c.Null(i) {
			return value{of: t}
		}
		return value{t, data(i)}
	}
}

func scalarReader(t googlesql.Type, v mapping.Vector) func(i int) any {
	switch t.Kind {
	case googlesql.Bool:
		return boxed[bool](v)
	case googlesql.Int64:
		return boxed[int64](v)
	case googlesql.Float64:
		return boxed[float64](v)
	case googlesql.Numeric:
		return boxed[numeric](v)
	case googlesql.BigNumeric:
		return boxed[bignumeric](v)
	case googlesql.String:
		return boxed[string](v)
	case googlesql.Bytes:
		return boxed[[]byte](v)
	case googlesql.JSON:
		return boxed[jsonText](v)
	case googlesql.Date:
		return boxed[date](v)
	case googlesql.DateTime:
		return boxed[datetime](v)
	case googlesql.Time:
		return boxed[timeOfDay](v)
	case googlesql.Timestamp:
		return boxed[timestamp](v)
	case googlesql.Interval:
		return boxed[interval](v)
	}
	return func(int) any { return nil }
}

func boxed[T any](v mapping.Vector) func(i int) any {
	read := kindOf[T]().read(v)
	return func(i int) any { return read(i) }
}
