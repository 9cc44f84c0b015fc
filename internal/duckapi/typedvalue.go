package duckapi

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
)

// TypedValue is an argument with its GoogleSQL type, which a NULL, an empty ARRAY, a DATE and a STRUCT do not tell by
// themselves. Value is nil for NULL; by its type a bool, int64, float64, string (STRING and JSON), []byte, time.Time (DATE, DATETIME
// and TIME by what it shows in UTC, TIMESTAMP), duckdb.Decimal, duckdb.Interval, []any for an ARRAY, and for a STRUCT a []any
// with a value for each field in their order.
type TypedValue struct {
	Type  googlesql.Type
	Value any
}

// typedIDs are the DuckDB types of the scalar kinds, and the Go types of their values.
var typedIDs = map[googlesql.Kind]struct {
	id   mapping.Type
	goes reflect.Type
}{
	googlesql.Bool: {mapping.TypeBoolean, reflect.TypeFor[bool]()}, googlesql.Int64: {mapping.TypeBigInt, reflect.TypeFor[int64]()},
	googlesql.Float64: {mapping.TypeDouble, reflect.TypeFor[float64]()}, googlesql.String: {mapping.TypeVarchar, reflect.TypeFor[string]()},
	googlesql.JSON: {mapping.TypeVarchar, reflect.TypeFor[string]()}, googlesql.Bytes: {mapping.TypeBlob, reflect.TypeFor[[]byte]()},
	googlesql.Numeric:    {mapping.TypeDecimal, reflect.TypeFor[duckdb.Decimal]()},
	googlesql.BigNumeric: {mapping.TypeDecimal, reflect.TypeFor[duckdb.Decimal]()},
	googlesql.Date:       {mapping.TypeDate, reflect.TypeFor[time.Time]()},
	googlesql.DateTime:   {mapping.TypeTimestamp, reflect.TypeFor[time.Time]()},
	googlesql.Time:       {mapping.TypeTime, reflect.TypeFor[time.Time]()},
	googlesql.Timestamp:  {mapping.TypeTimestampTZ, reflect.TypeFor[time.Time]()},
	googlesql.Interval:   {mapping.TypeInterval, reflect.TypeFor[duckdb.Interval]()},
}

// typedType gives the DuckDB type of a GoogleSQL type, and checks that a value is of it.
func typedType(t googlesql.Type, v any, depth int) (*valueType, error) {
	if depth > deepest {
		return nil, fmt.Errorf("the type is nested too deeply")
	}
	wrong := func() error { return fmt.Errorf("a %T cannot be the value of %s", v, t) }
	switch t.Kind {
	case googlesql.Array:
		if t.Elem == nil {
			return nil, fmt.Errorf("the ARRAY has no type of elements")
		}
		items, ok := v.([]any)
		if v != nil && !ok {
			return nil, wrong()
		}
		elem, err := typedType(*t.Elem, nil, depth+1)
		for i := range items {
			if err == nil {
				_, err = typedType(*t.Elem, items[i], depth+1)
			}
		}
		return &valueType{id: mapping.TypeList, elem: elem}, err
	case googlesql.Struct:
		parts, ok := v.([]any)
		if v != nil && (!ok || len(parts) != len(t.Fields)) || len(t.Fields) == 0 {
			return nil, wrong()
		}
		of := &valueType{id: mapping.TypeStruct}
		for i, f := range t.Fields {
			var part any
			if parts != nil {
				part = parts[i]
			}
			c, err := typedType(f.Type, part, depth+1)
			if err != nil {
				return nil, err
			}
			name := f.Name
			if name == "" {
				name = fmt.Sprintf("_field_%d", i+1)
			}
			of.names, of.fields = append(of.names, name), append(of.fields, c)
		}
		return of, nil
	}
	of, ok := typedIDs[t.Kind]
	if !ok {
		return nil, fmt.Errorf("DuckDB has no type for %s", t)
	}
	if v != nil && reflect.TypeOf(v) != of.goes {
		return nil, wrong()
	}
	switch v := v.(type) {
	case string:
		return &valueType{id: of.id}, checkText(v)
	case duckdb.Decimal:
		return decimalType(v)
	}
	if t.Kind == googlesql.Numeric || t.Kind == googlesql.BigNumeric { // a NULL
		return &valueType{id: mapping.TypeDecimal, width: 38, s: typedScale(t.Kind)}, nil
	}
	return &valueType{id: of.id}, nil
}

