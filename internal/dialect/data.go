package dialect

import (
	"slices"
	"sort"
	"strings"
)

// dataRefs finds the references to the pseudo-column data: as the whole argument of ML.DECODE_IMAGE, and with a qualifier
// in any expression of a SELECT; with bare set also without one there. It knows just enough of both grammars to tell
// expressions from names of tables, aliases and columns that are being defined; what nests deeper than maxDepth, or in a
// statement of absurdly many tables, is left out, so that DuckDB refuses it as a column it does not know.
//
// On its way it drops the functions of ours that stand in FROM: there they can only be table macros of the user's.
// It also notes the select items without an alias in items, for their names. called is set where the statement calls a model.
func (p *parser) dataRefs(bare, called bool) []*DataRef {
	found := len(p.functions)+len(p.tableFunctions) > 0 || called
	for _, t := range p.toks {
		found = found || p.isData(t)
	}
	if !found {
		return nil
	}
	f := &dataFinder{parser: p, bare: bare, macros: map[int]bool{}, ours: map[int]*Function{}}
	for _, c := range p.functions {
		f.ours[c.Pos] = c
	}
	for i := range p.toks {
		if p.toksWord(i) == "COLUMNS" && p.isPunct(i+1-p.i, '(') {
			f.many = append(f.many, i)
		}
	}
	p.i = 0 // its words and punctuation are asked for by index
	if bare {
		f.lambdas()
	}
	f.query(0, len(p.toks), nil)
	p.items = f.items
	p.functions = slices.DeleteFunc(p.functions, func(c *Function) bool { return f.macros[c.Pos] })
	sort.SliceStable(f.refs, func(a, b int) bool { return f.refs[a].Pos < f.refs[b].Pos })
	list := make([]*DataRef, 0, len(f.refs))
	most := maxTables
	for _, r := range f.refs {
		if r.within.all(&most); most < 0 {
			return nil
		}
		if r.within != nil {
			r.Tables = r.within.chain
		}
		list = append(list, r.DataRef)
	}
	return list
}

// maxTables bounds the tables that are listed for all references together, since subqueries inside each other list those
// around them again.
const maxTables = 1 << 18

// isData reports whether a token is the name data, in any case, quoted or not.
func (p *parser) isData(t token) bool {
	switch n := t.End - t.Pos; {
	case t.bad != "":
	case t.kind == kindWord:
		return n == 4 && strings.EqualFold(p.text(t), "data")
	case t.kind == kindQuoted && n >= 6:
		s, err := decodeString(p.src, t, p.sql)
		return err == nil && strings.EqualFold(s, "data")
	}
	return false
}

type dataFinder struct {
	*parser
	bare   bool
	depth  int
	refs   []foundRef
	ctes   []string          // the names of WITH clauses that are visible, lower-case
	macros map[int]bool      // where a function stands in FROM
	ours   map[int]*Function // by their first token
	own    []Span            // by index of token: where data is the parameter of a lambda

	tables *[]Relation // takes note of the tables of all FROM clauses, unless nil

	many  []int    // by index of token: where COLUMNS( … ) stands
	items []column // of select lists, without an alias
}

type foundRef struct {
	*DataRef
	within *selectScope
}

// selectScope is one SELECT with the tables of its FROM clause.
type selectScope struct {
	outer              *selectScope
	tables             []TableRef
	hasSelect, hasFrom bool
	updates            bool       // it is an UPDATE
	chain              []TableRef // these and those of outer, once all has listed them
}

// all lists the tables of a SELECT and of those around it in its chain, as long as most allows.
func (s *selectScope) all(most *int) {
	if s == nil || s.chain != nil {
		return
	}
	s.outer.all(most)
	n := len(s.tables)
	if s.outer != nil {
		n += len(s.outer.chain)
	}
	if *most -= n; *most < 0 {
		return
	}
	s.chain = append(make([]TableRef, 0, n), s.tables...)
	if s.outer == nil {
		return
	}
	for _, t := range s.outer.chain {
		t.Outer++
		s.chain = append(s.chain, t)
	}
}

// clauseStart are the words that end a FROM clause.
var clauseStart = wordSet("SELECT FROM WHERE GROUP HAVING QUALIFY WINDOW ORDER LIMIT OFFSET FETCH UNION INTERSECT EXCEPT RETURNING SET")

// beforeValue are the words behind which a name is an expression, and no alias.
var beforeValue = wordSet(`SELECT DISTINCT ALL WHERE AND OR NOT BY ON HAVING QUALIFY CASE WHEN THEN ELSE IN LIKE ILIKE GLOB BETWEEN ESCAPE
FROM TO LIMIT OFFSET`)

