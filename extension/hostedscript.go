package extension

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/udf"
)

// preview finds the columns of what a text gives without running it: statements are tried in a transaction that will be rolled back, those
// that change rows are prepared only, and no model is asked. Of the procedural language each branch and each loop's body is seen once.
type preview struct {
	ctx  context.Context
	on   *analyzer
	conn *conn
	all  []*shape
	last *shape // nil before the first query
	many bool   // which query is the last one is known only when the text runs, and their columns differ
	// calls are the procedures that are looked at.
	calls []string
	err   error // why a statement of the procedural language could not be tried, which may succeed when the text runs
}

// shape is the columns of a query.
type shape struct {
	columns []udf.Field
	types   []mapping.LogicalType
}

func (c *shape) close() {
	for i := range c.types {
		mapping.DestroyLogicalType(&c.types[i])
	}
}

func (c *shape) equal(d *shape) bool {
	return slices.EqualFunc(c.columns, d.columns, func(a, b udf.Field) bool { return a.Name == b.Name }) &&
		slices.EqualFunc(c.types, d.types, sameType)
}

// distinguish gives columns of one name different ones, since a table function has to have that: x, x_1 and so on, as DuckDB does in a
// subquery.
func (c *shape) distinguish() {
	taken := map[string]bool{}
	for _, f := range c.columns {
		taken[strings.ToLower(f.Name)] = true
	}
	seen := map[string]bool{}
	for i := range c.columns {
		name := c.columns[i].Name
		for n := 1; seen[strings.ToLower(name)]; n++ {
			if next := c.columns[i].Name + "_" + strconv.Itoa(n); !taken[strings.ToLower(next)] {
				name = next
			}
		}
		seen[strings.ToLower(name)], taken[strings.ToLower(name)] = true, true
		c.columns[i].Name = name
	}
}

// close frees what was found but for one.
func (p *preview) close(kept *shape) {
	for _, c := range p.all {
		if c != kept {
			c.close()
		}
	}
}

// statements looks at those of a text, whose result is that of the last one.
func (p *preview) statements(src string, all []dialect.Statement) (err error) {
	s := p.on.session
	if !slices.ContainsFunc(all, func(st dialect.Statement) bool { return s.control(p.ctx, src, st) != nil }) {
		if node, err := dialect.Parse(src, all[len(all)-1]); err != nil || !hasRows(node) {
			return p.parse(src, all)
		}
	}
	if len(all) > 1 || s.control(p.ctx, src, all[0]) != nil {
		tx, err := p.conn.BeginTx(p.ctx, driver.TxOptions{})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, tx.Rollback()) }()
	}
	t := newSteps(src, s.lang, nil, nil)
	t.each, t.branch = p.step, p.branch
	for i, st := range all {
		if i == len(all)-1 {
			p.set(nil)
		}
		switch {
		case s.control(p.ctx, src, st) == nil:
			err = p.statement(src, st)
		case p.err == nil:
			p.err = s.run(context.WithValue(p.ctx, stepsKey{}, t), src, st, nil)
		}
		if err != nil {
			return err
		}
	}
	if p.err != nil {
		p.set(nil)
		p.many = true
	}
	return nil
}

// parse says what cannot be read.
func (p *preview) parse(src string, all []dialect.Statement) error {
	for _, st := range all {
		if _, err := dialect.Parse(src, st); err != nil {
			return (&execution{s: p.on.session, ctx: p.ctx, src: src}).fault(err)
		}
	}
	return nil
}

// statement looks at one that is none of the procedural language.
func (p *preview) statement(src string, st dialect.Statement) error {
	node, err := dialect.Parse(src, st)
	if err != nil {
		return (&execution{s: p.on.session, ctx: p.ctx, src: src}).fault(err)
	}
	if p.err != nil { // what stands before it was not tried whole
		return nil
	}
	if hasRows(node) {
		found, err := described(p.ctx, p.conn, src, st)
		if found != nil {
			p.all = append(p.all, found)
			p.set(found)
		}
		return err
	}
	if q, ok := node.(*dialect.Query); ok && q.Verb == "PREPARE" || places(src, st) {
		return p.on.runDDL(p.ctx, src, st, "")
	}
	_, err = p.on.analyze(p.ctx, src, st, nil)
	return err
}

