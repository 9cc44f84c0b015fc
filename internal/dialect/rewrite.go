package dialect

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
)

// Rewriter writes a [Query] of the DuckDB dialect for DuckDB. Its zero value serves queries without constructs of ours.
type Rewriter struct {
	// Expand gives the text around the input of a call. quoted is true in the body of a view.
	Expand func(c *Call, quoted bool) (Expansion, error)
	// Function says what a function becomes: an expression that needs no brackets around it. Nil without an error leaves
	// it alone, since it is a function of the user's. A Rewriter without Function leaves all of them alone. quoted is true
	// in the body of a view.
	Function func(f *Function, quoted bool) (*Substitution, error)
	// TableFunction gives the text that takes the place of a table function. args are its arguments as DuckDB reads
	// them: a query without its brackets, SELECT * FROM path for TABLE path. "" leaves it alone.
	TableFunction func(f *TableFunction, args []string, quoted bool) (string, error)
	// Data gives the text that takes the place of a reference to the pseudo-column; "" leaves it alone, since it is a
	// column like any other.
	Data func(d *DataRef) (string, error)
}

// Substitution writes Text[0] argument[Keep[0]] Text[1] argument[Keep[1]] … Text[n]: Keep is increasing, and Text has one
// more element. Arguments that are not kept vanish.
type Substitution struct {
	Keep []int
	Text []string
}

// Expansion is what a call becomes.
type Expansion struct {
	// around the input; Close starts with a newline, so that a comment at the input's end cannot swallow it
	Open, Close string
	Whole       func(input string) string // when quoted: the complete text for the rewritten input
	Casts       map[string]string         // lower-case name of a bare parameter to the DuckDB type it is cast to
}

// Rewrite gives the text for DuckDB. An error is an *[Error] with positions in src, or what a callback returned.
func (r *Rewriter) Rewrite(src string, q *Query) (*Text, error) {
	var e edits
	var written []int       // where something of ours starts
	named := map[int]bool{} // by place: the select items that have their names
	for _, f := range q.Functions {
		done, err := r.function(f, q, &e)
		if err != nil {
			return nil, err
		}
		if done {
			written = append(written, f.Pos)
		}
	}
	for _, d := range q.Data {
		done, err := r.data(d, &e)
		if err != nil {
			return nil, err
		}
		if done {
			written = append(written, d.Pos)
			named[d.Pos] = d.item
		}
	}
	for _, c := range q.Calls { // those inside others stand in the same items
		written = append(written, c.Pos)
	}
	nameColumns(src, q, written, named, &e)
	if err := r.expand(src, q, &e); err != nil {
		return nil, err
	}
	return newText(e.apply(src, q.Span), q.End), nil
}

// function writes what a function becomes; done is false when it is left alone.
func (r *Rewriter) function(f *Function, q *Query, e *edits) (done bool, err error) {
	if r.Function == nil {
		return false, nil
	}
	s, err := r.Function(f, q.InView)
	if s == nil || err != nil {
		return false, err
	}
	if err := checkArguments(f.Name, f.Args); err != nil {
		return false, err
	}
	if len(s.Text) != len(s.Keep)+1 {
		return false, fmt.Errorf("dialect: %s becomes %s around %s", f.Name, amount.Of(len(s.Text), "text"), amount.Of(len(s.Keep), "argument"))
	}
	pos, last := f.Pos, -1
	for i, k := range s.Keep {
		if k <= last || k >= len(f.Args) {
			return false, fmt.Errorf("dialect: %s keeps the arguments %v of %d", f.Name, s.Keep, len(f.Args))
		}
		a := f.Args[k]
		e.replace(Span{pos, a.Pos}, s.Text[i])
		if strings.HasPrefix(f.Name, "AI.") && a.row.End > a.row.Pos {
			e.replace(a.row, "row")
		}
		pos, last = a.End, k
	}
	e.replace(Span{pos, f.End}, s.Text[len(s.Keep)])
	return true, nil
}

// checkArguments refuses what GoogleSQL refuses of named arguments.
func checkArguments(name string, args []Argument) error {
	seen := map[string]bool{}
	for _, a := range args {
		switch {
		case a.Name == "" && len(seen) > 0:
			return errorf(a.Span, "%s has a positional argument after a named one", name).hint("Put it before, or give it its name")
		case a.Name != "" && seen[a.Name]:
			return errorf(a.Span, "%s has the argument %s twice", name, a.Name).hint("Give each argument once")
		case a.Name != "":
			seen[a.Name] = true
		}
	}
	return nil
}

// data writes what a reference to the pseudo-column becomes; done is false when it is left alone.
func (r *Rewriter) data(d *DataRef, e *edits) (done bool, err error) {
	if r.Data == nil {
		return false, nil
	}
	s, err := r.Data(d)
	if s == "" || err != nil {
		return false, err
	}
	e.replace(d.Span, s)
	if d.item {
		e.replace(Span{d.End, d.End}, ` AS "data"`) // no part of the expression, should that be written a second time
	}
	return true, nil
}

