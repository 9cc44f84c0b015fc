package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/udf"
)

// loading is a statement LOAD DATA that is being written
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/load-statements).
type loading struct {
	described
	*writer.Load
	what    string // the statement's name
	options map[string]any
	files   []string
}

// load writes LOAD DATA: the statement itself, and what follows it.
func (d described) load(ctx context.Context, of *writer.Load) (sql string, then []string, err error) {
	l := &loading{described: d, Load: of, options: map[string]any{}, what: "LOAD DATA"}
	if l.External != "" {
		l.what = "CREATE EXTERNAL TABLE"
	}
	for _, o := range l.Options {
		if l.options[o.Name], err = d.Value(ctx, o.SQL); err != nil {
			return "", nil, fmt.Errorf("the option %s of %s: %w", o.Name, l.what, err)
		}
	}
	rows, err := l.source(ctx)
	if err != nil {
		return "", nil, err
	}
	if l.External != "" {
		return l.External + " " + l.Target + " AS " + catalog.ExternalTable(rows), nil, nil
	}
	names, definitions := make([]string, len(l.Columns)), make([]string, len(l.Columns))
	for i, c := range l.Columns {
		names[i], definitions[i] = quote.Name(c.Name), c.Definition
		if c.Definition == "" {
			definitions[i] = quote.Name(c.Name) + " " + c.Type.DuckDB()
		}
	}
	insert := "INSERT INTO " + l.Target + " (" + strings.Join(names, ", ") + ") " + rows
	if l.There != nil {
		return insert, nil, nil
	}
	create := "CREATE "
	if l.Replaces {
		create += "OR REPLACE "
	}
	if l.Temporary {
		create += "TEMP "
	}
	return create + "TABLE " + l.Target + " (" + strings.Join(append(definitions, l.More...), ", ") + ")", []string{insert}, nil
}

// loadOptions are the options behind FROM FILES, each with the formats that have it; "" is all.
var loadOptions = map[string]string{
	"format": "", "uris": "", "max_bad_records": "CSV JSON", "ignore_unknown_values": "CSV JSON", "compression": "CSV JSON",
	"allow_jagged_rows": "CSV", "allow_quoted_newlines": "CSV", "encoding": "CSV", "field_delimiter": "CSV", "null_marker": "CSV",
	"null_markers": "CSV", "quote": "CSV", "skip_leading_rows": "CSV", "preserve_ascii_control_characters": "CSV",
	"enum_as_string": "PARQUET", "enable_list_inference": "PARQUET", "decimal_target_types": "PARQUET", "column_name_character_map": "",
}

// source writes the query for the rows of the files.
func (l *loading) source(ctx context.Context) (string, error) {
	format := strings.ToUpper(l.text("format"))
	switch format {
	case "NEWLINE_DELIMITED_JSON":
		format = "JSON"
	case "CSV", "JSON", "PARQUET":
	case "":
		return "", errors.New(l.what + " needs the option format")
	case "AVRO", "ORC", "DATASTORE_BACKUP", "DELTA_LAKE", "GOOGLE_SHEETS", "ICEBERG":
		return "", fmt.Errorf("%s of the format %s is not supported; CSV, JSON and PARQUET are", l.what, format)
	default:
		return "", fmt.Errorf("Invalid value for the option format: %q", format)
	}
	for _, o := range l.Options {
		of, known := loadOptions[o.Name]
		if !known || of != "" && !slices.Contains(strings.Fields(of), format) {
			return "", fmt.Errorf("the option %s of %s of %s is not supported", o.Name, l.what, format)
		}
	}
	uris := texts(l.options["uris"])
	if len(uris) == 0 {
		return "", errors.New(l.what + " needs the option uris")
	}
	for _, uri := range uris {
		files, err := l.Import(uri)
		if err != nil {
			return "", err
		}
		l.files = append(l.files, files...)
	}
	switch format {
	case "CSV":
		return l.csv(ctx)
	case "JSON":
		return l.json(ctx)
	}
	return l.typed(ctx, "read_parquet("+quote.Files(l.files)+")")
}

