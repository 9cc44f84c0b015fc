package sqllogic

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/duckfmt"
)

// session is one run of one file: its database, connections and variables.
type session struct {
	o      Options
	env    Environment
	file   *file
	dir    string
	dsn    string
	db     *sql.DB
	conns  map[string]*sql.Conn
	vars   map[string]string
	labels map[string]labelled
	skip   bool // after mode skip
	tol    Tolerance
	loops  int // depth
	count  int
	edits  []edit
}

type labelled struct {
	line int
	rows table
}

// stop ends a file before its end: halt, or skip with a reason.
type stop struct{ skip string }

func (s stop) Error() string { return "stopped: " + s.skip }

func newSession(o Options, path string) (*session, error) {
	if o.Open == nil {
		o.Open = func(dsn string) (*sql.DB, error) { return sql.Open("duckdb", dsn) }
	}
	dir, err := os.MkdirTemp("", "sqllogic-")
	if err != nil {
		return nil, err
	}
	wd, err := os.Getwd()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &session{o: o, file: &file{name: path}, dir: dir, vars: map[string]string{}, labels: map[string]labelled{}, conns: map[string]*sql.Conn{}, tol: o.Tolerance}
	if s.tol == (Tolerance{}) {
		s.tol = defaultTolerance
	}
	if o.Begin != nil {
		if s.env, err = o.Begin(path, dir); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
	if s.env.Open != nil {
		s.o.Open = s.env.Open
	}
	s.vars["__WORKING_DIRECTORY__"] = wd
	maps.Copy(s.vars, o.Vars)
	maps.Copy(s.vars, s.env.Vars)
	s.vars["__TEST_DIR__"] = dir
	return s, nil
}

// restarts tells whether a restart comes before the first load, for which the database must be in a file.
func restarts(list []*record) bool {
	for _, r := range list {
		switch {
		case r.kind == "restart" || restarts(r.body):
			return true
		case r.kind == "load":
			return false
		}
	}
	return false
}

func (s *session) open() (err error) {
	if s.db, err = s.o.Open(s.dsn); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	return nil
}

func (s *session) closeDB() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(s.conns)) {
		errs = append(errs, s.conns[name].Close())
	}
	clear(s.conns)
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	s.db = nil
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

