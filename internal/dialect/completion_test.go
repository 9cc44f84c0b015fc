package dialect

import (
	"strings"
	"testing"
)

// A text that grows is complete when the whole of it is, in whatever pieces it comes, and by the rules of whichever dialect.
func TestCompletion(t *testing.T) {
	for _, src := range []string{
		"\n\n#standardSQL\nSELECT \"a;\" AS x\n;\n", "#standardSQL\nSET x = 1;\n", "select 'a;\nb;\n''c;\n';\nselect 2;", "select E'a\\\n\\';\n';\n",
		"select $x$ a;\n$$;\n$x$;\n", "/* a;\n /* b;\n */ c;\n */ select 1;\n", "select `a;\nb`;\n", "select 'it\\'s', `a`;\nselect 1;\n';\n",
		"select '''a;\n'';\n''', `b`;\n", "select \"a;\n\"\"b;\n\";\n", "SET x = 'it\\'s;\n';\nSELECT 1;\n", "select $$;\n$$ || `a`;\n;\n",
		"-- a;\n# b;\nselect 1;\n", "select r'a\\\n'\n;\n", "# it's\nselect `a`;\n", "/* /* */ select 1;\n*/ set x = 1;\n", ";\n;;\nselect 1; select 2;\n",
		"select '\n'';\n''\n';\n", "select ```\n;\n`;\n", "select 1; -- a\nselect 2\n; /* b\n*/", "select `a`, '\n''\n;'; select $a$\n;$a", "#standardSQL",
		"SET x = 'a;\n';\n", "SET x = \"a\\\";\nb\";\nselect 1;\n", "a: LOOP\n SET x = 1;\nEND LOOP;\nselect 1;\n",
		"CREATE PROCEDURE `a.b`()\nBEGIN\nSELECT 1;\nEND;\n",
	} {
		wantCompletion(t, src)
	}
}

// wantCompletion adds a text piece by piece, cut behind its newlines and elsewhere, and asks for the whole each time.
func wantCompletion(t *testing.T, src string) {
	t.Helper()
	for _, lang := range []Lang{Auto, DuckDB, GoogleSQL} {
		for _, step := range []int{0, 1, 3} {
			c := NewCompletion(lang)
			for at := 0; at < len(src); {
				end := min(at+step, len(src))
				if step == 0 {
					end = len(src)
					if i := strings.IndexByte(src[at:], '\n'); i >= 0 {
						end = at + i + 1
					}
				}
				got := c.Add(src[at:end])
				if at = end; got != complete(src[:at], lang) {
					t.Fatalf("%v, in steps of %d: %q is complete: %v", lang, step, src[:at], got)
				}
			}
		}
	}
}

// A line costs the same, however long the string is in which it stands.
func TestCompletionReadsOnce(t *testing.T) {
	for _, begin := range []string{"INSERT INTO t VALUES ('", "SELECT `a`, '''", "SELECT $$", "/* "} {
		c := NewCompletion(Auto)
		c.Add(begin + "\n")
		line := "a line; of a text;\n"
		few := testing.AllocsPerRun(100, func() { c.Add(line) })
		for range 20_000 {
			if c.Add(line) {
				t.Fatalf("%q is complete", begin)
			}
		}
		if c.whole {
			t.Errorf("%q is read as a whole at each line", begin)
		}
		if many := testing.AllocsPerRun(100, func() { c.Add(line) }); many > few+2 {
			t.Errorf("%q: %v allocations a line at first, %v in the end", begin, few, many)
		}
	}
}
