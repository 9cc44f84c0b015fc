package dialect

import (
	"strings"
)

// Parse reads one statement of src. Positions in the node are offsets in src. An error is an *[Error].
func Parse(src string, st Statement) (Node, error) {
	n, err := parse(src, st)
	if err != nil {
		return nil, err
	}
	return n, nil
}

func parse(src string, st Statement) (Node, *Error) {
	if s := Control(src, st); s != nil {
		return s, nil
	}
	p := newParser(src, st)
	switch p.word(0) {
	case "CREATE":
		if st.Lang == GoogleSQL && makesProcedure(p) {
			return &Query{Span: st.Span, Lang: st.Lang, Verb: ProcedureVerb}, nil
		}
		return p.create(st)
	case "DROP":
		switch {
		case p.accept("DROP", "MODEL"):
			return p.dropModel(st)
		case p.accept("DROP", "EXTERNAL", "TABLE"):
			return p.dropExternalTable(st)
		}
	case "ALTER":
		if p.accept("ALTER", "MODEL") {
			return p.alterModel(st)
		}
	case "EXPORT":
		if p.words("EXPORT", "MODEL") && len(p.toks) > 2 {
			p.accept("EXPORT", "MODEL")
			return p.exportModel(st)
		}
	case "IMPORT":
		if t := p.at(2); p.words("IMPORT", "DATABASE") && t.kind == kindString && len(p.toks) == 3 {
			if dir, err := decodeString(src, t, st.Lang); err == nil {
				return &ImportDatabase{Span: st.Span, Dir: dir}, nil
			}
		}
	case "CALL":
		if p.words("CALL", "BQ") && p.isPunct(2, '.') && p.isWord(3, "REFRESH_EXTERNAL_METADATA_CACHE") && p.isPunct(4, '(') {
			return p.refreshMetadata(st)
		}
	case "EXPLAIN":
		if p.isWord(1, "ML") {
			switch p.word(2) {
			case "SELECT", "WITH", "FROM", "CREATE", "INSERT":
				return &Estimate{Span: st.Span, Query: Span{p.at(2).Pos, st.End}}, nil
			}
			if p.isPunct(2, '(') {
				return &Estimate{Span: st.Span, Query: Span{p.at(2).Pos, st.End}}, nil
			}
		}
	case "SHOW":
		if p.accept("SHOW", "MODELS") {
			return p.showModels(st)
		}
	case "DESCRIBE", "DESC":
		// Alone, DESCRIBE MODEL asks DuckDB about a table of that name.
		if p.isWord(1, "MODEL") && len(p.toks) > 2 && !p.isPunct(2, '.') {
			p.i += 2
			name, err := p.modelName()
			if err != nil {
				return nil, err
			}
			return &DescribeModel{Span: st.Span, Name: name}, p.expectEnd()
		}
	}
	return p.query(st)
}

// create reads CREATE MODEL and CREATE EXTERNAL TABLE; any other CREATE is a query.
func (p *parser) create(st Statement) (Node, *Error) {
	mark := p.i
	p.i++
	replace := p.accept("OR", "REPLACE")
	scope := p.at(0)
	scoped := false
	switch p.word(0) {
	case "TEMP", "TEMPORARY", "PUBLIC", "PRIVATE":
		scoped = true
		p.i++
	}
	switch {
	case p.words("MODEL"):
		if scoped {
			return nil, errorf(scope.Span, "CREATE %s MODEL is not supported", strings.ToUpper(p.text(scope))).hint("Write CREATE MODEL")
		}
		p.i++
		m := &CreateModel{Span: st.Span, OrReplace: replace}
		return m, p.createModel(m)
	case p.words("EXTERNAL", "TABLE") && !p.readsFiles():
		if scoped {
			return nil, errorf(scope.Span, "CREATE %s EXTERNAL TABLE is not supported",
				strings.ToUpper(p.text(scope))).hint("Write CREATE EXTERNAL TABLE")
		}
		p.i += 2
		t := &CreateExternalTable{Span: st.Span, OrReplace: replace}
		return t, p.createExternalTable(t)
	}
	p.i = mark
	return p.query(st)
}

// readsFiles reports whether a CREATE EXTERNAL TABLE is one over files, which the analyzer reads, and not an object table: its OPTIONS have
// a format.
func (p *parser) readsFiles() bool {
	if p.sql != GoogleSQL {
		return false
	}
	for n := 2; p.i+n < len(p.toks); n++ {
		if p.isWord(n, "FORMAT") && p.isPunct(n+1, '=') && (p.isPunct(n-1, '(') || p.isPunct(n-1, ',')) {
			return true
		}
	}
	return false
}