// places reports whether a statement says where the connection looks up names.
func places(src string, st dialect.Statement) bool {
	words := strings.FieldsFunc(strings.ToLower(src[st.Pos:st.End]), func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
	return len(words) > 1 && words[0] == "set" && slices.ContainsFunc(words[1:min(3, len(words))], func(w string) bool {
		return w == "search_path" || w == "schema"
	})
}

// set notes the columns of a query that runs whatever happens before it.
func (p *preview) set(c *shape) { p.last, p.many = c, false }

// step looks at a statement inside of the procedural language.
func (p *preview) step(st Step, run func() (StepResult, error)) error {
	if !st.Value {
		return p.statement(st.Source, st.Statement)
	}
	r, err := run()
	if r.Chunks != nil {
		err = errors.Join(err, r.Chunks.Close())
	}
	return err
}

// branch looks at a statement of the procedural language that runs others, or ends them.
func (p *preview) branch(ctx context.Context, src string, n *dialect.ScriptStatement) (done bool, err error) {
	s := p.on.session
	before := preview{last: p.last, many: p.many}
	list := func(body []*dialect.ScriptStatement) error { return s.list(ctx, src, body, nil) }
	switch n.Kind {
	case dialect.Invoke:
		name := strings.ToLower(strings.Join(n.Names, "."))
		if done = slices.Contains(p.calls, name); !done { // a procedure that calls itself is seen once
			p.calls = append(p.calls, name)
			defer func() { p.calls = p.calls[:len(p.calls)-1] }()
			return true, s.invoke(ctx, src, n, nil)
		}
		return done, nil
	case dialect.Leave, dialect.Iterate, dialect.Return, dialect.Raise:
		return true, nil
	case dialect.If, dialect.Case:
		var ends []preview
		for _, body := range append(bodies(n), n.Else) {
			p.last, p.many = before.last, before.many
			if err := list(body); err != nil {
				return true, err
			}
			ends = append(ends, preview{last: p.last, many: p.many})
		}
		p.last, p.many = ends[0].last, ends[0].many
		for _, e := range ends[1:] {
			p.or(e)
		}
	case dialect.Loop, dialect.While, dialect.Repeat:
		err = list(n.Body)
		p.or(before)
	case dialect.For:
		err = p.forLoop(ctx, src, n)
		p.or(before)
	case dialect.Begin:
		if !n.Handles {
			return false, nil
		}
		_ = list(n.Body) // what fails now may be what the handler is for
		end := preview{last: p.last, many: p.many}
		s.script.errs = append(s.script.errs, errors.New("not known before the script runs"))
		defer func() { s.script.errs = s.script.errs[:len(s.script.errs)-1] }()
		err = list(n.Handler)
		p.or(end)
		p.or(before)
	default:
		return false, nil
	}
	return true, err
}

// or says that the last query may be that of another way through the text.
func (p *preview) or(way preview) {
	switch {
	case p.many || way.last == nil && !way.many:
	case p.last == nil:
		p.last, p.many = way.last, way.many
	default:
		p.many = way.many || !p.last.equal(way.last)
	}
}

func (p *preview) forLoop(ctx context.Context, src string, n *dialect.ScriptStatement) error {
	s := p.on.session
	_, columns, err := s.expression(ctx, "SELECT * FROM ", src, n.Expr)
	if err != nil {
		return err
	}
	fields := make([]string, len(columns)) // DuckDB forgets the types inside of a STRUCT that is NULL
	for i, c := range columns {
		fields[i] = quote.Name(c.Name) + " := NULL::" + c.Type.DuckDB()
	}
	v := s.script.variable(n.Names[0], googlesql.StructOf(columns...))
	before := len(s.script.variables)
	s.script.variables = append(s.script.variables, v)
	defer func() { s.script.variables = s.script.variables[:before] }()
	if err := s.assign(ctx, src, s.script.place(v.Name), "SELECT struct_pack("+strings.Join(fields, ", ")+")"); err != nil {
		return err
	}
	return s.list(ctx, src, n.Body, nil)
}

func bodies(n *dialect.ScriptStatement) (all [][]*dialect.ScriptStatement) {
	for _, c := range n.Clauses {
		all = append(all, c.Body)
	}
	return all
}

// hasRows reports whether a statement gives rows.
func hasRows(node dialect.Node) bool {
	q, ok := node.(*dialect.Query)
	if !ok {
		switch node.(type) {
		case *dialect.ShowModels, *dialect.DescribeModel, *dialect.Estimate:
			return true
		}
		return false
	}
	verb, _, _ := strings.Cut(q.Verb, " ")
	return slices.Contains(rowVerbs, verb)
}
