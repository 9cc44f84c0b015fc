package shell_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
)

var record = flag.Bool("record", false, "record what DuckDB's own shell prints, of $MALLARD_TEST_DUCKDB or duckdb, in testdata/duckdb")

// duckdbVersion is that of the shell that the records are of.
const duckdbVersion = "v1.5.6"

// TestAsDuckDB: each form of output is byte for byte that of DuckDB's own shell, as it was recorded of its 1.5.6 and, where that is
// installed, as it is there. The queries leave out what docs/shell.md tells to differ.
func TestAsDuckDB(t *testing.T) {
	t.Setenv("TZ", "UTC")
	queries, err := os.ReadFile(filepath.Join("testdata", "duckdb", "queries.sql"))
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for i, q := range strings.Split(strings.TrimSpace(string(queries)), "\n") {
		fmt.Fprintf(&script, ".print -- %d\n%s\n", i+1, q)
	}
	for _, mode := range shell.Modes {
		t.Run(string(mode), func(t *testing.T) {
			compare(t, string(mode), fmt.Sprintf(".mode %s\n%s", mode, script.String()))
		})
	}
	for name, text := range commandScripts {
		t.Run(name, func(t *testing.T) { compare(t, name, text) })
	}
}

// commandScripts are scripts of dot-commands that print what they do in DuckDB's shell.
var commandScripts = map[string]string{
	"counts": "SELECT i FROM range(1234567) t(i);\nSELECT i, i FROM range(1234567) t(i);\nSELECT i, i AS j, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' AS k FROM range(100) t(i);\n",
	"separators": ".mode csv\n.separator ;\nSELECT 1 AS a, 2 AS b;\n.separator | $\nSELECT 1 AS a, 2 AS b;\n.mode list\nSELECT 1 AS a, 2 AS b;\n" +
		".separator <> !\nSELECT 1 AS a, 2 AS b;\n.mode quote\n.separator ;\nSELECT 1 AS a, 'x' AS b;\n.mode tcl\nSELECT 1 AS a, 'x' AS b;\n",
	"settings": ".show\n.mode csv\n.width 3 -4\n.headers off\n.nullvalue x\n.echo off\n.show\n.mode line\n.headers yes\nSELECT NULL AS a;\n",
	"echo":     ".mode list\n.echo on\nSELECT 1 AS a;\nSELECT 2\n  AS b;\n.print x\n.echo off\nSELECT 4;\n",
	"changes": ".mode list\n.changes on\nSELECT 1;\nCREATE TABLE t AS SELECT 1 AS a;\nINSERT INTO t VALUES (2), (3);\nUPDATE t SET a = 4 WHERE a = 2;\n" +
		"DELETE FROM t;\n.changes off\nINSERT INTO t VALUES (2);\n",
	"width": ".width 5 -6\n.mode column\nSELECT 1 AS a, 2 AS b, 3 AS c;\n.mode table\nSELECT 1 AS a, 2 AS b;\n.mode box\nSELECT 'long text' AS a, 2 AS b;\n" +
		".mode markdown\nSELECT 1 AS a, 2 AS b;\n.width\nSELECT 1 AS a, 2 AS b;\n",
	"numbers": ".columns\nSELECT 1 AS a, 'x' AS b, NULL AS c FROM range(3);\nSELECT i FROM range(50) t(i);\nSELECT i, i AS j FROM range(12) t(i);\n.rows\n" +
		".thousand_sep ,\nSELECT 1234567 AS a, 1234.5 AS b, 123 AS c, 1234567.891::DOUBLE AS d, 'x' AS s;\n.thousand_sep space\nSELECT 1234567 AS a;\n" +
		".decimal_sep ,\nSELECT 1234567 AS a, 1234.5 AS b;\n.thousand_sep none\n.large_number_rendering all\n" +
		"SELECT 1234567 AS a, 1234.5 AS b, 999999 AS e, 994999 AS f, -1234567 AS g, 1e20::HUGEINT AS h;\n.large_number_rendering footer\n" +
		"SELECT 1234567 AS a, -1234567.5 AS d;\nSELECT 1234567 AS a, 'x' AS s;\nSELECT i FROM range(1234567) t(i);\n.large_number_rendering off\n" +
		".maxrows 5\nSELECT i FROM range(20) t(i);\n",
	"system": ".shell echo hi\n.system echo \"a b\"\n.print done\n.mode list\n.once |cat\nSELECT 1 AS a;\nSELECT 2 AS b;\n.output |cat\nSELECT 3 AS c;\n.output\nSELECT 4 AS d;\n",
}

// compare runs a script and compares with the record of DuckDB's shell, and that with DuckDB's shell.
func compare(t *testing.T, name, script string) {
	t.Helper()
	file := filepath.Join("testdata", "duckdb", name+".out")
	live := liveDuckDB(t, script)
	if *record {
		if live == "" {
			t.Fatal("there is no duckdb " + duckdbVersion)
		}
		if err := os.WriteFile(file, []byte(live), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := string(recorded)
	if live != "" && live != want {
		t.Errorf("the record is not what duckdb prints; go test -record makes it again: %s", difference(live, want))
	}
	got, errs, err := play(t, script, shell.Options{})
	if err != nil || errs != "" {
		t.Errorf("%v: %s", err, errs)
	}
	if got != want {
		t.Error(difference(got, want))
	}
}

// liveDuckDB gives what DuckDB's shell prints, nothing if it is not here.
func liveDuckDB(t *testing.T, script string) string {
	program, err := exec.LookPath(cmp.Or(os.Getenv("MALLARD_TEST_DUCKDB"), "duckdb"))
	if err != nil {
		return ""
	}
	if v, err := exec.CommandContext(t.Context(), program, "-version").Output(); err != nil || !strings.HasPrefix(string(v), duckdbVersion+" ") {
		return ""
	}
	c := exec.CommandContext(t.Context(), program, "-no-init")
	c.Stdin = strings.NewReader(script)
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// difference gives the first line in which two texts differ, with the mark above it.
func difference(got, want string) string {
	mark, g, w := "", strings.SplitAfter(got, "\n"), strings.SplitAfter(want, "\n")
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			return fmt.Sprintf("%sends before %q", mark, w[i])
		case i >= len(w):
			return fmt.Sprintf("%sgoes on with %q", mark, g[i])
		case g[i] != w[i]:
			return fmt.Sprintf("%sline %d: got %q, want %q", mark, i+1, g[i], w[i])
		}
		if strings.HasPrefix(g[i], "-- ") {
			mark = strings.TrimSpace(g[i]) + ", "
		}
	}
	return "nothing differs"
}
