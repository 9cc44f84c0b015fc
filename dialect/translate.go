package dialect

import (
	"fmt"
	"strings"
)

// translator turns a GoogleSQL statement into DuckDB's by edits of its text. It walks the statement by a grammar that
// knows only what it translates; all else is refused with its name and position.
//
// What it cannot see is the type of a column. Where the two dialects differ by type, it writes an expression that looks
// at the type when the statement is bound (see cast.go). Differences that remain are listed in the package comment.
type translator struct {
	*parser
	edits    *edits
	rewriter *Rewriter
	whole    *Query
	scope    *scope
	aliases  map[string]item // of the select list whose aliases come before columns in the expression being read
	unnests  int             // how many have been given a table name
	copied   int             // bytes of expressions written again in place of their aliases

	// What stands in the statement, by the position of its first token.
	calls          map[int]*Call
	functions      map[int]*Function
	tableFunctions map[int]*TableFunction
	data           map[int]*DataRef
}

// refusal ends a translation. It is thrown by the depths of the grammar and caught in statement.
type refusal struct {
	Error
	cause error // what the caller's resolver said
}

func (t *translator) index(q *Query) {
	t.calls, t.functions, t.tableFunctions, t.data = map[int]*Call{}, map[int]*Function{}, map[int]*TableFunction{}, map[int]*DataRef{}
	t.indexCalls(q.Calls)
	for _, f := range q.Functions {
		t.functions[f.Pos] = f
	}
	for _, f := range q.TableFunctions {
		t.tableFunctions[f.Pos] = f
	}
	for _, d := range q.Data {
		t.data[d.Pos] = d
	}
}

func (t *translator) indexCalls(calls []*Call) {
	for _, c := range calls {
		t.calls[c.Pos] = c
		t.indexCalls(c.Inner)
	}
}

// must throws an error of the parser.
func (t *translator) must(err *Error) {
	if err != nil {
		panic(&refusal{Error: *err})
	}
}

func (t *translator) fail(at Span, hint, format string, args ...any) {
	panic(&refusal{Error: Error{Pos: at.Pos, End: at.End, Msg: fmt.Sprintf(format, args...), Hint: hint}})
}

// refuse says that a construct has no exact counterpart here.
func (t *translator) refuse(at Span, what, hint string) {
	msg := what + " is not translated from GoogleSQL to DuckDB"
	panic(&refusal{Error: Error{Pos: at.Pos, End: at.End, Msg: msg, Hint: hint, Unsupported: true}})
}

// refuseNext refuses what starts with the next token.
func (t *translator) refuseNext() {
	if w := t.word(0); w != "" {
		t.refuse(t.at(0).Span, w+" here", "")
	}
	t.must(t.expected("end of input"))
}

// statement translates the whole statement.
func (t *translator) statement() (err *refusal) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *refusal:
			err = r
		default:
			panic(r)
		}
	}()
	t.comments()
	for _, tok := range t.toks {
		if tok.bad != "" {
			t.fail(tok.Span, "", "Syntax error: %s", tok.bad)
		}
	}
	t.enter()
	t.dispatch()
	if !t.done() {
		t.refuseNext()
	}
	t.leave()
	return nil
}

// comments writes GoogleSQL's comments as DuckDB's: # is none there, and block comments nest there.
func (t *translator) comments() {
	if t.sql != GoogleSQL || len(t.toks) == 0 {
		return
	}
	for _, tok := range lex(t.src, t.toks[0].Pos, t.end, t.sql) {
		if tok.kind != kindComment || tok.bad != "" {
			continue
		}
		s := t.text(tok)
		switch {
		case s[0] == '#':
			t.edits.replace(Span{tok.Pos, tok.Pos + 1}, "--")
		case strings.HasPrefix(s, "/*"):
			for i := 2; i+1 < len(s); i++ {
				if s[i] == '/' && s[i+1] == '*' {
					t.edits.insertAfter(tok.Pos+i+1, " ")
				}
			}
		}
	}
}

