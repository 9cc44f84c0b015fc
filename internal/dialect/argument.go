package dialect

import (
	"strings"

	"github.com/mallardml/mallard/internal/functiontable"
)

var (
	// dottedNames are the scalar functions of ours. In the DuckDB dialect a user may own one in a schema of that name; the
	// caller of the [Rewriter] knows.
	dottedNames = functionNames(true, functiontable.Scalar, functiontable.Asking)
	// plainNames are those without a dot, in GoogleSQL only: DuckDB has its own.
	plainNames = functionNames(false, functiontable.Scalar, functiontable.Asking)
	tableNames = functionNames(false, functiontable.Table)
	modelNames = functionNames(true, functiontable.Model)
)

// functionNames gives the names of functions of ours, with or without a dot.
func functionNames(dotted bool, kinds ...functiontable.Kind) map[string]bool {
	set := map[string]bool{}
	for _, name := range functiontable.Names(kinds...) {
		if strings.Contains(name, ".") == dotted {
			set[name] = true
		}
	}
	return set
}

// notBefore are the words behind which ml.x( … ) is the name of a table or of a function that is being defined.
var notBefore = wordSet("TABLE VIEW MACRO FUNCTION INTO EXISTS COPY CALL REFERENCES JOIN LATERAL UPDATE")

// find collects the function of ours that starts here, and goes on to its arguments, or to the next token.
func (p *parser) find() *Error {
	if p.at(0).kind != kindWord || p.isPunct(-1, '.') {
		p.i++
		return nil
	}
	name, n := "", 1
	switch {
	case p.isPunct(1, '('):
		w := p.word(0)
		switch {
		case p.sql == GoogleSQL && plainNames[w]:
			name = w
		case tableNames[w] && (p.sql == GoogleSQL || p.tableArgument(w)):
			name = w
		}
	case p.isPunct(1, '.') && p.at(2).kind == kindWord && p.isPunct(3, '('):
		if w := p.word(0); w == "ML" || w == "OBJ" || w == "AI" {
			if name = w + "." + p.word(2); !dottedNames[name] {
				name = ""
			}
		}
		n = 3
	}
	if name == "" || notBefore[p.word(-1)] || p.isWord(-1, "FROM") && !tableNames[name] && !p.isWord(-2, "DISTINCT") {
		p.i++
		return nil
	}
	at, open := p.at(0), p.i+n
	last := p.closing(open)
	var args []Argument
	var err *Error
	if last < 0 {
		err = errorf(p.toks[open].Span, "Syntax error: this bracket of %s is not closed", name)
	} else {
		args, err = p.arguments(open, last, tableNames[name])
	}
	p.i = open + 1
	switch {
	case err != nil && p.sql != GoogleSQL:
		return nil // it is no SQL of DuckDB's either, so DuckDB says so
	case err != nil:
		return err
	case tableNames[name]:
		p.tableFunctions = append(p.tableFunctions, &TableFunction{Span{at.Pos, p.toks[last].End}, name, args})
	default:
		p.functions = append(p.functions, &Function{Span: Span{at.Pos, p.toks[last].End}, Name: name, Args: args})
	}
	return nil
}

// tableArgument tells a table function of ours in the DuckDB dialect from a macro of the user's: TABLE stands behind its
// bracket, or it is VECTOR_SEARCH((query), 'column' …).
func (p *parser) tableArgument(name string) bool {
	if p.isWord(2, "TABLE") {
		return true
	}
	end := p.closing(p.i + 2)
	return name == "VECTOR_SEARCH" && end >= 0 && p.startsQueryAt(p.i+3) && p.isPunct(end+1-p.i, ',') && p.at(end+2-p.i).kind == kindString
}

// startsQueryAt reports whether a query starts at the token i, perhaps in brackets of its own.
func (p *parser) startsQueryAt(i int) bool {
	for most := i + maxDepth; i <= most && p.isPunct(i-p.i, '('); i++ {
	}
	switch p.toksWord(i) {
	case "SELECT", "WITH":
		return true
	case "FROM", "VALUES", "TABLE", "PIVOT", "UNPIVOT":
		return p.sql != GoogleSQL
	}
	return false
}

// arguments reads what stands between the brackets at the tokens open and last.
func (p *parser) arguments(open, last int, table bool) ([]Argument, *Error) {
	list := []Argument{}
	for i := open + 1; i < last || len(list) > 0; {
		end := i
		for end < last && !p.isPunct(end-p.i, ',') {
			end = p.stepType(end)
		}
		if end == i || end > last {
			mark := p.i
			p.i = i
			err := p.expected("an argument")
			p.i = mark
			return nil, err
		}
		a, err := p.argument(i, end, table)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
		if end == last {
			break
		}
		i = end + 1
	}
	return list, nil
}

