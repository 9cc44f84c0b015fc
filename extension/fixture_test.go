package extension_test

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/modeltest"
)

// fixture is what TensorFlow's Python runtime answered: testdata/models/make_models.py writes it.
type fixture struct {
	Signature string
	Tags      []string
	Inputs    map[string]fixtureTensor
	Outputs   map[string]fixtureTensor
}

type fixtureTensor struct {
	DType  string
	Shape  []int
	Values []any
}

// sqlTypes are the DuckDB types in which a fixture's inputs are stored: the tensor's own.
var sqlTypes = map[string]string{
	"bool": "BOOLEAN", "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
	"uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER", "uint64": "UBIGINT",
	"float16": "FLOAT", "bfloat16": "FLOAT", "float32": "FLOAT", "float64": "DOUBLE", "string": "VARCHAR",
}

// row writes the elements of one row as a literal, nested as the shape is.
func (f fixtureTensor) row(i int, exact bool) string {
	size := 1
	for _, d := range f.Shape[1:] {
		size *= d
	}
	t := sqlTypes[f.DType]
	var write func(shape []int, at int) string
	write = func(shape []int, at int) string {
		if len(shape) == 0 && hasBytes(f) {
			return "from_base64('" + base64.StdEncoding.EncodeToString([]byte(valueText(f.Values[at]))) + "')"
		}
		if len(shape) == 0 {
			return "'" + strings.ReplaceAll(valueText(f.Values[at]), "'", "''") + "'::" + t
		}
		step := 1
		for _, d := range shape[1:] {
			step *= d
		}
		parts := make([]string, shape[0])
		for j := range parts {
			parts[j] = write(shape[1:], at+j*step)
		}
		list := "[" + strings.Join(parts, ", ") + "]"
		if len(parts) == 0 {
			return "[]::" + t + "[]"
		}
		if exact { // a fixed ARRAY, which lies in memory as the tensor does
			list += "::" + t
			for j := len(shape) - 1; j >= 0; j-- {
				list += fmt.Sprintf("[%d]", shape[j])
			}
		}
		return list
	}
	return write(f.Shape[1:], i*size)
}

func valueText(v any) string {
	switch v := v.(type) {
	case map[string]any: // bytes
		b, _ := base64.StdEncoding.DecodeString(v["base64"].(string))
		return string(b)
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}

// flatten gives the elements of a nested value in row-major order.
func flatten(v any) []any {
	list, ok := v.([]any)
	if !ok {
		return []any{v}
	}
	var all []any
	for _, e := range list {
		all = append(all, flatten(e)...)
	}
	return all
}

// same compares an element of a tensor: floats within the tolerance of a shallow model, everything else exactly.
func same(got, want any, dtype string) bool {
	if b, ok := want.(bool); ok {
		return got == b
	}
	if s, ok := want.(string); ok && got == s {
		return true
	}
	g, gok := number(got)
	w, wok := number(want)
	if !gok || !wok {
		return false
	}
	return modeltest.Check(g, w, modeltest.Tolerance(dtype, modeltest.Shallow)) == nil
}

func number(v any) (float64, bool) {
	s := valueText(v)
	switch strings.ToLower(s) {
	case "nan":
		return math.NaN(), true
	case "infinity", "inf":
		return math.Inf(1), true
	case "-infinity", "-inf":
		return math.Inf(-1), true
	}
	f, err := json.Number(s).Float64()
	return f, err == nil
}

// TestFixtures predicts with every tiny model through SQL, in both forms and from lists and fixed arrays, and compares
// with TensorFlow's Python runtime.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("../testdata/models/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			testFixture(t, file, name, func() *sql.DB { return open(t, "", config(t)) })
		})
	}
}

