package sqllogic

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/duckfmt"
)

// file is a parsed test file.
type file struct {
	name    string
	lines   []string
	records []*record
}

// record is one directive with what belongs to it. Lines count from 1.
type record struct {
	kind string   // the first word: statement, query, loop, …
	args []string // the words after it
	line int
	when []condition

	// Of statement and query; sql is also the text below an environment's directive.
	sql      string
	conn     string
	want     []string // expected lines, or the error text
	hasWant  bool
	wantLine int // the line after ----, or where ---- would stand
	wantEnd  int // the line after the last expected one

	outcome string // of statement: ok, error, maybe

	types   string // of query
	sort    string
	label   string
	columns []column
	colLine int

	tolerance *Tolerance // of query, and of tolerance itself

	body []*record // of loop and foreach
}

type column struct {
	name string
	typ  *duckfmt.Type
}

func (c column) String() string { return duckfmt.QuoteName(c.name) + " " + c.typ.String() }

// condition is a skipif or an onlyif.
type condition struct {
	only            bool
	name, op, value string
}

// simple lists the directives of one line with the least and the greatest number of words after them.
var simple = map[string][2]int{
	"require": {1, 9}, "require-env": {1, 2}, "test-env": {2, 2}, "load": {0, 2}, "restart": {0, 0}, "reconnect": {0, 0},
	"tolerance": {1, 2},
	"halt":      {0, 0}, "mode": {1, 1}, "loop": {3, 3}, "foreach": {2, 1 << 20}, "endloop": {0, 0},
}

type parser struct {
	file *file
	more map[string]Directive // of the environment
	next int                  // index of the next line
	when []condition
	cols []column
	colL int
	tol  *record // stands before a query
}

// parse reads a test file that may have more directives. Errors name file and line.
func parse(name, src string, more map[string]Directive) (*file, error) {
	src = strings.ReplaceAll(src, "\r\n", "\n")
	f := &file{name: name, lines: strings.Split(src, "\n")}
	p := &parser{file: f, more: more}
	var err error
	f.records, err = p.records(0, 0)
	return f, err
}

func (p *parser) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.file.name, line, fmt.Sprintf(format, args...))
}

// maxLoops bounds the nesting of loops.
const maxLoops = 16

// ahead takes note of a line that says something of the record behind it.
func (p *parser) ahead(r *record, text string) (bool, error) {
	switch {
	case r.kind == "columns":
		cols, err := parseColumns(strings.TrimSpace(text[len("columns"):]))
		if err != nil {
			return false, p.errorf(r.line, "columns: %v", err)
		}
		p.cols, p.colL = cols, r.line
	case r.kind == "skipif", r.kind == "onlyif":
		c, err := parseCondition(r.args)
		if err != nil {
			return false, p.errorf(r.line, "%s: %v", r.kind, err)
		}
		c.only = r.kind == "onlyif"
		p.when = append(p.when, c)
	case r.kind == "tolerance" && p.beforeRecord():
		if err := p.directive(r); err != nil {
			return false, err
		}
		p.tol = r
	default:
		return false, nil
	}
	return true, nil
}

// records reads until the end of the file, or of the loop that began at loopLine.
func (p *parser) records(loopLine, depth int) ([]*record, error) {
	var list []*record
	for p.next < len(p.file.lines) {
		text := strings.TrimSpace(p.file.lines[p.next])
		line := p.next + 1
		p.next++
		if text == "" || text[0] == '#' {
			continue
		}
		words := strings.Fields(text)
		r := &record{kind: words[0], args: words[1:], line: line}
		if ahead, err := p.ahead(r, text); err != nil {
			return nil, err
		} else if ahead {
			continue
		}
		if p.tol != nil {
			if r.kind != "query" {
				return nil, p.errorf(p.tol.line, "tolerance must stand before a query, "+
					"or alone with a blank line below it for the queries that follow")
			}
			r.tolerance, p.tol = p.tol.tolerance, nil
		}
		r.when, p.when = p.when, nil
		r.columns, r.colLine, p.cols = p.cols, p.colL, nil
		if r.columns != nil && r.kind != "query" {
			return nil, p.errorf(r.colLine, "columns must stand before a query")
		}
		var err error
		switch r.kind {
		case "statement":
			err = p.statement(r)
		case "query":
			err = p.query(r)
		default:
			err = p.directive(r)
		}
		if err != nil {
			return nil, err
		}
		switch r.kind {
		case "endloop":
			if depth == 0 {
				return nil, p.errorf(line, "endloop without a loop")
			}
			return list, nil
		case "loop", "foreach":
			if depth == maxLoops {
				return nil, p.errorf(line, "more than %d loops in each other", maxLoops)
			}
			if r.body, err = p.records(line, depth+1); err != nil {
				return nil, err
			}
		}
		list = append(list, r)
	}
	switch {
	case depth > 0:
		return nil, p.errorf(loopLine, "the loop has no endloop")
	case p.when != nil || p.cols != nil || p.tol != nil:
		return nil, p.errorf(len(p.file.lines), "a record is missing at the end of the file")
	}
	return list, nil
}

