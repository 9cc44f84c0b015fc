package sqllogic

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func options() Options {
	return Options{
		Require: func(name string) (bool, string) {
			if name == "missing-thing" {
				return false, "missing-thing is missing"
			}
			return false, ""
		},
		Vars: map[string]string{"FROM_OPTIONS": "from the test", "__MINE__": "of-mine"},
	}
}

func TestRun(t *testing.T) { Run(t, "testdata/pass", options()) }

func TestReport(t *testing.T) {
	var seen []string
	r := Runner{Options: options(), Each: func(r Result) { seen = append(seen, r.Status.String()+" "+filepath.Base(r.Path)+" "+r.Reason) }}
	rep, err := r.Run(t.Context(), "testdata/pass", "testdata/fail/rows.test")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rep.String(), "5 passed, 1 failed, 2 skipped"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	want := "PASS database.test \nSKIP environment.test environment variable SQLLOGIC_SURELY_NOT_SET\nPASS foreach.test \nPASS hash.test \nPASS records.test \n" +
		"SKIP skipped.test missing-thing is missing\nPASS tolerance.test \nFAIL rows.test "
	if got := strings.Join(seen, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := r.Run(t.Context(), "testdata/none"); err == nil {
		t.Error("a missing directory gave no error")
	}
	if _, err := r.Run(t.Context(), t.TempDir()); err == nil {
		t.Error("a directory without tests gave no error")
	}
}

// TestFailures runs every file of testdata/fail, which must fail with the text of its .out file.
func TestFailures(t *testing.T) {
	files, err := Files("testdata/fail")
	if err != nil {
		t.Fatal(err)
	}
	r := Runner{Options: options()}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			res := r.RunFile(t.Context(), path)
			if res.Status != Failed {
				t.Fatalf("got %v, want a failure", res.Status)
			}
			golden(t, strings.TrimSuffix(path, ".test")+".out", res.Err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestUpdate(t *testing.T) {
	give := `# kept
columns x INTEGER
query IT
SELECT 1::BIGINT AS a, 'b' AS b
----
wrong

statement error
SELECT nope
----
wrong
wrong

query I rowsort
SELECT * FROM range(3)
----

query T
SELECT '__TEST_DIR__/x'
----
wrong

query R
SELECT 1.0000001::DOUBLE
----
1`
	want := `# kept
columns a BIGINT, b VARCHAR
query IT
SELECT 1::BIGINT AS a, 'b' AS b
----
1	b

statement error
SELECT nope
----
Binder Error: Referenced column "nope" was not found because the FROM clause is missing

query I rowsort
SELECT * FROM range(3)
----
0
1
2

query T
SELECT '__TEST_DIR__/x'
----
__TEST_DIR__/x

query R
SELECT 1.0000001::DOUBLE
----
1`
	path := filepath.Join(t.TempDir(), "a.test")
	if err := os.WriteFile(path, []byte(give), 0o644); err != nil {
		t.Fatal(err)
	}
	r := Runner{Options: Options{Update: true}}
	if res := r.RunFile(t.Context(), path); res.Status != Passed || !res.Updated {
		t.Fatalf("got %v, updated %v: %v", res.Status, res.Updated, res.Err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	r = Runner{}
	if res := r.RunFile(t.Context(), path); res.Status != Passed || res.Updated {
		t.Errorf("the updated file: %v, updated %v: %v", res.Status, res.Updated, res.Err)
	}
}

// TestEnvironment: a file has databases, requirements, variables and directives of its own, and the last word of its environment counts.
func TestEnvironment(t *testing.T) {
	var did []string
	var last error
	o := Options{Vars: map[string]string{"A": "options", "B": "options"}, Begin: func(file, dir string) (Environment, error) {
		return Environment{
			Open: func(dsn string) (*sql.DB, error) {
				did = append(did, "open")
				return sql.Open("duckdb", dsn)
			},
			Require: func(name string) (bool, error) { return name == "thing", nil },
			Vars:    map[string]string{"B": filepath.Base(file)},
			Directives: map[string]Directive{"say": func(_ context.Context, words []string, text string) error {
				if len(words) == 0 {
					return errors.New("say what?")
				}
				did = append(did, strings.Join(words, " ")+": "+text)
				return nil
			}},
			Close: func() error { return last },
		}, nil
	}}
	path := filepath.Join(t.TempDir(), "a.test")
	run := func(text string) Result {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		r := Runner{Options: o}
		return r.RunFile(t.Context(), path)
	}
	res := run("require thing\n\nsay one ${A}\nfirst ${B}\nsecond\n\nquery T\nSELECT '${B}'\n----\na.test\n")
	if want := "one options: first a.test\nsecond|open"; res.Status != Passed || strings.Join(did, "|") != want {
		t.Errorf("%v, %v: %q, want %q", res.Status, res.Err, did, want)
	}
	if res := run("say\n"); res.Status != Failed || !strings.Contains(res.Err.Error(), "a.test:1: say what?") {
		t.Errorf("%v", res.Err)
	}
	last = errors.New("a request was not answered")
	if res := run("# nothing\n"); res.Status != Failed || !strings.Contains(res.Err.Error(), last.Error()) {
		t.Errorf("%v", res.Err)
	}
	if res := run("query I\nSELECT 1\n----\n2\n"); res.Status != Failed || !strings.Contains(res.Err.Error(), last.Error()) || !strings.Contains(res.Err.Error(), "differs in row 1") {
		t.Errorf("%v", res.Err)
	}
}

func TestCancel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.test")
	if err := os.WriteFile(path, []byte("loop i 0 1000000000\n\nstatement ok\nSELECT 1\n\nendloop\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := Runner{}
	if res := r.RunFile(ctx, path); res.Status != Failed {
		t.Errorf("got %v, want a failure", res.Status)
	}
	if _, err := r.Run(ctx, path); err == nil {
		t.Error("an ended context gave no error")
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	r := Runner{Options: options()}
	for _, path := range []string{"testdata/pass/database.test", "testdata/fail/rows.test"} {
		r.RunFile(t.Context(), path)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		t.Errorf("left behind: %s", e.Name())
	}
}

func TestTolerance(t *testing.T) {
	for _, tt := range []struct {
		want, got, typ string // got is a literal of DuckDB
		equal          bool
	}{
		{"1", "1", "DOUBLE", true},
		{"1", "1.00001", "DOUBLE", true},
		{"1", "1.00003", "DOUBLE", false},
		{"1e-6", "0", "DOUBLE", true},
		{"1e-5", "0", "DOUBLE", false},
		{"-1", "1", "FLOAT", false},
		{"nan", "nan", "DOUBLE", true},
		{"nan", "1", "DOUBLE", false},
		{"inf", "inf", "DOUBLE", true},
		{"inf", "-inf", "DOUBLE", false},
		{"1e308", "inf", "DOUBLE", false},
		{"1.", "1", "DOUBLE", true},
		{"1e", "1", "DOUBLE", false},
		{"", "1", "DOUBLE", false},
		{"NULL", "nan", "DOUBLE", false},
		{"[1, 2]", "[1, 2.000001]", "DOUBLE[]", true},
		{"[1, 2]", "[1, 2, 3]", "DOUBLE[]", false},
		{"[1, 2, 3]", "[1, 2]", "DOUBLE[]", false},
		{"[1, 2]", "[12]", "DOUBLE[]", false},
		{"[nan, NULL]", "[nan, NULL]", "FLOAT[2]", true},
		{"{'a1': 1}", "{'a1': 1.000001}", "STRUCT(a1 DOUBLE)", true},
		{"{'a1': 1}", "{'a2': 1}", "STRUCT(a2 DOUBLE)", false},
		// What is no float is compared exactly, beside floats too.
		{"1000000", "1000001", "BIGINT", false},
		{"1.5", "1.50", "DECIMAL(9,2)", true},
		{"1.000000", "1.000001", "DECIMAL(9,6)", false},
		{"1.000001", "1.000002", "VARCHAR", false},
		{"{'id': 1000000, 'p': 0.1}", "{'id': 1000001, 'p': 0.1}", "STRUCT(id BIGINT, p DOUBLE)", false},
		{"{'id': 1000000, 'p': 0.1}", "{'id': 1000000, 'p': 0.1000001}", "STRUCT(id BIGINT, p DOUBLE)", true},
		{"{'t': a 1.000001, 'p': 0.1}", "{'t': 'a 1.000002', 'p': 0.1}", "STRUCT(t VARCHAR, p DOUBLE)", false},
		{"{'t': 'a\\t1.0,', 'p': [0.1]}", "{'t': 'a\t1.0,', 'p': [0.1000001]}", "STRUCT(t VARCHAR, p FLOAT[])", true},
		{"{a=0.5}", "MAP {'a': 0.5000001}", "MAP(VARCHAR, DOUBLE)", true},
	} {
		lit := tt.got
		if !strings.HasPrefix(lit, "MAP") {
			lit = "'" + strings.ReplaceAll(tt.got, "'", "''") + "'"
			if strings.HasPrefix(tt.got, "{") || strings.HasPrefix(tt.got, "[") {
				lit = strings.NewReplacer("nan", "'nan'").Replace(tt.got)
			}
		}
		text := "query R\nSELECT " + lit + "::" + tt.typ + "\n----\n" + tt.want + "\n"
		if tt.want == "" {
			continue // no line of a file
		}
		res := runText(t, text)
		if got := res.Status == Passed; got != tt.equal {
			t.Errorf("%s against %s: equal %v, want %v: %v", tt.want, lit+"::"+tt.typ, got, tt.equal, res.Err)
		}
	}
}

func runText(t *testing.T, text string) Result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.test")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r := Runner{Options: options()}
	return r.RunFile(t.Context(), path)
}

func FuzzTolerance(f *testing.F) {
	f.Add("[1.5, nan]", "x")
	f.Fuzz(func(t *testing.T, want, text string) {
		if !defaultTolerance.equal("nan;"+text, value{text: "nan;" + text, floats: [][2]int{{0, 3}}}) {
			t.Fatalf("nan%q is not equal to itself", text)
		}
		if v, n, ok := cutNumber(want); ok && (n <= 0 || n > len(want) || math.IsNaN(v) && !strings.Contains(strings.ToLower(want[:n]), "nan")) {
			t.Fatalf("%q: %v, %d bytes", want, v, n)
		}
		sameDecimal(want, text)
	})
}

func FuzzParse(f *testing.F) {
	for _, dir := range []string{"testdata/pass", "testdata/fail"} {
		files, err := Files(dir)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range files {
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(src))
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		file, err := parse("x.test", src, map[string]Directive{"mine": func(context.Context, []string, string) error { return nil }})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x.test:") {
				t.Fatalf("the error has no position: %v", err)
			}
			return
		}
		checkRecords(t, file, file.records)
	})
}

func checkRecords(t *testing.T, f *file, list []*record) {
	line := 0
	for _, r := range list {
		if r.line <= line || r.line > len(f.lines) {
			t.Fatalf("a record in line %d after one in line %d of %d", r.line, line, len(f.lines))
		}
		line = r.line
		if r.hasWant && (r.wantLine <= r.line || r.wantEnd-r.wantLine != len(r.want) || r.wantEnd > len(f.lines)+1) {
			t.Fatalf("line %d: expected lines %d to %d, %d of them", r.line, r.wantLine, r.wantEnd, len(r.want))
		}
		checkRecords(t, f, r.body)
	}
}
