package shell

import (
	"database/sql"
	"fmt"
	"io"
	"strings"

	"github.com/mallardml/mallard/internal/duckfmt"
)

// Mode is a form of output.
type Mode string

// The forms of output. Auto is Box.
const (
	Auto      Mode = ""
	ASCII     Mode = "ascii"
	Box       Mode = "box"
	Column    Mode = "column"
	CSV       Mode = "csv"
	HTML      Mode = "html"
	Insert    Mode = "insert"
	JSON      Mode = "json"
	JSONLines Mode = "jsonlines"
	LaTeX     Mode = "latex"
	Line      Mode = "line"
	List      Mode = "list"
	Markdown  Mode = "markdown"
	Quote     Mode = "quote"
	Table     Mode = "table"
	Tabs      Mode = "tabs"
	Trash     Mode = "trash"
)

// Modes lists the forms of output.
var Modes = []Mode{ASCII, Box, Column, CSV, HTML, Insert, JSON, JSONLines, LaTeX, Line, List, Markdown, Quote, Table, Tabs, Trash}

// Format is how results are printed.
type Format struct {
	Mode Mode
	// Into is the table of insert. Default: table.
	Into string
	// NoHeader leaves out the names of the columns.
	NoHeader bool
	// NullValue stands for NULL. Default: NULL.
	NullValue *string
	// Separator parts the columns of csv and list. Default: , and |.
	Separator *string
	// MaxRows is how many rows a box shows on a terminal. Default: 40; less than 0: all.
	MaxRows int
}

func (f Format) null() string {
	if f.NullValue == nil {
		return "NULL"
	}
	return *f.NullValue
}

func (f Format) separator(def string) string {
	if f.Separator == nil {
		return def
	}
	return *f.Separator
}

func (f Format) into() string {
	if f.Into == "" {
		return `"table"`
	}
	return duckfmt.QuoteName(f.Into)
}

func (f Format) maxRows() int {
	if f.MaxRows == 0 {
		return 40
	}
	return f.MaxRows
}

// column is a column of a result.
type column struct {
	name string
	typ  *duckfmt.Type
}

// printer prints one result. Row values are valid during the call only.
type printer interface {
	begin(cols []column) error
	row(values []any) error
	end() error
}

// quiet tells whether a result is no table but the database's receipt for a statement that changed something.
func quiet(src string, cols []column) bool {
	if len(cols) != 1 {
		return false
	}
	c := cols[0]
	if !(c.name == "Count" && c.typ.Name == "BIGINT" || c.name == "Success" && c.typ.Name == "BOOLEAN") {
		return false
	}
	word := strings.ToUpper(firstWord(src))
	switch word {
	case "SELECT", "FROM", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "SUMMARIZE", "EXPLAIN", "PIVOT", "UNPIVOT", "(":
		return false
	}
	return !strings.Contains(strings.ToUpper(src), "RETURNING")
}

// firstWord gives the first word after blanks and comments.
func firstWord(src string) string {
	for {
		src = strings.TrimLeft(src, " \t\r\n;")
		switch {
		case strings.HasPrefix(src, "--") || strings.HasPrefix(src, "#"):
			_, src, _ = strings.Cut(src, "\n")
			continue
		case strings.HasPrefix(src, "/*"):
			_, src, _ = strings.Cut(src, "*/")
			continue
		case strings.HasPrefix(src, "("):
			return "("
		}
		if i := strings.IndexFunc(src, func(r rune) bool { return !(r == '_' || r|0x20 >= 'a' && r|0x20 <= 'z') }); i >= 0 {
			return src[:i]
		}
		return src
	}
}

// print writes a result. The error is an outputError when it was the writing that failed.
func (s *Shell) print(out io.Writer, src string, rows *sql.Rows) error {
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	cols := make([]column, len(types))
	for i, t := range types {
		typ, err := duckfmt.ParseType(t.DatabaseTypeName())
		if err != nil {
			typ = &duckfmt.Type{Name: t.DatabaseTypeName()}
		}
		cols[i] = column{t.Name(), typ}
	}
	if len(cols) == 0 || quiet(src, cols) {
		for rows.Next() {
		}
		return rows.Err()
	}
	w := newSteadyWriter(out)
	p := s.printer(w)
	if len(cols) == 2 && cols[0].name == "explain_key" && cols[1].name == "explain_value" {
		p = &picturePrinter{text{w: w}}
	}
	err = printRows(p, cols, rows)
	if closeErr := w.close(); closeErr != nil {
		return outputError{closeErr}
	}
	return err
}

