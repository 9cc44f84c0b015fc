package bigquery

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
)

// csv reads CSV (https://docs.cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv).
func (r *loading) csv(ctx context.Context) error {
	options, err := r.csvOptions()
	if err != nil {
		return err
	}
	if r.fields == nil {
		query, err := r.csvDetected(ctx, options)
		if err != nil {
			return err
		}
		return r.s.exec(ctx, "CREATE TABLE "+r.stage+" AS "+query)
	}
	columns, source, err := r.csvTexts(options)
	if err != nil {
		return err
	}
	return r.s.duck(ctx, func(c *sql.Conn) error {
		texts := r.stage[:len(r.stage)-1] + `_text"`
		defer func() { _, _ = c.ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+texts) }() // the server's end drops it, too
		if _, err := c.ExecContext(ctx, "CREATE TABLE "+texts+" AS SELECT * FROM "+source); err != nil {
			return err
		}
		return r.parsed(ctx, c, texts, columns)
	})
}

// csvTexts gives the fields as columns, and a source of their texts.
func (r *loading) csvTexts(options []string) (columns []writer.LoadColumn, source string, err error) {
	if columns, err = r.columns(); err != nil {
		return nil, "", err
	}
	texts, err := writer.TextOptions(columns, r.l.SkipLeadingRows)
	if err != nil {
		return nil, "", invalid("%v", err)
	}
	return columns, "read_csv(" + quote.Files(r.files) + ", " + strings.Join(append(options, texts), ", ") + ")", nil
}

// columns are the fields as what writes the reading of files has them.
func (r *loading) columns() ([]writer.LoadColumn, error) {
	columns := make([]writer.LoadColumn, len(r.fields))
	for i, f := range r.fields {
		t, err := wire.TypeOf(f)
		if err != nil {
			return nil, err
		}
		columns[i] = writer.LoadColumn{Name: f.Name, Type: t, Required: strings.EqualFold(f.Mode, wire.Required)}
	}
	return columns, nil
}

// csvOptions are what a job says of the files, as options of read_csv.
func (r *loading) csvOptions() ([]string, error) {
	delimiter := r.l.FieldDelimiter
	switch strings.ToLower(delimiter) {
	case "":
		delimiter = ","
	case "tab", `\t`:
		delimiter = "\t"
	}
	if len(delimiter) > 4 {
		return nil, invalid("Invalid value for fieldDelimiter: %.20q", delimiter)
	}
	mark := `"`
	if r.l.Quote != nil {
		mark = *r.l.Quote
	}
	if len(mark) > 1 {
		return nil, invalid("Invalid value for quote: %.20q is more than one character", mark)
	}
	nulls := append([]string{}, r.l.NullMarkers...)
	if len(nulls) == 0 {
		nulls = []string{r.l.NullMarker}
	}
	for i := range nulls {
		nulls[i] = quote.Text(nulls[i])
	}
	options := []string{"delim = " + quote.Text(delimiter), "quote = " + quote.Text(mark), "escape = " + quote.Text(mark),
		"nullstr = [" + strings.Join(nulls, ", ") + "]", "allow_quoted_nulls = false", "max_line_size = 104857600"}
	packed, err := r.packed()
	if err != nil {
		return nil, err
	}
	options = append(options, packed)
	if r.l.AllowJaggedRows {
		options = append(options, "null_padding = true", "parallel = false")
	}
	if r.l.IgnoreUnknownValues {
		return nil, unsupported("ignoreUnknownValues is not read for CSV; name all columns of the file in the schema")
	}
	switch strings.ToUpper(r.l.Encoding) {
	case "ISO-8859-1":
		options = append(options, "encoding = 'latin-1'")
	case "UTF-16LE":
		options = append(options, "encoding = 'utf-16'")
	}
	return options, nil
}

