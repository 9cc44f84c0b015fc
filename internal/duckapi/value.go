package duckapi

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/amount"
)

// deepest bounds how values may be nested: one that contains itself ends here.
const deepest = 64

var errDeep = errors.New("the value is nested too deeply, or contains itself")

// valueType is the type that a Go value has as a DuckDB value.
type valueType struct {
	id       mapping.Type // TypeSQLNull while only NULLs were seen
	elem     *valueType   // of TypeList, TypeArray; the values of TypeMap
	key      *valueType   // of TypeMap
	length   int          // of TypeArray
	names    []string     // of TypeStruct
	fields   []*valueType
	width, s uint8 // of TypeDecimal
}

var scalarNames = map[mapping.Type]string{
	mapping.TypeSQLNull: "NULL", mapping.TypeBoolean: "BOOLEAN", mapping.TypeTinyInt: "TINYINT", mapping.TypeSmallInt: "SMALLINT",
	mapping.TypeInteger: "INTEGER", mapping.TypeBigInt: "BIGINT", mapping.TypeHugeInt: "HUGEINT", mapping.TypeUTinyInt: "UTINYINT",
	mapping.TypeUSmallInt: "USMALLINT", mapping.TypeUInteger: "UINTEGER", mapping.TypeUBigInt: "UBIGINT", mapping.TypeFloat: "FLOAT",
	mapping.TypeDouble: "DOUBLE", mapping.TypeVarchar: "VARCHAR", mapping.TypeBlob: "BLOB",
	mapping.TypeTimestampTZ: "TIMESTAMP WITH TIME ZONE",
	mapping.TypeInterval:    "INTERVAL", mapping.TypeUUID: "UUID", mapping.TypeBit: "BIT",
	mapping.TypeDate: "DATE", mapping.TypeTime: "TIME", mapping.TypeTimestamp: "TIMESTAMP",
}

// String is the type in SQL.
func (t *valueType) String() string {
	switch t.id {
	case mapping.TypeList:
		return t.elem.String() + "[]"
	case mapping.TypeArray:
		return fmt.Sprintf("%s[%d]", t.elem, t.length)
	case mapping.TypeMap:
		return fmt.Sprintf("MAP(%s, %s)", t.key, t.elem)
	case mapping.TypeDecimal:
		return fmt.Sprintf("DECIMAL(%d, %d)", t.width, t.s)
	case mapping.TypeStruct:
		parts := make([]string, len(t.names))
		for i, n := range t.names {
			parts[i] = n + " " + t.fields[i].String()
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	}
	return scalarNames[t.id]
}

// shape is what the place of a parameter tells of its value: whether a map with texts as keys is a MAP or a STRUCT, and of
// which fields.
type shape struct {
	id     mapping.Type
	elem   *shape
	names  []string
	fields []*shape
}

// shapeOf reads the type of a parameter; nil where DuckDB does not know it.
func shapeOf(t mapping.LogicalType) *shape {
	if t.Ptr == nil {
		return nil
	}
	child := func(c mapping.LogicalType) *shape {
		defer mapping.DestroyLogicalType(&c)
		return shapeOf(c)
	}
	s := &shape{id: mapping.GetTypeId(t)}
	switch s.id {
	case mapping.TypeList:
		s.elem = child(mapping.ListTypeChildType(t))
	case mapping.TypeArray:
		s.elem = child(mapping.ArrayTypeChildType(t))
	case mapping.TypeMap:
		s.elem = child(mapping.MapTypeValueType(t))
	case mapping.TypeStruct:
		for i := range mapping.StructTypeChildCount(t) {
			s.names = append(s.names, mapping.StructTypeChildName(t, i))
			s.fields = append(s.fields, child(mapping.StructTypeChildType(t, i)))
		}
	}
	return s
}

func (s *shape) inner() *shape {
	if s == nil {
		return nil
	}
	return s.elem
}

// resolve follows pointers, interfaces and Valuers to the value itself; invalid is NULL. Basic kinds come as the basic type.
func resolve(r reflect.Value, depth int) (reflect.Value, error) {
	for ; depth < deepest; depth++ {
		if !r.IsValid() {
			return r, nil
		}
		switch r.Kind() {
		case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
			if r.IsNil() {
				return reflect.Value{}, nil
			}
		}
		switch v := r.Interface().(type) {
		case *big.Int, time.Time, duckdb.Interval, duckdb.Decimal, duckdb.UUID, duckdb.Bit, duckdb.OrderedMap:
			return r, nil
		case duckdb.TypedValue, duckdb.Union:
			return r, fmt.Errorf("a %T cannot stand inside a list or map, or behind a pointer", v)
		case big.Int:
			return reflect.ValueOf(&v), nil
		case driver.Valuer:
			x, err := v.Value()
			if err != nil {
				return r, err
			}
			r = reflect.ValueOf(x)
			continue
		}
		switch r.Kind() {
		case reflect.Pointer, reflect.Interface:
			r = r.Elem()
			continue
		}
		return basic(r)
	}
	return r, errDeep
}

// basics are the types without a name of the user's, by kind.
var basics = map[reflect.Kind]reflect.Type{
	reflect.Bool: reflect.TypeFor[bool](), reflect.String: reflect.TypeFor[string](), reflect.Int: reflect.TypeFor[int64](),
	reflect.Int8: reflect.TypeFor[int8](), reflect.Int16: reflect.TypeFor[int16](), reflect.Int32: reflect.TypeFor[int32](),
	reflect.Int64: reflect.TypeFor[int64](), reflect.Uint: reflect.TypeFor[uint64](), reflect.Uint8: reflect.TypeFor[uint8](),
	reflect.Uint16: reflect.TypeFor[uint16](), reflect.Uint32: reflect.TypeFor[uint32](), reflect.Uint64: reflect.TypeFor[uint64](),
	reflect.Uintptr: reflect.TypeFor[uint64](), reflect.Float32: reflect.TypeFor[float32](), reflect.Float64: reflect.TypeFor[float64](),
}

func basic(r reflect.Value) (reflect.Value, error) {
	if t, ok := basics[r.Kind()]; ok {
		return r.Convert(t), nil
	}
	switch r.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return r, nil
	}
	if s, ok := r.Interface().(fmt.Stringer); ok && r.Kind() == reflect.Struct {
		return reflect.ValueOf(s.String()), nil
	}
	return r, fmt.Errorf("a value of the Go type %s cannot be a parameter: pass numbers, texts, times, []byte, or lists and maps of them",
		r.Type())
}