func printRows(p printer, cols []column, rows *sql.Rows) error {
	if err := p.begin(cols); err != nil {
		return outputError{err}
	}
	values, dest := make([]any, len(cols)), make([]any, len(cols))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if err := p.row(values); err != nil {
			return outputError{err}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := p.end(); err != nil {
		return outputError{err}
	}
	return nil
}

func (s *Shell) printer(w io.Writer) printer {
	t := text{w: w, f: s.format, df: duckfmt.Format{Location: s.o.Location}}
	switch s.format.Mode {
	case CSV:
		return &csvPrinter{text: t}
	case JSON:
		return &jsonPrinter{text: t}
	case JSONLines:
		return &jsonPrinter{text: t, lines: true}
	case Line:
		return &linePrinter{text: t}
	case List:
		return &listPrinter{text: t, between: s.format.separator("|")}
	case Tabs:
		return &listPrinter{text: t, between: s.format.separator("\t")}
	case ASCII:
		return &listPrinter{text: t, between: "\n"}
	case HTML:
		return &htmlPrinter{t}
	case Quote:
		return &literalPrinter{text: t}
	case Insert:
		return &literalPrinter{text: t, insert: s.format.into()}
	case Trash:
		return &trashPrinter{t}
	case Markdown:
		return &markdownPrinter{text: t}
	}
	if g, ok := gridOf(s.format.Mode); ok {
		return &gridPrinter{text: t, grid: g}
	}
	b := &boxPrinter{text: t}
	if s.o.OutTerminal && s.file == nil {
		b.maxWidth, b.maxRows = max(s.o.Width(), 20), s.format.maxRows()
	}
	return b
}

// text is what all printers share: a line is put together in buf and written at once.
type text struct {
	w    io.Writer
	f    Format
	df   duckfmt.Format
	cols []column
	buf  []byte
}

func (t *text) begin(cols []column) error {
	t.cols = cols
	return nil
}

func (t *text) flush() error {
	_, err := t.w.Write(t.buf)
	t.buf = t.buf[:0]
	return err
}

// value gives a value as text, with the shell's own word for NULL.
func (t *text) value(v any, i int) []byte {
	if v == nil {
		return []byte(t.f.null())
	}
	return t.df.AppendText(nil, v, t.cols[i].typ)
}

// picturePrinter writes what EXPLAIN gives as it is, in every form of output, as DuckDB's shell does.
type picturePrinter struct{ text }

func (p *picturePrinter) row(values []any) error {
	if s, ok := values[1].(string); ok {
		p.buf = append(append(p.buf, strings.TrimRight(s, "\n")...), '\n')
	}
	return p.flush()
}

func (p *picturePrinter) end() error { return nil }

// csvPrinter writes RFC 4180 with plain newlines. A string that reads like the word for NULL is quoted.
type csvPrinter struct{ text }

func (p *csvPrinter) begin(cols []column) error {
	p.cols = cols
	if p.f.NoHeader {
		return nil
	}
	for i, c := range cols {
		p.field(i, []byte(c.name), false)
	}
	p.buf = append(p.buf, '\n')
	return p.flush()
}

func (p *csvPrinter) row(values []any) error {
	for i, v := range values {
		p.field(i, p.value(v, i), v == nil)
	}
	p.buf = append(p.buf, '\n')
	return p.flush()
}

func (p *csvPrinter) field(i int, v []byte, null bool) {
	sep := p.f.separator(",")
	if i > 0 {
		p.buf = append(p.buf, sep...)
	}
	s := string(v)
	if !null && (strings.ContainsAny(s, "\"\n\r") || sep != "" && strings.Contains(s, sep) || s == p.f.null()) {
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	p.buf = append(p.buf, s...)
}

func (p *csvPrinter) end() error { return nil }

// listPrinter writes the values with a separator between them and nothing quoted.
type listPrinter struct {
	text
	between string
}

func (p *listPrinter) begin(cols []column) error {
	p.cols = cols
	if p.f.NoHeader {
		return nil
	}
	for i, c := range cols {
		if i > 0 {
			p.buf = append(p.buf, p.between...)
		}
		p.buf = append(p.buf, c.name...)
	}
	p.buf = append(p.buf, '\n')
	return p.flush()
}

func (p *listPrinter) row(values []any) error {
	for i, v := range values {
		if i > 0 {
			p.buf = append(p.buf, p.between...)
		}
		p.buf = append(p.buf, p.value(v, i)...)
	}
	p.buf = append(p.buf, '\n')
	return p.flush()
}

func (p *listPrinter) end() error { return nil }

// linePrinter writes one value a line: name = value.
type linePrinter struct {
	text
	width int
	rows  int
}

func (p *linePrinter) begin(cols []column) error {
	p.cols = cols
	for _, c := range cols {
		p.width = max(p.width, width(c.name))
	}
	return nil
}

func (p *linePrinter) row(values []any) error {
	if p.rows++; p.rows > 1 {
		p.buf = append(p.buf, '\n')
	}
	for i, v := range values {
		name := p.cols[i].name
		p.buf = append(p.buf, strings.Repeat(" ", p.width-width(name))...)
		p.buf = append(p.buf, name...)
		p.buf = append(p.buf, " = "...)
		p.buf = append(p.buf, p.value(v, i)...)
		p.buf = append(p.buf, '\n')
	}
	return p.flush()
}

func (p *linePrinter) end() error { return nil }

// jsonPrinter writes an array of objects, or with lines one object a line.
type jsonPrinter struct {
	text
	lines bool
	rows  int
}

func (p *jsonPrinter) row(values []any) error {
	switch p.rows++; {
	case p.lines:
	case p.rows == 1:
		p.buf = append(p.buf, '[')
	default:
		p.buf = append(p.buf, ",\n"...)
	}
	p.buf = append(p.buf, '{')
	for i, v := range values {
		if i > 0 {
			p.buf = append(p.buf, ',')
		}
		p.buf = duckfmt.AppendJSONString(p.buf, p.cols[i].name)
		p.buf = append(p.buf, ':')
		p.buf = p.df.AppendJSON(p.buf, v, p.cols[i].typ)
	}
	p.buf = append(p.buf, '}')
	if p.lines {
		p.buf = append(p.buf, '\n')
	}
	return p.flush()
}

func (p *jsonPrinter) end() error {
	switch {
	case p.lines:
		return nil
	case p.rows == 0:
		p.buf = append(p.buf, '[')
	}
	p.buf = append(p.buf, "]\n"...)
	return p.flush()
}

// markdownPrinter writes a table as GitHub reads it; columns are not padded, so that rows need not be held.
type markdownPrinter struct{ text }

func (p *markdownPrinter) begin(cols []column) error {
	p.cols = cols
	if p.f.NoHeader {
		return nil
	}
	for _, c := range cols {
		p.cell([]byte(c.name))
	}
	p.buf = append(p.buf, "|\n"...)
	for _, c := range cols {
		if c.typ.Numeric() {
			p.buf = append(p.buf, "|--:"...)
		} else {
			p.buf = append(p.buf, "|---"...)
		}
	}
	p.buf = append(p.buf, "|\n"...)
	return p.flush()
}

var markdownEscaper = strings.NewReplacer("|", `\|`, "\r\n", "<br>", "\n", "<br>", "\r", "<br>")

func (p *markdownPrinter) cell(v []byte) {
	p.buf = fmt.Appendf(p.buf, "| %s ", markdownEscaper.Replace(string(v)))
}

func (p *markdownPrinter) row(values []any) error {
	for i, v := range values {
		p.cell(p.value(v, i))
	}
	p.buf = append(p.buf, "|\n"...)
	return p.flush()
}

func (p *markdownPrinter) end() error { return nil }
