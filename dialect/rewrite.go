package dialect

import "strings"

// Rewriter writes a [Query] for DuckDB. Its zero value serves queries without ML calls.
type Rewriter struct {
	// Expand gives the text around the input of a call. quoted is true in the body of a view.
	Expand func(c *Call, quoted bool) (Expansion, error)
	// Table resolves a table or schema path of a GoogleSQL statement to the parts DuckDB knows it by. It is called for
	// paths of two or three parts in FROM, TABLE and DDL positions, and for the path of CREATE and DROP SCHEMA when it
	// has two parts. Nil leaves paths as they are.
	Table func(p Path) ([]string, error)
}

// Expansion is what a call becomes.
type Expansion struct {
	Open, Close string                    // around the input; Close starts with a newline, so that a comment at the input's end cannot swallow it
	Whole       func(input string) string // when quoted: the complete text for the rewritten input
	Casts       map[string]string         // lower-case name of a bare parameter to the DuckDB type it is cast to
}

// Rewrite gives the text for DuckDB. An error is an *[Error] with positions in src, or what Expand or Table returned.
func (r *Rewriter) Rewrite(src string, q *Query) (*Text, error) {
	var e edits
	if !q.Untouched && (q.Lang == GoogleSQL || len(q.Calls) == 0) {
		t := &translator{parser: newParser(src, Statement{Span: q.Span, Lang: q.Lang}), edits: &e, table: r.Table, calls: map[int]*Call{}}
		t.index(q.Calls)
		if err := t.statement(); err != nil {
			if err.cause != nil {
				return nil, err.cause
			}
			return nil, &err.Error
		}
	}
	if err := r.expand(src, q, q.Calls, &e, 1); err != nil {
		return nil, err
	}
	return newText(e.apply(src, q.Span), q.End), nil
}

// maxQuoted bounds the calls inside each other in a view, since quotes double with every level.
const maxQuoted = 8

func (r *Rewriter) expand(src string, q *Query, calls []*Call, e *edits, depth int) error {
	for _, c := range calls {
		if r.Expand == nil {
			return errorf(c.Span, "%s cannot be expanded here", c.Func)
		}
		if q.InView && depth > maxQuoted {
			return errorf(c.Span, "more than %d ML calls inside each other in a view", maxQuoted).hint("Put the inner ones into views of their own")
		}
		x, err := r.Expand(c, q.InView)
		if err != nil {
			return err
		}
		if err := r.expand(src, q, c.Inner, e, depth+1); err != nil {
			return err
		}
		for _, p := range c.Params {
			if to := x.Casts[strings.ToLower(p.Name)]; to != "" {
				e.wrap(p.Span, "(", "::"+to+")")
			}
		}
		if c.InputIsTable {
			e.insertBefore(c.Input.Pos, "SELECT * FROM ")
		}
		if !q.InView || x.Whole == nil {
			e.replace(Span{c.Pos, c.Input.Pos}, x.Open)
			e.replace(Span{c.Input.End, c.End}, x.Close)
			continue
		}
		inner := e.take(c.Input)
		e.replace(c.Span, x.Whole(newText(inner.apply(src, c.Input), c.Input.End).String()))
	}
	return nil
}
