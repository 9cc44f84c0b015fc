package dialect

import "strings"

// Lang is the lexical dialect of a text.
type Lang int

// The dialects.
const (
	Auto      Lang = iota // GoogleSQL when a backtick says so, else DuckDB; decided per statement
	DuckDB                // DuckDB's own
	GoogleSQL             // BigQuery's
)

// String is the name that the configuration uses: auto, duckdb or bigquery.
func (l Lang) String() string {
	switch l {
	case DuckDB:
		return "duckdb"
	case GoogleSQL:
		return "bigquery"
	}
	return "auto"
}

// Span is a range of bytes of a source text.
type Span struct{ Pos, End int }

// Statement is one statement of a text: without its semicolon, and without blanks and comments around it.
type Statement struct {
	Span
	Lang       Lang // never Auto
	Terminated bool // a semicolon follows
	Stop       int  // the end of the text with that semicolon
	// Data asks [Parse] for references to a bare data in expressions too, which may be a column like any other. [Split]
	// leaves it unset: set it when DuckDB knows no column of that name.
	Data bool
}

// Split cuts a text into its statements. It never fails: a literal or comment without its end reaches to the end of the text.
// Statements of nothing but blanks and comments are left out.
//
// A text whose first line is #standardSQL is GoogleSQL, as for BigQuery, unless lang is DuckDB.
func Split(src string, lang Lang) []Statement {
	var out []Statement
	lang = marked(src, lang)
	for pos := 0; pos < len(src); {
		s := scan(src, pos, lang)
		if s.End > s.Pos {
			out = append(out, s.Statement)
		}
		pos = s.next
	}
	return out
}

// complete reports whether a shell should run what it has: the text is blank, or its last statement is terminated and
// nothing but blanks and comments follow. An open string or comment is not complete.
func complete(src string, lang Lang) bool {
	read := marked(src, lang)
	empty := true
	for pos := 0; pos < len(src); {
		s := scan(src, pos, read)
		if s.open || s.End > s.Pos && !s.Terminated {
			return false
		}
		empty = empty && s.End == s.Pos
		pos = s.next
	}
	return !empty || read == lang // a marker waits for its statement
}

const marker = "#standardSQL"

// marked gives the dialect that the first line of a text asks for.
func marked(src string, lang Lang) Lang {
	first, _, _ := strings.Cut(strings.TrimLeft(src, " \t\r\n"), "\n")
	if lang == Auto && strings.EqualFold(strings.TrimSpace(first), marker) {
		return GoogleSQL
	}
	return lang
}

// Marker gives the line #standardSQL, with its end, for a text that begins with it and is read as it says.
func Marker(src string, lang Lang) string {
	if marked(src, lang) == lang {
		return ""
	}
	return marker + "\n"
}

// Parameters gives the places of the parameters in a text: ?, $1, $name and, in GoogleSQL, @name.
func Parameters(src string, lang Lang) []Span {
	var all []Span
	for _, st := range Split(src, lang) {
		l := lexer{src: src, pos: st.Pos, end: st.End, sql: st.Lang}
		for t, ok := l.next(); ok; t, ok = l.next() {
			if t.kind == kindParam && t.bad == "" && (t.Pos == 0 || src[t.Pos-1] != '@') { // no @@variable, and no hint @{…}
				all = append(all, t.Span)
			}
		}
	}
	return all
}

// Dates gives the places of the constants DATE '…' in a GoogleSQL text.
func Dates(src string) []Span {
	var all []Span
	l := lexer{src: src, end: len(src), sql: GoogleSQL}
	var before token
	for t, ok := l.next(); ok; t, ok = l.next() {
		if t.kind == kindString && before.kind == kindWord && strings.EqualFold(src[before.Pos:before.End], "DATE") {
			all = append(all, Span{before.Pos, t.End})
		}
		if t.kind != kindSpace && t.kind != kindComment {
			before = t
		}
	}
	return all
}

// scanned is one statement as it was cut.
type scanned struct {
	Statement
	next     int  // where the next statement starts
	open     bool // the text ends inside a string, quoted name or block comment
	backtick bool // a backtick stands outside strings, quoted names and comments
	broken   bool // a token of it has no end or no meaning
}

