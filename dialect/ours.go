package dialect

import "strings"

// functionOfOurs translates the arguments of a function of ours in place, and writes what stands around them.
func (t *translator) functionOfOurs(f *Function) expr {
	start := t.at(0)
	name := Span{start.Pos, start.End}
	for !t.isPunct(0, '(') {
		name.End = t.at(0).End
		t.i++
	}
	if t.rewriter.Function == nil {
		t.refuse(name, "the function "+f.Name, "")
	}
	t.i++
	for i := range f.Args {
		t.argument(f.Name, &f.Args[i], i == len(f.Args)-1)
	}
	if len(f.Args) == 0 {
		t.must(t.expectPunct(')'))
	}
	if _, err := t.rewriter.function(f, t.whole, t.edits); err != nil {
		t.foreign(err)
	}
	if t.isWord(0, "OVER") {
		t.refuse(t.at(0).Span, f.Name+" with OVER", "")
	}
	return expr{Span: t.since(start.Pos)}
}

// foreign throws an error of the rewriter.
func (t *translator) foreign(err error) {
	if e, ok := err.(*Error); ok {
		panic(&refusal{Error: *e})
	}
	panic(&refusal{cause: err})
}

// argument reads [name =>] value with the comma or, behind the last one, the bracket that follows.
func (t *translator) argument(of string, a *Argument, last bool) {
	if a.Name != "" {
		t.i += 3
	}
	at := t.at(0)
	switch {
	case a.Table != nil:
		t.i++
		t.writePath(*a.Table, 3)
		for t.at(0).Pos < a.End {
			t.i++
		}
	case a.Query:
		t.i++
		t.query(false)
		t.must(t.expectPunct(')'))
	case at.kind == kindWord && t.isWord(0, "JSON") && t.at(1).kind == kindString:
		t.i++
		t.stringLiteral()
	case t.isWord(0, "INTERVAL") && a.Const != nil && a.Const.Kind == Interval && t.at(1).kind == kindNumber && isDigits(t.text(t.at(1))):
		for t.at(0).Pos < a.End && !t.done() {
			t.i++
		}
	default:
		ok := false
		if promptFunction(of) {
			_, ok = t.prompt(func(n int) bool { return t.isPunct(n, ',') || t.isPunct(n, ')') })
		}
		if !ok {
			t.value()
		}
	}
	if last {
		t.must(t.expectPunct(')'))
		return
	}
	if !t.acceptPunct(',') {
		t.must(t.expected(`"," or ")"`))
	}
}

// promptFunction reports whether a function asks a model: its arguments may be prompts of several parts, and it may
// answer another time differently.
func promptFunction(name string) bool { return strings.HasPrefix(name, "AI.") }

// tableFunction reads a table function of ours in FROM; the rewriter puts its text in its place.
func (t *translator) tableFunction(f *TableFunction) {
	if t.rewriter.TableFunction == nil {
		t.refuse(t.at(0).Span, "the table function "+f.Name, "")
	}
	t.i += 2
	for i := range f.Args {
		t.argument(f.Name, &f.Args[i], i == len(f.Args)-1)
	}
	if len(f.Args) == 0 {
		t.must(t.expectPunct(')'))
	}
}

// prompt reads a tuple, or a STRUCT with unnamed fields, where it stands as a whole; ends tells whether the token n
// places on may follow it. ok is false when something else stands here.
func (t *translator) prompt(ends func(n int) bool) (e expr, ok bool) {
	start := t.at(0)
	open := t.i
	tuple := t.isPunct(0, '(')
	if !tuple {
		if open++; !t.isWord(0, "STRUCT") || !t.isPunct(1, '(') {
			return expr{}, false
		}
	}
	last := t.closing(open)
	if last < 0 || !ends(last+1-t.i) {
		return expr{}, false
	}
	items, unnamed, named := 1, false, false
	first := open + 1
	for i := first; i <= last; i = t.step(i) {
		if i < last && !t.isPunct(i-t.i, ',') {
			continue
		}
		if i < last {
			items++
		}
		switch {
		case t.named(first, i):
			named = true
		case !t.isColumn(first, i):
			unnamed = true
		}
		first = i + 1
	}
	if tuple && (items < 2 || t.startsQuery(1)) || !tuple && (!unnamed || named) {
		return expr{}, false
	}
	if tuple {
		t.edits.insertBefore(start.Pos, "row")
	} else {
		t.edits.replace(start.Span, "row")
		t.i++
	}
	t.list(func() { t.value() })
	return expr{Span: t.since(start.Pos)}, true
}

// isColumn reports whether the tokens are a name with dots, which gives the field of a STRUCT its name.
func (t *translator) isColumn(from, end int) bool {
	for i := from; i < end; i++ {
		k := t.toks[i].kind
		if (i-from)%2 == 0 && k != kindWord && k != kindQuoted || (i-from)%2 == 1 && !t.isPunct(i-t.i, '.') {
			return false
		}
	}
	return end > from && (end-from)%2 == 1
}

// itemEnd reports whether what stands n tokens on can follow a whole select item.
func (t *translator) itemEnd(n int) bool {
	switch tok := t.at(n); tok.kind {
	case kindQuoted:
		return true
	case kindPunct:
		return t.i+n >= len(t.toks) || t.isPunct(n, ',') || t.isPunct(n, ')')
	case kindWord:
		w := t.word(n)
		return !comparisonWords[w] && w != "NOT" && w != "AND" && w != "OR"
	}
	return false
}

// pseudoColumn reads a reference to data when it stands here and is one.
func (t *translator) pseudoColumn() (expr, bool) {
	tok := t.at(0)
	d := t.data[tok.Pos]
	if d == nil {
		return expr{}, false
	}
	first, parts := "data", 1
	if len(d.Qualifier) > 0 {
		first, parts = d.Qualifier[0], 2
	} else if _, ok := t.aliases["data"]; ok {
		return expr{}, false
	}
	done, err := t.rewriter.data(d, t.edits)
	if err != nil {
		t.foreign(err)
	}
	if !done {
		return expr{}, false
	}
	for !t.done() && t.at(0).Pos < d.End {
		t.i++
	}
	t.scope.refs = append(t.scope.refs, ref{Span: tok.Span, first: first, parts: parts})
	return expr{Span: d.Span, name: "data", dotted: parts > 1, path: true}, true
}
