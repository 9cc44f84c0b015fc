package bigquery

import (
	"slices"
	"strings"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/dialect"
)

// statement is what jobs show of a statement before it runs
// (https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2).
type statement struct {
	kind      string // statementType, such as CREATE_TABLE_AS_SELECT
	object    string // what it makes, changes or drops: TABLE, VIEW, MODEL, FUNCTION, PROCEDURE, SCHEMA; "" for none
	path      []string
	replace   bool // OR REPLACE
	cautious  bool // IF NOT EXISTS, IF EXISTS
	temporary bool
}

// lexeme is a word, a name in backticks or a mark of a statement.
type lexeme struct {
	text   string
	quoted bool
	depth  int // of brackets around it
	at     dialect.Span
}

func (l lexeme) is(word string) bool { return !l.quoted && strings.EqualFold(l.text, word) }

// lexemes reads a statement of GoogleSQL without its comments and literals.
func lexemes(text string) (all []lexeme) {
	depth := 0
	add := func(word string, quoted bool, from, to int) {
		all = append(all, lexeme{word, quoted, depth, dialect.Span{Pos: from, End: to}})
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '#', strings.HasPrefix(text[i:], "--"):
			i += lineLength(text[i:])
		case strings.HasPrefix(text[i:], "/*"):
			if end := strings.Index(text[i+2:], "*/"); end >= 0 {
				i += end + 4
			} else {
				return all
			}
		case c == '\'' || c == '"':
			end := i + literalLength(text[i:])
			add("'", true, i, end)
			i = end
		case c == '`':
			end := i + literalLength(text[i:])
			add(strings.Trim(text[i:end], "`"), true, i, end)
			i = end
		case isWordByte(c):
			from := i
			for i < len(text) && (isWordByte(text[i]) || text[i] == '-' && i+1 < len(text) && isWordByte(text[i+1]) && text[i-1] != '-') {
				i++
			}
			add(text[from:i], false, from, i)
		default:
			if strings.IndexByte("([", c) >= 0 {
				depth++
			}
			if strings.IndexByte(")]", c) >= 0 {
				depth--
			}
			if strings.IndexByte(" \t\r\n", c) < 0 {
				add(string(c), false, i, i+1)
			}
			i++
		}
	}
	return all
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= 0x80
}

func lineLength(text string) int {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return i + 1
	}
	return len(text)
}

// literalLength is the length of a literal, or of a name in backticks, at the start of a text.
func literalLength(text string) int {
	mark := text[:1]
	if triple := strings.Repeat(mark, 3); mark != "`" && strings.HasPrefix(text, triple) {
		mark = triple
	}
	for i := len(mark); i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case strings.HasPrefix(text[i:], mark):
			return i + len(mark)
		}
	}
	return len(text)
}

// shape reads what a statement does.
func shape(text string) statement {
	r := &lexemeReader{all: lexemes(text)}
	if r.word("EXPLAIN") {
		return statement{kind: "EXPLAIN"}
	}
	for r.take("(") {
	}
	for _, verb := range []string{"CREATE", "ALTER", "DROP", "UNDROP"} {
		if r.take(verb) {
			return r.definition(verb)
		}
	}
	for _, verb := range []string{"INSERT", "UPDATE", "DELETE", "MERGE"} {
		if r.take(verb) {
			r.take("INTO")
			r.take("FROM")
			return statement{kind: verb, object: "TABLE", path: r.path()}
		}
	}
	switch {
	case r.take("TRUNCATE", "TABLE"):
		return statement{kind: "TRUNCATE_TABLE", object: "TABLE", path: r.path()}
	case r.take("LOAD", "DATA"):
		_ = r.take("INTO") || r.take("OVERWRITE")
		return statement{kind: "LOAD_DATA", object: "TABLE", path: r.path()}
	case r.take("EXPORT", "DATA"):
		return statement{kind: "EXPORT_DATA"}
	case r.take("BEGIN", "TRANSACTION"), r.word("BEGIN") && len(r.all) == 1:
		return statement{kind: "BEGIN_TRANSACTION"}
	case r.take("COMMIT"):
		return statement{kind: "COMMIT_TRANSACTION"}
	case r.take("ROLLBACK"):
		return statement{kind: "ROLLBACK_TRANSACTION"}
	case r.word("SELECT"), r.word("WITH"), r.word("FROM"), r.word("GRAPH"), r.word("VALUES"):
		return statement{kind: "SELECT"}
	case len(r.all) > 0 && !r.all[0].quoted:
		return statement{kind: strings.ToUpper(r.all[0].text)} // CALL, ASSERT, EXPORT, GRANT and the like
	}
	return statement{}
}

