package googlesql

import (
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
)

// toJSONs are the functions that write values as JSON.
var toJSONs = map[string]definition{
	"to_json_string": anyValues(func() func([]value) (sql.Null[string], error) { return toJSONString }),
	"to_json":        anyValues(func() func([]value) (sql.Null[jsonText], error) { return toJSON }),
	"json_array":     anyValues(func() func([]value) (jsonText, error) { return jsonArray }),
	"json_object":    anyValues(func() func([]value) (jsonText, error) { return jsonObject }),
}

// maxSafe is the greatest integer that all readers of JSON keep.
const maxSafe = 1 << 53

// toJSONString is TO_JSON_STRING(value, pretty).
func toJSONString(all []value) (sql.Null[string], error) {
	pretty, ok := all[1].data.(bool)
	if !ok {
		return sql.Null[string]{}, nil
	}
	var w jsonWriter
	if pretty {
		w.indent = "  "
	}
	w.text(all[0], 0)
	return some(w.b.String()), nil
}

// text writes a value as TO_JSON_STRING does.
func (w *jsonWriter) text(v value, depth int) {
	switch x := v.data.(type) {
	case nil:
		w.b.WriteString("null")
	case int64:
		s := strconv.FormatInt(x, 10)
		if x > maxSafe || x < -maxSafe {
			s = `"` + s + `"`
		}
		w.b.WriteString(s)
	case numeric, bignumeric:
		s := v.scalar()
		if n, err := strconv.ParseInt(s, 10, 64); err != nil || n > maxSafe || n < -maxSafe {
			s = `"` + s + `"`
		}
		w.b.WriteString(s)
	case float64:
		if s := floatWord(x); s != "" {
			w.b.WriteString(`"` + s + `"`)
		} else {
			w.b.WriteString(floatString(x))
		}
	case jsonText:
		if j, err := valueOf(x); err == nil {
			w.value(j, depth)
		} else {
			w.b.WriteString(string(x))
		}
	case []value:
		if v.of.Kind == googlesql.Array {
			w.list('[', ']', len(x), depth, func(i int) { w.text(x[i], depth+1) })
			return
		}
		w.list('{', '}', len(x), depth, func(i int) {
			w.key(v.of.Fields[i].Name, true)
			w.text(x[i], depth+1)
		})
	case bool:
		w.b.WriteString(strconv.FormatBool(x))
	default:
		writeJSONString(&w.b, v.word(), true)
	}
}

func floatWord(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return ""
}

// word is the string that stands in JSON for a value that JSON has no type for.
func (v value) word() string {
	switch x := v.data.(type) {
	case string:
		return x
	case []byte:
		return base64.StdEncoding.EncodeToString(x)
	case datetime:
		return strings.Replace(v.scalar(), " ", "T", 1)
	case timestamp:
		return strings.TrimSuffix(strings.Replace(v.scalar(), " ", "T", 1), "+00") + "Z"
	case interval:
		return durationText(x)
	}
	return v.scalar()
}

// durationText writes P1Y2M3DT4H5M6.789S, without parts that are 0.
func durationText(i interval) string {
	part := func(n int64, unit string) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10) + unit
	}
	days := part(int64(i.Months)/12, "Y") + part(int64(i.Months)%12, "M") + part(int64(i.Days), "D")
	seconds := i.Micros / 1e6
	clock := part(seconds/3600, "H") + part(seconds/60%60, "M")
	if micros := i.Micros % 60e6; micros != 0 {
		sign, abs := "", micros
		if micros < 0 {
			sign, abs = "-", -micros
		}
		s := fmt.Sprintf("%d%s", abs/1e6, fraction(abs%1e6))
		if strings.Contains(s, ".") {
			s = strings.TrimRight(s, "0")
		}
		clock += sign + s + "S"
	}
	switch {
	case days+clock == "":
		return "P0Y"
	case clock == "":
		return "P" + days
	}
	return "P" + days + "T" + clock
}

// toJSON is TO_JSON(value, stringify_wide_numbers).
func toJSON(all []value) (sql.Null[jsonText], error) {
	stringify, ok := all[1].data.(bool)
	if !ok {
		return sql.Null[jsonText]{}, nil
	}
	v, err := all[0].json(stringify)
	return sql.Null[jsonText]{V: jsonText(jsonString(v)), Valid: err == nil}, err
}

// json makes a value of JSON.
func (v value) json(stringify bool) (any, error) {
	switch x := v.data.(type) {
	case nil:
		return nil, nil
	case bool:
		return x, nil
	case int64:
		if s := strconv.FormatInt(x, 10); stringify && (x > maxSafe || x < -maxSafe) {
			return s, nil
		} else {
			return number(s), nil
		}
	case float64:
		if s := floatWord(x); s != "" {
			return s, nil
		}
		return floatNumber(x), nil
	case numeric, bignumeric:
		return wideNumber(v.scalar(), stringify), nil
	case jsonText:
		return valueOf(x)
	case []value:
		return v.compound(x, stringify)
	}
	return v.word(), nil
}

func (v value) compound(all []value, stringify bool) (any, error) {
	if v.of.Kind == googlesql.Array {
		list := &array{make([]any, len(all))}
		for i, e := range all {
			var err error
			if list.elements[i], err = e.json(stringify); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	o := object{}
	for i, e := range all {
		j, err := e.json(stringify)
		if err != nil {
			return nil, err
		}
		if _, twice := o[v.of.Fields[i].Name]; !twice {
			o[v.of.Fields[i].Name] = j
		}
	}
	return o, nil
}

// wideNumber makes a number of a decimal text: the nearest FLOAT64, or the text where that tells another number.
func wideNumber(s string, stringify bool) any {
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return number(s)
	}
	f, _ := strconv.ParseFloat(s, 64)
	if in, ok := new(big.Rat).SetString(s); stringify && ok && in.Cmp(shortest(f)) != 0 {
		return s
	}
	return floatNumber(f)
}

func jsonArray(all []value) (jsonText, error) {
	list := &array{make([]any, len(all))}
	for i, v := range all {
		var err error
		if list.elements[i], err = v.json(false); err != nil {
			return "", err
		}
	}
	return jsonText(jsonString(list)), nil
}

// jsonObject is JSON_OBJECT of names and values in turn, or of an array of each.
func jsonObject(all []value) (jsonText, error) {
	if len(all) == 2 && all[0].of.Kind == googlesql.Array {
		keys, _ := all[0].data.([]value)
		values, _ := all[1].data.([]value)
		if all[0].data == nil || all[1].data == nil {
			return "", errors.New("Invalid input to JSON_OBJECT: The array of keys or values cannot be NULL")
		}
		if len(keys) != len(values) {
			return "", errors.New("Invalid input to JSON_OBJECT: The number of keys and values must match")
		}
		all = nil
		for i, k := range keys {
			all = append(all, k, values[i])
		}
	}
	o := object{}
	for i := 0; i+1 < len(all); i += 2 {
		k, ok := all[i].data.(string)
		if !ok {
			return "", errNoKey
		}
		v, err := all[i+1].json(false)
		if err != nil {
			return "", err
		}
		if _, twice := o[k]; !twice {
			o[strings.Clone(k)] = v
		}
	}
	return jsonText(jsonString(o)), nil
}
