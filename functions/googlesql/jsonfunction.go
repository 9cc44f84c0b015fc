package googlesql

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/jsonfn"
)

// jsons are the functions of JSON (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions). Those over
// a STRING that holds JSON end in _text, and those with JSON_EXTRACT's paths have a true argument before.
var jsons = map[string]definition{
	"parse_json":            binary(parseJSONFunction),
	"json_type":             unary(jsonType),
	"json_query":            ternary(jsonQuery),
	"json_value":            ternary(jsonValue),
	"json_query_array":      ternary(jsonQueryArray),
	"json_value_array":      ternary(jsonValueArray),
	"json_query_text":       ternary(jsonQueryText),
	"json_value_text":       ternary(jsonValueText),
	"json_query_array_text": ternary(jsonQueryArrayText),
	"json_value_array_text": ternary(jsonValueArrayText),
	"json_field":            binary(jsonField),
	"json_element":          binary(jsonElement),
	"json_bool":             unary(scalarOf(toBool)),
	"json_int64":            unary(scalarOf(toInt64)),
	"json_string":           unary(scalarOf(toText)),
	"json_float64":          binary(func(t jsonText, mode string) (float64, error) { return scalarOf(toFloat64(mode))(t) }),
	"json_bool_array":       unary(arrayOf(toBool)),
	"json_int64_array":      unary(arrayOf(toInt64)),
	"json_string_array":     unary(arrayOf(toText)),
	"json_float64_array":    binary(func(t jsonText, mode string) ([]float64, error) { return arrayOf(toFloat64(mode))(t) }),
	"lax_bool":              unary(laxOf(laxBool)),
	"lax_int64":             unary(laxOf(laxInt64)),
	"lax_float64":           unary(laxOf(laxFloat64)),
	"lax_string":            unary(laxOf(laxString)),
	"lax_bool_array":        unary(laxArrayOf(laxBool)),
	"lax_int64_array":       unary(laxArrayOf(laxInt64)),
	"lax_float64_array":     unary(laxArrayOf(laxFloat64)),
	"lax_string_array":      unary(laxArrayOf(laxString)),
	"json_keys":             ternary(jsonKeys),
	"json_strip_nulls":      quaternary(jsonStripNulls),
	"json_equal":            binary(func(a, b jsonText) (bool, error) { return canonicalJSON(a) == canonicalJSON(b), nil }),
	"json_flatten":          unary(jsonFlatten),
	"json_contains":         binary(jsonContains),
	"json_canonical":        unary(func(t jsonText) (jsonText, error) { return jsonText(canonicalJSON(t)), nil }),
}

func jsonType(t jsonText) (string, error) {
	v, err := valueOf(t)
	switch v.(type) {
	case bool:
		return "boolean", err
	case number:
		return "number", err
	case string:
		return "string", err
	case *array:
		return "array", err
	case object:
		return "object", err
	}
	return "null", err
}

// at finds what a path means in a JSON.
func at(t jsonText, text string, legacy bool) (any, bool, error) {
	p, err := readPath(text, legacy)
	if err != nil {
		return nil, false, err
	}
	v, err := valueOf(t)
	if err != nil {
		return nil, false, err
	}
	v, ok := p.get(v)
	return v, ok, nil
}

func jsonQuery(t jsonText, path string, legacy bool) (sql.Null[jsonText], error) {
	v, ok, err := at(t, path, legacy)
	if err != nil || !ok {
		return sql.Null[jsonText]{}, err
	}
	return some(jsonText(jsonString(v))), nil
}

// scalarText is what JSON_VALUE gives of a value.
func scalarText(v any) sql.Null[string] {
	switch x := v.(type) {
	case string:
		return some(x)
	case bool, number:
		return some(jsonString(x))
	}
	return sql.Null[string]{}
}

func jsonValue(t jsonText, path string, legacy bool) (sql.Null[string], error) {
	v, ok, err := at(t, path, legacy)
	if err != nil || !ok {
		return sql.Null[string]{}, err
	}
	return scalarText(v), nil
}

func jsonQueryArray(t jsonText, path string, legacy bool) (sql.Null[[]jsonText], error) {
	v, _, err := at(t, path, legacy)
	list, ok := v.(*array)
	if err != nil || !ok {
		return sql.Null[[]jsonText]{}, err
	}
	all := make([]jsonText, len(list.elements))
	for i, e := range list.elements {
		all[i] = jsonText(jsonString(e))
	}
	return some(all), nil
}