func (t *translator) dispatch() {
	switch w := t.word(0); w {
	case "EXPLAIN":
		t.i++
		t.accept("ANALYZE")
		t.dispatch()
	case "CREATE":
		t.create()
	case "DROP":
		t.drop()
	case "INSERT":
		t.insert()
	case "DELETE":
		t.delete()
	case "UPDATE":
		t.update()
	case "TRUNCATE":
		t.i++
		t.must(t.expect("TABLE"))
		t.tablePath()
	case "BEGIN", "COMMIT", "ROLLBACK":
		t.i++
		t.accept("TRANSACTION")
		if !t.done() {
			t.refuse(t.at(-1).Span, w+" with more behind it", "BigQuery's procedural language is not supported")
		}
	case "SELECT", "WITH":
		t.query(true)
	default:
		if !t.isPunct(0, '(') {
			if w == "" {
				t.must(t.expected("a statement"))
			}
			t.refuse(t.at(0).Span, "the statement "+w, "")
		}
		t.query(true)
	}
}

// cut drops the tokens from the index i up to the current one.
func (t *translator) cut(i int) {
	if i < t.i {
		t.edits.replace(Span{t.toks[i].Pos, t.at(-1).End}, "")
	}
}

// identifier translates one name as it stands and gives its text.
func (t *translator) identifier() string {
	tok := t.at(0)
	s, err := t.name()
	t.must(err)
	t.writeName(tok, s)
	return s
}

func (t *translator) writeName(tok token, s string) {
	t.noNUL(tok.Span, s)
	switch {
	case t.sql != GoogleSQL:
	case tok.kind == kindQuoted, engineWords[strings.ToUpper(s)]:
		t.edits.replace(tok.Span, quoteName(s))
	}
}

// noNUL refuses a text that DuckDB's C interface would cut short.
func (t *translator) noNUL(at Span, s string) {
	if strings.IndexByte(s, 0) >= 0 {
		t.refuse(at, "a NUL character in a literal or name", "")
	}
}

// newName reads a name that the statement introduces: an alias, a column, a table without a path. An unquoted reserved
// word is none.
func (t *translator) newName() string {
	if t.at(0).kind == kindWord && reserved[t.word(0)] {
		t.must(t.expected("a name"))
	}
	return t.identifier()
}

// alias reads [AS] name; "" when there is none.
func (t *translator) alias() (string, bool) {
	if t.accept("AS") {
		return t.newName(), true
	}
	tok := t.at(0)
	if tok.kind == kindQuoted || tok.kind == kindWord && !reserved[t.word(0)] && !aliasStop[t.word(0)] {
		return t.newName(), true
	}
	return "", false
}

// aliasStop are words that are not reserved but start a clause after a table or expression.
var aliasStop = wordSet("QUALIFY PIVOT UNPIVOT TABLESAMPLE WINDOW OPTIONS CLUSTER")

// tablePath translates the path of a table and gives its parts as written.
func (t *translator) tablePath() Path {
	p, err := t.path()
	t.must(err)
	t.writePath(p, 3)
	return p
}

// writePath resolves a path of at most three parts and writes it for DuckDB.
func (t *translator) writePath(p Path, most int) {
	if len(p.Parts) > most {
		t.fail(p.Span, "", "invalid name `%s`: it has %d parts, at most %d are possible", p, len(p.Parts), most)
	}
	for _, part := range p.Parts {
		t.noNUL(p.Span, part)
		if strings.EqualFold(part, "INFORMATION_SCHEMA") {
			t.refuse(p.Span, "INFORMATION_SCHEMA", "Ask DuckDB's information_schema in a statement without backticks")
		}
	}
	if strings.HasSuffix(p.Parts[len(p.Parts)-1], "*") {
		t.refuse(p.Span, "the wildcard table `"+p.String()+"`", "Name the tables and join them with UNION ALL")
	}
	parts := p.Parts
	if len(parts) > 1 && t.rewriter.Table != nil {
		resolved, err := t.rewriter.Table(p)
		if err != nil {
			panic(&refusal{cause: err})
		}
		if len(resolved) > 0 {
			parts = resolved
		}
	}
	plain := strings.Join(parts, ".") == t.src[p.Pos:p.End]
	quoted := make([]string, len(parts))
	for i, part := range parts {
		quoted[i] = quoteName(part)
		plain = plain && !engineWords[strings.ToUpper(part)] && isPlainName(part)
	}
	if !plain {
		t.edits.replace(p.Span, strings.Join(quoted, "."))
	}
}

func isPlainName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isASCIIWordByte(s[i]) || i == 0 && isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}
