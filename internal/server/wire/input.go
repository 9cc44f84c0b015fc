package wire

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	bigquery "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
)

// A Reader reads rows of JSON for the columns of a table: those of tabledata.insertAll, and JSON lines.
type Reader struct {
	fields        []column
	ignoreUnknown bool
	jsonText      bool
	defaults      bool
}

// Default is the value of a column that a row leaves out and that has a default, where [ReaderOptions] ask for it.
type Default struct{}

// column is a field of a schema as the reader needs it.
type column struct {
	name  string
	kind  googlesql.Kind
	mode  string
	inner []column

	maxLength  int64 // of a STRING or BYTES; 0 is any
	hasDefault bool
}

// ReaderOptions say what a Reader takes.
type ReaderOptions struct {
	IgnoreUnknown bool // a field that the schema lacks is left out; it is an error otherwise
	JSONText      bool // a JSON column has the text of a value, as in insertAll; in JSON lines it has the value itself
	Defaults      bool // a column with a defaultValueExpression that is left out is a Default, else it is NULL
}

// NewReader makes a reader for a schema.
func NewReader(fields []*bigquery.TableFieldSchema, o ReaderOptions) (*Reader, error) {
	if _, err := Columns(fields); err != nil {
		return nil, err
	}
	return &Reader{columnsOf(fields), o.IgnoreUnknown, o.JSONText, o.Defaults}, nil
}

func columnsOf(fields []*bigquery.TableFieldSchema) []column {
	all := make([]column, len(fields))
	for i, f := range fields {
		all[i] = column{
			name: f.Name, kind: typeWords[strings.ToUpper(f.Type)], mode: strings.ToUpper(f.Mode), inner: columnsOf(f.Fields),
			maxLength: f.MaxLength, hasDefault: f.DefaultValueExpression != "",
		}
	}
	return all
}

// Row reads an object with a value for each column, in any order, and gives the values in the order of the columns. A column
// that is left out is NULL, or the empty ARRAY. An error is an *[Error] with the column's path.
func (r *Reader) Row(raw json.RawMessage) ([]any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return nil, failed("Parser terminated before end of string: %v", err)
	}
	if object == nil {
		return nil, failed("The row is no JSON object")
	}
	return r.object(r.fields, object)
}

