package dialect

import (
	"strconv"
	"strings"
)

// form tells how an expression must be bracketed as an operand in DuckDB, whose precedences differ from GoogleSQL's.
type form uint8

const (
	primary   form = iota // needs no brackets
	arith                 // + - *: the same order in both
	loose                 // || & |: GoogleSQL orders them, DuckDB has them all below + and -
	predicate             // comparisons and logic: the same order in both
)

// expr is an expression that has been read.
type expr struct {
	Span
	form   form
	op     byte    // of a loose expression
	name   string  // the column name it implies
	dotted bool    // the name is the last of a path
	path   bool    // it is nothing but names with dots
	star   bool    // it is t.*
	text   *string // the content, when it is a string literal
	num    string  // the number, when it is a literal, with its sign
	null   bool    // it is the literal NULL
}

// expr reads an expression: OR and below.
func (t *translator) expr() expr {
	defer func() { t.deep-- }()
	t.must(t.nest())
	e := t.and()
	for t.accept("OR") {
		t.noStar(e)
		r := t.and()
		e = expr{Span: Span{e.Pos, r.End}, form: predicate}
	}
	return e
}

// noStar refuses t.* where a value must stand.
func (t *translator) noStar(e expr) {
	if e.star {
		t.fail(e.Span, "", "Syntax error: a star cannot stand here")
	}
}

// value reads an expression that is no star.
func (t *translator) value() expr {
	e := t.expr()
	t.noStar(e)
	return e
}

func (t *translator) and() expr {
	e := t.not()
	for t.accept("AND") {
		t.noStar(e)
		r := t.not()
		e = expr{Span: Span{e.Pos, r.End}, form: predicate}
	}
	return e
}

func (t *translator) not() expr {
	defer func() { t.deep-- }()
	t.must(t.nest())
	at := t.at(0)
	if t.accept("NOT") {
		e := t.not()
		t.noStar(e)
		return expr{Span: Span{at.Pos, e.End}, form: predicate}
	}
	return t.comparison()
}

// operator reads a comparison operator; n is its number of tokens.
func (t *translator) operator() (op string, n int) {
	one := func(i int, set string) bool {
		tok := t.at(i)
		return tok.kind == kindPunct && tok.End > tok.Pos && strings.IndexByte(set, t.src[tok.Pos]) >= 0
	}
	if !one(0, "=<>!") {
		return "", 0
	}
	s := t.text(t.at(0))
	if one(1, "=<>") && t.at(1).Pos == t.at(0).End {
		s += t.text(t.at(1))
	}
	switch s {
	case "<=", ">=", "!=", "<>", "<<", ">>":
		return s, 2
	case "=", "<", ">":
		return s, 1
	}
	return s, len(s)
}

func (t *translator) comparison() expr {
	e := t.bits()
	for n := 0; ; n++ {
		op, tokens := t.operator()
		w := t.word(0)
		if w == "NOT" {
			w = "NOT " + t.word(1)
		}
		switch {
		case op == "":
		case op == "<<", op == ">>":
			t.refuse(Span{t.at(0).Pos, t.at(1).End}, "the operator "+op, "")
		case op == "!", op == "=<", op == "=>", op == "==":
			t.must(t.expected("an operator"))
		}
		if op == "" && !comparisonWords[w] {
			return e
		}
		if n > 0 {
			t.must(t.expected("end of expression").hint("Comparisons cannot be chained; use parentheses"))
		}
		t.noStar(e)
		start := e.Pos
		if op != "" {
			t.i += tokens
			t.bits()
		} else {
			t.predicate(w)
		}
		e = expr{Span: Span{start, t.at(-1).End}, form: predicate}
	}
}

var comparisonWords = map[string]bool{"LIKE": true, "NOT LIKE": true, "IN": true, "NOT IN": true, "BETWEEN": true, "NOT BETWEEN": true, "IS": true}

