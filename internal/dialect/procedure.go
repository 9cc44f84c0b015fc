package dialect

import "strings"

// ProcedureVerb is the verb of CREATE PROCEDURE, whose body is read when it is called.
const ProcedureVerb = "CREATE PROCEDURE"

func makesProcedure(p *parser) bool {
	return p.isWord(1, "PROCEDURE") || p.words("CREATE", "OR", "REPLACE", "PROCEDURE")
}

// ParseQuery reads a statement as [Parse] does where it is known to be a query, or a call of a procedure, which is read as one.
func ParseQuery(src string, st Statement) (*Query, error) {
	q, err := newParser(src, st).query(st)
	if err != nil {
		return nil, err
	}
	return q, nil
}

// invoke reads what follows CALL.
func (r *scriptReader) invoke(s *ScriptStatement) {
	s.Kind = Invoke
	for name := true; name && !r.done(); name = r.text(-1) == "." {
		s.Names = append(s.Names, strings.Split(unquoted(r.text(0)), ".")...)
		r.i++
		if r.text(0) == "." {
			r.i++
		}
	}
	if r.text(0) != "(" {
		r.fail()
		return
	}
	r.i++
	for !r.done() && r.text(0) != ")" {
		s.Using = append(s.Using, ScriptArgument{Expr: r.until(",", ")")})
		if r.text(0) == "," {
			r.i++
		}
	}
	if r.text(0) != ")" {
		r.fail()
		return
	}
	r.i++
}
