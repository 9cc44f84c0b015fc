package duckapi

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Takes reports whether [Bind] takes an argument as it is, so that database/sql need not convert it: lists, arrays, maps, the
// structs of duckdb-go, and numbers that only a UBIGINT holds, also behind pointers.
func Takes(v any) bool {
	switch v := v.(type) {
	case TypedValue:
		return true
	case uint64:
		return v > math.MaxInt64 // which database/sql refuses
	case uint:
		return v > math.MaxInt64
	case duckdb.TypedValue, *duckdb.TypedValue, *big.Int, duckdb.Interval, duckdb.Bit, *duckdb.Bit, duckdb.OrderedMap, duckdb.Decimal,
		duckdb.UUID:
		return true
	case driver.Valuer:
		k := reflect.ValueOf(v).Kind()
		return k == reflect.Slice || k == reflect.Map
	}
	r := reflect.ValueOf(v)
	for n := 0; (r.Kind() == reflect.Pointer || r.Kind() == reflect.Interface) && !r.IsNil(); n++ {
		if n == deepest {
			return true // Bind says that it contains itself, where database/sql would follow it for ever
		}
		r = r.Elem()
		if r.Kind() == reflect.Pointer && r.IsNil() {
			return false // NULL
		}
		if r.CanInterface() && r.Kind() != reflect.Pointer && r.Kind() != reflect.Interface {
			return Takes(r.Interface())
		}
	}
	switch r.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return true
	}
	return false
}

// Bind gives a statement its parameters. What duckdb-go binds badly is bound here: it takes the Go type of a list's
// elements for the column's and panics otherwise, ends the process for a text in a list that is not UTF-8, and fails without
// a word for some others. A list, map or pointer binds as the type that its values have, which DuckDB casts where it must.
//
// A named argument belongs to the parameter of its name, and to no other: [ErrNoValue] is the error when one is left over, where
// duckdb-go goes by the order.
func Bind(ctx context.Context, st *duckdb.Stmt, args []driver.NamedValue) error {
	p, err := Prepared(st)
	if err != nil {
		return err
	}
	if args, err = inOrder(p, args); err != nil {
		return err
	}
	plain := args
	for i, arg := range args {
		v, composite, err := argument(arg.Value)
		if err != nil {
			return fmt.Errorf("parameter %s: %w", parameterName(arg, i), err)
		}
		if !composite && (arg.Value == nil || isPlain(arg.Value)) {
			continue
		}
		if &plain[0] == &args[0] {
			plain = append([]driver.NamedValue(nil), args...)
		}
		if plain[i].Value = v; composite {
			plain[i].Value = nil // bound below
		}
	}
	if err := bindPlain(ctx, st, plain); err != nil {
		return err
	}
	if len(plain) == 0 || &plain[0] == &args[0] {
		return nil
	}
	return bindComposites(p, args)
}

// ErrNoValue is the cause when a parameter of a statement has no argument.
var ErrNoValue = errors.New("has no value")

// inOrder gives the arguments in the order of the statement's parameters. Names do not tell case apart, as in SQL. An argument without
// a name may stand for a parameter with one, and a named one for ?.
func inOrder(p mapping.PreparedStatement, args []driver.NamedValue) ([]driver.NamedValue, error) {
	var named map[string]driver.NamedValue // by lower case; nil where none has a name, as mostly
	for _, a := range args {
		if a.Name == "" {
			continue
		}
		name := strings.ToLower(a.Name)
		if _, twice := named[name]; twice {
			return nil, fmt.Errorf("two arguments are called %s", a.Name)
		}
		if named == nil {
			named = map[string]driver.NamedValue{}
		}
		named[name] = a
	}
	all := make([]driver.NamedValue, mapping.NParams(p))
	for i := range all {
		a, ok := byPlace(args, i+1)
		if named != nil {
			name := mapping.ParameterName(p, mapping.IdxT(i+1))
			if its, is := named[strings.ToLower(name)]; is {
				a, ok = its, true
			} else if a.Name != "" && !isNumeral(name) {
				ok = false
			}
		}
		if !ok {
			return nil, fmt.Errorf("parameter $%s %w", mapping.ParameterName(p, mapping.IdxT(i+1)), ErrNoValue)
		}
		a.Ordinal = i + 1
		all[i] = a
	}
	return all, nil
}

// byPlace gives the argument with an ordinal, mostly the one that stands there.
func byPlace(args []driver.NamedValue, ordinal int) (driver.NamedValue, bool) {
	if ordinal <= len(args) && args[ordinal-1].Ordinal == ordinal {
		return args[ordinal-1], true
	}
	for _, a := range args {
		if a.Ordinal == ordinal {
			return a, true
		}
	}
	if ordinal > len(args) {
		return driver.NamedValue{}, false
	}
	return args[ordinal-1], true
}