// predicate reads what follows a value: IS …, IN …, BETWEEN …, LIKE ….
func (t *translator) predicate(w string) {
	t.i += len(strings.Fields(w))
	switch strings.TrimPrefix(w, "NOT ") {
	case "IS":
		t.accept("NOT")
		switch {
		case t.accept("NULL"), t.accept("TRUE"), t.accept("FALSE"):
		case t.accept("DISTINCT", "FROM"):
			t.bits()
		default:
			t.must(t.expected("NULL, TRUE, FALSE or DISTINCT FROM"))
		}
	case "BETWEEN":
		t.bits()
		t.must(t.expect("AND"))
		t.bits()
	case "IN":
		t.in()
	case "LIKE":
		switch t.word(0) {
		case "ANY", "SOME", "ALL":
			t.refuse(t.at(0).Span, "LIKE "+t.word(0), "Write several LIKE")
		}
		// In GoogleSQL a backslash takes the next character as it is; DuckDB has no escape unless told.
		if p := t.bits(); p.text == nil || strings.Contains(*p.text, `\`) {
			t.edits.insertAfter(p.End, ` ESCAPE '\'`)
		}
	}
}

// in reads what follows IN.
func (t *translator) in() {
	if at := t.at(0); t.isWord(0, "UNNEST") && t.isPunct(1, '(') {
		t.edits.replace(at.Span, "(SELECT unnest")
		t.i += 2
		t.value()
		t.must(t.expectPunct(')'))
		t.edits.insertAfter(t.at(-1).End, ")")
		return
	}
	t.must(t.expectPunct('('))
	if t.startsQuery(0) {
		t.query(false)
		t.must(t.expectPunct(')'))
		return
	}
	for {
		t.value()
		if t.acceptPunct(')') {
			return
		}
		if !t.acceptPunct(',') {
			t.must(t.expected(`"," or ")"`))
		}
	}
}

// brackets puts an operand in brackets where DuckDB would take it apart. chain is the operator it may stay open under,
// as the left operand.
func (t *translator) brackets(e expr, chain byte, all bool) {
	t.noStar(e)
	if e.form == loose && (chain == 0 || e.op != chain) || all && e.form == arith {
		t.edits.wrap(e.Span, "(", ")")
	}
}

// bits reads | and below. The XOR operator ^ is a power in DuckDB, so it becomes a function.
func (t *translator) bits() expr {
	return t.looseChain('|', func() expr {
		e := t.bitAnd()
		for t.isPunct(0, '^') {
			at := t.at(0)
			t.i++
			r := t.bitAnd()
			t.noStar(e)
			t.noStar(r)
			t.edits.insertBefore(e.Pos, "xor(")
			t.edits.replace(at.Span, ",")
			t.edits.insertAfter(r.End, ")")
			e = expr{Span: Span{e.Pos, r.End}}
		}
		return e
	})
}

func (t *translator) bitAnd() expr { return t.looseChain('&', t.sum) }

// looseChain reads a chain of one of the operators that DuckDB gives no place of their own.
func (t *translator) looseChain(op byte, operand func() expr) expr {
	e := operand()
	for t.isPunct(0, op) && !(op == '|' && t.isPunct(1, '|')) {
		t.i++
		r := operand()
		t.brackets(e, op, true)
		t.brackets(r, 0, true)
		e = expr{Span: Span{e.Pos, r.End}, form: loose, op: op}
	}
	return e
}

func (t *translator) sum() expr {
	e := t.product()
	for t.isPunct(0, '+') || t.isPunct(0, '-') {
		t.i++
		r := t.product()
		t.brackets(e, 0, false)
		t.brackets(r, 0, false)
		e = expr{Span: Span{e.Pos, r.End}, form: arith}
	}
	return e
}

// product reads * / and ||, which stand side by side in GoogleSQL.
func (t *translator) product() expr {
	e := t.unary()
	for {
		at := t.at(0)
		switch {
		case t.isPunct(0, '*'):
			t.i++
			r := t.unary()
			t.brackets(e, 0, false)
			t.brackets(r, 0, false)
			e = expr{Span: Span{e.Pos, r.End}, form: arith}
		case t.isPunct(0, '/'):
			t.i++
			r := t.unary()
			e = t.divide(e, r, at.Span)
		case t.isPunct(0, '|') && t.isPunct(1, '|') && t.at(1).Pos == at.End:
			t.i += 2
			r := t.unary()
			t.brackets(e, 'c', true)
			t.brackets(r, 0, true)
			e = expr{Span: Span{e.Pos, r.End}, form: loose, op: 'c'}
		default:
			return e
		}
	}
}

