package dialect

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seeds gives every statement of the golden cases.
func seeds(f *testing.F) []string {
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.sql"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	var list []string
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		list = append(list, strings.Split(string(src), "\n---\n")...)
	}
	return append(list, "select 'a", "select \"a", "/* /* */", "$a$ $$ $a$ $1$", "`a\\``;b", "e'\\''", "r'''a''b'''", "# x\n`y`", "1_000.5e+3", "a--b\r c", "\u00a0\ufeff;;", "\xff\xfe`\xf0", "select ml.distance(a => (1, struct(b)), data) from (a, b.data x join `c`)",
		"with data as (from x.data) select ml_decode_image(data), lambda data: data, a.data from vector_search((from b), 'c', table d)", "x\x00y")
}

// FuzzLex checks that tokens tile the source.
func FuzzLex(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, sql := range []Lang{DuckDB, GoogleSQL} {
			pos := 0
			for _, tok := range lex(src, 0, len(src), sql) {
				if tok.Pos != pos || tok.End <= tok.Pos {
					t.Fatalf("%v: token at %d:%d after %d of %q", sql, tok.Pos, tok.End, pos, src)
				}
				pos = tok.End
			}
			if pos != len(src) {
				t.Fatalf("%v: tokens end at %d of %d", sql, pos, len(src))
			}
		}
	})
}

// FuzzSplit checks that statements lie in order inside the text, with nothing but blanks, comments and semicolons
// between them, and that a statement alone splits into itself.
func FuzzSplit(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, lang := range []Lang{Auto, DuckDB, GoogleSQL} {
			pos := 0
			for _, st := range Split(src, lang) {
				if st.Pos < pos || st.End <= st.Pos || st.End > len(src) || st.Lang == Auto {
					t.Fatalf("%v: statement %+v after %d of %q", lang, st, pos, src)
				}
				if lang == DuckDB {
					for _, tok := range lex(src, pos, st.Pos, DuckDB) {
						if tok.kind != kindSpace && tok.kind != kindComment && src[tok.Pos:tok.End] != ";" {
							t.Fatalf("%q is lost between statements of %q", src[tok.Pos:tok.End], src)
						}
					}
				}
				pos = st.End
				alone := Split(src[st.Pos:st.End], st.Lang)
				if st.Lang == lang && (len(alone) != 1 || alone[0].Span != (Span{0, st.End - st.Pos})) {
					t.Fatalf("%v: %q alone splits into %+v", lang, src[st.Pos:st.End], alone)
				}
			}
		}
		if len(src) < 300 {
			wantCompletion(t, src)
		}
	})
}

// FuzzRewrite checks that nothing panics, that errors lie inside the statement, that a statement without our constructs
// keeps its bytes, and that a rewritten one is read as plain DuckDB and left alone.
func FuzzRewrite(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, lang := range []Lang{Auto, DuckDB, GoogleSQL} {
			for _, st := range Split(src, lang) {
				checkRewrite(t, src, st)
				st.Data = true
				checkRewrite(t, src, st)
			}
		}
	})
}

func checkRewrite(t *testing.T, src string, st Statement) {
	inside := func(err error) {
		var e *Error
		if !errors.As(err, &e) {
			if err.Error() != "model `demo.nope` not found" {
				t.Fatalf("%q: error without a position: %v", src, err)
			}
			return
		}
		if e.Pos < st.Pos || e.End < e.Pos || e.End > st.End {
			t.Fatalf("%q: error at %d:%d outside %d:%d: %v", src, e.Pos, e.End, st.Pos, st.End, e)
		}
		_ = e.Render("query", src)
	}
	n, err := Parse(src, st)
	if err != nil {
		inside(err)
		return
	}
	if e, ok := n.(*Estimate); ok {
		if e.Query.Pos <= st.Pos || e.Query.End != st.End {
			t.Fatalf("%q: estimates %+v of %+v", src, e.Query, st)
		}
		checkRewrite(t, src, Statement{Span: e.Query, Lang: st.Lang})
	}
	q, ok := n.(*Query)
	if !ok {
		return
	}
	checkFound(t, src, q)
	if q.Lang == GoogleSQL {
		return
	}
	out, err := testRewriter().Rewrite(src, q)
	if err != nil {
		inside(err)
		return
	}
	s := out.String()
	if q.Untouched && s != src[st.Pos:st.End] {
		t.Fatalf("%q became %q", src[st.Pos:st.End], s)
	}
	last := -1
	for i := 0; i <= len(s); i++ {
		pos, exact := out.SourcePos(i)
		if pos < st.Pos || pos > st.End || pos < last || exact && i < len(s) && src[pos] != s[i] {
			t.Fatalf("%q: byte %d of %q comes from %d, %v", src, i, s, pos, exact)
		}
		last = pos
	}
	if q.Untouched {
		return
	}
	again := Split(s, DuckDB)
	if len(again) != 1 {
		t.Fatalf("%q became %d statements: %q", src, len(again), s)
	}
	n, err = Parse(s, again[0])
	if err != nil {
		t.Fatalf("%q became %q, which is refused: %v", src, s, err)
	}
	q2, ok := n.(*Query)
	if _, estimate := n.(*Estimate); estimate && q.Verb == "EXPLAIN" {
		return // EXPLAIN ML ML.X(…) is no SQL before, nor what a call becomes behind ML
	}
	if !ok {
		t.Fatalf("%q became %T: %q", src, n, s)
	}
	// What the first pass left to the user may be there still.
	out, err = testRewriter().Rewrite(s, q2)
	if err != nil || out.String() != s[again[0].Pos:again[0].End] || len(q2.Calls) > 0 {
		t.Fatalf("not a fixed point: %q became %q, then %q, %v", src, s, out, err)
	}
}

// checkFound checks that what a query holds lies in it, in order, with arguments in order inside their brackets; and that
// a query of the DuckDB dialect keeps its bytes when all of it is the user's own.
func checkFound(t *testing.T, src string, q *Query) {
	within := func(what string, out, in Span) {
		if in.Pos < out.Pos || in.End <= in.Pos || in.End > out.End {
			t.Fatalf("%q: %s at %d:%d outside %d:%d", src, what, in.Pos, in.End, out.Pos, out.End)
		}
	}
	args := func(name string, at Span, list []Argument) {
		pos := at.Pos + 1
		for _, a := range list {
			within("an argument of "+name, Span{pos, at.End - 1}, a.Span)
			pos = a.End
		}
	}
	last := -1
	for _, f := range q.Functions {
		within(f.Name, Span{max(last+1, q.Pos), q.End}, f.Span)
		args(f.Name, f.Span, f.Args)
		last = f.Pos
	}
	last = -1
	for _, f := range q.TableFunctions {
		within(f.Name, Span{max(last+1, q.Pos), q.End}, f.Span)
		args(f.Name, f.Span, f.Args)
		last = f.Pos
	}
	last = q.Pos
	for _, d := range q.Data {
		within("data", Span{last, q.End}, d.Span)
		last = d.End
	}
	if q.Lang != DuckDB || len(q.Calls) > 0 {
		return
	}
	for _, r := range []*Rewriter{{}, {
		Function:      func(*Function, bool) (*Substitution, error) { return nil, nil },
		TableFunction: func(*TableFunction, []string, bool) (string, error) { return "", nil },
		Data:          func(*DataRef) (string, error) { return "", nil },
	}} {
		if out, err := r.Rewrite(src, q); err != nil || out.String() != src[q.Pos:q.End] {
			t.Fatalf("%q, left alone, became %q, %v", src[q.Pos:q.End], out, err)
		}
	}
}
