package duckapi

import (
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// logical makes DuckDB's type, which the caller destroys.
func (t *valueType) logical() mapping.LogicalType {
	children := func(of ...*valueType) ([]mapping.LogicalType, func()) {
		made := make([]mapping.LogicalType, len(of))
		for i, c := range of {
			made[i] = c.logical()
		}
		return made, func() {
			for i := range made {
				mapping.DestroyLogicalType(&made[i])
			}
		}
	}
	switch t.id {
	case mapping.TypeList:
		c, drop := children(t.elem)
		defer drop()
		return mapping.CreateListType(c[0])
	case mapping.TypeArray:
		c, drop := children(t.elem)
		defer drop()
		return mapping.CreateArrayType(c[0], mapping.IdxT(t.length))
	case mapping.TypeMap:
		c, drop := children(t.key, t.elem)
		defer drop()
		return mapping.CreateMapType(c[0], c[1])
	case mapping.TypeStruct:
		c, drop := children(t.fields...)
		defer drop()
		return mapping.CreateStructType(c, t.names)
	case mapping.TypeDecimal:
		return mapping.CreateDecimalType(t.width, t.s)
	}
	return mapping.CreateLogicalType(t.id)
}

// value makes DuckDB's value of a Go value that has the type, or one that the type holds. The caller destroys it.
func (t *valueType) value(r reflect.Value) (mapping.Value, error) {
	r, err := resolve(r, 0)
	if err != nil {
		return mapping.Value{}, err
	}
	if !r.IsValid() {
		return mapping.CreateNullValue(), nil
	}
	var all []mapping.Value
	defer func() {
		for i := range all {
			mapping.DestroyValue(&all[i])
		}
	}()
	add := func(t *valueType, r reflect.Value) error {
		v, err := t.value(r)
		if err == nil && v.Ptr == nil {
			err = fmt.Errorf("DuckDB makes no %s of it", t)
		}
		if err == nil {
			all = append(all, v)
		}
		return err
	}
	switch t.id {
	case mapping.TypeList, mapping.TypeArray:
		for i := range r.Len() {
			if err := add(t.elem, r.Index(i)); err != nil {
				return mapping.Value{}, err
			}
		}
		elem := t.elem.logical()
		defer mapping.DestroyLogicalType(&elem)
		if t.id == mapping.TypeArray {
			return mapping.CreateArrayValue(elem, all), nil
		}
		return mapping.CreateListValue(elem, all), nil
	case mapping.TypeMap:
		keys, values := entries(r)
		for _, k := range keys {
			if err := add(t.key, k); err != nil {
				return mapping.Value{}, err
			}
		}
		for _, v := range values {
			if err := add(t.elem, v); err != nil {
				return mapping.Value{}, err
			}
		}
		self := t.logical()
		defer mapping.DestroyLogicalType(&self)
		return mapping.CreateMapValue(self, all[:len(keys):len(keys)], all[len(keys):]), nil
	case mapping.TypeStruct:
		given := map[string]reflect.Value{}
		for it := r.MapRange(); it.Next(); {
			given[strings.ToLower(it.Key().String())] = it.Value()
		}
		for i, name := range t.names {
			if err := add(t.fields[i], given[strings.ToLower(name)]); err != nil {
				return mapping.Value{}, err
			}
		}
		self := t.logical()
		defer mapping.DestroyLogicalType(&self)
		return mapping.CreateStructValue(self, all), nil
	}
	return t.scalar(r)
}

// scalar makes the value of a number, a text or the like.
func (t *valueType) scalar(r reflect.Value) (mapping.Value, error) {
	switch v := r.Interface().(type) {
	case string:
		return mapping.CreateVarcharLength(v, mapping.IdxT(len(v))), nil
	case bool:
		return mapping.CreateBool(v), nil
	case time.Time:
		us := v.UnixMicro()
		if time.UnixMicro(us).Unix() != v.Unix() {
			return mapping.Value{}, fmt.Errorf("the time %v is beyond a TIMESTAMP", v)
		}
		return mapping.CreateTimestampTZ(mapping.NewTimestamp(us)), nil
	case duckdb.Interval:
		return mapping.CreateInterval(mapping.NewInterval(v.Months, v.Days, v.Micros)), nil
	case duckdb.UUID:
		var high, low uint64
		for i := range 8 {
			high, low = high<<8|uint64(v[i]), low<<8|uint64(v[i+8])
		}
		return mapping.CreateUUID(mapping.NewUHugeInt(low, high)), nil
	case duckdb.Bit:
		bit := mapping.NewBit(v.Data)
		defer mapping.DestroyBit(&bit)
		return mapping.CreateBit(bit), nil
	case duckdb.Decimal:
		return mapping.CreateDecimal(mapping.NewDecimal(v.Width, v.Scale, hugeInt(v.Value))), nil
	case *big.Int:
		return t.integer(v)
	}
	switch {
	case r.Kind() == reflect.Slice:
		return mapping.CreateBlob(r.Bytes()), nil
	case r.CanInt():
		return t.integer(big.NewInt(r.Int()))
	case r.CanUint():
		return t.integer(new(big.Int).SetUint64(r.Uint()))
	case r.CanFloat() && t.id == mapping.TypeFloat:
		return mapping.CreateFloat(float32(r.Float())), nil
	case r.CanFloat():
		return mapping.CreateDouble(r.Float()), nil
	}
	return mapping.Value{}, fmt.Errorf("a value of the Go type %s cannot be a parameter", r.Type())
}

// integer makes a whole number a value of the type.
func (t *valueType) integer(v *big.Int) (mapping.Value, error) {
	switch t.id {
	case mapping.TypeTinyInt:
		return mapping.CreateInt8(int8(v.Int64())), nil
	case mapping.TypeSmallInt:
		return mapping.CreateInt16(int16(v.Int64())), nil
	case mapping.TypeInteger:
		return mapping.CreateInt32(int32(v.Int64())), nil
	case mapping.TypeBigInt:
		return mapping.CreateInt64(v.Int64()), nil
	case mapping.TypeUTinyInt:
		return mapping.CreateUInt8(uint8(v.Uint64())), nil
	case mapping.TypeUSmallInt:
		return mapping.CreateUInt16(uint16(v.Uint64())), nil
	case mapping.TypeUInteger:
		return mapping.CreateUInt32(uint32(v.Uint64())), nil
	case mapping.TypeUBigInt:
		return mapping.CreateUInt64(v.Uint64()), nil
	case mapping.TypeHugeInt:
		return mapping.CreateHugeInt(hugeInt(v)), nil
	case mapping.TypeDouble:
		f, accuracy := new(big.Float).SetInt(v).Float64()
		if accuracy != big.Exact {
			return mapping.Value{}, fmt.Errorf("%s among floating-point numbers would lose digits", v)
		}
		return mapping.CreateDouble(f), nil
	}
	return mapping.Value{}, fmt.Errorf("%s cannot be a %s", v, t)
}

func hugeInt(v *big.Int) mapping.HugeInt {
	low := new(big.Int).And(v, new(big.Int).SetUint64(1<<64-1))
	return mapping.NewHugeInt(low.Uint64(), new(big.Int).Rsh(v, 64).Int64())
}