// divide writes a / b. GoogleSQL fails where DuckDB gives infinity, unless an operand is NULL.
func (t *translator) divide(a, b expr, slash Span) expr {
	at := Span{a.Pos, b.End}
	if b.num != "" && !isZero(b.num) {
		t.brackets(a, 0, false)
		return expr{Span: at, form: arith}
	}
	t.noStar(a)
	t.noStar(b)
	t.edits.insertBefore(a.Pos, "list_transform([struct_pack(a := ")
	t.edits.replace(slash, ", b :=")
	t.edits.insertAfter(b.End, ")], lambda __v: CASE WHEN __v.b = 0 AND __v.a IS NOT NULL THEN error('division by zero') ELSE __v.a / __v.b END)[1]")
	return expr{Span: at}
}

func isZero(num string) bool {
	f, err := strconv.ParseFloat(num, 64)
	if err != nil {
		n, err := strconv.ParseInt(num, 0, 64)
		return err != nil || n == 0
	}
	return f == 0
}

func (t *translator) unary() expr {
	defer func() { t.deep-- }()
	t.must(t.nest())
	at := t.at(0)
	switch {
	case t.isPunct(0, '-') && t.at(1).kind == kindNumber && !t.isPunct(2, '['):
		t.i++
		return t.number("-")
	case t.isPunct(0, '-'), t.isPunct(0, '+'):
		t.i++
		e := t.unary()
		t.brackets(e, 0, true)
		// Two signs must not meet: -- starts a comment.
		return expr{Span: Span{at.Pos, e.End}, form: arith}
	case t.isPunct(0, '~'):
		t.i++
		e := t.unary()
		t.brackets(e, 0, true)
		all := Span{at.Pos, e.End}
		t.edits.wrap(all, "(", ")")
		return expr{Span: all}
	}
	return t.postfix()
}

// postfix reads a primary expression with its fields and subscripts.
func (t *translator) postfix() expr {
	e := t.primary()
	for {
		switch {
		case t.isPunct(0, '.') && !e.star:
			t.i++
			if t.acceptPunct('*') {
				t.scope.stars = append(t.scope.stars, Span{e.Pos, t.at(-1).End})
				return expr{Span: Span{e.Pos, t.at(-1).End}, star: true}
			}
			if t.at(0).kind != kindWord && t.at(0).kind != kindQuoted {
				t.must(t.expected("a name after the dot"))
			}
			name := t.identifier()
			e = expr{Span: Span{e.Pos, t.at(-1).End}, name: name, dotted: true, path: e.path}
		case t.isPunct(0, '[') && !e.star:
			e = t.subscript(e)
		default:
			return e
		}
	}
}

// subscript reads [OFFSET(i)] and its like. Arrays count from one in DuckDB, and give NULL beyond their end.
func (t *translator) subscript(e expr) expr {
	open := t.at(0)
	t.i++
	how := t.word(0)
	at := t.at(0)
	switch how {
	case "OFFSET", "ORDINAL", "SAFE_OFFSET", "SAFE_ORDINAL":
	default:
		t.refuse(Span{open.Pos, max(at.End, open.End)}, "a bare subscript", "For an array write [OFFSET(n)], for JSON call JSON_VALUE or JSON_QUERY")
	}
	if !t.isPunct(1, '(') {
		t.refuse(Span{open.Pos, at.End}, "a bare subscript", "For an array write [OFFSET(n)], for JSON call JSON_VALUE or JSON_QUERY")
	}
	t.i += 2
	t.value()
	t.must(t.expectPunct(')'))
	if !t.isPunct(0, ']') {
		t.must(t.expected(`"]"`))
	}
	closing := t.at(-1)
	t.i++
	end := t.at(-1)
	first := "0"
	if strings.HasSuffix(how, "ORDINAL") {
		first = "1"
	}
	inside := "__v.i >= " + first + " AND __v.i < len(__v.a) + " + first
	item := "__v.a[__v.i - " + first + " + 1]"
	t.edits.insertBefore(e.Pos, "list_transform([struct_pack(a := ")
	t.edits.replace(Span{open.Pos, t.toks[t.indexOf(at)+1].End}, ", i := ")
	body := "CASE WHEN " + inside + " THEN " + item + " END"
	if !strings.HasPrefix(how, "SAFE") {
		body = "CASE WHEN __v.a IS NULL OR __v.i IS NULL THEN NULL WHEN " + inside + " THEN " + item + " ELSE error('Array index is out of bounds') END"
	}
	t.edits.replace(Span{closing.Pos, end.End}, ")], lambda __v: "+body+")[1]")
	return expr{Span: Span{e.Pos, end.End}}
}

