package extension

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/planner"
)

// fault gives the error of a statement in the user's terms. The execution has no plan when the statement did not get as far as
// DuckDB.
func (x *execution) fault(err error) error {
	p := x.plan
	if p != nil && p.Undo != nil {
		p.Undo()
	}
	if cerr := x.ctx.Err(); cerr != nil {
		return fmt.Errorf("statement cancelled: %w", cerr)
	}
	e := &Error{Msg: err.Error(), Source: x.src, Pos: -1, End: -1, Cause: err}
	var de *dialect.Error
	var l *dialect.Located
	var ddb *duckdb.Error
	switch {
	case errors.As(err, &de):
		e.Msg, e.Pos, e.End = de.Error(), de.Pos, de.End
	case errors.As(err, &l):
		e.Msg, e.Pos, e.End = l.Error(), l.Pos, l.End
	case x.q.noted() != nil:
		cause := x.q.noted()
		e.Cause = errors.Join(cause, err)
		w := &planner.Wording{Msg: cause.Error(), Span: p.OnlyModel()}
		p.InUserTerms(w, x.src, e.Cause)
		e.Msg, e.Pos, e.End = w.Msg, w.Pos, w.End
	case errors.As(err, &ddb) && ddb.Type == duckdb.ErrorTypeInterrupt && streaming(x.ctx):
		// DuckDB stops the other threads when one fails, and may tell the reader of rows of that only; see why.
		e.Msg = "the statement was stopped while its rows were read, probably since one of DuckDB's threads has failed, " +
			"which does not say why: run it again after SET threads = 1 to see the cause"
	case errors.As(err, &ddb) && ddb.Msg != "":
		x.duckdbFault(e, ddb)
	}
	if e.Pos < 0 && ddb == nil {
		w := &planner.Wording{Msg: e.Msg, Span: dialect.Span{Pos: -1, End: -1}}
		p.AtSubject(w, x.src, err)
		e.Pos, e.End = w.Pos, w.End
	}
	x.inPlainForm(e)
	e.Msg = planner.OfView(e.Msg)
	if e.Pos >= 0 {
		e.Line, e.Col = dialect.LineCol(x.src, e.Pos)
	}
	e.Code = CodeOf(e.Cause)
	return e
}

// tooDeep matches what DuckDB says of a text that it has no stack for.
var tooDeep = regexp.MustCompile(`^Parser Error: memory exhausted at|Max expression depth limit of \d+ exceeded`)

// duckdbFault words an error of DuckDB's.
func (x *execution) duckdbFault(e *Error, ddb *duckdb.Error) {
	if ddb.Type == duckdb.ErrorTypeInternal {
		x.internalFault(e, ddb)
		return
	}
	p, own := x.plan, duckapi.WithoutExcerpt(ddb.Msg)
	w := &planner.Wording{Msg: own, Span: dialect.Span{Pos: -1, End: -1}}
	if p != nil && p.Lang == dialect.GoogleSQL && tooDeep.MatchString(own) {
		e.Msg = "the statement is nested too deep for DuckDB, or too long"
		return
	}
	if p != nil && p.Pos >= 0 {
		w.Pos, w.End = x.locate(ddb)
		if other, ok := x.s.planner(x.ctx).MissingColumn(x.ctx, p, x.src, ddb); ok {
			w = other
		}
		if other, ok := p.ModelFault(ddb); ok {
			w = other
		}
	}
	p.Explain(w, x.src, e.Cause)
	e.Msg, e.Pos, e.End = w.Msg, w.Pos, w.End
	if p != nil && p.Plain && e.Msg == own {
		e.Msg, e.plain = ddb.Msg, true
		if x.readsAsGoogleSQL(ddb) {
			e.Hint = "`-dialect bigquery` or a backtick reads this as GoogleSQL"
		}
	}
}

var errTextParameter = errors.New("a parameter in the text of query() gets no value; write the query itself, in brackets")

// internalFault words a broken assertion of DuckDB's, without the addresses in its stack. DuckDB does not see a parameter in the text of
// query(), and runs without its value.
func (x *execution) internalFault(e *Error, ddb *duckdb.Error) {
	first, _, _ := strings.Cut(strings.TrimPrefix(ddb.Msg, "INTERNAL Error: "), "\n")
	e.Msg = "DuckDB has a fault of its own, which this statement meets: " + strings.TrimRight(first, ".!") +
		"; it can be told of it at https://github.com/duckdb/duckdb/issues"
	p := x.plan
	if p == nil || p.Pos < 0 || !strings.Contains(ddb.Msg, "unique_ptr that is NULL") {
		return
	}
	if calls := dialect.Called(x.src[p.Pos:], "query"); len(calls) > 0 {
		e.Msg = errTextParameter.Error()
		e.Pos, e.End = p.Pos+calls[0].Pos, p.Pos+calls[0].End
	}
}