// packed is the option that says whether the files are gzip. Their first bytes tell, and not their names.
func (r *loading) packed() (string, error) {
	packed := 0
	for _, file := range r.files {
		in, err := openText(file)
		if err != nil {
			return "", err
		}
		if len(in.closers) > 1 {
			packed++
		}
		if err := in.Close(); err != nil {
			return "", err
		}
	}
	switch packed {
	case 0:
		return "compression = 'uncompressed'", nil
	case len(r.files):
		return "compression = 'gzip'", nil
	}
	return "", unsupported("Some of the files are gzip and others are not; load them one after the other")
}

// csvDetected lets DuckDB find header and types, and gives the query for the rows.
func (r *loading) csvDetected(ctx context.Context, options []string) (string, error) {
	if n := r.l.SkipLeadingRows; n > 0 {
		options = append(options, "header = true", "skip = "+strconv.FormatInt(n-1, 10))
	}
	source := "read_csv(" + quote.Files(r.files) + ", " + strings.Join(options, ", ") + ", sample_size = -1)"
	columns, err := r.s.found(ctx, source)
	if err != nil {
		return "", err
	}
	parts := make([]string, len(columns))
	for i, p := range columns {
		x, name := quote.Name(p[0]), detectedName(p[0], p[1], i)
		switch p[1] {
		case "TIMESTAMP": // BigQuery detects no DATETIME
			x += " AT TIME ZONE 'UTC'"
		case "DECIMAL", "HUGEINT", "UBIGINT":
			x += "::DOUBLE"
		}
		parts[i] = x + " AS " + quote.Name(name)
	}
	return "SELECT " + strings.Join(parts, ", ") + " FROM " + source, nil
}

// detectedName is the name of a column whose file has none: string_field_0 and so on.
func detectedName(name, duckdb string, i int) string {
	if name == "column"+strconv.Itoa(i) || name == fmt.Sprintf("column%02d", i) || name == fmt.Sprintf("column%03d", i) {
		if f, err := wire.Declared(name, duckdb); err == nil {
			if t, err := wire.TypeOf(f); err == nil {
				return strings.ToLower(t.Kind.String()) + "_field_" + strconv.Itoa(i)
			}
		}
	}
	if !tableName.MatchString(name) {
		return strings.Map(func(c rune) rune {
			if tableName.MatchString(string(c)) && c != ' ' {
				return c
			}
			return '_'
		}, name)
	}
	return strings.TrimSpace(name)
}

// parsed reads the texts of a table as the types of the fields. Rows that cannot be read are as many as the job allows.
func (r *loading) parsed(ctx context.Context, c *sql.Conn, texts string, columns []writer.LoadColumn) error {
	items, fault := writer.TextItems(columns)
	var first sql.NullString
	if err := c.QueryRowContext(ctx, "SELECT count(*), min_by(fault, id) FROM (SELECT rowid AS id, "+fault+" AS fault FROM "+texts+
		") WHERE fault IS NOT NULL").
		Scan(&r.bad, &first); err != nil {
		return err
	}
	if r.bad > r.l.MaxBadRecords {
		return invalid("Error while reading data, error message: CSV table encountered too many errors, giving up. Rows with errors: %d. %.500s",
			r.bad, first.String)
	}
	_, err := c.ExecContext(ctx, "CREATE TABLE "+r.stage+" AS SELECT "+strings.Join(items, ", ")+" FROM "+texts+" WHERE ("+fault+") IS NULL")
	return err
}

