package bigquery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"

	api "google.golang.org/api/bigquery/v2"
)

// decode reads JSON into a struct of the API's. Google takes "1" for 1 and "true" for true, and clients rely on it.
func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // no body is an empty one
		}
		return parseError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return parseError(errors.New("something follows the object"))
	}
	if _, ok := v.(map[string]any); !ok {
		return parseError(errors.New("it is no object"))
	}
	whole := coerce(v, reflect.TypeOf(into).Elem(), false)
	if err := checkNulls(whole, reflect.TypeOf(into)); err != nil {
		return err
	}
	text, err := json.Marshal(whole)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return parseError(err)
	}
	return nil
}

// decodeRequest is decode of what a client sends, of which some fields are refused.
func decodeRequest(text []byte, into any) error {
	if err := decode(text, into); err != nil {
		return err
	}
	return checkTreatment(reflect.ValueOf(into), "")
}

func parseError(err error) error {
	return fault(400, "parseError", "Invalid JSON payload received: %v", err)
}

// checkNulls refuses a null among the messages of a list, which protocol buffers have no place for: whoever reads the list would find
// nothing where a message should be. A list of values of parameters may have some.
func checkNulls(v any, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch x := v.(type) {
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return nil
		}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if err := checkNulls(x[name], t.Field(i).Type); err != nil {
				return err
			}
		}
	case []any:
		if t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Pointer || t.Elem() == reflect.TypeFor[*api.QueryParameterValue]() {
			return nil
		}
		for i, inner := range x {
			if inner == nil {
				return parseError(fmt.Errorf("element %d of a list of %s is null", i, t.Elem().Elem().Name()))
			}
			if err := checkNulls(inner, t.Elem()); err != nil {
				return err
			}
		}
	}
	return nil
}

// coerce gives a value the form that encoding/json wants for a type; what does not fit stays, and is refused there. text tells
// that the field's tag says ",string".
func coerce(v any, t reflect.Type, text bool) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch x := v.(type) {
	case map[string]any:
		switch t.Kind() {
		case reflect.Struct:
			fields := map[string]reflect.StructField{}
			for i := range t.NumField() {
				name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
				fields[name] = t.Field(i)
			}
			for k, inner := range x {
				if f, ok := fields[k]; ok && k != "-" {
					x[k] = coerce(inner, f.Type, strings.HasSuffix(f.Tag.Get("json"), ",string"))
				} else {
					delete(x, k) // encoding/json would match names in another case
				}
			}
		case reflect.Map:
			for k, inner := range x {
				x[k] = coerce(inner, t.Elem(), false)
			}
		}
	case []any:
		if t.Kind() == reflect.Slice {
			for i := range x {
				x[i] = coerce(x[i], t.Elem(), t.Name() == "Int64s")
			}
		}
	case string:
		switch k := t.Kind(); {
		case k == reflect.Bool && (strings.EqualFold(x, "true") || strings.EqualFold(x, "false")):
			return strings.EqualFold(x, "true")
		case isNumber(k) && !text:
			return json.Number(x)
		}
	case json.Number:
		if isNumber(t.Kind()) && t.Kind() < reflect.Float32 {
			x = whole(x)
		}
		if text || t.Kind() == reflect.String {
			return x.String()
		}
		return x
	case bool:
		if t.Kind() == reflect.String {
			if x {
				return "true"
			}
			return "false"
		}
	}
	return v
}

func isNumber(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Float64 }

// whole writes a number without a fraction as digits: 1.0 is 1.
func whole(n json.Number) json.Number {
	f, err := n.Float64()
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 || !strings.ContainsAny(n.String(), ".eE") {
		return n
	}
	return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
}
