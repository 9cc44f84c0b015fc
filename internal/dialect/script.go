package dialect

import "strings"

// ScriptKind tells the statements of GoogleSQL's procedural language apart
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language).
type ScriptKind int

// The kinds of statements.
const (
	Plain            ScriptKind = iota // one of SQL's own
	Declare                            // Names, Type, Expr
	Set                                // Names, Expr
	If                                 // Clauses, Else
	Case                               // Expr, Clauses, Else
	Loop                               // Body
	While                              // Expr, Body
	Repeat                             // Body, Expr
	For                                // Names, Expr, Body
	Begin                              // Body, Handler
	Leave                              // Names: a label, or none
	Iterate                            // Names: a label, or none
	Return                             //
	Raise                              // Expr: the message
	ExecuteImmediate                   // Expr, Names: INTO, Using
	Invoke                             // Names: the path behind CALL, Using: the arguments
)

// ScriptStatement is a statement of the procedural language, with those inside it.
type ScriptStatement struct {
	Span
	Kind    ScriptKind
	Label   string
	Names   []string
	Listed  bool   // the names of SET stand in parentheses, and a STRUCT has the values
	Type    string // of DECLARE, as written
	Expr    Span   // without width when there is none
	Body    []*ScriptStatement
	Clauses []ScriptClause
	Else    []*ScriptStatement
	Handler []*ScriptStatement // of EXCEPTION WHEN ERROR
	Handles bool               // there is a handler, if only an empty one
	Using   []ScriptArgument
}

// ScriptClause is a condition, or a value of CASE, with what is to be done.
type ScriptClause struct {
	Expr Span
	Body []*ScriptStatement
}

// ScriptArgument is a parameter's value in USING.
type ScriptArgument struct {
	Expr Span
	Name string // "" for one by position
}

func (*ScriptStatement) isNode() {}

// scriptReader reads the statements of a script. It stops at the first fault, which is at bad.
type scriptReader struct {
	src    string
	lexer  lexer
	toks   []token // those read so far, without blanks and comments: a statement does not read what follows it
	i      int
	depth  int
	failed bool
	open   bool // the text ends inside a statement
}

// maxBlocks bounds the blocks inside each other.
const maxBlocks = 50

func newScriptReader(src string, pos, end int) *scriptReader {
	return &scriptReader{src: src, lexer: lexer{src: src, pos: pos, end: end, sql: GoogleSQL}}
}

// has reports whether there is a token so many behind the current one, and reads up to it.
func (r *scriptReader) has(n int) bool {
	for len(r.toks) <= r.i+n {
		t, ok := r.lexer.next()
		if !ok {
			return false
		}
		if t.kind != kindSpace && t.kind != kindComment {
			r.toks = append(r.toks, t)
		}
	}
	return true
}

func (r *scriptReader) word(n int) string {
	if !r.has(n) || r.toks[r.i+n].kind != kindWord {
		return ""
	}
	return strings.ToUpper(r.text(n))
}

func (r *scriptReader) text(n int) string {
	if !r.has(n) {
		return ""
	}
	return r.src[r.toks[r.i+n].Pos:r.toks[r.i+n].End]
}

func (r *scriptReader) done() bool { return !r.has(0) }

func (r *scriptReader) take(words ...string) bool {
	for n, w := range words {
		if r.word(n) != w {
			return false
		}
	}
	r.i += len(words)
	return true
}

func (r *scriptReader) want(words ...string) {
	if !r.take(words...) {
		r.fail()
	}
}

func (r *scriptReader) fail() {
	r.open = r.open || r.done()
	r.failed = true
}

// opens reports whether a statement of the procedural language starts at the current token.
func (r *scriptReader) opens() bool {
	switch r.word(0) {
	case "IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR", "DECLARE", "RAISE", "LEAVE", "BREAK", "ITERATE", "CONTINUE", "RETURN":
		return true
	case "BEGIN":
		return r.has(1) && r.text(1) != ";" && r.word(1) != "TRANSACTION"
	case "EXECUTE":
		return r.word(1) == "IMMEDIATE"
	case "CALL": // what refreshes object tables is no procedure of the user's
		return r.word(1) != "BQ" || r.word(3) != "REFRESH_EXTERNAL_METADATA_CACHE"
	case "SET":
		return true
	}
	return r.labelled()
}

func (r *scriptReader) labelled() bool {
	if !r.has(2) || r.toks[r.i].kind != kindWord && r.toks[r.i].kind != kindQuoted || r.text(1) != ":" {
		return false
	}
	switch r.word(2) {
	case "BEGIN", "LOOP", "WHILE", "REPEAT", "FOR":
		return true
	}
	return false
}

