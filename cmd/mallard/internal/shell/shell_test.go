package shell_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func open(t testing.TB) *sql.Conn {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		db.Close()
	})
	return conn
}

// split cuts at every semicolon, enough for the texts here.
func split(src string) (list []shell.Statement) {
	for pos := 0; pos < len(src); {
		end := strings.IndexByte(src[pos:], ';')
		if end < 0 {
			return append(list, shell.Statement{Pos: pos, End: len(src)})
		}
		list = append(list, shell.Statement{Pos: pos, End: pos + end})
		pos += end + 1
	}
	return list
}

// play runs a script as standard input and gives what it printed.
func play(t testing.TB, script string, o shell.Options) (out, errs string, err error) {
	t.Helper()
	var outBuf, errBuf bytes.Buffer
	o.Out, o.Err = &outBuf, &errBuf
	if o.Split == nil {
		o.Split = split
	}
	sh := shell.New(open(t), o)
	err = sh.Run(t.Context(), "test", strings.NewReader(script))
	if closeErr := sh.Close(); closeErr != nil {
		t.Error(closeErr)
	}
	return outBuf.String(), errBuf.String(), err
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
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
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// TestExplainIsAPicture: a plan is drawn, in every form of output, as DuckDB's shell does.
func TestExplainIsAPicture(t *testing.T) {
	for _, mode := range shell.Modes {
		out, errs, err := play(t, "EXPLAIN SELECT 1;", shell.Options{Format: shell.Format{Mode: mode}})
		if err != nil || errs != "" || !strings.HasPrefix(out, "┌─") || !strings.Contains(out, "│         PROJECTION        │\n") {
			t.Errorf("%s: %v %s\n%s", mode, err, errs, out)
		}
	}
}

func TestFormats(t *testing.T) {
	bar, null, empty := "<>", "n/a", ""
	for _, tt := range []struct {
		give string
		f    shell.Format
		want string
	}{
		{"SELECT 1 AS a, NULL AS b", shell.Format{Mode: shell.CSV}, "a,b\n1,NULL\n"},
		{"SELECT 1 AS a, NULL AS b", shell.Format{Mode: shell.CSV, NullValue: &empty}, "a,b\n1,\n"},
		{"SELECT 1 AS a", shell.Format{Mode: shell.CSV, RowSeparator: &bar}, "a<>1<>"},
		{"SELECT 1 AS a, 'x<>y' AS b", shell.Format{Mode: shell.CSV, Separator: &bar, NoHeader: true}, "1<>\"x<>y\"\n"},
		{"SELECT 1 AS a, NULL AS b", shell.Format{Mode: shell.List, Separator: &bar, NullValue: &null}, "a<>b\n1<>n/a\n"},
		{"SELECT 1 AS a", shell.Format{Mode: shell.List, NoHeader: true}, "1\n"},
		{"SELECT NULL AS a", shell.Format{Mode: shell.JSON, NullValue: &null}, "[{\"a\":null}]\n"},
		// As DuckDB's shell has it.
		{"SELECT 1 AS a, e'l1\\nl2' AS \"b c\", true AS t", shell.Format{Mode: shell.Insert, Into: "u"},
			"INSERT INTO u(a,\"b c\",t) VALUES(1,concat('l1', chr(10), 'l2'),'true');\n"},
		{"SELECT 1 AS a, 'x' AS b", shell.Format{Mode: shell.Insert, NoHeader: true}, "INSERT INTO \"table\" VALUES(1,'x');\n"},
		{"SELECT 1 AS a, 'x' AS b", shell.Format{Mode: shell.Column, NoHeader: true}, "1  x\n"},
		{"SELECT 1 AS a, 'x' AS b", shell.Format{Mode: shell.Table, NoHeader: true}, "+---+---+\n| a | b |\n+---+---+\n| 1 | x |\n+---+---+\n"},
		{"SELECT '<&>' AS a", shell.Format{Mode: shell.HTML, NoHeader: true}, "<tr><td>&lt;&amp;&gt;</td>\n</tr>\n"},
		{"SELECT 'a|b' AS a", shell.Format{Mode: shell.Markdown, NoHeader: true}, "|  a   |\n|------|\n| a\\|b |\n"},
		{"SELECT 1 AS a, 'x' AS b", shell.Format{Mode: shell.Column, Widths: []int{4, -4}}, "a        b\n----  ----\n1        x\n"},
		{"CREATE TABLE t(i INT); INSERT INTO t VALUES (1); UPDATE t SET i = 2; DELETE FROM t; DROP TABLE t; SET threads = 1", shell.Format{Mode: shell.CSV}, ""},
		{"CREATE TABLE t AS SELECT 1", shell.Format{Mode: shell.CSV}, ""},
		{"CREATE TABLE t(i BIGINT); INSERT INTO t VALUES (7) RETURNING i AS \"Count\"", shell.Format{Mode: shell.CSV}, "Count\n7\n"},
		{"/* c */ -- d\n SELECT 7::BIGINT AS \"Count\"", shell.Format{Mode: shell.CSV}, "Count\n7\n"},
		{"SELECT true AS \"Success\"", shell.Format{Mode: shell.CSV}, "Success\ntrue\n"},
		{"BEGIN; COMMIT", shell.Format{Mode: shell.CSV}, ""},
	} {
		out, errs, err := play(t, tt.give, shell.Options{Format: tt.f})
		if err != nil || errs != "" || out != tt.want {
			t.Errorf("%s: got %q, want %q (%v, %s)", tt.give, out, tt.want, err, errs)
		}
	}
}

// TestRoundTrip reads csv and json with the standard library's readers.
func TestRoundTrip(t *testing.T) {
	values := []string{"plain", "", "a,b", `q"q`, "two\nlines", " blank ", "NULL", "\u2028", "tab\t", `\N`}
	var union []string
	for i, v := range values {
		union = append(union, fmt.Sprintf("SELECT %d AS i, '%s' AS s", i, v))
	}
	query := strings.Join(union, " UNION ALL ") + " ORDER BY i"

	out, _, err := play(t, query, shell.Options{Format: shell.Format{Mode: shell.CSV, NoHeader: true}})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if rows[i][1] != v {
			t.Errorf("csv: got %q, want %q", rows[i][1], v)
		}
	}
	out, _, err = play(t, query, shell.Options{Format: shell.Format{Mode: shell.JSON}})
	if err != nil {
		t.Fatal(err)
	}
	var objects []struct{ S string }
	if err := json.Unmarshal([]byte(out), &objects); err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if objects[i].S != v {
			t.Errorf("json: got %q, want %q", objects[i].S, v)
		}
	}
}

