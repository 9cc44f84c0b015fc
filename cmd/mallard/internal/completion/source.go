package completion

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/internal/quote"
)

// Source is what is known about the surroundings of a statement.
type Source struct {
	// Rows runs a query of DuckDB's and gives its first two columns; a fault gives none.
	Rows func(ctx context.Context, query string) [][2]string
	// Columns gives names and types of a query's columns, which may call functions of ours.
	Columns func(ctx context.Context, query string) [][2]string
	// Connections are those of the configuration, Buckets the folders that stand for buckets.
	Connections []string
	Buckets     map[string]string
	Lang        dialect.Lang
}

// place is where the cursor stands.
type place struct {
	Source
	text, after string          // before and behind the cursor
	pieces      []dialect.Piece // of the text
	calls       []openCall
}

// Suggest gives what may stand in the place of the end of a text, with after behind the cursor.
func (s Source) Suggest(ctx context.Context, text, after string) []shell.Suggestion {
	p := newPlace(s, text, after)
	if n := len(p.pieces); n > 0 {
		last := p.pieces[n-1]
		open := strings.HasPrefix(text[last.Pos:], "--") && last.End == len(text) && !strings.HasSuffix(text, "\n") ||
			strings.HasPrefix(text[last.Pos:], "/*") && !strings.HasSuffix(text, "*/")
		if last.Class == dialect.Comment && open {
			return nil
		}
	}
	if at, ok := p.insideText(); ok {
		return p.texts(at)
	}
	for _, rule := range []func(context.Context) []shell.Suggestion{
		p.functions, p.behindModel, p.behindConnection, p.options, p.behindTable, p.arguments, p.columns, p.words,
	} {
		if list := rule(ctx); len(list) > 0 {
			return list
		}
	}
	if list := p.missingInputs(ctx); len(list) > 0 {
		return list
	}
	return p.others(ctx)
}

func newPlace(s Source, text, after string) *place {
	pieces := dialect.Pieces(text, s.Lang)
	return &place{s, text, after, pieces, openCalls(text, pieces)}
}

// matching gives the candidates that go on from what is typed, whatever the case; if there are none those that have its letters in their
// order, the shortest first: `gtext` means ML.GENERATE_TEXT.
func matching(typed string, start int, candidates []shell.Suggestion) (list []shell.Suggestion) {
	for _, c := range candidates {
		if goesOn(typed, []shell.Suggestion{c}) {
			c.Start = start
			list = append(list, c)
		}
	}
	if len(list) > 0 || typed == "" {
		return list
	}
	for _, c := range candidates {
		if scattered(c.Text, typed) {
			c.Start = start
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b shell.Suggestion) int { return len(a.Text) - len(b.Text) })
	return list
}

// scattered reports whether a text has the letters of another in their order, beginning with the first or behind a mark.
func scattered(text, letters string) bool {
	text, letters = strings.ToLower(text), strings.ToLower(letters)
	for from := range text {
		if from > 0 && strings.IndexByte("._ (\"", text[from-1]) < 0 {
			continue
		}
		rest := text[from:]
		if rest[0] != letters[0] {
			continue
		}
		found := true
		for _, l := range letters {
			i := strings.IndexRune(rest, l)
			if found = i >= 0; !found {
				break
			}
			rest = rest[i+len(string(l)):]
		}
		if found {
			return true
		}
	}
	return false
}

func plain(texts ...string) (list []shell.Suggestion) {
	for _, t := range texts {
		list = append(list, shell.Suggestion{Text: t})
	}
	return list
}

var functionStart = regexp.MustCompile(`(?i)(?:^|[^\w.])((?:ML|AI|OBJ)\.\w*)$`)

// functions completes a name that begins as ours do.
func (p *place) functions(context.Context) (list []shell.Suggestion) {
	at := functionStart.FindStringSubmatchIndex(p.text)
	if at == nil {
		return nil
	}
	for _, f := range functiontable.All() {
		list = append(list, shell.Suggestion{Text: f.Name + "(", Note: f.Doc})
	}
	schema, _, _ := strings.Cut(p.text[at[2]:], ".")
	list = slices.DeleteFunc(list, func(s shell.Suggestion) bool { return !strings.HasPrefix(s.Text, strings.ToUpper(schema)+".") })
	found := matching(p.text[at[2]:], at[2], list)
	if len(found) == 0 {
		found = matching(p.text[at[2]+len(schema)+1:], at[2], list)
	}
	return found
}

// path is what a dotted name looks like that may not be finished.
const path = "((?:\"[^\"]*\"?|`[^`]*`?|[\\w.-])*)$"

var (
	modelStart      = regexp.MustCompile(`(?i)\bMODEL\s+(?:IF\s+EXISTS\s+)?` + path)
	connectionStart = regexp.MustCompile(`(?i)\bCONNECTION\s+` + path)
	tableStart      = regexp.MustCompile(`(?i)\b(TABLE|FROM|JOIN)\s+` + path)
	newModel        = regexp.MustCompile(`(?is)\bCREATE\s+(?:OR\s+REPLACE\s+)?MODEL\s+(?:IF\s+NOT\s+EXISTS\s+)?\S*$`)
)

