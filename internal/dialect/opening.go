package dialect

import "slices"

// googleOpenings are the words with which statements begin that GoogleSQL has and DuckDB lacks.
var googleOpenings = [][]string{
	{"ASSERT"}, {"CALL", "BQ", "."}, {"CASE"}, {"DECLARE"}, {"EXECUTE", "IMMEDIATE"}, {"EXPORT", "DATA"}, {"EXPORT", "MODEL"}, {"FOR"}, {"IF"},
	{"LOAD", "DATA"}, {"LOOP"}, {"RAISE"}, {"REPEAT"}, {"WHILE"},
	{"CREATE", "AGGREGATE", "FUNCTION"}, {"CREATE", "FUNCTION"}, {"CREATE", "PROCEDURE"}, {"CREATE", "SNAPSHOT", "TABLE"},
	{"CREATE", "TABLE", "FUNCTION"}, {"CREATE", "MATERIALIZED", "VIEW"}, {"DROP", "PROCEDURE"}, {"DROP", "SNAPSHOT", "TABLE"},
	{"DROP", "TABLE", "FUNCTION"}, {"DROP", "MATERIALIZED", "VIEW"}, {"ALTER", "SCHEMA"}, {"UNDROP"},
}

// duckdbBegins are the words that DuckDB takes behind BEGIN.
var duckdbBegins = wordSet("TRANSACTION WORK DEFERRED IMMEDIATE EXCLUSIVE READ")

// OpensLikeGoogleSQL reports whether a statement that DuckDB does not understand begins as one does that only GoogleSQL has.
func OpensLikeGoogleSQL(src string) bool {
	p := opening(src, 0, len(src))
	if w := p.word(1); p.word(0) == "BEGIN" {
		return w != "" && !duckdbBegins[w] && p.has(2)
	}
	var words []string
	for i := 0; len(words) < 4 && p.has(i); i++ {
		switch w := p.word(i); {
		case w == "OR" && p.word(i+1) == "REPLACE":
			i++
		case w == "TEMP" || w == "TEMPORARY":
		case p.text(i) == ".":
			words = append(words, ".")
		default:
			words = append(words, w)
		}
	}
	return slices.ContainsFunc(googleOpenings, func(o []string) bool { return len(words) >= len(o) && slices.Equal(words[:len(o)], o) })
}
