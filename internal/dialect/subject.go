package dialect

import "slices"

// beforeSubject are the words that may stand between the verb of a statement and the name of what it makes, changes or drops.
var beforeSubject = []string{"OR", "REPLACE", "TEMP", "TEMPORARY", "EXTERNAL", "MATERIALIZED", "SNAPSHOT", "AGGREGATE", "TABLE", "VIEW",
	"SCHEMA", "FUNCTION", "PROCEDURE", "IF", "NOT", "EXISTS", "INTO", "FROM"}

// Subject gives the place of what a statement of GoogleSQL makes, changes or drops. ok is false for another statement.
func Subject(src string, at Span) (Span, bool) {
	p := newParser(src, Statement{Span: at, Lang: GoogleSQL, Stop: at.End})
	switch p.word(0) {
	case "CREATE", "ALTER", "DROP", "UNDROP", "TRUNCATE", "INSERT", "UPDATE", "DELETE", "MERGE":
	default:
		return Span{}, false
	}
	for p.i++; slices.Contains(beforeSubject, p.word(0)); p.i++ {
	}
	path, err := p.path()
	return path.Span, err == nil
}

// Opening is the place of a statement's first word.
func Opening(src string, at Span) Span {
	p := newParser(src, Statement{Span: at, Lang: GoogleSQL, Stop: at.End})
	if p.done() {
		return at
	}
	return p.at(0).Span
}

// Begins reports whether a statement begins with a word.
func Begins(src string, st Statement, word string) bool {
	return opening(src, st.Pos, st.End).word(0) == word
}