// checkText refuses what DuckDB would not hold, or would end the process for.
func checkText(s string) error {
	if utf8.ValidString(s) {
		return nil
	}
	at := 0
	for at < len(s) {
		r, n := utf8.DecodeRuneInString(s[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return fmt.Errorf("the text is not valid UTF-8 at its byte %d: pass bytes as []byte", at+1)
}

// entries gives the keys and values of a map in a fixed order.
func entries(r reflect.Value) (keys, values []reflect.Value) {
	if m, ok := r.Interface().(duckdb.OrderedMap); ok {
		for _, k := range m.Keys() {
			keys = append(keys, reflect.ValueOf(k))
		}
		for _, v := range m.Values() {
			values = append(values, reflect.ValueOf(v))
		}
		return keys, values
	}
	keys = r.MapKeys()
	sort.SliceStable(keys, func(i, j int) bool { return fmt.Sprint(keys[i]) < fmt.Sprint(keys[j]) })
	for _, k := range keys {
		values = append(values, r.MapIndex(k))
	}
	return keys, values
}

var null = &valueType{id: mapping.TypeSQLNull}

// typeOf gives the type of a value, whose place is of the shape s.
func typeOf(r reflect.Value, s *shape, depth int) (*valueType, error) {
	if depth > deepest {
		return nil, errDeep
	}
	r, err := resolve(r, depth)
	if err != nil || !r.IsValid() {
		return null, err
	}
	switch v := r.Interface().(type) {
	case *big.Int:
		if v.BitLen() > 127 {
			return nil, fmt.Errorf("%s is too large for a HUGEINT", v)
		}
		return &valueType{id: mapping.TypeHugeInt}, nil
	case time.Time:
		return &valueType{id: mapping.TypeTimestampTZ}, nil
	case duckdb.Interval:
		return &valueType{id: mapping.TypeInterval}, nil
	case duckdb.UUID:
		return &valueType{id: mapping.TypeUUID}, nil
	case duckdb.Bit:
		return &valueType{id: mapping.TypeBit}, v.Validate()
	case duckdb.Decimal:
		return decimalType(v)
	case duckdb.OrderedMap:
		return mapType(r, s, depth)
	}
	switch r.Kind() {
	case reflect.String:
		return &valueType{id: mapping.TypeVarchar}, checkText(r.String())
	case reflect.Map:
		texts := r.Type() == reflect.TypeFor[map[string]any]()
		if s != nil && s.id == mapping.TypeStruct || texts && (s == nil || s.id != mapping.TypeMap) {
			return structType(r, s, depth)
		}
		return mapType(r, s, depth)
	case reflect.Slice, reflect.Array:
		if r.Type().Elem().Kind() == reflect.Uint8 && r.Kind() == reflect.Slice {
			return &valueType{id: mapping.TypeBlob}, nil
		}
		return listType(r, s, depth)
	}
	return &valueType{id: scalarTypes[r.Kind()]}, nil
}

var scalarTypes = map[reflect.Kind]mapping.Type{
	reflect.Bool: mapping.TypeBoolean, reflect.Int8: mapping.TypeTinyInt, reflect.Int16: mapping.TypeSmallInt,
	reflect.Int32: mapping.TypeInteger,
	reflect.Int64: mapping.TypeBigInt, reflect.Uint8: mapping.TypeUTinyInt, reflect.Uint16: mapping.TypeUSmallInt,
	reflect.Uint32: mapping.TypeUInteger, reflect.Uint64: mapping.TypeUBigInt, reflect.Float32: mapping.TypeFloat,
	reflect.Float64: mapping.TypeDouble,
}

func decimalType(d duckdb.Decimal) (*valueType, error) {
	if d.Value == nil || d.Width < 1 || d.Width > 38 || d.Scale > d.Width {
		return nil, fmt.Errorf("a DECIMAL(%d, %d) with the value %v is none: the width is 1 to 38, the scale at most the width", d.Width, d.Scale,
			d.Value)
	}
	if limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Width)), nil); d.Value.CmpAbs(limit) >= 0 {
		return nil, fmt.Errorf("%s has more than the %s of its DECIMAL", d.Value, amount.Of(int(d.Width), "digit"))
	}
	return &valueType{id: mapping.TypeDecimal, width: d.Width, s: d.Scale}, nil
}

