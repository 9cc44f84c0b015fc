package dialect

import "strings"

// query reads a statement that goes to DuckDB: its verb and the ML calls in it.
func (p *parser) query(st Statement) (*Query, *Error) {
	q := &Query{Span: st.Span, Lang: st.Lang, Verb: p.verb()}
	p.i = 0
	calls, err := p.calls(len(p.toks))
	if err != nil {
		return nil, err
	}
	if st.Lang == DuckDB && len(calls)+len(p.functions)+len(p.tableFunctions) > 0 || st.Data {
		q.Data = p.dataRefs(st.Data, len(calls) > 0)
		q.columns = p.items
	}
	q.Calls, q.Functions, q.TableFunctions = calls, p.functions, p.tableFunctions
	ours := len(calls)+len(q.Functions)+len(q.TableFunctions)+len(q.Data) > 0
	if !ours && p.schemaOptions() {
		q.Lang = GoogleSQL
	}
	q.Untouched = q.Lang == DuckDB && !ours
	if ours {
		switch q.Verb {
		case "CREATE VIEW":
			q.InView = true
		case "CREATE MACRO", "CREATE FUNCTION", "PREPARE":
			q.InMacro = true
		case "CREATE TABLE":
			q.InTable = !p.hasWord("AS")
		case "ALTER TABLE":
			q.InTable = !p.hasWord("USING") // … TYPE … USING computes once
		}
	}
	return q, nil
}

// hasWord reports whether a keyword stands outside all brackets.
func (p *parser) hasWord(want string) bool {
	depth := 0
	for i, t := range p.toks {
		if t.kind != kindPunct {
			if depth == 0 && p.toksWord(i) == want {
				return true
			}
			continue
		}
		switch p.src[t.Pos] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
	}
	return false
}

// verb gives the upper-case words that name the statement; BEGIN, COMMIT and ROLLBACK stand for their synonyms too.
func (p *parser) verb() string {
	for p.acceptPunct('(') {
	}
	w := p.word(0)
	switch w {
	case "START":
		return "BEGIN"
	case "END":
		return "COMMIT"
	case "ABORT":
		return "ROLLBACK"
	case "DROP", "ALTER":
		return strings.TrimSpace(w + " " + p.word(1))
	case "CREATE":
	default:
		return w
	}
	p.i++
	p.accept("OR", "REPLACE")
	for {
		switch k := p.word(0); k {
		case "TEMP", "TEMPORARY", "PERSISTENT", "LOCAL", "GLOBAL", "RECURSIVE", "UNLOGGED", "MATERIALIZED", "UNIQUE":
			p.i++
		default:
			return strings.TrimSpace(w + " " + k)
		}
	}
}

// schemaOptions finds CREATE SCHEMA … OPTIONS, which is a parser error in DuckDB, so taking it changes nothing.
func (p *parser) schemaOptions() bool {
	p.i = 0
	if !p.accept("CREATE", "SCHEMA") {
		return false
	}
	for i := range p.toks {
		if p.isWord(i, "OPTIONS") && p.isPunct(i+1, '(') {
			return true
		}
	}
	return false
}

