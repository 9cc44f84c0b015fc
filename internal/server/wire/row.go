package wire

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/duckfmt"
)

// TimestampFormat is how a TIMESTAMP is written.
type TimestampFormat int

// The formats of formatOptions.
const (
	FloatSeconds TimestampFormat = iota // 1.5778368E9, the API's default
	Int64Micros                         // 1577836800000000
	ISO8601                             // 2020-01-01T00:00:00.000000000000Z
)

// An Encoder writes rows of given columns.
type Encoder struct {
	Columns    []googlesql.Field
	Timestamps TimestampFormat
}

// AppendRow writes a row {"f":[{"v":…},…]} of values as database/sql gives them, one for each column.
func (e *Encoder) AppendRow(b []byte, values []any) ([]byte, error) {
	if len(values) != len(e.Columns) {
		return b, fmt.Errorf("a row of %s for %s", amount.Of(len(values), "value"), amount.Of(len(e.Columns), "column"))
	}
	b = append(b, `{"f":[`...)
	for i, c := range e.Columns {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = e.cell(b, c.Type, values[i]); err != nil {
			return b, within(fieldName(c, i), err)
		}
	}
	return append(b, "]}"...), nil
}

// cell writes {"v":…}.
func (e *Encoder) cell(b []byte, t googlesql.Type, v any) ([]byte, error) {
	b, err := e.value(append(b, `{"v":`...), t, v)
	return append(b, '}'), err
}

func (e *Encoder) value(b []byte, t googlesql.Type, v any) ([]byte, error) {
	switch {
	case t.Kind == googlesql.Array:
		return e.array(b, *t.Elem, v)
	case v == nil:
		return append(b, "null"...), nil
	case t.Kind == googlesql.Struct:
		return e.record(b, t, v)
	case t.Kind == googlesql.Range:
		b, err := e.rangeText(append(b, '"'), t, v)
		return append(b, '"'), err
	}
	switch t.Kind {
	case googlesql.String, googlesql.JSON:
		s, err := text(t.Kind, v)
		return duckfmt.AppendJSONString(b, s), err
	}
	b, err := e.scalar(append(b, '"'), t.Kind, v) // its text has nothing to escape
	return append(b, '"'), err
}

// rangeText writes a RANGE as BigQuery does: [2024-01-01, UNBOUNDED).
func (e *Encoder) rangeText(b []byte, t googlesql.Type, v any) ([]byte, error) {
	ends, ok := v.(map[string]any)
	if !ok {
		return b, mismatch(v, t.String())
	}
	b = append(b, '[')
	for i, name := range []string{googlesql.RangeStart, googlesql.RangeEnd} {
		if i > 0 {
			b = append(b, ", "...)
		}
		at, ok := ends[name].(time.Time)
		if !ok {
			return b, mismatch(ends[name], t.String())
		}
		if year := at.Year(); year < 1 || year > 9999 { // -infinity and infinity
			b = append(b, "UNBOUNDED"...)
			continue
		}
		var err error
		if b, err = e.scalar(b, t.Elem.Kind, at); err != nil {
			return b, err
		}
	}
	return append(b, ')'), nil
}

func (e *Encoder) array(b []byte, elem googlesql.Type, v any) ([]byte, error) {
	items, err := listOf(v)
	if err != nil {
		return b, err
	}
	b = append(b, '[')
	for i, item := range items {
		if item == nil {
			return b, failed("Array cannot have a null element; error in writing field")
		}
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = e.cell(b, elem, item); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

// listOf gives the elements of an ARRAY; BigQuery gives a NULL one as an empty one.
func listOf(v any) (items []any, err error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		return v, nil
	case duckdb.OrderedMap:
		values := v.Values()
		for i, k := range v.Keys() {
			items = append(items, []any{k, values[i]})
		}
		return items, nil
	}
	return nil, mismatch(v, "ARRAY")
}

// partsOf gives the fields of a STRUCT.
func partsOf(t googlesql.Type, v any) ([]any, error) {
	switch v := v.(type) {
	case map[string]any:
		parts := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = v[f.Name]
		}
		return parts, nil
	case []any:
		if len(v) == len(t.Fields) {
			return v, nil
		}
	}
	return nil, mismatch(v, t.String())
}

