package extension

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/spelling"
)

// Error is the failure of a statement, with its place in the text that the caller gave. errors.As also finds the
// *duckdb.Error or the model's error behind it.
type Error struct {
	Msg       string // subject, cause, and what to do
	Hint      string // a line of advice; empty where Msg says it all
	Source    string // the text that was executed
	Pos, End  int    // bytes of Source; both -1 when the place is not known
	Line, Col int    // of Pos, from 1; 0 when not known
	Code      failure.Code
	Cause     error

	plain bool // Msg is DuckDB's own, with its excerpt
}

// Error gives "line:column: message", or the message alone, then the hint on a line of its own. What DuckDB says of a
// statement that is all its own comes as it is.
func (e *Error) Error() string {
	if e.Line == 0 || e.plain {
		return e.hinted(e.Msg)
	}
	return e.hinted(fmt.Sprintf("%d:%d: %s", e.Line, e.Col, e.Msg))
}

func (e *Error) hinted(text string) string {
	if e.Hint == "" {
		return text
	}
	return text + "\n" + e.Hint
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Render writes the error the way a person reads it, with a caret under the place. name stands for the source, such as a
// file's name.
func (e *Error) Render(name string) string { return e.RenderWidth(name, 240) }

// RenderWidth is Render for a terminal of so many columns.
func (e *Error) RenderWidth(name string, width int) string {
	if e.Line == 0 {
		return e.hinted(e.Msg)
	}
	msg := e.Msg
	if e.plain {
		msg = duckapi.WithoutExcerpt(msg) // of which ours takes the place
	}
	return e.hinted((&dialect.Error{Pos: e.Pos, End: e.End, Msg: msg}).RenderWidth(name, e.Source, width))
}

// fault gives the error of a statement in the user's terms. p is nil when the statement did not get as far as DuckDB.
func (n *conn) fault(ctx context.Context, q *running, p *plan, src string, err error) error {
	if p != nil && p.undo != nil {
		p.undo()
	}
	if cerr := ctx.Err(); cerr != nil {
		return fmt.Errorf("statement cancelled: %w", cerr)
	}
	e := &Error{Msg: err.Error(), Source: src, Pos: -1, End: -1, Cause: err}
	var de *dialect.Error
	var l *dialect.Located
	var ddb *duckdb.Error
	switch {
	case errors.As(err, &de):
		e.Msg, e.Pos, e.End = de.Error(), de.Pos, de.End
	case errors.As(err, &l):
		e.Msg, e.Pos, e.End = l.Error(), l.Pos, l.End
	case q.noted() != nil:
		cause := q.noted()
		e.Msg, e.Cause = cause.Error(), errors.Join(cause, err)
		if p != nil && len(p.models) == 1 {
			e.Pos, e.End = p.models[0].call.Model.Pos, p.models[0].call.Model.End
		}
		p.inUserTerms(e, src)
	case errors.As(err, &ddb) && ddb.Type == duckdb.ErrorTypeInterrupt && streaming(ctx):
		// DuckDB stops the other threads when one fails, and may tell the reader of rows of that only; see why.
		e.Msg = "the statement was stopped while its rows were read, probably since one of DuckDB's threads has failed, which does not say why: run it again after SET threads = 1 to see the cause"
	case errors.As(err, &ddb):
		e.Msg = duckapi.WithoutExcerpt(ddb.Msg)
		if p != nil && p.pos >= 0 {
			e.Pos, e.End = n.locate(ctx, p, src, ddb)
			if msg, span, ok := n.missingColumn(ctx, p, src, ddb); ok {
				e.Msg, e.Pos, e.End = msg, span.Pos, span.End
			}
			if msg, span, ok := p.modelFault(ddb); ok {
				e.Msg, e.Pos, e.End = msg, span.Pos, span.End
			}
		}
		p.inUserTerms(e, src)
		misplaced(e, src)
		p.advise(e, err)
		if p != nil && p.plain && e.Msg == duckapi.WithoutExcerpt(ddb.Msg) {
			e.Msg, e.plain = ddb.Msg, true
			if n.readsAsGoogleSQL(ctx, p, src, ddb) {
				e.Hint = "`-dialect bigquery` or a backtick reads this as GoogleSQL"
			}
		}
	}
	if e.Pos >= 0 {
		e.Line, e.Col = dialect.LineCol(src, e.Pos)
	}
	e.Code = CodeOf(e.Cause)
	return e
}

// readsAsGoogleSQL reports whether a statement that DuckDB does not understand is one of BigQuery's.
func (n *conn) readsAsGoogleSQL(ctx context.Context, p *plan, src string, err *duckdb.Error) bool {
	if p.lang != dialect.DuckDB || !duckapi.Is(err, duckdb.ErrorTypeParser, duckdb.ErrorTypeSyntax, duckdb.ErrorTypeBinder, duckdb.ErrorTypeCatalog) {
		return false
	}
	st := dialect.Statement{Span: dialect.Span{Pos: p.pos, End: p.pos + len(strings.TrimRight(p.sql, "; \t\r\n"))}, Lang: dialect.GoogleSQL}
	node, perr := dialect.Parse(src, st)
	q, ok := node.(*dialect.Query)
	if perr != nil || !ok {
		return false
	}
	other, perr := n.planQuery(ctx, src, q)
	if perr != nil {
		return false
	}
	prepared, perr := n.Conn.PrepareContext(ctx, other.sql)
	return perr == nil && prepared.Close() == nil
}

// locate finds the place of a fault: in the excerpt that DuckDB has put under its message, which may be shortened, or by
// asking it again, for an error in JSON. It is (-1, -1) when DuckDB does not know.
func (n *conn) locate(ctx context.Context, p *plan, src string, err *duckdb.Error) (pos, end int) {
	at, ok := duckapi.Place(p.sql, err.Msg)
	if duckapi.HasPosition(err) {
		if exact, known := n.position(ctx, p); known {
			at, ok = exact, true
		}
	}
	if !ok {
		return -1, -1
	}
	if p.text == nil {
		pos = p.pos + at
	} else {
		pos, _ = p.text.SourcePos(at)
	}
	pos = min(pos, len(src))
	return pos, wordEnd(src, pos)
}

// position prepares a statement once more, for the byte that an error in JSON has.
func (n *conn) position(ctx context.Context, p *plan) (int, bool) {
	if _, err := n.Conn.ExecContext(ctx, "SET errors_as_json = true", nil); err != nil {
		return 0, false // an aborted transaction, for one
	}
	st, err := n.Conn.PrepareContext(ctx, p.sql)
	if err == nil {
		_ = st.Close()
	}
	if _, rerr := n.Conn.ExecContext(ctx, "SET errors_as_json = false", nil); rerr != nil || err == nil {
		return 0, false
	}
	return duckapi.Position(err)
}

var word = regexp.MustCompile(`^(?:[\pL\pN_$]+|"[^"\n]*"|` + "`[^`\n]*`" + `)`)

// wordEnd is the end of the word that starts at pos.
func wordEnd(src string, pos int) int {
	if w := word.FindString(src[pos:]); w != "" {
		return pos + len(w)
	}
	return min(pos+1, len(src))
}

// missingColumn words DuckDB's complaint about an input column in terms of the model.
func (n *conn) missingColumn(ctx context.Context, p *plan, src string, err *duckdb.Error) (string, dialect.Span, bool) {
	if table, ok := duckapi.LacksColumnOf(err); !ok || table != "__q" && table != "__c" { // the expansion's inputs
		return "", dialect.Span{}, false
	}
	for _, used := range p.models {
		columns := nameList(n.writer(n.catalog(), n.Conn).inputColumns(ctx, src, used.call, p.lang))
		for _, in := range used.Inputs {
			name := in.name
			if contains(columns, name) || columns == nil && !strings.Contains(err.Msg, quote.Name(name)) {
				continue // not this call's fault
			}
			_, fn, _ := strings.Cut(used.call.Func, ".")
			msg := fmt.Sprintf("Column %s is not found in the input data to the %s function: model %s takes %s", name, fn, used.Name, inputsText(used))
			switch near := spelling.Nearest(name, columns); {
			case near != "":
				msg += fmt.Sprintf("; did you mean %s? Rename it: %s AS %s", near, quote.Name(near), quote.Name(name))
			case len(columns) > 0:
				msg += fmt.Sprintf("; the input has %s", strings.Join(columns, ", "))
			}
			return msg, used.call.Input, true
		}
	}
	return "", dialect.Span{}, false
}

// modelFault finds the call whose model refused its input while the statement was bound. The message is our own; DuckDB
// only put the kind of error before it.
func (p *plan) modelFault(err *duckdb.Error) (string, dialect.Span, bool) {
	msg, ours := strings.CutPrefix(duckapi.WithoutExcerpt(err.Msg), "Binder Error: model ")
	if !ours {
		return "", dialect.Span{}, false
	}
	for _, used := range p.models {
		if strings.HasPrefix(msg, used.Name+":") {
			return "model " + msg, used.call.Input, true
		}
	}
	return "model " + msg, dialect.Span{Pos: -1, End: -1}, true
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

func inputsText(m usedModel) string {
	parts := make([]string, len(m.Inputs))
	for i, in := range m.Inputs {
		parts[i] = in.name + " " + cmp.Or(in.sqlType, "(an image)")
	}
	return strings.Join(parts, ", ")
}
