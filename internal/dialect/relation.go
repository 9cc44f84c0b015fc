package dialect

import (
	"slices"
	"strings"
)

// Relation is a table, a view or a model that a statement names.
type Relation struct {
	Path
	Role Role
}

// Role is what a statement does with a [Relation].
type Role int

// The roles.
const (
	Reads     Role = iota // its rows are read
	Describes             // DESCRIBE, SHOW, SUMMARIZE
	Changes               // INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY … FROM, LOAD DATA
	Alters                // ALTER TABLE, ALTER VIEW
	Renames               // … RENAME TO, which makes the new name
	Drops                 // DROP TABLE, DROP VIEW
	Makes                 // CREATE [OR REPLACE] TABLE, CREATE [OR REPLACE] VIEW; not of temporary ones
	Shapes                // CREATE TABLE … LIKE
	Copies                // CREATE TABLE … COPY, CREATE [SNAPSHOT] TABLE … CLONE
)

// Relations lists what a statement names: what it changes first, then the tables of FROM clauses in the order of their
// places, then those of queries without one. Names of WITH clauses are left out, and what nests deeper than can be read.
func Relations(src string, st Statement) []Relation { return relations(src, st, 0) }

// relations knows how many texts of query() the statement stands in.
func relations(src string, st Statement, nested int) []Relation {
	p := newParser(src, st)
	if p.words("COPY", "FROM") { // DATABASE
		return nil
	}
	all := p.target()
	f := &dataFinder{parser: p, macros: map[int]bool{}, ours: map[int]*Function{}, tables: &all}
	p.i = 0 // its words and punctuation are asked for by index
	f.query(0, len(p.toks), nil)
	if len(all) > 1 && all[0].Role != Reads { // DELETE FROM t is a FROM clause too
		target := all[0]
		rest := all[:1]
		for _, r := range all[1:] {
			if r.Pos != target.Pos {
				rest = append(rest, r)
			}
		}
		all = rest
	}
	p.i = 0
	for _, r := range p.bracketed(nested) {
		if !slices.ContainsFunc(all, func(known Relation) bool { return known.Pos == r.Pos }) {
			all = append(all, r)
		}
	}
	return all
}

// Inputs lists the tables that the calls of a query take behind TABLE, which [Relations] leaves out, as names of WITH clauses are.
func Inputs(src string, st Statement, q *Query) (list []Path) {
	names := newParser(src, st).withNames()
	add := func(t Path) {
		if len(t.Parts) > 1 || !names[strings.ToLower(t.Parts[0])] {
			list = append(list, t)
		}
	}
	for _, c := range constructs(q) {
		switch {
		case c.function != nil:
			for _, a := range c.function.Args {
				if a.Table != nil {
					add(*a.Table)
				}
			}
		case c.call.InputIsTable:
			add(c.call.Table)
		}
	}
	return list
}

// Source gives the query whose rows a statement uses: itself where it is a query, that of CREATE TABLE … AS, INSERT, COPY … TO and
// EXPORT DATA. Others have none.
func Source(src string, st Statement) (Statement, bool) {
	p := newParser(src, st)
	if p.startsQueryAt(0) {
		return st, true
	}
	verb := p.word(0)
	if verb == "COPY" && p.isPunct(1, '(') {
		if end := p.closing(1); end > 0 && p.startsQueryAt(2) {
			st.Span = Span{p.toks[2].Pos, p.toks[end].Pos}
			return st, true
		}
	}
	if verb != "CREATE" && verb != "INSERT" && verb != "EXPORT" {
		return st, false
	}
	found := false
	for i := 1; i < len(p.toks); i = p.step(i) {
		w, next := p.toksWord(i), p.toksWord(i+1)
		switch {
		case !found:
			if found = p.startsQueryAt(i) && (verb == "INSERT" || p.toksWord(i-1) == "AS"); found {
				st.Pos = p.toks[i].Pos
			}
		case w == "RETURNING", w == "ON" && next == "CONFLICT", w == "WITH" && (next == "NO" || next == "DATA"):
			st.End = p.toks[i].Pos
			return st, true
		}
	}
	return st, found
}

