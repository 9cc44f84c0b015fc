package wire

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	bigquery "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/duckfmt"
)

// The modes of a field.
const (
	Nullable = "NULLABLE"
	Required = "REQUIRED"
	Repeated = "REPEATED"
)

// kindNames are the names under which the API gives types; it takes those of GoogleSQL, too.
var kindNames = map[googlesql.Kind]string{
	googlesql.Bool: "BOOLEAN", googlesql.Int64: "INTEGER", googlesql.Float64: "FLOAT", googlesql.Struct: "RECORD",
}

// typeWords are the names of types that the API takes and gives.
var typeWords = map[string]googlesql.Kind{
	"BOOLEAN": googlesql.Bool, "BOOL": googlesql.Bool, "INTEGER": googlesql.Int64, "INT64": googlesql.Int64,
	"FLOAT": googlesql.Float64, "FLOAT64": googlesql.Float64, "RECORD": googlesql.Struct, "STRUCT": googlesql.Struct,
	"NUMERIC": googlesql.Numeric, "DECIMAL": googlesql.Numeric, "BIGNUMERIC": googlesql.BigNumeric, "BIGDECIMAL": googlesql.BigNumeric,
	"STRING": googlesql.String, "BYTES": googlesql.Bytes, "DATE": googlesql.Date, "DATETIME": googlesql.DateTime, "TIME": googlesql.Time,
	"TIMESTAMP": googlesql.Timestamp, "INTERVAL": googlesql.Interval, "JSON": googlesql.JSON,
	"GEOGRAPHY": googlesql.Geography, "RANGE": googlesql.Range, "ARRAY": googlesql.Array,
}

// Schema gives the schema of columns.
func Schema(columns []googlesql.Field) *bigquery.TableSchema {
	s := &bigquery.TableSchema{Fields: make([]*bigquery.TableFieldSchema, len(columns)), ForceSendFields: []string{"Fields"}}
	for i, c := range columns {
		s.Fields[i] = Field(fieldName(c, i), c.Type)
	}
	return s
}

// Field gives the schema of one column, which is nullable or repeated.
func Field(name string, t googlesql.Type) *bigquery.TableFieldSchema {
	f := &bigquery.TableFieldSchema{Name: name, Mode: Nullable}
	if t.Kind == googlesql.Array {
		f.Mode, t = Repeated, *t.Elem
	}
	if f.Type = kindNames[t.Kind]; f.Type == "" {
		f.Type = t.Kind.String()
	}
	if t.Kind == googlesql.Struct {
		f.Fields = Schema(t.Fields).Fields
	}
	if t.Kind == googlesql.Range && t.Elem != nil {
		f.RangeElementType = &bigquery.TableFieldSchemaRangeElementType{Type: t.Elem.Kind.String()}
	}
	return f
}

// Columns gives the columns of a schema. Types that DuckDB has no counterpart of are refused, names twice and the like too.
func Columns(fields []*bigquery.TableFieldSchema) ([]googlesql.Field, error) {
	return columns(fields, 0)
}

func columns(fields []*bigquery.TableFieldSchema, depth int) ([]googlesql.Field, error) {
	if depth > deepest {
		return nil, failed("The schema is nested more than %d levels deep", deepest)
	}
	all := make([]googlesql.Field, len(fields))
	seen := map[string]bool{}
	for i, f := range fields {
		if f == nil || f.Name == "" {
			return nil, failed("Field %d of the schema has no name", i+1)
		}
		if key := strings.ToLower(f.Name); seen[key] {
			return nil, failed("Duplicate field name: %s", f.Name)
		} else {
			seen[key] = true
		}
		t, err := typeOf(f, depth)
		if err != nil {
			return nil, within(f.Name, err)
		}
		all[i] = googlesql.Field{Name: f.Name, Type: t}
	}
	return all, nil
}

// TypeOf gives the type of a field.
func TypeOf(f *bigquery.TableFieldSchema) (googlesql.Type, error) { return typeOf(f, 0) }