// jsonLines reads objects, one a line.
func (r *loading) jsonLines(ctx context.Context) error {
	named := r.l.Schema != nil && len(r.l.Schema.Fields) > 0
	if r.fields == nil || r.l.Autodetect && !named && !r.l.IgnoreUnknownValues { // a table that is there may get columns
		options, err := r.jsonOptions()
		if err != nil {
			return err
		}
		if err := r.detectJSON(ctx, options); err != nil {
			return err
		}
	}
	columns, err := wire.Columns(r.fields)
	if err != nil {
		return invalid("%v", err)
	}
	reader, err := wire.NewReader(r.fields, wire.ReaderOptions{IgnoreUnknown: r.l.IgnoreUnknownValues})
	if err != nil {
		return invalid("%v", err)
	}
	def, err := definition(columns)
	if err != nil {
		return err
	}
	c, err := r.s.DB.Conn(ctx)
	if err != nil {
		return err
	}
	err = raw(c, func(n chunked) (err error) {
		if _, err := n.Raw().ExecContext(ctx, "CREATE TABLE "+r.stage+" "+def, nil); err != nil {
			return err
		}
		name := r.stage[strings.LastIndex(r.stage, ".")+1:]
		a, err := duckdb.NewAppender(n.Raw(), Anonymous, "main", strings.Trim(name, `"`))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		values := make([]driver.Value, len(columns))
		return r.eachLine(ctx, func(line []byte, at string) error {
			row, err := reader.Row(line)
			if err != nil {
				if r.bad++; r.bad > r.l.MaxBadRecords {
					return invalid("Error while reading data, error message: JSON table encountered too many errors, giving up. Rows: %d; errors: %d. "+
						"%s: %v", r.bad, r.bad, at, err)
				}
				return nil
			}
			for i, v := range row {
				values[i] = appended(v, columns[i].Type)
			}
			return a.AppendRow(values...)
		})
	})
	return errors.Join(err, c.Close())
}

// maxLine is how long a line may be, as at Google.
const maxLine = 100 << 20

// eachLine gives the lines of the files that are not blank, with their places.
func (r *loading) eachLine(ctx context.Context, f func(line []byte, at string) error) error {
	for i, file := range r.files {
		if err := r.linesOf(ctx, i, file, f); err != nil {
			return err
		}
	}
	return nil
}

func (r *loading) linesOf(ctx context.Context, i int, file string, f func(line []byte, at string) error) (err error) {
	in, err := openText(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for lines.Scan() {
		if n++; n%1000 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		line := bytes.TrimSpace(lines.Bytes())
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(line) == 0 {
			continue
		}
		if err := f(line, fmt.Sprintf("file-%08d, line %d", i, n)); err != nil {
			return err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return invalid("Error while reading data, error message: a line is longer than %d bytes", maxLine)
	}
	return lines.Err()
}

// text is a file that may be packed.
type text struct {
	io.Reader
	closers []io.Closer
}

func (t *text) Close() error {
	var errs []error
	for _, c := range t.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// openText opens a file, which may be gzip: its first bytes tell.
func openText(file string) (*text, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	b := bufio.NewReaderSize(f, 1<<16)
	if head, _ := b.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return &text{b, []io.Closer{f}}, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &text{z, []io.Closer{z, f}}, nil
}

// jsonOptions are the files and how they are read, for DuckDB's readers of JSON.
func (r *loading) jsonOptions() (string, error) {
	packed, err := r.packed()
	return quote.Files(r.files) + ", " + packed + ", format = 'newline_delimited', maximum_object_size = " + strconv.Itoa(maxLine), err
}

// detectJSON lets DuckDB find the columns.
func (r *loading) detectJSON(ctx context.Context, options string) error {
	columns, err := r.s.found(ctx, "read_json("+options+", sample_size = -1, map_inference_threshold = -1)")
	if err != nil {
		return err
	}
	for _, p := range columns {
		if fieldNamed(r.fields, []string{p[0]}) != nil {
			continue // the table tells its type
		}
		// Numbers that are too large for INT64 are FLOAT64, as are those with a point; what has no type of its own stays a STRING.
		of := strings.NewReplacer("UBIGINT", "DOUBLE", "HUGEINT", "DOUBLE", "UUID", "VARCHAR", "TIMESTAMP",
			"TIMESTAMP WITH TIME ZONE").Replace(p[1])
		f, err := wire.Declared(p[0], of)
		if err != nil {
			return err
		}
		plainJSON(f)
		r.fields = append(r.fields, f)
	}
	return nil
}

// plainJSON makes fields without a value, which DuckDB calls JSON, a STRING, as BigQuery does.
func plainJSON(f *api.TableFieldSchema) {
	if f.Type == "JSON" {
		f.Type = "STRING"
	}
	for _, inner := range f.Fields {
		plainJSON(inner)
	}
}
