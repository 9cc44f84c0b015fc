package main

import (
	"strings"
	"testing"
)

// TestImport: .import makes a table or adds to it; a line that does not fit is an error, and nothing of a file is left out in silence.
func TestImport(t *testing.T) {
	csv := write(t, "t.csv", "a,b\n1,x\n2,\"y,z\"\n")
	json := write(t, "t.json", `[{"a": 3, "b": "w"}]`)
	text := write(t, "t.txt", "4|v\n")
	bad := write(t, "bad.csv", "a,b\n1,x\n2,y\nthree,z\n")
	for _, tt := range []struct {
		commands []string
		out, err string
	}{
		{[]string{".import --csv " + csv + " t", "FROM t"}, "a,b\n1,x\n2,\"y,z\"\n", ""},
		{[]string{".import " + csv + " main.t", ".import " + json + " t", ".import --delim '|' --header false " + text + " t", "SELECT a FROM t"}, "a\n1\n2\n3\n4\n", ""},
		{[]string{"CREATE TABLE \"my t\"(i INTEGER, s VARCHAR)", ".import " + csv + " 'my t'", "SELECT count(*) AS n FROM \"my t\""}, "n\n2\n", ""},
		{[]string{".import nosuch.csv t"}, "", `.import: IO Error: No files found that match the pattern "nosuch.csv"` + "\n"},
		{[]string{".print x\n.import nosuch.csv t"}, "x\n", "query:2: .import: IO Error: No files found"},
		{[]string{".models a b"}, "", ".models: write one pattern at most"},
		{[]string{"CREATE TABLE t(i INTEGER, s VARCHAR)", ".import " + bad + " t"}, "", "three"},
		{[]string{".import t.csv"}, "", "write a file and a table"},
		{[]string{".import --skip"}, "", "--skip is no parameter with a value"},
	} {
		args := []string{"-csv"}
		for _, c := range tt.commands {
			args = append(args, "-c", c)
		}
		code, out, errs := runMallard(t, "", args...)
		if out != tt.out || (code != 0) != (tt.err != "") || !strings.Contains(errs, tt.err) {
			t.Errorf("%q: exit code %d, %q, %q", tt.commands, code, out, errs)
		}
	}
}