func (t *translator) indexOf(tok token) int {
	for i := t.i - 1; i >= 0; i-- {
		if t.toks[i].Pos == tok.Pos {
			return i
		}
	}
	return t.i
}

func (t *translator) param() {
	tok := t.at(0)
	if s := t.text(tok); s[0] == '@' {
		t.edits.replace(Span{tok.Pos, tok.Pos + 1}, "$")
	}
	t.i++
}

// number writes a number literal with the type it has in GoogleSQL: INT64 or FLOAT64. DuckDB would make it an INTEGER,
// whose sums overflow earlier, or a DECIMAL, which is no floating-point number.
func (t *translator) number(sign string) expr {
	tok := t.at(0)
	s := t.text(tok)
	if next := t.at(1); next.kind == kindWord && next.Pos == tok.End {
		t.fail(Span{tok.Pos, next.End}, "", "Syntax error: Missing whitespace between literal and alias")
	}
	start := tok.Pos
	if sign != "" {
		start = t.at(-1).Pos
	}
	t.i++
	e := expr{Span: Span{start, tok.End}, num: sign + s}
	if sign != "" {
		e.form = arith
	}
	hex := len(s) > 1 && (s[1] == 'x' || s[1] == 'X')
	if !hex && strings.ContainsAny(s, ".eE") {
		if !strings.ContainsAny(s, "eE") {
			t.edits.insertAfter(tok.End, "e0")
		}
		return e
	}
	digits := strings.TrimLeft(s, "0")
	base := 10
	if hex {
		digits, base = s[2:], 16
	}
	if digits == "" {
		digits = "0"
	}
	v, err := strconv.ParseInt(sign+digits, base, 64)
	switch {
	case err != nil:
		t.fail(e.Span, "", "Invalid integer literal: %s%s", sign, s)
	case v == -1<<63:
		t.edits.replace(e.Span, "CAST('-9223372036854775808' AS BIGINT)")
		e.form = primary
	case hex:
		t.edits.replace(tok.Span, strconv.FormatInt(max(v, -v), 10)+"::BIGINT")
	case v <= 1<<31-1 && v >= -1<<31:
		t.edits.insertAfter(tok.End, "::BIGINT")
	}
	return e
}

// stringLiteral writes a string literal, keeping its bytes where both dialects read them alike.
func (t *translator) stringLiteral() expr {
	tok := t.at(0)
	s, err := decodeString(t.src, tok, t.sql)
	t.must(err)
	t.noNUL(tok.Span, s)
	if quoteString(s) != t.text(tok) {
		t.edits.replace(tok.Span, quoteString(s))
	}
	t.i++
	if next := t.at(0); next.kind == kindString || next.kind == kindBytes {
		t.must(t.expected("end of expression"))
	}
	return expr{Span: tok.Span, text: &s}
}

// bytesLiteral writes b'…' as DuckDB's '\xAA'::BLOB.
func (t *translator) bytesLiteral() expr {
	tok := t.at(0)
	s, err := decodeString(t.src, tok, t.sql)
	t.must(err)
	t.edits.replace(tok.Span, blobLiteral(s))
	t.i++
	return expr{Span: tok.Span}
}

func blobLiteral(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.WriteByte('\'')
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= ' ' && c <= '~' && c != '\'' && c != '\\' {
			b.WriteByte(c)
		} else {
			b.WriteString(`\x` + string(hex[c>>4]) + string(hex[c&15]))
		}
	}
	return b.String() + "'::BLOB"
}