func TestBoxOnATerminal(t *testing.T) {
	for _, tt := range []struct {
		name, give string
		width      int
	}{
		{"rows", "SELECT i, i::VARCHAR AS s FROM range(10000) t(i)", 80},
		{"rows_just_too_many", "SELECT i FROM range(44) t(i)", 80},
		{"rows_just_fit", "SELECT i FROM range(43) t(i)", 80},
		{"columns", "SELECT *, repeat('x', 100) AS l, [1, 2, 3] AS z, i * 1000 AS big, 'abc' AS b2, 'h' AS hh, i AS i2, i AS i3, i AS i4, i AS i5 FROM range(3) t(i)", 90},
		{"times_stay_whole", "SELECT 'a long text that may be cut anywhere' AS s, TIMESTAMPTZ '2020-01-01 01:02:03.123456+00' AS t, 123456789012345678::BIGINT AS a_long_name_for_a_number", 80},
		{"long_value", "SELECT 1 AS i, repeat('日本', 100) AS s", 60},
		{"two_long_values", "SELECT repeat('a', 100) AS a, 'short' AS b, repeat('c', 100) AS c", 60},
		{"narrow", "SELECT 1 AS first, 2 AS second, 3 AS third, 4 AS fourth FROM range(2)", 22},
		{"upright", "SELECT 1 AS first, repeat('ab', 50) AS second, 3 AS third, NULL AS a_name_that_is_longer_than_a_third_of_it, [1, 2] AS fifth", 48},
		{"one_wide_column", "SELECT repeat('a', 100) AS a", 20},
		{"struct_type", "SELECT {'some_field': 1, 'another_field': 'x', 'third_field': [1.5]} AS s, 1 AS i", 80},
		{"empty", "SELECT 1 AS x, '日本語' AS y WHERE false", 80},
		{"control", `SELECT e'\x1b[31mred\r\n' || chr(0) || chr(133) AS s`, 80},
		{"emoji", "SELECT '👩‍👩‍👧 family' AS s, 'é' AS combined UNION ALL SELECT 'plain', 'e'", 80},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, errs, err := play(t, tt.give, shell.Options{OutTerminal: true, Width: func() int { return tt.width }})
			if err != nil || errs != "" {
				t.Fatalf("%v: %s", err, errs)
			}
			golden(t, "box_"+tt.name+".out", out)
		})
	}
}