func (p *parser) modelName() (Path, *Error) {
	name, err := p.path()
	if err == nil && len(name.Parts) > 3 {
		err = errorf(name.Span, "invalid model name `%s`: it has %d parts", name,
			len(name.Parts)).hint("A model is named model, dataset.model or project.dataset.model")
	}
	return name, err
}

func (p *parser) ifNotExists(what string, replace bool) (bool, *Error) {
	at := p.at(0)
	if !p.accept("IF", "NOT", "EXISTS") {
		return false, nil
	}
	if replace {
		return false, errorf(Span{at.Pos, p.at(-1).End}, "CREATE %s cannot have both OR REPLACE and IF NOT EXISTS",
			what).hint("Keep one of the two")
	}
	return true, nil
}

func (p *parser) createModel(m *CreateModel) (err *Error) {
	if m.IfNotExists, err = p.ifNotExists("MODEL", m.OrReplace); err != nil {
		return err
	}
	if m.Name, err = p.modelName(); err != nil {
		return err
	}
	if p.accept("INPUT") {
		if m.Input, err = p.columns(); err != nil {
			return err
		}
		if err = p.expect("OUTPUT"); err != nil {
			return err
		}
		if m.Output, err = p.columns(); err != nil {
			return err
		}
	}
	if p.isWord(0, "TRANSFORM") {
		return errorf(p.at(0).Span, "the TRANSFORM clause is not supported: Mallard does not train models").hint("Compute the columns in the " +
			"query that ML.PREDICT reads")
	}
	if p.accept("REMOTE") {
		m.Remote = true
	}
	if p.isWord(0, "WITH") {
		if !m.Remote {
			return errorf(p.at(0).Span, "WITH CONNECTION clause can be specified only for remote models").hint("Write REMOTE WITH CONNECTION")
		}
		if m.Connection, m.DefaultConnection, err = p.withConnection(); err != nil {
			return err
		}
	}
	if p.accept("OPTIONS") {
		if m.Options, err = p.options(); err != nil {
			return err
		}
	}
	if p.isWord(0, "AS") {
		return errorf(p.at(0).Span, "the AS SELECT clause is not supported: Mallard does not train models").hint("Import a trained model with " +
			"OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='…')")
	}
	return p.expectEnd()
}

// withConnection reads WITH CONNECTION {path | DEFAULT}.
func (p *parser) withConnection() (*Path, bool, *Error) {
	if err := p.expect("WITH", "CONNECTION"); err != nil {
		return nil, false, err
	}
	if p.accept("DEFAULT") {
		return nil, true, nil
	}
	c, err := p.path()
	if err != nil {
		return nil, false, err
	}
	if len(c.Parts) > 3 {
		return nil, false, errorf(c.Span, "invalid connection name `%s`: it has %d parts", c,
			len(c.Parts)).hint("A connection is named connection, location.connection or project.location.connection")
	}
	return &c, false, nil
}

// columns reads ( name type, … ); a comma at the end is accepted, as GoogleSQL does here.
func (p *parser) columns() ([]ColumnDef, *Error) {
	if err := p.expectPunct('('); err != nil {
		return nil, err
	}
	list := []ColumnDef{}
	for !p.acceptPunct(')') {
		at := p.at(0).Span
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if strings.EqualFold(c.Name, name) {
				return nil, errorf(at, "Duplicate column name %s", name)
			}
		}
		t, err := p.columnType()
		if err != nil {
			return nil, err
		}
		list = append(list, ColumnDef{Span: p.since(at.Pos), Name: name, Type: t})
		if w := p.at(0); w.kind == kindWord {
			return nil, errorf(w.Span, "Syntax error: Element list contains unexpected constraint")
		}
		if !p.isPunct(0, ')') && !p.acceptPunct(',') {
			return nil, p.expected(`"," or ")"`)
		}
	}
	if len(list) == 0 {
		return nil, errorf(p.at(-1).Span, "Syntax error: Expected a column but got \")\"")
	}
	return list, nil
}

func (p *parser) dropModel(st Statement) (Node, *Error) {
	m := &DropModel{Span: st.Span, IfExists: p.accept("IF", "EXISTS")}
	var err *Error
	if m.Name, err = p.modelName(); err != nil {
		return nil, err
	}
	return m, p.expectEnd()
}

func (p *parser) exportModel(st Statement) (Node, *Error) {
	m := &ExportModel{Span: st.Span}
	var err *Error
	if m.Name, err = p.modelName(); err != nil {
		return nil, err
	}
	if err = p.expect("OPTIONS"); err != nil {
		return nil, err
	}
	if m.Options, err = p.options(); err != nil {
		return nil, err
	}
	return m, p.expectEnd()
}

func (p *parser) alterModel(st Statement) (Node, *Error) {
	m := &AlterModel{Span: st.Span, IfExists: p.accept("IF", "EXISTS")}
	var err *Error
	if m.Name, err = p.modelName(); err != nil {
		return nil, err
	}
	if err = p.expect("SET", "OPTIONS"); err != nil {
		return nil, err
	}
	if m.Options, err = p.options(); err != nil {
		return nil, err
	}
	return m, p.expectEnd()
}

