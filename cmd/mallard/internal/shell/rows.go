package shell

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/duckfmt"
)

// listPrinter writes the values with a separator between them, and as they are unless look changes them.
type listPrinter struct {
	text
	between, last string
	look          func([]byte) []byte
}

func (p *listPrinter) begin(cols []column) error {
	p.cols = cols
	if p.f.NoHeader {
		return nil
	}
	for i, c := range cols {
		p.field(i, []byte(c.name))
	}
	p.buf = append(p.buf, p.last...)
	return p.flush()
}

func (p *listPrinter) row(values []any) error {
	for i, v := range values {
		p.field(i, p.value(v, i))
	}
	p.buf = append(p.buf, p.last...)
	return p.flush()
}

func (p *listPrinter) field(i int, b []byte) {
	if i > 0 {
		p.buf = append(p.buf, p.between...)
	}
	if p.look != nil {
		b = p.look(b)
	}
	p.buf = append(p.buf, b...)
}

func (p *listPrinter) end() error { return nil }

// csvText gives what puts a text in quotes where DuckDB's shell does, in values with a separator between them.
func csvText(between string) func([]byte) []byte {
	special := func(r rune) bool { return r < ' ' || r == '"' || r == '\'' || r >= 0x7f }
	return func(s []byte) []byte {
		if bytes.IndexFunc(s, special) < 0 && (between == "" || !bytes.Contains(s, []byte(between))) {
			return s
		}
		return []byte(`"` + strings.ReplaceAll(string(s), `"`, `""`) + `"`)
	}
}

// tclText writes a text as a string of Tcl, its bytes that are no ASCII as octal numbers.
func tclText(s []byte) []byte {
	b := []byte{'"'}
	for _, c := range s {
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			if c >= ' ' && c < 0x7f {
				b = append(b, c)
			} else {
				b = fmt.Appendf(b, `\%03o`, c)
			}
		}
	}
	return append(b, '"')
}

// linePrinter writes one value a line: name = value.
type linePrinter struct {
	text
	last   string
	pretty bool // JSON is laid out over lines
	width  int
	rows   int
}

// leastName is how wide the names of line are at least.
const leastName = 5

func (p *linePrinter) begin(cols []column) error {
	p.cols, p.width = cols, leastName
	for _, c := range cols {
		p.width = max(p.width, len(c.name)) // in bytes, as in DuckDB's shell
	}
	return nil
}

func (p *linePrinter) row(values []any) error {
	if p.rows++; p.rows > 1 {
		p.buf = append(p.buf, p.last...)
	}
	for i, v := range values {
		name, value := p.cols[i].name, p.value(v, i)
		if p.pretty && v != nil && p.cols[i].typ.Name == "JSON" {
			value = laidOut(value, strings.Repeat(" ", p.width+len(" = ")))
		}
		p.buf = append(p.buf, strings.Repeat(" ", p.width-len(name))...)
		p.buf = append(p.buf, name...)
		p.buf = append(p.buf, " = "...)
		p.buf = append(p.buf, value...)
		p.buf = append(p.buf, p.last...)
	}
	return p.flush()
}

func (p *linePrinter) end() error { return nil }

// laidOut gives JSON over lines; what is none stays as it is.
func laidOut(value []byte, indent string) []byte {
	var b bytes.Buffer
	if json.Indent(&b, value, indent, "  ") != nil {
		return value
	}
	return b.Bytes()
}

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
	case p.lines && p.rows == 0:
		p.buf = append(p.buf, '\n') // DuckDB's shell has it
	case p.lines:
		return nil
	case p.rows == 0:
		p.buf = append(p.buf, "[]\n"...)
	default:
		p.buf = append(p.buf, "]\n"...)
	}
	return p.flush()
}
