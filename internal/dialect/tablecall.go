package dialect

import "strings"

// tableFunctions are those of DuckDB's that stand in FROM of GoogleSQL statements, as a mark of Mallard's own.
var tableFunctions = map[string]bool{
	"READ_PARQUET": true, "READ_CSV": true, "READ_CSV_AUTO": true, "READ_JSON": true, "READ_JSON_AUTO": true, "READ_NDJSON": true,
	"READ_TEXT": true, "READ_BLOB": true, "GLOB": true, "RANGE": true, "GENERATE_SERIES": true,
}

// TableCall is a call of a table function of DuckDB's in FROM. Its arguments are constants.
type TableCall struct {
	Span
	Name string // lower-case
	Args []Option
}

// TableCalls gives the calls of DuckDB's table functions in a part of a GoogleSQL text: those behind FROM and JOIN, and behind
// commas all but RANGE, which is a function of BigQuery's too.
func TableCalls(src string, at Span) ([]TableCall, *Error) {
	p := newParser(src, Statement{Span: at, Lang: GoogleSQL})
	var all []TableCall
	for ; !p.done(); p.i++ {
		if !tableFunctions[p.word(0)] || !p.isPunct(1, '(') ||
			!p.isWord(-1, "JOIN") && (!p.isWord(-1, "FROM") || p.isWord(-2, "DISTINCT")) && (p.isWord(0, "RANGE") || !p.isPunct(-1, ',')) {
			continue
		}
		call := TableCall{Span: p.at(0).Span, Name: strings.ToLower(p.word(0))}
		for p.i += 2; !p.isPunct(0, ')'); {
			a := Option{Span: p.at(0).Span}
			if p.at(0).kind == kindWord && p.isPunct(1, '=') {
				a.Name = strings.ToLower(p.text(p.at(0)))
				p.i += 2
				p.acceptPunct('>')
			}
			v, err := p.constant()
			if err != nil {
				return nil, errorf(Span{err.Pos, err.End}, "%s: its arguments are constants here: %s", call.Name, err.Msg)
			}
			a.Value, a.End = v, v.End
			if call.Args = append(call.Args, a); !p.acceptPunct(',') && !p.isPunct(0, ')') {
				return nil, p.expected("\")\"")
			}
		}
		call.End = p.at(0).End
		all = append(all, call)
	}
	return all, nil
}
