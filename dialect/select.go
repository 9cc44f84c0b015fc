package dialect

import (
	"fmt"
	"strconv"
	"strings"
)

// scope is what the translator knows of one SELECT: the names its FROM clause gives to tables, and what its select list
// calls things. Columns are unknown.
type scope struct {
	outer   *scope
	tables  map[string]bool // lower-case
	structs bool            // an UNNEST whose elements may be structs, whose fields would be columns in GoogleSQL
	refs    []ref           // column references in it and in its subqueries
	stars   []Span          // * in its select list
	own     map[string]bool // names that its UNNESTs give
	aliases map[string]item // by lower-case name
}

// ref is a reference to a column by a path: the span of its first part.
type ref struct {
	Span
	first  string
	parts  int
	deep   bool // it stands in a subquery
	beside bool // an UNNEST of unknown elements stands beside it
}

// item is a select item with an alias.
type item struct {
	Span      // of its expression
	place int // from 1; 0 when a star before it makes that unknown
}

func (t *translator) enter() *scope {
	t.scope = &scope{outer: t.scope, tables: map[string]bool{}, own: map[string]bool{}, aliases: map[string]item{}}
	return t.scope
}

// leave closes a scope. Where an UNNEST may yield structs, GoogleSQL makes their fields columns and DuckDB does not, so
// a name that no table of the scopes around it qualifies could silently be another column.
func (t *translator) leave() {
	s := t.scope
	t.scope = s.outer
	if s.structs {
		for _, at := range s.stars {
			t.refuse(at, "* beside UNNEST of unknown elements", "Name the columns")
		}
	}
	for _, r := range s.refs {
		if s.has(r.first) {
			continue
		}
		r.deep = true
		r.beside = r.beside || s.structs
		switch {
		case s.outer != nil:
			s.outer.refs = append(s.outer.refs, r)
		case r.beside:
			t.refuse(r.Span, "the unqualified name "+r.first+" beside UNNEST", "Write it with its table's name before it, or give UNNEST's element a name")
		}
	}
}

func (s *scope) add(table string) { s.tables[strings.ToLower(table)] = true }

// has reports whether a name is a table or an UNNEST element of this scope.
func (s *scope) has(name string) bool {
	name = strings.ToLower(name)
	return s.tables[name] || s.own[name]
}

// known is has, of this scope or one around it.
func (s *scope) known(name string) bool {
	for ; s != nil; s = s.outer {
		if s.has(name) {
			return true
		}
	}
	return false
}

// query translates a whole query. top is set for the outermost one of a SELECT statement, whose columns without names
// are called f0_, f1_, … by BigQuery.
func (t *translator) query(top bool) {
	defer func() { t.deep-- }()
	t.must(t.nest())
	if t.accept("WITH") {
		if t.isWord(0, "RECURSIVE") {
			t.refuse(t.at(0).Span, "WITH RECURSIVE", "")
		}
		for {
			t.newName()
			if t.isPunct(0, '(') {
				t.refuse(t.at(0).Span, "a column list in WITH", "Name the columns in the query")
			}
			t.must(t.expect("AS"))
			t.must(t.expectPunct('('))
			t.query(false)
			t.must(t.expectPunct(')'))
			if !t.acceptPunct(',') {
				break
			}
		}
	}
	s := t.operand(top)
	op := ""
	for {
		w := t.word(0)
		if w != "UNION" && w != "INTERSECT" && w != "EXCEPT" {
			break
		}
		if s != nil {
			t.leave()
			s = nil // behind a set operation only the names of columns count
		}
		at := t.at(0).Span
		t.i++
		how := t.word(0)
		switch {
		case how == "DISTINCT", how == "ALL" && w == "UNION":
			t.i++
		case how == "ALL":
			t.refuse(t.at(0).Span, w+" ALL", "")
		default:
			t.must(t.expected("keyword ALL or keyword DISTINCT"))
		}
		if op != "" && op != w+how {
			t.fail(at, "Put one of them in parentheses", "Syntax error: Different set operations cannot be used in the same query without using parentheses for grouping")
		}
		op = w + how
		if t.isWord(0, "BY") || t.isWord(0, "CORRESPONDING") || t.isWord(0, "STRICT") {
			t.refuse(t.at(0).Span, t.word(0)+" in a set operation", "")
		}
		if t.operand(false) != nil {
			t.leave()
		}
	}
	if s == nil {
		t.enter()
	}
	if t.isWord(0, "ORDER") {
		t.orderBy(true)
	}
	t.leave()
	if t.accept("LIMIT") {
		t.count("LIMIT")
		if t.accept("OFFSET") {
			t.count("OFFSET")
		}
	}
}