func typedScale(kind googlesql.Kind) uint8 {
	if kind == googlesql.BigNumeric {
		return 18
	}
	return 9
}

// typedDecimal gives the number behind a DECIMAL of another scale.
func typedDecimal(v duckdb.Decimal, scale uint8) (*big.Int, error) {
	n := new(big.Int).Set(v.Value)
	ten := big.NewInt(10)
	for ; v.Scale < scale; v.Scale++ {
		n.Mul(n, ten)
	}
	for ; v.Scale > scale; v.Scale-- {
		rest := new(big.Int)
		if n.QuoRem(n, ten, rest); rest.Sign() != 0 {
			return nil, fmt.Errorf("%s has more than %d digits behind the point", v, scale)
		}
	}
	if limit := new(big.Int).Exp(ten, big.NewInt(38), nil); n.CmpAbs(limit) >= 0 {
		return nil, fmt.Errorf("%s is too large", v)
	}
	return n, nil
}

// typedValue makes DuckDB's value of one that typedType has checked. The caller destroys it.
func (t *valueType) typedValue(v any) (mapping.Value, error) {
	if v == nil {
		return mapping.CreateNullValue(), nil
	}
	var all []mapping.Value
	defer func() {
		for i := range all {
			mapping.DestroyValue(&all[i])
		}
	}()
	add := func(t *valueType, v any) error {
		made, err := t.typedValue(v)
		if err == nil && made.Ptr == nil {
			err = fmt.Errorf("DuckDB makes no %s of it", t)
		}
		if err == nil {
			all = append(all, made)
		}
		return err
	}
	switch t.id {
	case mapping.TypeList:
		for _, item := range v.([]any) {
			if err := add(t.elem, item); err != nil {
				return mapping.Value{}, err
			}
		}
		elem := t.elem.logical()
		defer mapping.DestroyLogicalType(&elem)
		return mapping.CreateListValue(elem, all), nil
	case mapping.TypeStruct:
		for i, part := range v.([]any) {
			if err := add(t.fields[i], part); err != nil {
				return mapping.Value{}, err
			}
		}
		self := t.logical()
		defer mapping.DestroyLogicalType(&self)
		return mapping.CreateStructValue(self, all), nil
	}
	return t.typedScalar(v)
}

func (t *valueType) typedScalar(v any) (mapping.Value, error) {
	switch v := v.(type) {
	case duckdb.Decimal:
		n, err := typedDecimal(v, t.s)
		if err != nil {
			return mapping.Value{}, err
		}
		return mapping.CreateDecimal(mapping.NewDecimal(t.width, t.s, hugeInt(n))), nil
	case time.Time:
		v = v.UTC()
		us := v.UnixMicro()
		if time.UnixMicro(us).Unix() != v.Unix() || us == math.MinInt64 || us == math.MaxInt64 || us == -math.MaxInt64 {
			return mapping.Value{}, fmt.Errorf("the time %v is beyond a TIMESTAMP", v)
		}
		switch t.id {
		case mapping.TypeDate:
			days := v.Unix() / 86400
			if v.Unix()%86400 < 0 {
				days--
			}
			return mapping.CreateDate(mapping.NewDate(int32(days))), nil
		case mapping.TypeTime:
			midnight := time.Date(v.Year(), v.Month(), v.Day(), 0, 0, 0, 0, time.UTC)
			return mapping.CreateTime(mapping.NewTime(v.Sub(midnight).Microseconds())), nil
		case mapping.TypeTimestamp:
			return mapping.CreateTimestamp(mapping.NewTimestamp(us)), nil
		}
	}
	return t.scalar(reflect.ValueOf(v))
}

// bindTyped binds a value with its type.
func bindTyped(p mapping.PreparedStatement, i mapping.IdxT, v TypedValue) error {
	t, err := typedType(v.Type, v.Value, 0)
	if err != nil {
		return err
	}
	value, err := t.typedValue(v.Value)
	if err != nil {
		return err
	}
	defer mapping.DestroyValue(&value)
	if value.Ptr == nil || mapping.BindValue(p, i, value) == mapping.StateError {
		return fmt.Errorf("DuckDB does not take a %s: %s", v.Type, orElse(mapping.PrepareError(p), "it does not say why"))
	}
	return nil
}
