// Package translator turns a GoogleSQL statement into one of DuckDB's: it asks a database for the tables that the statement
// names, Google's analyzer for what the statement means, and package writer for the text.
package translator

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/writer"
)

// Database tells what the names of a statement stand for.
type Database interface {
	// Table describes a table or view by its path, as the statement writes it. An error that wraps [ErrNotFound] leaves it to
	// the analyzer to say that the table is not there.
	Table(ctx context.Context, path []string) (Table, error)
	// Routine describes a function of the user's by its path, as the statement writes it. An error that wraps [ErrNotFound]
	// leaves it to the analyzer to say that it is not there.
	Routine(ctx context.Context, path []string) (*writer.Routine, error)
	// Place gives the name in DuckDB of something that the statement makes, changes or drops.
	Place(ctx context.Context, path []string) (string, error)
	// Export gives the file of a URI that EXPORT DATA writes. The star of a URI is the number of the file.
	Export(uri string, overwrite bool) (string, error)
	// Definition gives the columns of a table as CREATE TABLE defines them, in brackets; "" for what is none.
	Definition(ctx context.Context, path []string) (string, error)
	// Value computes an expression of DuckDB's.
	Value(ctx context.Context, sql string) (any, error)
	// Function gives the name under which the statement sees a native function (package functions/googlesql).
	Function(name string) string
	// Variables gives the variables that a script has declared, and @@variables.
	Variables() []Variable
}

// Variable is a variable of a script, or with System an @@variable, whose name may have dots.
type Variable struct {
	Name   string
	Type   googlesql.Type
	Expr   string // its value in DuckDB
	System bool
}

// ErrNotFound says that no table has the path.
var ErrNotFound = errors.New("no such table")

// Table is a table of the database.
type Table struct {
	From     string   // its text in a FROM clause
	Columns  []Column // without those whose types GoogleSQL lacks
	Snapshot bool     // it cannot be changed
}

// Column is a column of a table.
type Column struct {
	Name string
	Type googlesql.Type
	Expr string // its value as Type.DuckDB: the name, or a cast of it

	Digits writer.Digits // of a number as the table keeps it

	Pseudo bool // it is no part of SELECT *
}

// Translator translates statements. It may be used by several goroutines.
type Translator struct{ analyzer *analyzer.Analyzer }

// New makes a translator over a service.
func New(ctx context.Context, s analyzer.Service) (*Translator, error) {
	a, err := analyzer.New(ctx, s)
	if err != nil {
		return nil, err
	}
	return &Translator{a}, nil
}

// Syntax says what of a statement cannot be read, whatever its names mean. The error is an *[analyzer.Error].
func (t *Translator) Syntax(ctx context.Context, sql string) error {
	_, err := t.analyzer.Tables(ctx, sql)
	var wrong *analyzer.Error
	if errors.As(err, &wrong) && wrong.Line > 0 {
		wrong.Pos = offset(sql, wrong.Line, wrong.Col)
	}
	return err
}

// Statement is what became of a statement.
type Statement struct {
	*writer.Written
	Pieces []writer.Piece // of DuckDB's SQL
}

// Translate translates one statement. An error is an *[analyzer.Error] for a statement that is wrong, a *[writer.Error] for
// one that has no counterpart, or the database's.
//
// Constructs stand in order of position, outer ones before those inside them.
func (t *Translator) Translate(ctx context.Context, sql string, constructs []Construct, db Database, p analyzer.Parameters) (*Statement,
	error) {
	e := edit(sql, constructs)
	s, err := t.translate(ctx, e.text, constructs, db, p)
	var wrong *analyzer.Error
	var unsupported *writer.Error
	switch {
	case errors.As(err, &wrong):
		if wrong.Line > 0 {
			wrong.Pos = e.source(offset(e.text, wrong.Line, wrong.Col))
		}
	case errors.As(err, &unsupported):
		if unsupported.End > 0 {
			unsupported.Pos, unsupported.End = e.source(unsupported.Pos), e.source(unsupported.End)
		}
	case err == nil:
		for i := range s.Reads {
			s.Reads[i].Pos, s.Reads[i].End = e.source(s.Reads[i].Pos), e.source(s.Reads[i].End)
		}
		for _, c := range s.Changes { // the text of a view, without what stands for constructs
			if at := strings.LastIndex(e.text, c.Value.Query); at >= 0 && c.Value.Query != "" {
				c.Value.Query = strings.TrimSpace(sql[e.source(at):e.source(at+len(c.Value.Query))])
			}
		}
	}
	return s, err
}