func (l *loading) text(option string) string {
	s, _ := l.options[option].(string)
	return s
}

func (l *loading) number(option string) int64 {
	n, _ := l.options[option].(int64)
	return n
}

func texts(x any) (all []string) {
	list, _ := x.([]any)
	for _, v := range list {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

// typed reads a source of DuckDB's whose columns have types, and takes those that are wanted.
func (l *loading) typed(ctx context.Context, source string) (string, error) {
	in, err := l.Planner.Columns(ctx, "SELECT * FROM "+source)
	if err != nil {
		return "", readingData(err)
	}
	if l.Columns == nil {
		if l.Columns, err = detected(in); err != nil {
			return "", err
		}
	}
	for _, c := range in {
		if !slices.ContainsFunc(l.Columns, func(w writer.LoadColumn) bool { return strings.EqualFold(w.Name, c.Name) }) {
			return "", fmt.Errorf("Provided Schema does not match Table %s. Cannot add fields (field: %s)", l.Target, c.Name)
		}
	}
	items := make([]string, len(l.Columns))
	for i, c := range l.Columns {
		items[i] = "NULL"
		if of, ok := named(in, c.Name); ok {
			items[i] = quote.Name(of.Name)
			if c.Type.Kind == googlesql.Timestamp && of.Type.Kind == mapping.TypeTimestamp {
				items[i] = "timezone('UTC', " + items[i] + ")"
			}
		}
		items[i] = "CAST(" + items[i] + " AS " + c.Type.DuckDB() + ") AS " + quote.Name(c.Name)
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM " + source, nil
}

// detected gives the columns that DuckDB has found in files, with types that BigQuery finds there.
func detected(in []Column) ([]writer.LoadColumn, error) {
	all := make([]writer.LoadColumn, len(in))
	for i, c := range in {
		t, err := found(c.Type)
		if err != nil {
			return nil, fmt.Errorf("the column %s of the files: %w", c.Name, err)
		}
		all[i] = writer.LoadColumn{Name: c.Name, Type: t}
	}
	return all, nil
}

func found(t udf.Type) (googlesql.Type, error) {
	switch t.Kind {
	case mapping.TypeUBigInt, mapping.TypeHugeInt, mapping.TypeUHugeInt:
		return googlesql.Type{Kind: googlesql.Float64}, nil
	case mapping.TypeTimestampNS, mapping.TypeTimestampMS, mapping.TypeTimestampS:
		return googlesql.Type{Kind: googlesql.Timestamp}, nil
	case mapping.TypeUUID:
		return googlesql.Type{Kind: googlesql.String}, nil
	}
	return t.GoogleSQL()
}

// guessed makes a type that texts have of one that DuckDB has found in them: BigQuery detects no DATETIME, NUMERIC and JSON.
func guessed(t googlesql.Type) googlesql.Type {
	switch t.Kind {
	case googlesql.DateTime:
		t.Kind = googlesql.Timestamp
	case googlesql.Numeric, googlesql.BigNumeric:
		t.Kind = googlesql.Float64
	case googlesql.JSON:
		t.Kind = googlesql.String
	case googlesql.Array:
		return googlesql.ArrayOf(guessed(*t.Elem))
	case googlesql.Struct:
		fields := slices.Clone(t.Fields)
		for i := range fields {
			fields[i].Type = guessed(fields[i].Type)
		}
		return googlesql.StructOf(fields...)
	}
	return t
}

// detect gives the columns that DuckDB finds in texts, with the types that BigQuery finds there.
func (l *loading) detect(ctx context.Context, source string) error {
	in, err := l.Planner.Columns(ctx, "SELECT * FROM "+source)
	if err != nil {
		return readingData(err)
	}
	l.Columns, err = detected(in)
	for i := range l.Columns {
		l.Columns[i].Type = guessed(l.Columns[i].Type)
	}
	return err
}

// csv reads CSV.
func (l *loading) csv(ctx context.Context) (string, error) {
	options, err := l.csvOptions()
	if err != nil {
		return "", err
	}
	skip := l.number("skip_leading_rows")
	if l.Columns == nil {
		if skip > 0 {
			options = append(options, "header = true", "skip = "+strconv.FormatInt(skip-1, 10))
		}
		source := "read_csv(" + quote.Files(l.files) + ", " + strings.Join(options, ", ") + ", sample_size = -1)"
		if err := l.detect(ctx, source); err != nil {
			return "", err
		}
		return l.typed(ctx, source)
	}
	texts, err := writer.TextOptions(l.Columns, skip)
	if err != nil {
		return "", err
	}
	source := "read_csv(" + quote.Files(l.files) + ", " + strings.Join(append(options, texts), ", ") + ")"
	items, fault := writer.TextItems(l.Columns)
	return writer.CheckedRows(items, source, fault, l.number("max_bad_records")), nil
}

// csvOptions are the options as read_csv has them.
func (l *loading) csvOptions() ([]string, error) {
	delimiter, mark := ",", `"`
	if s, ok := l.options["field_delimiter"].(string); ok && s != "" {
		if delimiter = s; strings.EqualFold(s, "tab") || s == `\t` {
			delimiter = "\t"
		}
	}
	if s, ok := l.options["quote"].(string); ok {
		mark = s
	}
	if len(delimiter) > 4 || len(mark) > 1 {
		return nil, fmt.Errorf("the options field_delimiter and quote of %s are one character each", l.what)
	}
	nulls := texts(l.options["null_markers"])
	if len(nulls) == 0 {
		nulls = []string{l.text("null_marker")}
	}
	for i := range nulls {
		nulls[i] = quote.Text(nulls[i])
	}
	options := []string{"delim = " + quote.Text(delimiter), "quote = " + quote.Text(mark), "escape = " + quote.Text(mark),
		"nullstr = [" + strings.Join(nulls, ", ") + "]", "allow_quoted_nulls = false", "max_line_size = 104857600"}
	if l.options["allow_jagged_rows"] == true {
		options = append(options, "null_padding = true", "parallel = false")
	}
	if l.options["ignore_unknown_values"] == true {
		return nil, fmt.Errorf("the option ignore_unknown_values of %s of CSV is not supported; name all columns of the file", l.what)
	}
	switch encoding := strings.ToUpper(l.text("encoding")); encoding {
	case "", "UTF8", "UTF-8":
	case "ISO_8859_1", "ISO-8859-1":
		options = append(options, "encoding = 'latin-1'")
	case "UTF-16LE", "UTF_16LE":
		options = append(options, "encoding = 'utf-16'")
	default:
		return nil, fmt.Errorf("the encoding %s in %s is not supported; UTF-8, ISO-8859-1 and UTF-16LE are", encoding, l.what)
	}
	packed, err := l.packed()
	return append(options, packed...), err
}

// packed is the option compression as DuckDB has it.
func (l *loading) packed() ([]string, error) {
	switch c := strings.ToUpper(l.text("compression")); c {
	case "":
		return nil, nil
	case "NONE":
		return []string{"compression = 'none'"}, nil
	case "GZIP":
		return []string{"compression = 'gzip'"}, nil
	default:
		return nil, fmt.Errorf("the compression %s in %s is not supported; GZIP is", c, l.what)
	}
}

// json reads objects, one a line.
func (l *loading) json(ctx context.Context) (string, error) {
	packed, err := l.packed()
	if err != nil {
		return "", err
	}
	options := append([]string{quote.Files(l.files), "format = 'newline_delimited'", "maximum_object_size = 104857600"}, packed...)
	read := strings.Join(options, ", ")
	if l.Columns == nil {
		if err := l.detect(ctx, "read_json("+read+", sample_size = -1, map_inference_threshold = -1)"); err != nil {
			return "", err
		}
	}
	items, fault := writer.JSONItems(l.Columns)
	if l.options["ignore_unknown_values"] != true {
		fault = writer.UnknownFault(l.Columns, fault)
	}
	return writer.CheckedRows(items, "read_json_objects("+read+")", fault, l.number("max_bad_records")), nil
}

// readingData says in BigQuery's words that files cannot be read.
func readingData(err error) error {
	message, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Errorf("Error while reading data, error message: %s", message)
}