func typeOf(f *bigquery.TableFieldSchema, depth int) (googlesql.Type, error) {
	kind, ok := typeWords[strings.ToUpper(f.Type)]
	switch {
	case !ok && f.Type == "":
		return googlesql.Type{}, failed("The field has no type")
	case !ok, kind == googlesql.Array:
		return googlesql.Type{}, failed("Invalid value for type: %s is not a valid value", f.Type)
	case kind == googlesql.Geography:
		return googlesql.Type{}, refused(kind.String())
	}
	if err := checkParameters(f, kind); err != nil {
		return googlesql.Type{}, err
	}
	t := googlesql.Type{Kind: kind}
	if kind == googlesql.Range {
		elem := googlesql.Type{}
		if f.RangeElementType != nil {
			elem.Kind = typeWords[strings.ToUpper(f.RangeElementType.Type)]
		}
		if elem.Kind != googlesql.Date && elem.Kind != googlesql.DateTime && elem.Kind != googlesql.Timestamp {
			return t, failed("The rangeElementType of a RANGE is DATE, DATETIME or TIMESTAMP")
		}
		t.Elem = &elem
	}
	if kind == googlesql.Struct {
		fields, err := columns(f.Fields, depth+1)
		if err != nil {
			return t, err
		}
		if len(fields) == 0 {
			return t, failed("The RECORD has no fields")
		}
		t.Fields = fields
	}
	switch strings.ToUpper(f.Mode) {
	case "", Nullable, Required:
		return t, nil
	case Repeated:
		return googlesql.ArrayOf(t), nil
	}
	return t, failed("Invalid value for mode: %s is not a valid value", f.Mode)
}

// checkParameters refuses parameters that a type has not
// (https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema).
func checkParameters(f *bigquery.TableFieldSchema, kind googlesql.Kind) error {
	number := kind == googlesql.Numeric || kind == googlesql.BigNumeric
	switch {
	case f.MaxLength < 0 || f.Precision < 0 || f.Scale < 0:
		return failed("maxLength, precision and scale are not negative")
	case f.MaxLength > 0 && kind != googlesql.String && kind != googlesql.Bytes:
		return failed("maxLength is of STRING and BYTES, not of %s", kind)
	case (f.Precision > 0 || f.Scale > 0) && !number:
		return failed("precision and scale are of NUMERIC and BIGNUMERIC, not of %s", kind)
	case f.Scale > 0 && f.Precision == 0:
		return failed("scale wants precision")
	}
	return nil
}

// Declare writes the type of a field as a column of CREATE TABLE has it, such as ARRAY<NUMERIC(10, 2)> or STRING NOT NULL.
func Declare(f *bigquery.TableFieldSchema) (string, error) {
	if _, err := TypeOf(f); err != nil {
		return "", within(f.Name, err)
	}
	text := declare(f)
	if strings.EqualFold(f.Mode, Required) {
		text += " NOT NULL"
	}
	return text, nil
}

// declare writes the type of a field that is known to be right.
func declare(f *bigquery.TableFieldSchema) string {
	kind := typeWords[strings.ToUpper(f.Type)]
	text := kind.String()
	switch {
	case kind == googlesql.Struct:
		parts := make([]string, len(f.Fields))
		for i, inner := range f.Fields {
			parts[i] = googlesql.NameIfNeeded(inner.Name) + " " + declare(inner)
			if strings.EqualFold(inner.Mode, Required) {
				parts[i] += " NOT NULL"
			}
		}
		text = "STRUCT<" + strings.Join(parts, ", ") + ">"
	case kind == googlesql.Range:
		text += "<" + strings.ToUpper(f.RangeElementType.Type) + ">"
	case (kind == googlesql.Numeric || kind == googlesql.BigNumeric) && f.Precision > 0 && f.Scale > 0:
		text += fmt.Sprintf("(%d, %d)", f.Precision, f.Scale)
	case (kind == googlesql.Numeric || kind == googlesql.BigNumeric) && f.Precision > 0:
		text += fmt.Sprintf("(%d)", f.Precision)
	case (kind == googlesql.String || kind == googlesql.Bytes) && f.MaxLength > 0:
		text += "(" + strconv.FormatInt(f.MaxLength, 10) + ")"
	}
	if strings.EqualFold(f.Mode, Repeated) {
		text = "ARRAY<" + text + ">"
	}
	return text
}

