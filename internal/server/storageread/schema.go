package storageread

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/mallardml/mallard/googlesql"
)

// Arrow types and the metadata of fields are those of https://docs.cloud.google.com/bigquery/docs/reference/storage#arrow_schema_details:
// where several types of GoogleSQL become one of Arrow's, the metadata tells them apart.
var (
	bigNumeric = &arrow.Decimal256Type{Precision: 76, Scale: 38}

	scalars = map[googlesql.Kind]arrow.DataType{
		googlesql.Bool: arrow.FixedWidthTypes.Boolean, googlesql.Int64: arrow.PrimitiveTypes.Int64,
		googlesql.Float64: arrow.PrimitiveTypes.Float64,
		googlesql.Numeric: &arrow.Decimal128Type{Precision: 38, Scale: 9}, googlesql.BigNumeric: bigNumeric,
		googlesql.String: arrow.BinaryTypes.String, googlesql.Bytes: arrow.BinaryTypes.Binary, googlesql.JSON: arrow.BinaryTypes.String,
		googlesql.Date: arrow.FixedWidthTypes.Date32, googlesql.Time: arrow.FixedWidthTypes.Time64us,
		googlesql.DateTime: &arrow.TimestampType{Unit: arrow.Microsecond}, googlesql.Timestamp: arrow.FixedWidthTypes.Timestamp_us,
		googlesql.Interval: arrow.FixedWidthTypes.MonthDayNanoInterval,
	}
	extensions = map[googlesql.Kind]string{googlesql.DateTime: "google:sqlType:datetime", googlesql.JSON: "google:sqlType:json"}
)

// storedScale is the scale of the DECIMAL in which DuckDB keeps a BIGNUMERIC.
const storedScale = 18

func fieldOf(f googlesql.Field) (arrow.Field, error) {
	t, err := typeOf(f.Type)
	of := arrow.Field{Name: f.Name, Type: t, Nullable: f.Type.Kind != googlesql.Array}
	if name := extensions[f.Type.Kind]; name != "" {
		of.Metadata = arrow.NewMetadata([]string{"ARROW:extension:name"}, []string{name})
	}
	return of, err
}

func typeOf(t googlesql.Type) (arrow.DataType, error) {
	switch t.Kind {
	case googlesql.Array:
		item, err := fieldOf(googlesql.Field{Name: "item", Type: *t.Elem})
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(item), nil
	case googlesql.Struct:
		fields := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			var err error
			if fields[i], err = fieldOf(f); err != nil {
				return nil, err
			}
		}
		return arrow.StructOf(fields...), nil
	}
	if of := scalars[t.Kind]; of != nil {
		return of, nil
	}
	return nil, invalid("%s has no type of Arrow's", t)
}

func schemaOf(columns []googlesql.Field) (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		var err error
		if fields[i], err = fieldOf(c); err != nil {
			return nil, err
		}
	}
	return arrow.NewSchema(fields, nil), nil
}

// retyped gives the values of from, which DuckDB made, as BigQuery's type. Buffers are shared; only BIGNUMERICs are written anew, since
// they are twice as wide there. The caller releases it.
func retyped(from arrow.ArrayData, to arrow.DataType) (*array.Data, error) {
	if to == bigNumeric {
		return widened(from)
	}
	if !sameLayout(from.DataType(), to) {
		return nil, fmt.Errorf("DuckDB gives %s for %s", from.DataType(), to)
	}
	var inner []arrow.DataType
	switch t := to.(type) {
	case *arrow.ListType:
		inner = []arrow.DataType{t.Elem()}
	case *arrow.StructType:
		for _, f := range t.Fields() {
			inner = append(inner, f.Type)
		}
	}
	if len(inner) != len(from.Children()) {
		return nil, fmt.Errorf("DuckDB gives %s for %s", from.DataType(), to)
	}
	children := make([]arrow.ArrayData, len(inner))
	for i, child := range from.Children() {
		of, err := retyped(child, inner[i])
		if err != nil {
			return nil, err
		}
		defer of.Release() // the data retains it
		children[i] = of
	}
	return array.NewData(to, from.Len(), from.Buffers(), children, from.NullN(), from.Offset()), nil
}

// sameLayout reports whether values of the types lie in memory alike.
func sameLayout(a, b arrow.DataType) bool {
	if e, ok := a.(arrow.ExtensionType); ok {
		a = e.StorageType()
	}
	if a.ID() != b.ID() {
		return false
	}
	switch x := a.(type) {
	case *arrow.TimestampType:
		return x.Unit == b.(*arrow.TimestampType).Unit
	case *arrow.Decimal128Type:
		return x.Scale == b.(*arrow.Decimal128Type).Scale
	}
	return true
}

func widened(from arrow.ArrayData) (*array.Data, error) {
	if t, ok := from.DataType().(*arrow.Decimal128Type); !ok || t.Scale != storedScale {
		return nil, fmt.Errorf("DuckDB gives %s for a BIGNUMERIC", from.DataType())
	}
	in := array.NewDecimal128Data(from)
	defer in.Release()
	out := memory.NewResizableBuffer(memory.DefaultAllocator)
	defer out.Release() // the data retains it
	out.Resize(in.Len() * arrow.Decimal256SizeBytes)
	values := arrow.Decimal256Traits.CastFromBytes(out.Bytes())
	for i, v := range in.Values() {
		if in.IsNull(i) { // what lies there is nothing
			v = decimal128.Num{}
		}
		values[i] = decimal256.FromDecimal128(v).IncreaseScaleBy(bigNumeric.Scale - storedScale)
	}
	nulls := from.Buffers()[0]
	if nulls == nil || from.Offset() == 0 {
		return array.NewData(bigNumeric, in.Len(), []*memory.Buffer{nulls, out}, nil, in.NullN(), 0), nil
	}
	return nil, fmt.Errorf("a BIGNUMERIC column starts at row %d of its buffer", from.Offset())
}
