package planner

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
)

// Argument is the value of a parameter.
type Argument struct {
	Name  string // "" for one by position
	Value any
	Type  googlesql.Type // the zero Type where the value tells it
}

type argumentsKey struct{}

// WithArguments gives the values of a statement's parameters to its plan: BigQuery's parameters have a type.
func WithArguments(ctx context.Context, args []Argument) context.Context {
	if len(args) == 0 {
		return ctx
	}
	return context.WithValue(ctx, argumentsKey{}, args)
}

// parameters are the types that the values tell. The others follow from where the parameters stand; of those by position
// either all are told or none.
func parameters(ctx context.Context, byPosition bool) analyzer.Parameters {
	p := analyzer.Parameters{Undeclared: true, ByPosition: byPosition}
	args, _ := ctx.Value(argumentsKey{}).([]Argument)
	for _, a := range args {
		t, ok := a.Type, true
		if t.Kind == 0 {
			t, ok = typeOfValue(reflect.ValueOf(a.Value), 0)
		}
		switch {
		case byPosition && !ok:
			return analyzer.Parameters{Undeclared: true, ByPosition: true}
		case byPosition:
			p.Positional = append(p.Positional, t)
		case ok && a.Name != "":
			p.Named = append(p.Named, googlesql.Field{Name: strings.ToLower(a.Name), Type: t})
		}
	}
	p.Undeclared = !byPosition || len(p.Positional) == 0
	return p
}

// TypeOfValue tells the type that a value of Go's has as a parameter; false where it is not plain.
func TypeOfValue(v any) (googlesql.Type, bool) { return typeOfValue(reflect.ValueOf(v), 0) }

// longestChain bounds pointers to pointers, which may lead back to themselves.
const longestChain = 64

// typeOfValue tells the type of a value of Go's, which stands within so many lists; false for NULL and what no type is plain of.
func typeOfValue(v reflect.Value, lists int) (googlesql.Type, bool) {
	for n := 0; v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface); n++ {
		if n == longestChain {
			return googlesql.Type{}, false
		}
		v = v.Elem()
	}
	if !v.IsValid() {
		return googlesql.Type{}, false
	}
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		return googlesql.Type{Kind: googlesql.Timestamp}, true
	case reflect.TypeFor[duckdb.Interval]():
		return googlesql.Type{Kind: googlesql.Interval}, true
	case reflect.TypeFor[duckdb.Decimal]():
		if scale := v.FieldByName("Scale").Uint(); scale > 9 {
			return googlesql.Type{Kind: googlesql.BigNumeric}, true
		}
		return googlesql.Type{Kind: googlesql.Numeric}, true
	}
	switch v.Kind() {
	case reflect.Bool:
		return googlesql.Type{Kind: googlesql.Bool}, true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return googlesql.Type{Kind: googlesql.Int64}, true
	case reflect.Float32, reflect.Float64:
		return googlesql.Type{Kind: googlesql.Float64}, true
	case reflect.String:
		return googlesql.Type{Kind: googlesql.String}, true
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return googlesql.Type{Kind: googlesql.Bytes}, v.Kind() == reflect.Slice
		}
		if lists == 0 { // BigQuery has no ARRAY of ARRAYs, and a list may contain itself
			return typeOfList(v)
		}
	}
	return googlesql.Type{}, false
}

// typeOfList tells the type of an ARRAY: numbers of both kinds are FLOAT64.
func typeOfList(v reflect.Value) (googlesql.Type, bool) {
	var elem googlesql.Type
	known := false
	for i := range v.Len() {
		t, ok := typeOfValue(v.Index(i), 1)
		switch {
		case !ok:
		case !known, elem.Kind == googlesql.Int64 && t.Kind == googlesql.Float64:
			elem, known = t, true
		case elem.Kind == googlesql.Float64 && t.Kind == googlesql.Int64:
		case !elem.Equal(t):
			return googlesql.Type{}, false
		}
	}
	if !known { // of an empty list its Go type tells
		elem, known = typeOfValue(reflect.Zero(v.Type().Elem()), 1)
	}
	return googlesql.Type{Kind: googlesql.Array, Elem: &elem}, known
}