func (t *Translator) translate(ctx context.Context, sql string, constructs []Construct, db Database, p analyzer.Parameters) (*Statement,
	error) {
	l := &lookup{t: t, db: db, catalog: &analyzer.Catalog{}, asked: map[string]bool{}, seen: map[string]bool{}}
	l.names = writer.Names{
		Text:     sql,
		Function: db.Function, Parameters: p.Names, Constructs: declare(l.catalog, constructs), Export: db.Export,
		Place:      func(path []string) (string, error) { return db.Place(ctx, path) },
		Definition: func(path []string) (string, error) { return db.Definition(ctx, path) },
		Value:      func(sql string) (any, error) { return db.Value(ctx, sql) },
	}
	others := l.variables(&p, named(sql))
	if err := l.tables(ctx, sql); err != nil {
		return nil, err
	}
	if m := altered.FindStringSubmatch(sql); m != nil { // whose table the analyzer does not name
		path := pathOf(m[1])
		if err := l.table(ctx, path); err != nil {
			return nil, err
		}
		if loads.MatchString(sql) && !slices.ContainsFunc(l.names.Tables, func(t writer.Table) bool { return slices.Equal(t.Path, path) }) {
			l.catalog.Tables = append(l.catalog.Tables, analyzer.Table{Path: path})
			l.names.Tables = append(l.names.Tables, writer.Table{Path: path, Missing: true})
		}
	}
	resolved, err := t.analyzer.Analyze(ctx, sql, l.catalog, p)
	var wrong *analyzer.Error
	if errors.As(err, &wrong) && len(others) > 0 { // the analyzer advises a name that is like a wrong one
		l.catalog.Constants = append(l.catalog.Constants, others...)
		if resolved, err = t.analyzer.Analyze(ctx, sql, l.catalog, p); err == nil {
			wrong = nil
		}
	}
	if errors.As(err, &wrong) && missing.MatchString(wrong.Message) {
		found, lookErr := l.routines(ctx, sql)
		if lookErr != nil {
			return nil, lookErr
		}
		if l.catalog.Inline && slices.ContainsFunc(constructs, func(c Construct) bool { return c.Query != "" }) {
			return nil, &writer.Error{What: "a table function of the user's in one statement with those of ML and AI"}
		}
		if found {
			resolved, err = t.analyzer.Analyze(ctx, sql, l.catalog, p)
		}
	}
	if errors.As(err, &wrong) {
		if refusal := lacking(sql, wrong); refusal != nil {
			return nil, refusal
		}
		wrong.Message = invalid(wrong.Message, constructs)
	}
	if err != nil {
		return nil, err
	}
	w, err := writer.Statement(resolved, l.names)
	if err != nil {
		return nil, err
	}
	return &Statement{w, writer.Pieces(w.SQL)}, nil
}

// named reports whether a statement may name a variable.
func named(sql string) func(name string) bool {
	if strings.ContainsRune(sql, '\\') { // names in backticks have escapes
		return func(string) bool { return true }
	}
	text := strings.ToLower(sql)
	return func(name string) bool { return strings.Contains(text, strings.ToLower(name)) }
}

// variables puts the variables that the statement may name into the catalog: with all of them a script of many would take time by
// the square. It gives the others.
func (l *lookup) variables(p *analyzer.Parameters, named func(string) bool) (others []googlesql.Field) {
	for _, v := range l.db.Variables() {
		f := googlesql.Field{Name: v.Name, Type: v.Type}
		switch {
		case v.System:
			p.System = append(p.System, f)
		case named(v.Name):
			l.catalog.Constants = append(l.catalog.Constants, f)
		default:
			others = append(others, f)
		}
		l.names.Variables = append(l.names.Variables, writer.Variable{Name: v.Name, Expr: v.Expr, System: v.System})
	}
	return others
}

// tables puts the tables that a statement names into the catalog.
func (l *lookup) tables(ctx context.Context, sql string) error {
	paths, err := l.t.analyzer.Tables(ctx, sql)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := l.table(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

// altered matches the table of ALTER TABLE and LOAD DATA.
var altered = regexp.MustCompile("(?is)^\\s*(?:ALTER\\s+(?:TABLE|VIEW)\\s+(?:IF\\s+EXISTS\\s+)?|" +
	"LOAD\\s+DATA\\s+(?:INTO|OVERWRITE)\\s+(?:TEMP(?:ORARY)?\\s+TABLE\\s+)?)(" + dotted + ")")

// loads matches LOAD DATA, for which the analyzer wants a table that is there.
var loads = regexp.MustCompile(`(?i)^\s*LOAD\s`)

// table puts a table into the catalog, if it is there.
func (l *lookup) table(ctx context.Context, path []string) error {
	key := strings.ToLower(strings.Join(path, "\x00"))
	if l.seen[key] {
		return nil
	}
	l.seen[key] = true
	found, err := l.db.Table(ctx, path)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	table := analyzer.Table{Path: path}
	in := writer.Table{From: found.From, Path: path, Snapshot: found.Snapshot}
	for _, c := range found.Columns {
		if table.Columns = append(table.Columns, googlesql.Field{Name: c.Name, Type: c.Type}); c.Pseudo {
			table.Pseudo++
		}
		in.Columns = append(in.Columns, c.Expr)
		in.Names, in.Types = append(in.Names, c.Name), append(in.Types, c.Type)
		in.Digits = append(in.Digits, c.Digits)
	}
	l.catalog.Tables = append(l.catalog.Tables, table)
	l.names.Tables = append(l.names.Tables, in)
	return nil
}

// offset gives the byte of a line and a column of a text, both from 1.
func offset(s string, line, col int) int {
	pos := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(s[pos:], '\n')
		if i < 0 {
			return len(s)
		}
		pos += i + 1
	}
	for ; col > 1 && pos < len(s); col-- {
		_, n := utf8.DecodeRuneInString(s[pos:])
		pos += n
	}
	return pos
}