type lexemeReader struct{ all []lexeme }

func (r *lexemeReader) word(w string) bool { return len(r.all) > 0 && r.all[0].is(w) }

// take steps over words, when they are next.
func (r *lexemeReader) take(words ...string) bool {
	if len(r.all) < len(words) {
		return false
	}
	for i, w := range words {
		if !r.all[i].is(w) {
			return false
		}
	}
	r.all = r.all[len(words):]
	return true
}

// path reads a dotted name.
func (r *lexemeReader) path() (parts []string) {
	for len(r.all) > 0 {
		l := r.all[0]
		parts = append(parts, strings.Split(l.text, ".")...)
		r.all = r.all[1:]
		if !r.take(".") {
			break
		}
	}
	return parts
}

// objects are the words for what a definition is about, as the API has them.
var objects = []struct {
	words        []string
	name, object string
}{
	{[]string{"SNAPSHOT", "TABLE"}, "SNAPSHOT_TABLE", "TABLE"}, {[]string{"EXTERNAL", "TABLE"}, "EXTERNAL_TABLE", "TABLE"},
	{[]string{"MATERIALIZED", "VIEW"}, "MATERIALIZED_VIEW", "VIEW"}, {[]string{"TABLE", "FUNCTION"}, "TABLE_FUNCTION", "FUNCTION"},
	{[]string{"AGGREGATE", "FUNCTION"}, "FUNCTION", "FUNCTION"}, {[]string{"TABLE"}, "TABLE", "TABLE"}, {[]string{"VIEW"}, "VIEW", "VIEW"},
	{[]string{"MODEL"}, "MODEL", "MODEL"}, {[]string{"FUNCTION"}, "FUNCTION", "FUNCTION"}, {[]string{"PROCEDURE"}, "PROCEDURE", "PROCEDURE"},
	{[]string{"SCHEMA"}, "SCHEMA", "SCHEMA"},
}

// definition reads what stands behind CREATE, ALTER and DROP.
func (r *lexemeReader) definition(verb string) statement {
	st := statement{kind: verb}
	st.replace = r.take("OR", "REPLACE")
	st.temporary = r.take("TEMP") || r.take("TEMPORARY")
	for _, o := range objects {
		if !r.take(o.words...) {
			continue
		}
		st.kind, st.object = verb+"_"+o.name, o.object
		st.cautious = r.take("IF", "NOT", "EXISTS") || r.take("IF", "EXISTS")
		st.path = r.path()
		asSelect := slices.ContainsFunc(r.all, func(l lexeme) bool { return l.depth == 0 && l.is("AS") })
		if st.kind == "CREATE_TABLE" && asSelect {
			st.kind = "CREATE_TABLE_AS_SELECT"
		}
		break
	}
	return st
}

// isScript reports whether a text is a script: several statements, or one of the procedural language.
func isScript(src string, all []dialect.Statement) bool {
	return len(all) > 1 || len(all) == 1 && dialect.Control(src, all[0]) != nil
}

func split(src string) []dialect.Statement { return dialect.Split(src, mallard.GoogleSQL) }

// ref completes a path to the name of a table, with the default dataset of a job.
func (j *job) ref(path []string) *api.TableReference {
	r := &api.TableReference{ProjectId: j.project}
	if d := j.config.Query.DefaultDataset; d != nil {
		r.DatasetId = d.DatasetId
		if d.ProjectId != "" {
			r.ProjectId = d.ProjectId
		}
	}
	switch n := len(path); {
	case n == 0:
		return nil
	case n > 2:
		r.ProjectId, r.DatasetId = strings.Join(path[:n-2], "."), path[n-2]
	case n > 1:
		r.ProjectId, r.DatasetId = j.project, path[n-2]
	}
	r.TableId = path[len(path)-1]
	return r
}