func jsonValueArray(t jsonText, path string, legacy bool) (sql.Null[[]sql.Null[string]], error) {
	v, _, err := at(t, path, legacy)
	list, ok := v.(*array)
	if err != nil || !ok {
		return sql.Null[[]sql.Null[string]]{}, err
	}
	all := make([]sql.Null[string], len(list.elements))
	for i, e := range list.elements {
		switch e.(type) {
		case *array, object:
			return sql.Null[[]sql.Null[string]]{}, nil
		}
		all[i] = scalarText(e)
	}
	return some(all), nil
}

func jsonQueryText(text, path string, legacy bool) (sql.Null[string], error) {
	p, err := readPath(path, legacy)
	if err != nil {
		return sql.Null[string]{}, err
	}
	if p.lax {
		v, err := parseJSON(text, rounded)
		if err != nil {
			return sql.Null[string]{}, nil //nolint:nilerr // a text that cannot be read has no such value
		}
		v, _ = p.get(v)
		return some(jsonString(v)), nil
	}
	s, ok := jsonfn.QueryAt(text, p.steps)
	return sql.Null[string]{V: s, Valid: ok}, nil
}

func jsonValueText(text, path string, legacy bool) (sql.Null[string], error) {
	p, err := readPath(path, legacy)
	if err != nil || p.lax {
		return sql.Null[string]{}, err
	}
	s, ok := jsonfn.ValueAt(text, p.steps)
	return sql.Null[string]{V: s, Valid: ok}, nil
}

func jsonQueryArrayText(text, path string, legacy bool) (sql.Null[[]string], error) {
	p, err := readPath(path, legacy)
	if err != nil {
		return sql.Null[[]string]{}, err
	}
	found, ok := jsonfn.ElementsAt(text, p.steps)
	all := make([]string, len(found))
	for i, e := range found {
		all[i] = e.JSON
	}
	return sql.Null[[]string]{V: all, Valid: ok}, nil
}

func jsonValueArrayText(text, path string, legacy bool) (sql.Null[[]sql.Null[string]], error) {
	p, err := readPath(path, legacy)
	if err != nil {
		return sql.Null[[]sql.Null[string]]{}, err
	}
	found, ok := jsonfn.ElementsAt(text, p.steps)
	all := make([]sql.Null[string], len(found))
	for i, e := range found {
		if e.Compound {
			return sql.Null[[]sql.Null[string]]{}, nil
		}
		all[i] = sql.Null[string]{V: e.Value, Valid: e.Scalar}
	}
	return sql.Null[[]sql.Null[string]]{V: all, Valid: ok}, nil
}

func jsonField(t jsonText, name string) (sql.Null[jsonText], error) {
	v, err := valueOf(t)
	if o, ok := v.(object); ok && err == nil {
		if e, ok := o[name]; ok {
			return some(jsonText(jsonString(e))), nil
		}
	}
	return sql.Null[jsonText]{}, err
}

func jsonElement(t jsonText, n int64) (sql.Null[jsonText], error) {
	v, err := valueOf(t)
	if a, ok := v.(*array); ok && err == nil && n >= 0 && n < int64(len(a.elements)) {
		return some(jsonText(jsonString(a.elements[n]))), nil
	}
	return sql.Null[jsonText]{}, err
}

// scalarOf makes a function of a conversion that has errors.
func scalarOf[T any](convert func(any) (T, error)) func(jsonText) (T, error) {
	return func(t jsonText) (T, error) {
		v, err := valueOf(t)
		if err != nil {
			return *new(T), err
		}
		return convert(v)
	}
}

func arrayOf[T any](convert func(any) (T, error)) func(jsonText) ([]T, error) {
	return scalarOf(func(v any) ([]T, error) {
		list, ok := v.(*array)
		if !ok {
			return nil, errors.New("The provided JSON input is not an array")
		}
		all := make([]T, len(list.elements))
		for i, e := range list.elements {
			x, err := convert(e)
			if err != nil {
				return nil, err
			}
			all[i] = x
		}
		return all, nil
	})
}

func laxOf[T any](convert func(any) sql.Null[T]) func(jsonText) (sql.Null[T], error) {
	return scalarOf(func(v any) (sql.Null[T], error) { return convert(v), nil })
}

func laxArrayOf[T any](convert func(any) sql.Null[T]) func(jsonText) (sql.Null[[]sql.Null[T]], error) {
	return scalarOf(func(v any) (sql.Null[[]sql.Null[T]], error) {
		list, ok := v.(*array)
		if !ok {
			return sql.Null[[]sql.Null[T]]{}, nil
		}
		all := make([]sql.Null[T], len(list.elements))
		for i, e := range list.elements {
			all[i] = convert(e)
		}
		return some(all), nil
	})
}