func (p *parser) showModels(st Statement) (Node, *Error) {
	m := &ShowModels{Span: st.Span}
	if p.accept("FROM") || p.accept("IN") {
		from, err := p.path()
		if err != nil {
			return nil, err
		}
		m.From = &from
	}
	if p.accept("LIKE") {
		t := p.at(0)
		if t.kind != kindString && (t.kind != kindQuoted || p.sql == GoogleSQL) {
			return nil, p.expected("a string")
		}
		s, err := decodeString(p.src, t, p.sql)
		if err != nil {
			return nil, err
		}
		p.i++
		m.Like, m.HasLike = s, true
	}
	return m, p.expectEnd()
}

func (p *parser) createExternalTable(t *CreateExternalTable) (err *Error) {
	if t.IfNotExists, err = p.ifNotExists("EXTERNAL TABLE", t.OrReplace); err != nil {
		return err
	}
	if t.Name, err = p.modelName(); err != nil {
		return err
	}
	if p.isPunct(0, '(') {
		return errorf(p.at(0).Span, "a column list is not supported: an object table has fixed columns").hint("Leave the column list out")
	}
	if p.words("WITH", "PARTITION") {
		return errorf(p.at(0).Span, "WITH PARTITION COLUMNS is not supported: an object table has fixed columns").hint("Leave the clause out")
	}
	if p.isWord(0, "WITH") {
		if t.Connection, t.DefaultConnection, err = p.withConnection(); err != nil {
			return err
		}
	}
	if err = p.expect("OPTIONS"); err != nil {
		return err
	}
	if t.Options, err = p.options(); err != nil {
		return err
	}
	return p.expectEnd()
}

func (p *parser) dropExternalTable(st Statement) (Node, *Error) {
	t := &DropExternalTable{Span: st.Span, IfExists: p.accept("IF", "EXISTS")}
	var err *Error
	if t.Name, err = p.modelName(); err != nil {
		return nil, err
	}
	return t, p.expectEnd()
}

// refreshMetadata reads CALL BQ.REFRESH_EXTERNAL_METADATA_CACHE ( 'path' [, [subdirectory, …]] ).
func (p *parser) refreshMetadata(st Statement) (Node, *Error) {
	p.i += 5
	t := p.at(0)
	if t.kind != kindString && (t.kind != kindQuoted || p.sql == GoogleSQL) {
		return nil, p.expected("a string with the name of a table")
	}
	s, err := decodeString(p.src, t, p.sql)
	if err != nil {
		return nil, err
	}
	p.i++
	r := &RefreshMetadata{Span: st.Span}
	if r.Table, err = textPath(s, t.Span); err != nil {
		return nil, err
	}
	if p.acceptPunct(',') {
		v, err := p.constant()
		if err != nil {
			return nil, err
		}
		strings := v.Kind == Array
		for _, item := range v.List {
			strings = strings && item.Kind == String
		}
		if !strings {
			return nil, errorf(v.Span, "the subdirectories of BQ.REFRESH_EXTERNAL_METADATA_CACHE are an array of strings").
				hint("Write ['gs://bucket/folder']")
		}
	}
	if err := p.expectPunct(')'); err != nil {
		return nil, err
	}
	return r, p.expectEnd()
}

// textPath splits the name of a table that stands in a string at its dots. Backticks around parts, or around all, are
// taken away.
func textPath(s string, at Span) (Path, *Error) {
	path := Path{Span: at}
	for _, part := range strings.Split(s, ".") {
		path.Parts = append(path.Parts, strings.TrimSpace(part))
	}
	if strings.Contains(s, "`") {
		// A backtick may only stand where a name starts or ends, and each needs its other one.
		open := false
		for i, part := range path.Parts {
			if rest, ok := strings.CutPrefix(part, "`"); ok && !open {
				part, open = rest, true
			}
			if rest, ok := strings.CutSuffix(part, "`"); ok && open {
				part, open = rest, false
			}
			path.Parts[i] = part
		}
		if open || strings.Contains(strings.Join(path.Parts, ""), "`") {
			return path, errorf(at, "invalid table name %q: its backticks do not pair up", s)
		}
	}
	for _, part := range path.Parts {
		if part == "" {
			return path, errorf(at, "invalid table name %q: a part of it is empty", s).hint("Write 'project.dataset.table' or 'dataset.table'")
		}
	}
	if n := len(path.Parts); n > 3 {
		return path, errorf(at, "invalid table name %q: it has %d parts", s, n).hint("Write 'project.dataset.table' or 'dataset.table'")
	}
	return path, nil
}
