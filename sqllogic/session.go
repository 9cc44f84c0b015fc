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

	"github.com/mallardml/mallard/internal/amount"
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
	s := &session{o: o, file: &file{name: path}, dir: dir, tol: o.Tolerance}
	s.vars, s.labels, s.conns = map[string]string{}, map[string]labelled{}, map[string]*sql.Conn{}
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
	switch r.kind {
	case "statement":
		return s.statement(ctx, r)
	case "query":
		return s.query(ctx, r)
	case "halt":
		return stop{}
	case "require":
		return s.require(ctx, r, args[0])
	case "loop", "foreach":
		return s.loop(ctx, r, args)
	}
	err := s.direct(ctx, r, args)
	var stopped stop
	if err != nil && !errors.As(err, &stopped) {
		return s.fail(r, "", err.Error(), "")
	}
	return err
}

// direct does what a directive says that is neither SQL nor a loop.
func (s *session) direct(ctx context.Context, r *record, args []string) (err error) {
	switch r.kind {
	case "tolerance":
		s.tol = *r.tolerance
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
	default:
		var text string
		if text, err = s.expand(r.sql); err == nil {
			err = s.env.Directives[r.kind](ctx, args, text)
			maps.Copy(s.vars, s.env.Vars)
		}
	}
	return err
}

// loop runs the body of loop and foreach, for each value once.
func (s *session) loop(ctx context.Context, r *record, args []string) error {
	if r.kind == "loop" {
		from, below, err := parseRange(args)
		if err != nil {
			return s.fail(r, "", err.Error(), "")
		}
		for i := from; i < below; i++ {
			if err := s.iterate(ctx, r, args[:1], []string{fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		return nil
	}
	names := strings.Split(args[0], ",")
	for _, v := range foreachValues(args[1:]) {
		values := []string{v}
		if len(names) > 1 {
			values = strings.Split(v, ",")
		}
		if len(values) != len(names) {
			return s.fail(r, "", fmt.Sprintf("foreach %s has %s, %s has %s",
				args[0], amount.Of(len(names), "name"), v, amount.Of(len(values), "value")), "")
		}
		if err := s.iterate(ctx, r, names, values); err != nil {
			return err
		}
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
	err = c.QueryRowContext(ctx, "SELECT loaded FROM duckdb_extensions() WHERE extension_name = ? OR list_contains(aliases, ?)", name,
		name).Scan(&loaded)
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