func TestBoxKeepsTheEnds(t *testing.T) {
	for rows := range 12 {
		for _, limit := range []int{1, 2, 3, 4, 5} {
			out, _, err := play(t, fmt.Sprintf(".maxrows %d\nSELECT i FROM range(%d) t(i);", limit, rows), shell.Options{OutTerminal: true})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(out) {
				if cell := strings.Trim(line, "│ \n"); cell != "" && strings.Trim(cell, "0123456789") == "" {
					got = append(got, cell)
				}
			}
			shown := rows
			if rows > limit+3 {
				shown = limit
			}
			var want []string
			for i := range rows {
				if i < (shown+1)/2 || i >= rows-shown/2 {
					want = append(want, fmt.Sprint(i))
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%d rows, at most %d: got %v, want %v", rows, limit, got, want)
			}
		}
	}
}

func TestScripts(t *testing.T) {
	for _, tt := range []struct {
		name, give string
		bail       bool
		out, errs  string
		failed     bool
	}{
		{"goes on", "SELECT 1;\nSELECT nope;\nSELECT 3;\n", false, "1\n3\n", "nope", true},
		{"bails", "SELECT 1;\nSELECT nope;\nSELECT 3;\n", true, "1\n", "nope", true},
		{"bails within a line", "SELECT 1; SELECT nope; SELECT 3;", true, "1\n", "nope", true},
		{"a failure ends its line", "SELECT 1; SELECT nope; SELECT 3;\nSELECT 4;", false, "1\n4\n", "nope", true},
		{"without a semicolon", "SELECT 1", false, "1\n", "", false},
		{"nothing", " \n\n", false, "", "", false},
		{"several lines", "SELECT\n  1;SELECT\n2\n;\n", false, "1\n2\n", "", false},
		{"dot after a statement", "SELECT 1;\n.nullvalue x\nSELECT NULL;\n", false, "1\nx\n", "", false},
		{"dot within a statement", "SELECT 1\n.5 AS x;\n", false, "", "syntax error", true},
		{"byte order mark", "\ufeffSELECT 1;", false, "1\n", "", false},
		{"hash bang", "#!/usr/bin/mallard -f\nSELECT 1;", false, "1\n", "", false},
		{"unknown command", ".tmer on\nSELECT 1;", false, "1\n", ".tmer: unknown command, did you mean .timer?, .help lists all", true},
		{"unknown command, bail", ".tmer on\nSELECT 1;", true, "", ".tmer", true},
		{"wrong use", ".timer\n", false, "", "usage: .timer on|off", true},
		{"carriage returns", "SELECT 1;\r\n.print \"a b\" 'c'\r\n", false, "1\na b c\n", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, errs, err := play(t, tt.give, shell.Options{Bail: tt.bail, Format: shell.Format{Mode: shell.List, NoHeader: true}})
			if out != tt.out || !strings.Contains(errs, tt.errs) || (errs != "") != (tt.errs != "") {
				t.Errorf("got %q and %q, want %q and %q", out, errs, tt.out, tt.errs)
			}
			if errors.Is(err, shell.ErrFailed) != tt.failed || err != nil && !tt.failed {
				t.Errorf("got error %v, want a failure: %v", err, tt.failed)
			}
		})
	}
}