// maxQuoted bounds the calls inside each other in a view, since quotes double with every level.
const maxQuoted = 8

// construct is a call or a table function: what is written around texts that may hold others.
type construct struct {
	Span
	call     *Call
	x        Expansion
	function *TableFunction
	height   int // how many are inside each other, this one included
}

// expand writes the calls and the table functions, inner ones first, as they lie in the texts of the outer ones.
func (r *Rewriter) expand(src string, q *Query, e *edits) error {
	list := constructs(q)
	var around, calls []int // where the constructs end that hold the current one, and the calls among them
	for i := range list {
		c := &list[i]
		for len(around) > 0 && around[len(around)-1] <= c.Pos {
			around = around[:len(around)-1]
		}
		for len(calls) > 0 && calls[len(calls)-1] <= c.Pos {
			calls = calls[:len(calls)-1]
		}
		if around = append(around, c.End); len(around) > maxDepth {
			return errorf(c.Span, "this statement nests more than %d levels deep", maxDepth)
		}
		if c.call == nil {
			continue
		}
		calls = append(calls, c.End)
		if r.Expand == nil {
			return errorf(c.Span, "%s cannot be expanded here", c.call.Func)
		}
		if q.InView && len(calls) > maxQuoted {
			return tooDeep(c.Span)
		}
		var err error
		if c.x, err = r.Expand(c.call, q.InView); err != nil {
			return err
		}
	}
	var inner []construct // what has been written and is in no other yet
	for i := len(list) - 1; i >= 0; i-- {
		c := list[i]
		for len(inner) > 0 && inner[len(inner)-1].Pos < c.End {
			c.height = max(c.height, inner[len(inner)-1].height)
			inner = inner[:len(inner)-1]
		}
		written := true
		if c.call == nil {
			var err error
			if written, err = r.tableFunction(src, q, c.function, e); err != nil {
				return err
			}
		} else {
			c.write(src, q, e)
		}
		if written {
			c.height++
		}
		if q.InView && c.height > maxQuoted {
			return tooDeep(c.Span)
		}
		inner = append(inner, c)
	}
	return nil
}

func tooDeep(at Span) *Error {
	return errorf(at, "more than %d ML calls inside each other in a view", maxQuoted).hint("Put the inner ones into views of their own")
}

// constructs gives the calls and table functions in order of position, so that an outer one comes before its inner ones.
func constructs(q *Query) []construct {
	var list []construct
	rest := q.TableFunctions
	until := func(pos int) {
		for len(rest) > 0 && rest[0].Pos < pos {
			list = append(list, construct{Span: rest[0].Span, function: rest[0]})
			rest = rest[1:]
		}
	}
	var add func(calls []*Call)
	add = func(calls []*Call) {
		for _, c := range calls {
			until(c.Pos)
			list = append(list, construct{Span: c.Span, call: c})
			add(c.Inner)
		}
	}
	add(q.Calls)
	until(q.End)
	return list
}

// write writes a call.
func (c construct) write(src string, q *Query, e *edits) {
	call, x := c.call, c.x
	for _, p := range call.Params {
		if to := x.Casts[strings.ToLower(p.Name)]; to != "" {
			e.wrap(p.Span, "(", "::"+to+")")
		}
	}
	for _, at := range call.rows {
		e.replace(at, "row")
	}
	if call.InputIsTable {
		e.insertBefore(call.Input.Pos, "SELECT * FROM ")
	}
	if !q.InView || x.Whole == nil {
		e.replace(Span{call.Pos, call.Input.Pos}, x.Open)
		e.replace(Span{call.Input.End, call.End}, x.Close)
		return
	}
	inner := e.take(call.Input)
	e.replace(call.Span, x.Whole(newText(inner.apply(src, call.Input), call.Input.End).String()))
}

// tableFunction writes a table function; done is false when it is left alone.
func (r *Rewriter) tableFunction(src string, q *Query, f *TableFunction, e *edits) (done bool, err error) {
	s := ""
	if r.TableFunction != nil {
		args := make([]string, len(f.Args))
		for i, a := range f.Args {
			in := e.inside(a.Span)
			args[i] = newText(in.apply(src, a.Span), a.End).String()
			if a.Table != nil {
				args[i] = "SELECT * FROM " + args[i]
			}
		}
		if s, err = r.TableFunction(f, args, q.InView); err != nil {
			return false, err
		}
	}
	switch {
	case s != "":
		if err := checkArguments(f.Name, f.Args); err != nil {
			return false, err
		}
		e.replace(f.Span, s)
		return true, nil
	}
	return false, nil
}