// stepType is step that takes GoogleSQL's ARRAY<…> and STRUCT<…> as a whole, since they may have commas.
func (p *parser) stepType(i int) int {
	if w := p.toksWord(i); p.sql != GoogleSQL || w != "ARRAY" && w != "STRUCT" || !p.isPunct(i+1-p.i, '<') {
		return p.step(i)
	}
	mark := p.i
	defer func() { p.i = mark }()
	p.i = i + 1
	if err := p.skipTypeArguments(); err != nil {
		return i + 1
	}
	return p.i
}

// argument reads the argument of the tokens from i up to end.
func (p *parser) argument(i, end int, table bool) (Argument, *Error) {
	mark := p.i
	defer func() { p.i = mark }()
	var a Argument
	p.i = i
	if p.at(0).kind == kindWord && p.isPunct(1, '=') && p.isPunct(2, '>') && p.at(1).End == p.at(2).Pos {
		a.Name, a.NameSpan = strings.ToLower(p.text(p.at(0))), p.at(0).Span
		p.i += 3
		if p.i >= end {
			return a, p.expected("the value of the argument " + a.Name)
		}
	}
	from := p.i
	a.Span = Span{p.toks[from].Pos, p.toks[end-1].End}
	switch {
	case p.isWord(0, "TABLE") && from+1 < end:
		p.i++
		path, err := p.path()
		if err != nil {
			return a, err
		}
		if p.i != end {
			return a, p.expected(`"," or ")"`)
		}
		a.Table, a.Span = &path, path.Span
	case table && p.isPunct(0, '(') && p.closing(from) == end-1 && p.startsQueryAt(from+1):
		a.Query = true
		a.Span = Span{p.toks[from+1].Pos, p.toks[end-2].End}
	default:
		a.Const = p.constantArgument(from, end)
		if p.i = from; p.unnamedStruct(from) == end-1 {
			a.row = p.toks[from].Span
		}
	}
	if a.Name == "" {
		a.NameSpan = a.Span
	}
	return a, nil
}

// named reports whether AS stands among the tokens, outside brackets.
func (p *parser) named(from, end int) bool {
	for i := from; i < end; i = p.step(i) {
		if p.toksWord(i) == "AS" {
			return true
		}
	}
	return false
}

// constantArgument gives the constant that the tokens from i up to end are, or nil.
func (p *parser) constantArgument(i, end int) *Value {
	p.i = i
	if p.nullOfType(i, end) {
		return &Value{Span: Span{p.toks[i].Pos, p.toks[end-1].End}}
	}
	v, err := p.constant()
	if err != nil || p.i != end {
		return nil
	}
	for ; i < end; i++ {
		// Options take "x" for a string; in an expression it is a column.
		if p.toks[i].kind == kindQuoted && !p.isWord(i-1-p.i, "AS") {
			return nil
		}
	}
	if !p.plain(&v) {
		return nil
	}
	return &v
}

// nullOfType reports whether the tokens from i up to end are a NULL with its type: CAST(NULL AS type) or NULL::type.
func (p *parser) nullOfType(i, end int) bool {
	switch {
	case p.words("CAST") && p.isPunct(1, '(') && p.closing(i+1) == end-1:
		return p.isWord(2, "NULL") && p.isWord(3, "AS")
	case p.words("NULL") && p.isPunct(1, ':') && p.isPunct(2, ':'):
		return p.step(i+3) == end
	}
	return false
}

// plain reports whether a value is a constant in an expression too, where a bare word is a column. It takes brackets
// around single values away.
func (p *parser) plain(v *Value) bool {
	switch v.Kind {
	case Ident:
		return false
	case Array:
		for i := range v.List {
			if !p.plain(&v.List[i]) {
				return false
			}
		}
	case Struct:
		for i := range v.Fields {
			if !p.plain(&v.Fields[i].Value) {
				return false
			}
		}
		if p.src[v.Pos] == '(' {
			for _, f := range v.Fields {
				if f.Name != "" {
					return false
				}
			}
			if len(v.Fields) == 1 {
				at := v.Span
				*v = v.Fields[0].Value
				v.Span = at
			}
		}
		return v.Kind != Struct || len(v.Fields) > 0
	}
	return true
}

// unnamedStruct gives the index of the bracket that closes STRUCT(a, b) without names at index i, -1 when none starts there.
func (p *parser) unnamedStruct(i int) int {
	if i >= len(p.toks) || p.toksWord(i) != "STRUCT" || !p.isPunct(i+1-p.i, '(') {
		return -1
	}
	last := p.closing(i + 1)
	if last <= i+2 || p.named(i+2, last) {
		return -1
	}
	return last
}
