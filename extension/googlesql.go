package extension

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/analyzer/native"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	gsqlwriter "github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/quote"
)

// googleSQL is the translator of the process; nil without the library.
var googleSQL = sync.OnceValues(func() (*translator.Translator, error) {
	path := os.Getenv("MALLARD_GOOGLESQL")
	if path == "" {
		return nil, nil
	}
	s, err := native.Open(path)
	if err != nil {
		return nil, err
	}
	return translator.New(context.Background(), s)
})

// translate plans a GoogleSQL statement without constructs of ours; nil for one that it leaves to package dialect.
func (n *conn) translate(ctx context.Context, src string, q *dialect.Query) (*plan, error) {
	if q.Lang != dialect.GoogleSQL || len(q.Calls)+len(q.Functions)+len(q.TableFunctions)+len(q.Data) > 0 {
		return nil, nil
	}
	t, err := googleSQL()
	if t == nil || err != nil {
		return nil, err
	}
	w := n.writer(n.catalog(), n.Conn)
	s, err := t.Translate(ctx, src[q.Pos:q.End], described{w}, analyzer.Parameters{Undeclared: true})
	var unsupported *gsqlwriter.Error
	var wrong *analyzer.Error
	switch {
	case errors.As(err, &unsupported):
		if os.Getenv("MALLARD_GOOGLESQL_ONLY") != "" {
			return nil, fmt.Errorf("%w is not translated from GoogleSQL to DuckDB", err)
		}
		return nil, nil
	case errors.As(err, &wrong) && wrong.Line > 0:
		pos := q.Pos + offset(src[q.Pos:], wrong.Line, wrong.Col)
		return nil, dialect.At(dialect.Span{Pos: pos, End: pos}, errors.New(wrong.Message))
	case err != nil:
		return nil, err
	}
	return &plan{sql: s.SQL, pos: -1, verb: q.Verb, lang: q.Lang}, nil
}

// described describes tables to the translator.
type described struct{ *writer }

// Table implements [translator.Database].
func (d described) Table(ctx context.Context, path []string) (translator.Table, error) {
	parts, err := splitPath(path), error(nil)
	if parts, err = d.cat.WithoutProject(ctx, parts); err != nil {
		return translator.Table{}, err
	}
	t := translator.Table{From: quote.Path(parts...)}
	columns := d.describe(ctx, "SELECT * FROM "+t.From)
	if columns == nil {
		return t, translator.ErrNotFound
	}
	for _, c := range columns {
		of, err := c.t.GoogleSQL()
		if err != nil {
			continue
		}
		x := quote.Name(c.name)
		if c.t.String() != of.DuckDB() {
			x = "CAST(" + x + " AS " + of.DuckDB() + ")"
		}
		t.Columns = append(t.Columns, translator.Column{Name: c.name, Type: of, Expr: x})
	}
	return t, nil
}

// splitPath gives the parts of a path: what stands in one pair of backticks may be several.
func splitPath(path []string) []string {
	var parts []string
	for _, p := range path {
		parts = append(parts, strings.Split(p, ".")...)
	}
	return parts
}

// offset gives the byte of a line and a column of a text, both from 1.
func offset(s string, line, col int) int {
	pos := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(s[pos:], '\n')
		if i < 0 {
			return len(s)
		}
		pos += i + 1
	}
	for ; col > 1 && pos < len(s); col-- {
		_, n := utf8.DecodeRuneInString(s[pos:])
		pos += n
	}
	return pos
}