// behindModel gives the models.
func (p *place) behindModel(ctx context.Context) []shell.Suggestion {
	at := modelStart.FindStringSubmatchIndex(p.text)
	if at == nil || newModel.MatchString(p.text) {
		return nil
	}
	return p.named(ctx, at[2], "SELECT CASE schema_name WHEN 'main' THEN '' ELSE "+quoted("schema_name")+" || '.' END || "+
		quoted("model_name")+", model_type || coalesce(', ' || nullif(inputs, ''), '') FROM ml_models() ORDER BY 1")
}

// quoted writes a name as SQL needs it.
func quoted(column string) string {
	return "CASE WHEN regexp_full_match(" + column + ", '[A-Za-z_][A-Za-z0-9_]*') AND lower(" + column +
		") NOT IN (SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved') THEN " + column +
		" ELSE '\"' || replace(" + column + ", '\"', '\"\"') || '\"' END"
}

// named gives the names of a query, with a note from its second column.
func (p *place) named(ctx context.Context, start int, query string) (list []shell.Suggestion) {
	typed := p.text[start:]
	for _, r := range p.Rows(ctx, query) {
		list = append(list, shell.Suggestion{Text: r[0], Note: r[1]})
	}
	if found := matching(typed, start, list); len(found) > 0 || !strings.ContainsAny(typed, "\"`") {
		return found
	}
	found := list[:0] // names that need no quotes were begun with one, or by another kind
	for _, c := range list {
		if len(matching(unquoted(typed), start, plain(unquoted(c.Text)))) > 0 {
			c.Start = start
			found = append(found, c)
		}
	}
	return found
}

func unquoted(name string) string { return strings.NewReplacer(`"`, "", "`", "").Replace(name) }

// behindConnection gives the connections.
func (p *place) behindConnection(context.Context) []shell.Suggestion {
	at := connectionStart.FindStringSubmatchIndex(p.text)
	if at == nil {
		return nil
	}
	list := plain("DEFAULT")
	for _, c := range p.Connections {
		switch {
		case c == "default":
		case plainName.MatchString(c):
			list = append(list, shell.Suggestion{Text: c})
		default:
			list = append(list, shell.Suggestion{Text: "`" + c + "`"})
		}
	}
	return matching(p.text[at[2]:], at[2], list)
}

var plainName = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// relations lists tables, views and object tables, the last first where objects are wanted.
const relations = `SELECT CASE schema_name WHEN current_schema() THEN '' ELSE SCHEMA || '.' END || NAME, kind FROM (
  SELECT database_name, schema_name, table_name AS name, '' AS kind FROM duckdb_tables() WHERE NOT internal
  UNION ALL SELECT database_name, schema_name, view_name, CASE WHEN sql LIKE '%.mallard_objects(%' THEN 'objects' ELSE 'view' END
    FROM duckdb_views() WHERE NOT internal AND sql NOT LIKE '% AS mallard_model,%' AND view_name NOT LIKE '%()')
  WHERE database_name = current_database() AND NOT starts_with(name, 'bigquery_metadata') AND NOT starts_with(name, 'mallard_metadata')
  ORDER BY kind <> 'objects', schema_name <> current_schema(), 1`

var aboutObjects = regexp.MustCompile(`(?i)\b(ML\.DECODE_IMAGE|OBJ\.\w+|object_bytes)\s*\(`)

// behindTable gives what a call of ours may read, and in a query about images or objects what it may: object tables first.
func (p *place) behindTable(ctx context.Context) []shell.Suggestion {
	at := tableStart.FindStringSubmatchIndex(p.text)
	if at == nil {
		return nil
	}
	inCall := false
	if n := len(p.calls); n > 0 {
		f, ok := functiontable.Named(p.calls[n-1].name)
		inCall = ok && (f.Kind == functiontable.Model || f.Kind == functiontable.Table)
	}
	switch {
	case strings.EqualFold(p.text[at[2]:at[3]], "TABLE"):
		if !inCall {
			return nil
		}
	case !aboutObjects.MatchString(p.query()):
		return nil
	}
	return p.named(ctx, at[4], strings.NewReplacer("SCHEMA", quoted("schema_name"), "NAME", quoted("name")).Replace(relations))
}

// query is the innermost query up to the cursor.
func (p *place) query() string {
	for i := len(p.calls) - 1; i >= 0; i-- {
		if inner := p.text[p.calls[i].inside:]; queryStart.MatchString(inner) {
			return inner
		}
	}
	return p.text
}

var queryStart = regexp.MustCompile(`(?i)^\s*(SELECT|WITH|FROM)\b`)