// statement reads a statement, without the semicolon behind it.
func (r *scriptReader) statement() *ScriptStatement {
	if r.depth++; r.depth > maxBlocks || r.done() {
		r.fail()
		return nil
	}
	defer func() { r.depth-- }()
	s := &ScriptStatement{}
	s.Pos = r.toks[r.i].Pos
	if r.labelled() {
		s.Label = unquoted(r.text(0))
		r.i += 2
	}
	switch {
	case !r.opens():
		s.Expr = r.until(";")
	case r.take("IF"):
		s.Kind = If
		s.Clauses = append(s.Clauses, r.clause())
		for r.take("ELSEIF") {
			s.Clauses = append(s.Clauses, r.clause())
		}
		if r.take("ELSE") {
			s.Else = r.list()
		}
		r.want("END", "IF")
	case r.take("CASE"):
		s.Kind = Case
		if r.word(0) != "WHEN" {
			s.Expr = r.until("WHEN")
		}
		for r.take("WHEN") {
			s.Clauses = append(s.Clauses, r.clause())
		}
		if r.take("ELSE") {
			s.Else = r.list()
		}
		r.want("END", "CASE")
	case r.take("LOOP"):
		s.Kind, s.Body = Loop, r.list()
		r.want("END", "LOOP")
	case r.take("WHILE"):
		s.Kind, s.Expr = While, r.until("DO")
		r.want("DO")
		s.Body = r.list()
		r.want("END", "WHILE")
	case r.take("REPEAT"):
		s.Kind, s.Body = Repeat, r.list()
		r.want("UNTIL")
		s.Expr = r.until("END")
		r.want("END", "REPEAT")
	case r.take("FOR"):
		s.Kind, s.Names = For, []string{unquoted(r.text(0))}
		r.i++
		r.want("IN")
		s.Expr = r.until("DO")
		r.want("DO")
		s.Body = r.list()
		r.want("END", "FOR")
	case r.take("BEGIN"):
		s.Kind, s.Body = Begin, r.list()
		if r.take("EXCEPTION") {
			r.want("WHEN", "ERROR", "THEN")
			s.Handles, s.Handler = true, r.list()
		}
		r.want("END")
	default:
		r.simple(s)
	}
	if s.Label != "" && strings.EqualFold(unquoted(r.text(0)), s.Label) {
		r.i++
	}
	if r.i > 0 && !r.failed {
		s.End = r.toks[r.i-1].End
	}
	return s
}

// simple reads a statement without others inside it.
func (r *scriptReader) simple(s *ScriptStatement) {
	switch {
	case r.take("DECLARE"):
		s.Kind = Declare
		s.Names = r.names()
		if r.word(0) != "DEFAULT" {
			at := r.until(";", "DEFAULT")
			s.Type = r.src[at.Pos:at.End]
		}
		if r.take("DEFAULT") {
			s.Expr = r.until(";")
		}
	case r.take("SET"):
		r.assignment(s)
	case r.take("LEAVE"), r.take("BREAK"):
		s.Kind = Leave
		r.target(s)
	case r.take("ITERATE"), r.take("CONTINUE"):
		s.Kind = Iterate
		r.target(s)
	case r.take("RETURN"):
		s.Kind = Return
	case r.take("RAISE"):
		s.Kind = Raise
		if r.take("USING", "MESSAGE") {
			if r.text(0) != "=" {
				r.fail()
				return
			}
			r.i++
			s.Expr = r.until(";")
		}
	case r.take("EXECUTE", "IMMEDIATE"):
		r.immediate(s)
	case r.take("CALL"):
		r.invoke(s)
	}
}

// assignment reads what follows SET.
func (r *scriptReader) assignment(s *ScriptStatement) {
	s.Kind = Set
	closing := ""
	if r.text(0) == "(" {
		closing, s.Listed = ")", true
		r.i++
	}
	for !r.done() && r.text(0) != "=" && r.text(0) != ";" {
		name, word := "", false
		for !r.done() && r.text(0) != "," && r.text(0) != "=" && r.text(0) != closing && r.text(0) != ";" {
			if kind := r.toks[r.i].kind; word && (kind == kindWord || kind == kindQuoted) { // SET SESSION x, say
				r.fail()
				return
			}
			word = r.text(0) != "." && r.text(0) != "@@" && r.text(0) != "@"
			name += unquoted(r.text(0))
			r.i++
		}
		s.Names = append(s.Names, name)
		if r.text(0) == "," || closing != "" && r.text(0) == closing {
			r.i++
		}
	}
	if r.text(0) != "=" {
		r.fail()
		return
	}
	r.i++
	s.Expr = r.until(";")
}

// immediate reads what follows EXECUTE IMMEDIATE.
func (r *scriptReader) immediate(s *ScriptStatement) {
	s.Kind, s.Expr = ExecuteImmediate, r.until(";", "INTO", "USING")
	if r.take("INTO") {
		s.Names = r.names()
	}
	if r.take("USING") {
		for {
			a := ScriptArgument{Expr: r.until(";", "AS", ",")}
			if r.take("AS") {
				a.Name = unquoted(r.text(0))
				r.i++
			}
			s.Using = append(s.Using, a)
			if r.text(0) != "," {
				break
			}
			r.i++
		}
	}
}