func (r *Reader) object(fields []column, object map[string]any) ([]any, error) {
	row := make([]any, len(fields))
	given := make([]bool, len(fields))
	for _, name := range sortedKeys(object) {
		i := slices.IndexFunc(fields, func(f column) bool { return strings.EqualFold(f.name, name) })
		switch {
		case i < 0 && r.ignoreUnknown:
			continue
		case i < 0:
			return nil, &Error{Field: name, Message: "no such field: " + name + "."}
		case given[i]:
			return nil, &Error{Field: name, Message: "The field stands twice in the row"}
		}
		v, err := r.field(fields[i], object[name])
		if err != nil {
			return nil, within(fields[i].name, err)
		}
		row[i], given[i] = v, true
	}
	for i, f := range fields {
		if given[i] {
			continue
		}
		if f.hasDefault && r.defaults {
			row[i] = Default{}
			continue
		}
		v, err := r.field(f, nil)
		if err != nil {
			return nil, within(f.name, err)
		}
		row[i] = v
	}
	return row, nil
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// field reads the value of a column.
func (r *Reader) field(f column, v any) (any, error) {
	switch {
	case f.mode == Repeated:
		if v == nil {
			return []any{}, nil
		}
		list, ok := v.([]any)
		if !ok {
			return nil, failed("Value for a repeated field is no JSON array")
		}
		items := make([]any, len(list))
		for i, item := range list {
			if item == nil {
				return nil, failed("Only optional fields can be set to NULL. Field: %s; Value: NULL", f.name)
			}
			var err error
			if items[i], err = r.value(f, item); err != nil {
				return nil, err
			}
		}
		return items, nil
	case v == nil && f.mode == Required:
		return nil, failed("Missing required field: %s.", f.name)
	case v == nil:
		return nil, nil
	}
	return r.value(f, v)
}

// value reads a value that is not NULL.
func (r *Reader) value(f column, v any) (any, error) {
	read, err := r.anyValue(f, v)
	if err != nil || f.maxLength == 0 {
		return read, err
	}
	length := int64(0)
	switch x := read.(type) {
	case string:
		length = int64(utf8.RuneCountInString(x))
	case []byte:
		length = int64(len(x))
	}
	if length > f.maxLength {
		return nil, failed("Field %s: %s(%d) has maximum length %d but got a value with length %d", f.name, f.kind, f.maxLength, f.maxLength,
			length)
	}
	return read, nil
}

// anyValue reads a value of any length.
func (r *Reader) anyValue(f column, v any) (any, error) {
	switch f.kind {
	case googlesql.Struct:
		object, ok := v.(map[string]any)
		if !ok {
			return nil, failed("This field: %s is not a record.", f.name)
		}
		return r.object(f.inner, object)
	case googlesql.JSON:
		if s, ok := v.(string); ok && r.jsonText {
			return parse(f.kind, s)
		}
		return compactJSON(v)
	}
	switch v := v.(type) {
	case string:
		return parseLoose(f.kind, v)
	case json.Number:
		return numberAs(f.kind, v.String())
	case bool:
		switch f.kind {
		case googlesql.Bool:
			return v, nil
		case googlesql.String:
			return strconv.FormatBool(v), nil
		}
		return nil, failed("Cannot convert value to %s (bad value): %t", strings.ToLower(f.kind.String()), v)
	case []any:
		return nil, failed("Array specified for non-repeated field: %s.", f.name)
	}
	return nil, failed("This field: %s is a record, and its type is %s.", f.name, f.kind)
}

// compactJSON writes a value again that was decoded with its numbers' digits.
func compactJSON(v any) (any, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, failed("Invalid JSON value: %v", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// parseLoose reads a text where rows are more forgiving than parameters: numbers with a point for INT64, seconds for a TIMESTAMP.
func parseLoose(kind googlesql.Kind, s string) (any, error) {
	switch kind {
	case googlesql.Bool:
		switch strings.ToLower(s) {
		case "t", "yes", "y", "1":
			return true, nil
		case "f", "no", "n", "0":
			return false, nil
		}
	case googlesql.Int64:
		if n, ok := wholeNumber(s); ok {
			return n, nil
		}
	case googlesql.Timestamp:
		if number.MatchString(s) {
			return seconds(s)
		}
	case googlesql.DateTime, googlesql.Date, googlesql.Time, googlesql.Interval:
		s = strings.TrimSpace(s)
	}
	return parse(kind, s)
}

// numberAs reads a JSON number.
func numberAs(kind googlesql.Kind, s string) (any, error) {
	switch kind {
	case googlesql.Bool, googlesql.Int64, googlesql.Timestamp, googlesql.Float64, googlesql.Numeric, googlesql.BigNumeric:
		return parseLoose(kind, s)
	case googlesql.String:
		return s, nil
	}
	return nil, failed("Cannot convert value to %s (bad value): %s", strings.ToLower(kind.String()), shortened(s))
}

// wholeNumber reads a number without a fraction, such as 1.0 and 1e3.
func wholeNumber(s string) (int64, bool) {
	if !number.MatchString(s) || len(s) > 100 || exponentOf(s) > 100 {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}

// exponentOf gives the size of a number's exponent.
func exponentOf(s string) int {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return 0
	}
	n, _ := strconv.Atoi(s[i+1:])
	return int(abs(int64(n)))
}

// seconds reads a TIMESTAMP that is told in seconds; of a fraction microseconds count.
func seconds(s string) (any, error) {
	bad := failed("Timestamp is out of range: %s", shortened(s))
	if len(s) > 100 || exponentOf(s) > 100 {
		return nil, bad
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, bad
	}
	r.Mul(r, big.NewRat(1_000_000, 1))
	r.Add(r, big.NewRat(1, 2)) // the nearest
	micros := new(big.Int).Div(r.Num(), r.Denom())
	if !micros.IsInt64() {
		return nil, bad
	}
	t := time.UnixMicro(micros.Int64()).UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return nil, bad
	}
	return t, nil
}