// beginnings are statements of ours, by the words before the one that is typed; a word stands for its beginning.
var beginnings = []struct {
	before *regexp.Regexp
	words  []string
}{
	{regexp.MustCompile(`(?i)^\s*SHOW\s+(\w*)$`), []string{"MODELS"}},
	{regexp.MustCompile(`(?i)^\s*SHOW\s+MODELS\s+(\w*)$`), []string{"FROM ", "LIKE '"}},
	{regexp.MustCompile(`(?i)^\s*(?:DESCRIBE|DESC|DROP|ALTER|EXPORT)\s+(\w*)$`), []string{"MODEL "}},
	{regexp.MustCompile(`(?i)^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(\w*)$`), []string{"MODEL ", "EXTERNAL TABLE "}},
	{regexp.MustCompile(`(?i)^\s*EXPLAIN\s+(\w*)$`), []string{"ML "}},
	{regexp.MustCompile(`(?i)^\s*CREATE\s+(?:OR\s+REPLACE\s+)?MODEL\s+(?:IF\s+NOT\s+EXISTS\s+)?[^\s(]+\s+(\w*)$`),
		[]string{"OPTIONS(", "REMOTE WITH CONNECTION ", "INPUT("}},
	{regexp.MustCompile(`(?i)\bREMOTE\s+WITH\s+CONNECTION\s+[^\s(]+\s+(\w*)$`), []string{"OPTIONS("}},
	{regexp.MustCompile(`(?i)^\s*CREATE\s+(?:OR\s+REPLACE\s+)?EXTERNAL\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?[^\s(]+\s+(\w*)$`),
		[]string{"OPTIONS(", "WITH CONNECTION "}},
	{regexp.MustCompile(`(?i)\bEXTERNAL\s+TABLE\s.*\bWITH\s+CONNECTION\s+[^\s(]+\s+(\w*)$`), []string{"OPTIONS("}},
	{regexp.MustCompile(`(?i)^\s*ALTER\s+MODEL\s+[^\s(]+\s+(\w*)$`), []string{"SET OPTIONS(", "RENAME TO "}},
}

// words gives the next word of a statement of ours, and what DuckDB knows besides where a word may be one of its.
func (p *place) words(ctx context.Context) []shell.Suggestion {
	for _, b := range beginnings {
		at := b.before.FindStringSubmatchIndex(p.text)
		if at == nil {
			continue
		}
		list := matching(p.text[at[2]:], at[2], plain(b.words...))
		if len(list) == 0 || strings.Contains(b.words[0], "OPTIONS(") || strings.Contains(b.words[0], "FROM") {
			return list
		}
		for _, o := range p.others(ctx) {
			if o.Start == at[2] && !slices.ContainsFunc(list, func(s shell.Suggestion) bool {
				return strings.EqualFold(strings.TrimSpace(s.Text), strings.TrimSpace(o.Text))
			}) {
				list = append(list, o)
			}
		}
		return list
	}
	return nil
}

var lastQuery = regexp.MustCompile(`(?is).*\(\s*((?:(?:SELECT|WITH|FROM)\b.*|\w*))$`)

var lastWord = regexp.MustCompile(`[\w"]*$`)

// others gives what DuckDB suggests for the innermost query; where it knows nothing, names of the database with the same letters.
func (p *place) others(ctx context.Context) (list []shell.Suggestion) {
	first := 0
	if at := lastQuery.FindStringSubmatchIndex(p.text); at != nil {
		first = at[2]
	}
	word := lastWord.FindStringIndex(p.text)[0]
	typed := p.text[word:]
	for _, r := range p.Rows(ctx, "SELECT suggestion, suggestion_start FROM sql_auto_complete("+quote.Text(p.text[first:])+
		") WHERE suggestion NOT LIKE 'bigquery_metadata%' AND suggestion NOT LIKE 'mallard_metadata%'") {
		start, err := strconv.Atoi(r[1])
		if err != nil {
			continue
		}
		list = append(list, shell.Suggestion{Text: r[0], Start: first + start})
	}
	if goesOn(typed, list) || len(typed) < 2 {
		return list
	}
	var names []shell.Suggestion
	for _, name := range functiontable.Names() {
		names = append(names, shell.Suggestion{Text: name + "("})
	}
	for _, r := range p.Rows(ctx, "SELECT name, '' FROM (SELECT "+quoted("table_name")+" AS name FROM duckdb_tables() WHERE NOT internal "+
		"UNION SELECT "+quoted("view_name")+" FROM duckdb_views() WHERE NOT internal UNION SELECT "+quoted("column_name")+
		" FROM duckdb_columns() WHERE NOT internal) ORDER BY 1") {
		if !strings.HasPrefix(r[0], "bigquery_metadata") && !strings.HasPrefix(r[0], "mallard_metadata") {
			names = append(names, shell.Suggestion{Text: r[0]})
		}
	}
	if found := matching(typed, word, names); len(found) > 0 {
		return found
	}
	return list
}
