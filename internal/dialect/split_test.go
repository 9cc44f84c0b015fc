package dialect

import (
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		give string
		lang Lang
		want string // statements joined by " | ", each with the first letter of its dialect
	}{
		{"", Auto, ""},
		{" ; -- x\n;", Auto, ""},
		{"select 1; select 2", Auto, "d:select 1 | d:select 2"},
		{"select ';' ; select \";\" -- ;\n; select $$;$$", Auto, "d:select ';' | d:select \";\" | d:select $$;$$"},
		{"select `a`; select \"b\"", Auto, "b:select `a` | d:select \"b\""},
		{"select '`' as \"`\" -- `", Auto, "d:select '`' as \"`\""},
		{"select \"a;b\" from `t`; select 1", Auto, "b:select \"a;b\" from `t` | d:select 1"},
		{"select 'it\\'s; x' from `t`", Auto, "d:select 'it\\'s | d:x' from `t`"},
		{"select 'it\\'s' from `t`", Auto, "b:select 'it\\'s' from `t`"},
		{"# it's\nselect `a`", Auto, "b:select `a`"},
		{"select '''a;'b''' from `t`", Auto, "b:select '''a;'b''' from `t`"},
		{"select 1 /* /* ; */ ; */; select 2", Auto, "d:select 1 | d:select 2"},
		{"select 1 /* /* */; select 2", GoogleSQL, "b:select 1 | b:select 2"},
		{"select 'a; select 2", Auto, "d:select 'a; select 2"},
		{"select 1; /* a; select 2", Auto, "d:select 1 | d:/* a; select 2"},
		{"select 1 /* a; select 2", GoogleSQL, "b:select 1 /* a; select 2"},
		{"attach 'C:\\x' as y; set x = 1; select \"a\"", GoogleSQL, "d:attach 'C:\\x' as y | d:set x = 1 | b:select \"a\""},
		{"select `a`", DuckDB, "d:select `a`"},
	} {
		var got []string
		for _, st := range Split(c.give, c.lang) {
			got = append(got, st.Lang.String()[:1]+":"+c.give[st.Pos:st.End])
		}
		if s := strings.Join(got, " | "); s != c.want {
			t.Errorf("Split(%q, %v) = %s; want %s", c.give, c.lang, s, c.want)
		}
	}
}

func TestComplete(t *testing.T) {
	for _, c := range []struct {
		give string
		want bool
	}{
		{"", true},
		{"  -- only a comment", true},
		{"select 1", false},
		{"select 1;", true},
		{"select 1; -- done", true},
		{"select 1; select 2", false},
		{"select ';", false},
		{"select 1; /* open", false},
		{"select $$;", false},
		{"select `a;", false},
		{"select `a`;", true},
		{";", true},
		{"#standardSQL\n", false},
		{"#standardSQL\nSELECT \"a\" AS x;\n", true},
	} {
		if got := complete(c.give, Auto); got != c.want {
			t.Errorf("Complete(%q) = %v", c.give, got)
		}
	}
}

func TestLineCol(t *testing.T) {
	src := "a\n日本x\r\n\tb"
	for _, c := range []struct{ pos, line, col int }{
		{-1, 1, 1}, {0, 1, 1}, {1, 1, 2}, {2, 2, 1}, {8, 2, 3}, {11, 3, 1}, {12, 3, 2}, {99, 3, 3},
	} {
		if line, col := LineCol(src, c.pos); line != c.line || col != c.col {
			t.Errorf("LineCol(%d) = %d:%d; want %d:%d", c.pos, line, col, c.line, c.col)
		}
	}
}