// beforeRecord tells that no blank line follows.
func (p *parser) beforeRecord() bool {
	return p.next < len(p.file.lines) && strings.TrimSpace(p.file.lines[p.next]) != ""
}

func (p *parser) directive(r *record) error {
	n, ok := simple[r.kind]
	if !ok && p.more[r.kind] != nil {
		from := p.next
		for p.next < len(p.file.lines) && strings.TrimSpace(p.file.lines[p.next]) != "" {
			p.next++
		}
		r.sql = strings.Join(p.file.lines[from:p.next], "\n")
		return nil
	}
	if !ok {
		return p.errorf(r.line, "%q is not supported; records are statement, query, columns, require, require-env, test-env, load, restart, "+
			"reconnect, "+
			"loop, foreach, skipif, onlyif, tolerance, mode and halt", r.kind)
	}
	if len(r.args) < n[0] || len(r.args) > n[1] {
		return p.errorf(r.line, "%s takes %s, not %d", r.kind, arity(n), len(r.args))
	}
	switch r.kind {
	case "mode":
		if m := r.args[0]; m != "skip" && m != "unskip" {
			return p.errorf(r.line, "mode %s is not supported, only skip and unskip", m)
		}
	case "load":
		if len(r.args) == 2 && r.args[1] != "readonly" {
			return p.errorf(r.line, "load FILE may be followed by readonly, not by %q", r.args[1])
		}
	case "tolerance":
		t, ok := parseTolerance(r.args)
		if !ok {
			return p.errorf(r.line, "write tolerance RELATIVE [ABSOLUTE], numbers such as 1e-3, not %s", strings.Join(r.args, " "))
		}
		r.tolerance = &t
	case "foreach":
		for _, a := range r.args[1:] {
			if strings.HasPrefix(a, "<") && collections[strings.ToLower(a)] == nil {
				return p.errorf(r.line, "foreach %s is not supported; write the values out", a)
			}
		}
	}
	return nil
}

// collections are the values that one word stands for in foreach.
var collections = func() map[string][]string {
	signed := []string{"tinyint", "smallint", "integer", "bigint", "hugeint"}
	unsigned := []string{"utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"}
	integral := slices.Concat(signed, unsigned)
	numeric := slices.Concat(integral, []string{"float", "double"})
	return map[string][]string{
		"<signed>": signed, "<unsigned>": unsigned, "<integral>": integral, "<numeric>": numeric,
		"<alltypes>":    slices.Concat(numeric, []string{"bool", "interval", "varchar"}),
		"<compression>": {"none", "uncompressed", "rle", "bitpacking", "dictionary", "fsst", "dict_fsst", "alp", "alprd"},
	}
}()

// foreachValues puts collections in the place of their words, and takes !WORD out of what stands before it.
func foreachValues(words []string) []string {
	var all []string
	for _, w := range words {
		if list, ok := collections[strings.ToLower(w)]; ok {
			all = append(all, list...)
			continue
		}
		if w[0] == '!' {
			if i := slices.Index(all, w[1:]); i >= 0 {
				all = slices.Delete(all, i, i+1)
				continue
			}
		}
		all = append(all, w)
	}
	return all
}

func arity(n [2]int) string {
	switch {
	case n[1] == 0:
		return "no words"
	case n[0] == n[1]:
		return amount.Of(n[0], "word")
	case n[1] > 100:
		return "at least " + amount.Of(n[0], "word")
	}
	return fmt.Sprintf("%d to %s", n[0], amount.Of(n[1], "word"))
}

func (p *parser) statement(r *record) error {
	if len(r.args) == 0 || len(r.args) > 2 || !slices.Contains([]string{"ok", "error", "maybe"}, r.args[0]) {
		return p.errorf(r.line, "write statement ok, statement error or statement maybe, and at most the name of a connection")
	}
	r.outcome = r.args[0]
	if len(r.args) == 2 {
		r.conn = r.args[1]
	}
	if err := p.text(r); err != nil {
		return err
	}
	switch {
	case r.outcome == "error" && strings.TrimSpace(strings.Join(r.want, "")) == "":
		return p.errorf(r.line, "statement error must say which error: write ---- and a part of its text after the SQL")
	case r.outcome == "ok" && r.hasWant:
		return p.errorf(r.line, "statement ok has no result; write query to compare one")
	}
	if r.outcome == "error" {
		return p.checkRegexp(r, strings.Join(r.want, "\n"))
	}
	return nil
}

