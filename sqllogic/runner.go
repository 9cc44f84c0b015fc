package sqllogic

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options say which database the files run against. The zero value runs them against plain DuckDB.
type Options struct {
	// Open opens a database; an empty dsn is a new one in memory. Default: sql.Open("duckdb", dsn).
	Open func(dsn string) (*sql.DB, error)
	// Require answers `require NAME`. Not ok with a reason skips the file; not ok without one means that the name is unknown, and
	// then a loaded DuckDB extension of that name is needed, else the file fails. Default: every name is unknown.
	Require func(name string) (ok bool, reason string)
	// Vars are variables for ${NAME}; a name __LIKE_THIS__ is replaced without ${}.
	Vars map[string]string
	// Begin gives a file what it has of its own, before anything in it runs; dir is its __TEST_DIR__. Nil: nothing.
	Begin func(file, dir string) (Environment, error)
	// Tolerance of floats in R columns where a file says nothing else; zero is 1e-5 relative and 1e-6 absolute.
	Tolerance Tolerance
	// Update rewrites the expected results in the files instead of failing where they differ.
	Update bool
}

// Status is the outcome of a file.
type Status int

// The outcomes of a file.
const (
	Passed Status = iota
	Failed
	Skipped
)

// String gives PASS, FAIL or SKIP.
func (s Status) String() string { return [...]string{"PASS", "FAIL", "SKIP"}[s] }

// Result is what became of one file.
type Result struct {
	Path    string
	Status  Status
	Reason  string // why it was skipped
	Err     error  // why it failed, a *Failure if a record did
	Records int    // statements and queries that ran
	Updated bool   // its expected results were rewritten
	Elapsed time.Duration
}

// Report sums up a run of many files.
type Report struct {
	Results                 []Result
	Passed, Failed, Skipped int
}

// String gives `3 passed, 0 failed, 1 skipped`.
func (r Report) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", r.Passed, r.Failed, r.Skipped)
}

// Runner runs test files outside of a Go test.
type Runner struct {
	Options
	// Each is called after every file; nil is allowed.
	Each func(Result)
}

// Run runs the files and, for directories, all .test files below them. Its error tells that there was nothing to run, or that ctx ended.
func (r *Runner) Run(ctx context.Context, paths ...string) (Report, error) {
	var rep Report
	files, err := Files(paths...)
	if err != nil {
		return rep, err
	}
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return rep, err
		}
		res := r.RunFile(ctx, path)
		rep.Results = append(rep.Results, res)
		switch res.Status {
		case Passed:
			rep.Passed++
		case Failed:
			rep.Failed++
		case Skipped:
			rep.Skipped++
		}
		if r.Each != nil {
			r.Each(res)
		}
	}
	return rep, nil
}

// Files lists the .test files at and below paths, sorted within each.
func Files(paths ...string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("test files: %w", err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		n := len(files)
		err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(p) == ".test" {
				files = append(files, p)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("test files: %w", err)
		}
		if len(files) == n {
			return nil, fmt.Errorf("test files: no .test file in %s", path)
		}
	}
	return files, nil
}

// RunFile runs one file in a database of its own.
func (r *Runner) RunFile(ctx context.Context, path string) (res Result) {
	start := time.Now()
	defer func() { res.Elapsed = time.Since(start) }()
	res.Path = path
	fail := func(err error) Result {
		res.Status, res.Err = Failed, err
		return res
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return fail(fmt.Errorf("test file: %w", err))
	}
	s, err := newSession(r.Options, path)
	if err != nil {
		return fail(fmt.Errorf("%s: %w", path, err))
	}
	defer func() {
		if err := s.close(); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
			if res.Status == Failed { // what the environment says may be the cause
				err = fmt.Errorf("%w\n\n%w", res.Err, err)
			}
			fail(err)
		}
	}()
	if s.file, err = parse(path, string(src), s.env.Directives); err != nil {
		return fail(err)
	}
	if restarts(s.file.records) {
		s.dsn = filepath.Join(s.dir, "test.duckdb")
	}
	err = s.runAll(ctx, s.file.records)
	res.Records = s.count
	switch end := err.(type) {
	case nil:
	case stop:
		if end.skip != "" {
			res.Status, res.Reason = Skipped, end.skip
		}
	default:
		return fail(err)
	}
	if res.Updated = len(s.edits) > 0; res.Updated {
		if err := s.rewrite(path); err != nil {
			return fail(err)
		}
	}
	return res
}

// TestingT is what Run needs of a *testing.T.
type TestingT[T any] interface {
	Helper()
	Context() context.Context
	Run(name string, f func(t T)) bool
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Run runs every .test file at or below path as a subtest of t, a *testing.T.
func Run[T TestingT[T]](t T, path string, o Options) {
	t.Helper()
	files, err := Files(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	r := &Runner{Options: o}
	for _, file := range files {
		name, err := filepath.Rel(path, file)
		if err != nil || name == "." {
			name = filepath.Base(file)
		}
		t.Run(strings.TrimSuffix(filepath.ToSlash(name), ".test"), func(t T) {
			t.Helper()
			switch res := r.RunFile(t.Context(), file); res.Status {
			case Failed:
				t.Fatalf("%v", res.Err)
			case Skipped:
				t.Skipf("%s", res.Reason)
			}
		})
	}
}

// edit replaces the lines [from, to), counted from 1.
type edit struct {
	from, to int
	lines    []string
}

func (s *session) rewrite(path string) error {
	lines := slices.Clone(s.file.lines)
	slices.SortStableFunc(s.edits, func(a, b edit) int { return b.from - a.from })
	for _, e := range s.edits {
		lines = slices.Concat(lines[:e.from-1], e.lines, lines[min(e.to-1, len(lines)):])
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}