// query reads the tokens of a query, or of a statement around one. outer is the SELECT it stands in.
func (f *dataFinder) query(from, to int, outer *selectScope) {
	defer func(ctes int) { f.depth--; f.ctes = f.ctes[:ctes] }(len(f.ctes))
	if f.depth++; f.depth > maxDepth {
		return
	}
	var s *selectScope
	values, set, items := false, false, false // in an expression; behind a set operation; in a select list
	assigns := false                          // in the list behind UPDATE … SET
	for i := from; i < to; {
		w := f.word(i)
		items = items && !clauseStart[w]
		assigns = assigns && !clauseStart[w]
		switch {
		case w == "WITH" && s == nil:
			i = f.with(i+1, to, outer)
			continue
		case w == "SELECT":
			if s == nil || s.hasSelect {
				s = &selectScope{outer: outer}
			}
			s.hasSelect, values, items = true, true, true
		case w == "UPDATE" && s == nil:
			s = &selectScope{outer: outer, updates: true}
			i = f.table(i+1, to, s)
			continue
		case w == "FROM" && !f.distinctFrom(i):
			if s == nil || s.hasFrom {
				s = &selectScope{outer: outer}
			}
			s.hasFrom, values = true, false
			i = f.from(i+1, to, s)
			continue
		case w == "EXCEPT" && f.starList(i):
			i = f.step(i + 1)
			continue
		case w == "UNION", w == "INTERSECT", w == "EXCEPT":
			s, values, set = nil, false, true
		case w == "RETURNING", w == "SET":
			values, assigns = false, w == "SET" && s != nil && s.updates
		case assigns && f.isPunct(i, '='): // column = expression, …
			values = true
		case assigns && f.isPunct(i, ','):
			values = false
		case w == "ORDER", w == "LIMIT", w == "OFFSET":
			values = s != nil && !set // behind a set operation there are no tables
		case clauseStart[w]:
			values = s != nil
		case s != nil:
			if items && f.startsItem(i) {
				f.column(i, to)
			}
			at, n := i, len(f.refs)
			if i = f.part(i, s, values); items && len(f.refs) > n && f.toks[at].Pos == f.refs[n].Pos {
				f.refs[n].item = f.isItem(at, i, to)
			}
			continue
		default:
			i = f.part(i, outer, false)
			continue
		}
		i++
	}
}

// startsItem reports whether an item of a select list starts at the token i.
func (f *dataFinder) startsItem(i int) bool {
	switch f.word(i - 1) {
	case "SELECT", "DISTINCT", "ALL":
		return true
	}
	return f.isPunct(i-1, ',')
}

// isItem reports whether the tokens from i up to end, of a select list, are a whole item of it that has no alias.
func (f *dataFinder) isItem(i, end, to int) bool {
	return f.startsItem(i) && (end >= to || f.isPunct(end, ',') || clauseStart[f.word(end)])
}

// distinctFrom reports whether FROM belongs to IS [NOT] DISTINCT FROM.
func (f *dataFinder) distinctFrom(i int) bool {
	return f.isWord(i-1, "DISTINCT") && (f.isWord(i-2, "IS") || f.isWord(i-2, "NOT"))
}

// starList reports whether EXCEPT (names) stands behind a star.
func (f *dataFinder) starList(i int) bool {
	return f.isPunct(i-1, '*') && f.isPunct(i+1, '(') && f.closing(i+1) >= 0 && !f.startsQueryAt(i+2)
}

// part reads one token of an expression, a path or a bracket as a whole. values is set where names stand for values.
func (f *dataFinder) part(i int, s *selectScope, values bool) int {
	t := f.toks[i]
	switch {
	case t.kind == kindPunct && strings.IndexByte("([{", f.src[t.Pos]) >= 0:
		return f.bracket(i, s, values)
	case t.kind == kindWord && f.isPunct(i-1, '*') && (f.isWord(i, "EXCLUDE") || f.isWord(i, "RENAME") || f.isWord(i, "EXCEPT")):
		return f.step(min(i+1, len(f.toks)-1))
	case t.kind == kindWord, t.kind == kindQuoted:
		return f.name(i, s, values)
	}
	return i + 1
}

// bracket reads a bracket with its content.
func (f *dataFinder) bracket(i int, s *selectScope, values bool) int {
	end := f.closing(i)
	if end < 0 {
		return i + 1
	}
	if f.isPunct(i, '(') && f.isQuery(i+1, end) {
		f.query(i+1, end, s)
		return end + 1
	}
	f.depth++
	for j := i + 1; j < end && f.depth <= maxDepth; {
		j = f.part(j, s, values)
	}
	f.depth--
	return end + 1
}

