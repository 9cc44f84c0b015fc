package main

import (
	"strings"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/internal/googlesql/installed"
)

// The advice of an error is a line of its own, behind the picture of its place.
func TestErrorsShowTheirHint(t *testing.T) {
	src := "SELECT SAFE_DIVIDE(1, 0)"
	err := &mallard.Error{Msg: "there is none", Hint: "read it so", Pos: 7, End: 18, Line: 1, Col: 8, Source: src}
	got := renderError(err, shell.Place{Name: "stdin", Text: src, Line: 1}, 80)
	if !strings.HasSuffix(got, "^~~~~~~~~~~\nread it so") || strings.Count(got, err.Hint) != 1 {
		t.Errorf("%q", got)
	}
}

// The place of an error in a text that the shell has put #standardSQL before is that in the text.
func TestErrorBehindAMarker(t *testing.T) {
	text := "SELECT 1;\nSELECT\n nosuch"
	err := &mallard.Error{Msg: "there is none", Pos: 21, End: 27, Line: 3, Col: 2, Source: "#standardSQL\nSELECT\n nosuch"}
	got := renderError(err, shell.Place{Name: "a.sql", Text: text, Pos: 10, Line: 5}, 80)
	if want := "a.sql:7:2: there is none\n"; !strings.HasPrefix(got, want) || !strings.Contains(got, "7 |  nosuch") {
		t.Errorf("%q", got)
	}
}

// TestStandardSQL: the marker at the beginning of a script holds for all of it, however it comes to the shell.
func TestStandardSQL(t *testing.T) {
	found, err := installed.FindNative() // runMallard has no cache folder in which the other one could be
	if err != nil {
		t.Skip(err)
	}
	t.Setenv(installed.EnvLibrary, found.Native)
	script := "#standardSQL\nSELECT \"a\" AS x, '''b;\nc''' AS y;\n\nSELECT \"d\" AS z; SELECT \"e\" AS v\n"
	const want = "x,y\na,\"b;\nc\"\nz\nd\nv\ne\n"
	for name, run := range map[string]func() (int, string, string){
		"-c":    func() (int, string, string) { return runMallard(t, "", "-csv", "-c", script) },
		"-f":    func() (int, string, string) { return runMallard(t, "", "-csv", "-f", write(t, "s.sql", script)) },
		"stdin": func() (int, string, string) { return runMallard(t, script, "-csv") },
		".read": func() (int, string, string) { return runMallard(t, ".read "+write(t, "s.sql", script), "-csv") },
	} {
		code, out, errs := run()
		if code != 0 || out != want {
			t.Errorf("%s: exit code %d, %q, %s", name, code, out, errs)
		}
	}
	if code, out, errs := runMallard(t, script, "-csv", "-dialect", "duckdb"); code == 0 || out != "" {
		t.Errorf("%q, %s", out, errs) // DuckDB's alone
	}
}