func isNumeral(name string) bool {
	_, err := strconv.Atoi(name)
	return err == nil
}

func parameterName(arg driver.NamedValue, i int) string {
	if arg.Name != "" {
		return "$" + arg.Name
	}
	return fmt.Sprint(max(arg.Ordinal, i+1))
}

// isPlain reports whether a value is one that duckdb-go binds as it is.
func isPlain(v any) bool {
	switch v.(type) {
	case bool, int, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, string, []byte:
		return true
	}
	return false
}

// argument resolves pointers and Valuers, checks texts, and tells whether the value is a list, map or the like.
func argument(v any) (plain any, composite bool, err error) {
	switch x := v.(type) {
	case nil, bool, int, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, []byte:
		return v, false, nil
	case string:
		return v, false, checkText(x)
	case duckdb.TypedValue, *duckdb.TypedValue:
		return v, false, checkTyped(x)
	case TypedValue:
		return v, true, nil
	}
	r, err := resolve(reflect.ValueOf(v), 0)
	if err != nil || !r.IsValid() {
		return nil, false, err
	}
	v = r.Interface()
	switch x := v.(type) {
	case string:
		return v, false, checkText(x)
	case duckdb.Decimal, duckdb.UUID, duckdb.OrderedMap:
		return v, true, nil
	case *big.Int, duckdb.Interval, duckdb.Bit:
		return v, false, nil
	}
	switch r.Kind() {
	case reflect.Slice:
		if r.Type().Elem().Kind() == reflect.Uint8 {
			return r.Bytes(), false, nil
		}
		return v, true, nil
	case reflect.Array, reflect.Map:
		return v, true, nil
	}
	return v, false, nil
}

// checkTyped checks the text in a value whose type the caller has told.
func checkTyped(v any) error {
	if t, ok := v.(*duckdb.TypedValue); ok {
		if t == nil {
			return nil
		}
		v = *t
	}
	f := reflect.ValueOf(v).FieldByName("value")
	for f.Kind() == reflect.Interface || f.Kind() == reflect.Pointer {
		f = f.Elem()
	}
	if f.Kind() == reflect.String {
		return checkText(f.String())
	}
	return nil
}

// bindPlain leaves a value to duckdb-go, and gives an error of its that has no text one.
func bindPlain(ctx context.Context, st *duckdb.Stmt, args []driver.NamedValue) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("duckdb-go cannot bind the parameters: %v", r)
		}
	}()
	if err = st.BindWithCtx(ctx, args); err == nil {
		return nil
	}
	var silent *duckdb.Error
	if !errors.As(err, &silent) || silent.Msg != "" {
		return err
	}
	// It is joined to one that says nothing, which whoever looks for DuckDB's would show.
	for _, line := range strings.Split(err.Error(), "\n") {
		if text, index, ok := strings.Cut(line, ": index: "); ok {
			return fmt.Errorf("parameter %s: %s", index, text)
		}
	}
	types := make([]string, len(args))
	for i, a := range args {
		types[i] = fmt.Sprintf("%T", a.Value)
	}
	return fmt.Errorf("DuckDB does not take the parameters, of the Go types %s", strings.Join(types, ", "))
}

// bindComposites binds the lists, maps and the like among the arguments, which stand in the order of the parameters.
func bindComposites(p mapping.PreparedStatement, args []driver.NamedValue) error {
	for i, a := range args {
		v, composite, err := argument(a.Value)
		if err == nil && composite {
			err = bindComposite(p, mapping.IdxT(i+1), v)
		}
		if err != nil {
			return fmt.Errorf("parameter %s: %w", parameterName(a, i), err)
		}
	}
	return nil
}

func bindComposite(p mapping.PreparedStatement, i mapping.IdxT, v any) error {
	if typed, ok := v.(TypedValue); ok {
		return bindTyped(p, i, typed)
	}
	wants := mapping.ParamLogicalType(p, i)
	defer mapping.DestroyLogicalType(&wants)
	if wants.Ptr != nil && mapping.LogicalTypeGetAlias(wants) == "JSON" {
		return fmt.Errorf("a %T cannot be JSON: pass its text", v)
	}
	t, err := typeOf(reflect.ValueOf(v), shapeOf(wants), 0)
	if err != nil {
		return err
	}
	value, err := t.value(reflect.ValueOf(v))
	if err != nil {
		return err
	}
	defer mapping.DestroyValue(&value)
	if value.Ptr == nil {
		return fmt.Errorf("DuckDB makes no %s of a %T", t, v)
	}
	if mapping.BindValue(p, i, value) == mapping.StateError {
		return fmt.Errorf("DuckDB does not take a %s: %w", t, errors.New(orElse(mapping.PrepareError(p), "it does not say why")))
	}
	return nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
