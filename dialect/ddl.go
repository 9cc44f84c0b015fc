package dialect

import "strings"

// create translates CREATE SCHEMA, TABLE and VIEW.
func (t *translator) create() {
	t.i++
	replace := t.accept("OR", "REPLACE")
	temp := t.accept("TEMP") || t.accept("TEMPORARY")
	kindTok := t.at(0)
	switch w := t.word(0); w {
	case "SCHEMA":
		if replace || temp {
			t.must(t.expected("TABLE, VIEW or MODEL"))
		}
		t.i++
		t.accept("IF", "NOT", "EXISTS")
		t.schemaPath()
		if t.isWord(0, "DEFAULT") {
			t.refuse(Span{t.at(0).Pos, t.at(1).End}, "DEFAULT COLLATE", "")
		}
		t.dropOptions(schemaOptions, "a schema")
	case "TABLE":
		t.i++
		t.accept("IF", "NOT", "EXISTS")
		t.tablePath()
		t.createTable()
	case "VIEW":
		t.i++
		t.accept("IF", "NOT", "EXISTS")
		t.tablePath()
		if t.isPunct(0, '(') {
			t.nameList(func() { t.dropOptions(columnOptions, "a column") })
		}
		t.dropOptions(tableOptions, "a view")
		t.must(t.expect("AS"))
		t.query(false)
	default:
		if w == "" {
			t.must(t.expected("TABLE, VIEW, SCHEMA or MODEL"))
		}
		t.refuse(kindTok.Span, "CREATE "+w, "")
	}
}

func (t *translator) schemaPath() {
	p, err := t.path()
	t.must(err)
	t.writePath(p, 2)
}

// nameList reads ( name, … ) with something behind each name.
func (t *translator) nameList(behind func()) []string {
	t.must(t.expectPunct('('))
	var names []string
	for {
		names = append(names, t.newName())
		if behind != nil {
			behind()
		}
		if t.acceptPunct(')') {
			return names
		}
		if !t.acceptPunct(',') {
			t.must(t.expected(`"," or ")"`))
		}
	}
}

func (t *translator) createTable() {
	for _, w := range []string{"LIKE", "COPY", "CLONE", "DEFAULT"} {
		if t.isWord(0, w) {
			t.refuse(t.at(0).Span, "CREATE TABLE … "+w, "")
		}
	}
	columns := false
	if t.isPunct(0, '(') {
		columns = true
		open := t.at(0)
		t.columnDefs()
		if t.isWord(0, "AS") {
			t.refuse(open.Span, "a column list before AS", "Cast and name the columns in the query")
		}
	}
	if t.isWord(0, "PARTITION") || t.isWord(0, "CLUSTER") {
		t.refuse(Span{t.at(0).Pos, t.at(1).End}, t.word(0)+" BY", "DuckDB has no such storage clause; leave it out")
	}
	t.dropOptions(tableOptions, "a table")
	if t.accept("AS") {
		t.query(false)
	} else if !columns {
		t.must(t.expected(`"(" or AS`))
	}
}

// columnDefs reads ( name type [NOT NULL] [OPTIONS(…)], … ).
func (t *translator) columnDefs() {
	t.must(t.expectPunct('('))
	for {
		for _, w := range []string{"PRIMARY", "FOREIGN", "CONSTRAINT"} {
			if t.isWord(0, w) && t.at(1).kind == kindWord && typeNames[t.word(1)] == "" {
				t.refuse(t.at(0).Span, w+" in a column list", "BigQuery does not enforce it; leave it out")
			}
		}
		t.newName()
		t.writeType()
		t.accept("NOT", "NULL")
		t.dropOptions(columnOptions, "a column")
		if t.at(0).kind == kindWord {
			t.refuse(t.at(0).Span, t.word(0)+" on a column", "")
		}
		if t.isPunct(0, ',') && t.isPunct(1, ')') {
			t.edits.replace(t.at(0).Span, "")
			t.i++
		}
		if t.acceptPunct(')') {
			return
		}
		if !t.acceptPunct(',') {
			t.must(t.expected(`"," or ")"`))
		}
	}
}