// target reads the name behind the verb of a statement that does something with a table or a view.
func (p *parser) target() []Relation {
	p.accept("EXPLAIN")
	p.accept("ANALYZE")
	p.prepared()
	p.with()
	role, ok := p.role()
	if !ok || role != Changes && p.startsQueryAt(p.i) && !p.isWord(0, "TABLE") {
		return nil
	}
	if role == Describes || role == Reads {
		p.accept("TABLE")
	}
	if !p.accept("IF", "NOT", "EXISTS") {
		p.accept("IF", "EXISTS")
	}
	path, err := p.path()
	if err != nil || p.isPunct(0, '(') && role != Makes && role != Changes {
		return nil
	}
	if role == Alters && p.accept("RENAME", "TO") {
		all := []Relation{{path, Renames}}
		if to, err := p.path(); err == nil { // beside the one that is renamed, unless it says more
			if len(to.Parts) == 1 {
				to.Parts = append(slices.Clone(path.Parts[:len(path.Parts)-1]), to.Parts[0])
			}
			all = append(all, Relation{to, Makes})
		}
		return all
	}
	all := []Relation{{path, role}}
	if role == Makes {
		from := Copies
		if p.accept("LIKE") {
			from = Shapes
		} else if !p.accept("COPY") && !p.accept("CLONE") {
			return all
		}
		if path, err := p.path(); err == nil {
			all = append(all, Relation{path, from})
		}
	}
	return all
}

// Attached gives the name of the database that ATTACH … AS name adds, or DETACH name takes away.
func Attached(src string, st Statement) (name string, ok bool) {
	p := newParser(src, st)
	attach := p.accept("ATTACH")
	if !attach && !p.accept("DETACH") {
		return "", false
	}
	p.accept("OR", "REPLACE")
	p.accept("DATABASE")
	if !p.accept("IF", "NOT", "EXISTS") {
		p.accept("IF", "EXISTS")
	}
	if attach {
		p.i++ // its file
		if !p.accept("AS") {
			return "", false
		}
	}
	name, err := p.name()
	return name, err == nil
}

// Temporary gives the temporary table or view that a statement makes.
func Temporary(src string, st Statement) (Path, bool) {
	p := newParser(src, st)
	if !p.accept("CREATE") {
		return Path{}, false
	}
	p.accept("OR", "REPLACE")
	if !p.accept("TEMP") && !p.accept("TEMPORARY") {
		return Path{}, false
	}
	p.accept("RECURSIVE")
	if !p.accept("TABLE") && !p.accept("VIEW") {
		return Path{}, false
	}
	p.accept("IF", "NOT", "EXISTS")
	path, err := p.path()
	return path, err == nil
}

// prepared steps over PREPARE name [(types)] AS.
func (p *parser) prepared() {
	if !p.isWord(0, "PREPARE") {
		return
	}
	for i := p.i; i < len(p.toks); i = p.step(i) {
		if p.toksWord(i) == "AS" {
			p.i = i + 1
			return
		}
	}
}

// with steps over a WITH clause: what follows it is the first word behind a closing bracket that does not go on with the clause.
func (p *parser) with() {
	if !p.isWord(0, "WITH") {
		return
	}
	closed := false
	for i := p.i + 1; i < len(p.toks); {
		if w := p.toksWord(i); closed && w != "" && w != "AS" && w != "USING" {
			p.i = i
			return
		}
		next := p.step(i)
		closed = next > i+1
		i = next
	}
}

// role steps over the words before the name.
func (p *parser) role() (Role, bool) {
	kinds := func() bool { return p.accept("TABLE") || p.accept("VIEW") }
	switch {
	case p.accept("DROP"):
		if !p.accept("MATERIALIZED") {
			p.accept("SNAPSHOT")
		}
		return Drops, kinds()
	case p.accept("ALTER"):
		p.accept("MATERIALIZED")
		return Alters, kinds()
	case p.accept("CREATE"):
		p.accept("OR", "REPLACE")
		if !p.accept("RECURSIVE") && !p.accept("MATERIALIZED") {
			p.accept("SNAPSHOT")
		}
		return Makes, kinds()
	case p.accept("LOAD", "DATA"):
		return Changes, p.accept("INTO") || p.accept("OVERWRITE")
	case p.accept("INSERT"):
		if p.accept("OR") { // REPLACE or IGNORE
			p.i++
		}
		p.accept("INTO")
		return Changes, true
	case p.accept("UPDATE"), p.accept("MERGE", "INTO"), p.accept("MERGE"), p.accept("DELETE", "FROM"), p.accept("DELETE"),
		p.accept("TRUNCATE", "TABLE"), p.accept("TRUNCATE"):
		return Changes, true
	case p.accept("DESCRIBE"), p.accept("DESC"), p.accept("SHOW"), p.accept("SUMMARIZE"):
		return Describes, true
	case p.accept("COPY"):
		for i := p.i; i < len(p.toks); i = p.step(i) {
			if p.toksWord(i) == "FROM" {
				return Changes, true
			}
		}
		return Reads, true
	case p.isWord(0, "TABLE"), p.accept("PIVOT"), p.accept("UNPIVOT"), p.accept("PIVOT_WIDER"), p.accept("PIVOT_LONGER"):
		return Reads, true
	}
	return Reads, false
}
