package main

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

func readRows(rows *sql.Rows) (all []map[string]any, names []string, err error) {
	defer rows.Close()
	if names, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	for rows.Next() {
		row, at := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			at[i] = &row[i]
		}
		if err := rows.Scan(at...); err != nil {
			return nil, nil, err
		}
		m := map[string]any{}
		for i, n := range names {
			m[n] = row[i]
		}
		all = append(all, m)
	}
	return all, names, rows.Err()
}

// sameEnd compares an end of a RANGE.
func sameEnd(want, got any) bool {
	t, ok := got.(time.Time)
	if !ok || want == nil {
		return ok && (t.Year() < 1 || t.Year() > 9999)
	}
	text := strings.TrimSuffix(fmt.Sprint(want), "+00:00")
	for _, form := range []string{time.DateOnly, "2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.999999"} {
		if w, err := time.Parse(form, text); err == nil {
			return w.Equal(t)
		}
	}
	return false
}

// same compares a recorded value with one that was read.
func same(f field, want, got any) bool {
	if f.Mode == "REPEATED" {
		list, ok := got.([]any)
		wanted, _ := want.([]any)
		if got == nil {
			return len(wanted) == 0
		}
		if !ok || len(list) != len(wanted) {
			return false
		}
		one := f
		one.Mode = ""
		for i := range list {
			if !same(one, wanted[i], list[i]) {
				return false
			}
		}
		return true
	}
	if want == nil || got == nil {
		return want == nil && got == nil
	}
	switch f.Type {
	case "INTEGER", "INT64":
		return fmt.Sprint(got) == whole(want)
	case "FLOAT", "FLOAT64":
		g, ok := got.(float64)
		n, isNumber := want.(json.Number)
		w, err := n.Float64()
		if !isNumber || err != nil {
			return ok && fmt.Sprint(g) == map[string]string{"NaN": "NaN", "Infinity": "+Inf", "-Infinity": "-Inf"}[fmt.Sprint(want)]
		}
		return ok && (g == w || math.Abs(g-w) <= 1e-12*math.Abs(w)+1e-15 || math.IsNaN(g) && math.IsNaN(w))
	case "NUMERIC", "BIGNUMERIC":
		w, ok := new(big.Rat).SetString(fmt.Sprint(want))
		g := new(big.Rat)
		switch d := got.(type) {
		case duckdb.Decimal:
			_, okGot := g.SetString(d.String())
			return ok && okGot && w.Cmp(g) == 0
		}
		return false
	case "BYTES":
		b, ok := got.([]byte)
		return ok && base64.StdEncoding.EncodeToString(b) == fmt.Sprint(want)
	case "DATE":
		return moment(got, "2006-01-02") == fmt.Sprint(want)
	case "TIME":
		return strings.TrimSuffix(moment(got, "15:04:05.000000"), ".000000") == fmt.Sprint(want)
	case "DATETIME":
		return strings.TrimSuffix(moment(got, "2006-01-02T15:04:05.000000"), ".000000") == fmt.Sprint(want)
	case "TIMESTAMP":
		t, ok := got.(time.Time)
		w, err := time.Parse(time.RFC3339Nano, strings.Replace(fmt.Sprint(want), " ", "T", 1))
		return ok && err == nil && t.Equal(w)
	case "RECORD", "STRUCT":
		m, ok := got.(map[string]any)
		w, isMap := want.(map[string]any)
		if !ok || !isMap {
			return false
		}
		for _, c := range f.Fields {
			if !same(c, w[c.Name], m[c.Name]) {
				return false
			}
		}
		return true
	case "RANGE":
		m, ok := got.(map[string]any)
		w, isMap := want.(map[string]any)
		return ok && isMap && sameEnd(w["start"], m["_range_start"]) && sameEnd(w["end"], m["_range_end"])
	case "JSON":
		return reflect.DeepEqual(parsed(want), parsed(got))
	case "INTERVAL":
		i, ok := got.(duckdb.Interval)
		return ok && delta(i) == fmt.Sprint(want)
	}
	return fmt.Sprint(want) == fmt.Sprint(got)
}

func whole(v any) string {
	if f, ok := v.(float64); ok {
		return big.NewFloat(f).Text('f', 0)
	}
	return fmt.Sprint(v)
}

func moment(v any, layout string) string {
	t, ok := v.(time.Time)
	if !ok {
		return fmt.Sprint(v)
	}
	return t.Format(layout)
}

func parsed(v any) any {
	if b, ok := v.([]byte); ok {
		v = string(b)
	}
	s, ok := v.(string)
	if !ok {
		b, err := json.Marshal(v)
		if err != nil {
			return v
		}
		s = string(b)
	}
	var x any
	if json.Unmarshal([]byte(s), &x) != nil {
		return s
	}
	if inner, ok := x.(string); ok {
		return inner
	}
	return x
}

// delta is how dateutil writes a relativedelta.
func delta(i duckdb.Interval) string {
	var parts []string
	add := func(name string, n int64) {
		if n != 0 {
			parts = append(parts, fmt.Sprintf("%s=%+d", name, n))
		}
	}
	add("years", int64(i.Months)/12)
	add("months", int64(i.Months)%12)
	add("days", int64(i.Days))
	micros := i.Micros
	add("hours", micros/3_600_000_000)
	add("minutes", micros/60_000_000%60)
	add("seconds", micros/1_000_000%60)
	add("microseconds", micros%1_000_000)
	return "relativedelta(" + strings.Join(parts, ", ") + ")"
}