func (t *translator) primary() expr {
	tok := t.at(0)
	switch tok.kind {
	case kindNumber:
		return t.number("")
	case kindString:
		return t.stringLiteral()
	case kindBytes:
		return t.bytesLiteral()
	case kindParam:
		t.param()
		return expr{Span: tok.Span}
	case kindQuoted:
		return t.columnOrCall()
	case kindPunct:
		switch {
		case t.isPunct(0, '('):
			return t.parenthesis()
		case t.isPunct(0, '['):
			return t.array()
		}
		t.must(t.expected("an expression"))
	}
	if t.calls[tok.Pos] != nil {
		t.fail(t.calls[tok.Pos].Span, "Select from it", "%s stands in FROM only", t.calls[tok.Pos].Func)
	}
	if f := t.functions[tok.Pos]; f != nil {
		return t.functionOfOurs(f)
	}
	if f := t.tableFunctions[tok.Pos]; f != nil {
		t.fail(f.Span, "Select from it", "%s stands in FROM only", f.Name)
	}
	w := t.word(0)
	switch w {
	case "NULL", "TRUE", "FALSE":
		t.i++
		return expr{Span: tok.Span, null: w == "NULL"}
	case "CASE":
		return t.caseExpr()
	case "CAST", "SAFE_CAST":
		if t.isPunct(1, '(') {
			return t.cast()
		}
	case "EXISTS":
		t.i++
		t.subquery()
		return expr{Span: t.since(tok.Pos)}
	case "ARRAY":
		return t.arrayKeyword()
	case "STRUCT":
		return t.structExpr()
	case "DATE", "DATETIME", "TIMESTAMP", "NUMERIC", "DECIMAL":
		if t.at(1).kind == kindString {
			return t.typedLiteral(w)
		}
	case "TIME", "JSON", "BIGNUMERIC", "BIGDECIMAL":
		if t.at(1).kind == kindString {
			t.refuse(Span{tok.Pos, t.at(1).End}, "a literal of type "+w, "")
		}
	case "INTERVAL", "EXTRACT", "UNNEST", "NEW":
		if w != "UNNEST" || t.isPunct(1, '(') {
			t.refuse(tok.Span, w, "")
		}
	case "IF", "LEFT", "RIGHT":
		if t.isPunct(1, '(') {
			return t.function()
		}
	}
	if reserved[w] {
		t.must(t.expected("an expression"))
	}
	return t.columnOrCall()
}

func (t *translator) subquery() {
	t.must(t.expectPunct('('))
	t.query(false)
	t.must(t.expectPunct(')'))
}

// parenthesis reads a subquery or an expression in brackets.
func (t *translator) parenthesis() expr {
	start := t.at(0)
	if t.startsQuery(0) && t.bracketIsQuery() {
		t.subquery()
		return expr{Span: t.since(start.Pos)}
	}
	t.i++
	t.value()
	if t.isPunct(0, ',') {
		t.refuse(Span{start.Pos, t.at(0).End}, "a tuple", "Write STRUCT(a AS x, b AS y), or compare the parts one by one")
	}
	t.must(t.expectPunct(')'))
	return expr{Span: t.since(start.Pos)}
}

// bracketIsQuery tells ((SELECT 1) + 1), an expression, from ((SELECT 1)) and ((SELECT 1) UNION ALL …).
func (t *translator) bracketIsQuery() bool {
	for i := t.i + 1; t.isPunct(i-t.i, '('); i++ {
		end := t.closing(i)
		if end < 0 {
			return true
		}
		switch t.toksWord(end + 1) {
		case "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT":
			return true
		}
		if !t.isPunct(end+1-t.i, ')') {
			return false
		}
	}
	return true
}

// array reads [a, b].
func (t *translator) array() expr {
	start := t.at(0)
	t.i++
	if !t.acceptPunct(']') {
		for {
			t.value()
			if t.acceptPunct(']') {
				break
			}
			if !t.acceptPunct(',') {
				t.must(t.expected(`"," or "]"`))
			}
		}
	}
	return expr{Span: t.since(start.Pos)}
}

// arrayKeyword reads ARRAY(SELECT …), ARRAY[…] and ARRAY<type>[…].
func (t *translator) arrayKeyword() expr {
	start := t.at(0)
	switch {
	case t.isPunct(1, '('):
		t.i++
		if !t.startsQuery(1) {
			t.must(t.expected("a query"))
		}
		t.subquery()
	case t.isPunct(1, '['):
		t.edits.replace(start.Span, "")
		t.i++
		t.array()
	case t.isPunct(1, '<'):
		typ, err := t.columnType()
		t.must(err)
		t.edits.replace(typ.Span, "CAST(")
		if !t.isPunct(0, '[') {
			t.must(t.expected(`"["`))
		}
		t.array()
		t.edits.insertAfter(t.at(-1).End, " AS "+t.duckType(typ)+")")
	default:
		t.must(t.expected("an expression"))
	}
	return expr{Span: t.since(start.Pos)}
}