func (s *session) close() error {
	err := s.closeDB()
	if s.env.Close != nil {
		err = errors.Join(err, s.env.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

func (s *session) conn(ctx context.Context, name string) (*sql.Conn, error) {
	if c := s.conns[name]; c != nil {
		return c, nil
	}
	if s.db == nil {
		if err := s.open(); err != nil {
			return nil, err
		}
	}
	c, err := s.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	s.conns[name] = c
	return c, nil
}

func (s *session) fail(r *record, sql, msg, detail string) error {
	return &Failure{File: s.file.name, Line: r.line, Msg: msg, SQL: sql, Detail: detail}
}

func (s *session) runAll(ctx context.Context, list []*record) error {
	for _, r := range list {
		if r.kind == "mode" {
			s.skip = r.args[0] == "skip"
			continue
		}
		if s.skip {
			continue
		}
		if ok, err := s.wanted(r); err != nil || !ok {
			if err != nil {
				return err
			}
			continue
		}
		if err := s.run(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// wanted evaluates skipif and onlyif.
func (s *session) wanted(r *record) (bool, error) {
	for _, c := range r.when {
		holds := c.name == "duckdb" || c.name == "mallard"
		if c.op != "" {
			v, ok := s.vars[c.name]
			if !ok {
				return false, s.fail(r, "", fmt.Sprintf("skipif or onlyif: no variable is called %s", c.name), "")
			}
			holds = (v == c.value) == (c.op == "=")
		}
		if holds != c.only {
			return false, nil
		}
	}
	return true, nil
}

func (s *session) run(ctx context.Context, r *record) error {
	args := make([]string, len(r.args))
	for i, a := range r.args {
		var err error
		if args[i], err = s.expand(a); err != nil {
			return s.fail(r, "", err.Error(), "")
		}
	}
	var err error
	switch r.kind {
	case "statement":
		return s.statement(ctx, r)
	case "query":
		return s.query(ctx, r)
	case "halt":
		return stop{}
	case "tolerance":
		s.tol = *r.tolerance
	case "require":
		return s.require(ctx, r, args[0])
	case "require-env":
		v, ok := os.LookupEnv(args[0])
		if !ok || len(args) == 2 && v != args[1] {
			return stop{"environment variable " + strings.Join(args, "=")}
		}
		s.vars[args[0]] = v
	case "test-env":
		v, ok := s.o.Vars[args[0]]
		if !ok {
			v, ok = os.LookupEnv(args[0])
		}
		if !ok {
			v = args[1]
		}
		s.vars[args[0]] = v
	case "load":
		if err = s.closeDB(); err == nil {
			s.dsn = ""
			if len(args) > 0 {
				s.dsn = args[0]
			}
			if len(args) > 1 {
				s.dsn += "?access_mode=READ_ONLY"
			}
			err = s.open()
		}
	case "restart":
		if err = s.closeDB(); err == nil {
			err = s.open()
		}
	case "reconnect":
		if c := s.conns[""]; c != nil {
			delete(s.conns, "")
			err = c.Close()
		}
	case "loop":
		var from, below int
		if from, below, err = parseRange(args); err != nil {
			break
		}
		for i := from; i < below; i++ {
			if err := s.iterate(ctx, r, args[:1], []string{fmt.Sprint(i)}); err != nil {
				return err
			}
		}
	case "foreach":
		names := strings.Split(args[0], ",")
		for _, v := range foreachValues(args[1:]) {
			values := []string{v}
			if len(names) > 1 {
				values = strings.Split(v, ",")
			}
			if len(values) != len(names) {
				return s.fail(r, "", fmt.Sprintf("foreach %s has %d names, %s has %d values", args[0], len(names), v, len(values)), "")
			}
			if err := s.iterate(ctx, r, names, values); err != nil {
				return err
			}
		}
	default:
		var text string
		if text, err = s.expand(r.sql); err == nil {
			err = s.env.Directives[r.kind](ctx, args, text)
			maps.Copy(s.vars, s.env.Vars)
		}
	}
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	return nil
}

// iterate runs the body of a loop once. The variables are the loop's own: afterwards those of the same name are back.
func (s *session) iterate(ctx context.Context, r *record, names, values []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	outer := maps.Clone(s.vars)
	for i, n := range names {
		s.vars[n] = values[i]
	}
	s.loops++
	defer func() { s.loops-- }()
	err := s.runAll(ctx, r.body)
	for _, n := range names {
		if v, ok := outer[n]; ok {
			s.vars[n] = v
		} else {
			delete(s.vars, n)
		}
	}
	var f *Failure
	if errors.As(err, &f) {
		f.Msg += fmt.Sprintf(" (with %s = %s)", strings.Join(names, ","), strings.Join(values, ","))
	}
	return err
}

func (s *session) require(ctx context.Context, r *record, name string) error {
	if name == "skip_reload" {
		return nil // asks DuckDB's own runner not to reopen the database between records, which this one never does
	}
	if s.env.Require != nil {
		known, err := s.env.Require(name)
		if err != nil {
			return s.fail(r, "", fmt.Sprintf("require %s: %v", name, err), "")
		}
		if maps.Copy(s.vars, s.env.Vars); known {
			return nil
		}
	}
	if s.o.Require != nil {
		ok, reason := s.o.Require(name)
		if ok {
			return nil
		}
		if reason != "" {
			return stop{reason}
		}
	}
	c, err := s.conn(ctx, "")
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	var loaded bool
	err = c.QueryRowContext(ctx, "SELECT loaded FROM duckdb_extensions() WHERE extension_name = ? OR list_contains(aliases, ?)", name, name).Scan(&loaded)
	switch {
	case err == nil && loaded:
		return nil
	case err == nil:
		return s.fail(r, "", fmt.Sprintf("require %s: DuckDB has this extension, but it is not loaded", name), "")
	}
	return s.fail(r, "", fmt.Sprintf("require %s: nobody knows this requirement", name), "")
}

// expand replaces variables.
func (s *session) expand(text string) (string, error) {
	if strings.Contains(text, "__") {
		for _, name := range slices.Sorted(maps.Keys(s.vars)) {
			if plainVar(name) {
				text = strings.ReplaceAll(text, name, s.vars[name])
			}
		}
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "${")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, after, ok := strings.Cut(rest, "}")
		v, known := s.vars[name]
		if !ok || !known {
			return "", fmt.Errorf("no variable is called ${%s}", name)
		}
		b.WriteString(v)
		text = after
	}
}

func plainVar(name string) bool {
	return len(name) > 4 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__")
}

// unexpand puts the names of directories back into text for a rewritten file.
func (s *session) unexpand(text string) string {
	names := slices.Collect(maps.Keys(s.vars))
	slices.SortFunc(names, func(a, b string) int { return len(s.vars[b]) - len(s.vars[a]) })
	for _, n := range names {
		if plainVar(n) && s.vars[n] != "" {
			text = strings.ReplaceAll(text, s.vars[n], n)
		}
	}
	return text
}

func (s *session) statement(ctx context.Context, r *record) error {
	s.count++
	query, err := s.expand(r.sql)
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	want, err := s.expand(strings.Join(r.want, "\n"))
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	c, err := s.conn(ctx, r.conn)
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	_, err = c.ExecContext(ctx, query)
	switch {
	case ctx.Err() != nil:
		return s.fail(r, query, "stopped: "+ctx.Err().Error(), "")
	case r.outcome == "maybe" && (err == nil || want == "" || equalError(want, err.Error())):
		return nil
	case r.outcome == "ok" && err == nil:
		return nil
	case r.outcome == "ok":
		return s.fail(r, query, "the statement failed", indent(err.Error()))
	case err == nil:
		return s.fail(r, query, "the statement succeeded, an error was wanted", "  wanted\n"+indent(want))
	case equalError(want, err.Error()):
		return nil
	case s.o.Update && s.loops == 0:
		first, _, _ := strings.Cut(withoutBlankLines(err.Error()), "\n")
		s.edits = append(s.edits, edit{r.wantLine, r.wantEnd, []string{s.unexpand(first)}})
		return nil
	}
	return s.fail(r, query, "the statement failed with another error", "  wanted\n"+indent(want)+"\n\n  got\n"+indent(err.Error()))
}

func (s *session) query(ctx context.Context, r *record) error {
	s.count++
	query, err := s.expand(r.sql)
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	lines := make([]string, len(r.want))
	for i, l := range r.want {
		if lines[i], err = s.expand(l); err != nil {
			return s.fail(r, "", err.Error(), "")
		}
	}
	c, err := s.conn(ctx, r.conn)
	if err != nil {
		return s.fail(r, "", err.Error(), "")
	}
	cols, got, err := read(ctx, c, query)
	if err != nil {
		return s.fail(r, query, "the query failed", indent(err.Error()))
	}
	if err := s.compareColumns(r, query, cols); err != nil {
		return err
	}
	if len(cols) != len(r.types) {
		return s.fail(r, query, fmt.Sprintf("columns: wanted %d (%s), got %d", len(r.types), r.types, len(cols)), "  got\n"+indent(columnList(cols)))
	}
	if r.label != "" {
		sorted := got.sorted(r.sort)
		if first, ok := s.labels[r.label]; !ok {
			s.labels[r.label] = labelled{r.line, sorted}
		} else if err := s.compare(r, query, first.rows, sorted, fmt.Sprintf("the result differs from that of label %s in line %d", r.label, first.line)); err != nil {
			return err
		}
	}
	if !r.hasWant {
		return nil
	}
	err = s.compareWant(r, query, lines, got)
	if err != nil && s.o.Update && s.loops == 0 {
		s.update(r, got.sorted(r.sort))
		return nil
	}
	return err
}

// compareWant compares a result with what stands below ----.
func (s *session) compareWant(r *record, query string, lines []string, got table) error {
	if len(lines) == 1 && isHash(lines[0]) {
		if h := got.hash(r.sort); h != lines[0] {
			return s.fail(r, query, "the result has another hash", "  wanted "+lines[0]+"\n  got    "+h)
		}
		return nil
	}
	want, err := wantTable(lines, len(r.types))
	if err != nil {
		return s.fail(r, query, err.Error(), "")
	}
	return s.compare(r, query, want.sorted(r.sort), got.sorted(r.sort), "the result differs")
}

func (s *session) update(r *record, got table) {
	var lines []string
	if len(r.want) == 1 && isHash(r.want[0]) {
		lines = []string{got.hash(r.sort)}
	} else {
		for _, row := range got {
			lines = append(lines, s.unexpand(joined(row, "\t")))
		}
	}
	s.edits = append(s.edits, edit{r.wantLine, r.wantEnd, lines})
}

func (s *session) compare(r *record, query string, want, got table, msg string) error {
	c := comparison{types: r.types, sort: r.sort, tolerance: s.tol}
	if r.tolerance != nil {
		c.tolerance = *r.tolerance
	}
	got = c.aligned(want, got)
	row, col := c.difference(want, got)
	if row < 0 {
		return nil
	}
	switch {
	case len(want) != len(got):
		msg += fmt.Sprintf(": wanted %d rows, got %d", len(want), len(got))
	case len(got[row]) > 1:
		msg += fmt.Sprintf(" in row %d, column %d", row+1, col+1)
	default:
		msg += fmt.Sprintf(" in row %d", row+1)
	}
	detail := sideBySide(want, got, func(i int) bool {
		return i >= len(want) || i >= len(got) || c.differentColumn(want[i], got[i]) >= 0
	})
	if len(want) == len(got) && c.letter(col) != 'R' && c.equal(want[row][col].text, got[row][col], 'R') {
		detail += "\n\n  The floats are equal within the tolerance. A column of floats that a model made has the letter R."
	}
	return s.fail(r, query, msg, detail)
}

func (s *session) compareColumns(r *record, query string, got []column) error {
	if r.columns == nil {
		return nil
	}
	w, g := columnList(r.columns), columnList(got)
	if w == g {
		return nil
	}
	if s.o.Update && s.loops == 0 {
		s.edits = append(s.edits, edit{r.colLine, r.colLine + 1, []string{"columns " + strings.ReplaceAll(g, "\n", ", ")}})
		return nil
	}
	f := &Failure{File: s.file.name, Line: r.colLine, Msg: "the columns differ", SQL: query}
	want, have := rowsOf(r.columns), rowsOf(got)
	f.Detail = sideBySide(want, have, func(i int) bool {
		return i >= len(want) || i >= len(have) || want[i][0].text != have[i][0].text
	})
	return f
}

func columnList(cols []column) string {
	lines := make([]string, len(cols))
	for i, c := range cols {
		lines[i] = c.String()
	}
	return strings.Join(lines, "\n")
}

func rowsOf(cols []column) table {
	t := make(table, len(cols))
	for i, c := range cols {
		t[i] = texts([]string{c.String()})
	}
	return t
}

// read runs a query and gives its columns and its rows as text.
func read(ctx context.Context, c *sql.Conn, query string) ([]column, table, error) {
	rows, err := c.QueryContext(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, nil, err
	}
	cols := make([]column, len(types))
	for i, t := range types {
		typ, err := duckfmt.ParseType(t.DatabaseTypeName())
		if err != nil {
			return nil, nil, err
		}
		cols[i] = column{t.Name(), typ}
	}
	values, dest := make([]any, len(cols)), make([]any, len(cols))
	for i := range values {
		dest[i] = &values[i]
	}
	var t table
	var p printer
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, nil, err
		}
		row := make([]value, len(cols))
		for i, v := range values {
			row[i] = p.value(v, cols[i].typ)
		}
		t = append(t, row)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	return cols, t, nil
}