func testFixture(t *testing.T, file, name string, database func() *sql.DB) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []fixture
	d := json.NewDecoder(f)
	d.UseNumber()
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		db := database()
		db.SetMaxOpenConns(1)
		options := ""
		if c.Signature != "" {
			options += ", SIGNATURE='" + c.Signature + "'"
		}
		if len(c.Tags) > 0 {
			options += ", TAGS=['" + strings.Join(c.Tags, "', '") + "']"
		}
		outputs := make([]string, 0, len(c.Outputs))
		binary := make([]string, 0, len(c.Outputs))
		for out, v := range c.Outputs {
			outputs = append(outputs, out)
			for _, e := range v.Values {
				if _, ok := e.(map[string]any); ok {
					out += " BYTES"
					break
				}
			}
			binary = append(binary, out)
		}
		sort.Strings(outputs)
		options += ", OUTPUTS=['" + strings.Join(binary, "', '") + "']"
		exec(t, db, fmt.Sprintf("CREATE OR REPLACE MODEL m OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='%s/%s/*'%s)", models(t), name, options))
		for _, exact := range []bool{false, true} {
			table := fixtureTable(c, exact)
			exec(t, db, "CREATE OR REPLACE TABLE t AS "+table)
			bigquery := "ML.PREDICT(MODEL m, TABLE t)"
			if name == "dtypes" { // INT64 holds no number above its own; TestUint64 has the error
				bigquery = "ML.PREDICT(MODEL m, (FROM t WHERE x_uint64 < 9223372036854775807))"
			}
			for _, call := range []string{bigquery, "ML_PREDICT('m', 'FROM t')"} {
				compareFixture(t, db, fmt.Sprintf("case %d, arrays %t, %s", i, exact, call), call, outputs, c)
			}
		}
	}
}

func fixtureTable(c fixture, exact bool) string {
	rows := 0
	names := make([]string, 0, len(c.Inputs))
	for name, in := range c.Inputs {
		rows = in.Shape[0]
		names = append(names, name)
	}
	sort.Strings(names)
	if rows == 0 {
		for i, name := range names {
			names[i] = "NULL::" + sqlTypes[c.Inputs[name].DType] + ` AS "` + name + `"`
		}
		return "SELECT 0 AS row_number, " + strings.Join(names, ", ") + " WHERE false"
	}
	selects := make([]string, rows)
	for i := range rows {
		cols := []string{fmt.Sprintf("%d AS row_number", i)}
		for _, name := range names {
			cols = append(cols, c.Inputs[name].row(i, exact)+` AS "`+name+`"`)
		}
		selects[i] = "SELECT " + strings.Join(cols, ", ")
	}
	return strings.Join(selects, " UNION ALL ")
}

func compareFixture(t *testing.T, db *sql.DB, label, call string, outputs []string, c fixture) {
	t.Helper()
	cols := make([]string, len(outputs))
	for i, out := range outputs {
		cols[i] = fmt.Sprintf("p.c%d", i)
		if hasBytes(c.Outputs[out]) {
			cols[i] = fmt.Sprintf("base64(p.c%d)", i)
		}
	}
	names := make([]string, len(outputs))
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	query := "SELECT row_number, to_json([" + strings.Join(mapped(cols, func(s string) string { return "to_json(" + s + ")" }), ", ") + "])::VARCHAR FROM " +
		call + " AS p(" + strings.Join(names, ", ") + ") ORDER BY row_number"
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Errorf("%s: %v", label, err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		var text string
		if err := rows.Scan(&n, &text); err != nil {
			t.Fatal(err)
		}
		var values []any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&values); err != nil {
			t.Fatalf("%s: %v in %s", label, err, text)
		}
		for i, out := range outputs {
			w := c.Outputs[out]
			size := len(w.Values) / max(w.Shape[0], 1)
			want := w.Values[n*size : (n+1)*size]
			got := flatten(values[i])
			if len(got) != len(want) {
				t.Errorf("%s: row %d, output %s: %d elements, want %d", label, n, out, len(got), len(want))
				continue
			}
			for k := range want {
				wk := want[k]
				if hasBytes(w) {
					wk = base64.StdEncoding.EncodeToString([]byte(valueText(wk)))
				}
				if !same(got[k], wk, w.DType) {
					t.Errorf("%s: row %d, output %s[%d]: %v, want %v", label, n, out, k, got[k], wk)
					break
				}
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Errorf("%s: %v", label, err)
	}
}

func hasBytes(f fixtureTensor) bool {
	for _, v := range f.Values {
		if _, ok := v.(map[string]any); ok {
			return true
		}
	}
	return false
}

func mapped(in []string, f func(string) string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = f(s)
	}
	return out
}