// scan cuts the statement at pos and decides its dialect.
func scan(src string, pos int, lang Lang) scanned {
	switch lang {
	case DuckDB:
		return cut(src, pos, DuckDB)
	case GoogleSQL:
		if d := cut(src, pos, DuckDB); !d.backtick && engineOnly(src, d.Statement) {
			if g := cut(src, pos, GoogleSQL); Assigns(src, d.Statement) && (!g.broken || g.open) { // its text may be one of GoogleSQL's
				g.Lang = DuckDB
				return g
			}
			return d
		}
		return cutBlock(src, pos)
	}
	d := cut(src, pos, DuckDB)
	if !d.backtick && !d.open {
		return d
	}
	g := cut(src, pos, GoogleSQL)
	// A text that DuckDB could not even lex, such as 'it\'s' or a comment "# it's", may still show its backtick to
	// GoogleSQL's rules.
	if d.backtick || g.backtick && !g.broken {
		return cutBlock(src, pos)
	}
	return d
}

// engineCommands start statements that only DuckDB has, so they are read by its rules under dialect = "bigquery" too.
var engineCommands = map[string]bool{
	"ATTACH": true, "CHECKPOINT": true, "COPY": true, "DESCRIBE": true, "DESC": true, "DETACH": true, "EXPORT": true,
	"IMPORT": true, "INSTALL": true, "LOAD": true, "PRAGMA": true, "RESET": true, "SET": true, "SHOW": true, "SUMMARIZE": true,
	"USE": true, "VACUUM": true,
}

func engineOnly(src string, st Statement) bool {
	l := lexer{src: src, pos: st.Pos, end: st.End, sql: DuckDB}
	t, ok := l.next()
	if !ok || t.kind != kindWord || !engineCommands[strings.ToUpper(src[t.Pos:t.End])] {
		return false
	}
	for t, ok = l.next(); ok && (t.kind == kindSpace || t.kind == kindComment); {
		t, ok = l.next()
	}
	return !ok || !strings.EqualFold(src[t.Pos:t.End], "DATA") // EXPORT DATA and LOAD DATA are GoogleSQL's
}

// cutBlock reads one statement of GoogleSQL: a block of the procedural language has semicolons inside.
func cutBlock(src string, pos int) scanned {
	g := cut(src, pos, GoogleSQL)
	end, open, ok := block(src, g.Pos)
	if !ok || end <= g.End {
		return g
	}
	g.End, g.Stop, g.next, g.Terminated, g.open = end, end, end, false, g.open || open
	if rest := cut(src, end, GoogleSQL); rest.Terminated && rest.End == rest.Pos {
		g.Stop, g.next, g.Terminated = rest.Stop, rest.next, true
	}
	return g
}

// cut reads one statement by the rules of one dialect.
func cut(src string, pos int, sql Lang) scanned {
	l := lexer{src: src, pos: pos, end: len(src), sql: sql}
	s := scanned{Statement: Statement{Span: Span{pos, pos}, Lang: sql}}
	started := false
	for {
		t, ok := l.next()
		if !ok {
			break
		}
		if t.bad != "" {
			s.broken = true
			s.open = s.open || t.End == len(src) && t.kind != kindWord && t.kind != kindPunct && t.kind != kindParam
		}
		// A comment without its end is part of the statement, so that what it swallows is not passed over: reading it fails.
		if t.kind == kindSpace || t.kind == kindComment && t.bad == "" {
			continue
		}
		if t.kind == kindPunct && src[t.Pos] == ';' {
			s.Terminated, s.Stop = true, t.End
			break
		}
		if src[t.Pos] == '`' {
			s.backtick = true
		}
		if !started {
			started = true
			s.Pos = t.Pos
		}
		s.End = t.End
	}
	if !started {
		s.Pos, s.End = l.pos, l.pos
	}
	if !s.Terminated {
		s.Stop = s.End
	}
	s.next = l.pos
	return s
}
