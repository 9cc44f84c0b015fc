package wire

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/duckfmt"
)

// AppendObject writes a row as a JSON object, as extracts have it: INT64, NUMERIC and BIGNUMERIC are strings, which keep their digits
// everywhere, and NULLs are left out
// (https://docs.cloud.google.com/bigquery/docs/exporting-data#limitations).
func (e *Encoder) AppendObject(b []byte, values []any) ([]byte, error) {
	if len(values) != len(e.Columns) {
		return b, fmt.Errorf("a row of %s for %s", amount.Of(len(values), "value"), amount.Of(len(e.Columns), "column"))
	}
	return e.object(b, e.Columns, func(i int) any { return values[i] })
}

func (e *Encoder) object(b []byte, fields []googlesql.Field, value func(i int) any) ([]byte, error) {
	b = append(b, '{')
	first := true
	for i, f := range fields {
		v := value(i)
		if v == nil && f.Type.Kind != googlesql.Array {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(duckfmt.AppendJSONString(b, fieldName(f, i)), ':')
		var err error
		if b, err = e.plain(b, f.Type, v); err != nil {
			return b, within(fieldName(f, i), err)
		}
	}
	return append(b, '}'), nil
}

// plain writes a value that is not NULL.
func (e *Encoder) plain(b []byte, t googlesql.Type, v any) ([]byte, error) {
	switch t.Kind {
	case googlesql.Array:
		items, err := listOf(v)
		if err != nil {
			return b, err
		}
		b = append(b, '[')
		for i, item := range items {
			if i > 0 {
				b = append(b, ',')
			}
			if item == nil {
				return b, failed("Array cannot have a null element; error in writing field")
			}
			if b, err = e.plain(b, *t.Elem, item); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	case googlesql.Struct:
		parts, err := partsOf(t, v)
		if err != nil {
			return b, err
		}
		return e.object(b, t.Fields, func(i int) any { return parts[i] })
	case googlesql.JSON:
		s, err := text(t.Kind, v)
		return append(b, strings.NewReplacer("\n", " ", "\r", " ").Replace(s)...), err
	case googlesql.Bool:
		return e.scalar(b, t.Kind, v)
	case googlesql.Float64:
		if f, ok := v.(float64); ok && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return e.scalar(b, t.Kind, v)
		}
	}
	s, err := e.csvText(nil, t.Kind, v)
	return duckfmt.AppendJSONString(b, string(s)), err
}

// AppendCSVRow writes a row as CSV: NULL is nothing, the empty STRING two quotes.
func (e *Encoder) AppendCSVRow(b []byte, values []any, delimiter byte) ([]byte, error) {
	for i, v := range values {
		if i > 0 {
			b = append(b, delimiter)
		}
		if v == nil {
			continue
		}
		s, err := e.csvText(nil, e.Columns[i].Type.Kind, v)
		if err != nil {
			return b, within(fieldName(e.Columns[i], i), err)
		}
		b = AppendCSV(b, string(s), delimiter)
	}
	return b, nil
}

// csvText is the text of a scalar value in an extract.
func (e *Encoder) csvText(b []byte, kind googlesql.Kind, v any) ([]byte, error) {
	switch kind {
	case googlesql.String, googlesql.JSON:
		s, err := text(kind, v)
		return append(b, s...), err
	case googlesql.Timestamp:
		if t, ok := v.(time.Time); ok {
			return append(appendClock(t.UTC().AppendFormat(b, "2006-01-02 "), t.UTC()), " UTC"...), nil
		}
	}
	return e.scalar(b, kind, v)
}

// AppendCSV writes a text as a value of CSV.
func AppendCSV(b []byte, s string, delimiter byte) []byte {
	if s != "" && strings.IndexByte(s, delimiter) < 0 && !strings.ContainsAny(s, "\"\r\n") && strings.TrimSpace(s) == s {
		return append(b, s...)
	}
	return append(append(append(b, '"'), bytes.ReplaceAll([]byte(s), []byte(`"`), []byte(`""`))...), '"')
}