// names reads names between commas.
func (r *scriptReader) names() []string {
	var list []string
	for {
		list = append(list, unquoted(r.text(0)))
		r.i++
		if r.text(0) != "," {
			return list
		}
		r.i++
	}
}

func (r *scriptReader) target(s *ScriptStatement) {
	if !r.done() && r.text(0) != ";" {
		s.Names = []string{unquoted(r.text(0))}
		r.i++
	}
}

// clause reads a condition, THEN and the statements behind it.
func (r *scriptReader) clause() ScriptClause {
	c := ScriptClause{Expr: r.until("THEN")}
	r.want("THEN")
	c.Body = r.list()
	return c
}

// list reads statements with their semicolons, up to what ends a list.
func (r *scriptReader) list() []*ScriptStatement {
	var list []*ScriptStatement
	for !r.failed {
		switch r.word(0) {
		case "END", "ELSE", "ELSEIF", "WHEN", "UNTIL", "EXCEPTION":
			return list
		}
		s := r.statement()
		if r.failed {
			return list
		}
		if r.text(0) != ";" {
			r.fail()
			return list
		}
		r.i++
		list = append(list, s)
	}
	return list
}

// until gives the tokens up to one of the words or signs, which stands in no brackets and in no CASE expression.
func (r *scriptReader) until(ends ...string) Span {
	if r.done() {
		r.fail()
		return Span{}
	}
	at := Span{r.toks[r.i].Pos, r.toks[r.i].Pos}
	brackets, cases := 0, 0
	procedure := r.word(0) == "CREATE" && (r.word(1) == "PROCEDURE" || r.word(1) == "OR" && r.word(3) == "PROCEDURE")
	for ; !r.done(); r.i++ {
		t, w := r.text(0), r.word(0)
		if procedure && w == "BEGIN" {
			r.statement()
			r.i--
			at.End = r.toks[r.i].End
			continue
		}
		if brackets == 0 && cases == 0 {
			for _, e := range ends {
				if t == e || w == e {
					return at
				}
			}
		}
		switch {
		case t == ";":
			r.fail()
			return at
		case t == "(" || t == "[":
			brackets++
		case t == ")" || t == "]":
			brackets = max(brackets-1, 0)
		case w == "CASE":
			cases++
		case w == "END" && cases > 0:
			cases--
		}
		at.End = r.toks[r.i].End
	}
	if len(ends) > 0 && ends[0] == ";" {
		return at // the last statement of a text needs none
	}
	r.fail()
	return at
}

func unquoted(s string) string { return strings.Trim(s, "`") }

// block gives the end of a statement of the procedural language, or of CREATE PROCEDURE, that starts at pos; ok is false when
// none does. open says that the text ends inside it.
func block(src string, pos int) (end int, open, ok bool) {
	r := opening(src, pos, len(src))
	switch first := r.word(0); {
	case first == "SET" || first == "CREATE" && !strings.Contains(strings.ToUpper(src[pos:min(len(src), pos+60)]), "PROCEDURE"):
		return 0, false, false
	case first != "CREATE" && !r.opens():
		return 0, false, false
	}
	r = newScriptReader(src, pos, len(src))
	s := r.statement()
	switch {
	case r.failed && r.open:
		return len(src), true, true
	case r.failed:
		return 0, false, false
	}
	return s.End, false, true
}

// script reads a statement of the procedural language; nil when it is none.
func script(src string, st Statement) *ScriptStatement {
	if !opening(src, st.Pos, st.End).opens() {
		return nil
	}
	r := newScriptReader(src, st.Pos, st.End)
	s := r.statement()
	if r.failed || !r.done() && r.text(0) != ";" {
		return nil
	}
	return s
}

// opening reads the first words alone: most statements are none of the procedural language.
func opening(src string, pos, end int) *scriptReader {
	return newScriptReader(src, pos, min(end, pos+200))
}

// Control reads a statement of the procedural language of GoogleSQL, but SET; nil when it is none.
func Control(src string, st Statement) *ScriptStatement {
	if st.Lang != GoogleSQL {
		return nil
	}
	if s := script(src, st); s != nil && s.Kind != Set {
		return s
	}
	return nil
}

// Assigns reports whether a statement begins with SET.
func Assigns(src string, st Statement) bool { return opening(src, st.Pos, st.End).word(0) == "SET" }

// Assignment reads SET name = value, which package dialect otherwise leaves to DuckDB; nil for another statement.
func Assignment(src string, st Statement) *ScriptStatement {
	s := script(src, st)
	if s == nil || s.Kind != Set {
		return nil
	}
	return s
}