// Options that only describe, so that dropping them changes no result.
var (
	schemaOptions = wordSet(`location description friendly_name labels tags default_table_expiration_days default_partition_expiration_days
		max_time_travel_hours storage_billing_model default_kms_key_name`)
	tableOptions  = wordSet("description friendly_name labels tags kms_key_name")
	columnOptions = wordSet("description")
)

// dropOptions removes OPTIONS(…) when all its options only describe.
func (t *translator) dropOptions(known map[string]bool, of string) {
	if !t.isWord(0, "OPTIONS") {
		return
	}
	from := t.i
	t.i++
	list, err := t.options()
	t.must(err)
	for _, o := range list {
		if !known[strings.ToLower(o.Name)] {
			t.refuse(o.Span, "the option "+o.Name+" of "+of, "Leave it out: DuckDB would not follow it")
		}
	}
	t.cut(from)
}

// drop translates DROP SCHEMA, TABLE and VIEW.
func (t *translator) drop() {
	t.i++
	switch w := t.word(0); w {
	case "SCHEMA":
		t.i++
		t.accept("IF", "EXISTS")
		t.schemaPath()
		if !t.accept("CASCADE") {
			t.accept("RESTRICT")
		}
	case "TABLE", "VIEW":
		t.i++
		t.accept("IF", "EXISTS")
		t.tablePath()
	default:
		if w == "" {
			t.must(t.expected("TABLE, VIEW, SCHEMA or MODEL"))
		}
		t.refuse(t.at(0).Span, "DROP "+w, "")
	}
}

// insert translates INSERT [INTO] path [(columns)] {VALUES …|query}.
func (t *translator) insert() {
	t.i++
	if !t.accept("INTO") {
		t.edits.insertAfter(t.at(-1).End, " INTO")
	}
	t.tablePath()
	if t.isPunct(0, '(') && !t.startsQuery(1) {
		t.nameList(nil)
	}
	if !t.accept("VALUES") {
		t.query(false)
		return
	}
	for {
		t.must(t.expectPunct('('))
		for {
			if !t.accept("DEFAULT") {
				t.expr()
			}
			if t.acceptPunct(')') {
				break
			}
			if !t.acceptPunct(',') {
				t.must(t.expected(`"," or ")"`))
			}
		}
		if !t.acceptPunct(',') {
			return
		}
	}
}

// startsQuery reports whether a query starts n tokens on, perhaps in brackets of its own.
func (t *translator) startsQuery(n int) bool {
	for most := n + maxDepth; n <= most && t.isPunct(n, '('); n++ { // deeper ones are refused anyway
	}
	return t.isWord(n, "SELECT") || t.isWord(n, "WITH")
}

// delete translates DELETE [FROM] path [alias] WHERE ….
func (t *translator) delete() {
	t.i++
	if !t.accept("FROM") {
		t.edits.insertAfter(t.at(-1).End, " FROM")
	}
	s := t.enter()
	s.add(t.target())
	t.must(t.expect("WHERE"))
	t.expr()
	t.leave()
}

// target reads the table that a statement changes and gives the name its columns are known by.
func (t *translator) target() string {
	p := t.tablePath()
	if name, ok := t.alias(); ok {
		return name
	}
	return p.Parts[len(p.Parts)-1]
}

// update translates UPDATE path [alias] SET column = expression, … [FROM …] WHERE ….
func (t *translator) update() {
	t.i++
	s := t.enter()
	s.add(t.target())
	t.must(t.expect("SET"))
	for {
		name := t.at(0)
		t.identifier()
		if t.isPunct(0, '.') {
			t.refuse(Span{name.Pos, t.at(0).End}, "SET of a qualified name or a field", "Name the column alone")
		}
		t.must(t.expectPunct('='))
		if !t.accept("DEFAULT") {
			t.expr()
		}
		if !t.acceptPunct(',') {
			break
		}
	}
	if t.accept("FROM") {
		t.from()
	}
	t.must(t.expect("WHERE"))
	t.expr()
	t.leave()
}
