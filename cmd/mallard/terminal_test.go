package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestMain lets the test's own binary be the command, so that it can be run in a pseudo-terminal.
func TestMain(m *testing.M) {
	if os.Getenv("MALLARD_TEST_AS_COMMAND") != "" {
		main()
	}
	os.Exit(m.Run())
}

// atTerminal runs the command in a pseudo-terminal with everything typed before it has started, and gives what came and the exit code.
func atTerminal(t *testing.T, dir, keys string, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MALLARD_TEST_AS_COMMAND=1", "TERM=xterm", "HOME="+dir, "XDG_CACHE_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	keyboard, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer keyboard.Close()
	go func() { _, _ = keyboard.WriteString(keys) }()
	var b bytes.Buffer
	_, _ = io.Copy(&b, keyboard) // ends with an error when the command does
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return b.String(), cmd.ProcessState.ExitCode()
}

// TestTypedBeforeTheStart: what is typed while the command starts is run.
func TestTypedBeforeTheStart(t *testing.T) {
	var keys strings.Builder
	keys.WriteString("CREATE TABLE t(i INT);\n")
	for i := range 500 {
		fmt.Fprintf(&keys, "INSERT INTO t\nVALUES (%d);\n", i)
	}
	keys.WriteString(".mode list\nSELECT 'sum', count(*), sum(i) FROM t;\n.exit 7\n")
	out, code := atTerminal(t, t.TempDir(), keys.String())
	if code != 7 || !strings.Contains(out, "sum|500|124750") {
		t.Errorf("got %d, %q", code, out[max(0, len(out)-1000):])
	}
}

// TestMakesNoDatabaseByMistake: a missing script or table, and a command in capital letters, do not become an empty database.
func TestMakesNoDatabaseByMistake(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"x.SQL"}, "there is no file x.SQL, and its name is not that of a database"},
		{[]string{"rows.csv", "-c", "SELECT 1"}, "there is no file rows.csv"},
		{[]string{"a.parquet"}, "there is no file a.parquet"},
		{[]string{"HELP"}, "did you mean help?"},
		{[]string{":memory"}, "one in memory is :memory:"},
		{[]string{"serve", "sales"}, "there is no database sales; write ./sales to make it"},
		{[]string{"serve", "x.json"}, "there is no file x.json"},
	} {
		if code, _, errs := runMallard(t, "", tt.args...); code != 2 || !strings.Contains(errs, tt.want) {
			t.Errorf("%q: exit code %d, %q, want %q", tt.args, code, errs, tt.want)
		}
	}
	if made, err := os.ReadDir("."); err != nil || len(made) > 0 {
		t.Errorf("made %v %v", made, err)
	}
}

// TestAsksBeforeItMakesADatabase: and takes only a yes for one.
func TestAsksBeforeItMakesADatabase(t *testing.T) {
	for answer, made := range map[string]bool{"y": true, "Yes": true, "n": false, "": false, "no, yes": false} {
		dir := t.TempDir()
		out, code := atTerminal(t, dir, answer+"\nCREATE TABLE t AS SELECT 1 AS i;\n.exit 5\n", "docter")
		if !strings.Contains(out, "did you mean doctor?") || !strings.Contains(out, "[y/N]") {
			t.Errorf("%q: no question in %q", answer, out)
		}
		_, err := os.Stat(filepath.Join(dir, "docter"))
		if want := map[bool]int{true: 5, false: 2}[made]; (err == nil) != made || code != want {
			t.Errorf("%q: made %v, exit code %d, want %v and %d: %q", answer, err == nil, code, made, want, out)
		}
	}
}