func (p *parser) query(r *record) error {
	if len(r.args) == 0 || len(r.args) > 3 {
		return p.errorf(r.line, "write query TYPES [nosort|rowsort|valuesort] [CONNECTION or LABEL]")
	}
	r.types = r.args[0]
	if strings.Trim(r.types, "ITR") != "" {
		return p.errorf(r.line, "the types of a query are one letter a column, I, R or T, not %q", r.types)
	}
	rest := r.args[1:]
	r.sort = "nosort"
	if len(rest) > 0 && slices.Contains([]string{"nosort", "rowsort", "valuesort"}, rest[0]) {
		r.sort, rest = rest[0], rest[1:]
	}
	if len(rest) > 1 {
		return p.errorf(r.line, "%q is no sort mode; there are nosort, rowsort and valuesort", rest[0])
	}
	if len(rest) == 1 {
		if strings.HasPrefix(rest[0], "con") {
			r.conn = rest[0]
		} else {
			r.label = rest[0]
		}
	}
	if err := p.text(r); err != nil {
		return err
	}
	if !r.hasWant && r.label == "" {
		return p.errorf(r.line, "the query has no expected result; write ---- after the SQL")
	}
	for _, line := range r.want {
		for _, v := range strings.Split(line, "\t") {
			if err := p.checkRegexp(r, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *parser) checkRegexp(r *record, v string) error {
	if expr, _, ok := cutRegexp(v); ok && !strings.Contains(expr, "${") {
		if _, err := compileRegexp(expr); err != nil {
			return p.errorf(r.line, "the regular expression after ----: %v", err)
		}
	}
	return nil
}

func cutRegexp(v string) (expr string, not, ok bool) {
	if expr, ok = strings.CutPrefix(v, "<REGEX>:"); ok {
		return expr, false, true
	}
	expr, ok = strings.CutPrefix(v, "<!REGEX>:")
	return expr, ok, ok
}

func compileRegexp(expr string) (*regexp.Regexp, error) {
	return regexp.Compile(`(?s)^(?:` + expr + `)$`)
}

// text reads SQL up to a blank line or ----, and what follows ---- up to a blank line.
func (p *parser) text(r *record) error {
	lines := p.file.lines
	from := p.next
	for p.next < len(lines) && strings.TrimSpace(lines[p.next]) != "" && strings.TrimRight(lines[p.next], " \t") != "----" {
		p.next++
	}
	r.sql = strings.Join(lines[from:p.next], "\n")
	if strings.TrimSpace(r.sql) == "" {
		return p.errorf(r.line, "the %s has no SQL on the next line", r.kind)
	}
	r.wantLine, r.wantEnd = p.next+1, p.next+1
	if p.next >= len(lines) || strings.TrimSpace(lines[p.next]) == "" {
		return nil
	}
	r.hasWant = true
	p.next++
	from = p.next
	for p.next < len(lines) && lines[p.next] != "" {
		p.next++
	}
	r.want = lines[from:p.next:p.next]
	r.wantLine, r.wantEnd = from+1, p.next+1
	return nil
}

func parseCondition(args []string) (condition, error) {
	if len(args) != 1 {
		return condition{}, fmt.Errorf("one word must follow, duckdb or a test such as i=2")
	}
	for _, op := range []string{"!=", "="} {
		if name, value, ok := strings.Cut(args[0], op); ok {
			return condition{name: name, op: op, value: value}, nil
		}
	}
	return condition{name: args[0]}, nil
}

// parseColumns reads `a DOUBLE, "b c" STRUCT(x INTEGER)[]`.
func parseColumns(s string) ([]column, error) {
	// A list of columns is written like the fields of a STRUCT.
	t, err := duckfmt.ParseType("STRUCT(" + s + ")")
	if err != nil {
		return nil, fmt.Errorf("write NAME TYPE, NAME TYPE, …: %w", err)
	}
	if t.Name != "STRUCT" || len(t.Fields) == 0 {
		return nil, fmt.Errorf("write NAME TYPE, NAME TYPE, …")
	}
	cols := make([]column, len(t.Fields))
	for i, f := range t.Fields {
		cols[i] = column{f.Name, f.Type}
	}
	return cols, nil
}

func parseRange(args []string) (from, below int, err error) {
	if from, err = strconv.Atoi(args[1]); err == nil {
		below, err = strconv.Atoi(args[2])
	}
	if err != nil {
		return 0, 0, fmt.Errorf("loop NAME FROM BELOW takes two whole numbers, not %q and %q", args[1], args[2])
	}
	return from, below, nil
}
