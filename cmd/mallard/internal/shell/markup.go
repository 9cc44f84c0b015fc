package shell

import (
	"context"
	"strings"

	"github.com/mallardml/mallard/internal/duckfmt"
	"github.com/mallardml/mallard/internal/quote"
)

// htmlPrinter writes the rows of an HTML table, without the <table> around them, as DuckDB's shell does.
type htmlPrinter struct{ text }

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

func (p *htmlPrinter) begin(cols []column) error {
	p.cols = cols
	if p.f.NoHeader {
		return nil
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	return p.line("th", names)
}

func (p *htmlPrinter) row(values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = string(p.value(v, i))
	}
	return p.line("td", cells)
}

func (p *htmlPrinter) line(tag string, cells []string) error {
	p.buf = append(p.buf, "<tr>"...)
	for _, c := range cells {
		p.buf = append(p.buf, "<"+tag+">"+htmlEscaper.Replace(c)+"</"+tag+">\n"...)
	}
	p.buf = append(p.buf, "</tr>\n"...)
	return p.flush()
}

func (p *htmlPrinter) end() error { return nil }

// literalPrinter writes values as SQL has them: with insert an INSERT statement for each row, else a list, as DuckDB's shell does.
type literalPrinter struct {
	text
	between, last string
	insert        string          // the table; "" for a list
	keywords      map[string]bool // DuckDB's, in lower case
}

func (p *literalPrinter) begin(cols []column) error {
	p.cols = cols
	if p.f.NoHeader || p.insert != "" {
		return nil
	}
	for i, c := range cols {
		p.separate(i)
		p.buf = append(p.buf, quote.Text(c.name)...)
	}
	p.buf = append(p.buf, p.last...)
	return p.flush()
}

func (p *literalPrinter) separate(i int) {
	switch {
	case i == 0:
	case p.insert != "":
		p.buf = append(p.buf, ',')
	default:
		p.buf = append(p.buf, p.between...)
	}
}

func (p *literalPrinter) row(values []any) error {
	if p.insert != "" {
		p.buf = append(p.buf, "INSERT INTO "+p.insert...)
		for i, c := range p.cols {
			switch {
			case p.f.NoHeader:
				continue
			case i == 0:
				p.buf = append(p.buf, '(')
			default:
				p.buf = append(p.buf, ',')
			}
			p.buf = append(p.buf, sqlName(c.name, p.keywords)...)
		}
		if !p.f.NoHeader {
			p.buf = append(p.buf, ')')
		}
		p.buf = append(p.buf, " VALUES("...)
	}
	for i, v := range values {
		p.separate(i)
		p.buf = append(p.buf, p.literal(v, i)...)
	}
	if p.insert != "" {
		p.buf = append(p.buf, ");\n"...)
	} else {
		p.buf = append(p.buf, p.last...)
	}
	return p.flush()
}

func (p *literalPrinter) literal(v any, i int) string {
	if v == nil {
		return "NULL"
	}
	s := string(p.value(v, i))
	switch t := p.cols[i].typ; {
	case t.Numeric(), t.Name == "BOOLEAN" && p.insert == "":
		return s
	case p.insert != "" && strings.ContainsAny(s, "\r\n\x00"):
		return "concat(" + breaks.Replace(quote.Text(s)) + ")"
	}
	return quote.Text(s)
}

// breaks takes the ends of lines, and zero bytes, out of a text within concat( … ), so that a statement stays on its line.
var breaks = strings.NewReplacer("\n", "', chr(10), '", "\r", "', chr(13), '", "\x00", "', chr(0), '")

// sqlName gives a name as a statement may have it; keywords stand in quotes.
func sqlName(s string, keywords map[string]bool) string {
	if keywords[strings.ToLower(s)] {
		return quote.Name(s)
	}
	return duckfmt.QuoteName(s)
}

func (p *literalPrinter) end() error { return nil }

// findKeywords asks DuckDB for its keywords, once. Without an answer names are quoted by their letters alone.
func (s *Shell) findKeywords(ctx context.Context) {
	if s.keywords != nil {
		return
	}
	s.keywords = map[string]bool{}
	if s.o.AsDuckDB != nil {
		ctx = s.o.AsDuckDB(ctx)
	}
	rows, err := s.db.QueryContext(ctx, "SELECT lower(keyword_name) FROM duckdb_keywords()")
	if err != nil {
		return
	}
	defer rows.Close()
	for rows.Next() {
		var w string
		if rows.Scan(&w) == nil {
			s.keywords[w] = true
		}
	}
	if rows.Err() != nil {
		s.keywords = map[string]bool{}
	}
}