func toBool(v any) (bool, error) {
	b, ok := v.(bool)
	if !ok {
		return false, errors.New("The provided JSON input is not a boolean")
	}
	return b, nil
}

func toText(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", errors.New("The provided JSON input is not a string")
	}
	return s, nil
}

func toInt64(v any) (int64, error) {
	x, ok := v.(number)
	if !ok {
		return 0, errors.New("The provided JSON input is not an integer")
	}
	if n, err := strconv.ParseInt(string(x), 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(string(x), 64)
	if err != nil || f != math.Trunc(f) || f < -0x1p63 || f >= 0x1p63 || !strings.ContainsAny(string(x), ".e") {
		return 0, fmt.Errorf("The provided JSON number: %s cannot be converted to an int64", x)
	}
	return int64(f), nil
}

func toFloat64(mode string) func(v any) (float64, error) {
	return func(v any) (float64, error) {
		x, ok := v.(number)
		switch {
		case mode != "exact" && mode != "round":
			return 0, fmt.Errorf("Invalid `wide_number_mode` specified: %s", mode)
		case !ok:
			return 0, errors.New("The provided JSON input is not a number")
		}
		f, err := strconv.ParseFloat(string(x), 64)
		if mode == "exact" && !strings.ContainsAny(string(x), ".e") {
			if in, ok := new(big.Rat).SetString(string(x)); !ok || new(big.Rat).SetFloat64(f).Cmp(in) != 0 {
				return 0, fmt.Errorf("JSON number: %s cannot be converted to FLOAT64 without loss of precision", x)
			}
		}
		return f, err
	}
}

func laxBool(v any) sql.Null[bool] {
	switch x := v.(type) {
	case bool:
		return some(x)
	case number:
		f, err := strconv.ParseFloat(string(x), 64)
		return sql.Null[bool]{V: f != 0, Valid: err == nil}
	case string:
		b, err := parseBool(x)
		return sql.Null[bool]{V: b, Valid: err == nil}
	}
	return sql.Null[bool]{}
}

func laxInt64(v any) sql.Null[int64] {
	s := ""
	switch x := v.(type) {
	case bool:
		if x {
			return some(int64(1))
		}
		return some(int64(0))
	case number:
		s = string(x)
	case string:
		s = strings.Trim(x, spaces)
	default:
		return sql.Null[int64]{}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return some(n)
	}
	r, ok := decimalRat(s)
	if !ok {
		return sql.Null[int64]{}
	}
	n := halfAway(r.Num(), r.Denom())
	return sql.Null[int64]{V: n.Int64(), Valid: n.IsInt64()}
}

func laxFloat64(v any) sql.Null[float64] {
	switch x := v.(type) {
	case number:
		f, err := strconv.ParseFloat(string(x), 64)
		return sql.Null[float64]{V: f, Valid: err == nil}
	case string:
		f, err := parseFloat(x)
		return sql.Null[float64]{V: f, Valid: err == nil}
	}
	return sql.Null[float64]{}
}

func laxString(v any) sql.Null[string] {
	if x, ok := v.(number); ok && strings.ContainsAny(string(x), ".e") {
		f, err := strconv.ParseFloat(string(x), 64)
		return sql.Null[string]{V: floatString(f), Valid: err == nil}
	}
	return scalarText(v)
}

func jsonFlatten(t jsonText) ([]jsonText, error) {
	v, err := valueOf(t)
	if err != nil {
		return nil, err
	}
	all := []jsonText{}
	var walk func(v any)
	walk = func(v any) {
		if list, ok := v.(*array); ok {
			for _, e := range list.elements {
				walk(e)
			}
			return
		}
		all = append(all, jsonText(jsonString(v)))
	}
	walk(v)
	return all, nil
}

// jsonContains reports whether b is in a: an object that has its fields, an array that has its elements, or the same scalar.
func jsonContains(a, b jsonText) (bool, error) {
	x, err := valueOf(a)
	if err != nil {
		return false, err
	}
	y, err := valueOf(b)
	return err == nil && contains(x, y), err
}

func contains(x, y any) bool {
	switch x := x.(type) {
	case object:
		o, ok := y.(object)
		for k, e := range o {
			if f, has := x[k]; !has || !contains(f, e) {
				return false
			}
		}
		return ok
	case *array:
		list, ok := y.(*array)
		if !ok {
			list = &array{[]any{y}}
			if _, isObject := y.(object); isObject {
				return false
			}
		}
		for _, e := range list.elements {
			found := false
			for _, f := range x.elements {
				found = found || contains(f, e)
			}
			if !found {
				return false
			}
		}
		return true
	}
	return jsonString(x) == jsonString(y)
}
