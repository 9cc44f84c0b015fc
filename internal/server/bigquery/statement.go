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

// shape reads what a statement does.
func shape(text string) statement {
	r := &lexemeReader{all: dialect.Lexemes(text)}
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
	case len(r.all) > 0 && !r.all[0].Quoted:
		return statement{kind: strings.ToUpper(r.all[0].Text)} // CALL, ASSERT, EXPORT, GRANT and the like
	}
	return statement{}
}

type lexemeReader struct{ all []dialect.Lexeme }

func (r *lexemeReader) word(w string) bool { return len(r.all) > 0 && r.all[0].Is(w) }

// take steps over words, when they are next.
func (r *lexemeReader) take(words ...string) bool {
	if len(r.all) < len(words) {
		return false
	}
	for i, w := range words {
		if !r.all[i].Is(w) {
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
		parts = append(parts, strings.Split(l.Text, ".")...)
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
		asSelect := slices.ContainsFunc(r.all, func(l dialect.Lexeme) bool { return l.Depth == 0 && l.Is("AS") })
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
