package shell

import (
	"database/sql"
	"io"
	"strings"

	"github.com/mallardml/mallard/internal/duckfmt"
)

// Mode is a form of output.
type Mode string

// The forms of output, DuckDB's. Auto is DuckBox.
const (
	Auto      Mode = ""
	ASCII     Mode = "ascii"
	Box       Mode = "box"
	Column    Mode = "column"
	CSV       Mode = "csv"
	DuckBox   Mode = "duckbox"
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
	TCL       Mode = "tcl"
	Trash     Mode = "trash"
)

// Modes lists the forms of output.
var Modes = []Mode{ASCII, Box, Column, CSV, DuckBox, HTML, Insert, JSON, JSONLines, LaTeX, Line, List, Markdown, Quote, Table, Tabs,
	TCL, Trash}

// Format is how results are printed.
type Format struct {
	Mode Mode
	// Into is the table of insert. Default: table.
	Into string
	// NoHeader leaves out the names of the columns.
	NoHeader bool
	// NullValue stands for NULL. Default: NULL.
	NullValue *string
	// Separator parts the columns, RowSeparator ends the rows, of ascii, csv, line, list, quote, tabs and tcl. Default: the form's own.
	Separator, RowSeparator *string
	// MaxRows is how many rows a duckbox shows. Default: 40; less than 0: all.
	MaxRows int
	// MaxWidth is how wide a duckbox may be. Default: as the terminal; elsewhere as it gets.
	MaxWidth int
	// Widths are the least widths of the columns of a table; of a negative one the values stand to the right.
	Widths []int
	// Thousands parts the thousands of the numbers of a duckbox, Decimal their fractions. Default: nothing and a point.
	Thousands, Decimal byte
	// Large says where a duckbox has large numbers in words. Default: below a single row of them, on a terminal.
	Large LargeNumbers
	// Upright makes rows of a duckbox's columns.
	Upright bool
}

// SetMode takes another form of output, with its own separators.
func (f *Format) SetMode(m Mode) { f.Mode, f.Separator, f.RowSeparator = m, nil, nil }

func (f Format) null() string {
	if f.NullValue == nil {
		return "NULL"
	}
	return *f.NullValue
}

// separators give what parts columns and what ends rows.
func (f Format) separators() (column, row string) {
	column, row = "|", "\n"
	switch f.Mode {
	case CSV, Quote:
		column = ","
	case Tabs:
		column = "\t"
	case TCL:
		column = " "
	}
	if f.Separator != nil {
		column = *f.Separator
	}
	if f.RowSeparator != nil {
		row = *f.RowSeparator
	}
	return column, row
}

func (f Format) into(keywords map[string]bool) string {
	if f.Into == "" {
		return `"table"`
	}
	return sqlName(f.Into, keywords)
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

// columnsOf gives the columns of a result.
func columnsOf(rows *sql.Rows) ([]column, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	cols := make([]column, len(types))
	for i, t := range types {
		typ, err := duckfmt.ParseType(t.DatabaseTypeName())
		if err != nil {
			typ = &duckfmt.Type{Name: t.DatabaseTypeName()}
		}
		cols[i] = column{t.Name(), typ}
	}
	return cols, nil
}

// print writes a result. The error is an outputError when it was the writing that failed.
func (s *Shell) print(out io.Writer, src string, rows *sql.Rows) error {
	cols, err := columnsOf(rows)
	if err != nil {
		return err
	}
	if len(cols) == 0 || quiet(src, cols) {
		return s.count(src, cols, rows)
	}
	w := newSteadyWriter(out)
	p := s.printer(w)
	if len(cols) == 2 && cols[0].name == "explain_key" && cols[1].name == "explain_value" {
		p = &picturePrinter{text{w: w}, src, s.running}
	} else if s.editor != nil {
		s.left.result = &result{src: src, cols: cols}
		p = &keeper{p, s.left.result}
	}
	err = printRows(p, cols, rows)
	if closeErr := w.close(); closeErr != nil {
		return outputError{closeErr}
	}
	return err
}

// count reads the receipt for a statement that changed something.
func (s *Shell) count(src string, cols []column, rows *sql.Rows) error {
	for rows.Next() {
		var n any
		if len(cols) != 1 || rows.Scan(&n) != nil {
			continue
		}
		switch strings.ToUpper(firstWord(src)) {
		case "INSERT", "UPDATE", "DELETE", "MERGE":
			if n, ok := n.(int64); ok {
				s.left.changed += n
			}
		}
	}
	return rows.Err()
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
	between, end := s.format.separators()
	switch s.format.Mode {
	case CSV:
		return &listPrinter{text: t, between: between, last: end, look: csvText(between)}
	case JSON:
		return &jsonPrinter{text: t}
	case JSONLines:
		return &jsonPrinter{text: t, lines: true}
	case Line:
		return &linePrinter{text: t, pretty: s.toTerminal(), last: end}
	case List, Tabs:
		return &listPrinter{text: t, between: between, last: end}
	case TCL:
		return &listPrinter{text: t, between: between, last: end, look: tclText}
	case ASCII:
		return &listPrinter{text: t, between: "\n", last: "\n"}
	case HTML:
		return &htmlPrinter{t}
	case Quote:
		return &literalPrinter{text: t, between: between, last: end}
	case Insert:
		return &literalPrinter{text: t, insert: s.format.into(s.keywords), keywords: s.keywords}
	case Trash:
		return &trashPrinter{t}
	}
	if g, ok := gridOf(s.format.Mode); ok {
		return &gridPrinter{text: t, grid: g}
	}
	b := &boxPrinter{text: t, maxRows: s.format.maxRows(), maxWidth: s.format.MaxWidth, terminal: s.toTerminal(), style: s.style(),
		lead: s.o.Lead}
	if b.maxWidth == 0 && s.toTerminal() {
		b.maxWidth = s.o.Width()
	}
	if b.maxWidth > 0 {
		b.maxWidth = max(b.maxWidth, 20)
	}
	return b
}

// toTerminal tells whether a person sees the results.
func (s *Shell) toTerminal() bool { return s.o.OutTerminal && s.sink == nil }

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

// picturePrinter writes what EXPLAIN gives as it is, in every form of output, as DuckDB's shell does, and what models did below it.
type picturePrinter struct {
	text
	src     string
	running Progress
}

func (p *picturePrinter) row(values []any) error {
	if s, ok := values[1].(string); ok {
		p.buf = append(append(p.buf, strings.TrimRight(asWritten(s, p.src), "\n")...), '\n')
	}
	return p.flush()
}

func (p *picturePrinter) end() error {
	if p.running == nil {
		return nil
	}
	p.buf = append(p.buf, p.running.Below()...)
	return p.flush()
}

// asWritten puts the statement as it was written in the place of the one that DuckDB was given, at the head of an analyzed plan.
func asWritten(picture, src string) string {
	const head = "│└───────────────────────────────────┘│\n└─────────────────────────────────────┘\n"
	before, rest, ok := strings.Cut(picture, head)
	given, rest, plan := strings.Cut(rest, "\n┌")
	if !ok || !plan || !strings.Contains(given, "system.main.mallard_") {
		return picture
	}
	return before + head + strings.Join(strings.Fields(src), " ") + "\n┌" + rest
}