// count reads the number of LIMIT or OFFSET.
func (t *translator) count(what string) {
	switch tok := t.at(0); {
	case tok.kind == kindNumber && isDigits(t.text(tok)):
		t.i++
	case tok.kind == kindParam:
		t.param()
	default:
		t.must(t.expected("a number or a parameter after " + what))
	}
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// operand reads a SELECT or a query in brackets. The scope of a SELECT is left open, for the ORDER BY behind it.
func (t *translator) operand(top bool) *scope {
	if t.acceptPunct('(') {
		t.query(top)
		t.must(t.expectPunct(')'))
		return nil
	}
	return t.selectClause(top)
}

// selectClause reads SELECT … up to its ORDER BY.
func (t *translator) selectClause(top bool) *scope {
	t.must(t.expect("SELECT"))
	s := t.enter()
	if !t.accept("DISTINCT") {
		t.accept("ALL")
	}
	if t.isWord(0, "AS") {
		t.refuse(Span{t.at(0).Pos, t.at(1).End}, "SELECT AS "+t.word(1), "")
	}
	unnamed, place := 0, 0
	for {
		if place >= 0 {
			place++
		}
		e, star := t.selectItem(place)
		if star {
			place = -1
		} else if e != nil && top {
			t.edits.insertAfter(e.End, fmt.Sprintf(" AS f%d_", unnamed))
			unnamed++
		}
		if !t.isPunct(0, ',') {
			break
		}
		if w := t.word(1); w == "FROM" || t.i+1 >= len(t.toks) || t.isPunct(1, ')') {
			t.edits.replace(t.at(0).Span, "") // a comma at the list's end
			t.i++
			break
		}
		t.i++
	}
	if t.accept("FROM") {
		t.from()
	}
	if t.accept("WHERE") {
		t.expr()
	}
	if t.isWord(0, "GROUP") {
		t.i++
		t.must(t.expect("BY"))
		t.groupBy()
	}
	if t.accept("HAVING") {
		t.withAliases(byExpression)
	}
	if t.accept("QUALIFY") {
		t.withAliases(byExpression)
	}
	if t.isWord(0, "WINDOW") {
		t.refuse(t.at(0).Span, "the WINDOW clause", "Write the window after OVER")
	}
	return s
}

// selectItem reads one item. It gives the expression back when the item has no name.
func (t *translator) selectItem(place int) (unnamed *expr, star bool) {
	if t.isPunct(0, '*') {
		t.scope.stars = append(t.scope.stars, t.at(0).Span)
		t.i++
		t.starModifiers()
		return nil, true
	}
	e, ok := t.prompt(t.itemEnd)
	if !ok {
		e = t.expr()
	}
	if e.star {
		t.starModifiers()
		return nil, true
	}
	if name, ok := t.alias(); ok {
		// In x AS x the alias is the column itself.
		if e.dotted || !strings.EqualFold(name, e.name) {
			t.scope.aliases[strings.ToLower(name)] = item{e.Span, max(place, 0)}
		}
		return nil, false
	}
	if e.name == "" {
		return &e, false
	}
	if e.dotted {
		if !e.path { // DuckDB would call the column by its whole text
			t.edits.replace(Span{e.End, e.End}, " AS "+quoteName(e.name))
		}
		t.scope.aliases[strings.ToLower(e.name)] = item{e.Span, max(place, 0)}
	}
	return nil, false
}

// starModifiers reads EXCEPT (a, …) and REPLACE (expression AS a, …) behind a star.
func (t *translator) starModifiers() {
	if t.isWord(0, "EXCEPT") && t.isPunct(1, '(') {
		t.edits.replace(t.at(0).Span, "EXCLUDE")
		t.i++
		t.nameList(nil)
	}
	if t.isWord(0, "REPLACE") && t.isPunct(1, '(') {
		t.i += 2
		for {
			t.expr()
			t.must(t.expect("AS"))
			t.newName()
			if t.acceptPunct(')') {
				break
			}
			if !t.acceptPunct(',') {
				t.must(t.expected(`"," or ")"`))
			}
		}
	}
}

// withAliases reads an expression in which GoogleSQL prefers a select alias to a column of the same name and DuckDB
// the column: such a name is replaced by what it stands for.
func (t *translator) withAliases(how aliasUse) {
	n := len(t.scope.refs)
	outer := t.aliases
	t.aliases = t.scope.aliases
	t.expr()
	t.aliases = outer
	refs := t.scope.refs[n:]
	t.scope.refs = t.scope.refs[:n:n]
	for _, r := range refs {
		it, ok := t.scope.aliases[strings.ToLower(r.first)]
		if !ok || r.parts > 1 && t.scope.known(r.first) {
			t.scope.refs = append(t.scope.refs, r)
			continue
		}
		if r.deep {
			t.refuse(r.Span, "the select alias "+r.first+" in a subquery", "Qualify the name with its table")
		}
		if how == byName {
			continue
		}
		s := strconv.Itoa(it.place)
		if how != byPlace || it.place == 0 {
			s = "(" + t.rendered(it.Span) + ")"
		}
		t.edits.take(r.Span)
		t.edits.replace(r.Span, s)
	}
}

// aliasUse says what becomes of a select alias.
type aliasUse uint8

const (
	byExpression aliasUse = iota // the expression takes its place
	byPlace                      // the number of its item does, where it is known
	byName                       // it stays: DuckDB thinks of the alias first too
)

// rendered gives the translation of a span that has been read.
func (t *translator) rendered(at Span) string {
	for _, c := range constructs(t.whole) {
		if c.Pos >= at.Pos && c.End <= at.End {
			t.refuse(at, "a second use of an expression with an ML call", "Put the expression in a subquery and name its column")
		}
	}
	for _, f := range t.whole.Functions {
		if f.Pos >= at.Pos && f.End <= at.End && promptFunction(f.Name) {
			t.refuse(at, "a second use of an expression with "+f.Name, "Put the expression in a subquery and name its column") // it may answer anew
		}
	}
	in := t.edits.inside(at)
	s := newText(in.apply(t.src, at), at.End).String()
	// Copies of copies double with every level of subqueries.
	if t.copied += len(s); t.copied > maxCopied {
		t.refuse(at, "a statement that refers to its own expressions this often", "Put the expression in a subquery and name its column")
	}
	return s
}

const maxCopied = 1 << 20

// groupBy reads the keys of GROUP BY.
func (t *translator) groupBy() {
	switch w := t.word(0); {
	case w == "ALL", w == "ROLLUP" && t.isPunct(1, '('), w == "CUBE" && t.isPunct(1, '('), w == "GROUPING" && t.isWord(1, "SETS"):
		t.refuse(t.at(0).Span, "GROUP BY "+w, "Name the keys")
	}
	for {
		switch {
		case t.ordinal():
		case t.nameAlone():
			t.withAliases(byPlace)
		default:
			t.expr()
		}
		if !t.acceptPunct(',') {
			return
		}
	}
}

// nameAlone reports whether a key of GROUP BY or ORDER BY is one name and nothing else.
func (t *translator) nameAlone() bool {
	tok := t.at(0)
	return (tok.kind == kindQuoted || tok.kind == kindWord && !reserved[t.word(0)]) && t.keyEnd(1)
}

// ordinal steps over a bare number that names a column by its place.
func (t *translator) ordinal() bool {
	if tok := t.at(0); tok.kind != kindNumber || !isDigits(t.text(tok)) {
		return false
	}
	if !t.keyEnd(1) {
		return false
	}
	t.i++
	return true
}

// orderBy reads ORDER BY keys. NULLs sort first in GoogleSQL when ascending and last when descending, and DuckDB's
// default is a setting, so it is always said. outer is set for a query's own ORDER BY, where select aliases count.
func (t *translator) orderBy(outer bool) {
	t.must(t.expect("ORDER", "BY"))
	for {
		switch {
		case outer && t.ordinal():
		case outer && t.nameAlone():
			t.withAliases(byName)
		case outer:
			t.withAliases(byExpression)
		default:
			t.expr()
		}
		if t.isWord(0, "COLLATE") {
			t.refuse(t.at(0).Span, "COLLATE", "")
		}
		nulls := " NULLS FIRST"
		if t.accept("DESC") {
			nulls = " NULLS LAST"
		} else {
			t.accept("ASC")
		}
		if t.accept("NULLS") {
			if !t.accept("FIRST") && !t.accept("LAST") {
				t.must(t.expected("keyword FIRST or keyword LAST"))
			}
		} else {
			t.edits.insertAfter(t.at(-1).End, nulls)
		}
		if !t.acceptPunct(',') {
			return
		}
	}
}

func (t *translator) keyEnd(n int) bool {
	switch t.word(n) {
	case "ASC", "DESC", "NULLS", "LIMIT", "COLLATE", "HAVING", "QUALIFY", "WINDOW", "ORDER", "UNION", "INTERSECT", "EXCEPT":
		return true
	}
	return t.i+n >= len(t.toks) || t.isPunct(n, ',') || t.isPunct(n, ')')
}

// from reads the tables of a FROM clause. A comma becomes CROSS JOIN: in GoogleSQL commas and JOINs group from left to
// right, in DuckDB a JOIN binds tighter than a comma.
func (t *translator) from() {
	t.tableRef()
	comma := false
	for {
		at := t.at(0)
		if t.acceptPunct(',') {
			comma = true
			t.edits.replace(at.Span, " CROSS JOIN ")
			t.tableRef()
			continue
		}
		if !t.join(comma) {
			return
		}
	}
}

// join reads one JOIN with its table and condition.
func (t *translator) join(comma bool) bool {
	at := t.at(0)
	sort := t.word(0)
	switch sort {
	case "JOIN":
	case "INNER", "CROSS":
		t.i++
	case "LEFT", "RIGHT", "FULL":
		t.i++
		t.accept("OUTER")
	case "NATURAL":
		t.refuse(at.Span, "NATURAL JOIN", "Write the condition with USING or ON")
	default:
		return false
	}
	if comma && (sort == "RIGHT" || sort == "FULL") {
		t.fail(at.Span, "Put the join in parentheses", "Syntax error: %s JOIN must be parenthesized when following a comma join", sort)
	}
	if t.isWord(0, "HASH") || t.isWord(0, "LOOKUP") || t.isWord(0, "EACH") {
		t.refuse(t.at(0).Span, t.word(0)+" JOIN", "")
	}
	t.must(t.expect("JOIN"))
	if t.isWord(0, "UNNEST") && sort != "CROSS" {
		t.refuse(t.at(0).Span, sort+" JOIN with UNNEST", "Write CROSS JOIN UNNEST(…)")
	}
	t.tableRef()
	switch {
	case sort == "CROSS":
	case t.accept("ON"):
		t.expr()
	case t.accept("USING"):
		t.nameList(nil)
	default:
		t.must(t.expected("keyword ON or keyword USING"))
	}
	return true
}

// tableRef reads one table of a FROM clause.
func (t *translator) tableRef() {
	defer func() { t.deep-- }()
	t.must(t.nest())
	tok := t.at(0)
	switch {
	case t.calls[tok.Pos] != nil && tok.kind == kindWord:
		t.call(t.calls[tok.Pos])
		if name, ok := t.alias(); ok {
			t.scope.add(name)
		}
	case t.tableFunctions[tok.Pos] != nil && tok.kind == kindWord:
		t.tableFunction(t.tableFunctions[tok.Pos])
		if name, ok := t.alias(); ok {
			t.scope.add(name)
		}
	case t.isWord(0, "UNNEST") && t.isPunct(1, '('):
		t.unnest()
		return
	case t.isPunct(0, '(') && t.subqueryAhead():
		t.i++
		t.query(false)
		t.must(t.expectPunct(')'))
		if name, ok := t.alias(); ok {
			t.scope.add(name)
		}
	case t.acceptPunct('('):
		t.tableRef()
		if !t.join(false) {
			t.must(t.expected("a join"))
		}
		for t.join(false) {
		}
		t.must(t.expectPunct(')'))
	default:
		if tok.kind == kindWord && reserved[t.word(0)] {
			t.must(t.expected("a table"))
		}
		p, err := t.path()
		t.must(err)
		if t.isPunct(0, '(') {
			t.refuse(p.Span, "the table function "+p.String(), "")
		}
		if len(p.Parts) > 1 && t.scope.known(p.Parts[0]) {
			t.refuse(p.Span, "the array `"+p.String()+"` in FROM", "Write UNNEST("+p.String()+")")
		}
		t.writePath(p, 3)
		name, ok := t.alias()
		if !ok {
			name = p.Parts[len(p.Parts)-1]
		}
		t.scope.add(name)
	}
	for _, w := range []string{"FOR", "TABLESAMPLE", "PIVOT", "UNPIVOT", "MATCH_RECOGNIZE"} {
		if t.isWord(0, w) {
			t.refuse(t.at(0).Span, w, "")
		}
	}
}

// subqueryAhead tells ( SELECT … ) from a join in brackets.
func (t *translator) subqueryAhead() bool {
	if !t.startsQuery(1) {
		return false
	}
	// ((SELECT …) AS a JOIN b …) is a join whose first table is a query; ((SELECT …) UNION …) and ((SELECT …)) are queries.
	return t.bracketIsQuery()
}

// call reads an ML call in FROM; the rewriter writes what stands around its input.
func (t *translator) call(c *Call) {
	stop := c.End
	if c.Input.End > c.Input.Pos {
		for t.at(0).Pos < c.Input.Pos {
			t.i++
		}
		if c.InputIsTable {
			t.writePath(c.Table, 3)
		} else {
			t.query(false)
			if t.at(0).Pos != c.Input.End {
				t.must(t.expected(`")"`))
			}
		}
	}
	for !t.done() && t.at(0).Pos < stop {
		t.i++
	}
}

// unnest reads UNNEST(array) [AS] x [WITH OFFSET [AS o]]. The table it becomes has a name of ours and the column x, so
// that x is the element, and x.f its field.
func (t *translator) unnest() {
	start := t.at(0)
	scalars := t.scalarArray(2)
	t.i += 2
	t.expr()
	if !t.isPunct(0, ')') {
		t.refuse(start.Span, "UNNEST with several arguments", "")
	}
	t.i++
	end := t.at(-1).End
	from := t.i
	name, named := t.readAlias()
	offset, at := "", t.at(0)
	if t.accept("WITH", "OFFSET") {
		offset = "offset"
		if o, ok := t.readAlias(); ok {
			offset = o
		}
	}
	if !named {
		if offset != "" || !scalars {
			t.refuse(start.Span, "UNNEST without a name for its element", "Write UNNEST(…) AS x")
		}
		name = "f0_"
	}
	t.noNUL(at.Span, name+offset)
	if !scalars {
		t.scope.structs = true
	}
	t.scope.own[strings.ToLower(name)] = true
	table := fmt.Sprintf("__unnest%d", t.unnests)
	t.unnests++
	x, o := quoteName(name), quoteName(offset)
	if t.i > from {
		t.cut(from)
	}
	if offset == "" {
		t.edits.insertAfter(end, " AS "+table+"("+x+")")
		return
	}
	t.scope.own[strings.ToLower(offset)] = true
	t.edits.insertBefore(start.Pos, "(SELECT "+x+", "+o+" - 1 AS "+o+" FROM ")
	t.edits.insertAfter(end, " WITH ORDINALITY AS "+table+"("+x+", "+o+")) AS "+table)
}

// readAlias reads [AS] name without translating it.
func (t *translator) readAlias() (string, bool) {
	as := t.accept("AS")
	tok := t.at(0)
	if tok.kind == kindQuoted || tok.kind == kindWord && !reserved[t.word(0)] && (as || !aliasStop[t.word(0)]) {
		s, err := t.name()
		t.must(err)
		return s, true
	}
	if as {
		t.must(t.expected("a name"))
	}
	return "", false
}

// scalarArray reports whether the array that starts n tokens on is known to hold no structs: [1, 'a'], SPLIT(…) or
// GENERATE_ARRAY(…).
func (t *translator) scalarArray(n int) bool {
	if w := t.word(n); (w == "SPLIT" || w == "GENERATE_ARRAY") && t.isPunct(n+1, '(') {
		end := t.closing(t.i + n + 1)
		return end >= 0 && end+1 < len(t.toks) && t.isPunct(end+1-t.i, ')')
	}
	if !t.isPunct(n, '[') {
		return false
	}
	for n++; ; n++ {
		if t.isPunct(n, '-') {
			n++
		}
		switch t.at(n).kind {
		case kindNumber, kindString:
		default:
			if w := t.word(n); w != "TRUE" && w != "FALSE" && w != "NULL" {
				return false
			}
		}
		n++
		if t.isPunct(n, ']') {
			return t.isPunct(n+1, ')')
		}
		if !t.isPunct(n, ',') {
			return false
		}
	}
}