// TestExecAndReadFileStop: as in DuckDB's shell what is given with -c, -f, -init and .read ends with its first failure.
func TestExecAndReadFileStop(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sql := file("a.sql", "SELECT 1;\nSELECT nope;\nSELECT 3;\n")
	dot := file("dot.sql", "SELECT 1;\n\n.nonsense\nSELECT 3;\n")
	nested := file("nested.sql", "SELECT 0;\n.read "+sql+"\nSELECT 4;\n")
	leave := file("leave.sql", ".exit 5\nSELECT 9;\n")
	for _, tt := range []struct {
		name, give string
		run        bool // as standard input
		out, errs  string
		want       error
	}{
		{"a statement", "SELECT 1;\nSELECT nope;\nSELECT 3;", false, "1\n", "nope", shell.ErrFailed},
		{"one line", "SELECT 1; SELECT nope; SELECT 3;", false, "1\n", "nope", shell.ErrFailed},
		{"a dot-command", ".nonsense\nSELECT 3;", false, "", ".nonsense", shell.ErrFailed},
		{".read", ".read " + sql + "\nSELECT 4;", false, "1\n", "nope", shell.ErrFailed},
		{".read of .read", ".read " + nested + "\nSELECT 5;", false, "0\n1\n", "nope", shell.ErrFailed},
		{".read of a dot-command", ".read " + dot, false, "1\n", "dot.sql:3: .nonsense: unknown command", shell.ErrFailed},
		{".read on standard input", ".read " + nested + "\nSELECT 5;", true, "0\n1\n5\n", "nope", shell.ErrFailed},
		{"a dot-command on standard input", "SELECT 1;\n.nonsense\nSELECT 3;", true, "1\n3\n", "test:2: .nonsense: unknown command", shell.ErrFailed},
		{".exit", "SELECT 1;\n.exit\nSELECT 2;\n", true, "1\n", "", shell.Exit{}},
		{".quit after a failure", "SELECT nope;\n.quit\n", true, "", "nope", shell.Exit{Code: 1}},
		{".exit 0 after a failure", "SELECT nope;\n.exit 0\n", true, "", "nope", shell.Exit{}},
		{".exit 3", ".exit 3\nSELECT 1;", false, "", "", shell.Exit{Code: 3}},
		{".exit within .read", ".read " + leave + "\nSELECT 1;", true, "", "", shell.Exit{Code: 5}},
		{".exit x", ".exit x\nSELECT 1;", false, "", "test:1: usage: .exit [CODE]", shell.ErrFailed},
		{".exit 256", ".exit 256\nSELECT 1;", false, "", "usage: .exit [CODE]", shell.ErrFailed},
		{".exit 3 4", ".exit 3 4\nSELECT 1;", false, "", "usage: .exit [CODE]", shell.ErrFailed},
		{".timer on off", ".timer on off", false, "", "usage: .timer on|off", shell.ErrFailed},
		{".bail off", ".bail off\nSELECT nope;\nSELECT 1;", false, "1\n", "nope", shell.ErrFailed},
		{".bail off before .read", ".bail off\n.read " + nested + "\nSELECT 5;", false, "0\n1\n3\n4\n5\n", "nope", shell.ErrFailed},
		{".bail off and on", ".bail off\n.bail on\nSELECT nope;\nSELECT 1;", false, "", "nope", shell.ErrFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			sh := shell.New(open(t), shell.Options{Out: &out, Err: &errs, Split: split, Format: shell.Format{Mode: shell.List, NoHeader: true}})
			defer sh.Close()
			var err error
			if tt.run {
				err = sh.Run(t.Context(), "test", strings.NewReader(tt.give))
			} else {
				err = sh.Exec(t.Context(), "test", tt.give)
			}
			if out.String() != tt.out || !strings.Contains(errs.String(), tt.errs) || (errs.Len() > 0) != (tt.errs != "") {
				t.Errorf("got %q and %q, want %q and %q", out.String(), errs.String(), tt.out, tt.errs)
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestNoArgumentIsPassedOver: no command takes more arguments than its help tells.
func TestNoArgumentIsPassedOver(t *testing.T) {
	for _, command := range shell.CommandNames() {
		if slices.Contains([]string{".print", ".width", ".pager", ".shell", ".once", ".output"}, command) {
			continue // they take any number
		}
		if _, errs, err := play(t, command+" 1 2 3 4 5 6 7 8 9", shell.Options{}); !errors.Is(err, shell.ErrFailed) || !strings.Contains(errs, "usage: "+command) {
			t.Errorf("%s with nine arguments: %v, %s", command, err, errs)
		}
	}
}

func TestErrorPlace(t *testing.T) {
	var got []string
	_, _, err := play(t, "SELECT 1;\n\n SELECT 2; SELECT\n nope;\n", shell.Options{RenderError: func(_ error, at shell.Place) string {
		line := at.Line + strings.Count(at.Text[:at.Pos], "\n")
		got = append(got, fmt.Sprintf("%s:%d %q", at.Name, line, at.Text[at.Pos:]))
		return "rendered"
	}})
	if !errors.Is(err, shell.ErrFailed) {
		t.Errorf("got %v", err)
	}
	if want := `test:3 " SELECT\n nope;\n"`; len(got) != 1 || got[0] != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestCommands(t *testing.T) {
	dir := t.TempDir()
	file, script := filepath.Join(dir, "out.csv"), filepath.Join(dir, "a.sql")
	if err := os.WriteFile(script, []byte("SELECT 'read';\n.read "+script+"x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, errs, err := play(t, `.mode csv
.headers off
SELECT 1, 2;
.separator "\t"
SELECT 1, 2;
.output `+file+`
SELECT 'to the file';
.output
SELECT 'to the screen';
.read `+script+`
.mode json
.mode
.mode nonsense
.maxrows 0
.maxrows
.maxrows x
.things a%
.things a b
.help timer
.timer on
SELECT 1 AS a;
`, shell.Options{Commands: []shell.Command{{Name: ".things", Args: "[PATTERN]", Help: "List things", Plain: true, Query: func(args []string) (string, error) {
		if len(args) != 1 {
			return "", errors.New("one pattern")
		}
		return "SELECT '" + args[0] + "' AS thing", nil
	}}}})
	if !errors.Is(err, shell.ErrFailed) {
		t.Errorf("got %v", err)
	}
	out = strings.ReplaceAll(out, dir, "DIR")
	errs = strings.ReplaceAll(errs, dir, "DIR")
	head, last, _ := strings.Cut(out, "Run Time")
	if !strings.HasPrefix(last, " (s): real 0.") {
		t.Errorf("timer: %q", last)
	}
	golden(t, "commands.out", head+"--- errors\n"+errs)
	b, err := os.ReadFile(file)
	if err != nil || string(b) != "to the file\r\n" {
		t.Errorf("output file: %q, %v", b, err)
	}
}

func TestHelpFitsATerminal(t *testing.T) {
	out, _, err := play(t, ".help", shell.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		if len(line) > 80 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

func TestOpenAndReadStopAtThemselves(t *testing.T) {
	script := filepath.Join(t.TempDir(), "self.sql")
	if err := os.WriteFile(script, []byte(".read "+script+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, errs, err := play(t, ".open x\n.read "+script, shell.Options{})
	if !errors.Is(err, shell.ErrFailed) || !strings.Contains(errs, "not possible here") || !strings.Contains(errs, "more than 20 files") {
		t.Errorf("got %v, %s", err, errs)
	}
}

// brokenPipe fails like the standard output whose reader went away.
type brokenPipe struct{ left int }

func (w *brokenPipe) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, &os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
	}
	return len(b), nil
}

func TestBrokenPipe(t *testing.T) {
	var errs bytes.Buffer
	sh := shell.New(open(t), shell.Options{Out: &brokenPipe{left: 1000}, Err: &errs, Split: split, Format: shell.Format{Mode: shell.CSV}})
	err := sh.Exec(t.Context(), "test", "SELECT * FROM range(1000000); SELECT nope;")
	if !shell.BrokenPipe(err) || errs.String() != "" {
		t.Errorf("got %v and %q, want a broken pipe and no message", err, errs.String())
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var errs bytes.Buffer
	sh := shell.New(open(t), shell.Options{Err: &errs, Split: split, Begin: func(ctx context.Context, _ string, _ func(string)) (context.Context, shell.Progress) {
		cancel()
		return ctx, nil
	}})
	if err := sh.Exec(ctx, "test", "SELECT sum(i * j) FROM range(10000000) a(i), range(10000000) b(j); SELECT nope;"); !errors.Is(err, shell.ErrFailed) {
		t.Errorf("got %v", err)
	}
	if strings.Contains(errs.String(), "nope") {
		t.Error("the next statement ran after the end of the context")
	}
}

type fakeProgress struct{}

func (fakeProgress) State() shell.State { return shell.State{Rows: 12345, Fraction: 0.25} }
func (fakeProgress) Below() string      { return "what models did\n" }

// TestBelowAPlan: what models did stands below the plan, in every form of output.
func TestBelowAPlan(t *testing.T) {
	begin := func(ctx context.Context, _ string, _ func(string)) (context.Context, shell.Progress) {
		return ctx, fakeProgress{}
	}
	for _, mode := range []string{"duckbox", "csv"} {
		out, _, err := play(t, ".mode "+mode+"\nEXPLAIN SELECT 42;\nSELECT 42;", shell.Options{Begin: begin})
		if err != nil || strings.Count(out, "┘\nwhat models did\n") != 1 || strings.Count(out, "what models did") != 1 {
			t.Errorf("%s: %v, %s", mode, err, out)
		}
	}
}

// TestLead: on a terminal that is too narrow the columns that are worth most are shown, and .last shows all.
func TestLead(t *testing.T) {
	lead := func(names []string) []int {
		if names[0] != "a" {
			return nil
		}
		return []int{3, 1, 0, 2, 4}
	}
	const values = " UNION ALL SELECT repeat('v', 30), 'best', repeat('w', 30), 'first', repeat('x', 30) FROM range(2)"
	for _, tt := range []struct{ give, want string }{
		{"SELECT 'x' AS a, 'x' AS b, 'x' AS c, 'x' AS d, 'x' AS e" + values + ";", "│    d    │    b    │           a            │ … │"},
		{"SELECT 'x' AS z, 'x' AS b, 'x' AS c, 'x' AS d, 'x' AS e" + values + ";", "│               z                │ … │"},
		{".maxwidth 1000\nSELECT 'x' AS a, 'x' AS b, 'x' AS c, 'x' AS d, 'x' AS e" + values + ";", "│ best    │ w"},
	} {
		out, errs, err := play(t, tt.give, shell.Options{OutTerminal: true, Width: func() int { return 50 }, Lead: lead})
		if err != nil || errs != "" || !strings.Contains(out, tt.want) {
			t.Errorf("%s: %v %s\n%s\nwant %s", tt.give, err, errs, out, tt.want)
		}
	}
}

func TestProgressAndNotices(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two seconds")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1700*time.Millisecond)
	defer cancel()
	var errs bytes.Buffer
	sh := shell.New(open(t), shell.Options{
		Err: &errs, ErrTerminal: true, Split: split,
		Begin: func(ctx context.Context, _ string, notice func(string)) (context.Context, shell.Progress) {
			notice("Successfully created model named m.")
			return ctx, fakeProgress{}
		},
	})
	if err := sh.Exec(ctx, "test", "SELECT sum(i * j) FROM range(10000000) a(i), range(10000000) b(j)"); !errors.Is(err, shell.ErrFailed) {
		t.Fatal(err)
	}
	rest, ok := strings.CutPrefix(errs.String(), "Successfully created model named m.\n")
	if !ok {
		t.Errorf("no notice: %q", errs.String())
	}
	line, _, ok := strings.Cut(strings.TrimPrefix(rest, "\r\x1b[K"), "\r\x1b[K")
	if !ok || !regexp.MustCompile(`^12,345 rows, [\d,]+ rows/s, 25 %, 0:0[3-6] left$`).MatchString(line) {
		t.Errorf("progress: %q of %q", line, rest)
	}
	if i := strings.LastIndex(rest, "\r\x1b[K"); i < 0 || strings.Contains(rest[i:], "rows/s") {
		t.Errorf("the line was not wiped out: %q", rest)
	}
}

// endless gives a script without an end, of which only as much may be held as a statement needs.
type endless struct{ n int }

func (e *endless) Read(b []byte) (int, error) {
	if e.n++; e.n > 2000 {
		return 0, io.EOF
	}
	return copy(b, strings.Repeat("\n", 100)+"SELECT 1;\n"), nil
}

func TestRunReadsAsItGoes(t *testing.T) {
	var out bytes.Buffer
	sh := shell.New(open(t), shell.Options{Out: &out, Split: split, Format: shell.Format{Mode: shell.List, NoHeader: true}})
	if err := sh.Run(t.Context(), "stdin", &endless{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "1\n"); got != 2000 {
		t.Errorf("got %d results, want 2000", got)
	}
}