// longestArray is the largest fixed array of DuckDB.
const longestArray = 100_000 - 1

func listType(r reflect.Value, s *shape, depth int) (*valueType, error) {
	t := &valueType{id: mapping.TypeList, elem: null}
	n := r.Len()
	if r.Kind() == reflect.Array && n > 0 && n <= longestArray {
		t.id, t.length = mapping.TypeArray, n
	}
	for i := range n {
		e, err := typeOf(r.Index(i), s.inner(), depth+1)
		if err != nil {
			return nil, within(err, "element %d", i+1)
		}
		if t.elem, err = unify(t.elem, e); err != nil {
			return nil, within(err, "element %d", i+1)
		}
	}
	return t, nil
}

// within says where in a value an error is; of one that is too deep all the way there would say nothing.
func within(err error, format string, args ...any) error {
	if errors.Is(err, errDeep) {
		return err
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

func mapType(r reflect.Value, s *shape, depth int) (*valueType, error) {
	t := &valueType{id: mapping.TypeMap, key: null, elem: null}
	keys, values := entries(r)
	for i, k := range keys {
		kt, err := typeOf(k, nil, depth+1)
		if err == nil && kt.id == mapping.TypeSQLNull {
			err = errors.New("a key of a map cannot be NULL")
		}
		if err == nil {
			t.key, err = unify(t.key, kt)
		}
		if err != nil {
			return nil, within(err, "key %d", i+1)
		}
		vt, err := typeOf(values[i], s.inner(), depth+1)
		if err == nil {
			t.elem, err = unify(t.elem, vt)
		}
		if err != nil {
			return nil, within(err, "the value of key %v", k)
		}
	}
	seen := map[string]bool{}
	for _, k := range keys {
		k, _ := resolve(k, 0)
		text := fmt.Sprint(k)
		if seen[text] {
			return nil, fmt.Errorf("the key %s stands in the map twice", text)
		}
		seen[text] = true
	}
	return t, nil
}

func structType(r reflect.Value, s *shape, depth int) (*valueType, error) {
	if r.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("the parameter is a STRUCT, whose fields have names: pass a map[string]any, not a %s", r.Type())
	}
	given := map[string]reflect.Value{}
	for it := r.MapRange(); it.Next(); {
		name := it.Key().String()
		if err := checkText(name); err != nil {
			return nil, fmt.Errorf("the name of a field: %w", err)
		}
		if low := strings.ToLower(name); name == "" || strings.Contains(name, "\x00") {
			return nil, errors.New("a field of a STRUCT needs a name")
		} else if _, twice := given[low]; twice {
			return nil, fmt.Errorf("two fields of a STRUCT are called %s; DuckDB does not tell case apart", low)
		} else {
			given[low] = it.Value()
		}
	}
	t := &valueType{id: mapping.TypeStruct}
	if s != nil && s.id == mapping.TypeStruct {
		t.names = s.names
	} else {
		for _, k := range r.MapKeys() {
			t.names = append(t.names, k.String())
		}
		slices.Sort(t.names)
	}
	if len(t.names) == 0 {
		return nil, errors.New("an empty map[string]any is a STRUCT without fields, which DuckDB has not")
	}
	for i, name := range t.names {
		v, ok := given[strings.ToLower(name)]
		delete(given, strings.ToLower(name))
		var at *shape
		if s != nil && s.id == mapping.TypeStruct {
			at = s.fields[i]
		}
		f := null
		if ok {
			var err error
			if f, err = typeOf(v, at, depth+1); err != nil {
				return nil, within(err, "field %s", name)
			}
		}
		t.fields = append(t.fields, f)
	}
	if len(given) > 0 {
		return nil, fmt.Errorf("the STRUCT has the fields %s, and no %s", strings.Join(t.names, ", "), slices.Sorted(maps.Keys(given))[0])
	}
	return t, nil
}

// unify gives the type that holds the values of both.
func unify(a, b *valueType) (*valueType, error) {
	switch {
	case a.id == mapping.TypeSQLNull:
		return b, nil
	case b.id == mapping.TypeSQLNull:
		return a, nil
	case a.id == b.id && scalarNames[a.id] != "":
		return a, nil
	case isInteger(a.id) && isInteger(b.id):
		if a.id == mapping.TypeHugeInt || b.id == mapping.TypeHugeInt || a.id == mapping.TypeUBigInt || b.id == mapping.TypeUBigInt {
			return &valueType{id: mapping.TypeHugeInt}, nil
		}
		return &valueType{id: mapping.TypeBigInt}, nil
	case isNumber(a.id) && isNumber(b.id):
		return &valueType{id: mapping.TypeDouble}, nil
	case isSequence(a.id) && isSequence(b.id):
		elem, err := unify(a.elem, b.elem)
		if a.id == b.id && a.length == b.length {
			return &valueType{id: a.id, elem: elem, length: a.length}, err
		}
		return &valueType{id: mapping.TypeList, elem: elem}, err
	case a.id == mapping.TypeMap && b.id == a.id:
		key, err := unify(a.key, b.key)
		if err != nil {
			return nil, err
		}
		elem, err := unify(a.elem, b.elem)
		return &valueType{id: a.id, key: key, elem: elem}, err
	case a.id == mapping.TypeStruct && b.id == a.id && slices.Equal(a.names, b.names):
		t := &valueType{id: a.id, names: a.names}
		for i := range a.fields {
			f, err := unify(a.fields[i], b.fields[i])
			if err != nil {
				return nil, fmt.Errorf("field %s: %w", a.names[i], err)
			}
			t.fields = append(t.fields, f)
		}
		return t, nil
	case a.id == mapping.TypeDecimal && b.id == a.id && a.width == b.width && a.s == b.s:
		return a, nil
	}
	return nil, fmt.Errorf("it is %s, those before are %s: the elements of a list have one type", b, a)
}

func isInteger(t mapping.Type) bool {
	switch t {
	case mapping.TypeTinyInt, mapping.TypeSmallInt, mapping.TypeInteger, mapping.TypeBigInt, mapping.TypeHugeInt,
		mapping.TypeUTinyInt, mapping.TypeUSmallInt, mapping.TypeUInteger, mapping.TypeUBigInt:
		return true
	}
	return false
}

func isNumber(t mapping.Type) bool {
	return isInteger(t) || t == mapping.TypeFloat || t == mapping.TypeDouble
}

func isSequence(t mapping.Type) bool { return t == mapping.TypeList || t == mapping.TypeArray }