// inPlainForm places a fault in the text of ML_PREDICT('m', 'SELECT …') or the like.
func (x *execution) inPlainForm(e *Error) {
	if x.plan == nil {
		return
	}
	w := &planner.Wording{Msg: e.Msg, Span: dialect.Span{Pos: e.Pos, End: e.End}}
	x.s.planner(x.ctx).PlainForm(x.ctx, w, x.plan, x.src, e.Cause, x.q.noted(), func(sql string) (int, error) {
		st, err := x.s.duck.PrepareContext(x.ctx, sql)
		if err == nil {
			return -1, st.Close()
		}
		pos, ok := x.position(sql)
		if !ok {
			pos = -1
		}
		return pos, err
	})
	if w.Pos != e.Pos || w.Msg != e.Msg {
		e.Msg, e.Pos, e.End, e.plain = w.Msg, w.Pos, w.End, false
	}
}

// bigQueryName matches names that DuckDB has in no form: functions in BigQuery's namespaces, and views of INFORMATION_SCHEMA.
var bigQueryName = regexp.MustCompile(`(?i)\b((SAFE|NET|HLL_COUNT|KEYS|AEAD)\s*\.\s*\w+\s*\(|INFORMATION_SCHEMA\s*\.)`)

// readsAsGoogleSQL reports whether a statement that DuckDB does not understand is one of BigQuery's.
func (x *execution) readsAsGoogleSQL(err *duckdb.Error) bool {
	p := x.plan
	// Starting the analyzer costs something: it is asked where DuckDB's words make GoogleSQL likely.
	name, _, missing := duckapi.MissingFunction(err)
	syntax := duckapi.Is(err, duckdb.ErrorTypeParser, duckdb.ErrorTypeSyntax)
	if p.Lang == dialect.DuckDB && (syntax || missing) && dialect.OpensLikeGoogleSQL(p.SQL) {
		return true
	}
	likely := syntax || missing && writer.Known(name) || strings.Contains(err.Msg, "Type with name ") || // FLOAT64, or the r of r'\d'
		duckapi.LacksColumn(err, "safe") || strings.Contains(err.Msg, "Function with name @@ ") ||
		duckapi.Is(err, duckdb.ErrorTypeBinder) && strings.Contains(p.SQL, `"`) || // a string of GoogleSQL's, perhaps
		bigQueryName.MatchString(p.SQL)
	if p.Lang != dialect.DuckDB || !likely {
		return false
	}
	st := dialect.Statement{Span: dialect.Span{Pos: p.Pos, End: p.Pos + len(strings.TrimRight(p.SQL, "; \t\r\n"))}, Lang: dialect.GoogleSQL}
	node, perr := dialect.Parse(x.src, st)
	q, ok := node.(*dialect.Query)
	if perr != nil || !ok {
		return false
	}
	other, perr := x.s.planner(x.ctx).Query(x.ctx, x.src, q)
	if errors.Is(perr, failure.ErrGoogleSQL) {
		return missing // there is no analyzer, and the function is one of GoogleSQL's
	}
	if perr != nil {
		return false
	}
	prepared, perr := x.s.duck.PrepareContext(x.ctx, other.SQL)
	return perr == nil && prepared.Close() == nil
}

// locate finds the place of a fault: in the excerpt that DuckDB has put under its message, which may be shortened, or by
// asking it again, for an error in JSON. It is (-1, -1) when DuckDB does not know.
func (x *execution) locate(err *duckdb.Error) (pos, end int) {
	p := x.plan
	at, ok := duckapi.Place(p.SQL, err.Msg)
	if duckapi.HasPosition(err) {
		if exact, known := x.position(p.SQL); known {
			at, ok = exact, true
		}
	}
	if !ok {
		return -1, -1
	}
	if p.Text == nil {
		pos = p.Pos + at
	} else {
		pos, _ = p.Text.SourcePos(at)
	}
	pos = min(pos, len(x.src))
	return pos, duckapi.WordEnd(x.src, pos)
}

// position prepares a statement once more, for the byte that an error in JSON has.
func (x *execution) position(sql string) (int, bool) {
	duck := x.s.duck
	if _, err := duck.ExecContext(x.ctx, "SET errors_as_json = true", nil); err != nil {
		return 0, false // an aborted transaction, for one
	}
	st, err := duck.PrepareContext(x.ctx, sql)
	if err == nil {
		_ = st.Close()
	}
	if _, rerr := duck.ExecContext(x.ctx, "SET errors_as_json = false", nil); rerr != nil || err == nil {
		return 0, false
	}
	return duckapi.Position(err)
}
