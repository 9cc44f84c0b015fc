package dialect

// translator turns a GoogleSQL statement into DuckDB's by edits of its text. It walks the statement by a grammar that
// knows only what it translates; all else is refused with its name and position.
type translator struct {
	*parser
	edits *edits
	table func(p Path) ([]string, error)
	calls map[int]*Call // by the position of their first token
}

// refusal is an error of the text, or what the caller's resolver said.
type refusal struct {
	Error
	cause error
}

func (t *translator) index(calls []*Call) {
	for _, c := range calls {
		t.calls[c.Pos] = c
		t.index(c.Inner)
	}
}

func (t *translator) statement() *refusal {
	return &refusal{Error: *errorf(t.at(0).Span, "not translated")}
}