func (e *Encoder) record(b []byte, t googlesql.Type, v any) ([]byte, error) {
	parts, err := partsOf(t, v)
	if err != nil {
		return b, err
	}
	b = append(b, `{"f":[`...)
	for i, f := range t.Fields {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = e.cell(b, f.Type, parts[i]); err != nil {
			return b, within(fieldName(f, i), err)
		}
	}
	return append(b, "]}"...), nil
}

func mismatch(v any, want string) error {
	return fmt.Errorf("a value of the Go type %T cannot be a %s", v, want)
}

// text gives the text of a STRING or of JSON.
func text(kind googlesql.Kind, v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case json.RawMessage:
		return string(v), nil
	case []byte:
		if kind == googlesql.String && len(v) == 16 { // a UUID, which duckdb-go gives as bytes
			id := hex.EncodeToString(v)
			return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-"), nil
		}
		return string(v), nil
	case fmt.Stringer:
		return v.String(), nil
	}
	return "", mismatch(v, "STRING")
}

// scalar writes the text of a value that is not NULL, STRING or JSON.
func (e *Encoder) scalar(b []byte, kind googlesql.Kind, v any) ([]byte, error) {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v), nil
	case int8:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int16:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int32:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case uint8:
		return strconv.AppendUint(b, uint64(v), 10), nil
	case uint16:
		return strconv.AppendUint(b, uint64(v), 10), nil
	case uint32:
		return strconv.AppendUint(b, uint64(v), 10), nil
	case uint64:
		return strconv.AppendUint(b, v, 10), nil
	case *big.Int:
		return v.Append(b, 10), nil
	case float32:
		return appendFloat(b, float64(v), 32), nil
	case float64:
		return appendFloat(b, v, 64), nil
	case duckdb.Decimal:
		return appendDecimal(b, v.Value, int(v.Scale)), nil
	case []byte:
		return base64.StdEncoding.AppendEncode(b, v), nil
	case duckdb.Interval:
		return appendInterval(b, v), nil
	case time.Time:
		return e.time(b, kind, v)
	}
	return b, mismatch(v, kind.String())
}

func (e *Encoder) time(b []byte, kind googlesql.Kind, t time.Time) ([]byte, error) {
	t = t.UTC()
	if y := t.Year(); y < 1 || y > 9999 {
		return b, failed("The %s is out of BigQuery's range, which is the years 1 to 9999: year %d", kind, y)
	}
	switch kind {
	case googlesql.Date:
		return t.AppendFormat(b, "2006-01-02"), nil
	case googlesql.DateTime:
		return appendClock(t.AppendFormat(b, "2006-01-02T"), t), nil
	case googlesql.Time:
		return appendClock(b, t), nil
	case googlesql.Timestamp:
		switch e.Timestamps {
		case Int64Micros:
			return strconv.AppendInt(b, t.UnixMicro(), 10), nil
		case ISO8601:
			return append(t.AppendFormat(b, "2006-01-02T15:04:05.000000"), "000000Z"...), nil
		}
		return appendSeconds(b, t.UnixMicro()), nil
	}
	return b, mismatch(t, kind.String())
}

// appendSeconds writes seconds with all their digits, where a FLOAT64 would lose the last ones.
func appendSeconds(b []byte, micros int64) []byte {
	if micros == 0 {
		return append(b, "0.0"...)
	}
	digits := strconv.FormatInt(abs(micros), 10)
	exponent := len(digits) - 7
	if micros < 0 {
		b = append(b, '-')
	}
	fraction := strings.TrimRight(digits[1:], "0")
	if fraction == "" {
		fraction = "0"
	}
	b = append(append(append(b, digits[0], '.'), fraction...), 'E')
	return strconv.AppendInt(b, int64(exponent), 10)
}