func TestRender(t *testing.T) {
	src := "SELECT 1\nFROM\t日本 e\u0301x\r\n"
	for _, c := range []struct {
		give Error
		want string
	}{
		{Error{Pos: strings.Index(src, "日"), End: strings.Index(src, " e"), Msg: "no", Hint: "go"}, "q:2:6: no\n  2 | FROM\t日本 e\u0301x\n          \t^~~~\n  go"},
		{Error{Pos: strings.Index(src, "x"), End: strings.Index(src, "x") + 1, Msg: "no"}, "q:2:11: no\n  2 | FROM\t日本 e\u0301x\n          \t      ^"},
		{Error{Pos: len(src), End: len(src), Msg: "end"}, "q:3:1: end\n  3 | \n      ^"},
		{Error{Pos: 7, End: 20, Msg: "two lines"}, "q:1:8: two lines\n  1 | SELECT 1\n             ^"},
	} {
		if got := c.give.Render("q", src); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}

// TestRenderWidth: of a wide line the part around the fault is shown, by what the terminal shows of it.
func TestRenderWidth(t *testing.T) {
	src := "SELECT '" + strings.Repeat("日", 30) + "' ||\tnope, " + strings.Repeat("x", 50)
	at := strings.Index(src, "nope")
	e := Error{Pos: at, End: at + 4, Msg: "no"}
	want := "q:1:44: no\n  1 | …日日' || nope, xxxxxxxxxxxxxxxxx…\n" + strings.Repeat(" ", 16) + "^~~~"
	if got := e.RenderWidth("q", src, 40); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	e = Error{Pos: len(src), End: len(src), Msg: "end"}
	want = "q:1:100: end\n  1 | …" + strings.Repeat("x", 32) + "\n" + strings.Repeat(" ", 39) + "^"
	if got := e.RenderWidth("q", src, 40); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func FuzzExcerpt(f *testing.F) {
	f.Add("SELECT '日本\t👩‍👩‍👧' e\u0301x", 9, 4, 20)
	f.Add("\xff\x00abc", 1, 1, 3)
	f.Fuzz(func(t *testing.T, line string, pos, length, room int) {
		line = strings.ReplaceAll(line, "\n", "")
		pos = min(max(pos, 0), len(line))
		end := min(max(pos+min(max(length, 0), 1000), pos), len(line))
		room = min(max(room, 20), 300)
		got, p, e := excerpt(line, pos, end, room)
		if p < 0 || e < p || e > len(got) {
			t.Fatalf("the fault is at %d to %d of %q", p, e, got)
		}
		plain := strings.ReplaceAll(line, "\t", " ")
		if got != line && !strings.Contains(plain, strings.TrimSuffix(strings.TrimPrefix(got, "…"), "…")) {
			t.Fatalf("%q is no part of %q", got, line)
		}
		if w := uniseg.StringWidth(got); !strings.Contains(got, "\t") && w > room+1 {
			t.Fatalf("%q is %d wide, not %d", got, w, room)
		}
	})
}

func TestSourcePos(t *testing.T) {
	src := "SELECT x, missing FROM ML.PREDICT(MODEL m, (SELECT bad AS input)) WHERE worse"
	st := Split(src, Auto)[0]
	n, err := Parse(src, st)
	if err != nil {
		t.Fatal(err)
	}
	out, err := testRewriter().Rewrite(src, n.(*Query))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"missing", "bad", "worse"} {
		pos, exact := out.SourcePos(strings.Index(out.String(), word))
		if !exact || pos != strings.Index(src, word) {
			t.Errorf("%s: %d, %v", word, pos, exact)
		}
	}
	if pos, exact := out.SourcePos(strings.Index(out.String(), "__p.o0")); exact || pos != strings.Index(src, "ML.PREDICT") {
		t.Errorf("what we wrote comes from %d, %v", pos, exact)
	}
	if pos, exact := out.SourcePos(len(out.String())); !exact || pos != len(src) {
		t.Errorf("the end comes from %d, %v", pos, exact)
	}
}

// TestArgumentPositions checks that what is kept of a function leads back to where it stands, and that a broken
// substitution is an error.
func TestArgumentPositions(t *testing.T) {
	for _, src := range []string{
		"SELECT ML.RESIZE_IMAGE(alpha /* x */,\n  beta, -- y\n gamma + delta)\nFROM omega",
		"SELECT ML.RESIZE_IMAGE(alpha /* x */,\n  beta, # y\n AI.GENERATE((gamma, delta)))\nFROM `omega`",
	} {
		n, err := Parse(src, Split(src, Auto)[0])
		if err != nil {
			t.Fatal(err)
		}
		out, err := testRewriter().Rewrite(src, n.(*Query))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"alpha", "beta", "gamma", "delta"} {
			pos, exact := out.SourcePos(strings.Index(out.String(), word))
			if want := strings.Index(src, word); pos != want || !exact {
				t.Errorf("%s comes from %d, %v; want %d of %q", word, pos, exact, want, src)
			}
		}
		for _, s := range []Substitution{{}, {Keep: []int{0}, Text: []string{""}}, {Keep: []int{1, 0}, Text: make([]string, 3)}, {Keep: []int{3}, Text: make([]string, 2)}, {Keep: []int{-1}, Text: make([]string, 2)}} {
			r := &Rewriter{Function: func(*Function, bool) (*Substitution, error) { return &s, nil }}
			if out, err := r.Rewrite(src, n.(*Query)); err == nil {
				t.Errorf("%+v gave %q", s, out)
			}
		}
	}
}

func TestDeepNestingNeedsNoStack(t *testing.T) {
	const n = 200_000
	for _, src := range []string{
		"CREATE MODEL m OPTIONS (a = " + strings.Repeat("[", n), "CREATE MODEL m INPUT (a " + strings.Repeat("STRUCT<", n),
		"FROM " + strings.Repeat("ML.PREDICT(MODEL m, (", 1000) + strings.Repeat("))", 1000),
	} {
		st := Split(src, Auto)[0]
		node, err := Parse(src, st)
		if err == nil {
			_, err = testRewriter().Rewrite(src, node.(*Query))
		}
		if err == nil {
			t.Errorf("%.40s… is accepted", src)
		}
	}
}