// ColumnsOf gives the columns of a result of database/sql.
func ColumnsOf(types []*sql.ColumnType) ([]googlesql.Field, error) {
	all := make([]googlesql.Field, len(types))
	for i, c := range types {
		t, err := duckfmt.ParseType(c.DatabaseTypeName())
		if err == nil {
			all[i].Type, err = fromDuckDB(t)
		}
		if err != nil {
			return nil, &Error{Field: c.Name(), Message: err.Error()}
		}
		all[i].Name = c.Name()
	}
	return all, nil
}

// Declared gives the schema of a table's column by its type in DuckDB, with the precision of a DECIMAL.
func Declared(name, duckdb string) (*bigquery.TableFieldSchema, error) {
	t, err := duckfmt.ParseType(duckdb)
	if err != nil {
		return nil, err
	}
	of, err := fromDuckDB(t)
	if err != nil {
		return nil, &Error{Field: name, Message: err.Error()}
	}
	f := Field(name, of)
	precision(f, t)
	return f, nil
}

func precision(f *bigquery.TableFieldSchema, t *duckfmt.Type) {
	for t.Name == "LIST" || t.Name == "ARRAY" {
		t = t.Elem
	}
	switch {
	case t.Name == "STRUCT":
		for i, inner := range t.Fields {
			precision(f.Fields[i], inner.Type)
		}
	case t.Name == "DECIMAL" && !(t.Width == 38 && (t.Scale == 9 || t.Scale == 18)):
		f.Precision, f.Scale = int64(t.Width), int64(t.Scale)
	}
}

// longNames are DuckDB's names of types that duckdb-go shortens.
var longNames = map[string]string{"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE", "TIMETZ": "TIME WITH TIME ZONE"}

// fromDuckDB gives the GoogleSQL type that has room for the values of one of DuckDB's.
func fromDuckDB(t *duckfmt.Type) (googlesql.Type, error) {
	switch t.Name {
	case "LIST", "ARRAY":
		elem, err := fromDuckDB(t.Elem)
		if err == nil && elem.Kind == googlesql.Array {
			err = failed("GoogleSQL has no ARRAY of ARRAY, which %s is", t)
		}
		return googlesql.ArrayOf(elem), err
	case "MAP":
		key, err := fromDuckDB(t.Key)
		if err != nil {
			return key, err
		}
		value, err := fromDuckDB(t.Elem)
		return googlesql.ArrayOf(googlesql.StructOf(googlesql.Field{Name: "key", Type: key}, googlesql.Field{Name: "value", Type: value})), err
	case "STRUCT":
		s := googlesql.StructOf()
		for _, f := range t.Fields {
			of, err := fromDuckDB(f.Type)
			if err != nil {
				return s, err
			}
			s.Fields = append(s.Fields, googlesql.Field{Name: f.Name, Type: of})
		}
		if len(s.Fields) == 2 && s.Fields[0].Name == googlesql.RangeStart && s.Fields[1].Name == googlesql.RangeEnd {
			return googlesql.Type{Kind: googlesql.Range, Elem: &s.Fields[0].Type}, nil
		}
		return s, nil
	case "DECIMAL":
		return googlesql.Type{Kind: googlesql.DecimalKind(t.Width, t.Scale)}, nil
	}
	name := t.Name
	if long := longNames[name]; long != "" {
		name = long
	}
	kind, err := googlesql.FromDuckDB(name)
	return googlesql.Type{Kind: kind}, err
}

// SetParameters puts the parameters of a type that was declared, such as STRING(10) or NUMERIC(5, 2), into the schema of a field.
func SetParameters(f *bigquery.TableFieldSchema, declared string) {
	kind, list, ok := strings.Cut(strings.TrimSuffix(declared, ")"), "(")
	if !ok {
		return
	}
	first, second, _ := strings.Cut(list, ",")
	n, err := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	if err != nil {
		return
	}
	switch typeWords[strings.TrimSpace(kind)] {
	case googlesql.String, googlesql.Bytes:
		f.MaxLength = n
	case googlesql.Numeric, googlesql.BigNumeric:
		f.Precision = n
		f.Scale, _ = strconv.ParseInt(strings.TrimSpace(second), 10, 64)
	}
}