// name reads a path, and keeps it when it is a reference to data.
func (f *dataFinder) name(i int, s *selectScope, values bool) int {
	end := i + 1
	for f.isPunct(end, '.') && (f.at(end+1).kind == kindWord || f.at(end+1).kind == kindQuoted) {
		end += 2
	}
	if !f.isData(f.toks[end-1]) || f.isPunct(end, '(') || f.isPunct(end, '.') || f.isPunct(i-1, '.') {
		return end
	}
	if !f.decodes(i, end) {
		switch {
		case !values || s == nil, f.isWord(i-1, "MODEL"), f.isWord(i-1, "TABLE"), f.isWord(i-1, "AS"):
			return end
		case end == i+1 && !(f.bare && f.isValue(i)):
			return end
		}
	}
	d := &DataRef{Span: Span{f.toks[i].Pos, f.toks[end-1].End}}
	for j := i; j < end-1; j += 2 {
		name, ok := f.nameAt(j)
		if !ok {
			return end
		}
		d.Qualifier = append(d.Qualifier, name)
	}
	f.refs = append(f.refs, foundRef{d, s})
	return end
}

// decodes reports whether the tokens are the whole argument of ML.DECODE_IMAGE, or the first of ml_decode_image.
func (f *dataFinder) decodes(i, end int) bool {
	if !f.isPunct(i-1, '(') || !f.isPunct(end, ')') && !f.isPunct(end, ',') {
		return false
	}
	return f.isWord(i-2, "ML_DECODE_IMAGE") || f.isPunct(end, ')') && f.isWord(i-2, "DECODE_IMAGE") && f.isPunct(i-3, '.') &&
		f.isWord(i-4, "ML")
}

// isValue reports whether a bare name is a column: neither an alias, a type, a field nor the name of an argument.
func (f *dataFinder) isValue(i int) bool {
	for _, at := range f.own {
		if i > at.Pos && i < at.End {
			return false
		}
	}
	colons := func(a, b int) bool { return f.isPunct(a, ':') && f.isPunct(b, ':') && f.at(a).End == f.at(b).Pos }
	switch t := f.at(i - 1); {
	case i == 0:
		return false
	case t.kind == kindWord:
		if !beforeValue[f.word(i-1)] {
			return false
		}
	case t.kind != kindPunct, strings.IndexByte(")]}{.", f.src[t.Pos]) >= 0, colons(i-2, i-1):
		return false
	}
	switch {
	case f.isPunct(i+1, ':') && !colons(i+1, i+2), f.isPunct(i+1, '=') && f.isPunct(i+2, '>'), f.isPunct(i+1, '-') && f.isPunct(i+2, '>'):
		return false
	}
	return true
}

// lambdas finds where data is the parameter of a lambda: the bracket around data -> …, (x, data) -> … and LAMBDA data: ….
func (f *dataFinder) lambdas() {
	var open []int
	last := -1 // where the bracket opened that was closed last
	binds := func(from, to int) {
		for i := from; i < to; i++ {
			if f.isData(f.toks[i]) {
				around := Span{-1, len(f.toks)}
				if len(open) > 0 {
					around.Pos = open[len(open)-1]
					if end := f.closing(around.Pos); end >= 0 {
						around.End = end
					}
				}
				f.own = append(f.own, around)
				return
			}
		}
	}
	for i, t := range f.toks {
		switch {
		case f.isWord(i, "LAMBDA"):
			end := i + 1
			for end < len(f.toks) && (f.toks[end].kind == kindWord || f.toks[end].kind == kindQuoted || f.isPunct(end, ',') || f.isPunct(end, '(') ||
				f.isPunct(end, ')')) {
				end++
			}
			binds(i+1, end)
		case t.kind != kindPunct:
		case strings.IndexByte("([{", f.src[t.Pos]) >= 0:
			open = append(open, i)
		case strings.IndexByte(")]}", f.src[t.Pos]) >= 0:
			if n := len(open); n > 0 {
				last, open = open[n-1], open[:n-1]
			}
		case f.isPunct(i, '-') && f.isPunct(i+1, '>') && f.at(i).End == f.at(i+1).Pos && i > 0:
			if f.isPunct(i-1, ')') && last >= 0 {
				binds(last, i)
			} else {
				binds(i-1, i)
			}
		}
	}
}