// structExpr reads STRUCT(value AS name, …) and STRUCT<…>(value, …).
func (t *translator) structExpr() expr {
	start := t.at(0)
	if t.isPunct(1, '<') {
		typ, err := t.columnType()
		t.must(err)
		for _, f := range typ.fields {
			if f.name == "" {
				t.refuse(typ.Span, "a STRUCT with unnamed fields", "Name them")
			}
		}
		t.edits.replace(typ.Span, "CAST(row")
		n := 0
		t.list(func() {
			t.value()
			if t.isWord(0, "AS") {
				t.must(t.expected(`"," or ")"`))
			}
			n++
		})
		if n != len(typ.fields) {
			t.fail(t.since(start.Pos), "", "the STRUCT has %d fields but %d values", len(typ.fields), n)
		}
		t.edits.insertAfter(t.at(-1).End, " AS "+t.duckType(typ)+")")
		return expr{Span: t.since(start.Pos)}
	}
	t.i++
	t.edits.replace(start.Span, "struct_pack")
	seen := map[string]bool{}
	t.list(func() {
		e := t.value()
		name := e.name
		if t.isWord(0, "AS") {
			from := t.i
			t.i++
			if t.at(0).kind == kindWord && reserved[t.word(0)] {
				t.must(t.expected("a name"))
			}
			var err *Error
			name, err = t.name()
			t.must(err)
			t.cut(from)
		}
		if name == "" || seen[strings.ToLower(name)] {
			t.refuse(e.Span, "a STRUCT with unnamed or repeated fields", "Write STRUCT(value AS name, …)")
		}
		seen[strings.ToLower(name)] = true
		t.noNUL(e.Span, name)
		t.edits.insertBefore(e.Pos, quoteName(name)+" := ")
	})
	return expr{Span: t.since(start.Pos)}
}

// list reads ( item, … ) with at least one item.
func (t *translator) list(item func()) {
	t.must(t.expectPunct('('))
	for {
		item()
		if t.acceptPunct(')') {
			return
		}
		if !t.acceptPunct(',') {
			t.must(t.expected(`"," or ")"`))
		}
	}
}

func (t *translator) caseExpr() expr {
	start := t.at(0)
	t.i++
	if !t.isWord(0, "WHEN") {
		t.value()
	}
	if !t.isWord(0, "WHEN") {
		t.must(t.expected("keyword WHEN"))
	}
	for t.accept("WHEN") {
		t.value()
		t.must(t.expect("THEN"))
		t.value()
	}
	if t.accept("ELSE") {
		t.value()
	}
	t.must(t.expect("END"))
	return expr{Span: t.since(start.Pos)}
}

// columnOrCall reads a name: the start of a path, or a function.
func (t *translator) columnOrCall() expr {
	tok := t.at(0)
	if e, ok := t.pseudoColumn(); ok {
		return e
	}
	n := 1
	for t.isPunct(n, '.') && t.at(n+1).kind == kindWord {
		n += 2
	}
	if t.isPunct(n, '(') {
		if n > 1 || tok.kind != kindWord {
			t.refuse(Span{tok.Pos, t.at(n - 1).End}, "the function "+t.src[tok.Pos:t.at(n-1).End], "")
		}
		return t.function()
	}
	switch w := t.word(0); w {
	case "CURRENT_DATE", "CURRENT_DATETIME", "CURRENT_TIME", "CURRENT_TIMESTAMP":
		t.refuse(tok.Span, "the function "+w, "") // callable without brackets
	}
	name := t.identifier()
	t.scope.refs = append(t.scope.refs, ref{Span: tok.Span, first: name, parts: 1 + min(1, n-1)})
	if t.isPunct(0, '.') {
		t.scope.refs[len(t.scope.refs)-1].parts = 2
	}
	return expr{Span: tok.Span, name: name, path: true}
}