// calls finds the ML calls among the tokens up to stop, and collects the functions of ours on its way.
func (p *parser) calls(stop int) ([]*Call, *Error) {
	var list []*Call
	for p.i < stop {
		if p.atCall() {
			c, err := p.call(stop)
			if err != nil {
				return nil, err
			}
			list = append(list, c)
			continue
		}
		if err := p.find(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// operatorWords may follow a column named model in a call of the user's own ml.x(model …), so they are no model names
// unless quoted.
var operatorWords = wordSet(`AND AT BETWEEN COLLATE GLOB IGNORE ILIKE IN IS ISNULL LIKE LIMIT NOT NOTNULL OPERATOR OR ORDER RESPECT SIMILAR
FILTER OVER AS`)

// atCall reports whether an ML call starts here: ML.X( or AI.X( with MODEL or TABLE behind the bracket. A user's macro
// ml.predict(1), or ml.predict(model) over a column named model, is none.
func (p *parser) atCall() bool {
	if !p.isWord(0, "ML") && !p.isWord(0, "AI") || !p.isPunct(1, '.') || p.at(2).kind != kindWord || !p.isPunct(3, '(') || p.isPunct(-1, '.') {
		return false
	}
	if p.bracketedModel(4) {
		return true
	}
	t := p.at(5)
	switch p.word(4) {
	case "TABLE":
		return true
	case "MODEL":
		switch {
		case t.kind == kindQuoted, t.kind == kindParam:
			return true
		case t.kind == kindWord:
			return p.isPunct(6, '.') || !operatorWords[p.word(5)]
		case t.kind == kindPunct && p.isPunct(5, '('):
			// model(x) may be a user's function in DuckDB, where only TABLE behind it tells.
			end := p.closing(p.i + 5)
			return p.sql == GoogleSQL || end >= 0 && p.toksWord(end+2) == "TABLE"
		case p.sql == GoogleSQL && t.kind == kindString:
			return true
		}
	}
	return false
}

// bracketedModel reports (MODEL name) at a token, which is no expression.
func (p *parser) bracketedModel(i int) bool {
	t := p.at(i + 2)
	return p.isPunct(i, '(') && p.isWord(i+1, "MODEL") && (t.kind == kindQuoted || t.kind == kindWord && !operatorWords[p.word(i+2)]) &&
		(p.isPunct(i+3, ')') || p.isPunct(i+3, '.'))
}

// call reads the call that starts here.
func (p *parser) call(stop int) (*Call, *Error) {
	start := p.at(0)
	defer func() { p.deep-- }()
	if err := p.nest(); err != nil {
		return nil, err
	}
	c := &Call{Func: p.word(0) + "." + p.word(2)}
	open := p.i + 3
	last := p.closing(open)
	if last < 0 || last >= stop {
		return nil, errorf(p.toks[open].Span, "Syntax error: this bracket of %s is not closed", c.Func)
	}
	c.Span = Span{start.Pos, p.toks[last].End}
	p.i = open + 1
	if err := p.callArguments(c, last); err != nil {
		if modelNames[c.Func] {
			return nil, err
		}
		c.Input, c.InputIsTable, c.Inner = Span{p.toks[last].Pos, p.toks[last].Pos}, false, nil // it will be refused by name
	}
	p.i = last + 1
	return c, nil
}

// callArguments reads what stands before the closing bracket of a call, which is the token last.
func (p *parser) callArguments(c *Call, last int) *Error {
	if p.bracketedModel(0) || p.accept("MODEL") {
		if p.at(0).kind == kindParam {
			return errorf(p.at(0).Span, "a parameter cannot name a model").hint("Write MODEL name; ML_PREDICT(?, 'query') and the like take " +
				"the name as a value")
		}
		if p.isPunct(0, '(') {
			return errorf(p.at(0).Span, `Syntax error: Model arguments for table-valued function calls `+
				`written as "MODEL path" must not be enclosed in parentheses`).hint("Write MODEL name")
		}
		name, err := p.modelName()
		if err != nil {
			return err
		}
		c.Model = name
		if p.i < last && !p.isPunct(0, ',') {
			return p.expected(`"," or ")"`)
		}
		p.acceptPunct(',')
	}
	c.Input = Span{p.toks[last].Pos, p.toks[last].Pos}
	if needsInput[c.Func] && (p.i == last || p.isWord(0, "STRUCT")) {
		return errorf(c.Span, "%s needs an input", c.Func).hint("Write %s(MODEL name, TABLE table) or %s(MODEL name, (query))", c.Func,
			c.Func)
	}
	if p.i < last && !p.isWord(0, "STRUCT") {
		if err := p.callInput(c, last); err != nil {
			return err
		}
		if p.i < last && !p.isPunct(0, ',') {
			return p.expected(`"," or ")"`)
		}
		if p.isPunct(0, ',') {
			p.i++
			if p.i == last {
				return p.expected("STRUCT")
			}
		}
	}
	if p.i < last {
		if !p.isWord(0, "STRUCT") {
			return p.expected("STRUCT").hint("The options of %s are written STRUCT(value AS name, …)", c.Func)
		}
		v, err := p.constant()
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, o := range v.Fields {
			switch name := strings.ToLower(o.Name); {
			case name == "":
				return errorf(o.Span, "an option of %s has no name", c.Func).hint("Write STRUCT(value AS name)")
			case seen[name]:
				return errorf(o.Span, "Duplicate option %s", o.Name).hint("Give each option once")
			default:
				seen[name] = true
			}
		}
		c.Options, c.OptionsSpan = v.Fields, v.Span
	}
	if p.i != last {
		return p.expected(`")"`)
	}
	return nil
}

// needsInput are the calls that make nothing of a model alone.
var needsInput = wordSet(`ML.PREDICT ML.GENERATE_TEXT ML.GENERATE_EMBEDDING ML.GENERATE_TEXT_EMBEDDING AI.GENERATE_TEXT
AI.GENERATE_EMBEDDING AI.GENERATE_TABLE`)

// callInput reads TABLE path or ( query ).
func (p *parser) callInput(c *Call, last int) *Error {
	if p.accept("TABLE") {
		if p.isPunct(0, '(') {
			return errorf(p.at(0).Span, `Syntax error: Table arguments for table-valued function calls `+
				`written as "TABLE path" must not be enclosed in parentheses`).hint("Write TABLE name")
		}
		path, err := p.path()
		if err != nil {
			return err
		}
		c.InputIsTable, c.Table, c.Input = true, path, path.Span
		return nil
	}
	switch w := p.word(0); w {
	case "SELECT", "WITH", "FROM", "VALUES":
		return errorf(p.at(0).Span, "Syntax error: Each subquery argument for table-valued function calls must be enclosed in "+
			"parentheses").hint("To fix this, replace %s... with (%s...)", w, w)
	}
	if !p.isPunct(0, '(') {
		return p.expected("TABLE or a query in parentheses")
	}
	end := p.closing(p.i)
	if end < 0 || end >= last {
		return errorf(p.at(0).Span, "Syntax error: this bracket is not closed")
	}
	from := p.i + 1
	c.Input = Span{p.toks[p.i].End, p.toks[end].Pos}
	if from == end {
		return errorf(Span{p.toks[p.i].Pos, p.toks[end].End}, "%s needs a query in its brackets", c.Func)
	}
	p.i = from
	inner, err := p.calls(end)
	if err != nil {
		return err
	}
	c.Inner = inner
	c.Params, c.rows = p.params(from, end)
	p.i = end + 1
	return nil
}

// params finds the select items of the query in toks[from:end] that are a bare parameter with an alias, and the word
// STRUCT of those that are STRUCT(a, b) without names: a prompt of several parts. Only the outermost SELECT counts, and
// only when it is the first of a query that starts with SELECT or WITH.
func (p *parser) params(from, end int) (list []param, rows []Span) {
	i := from
	if p.toksWord(i) == "WITH" {
		for i < end && p.toksWord(i) != "SELECT" {
			i = p.step(i)
		}
	}
	if i >= end || p.toksWord(i) != "SELECT" {
		return nil, nil
	}
	i++
	first := i
	if w := p.toksWord(i); w == "DISTINCT" || w == "ALL" {
		first++
		i++
	}
	for ; i <= end; i = p.step(i) {
		stop := i >= end || p.toksWord(i) == "FROM" || selectEnd[p.toksWord(i)]
		if !stop && !(p.toks[i].kind == kindPunct && p.src[p.toks[i].Pos] == ',') {
			continue
		}
		if t := p.toks[first]; i > first && t.kind == kindParam && t.bad == "" {
			name := first + 1
			if p.toksWord(name) == "AS" {
				name++
			}
			if k := p.toks[name].kind; name == i-1 && (k == kindWord || k == kindQuoted) {
				mark := p.i
				p.i = name
				if s, err := p.name(); err == nil {
					list = append(list, param{Span: t.Span, Name: s})
				}
				p.i = mark
			}
		}
		if last := p.unnamedStruct(first); last >= 0 && (last+1 == i || p.toksWord(last+1) == "AS" && last+3 == i || last+2 == i) {
			rows = append(rows, p.toks[first].Span)
		}
		if stop {
			break
		}
		first = i + 1
	}
	return list, rows
}
