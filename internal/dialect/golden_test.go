package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testRewriter expands a call into a readable form.
func testRewriter() *Rewriter {
	return &Rewriter{
		Expand: func(c *Call, quoted bool) (Expansion, error) {
			if c.Model.String() == "demo.nope" {
				return Expansion{}, errors.New("model `demo.nope` not found")
			}
			head := fmt.Sprintf("(SELECT __p.o0 AS \"y\", * EXCLUDE (__p) FROM (SELECT system.main.%s(1) AS __p, * FROM (", strings.ToLower(strings.ReplaceAll(c.Func, ".", "_")))
			return Expansion{
				Open:  head,
				Close: "\n) AS __q))",
				Whole: func(input string) string {
					return "query(system.main.mallard_predict(" + quoteString(c.Model.String()) + ", " + quoteString(input) + "))"
				},
				Casts: map[string]string{"input": "VARCHAR", "x": "DOUBLE"},
			}, nil
		},
		Function:      testFunction,
		TableFunction: testTableFunction,
		Data:          testData,
	}
}

// testFunction drops named constants, and leaves ML.CONVERT_COLOR_SPACE to the user.
func testFunction(f *Function, quoted bool) (*Substitution, error) {
	if f.Name == "ML.CONVERT_COLOR_SPACE" {
		return nil, nil
	}
	s := &Substitution{Text: []string{"system.main." + strings.ToLower(strings.ReplaceAll(f.Name, ".", "_")) + "("}}
	for i, a := range f.Args {
		switch {
		case a.Name != "" && a.Const != nil:
			s.Text[0] += "/* " + a.Name + " */ "
		case len(s.Keep) > 0:
			s.Text[len(s.Text)-1] = ", "
			fallthrough
		default:
			s.Keep = append(s.Keep, i)
			s.Text = append(s.Text, "")
		}
	}
	s.Text[len(s.Keep)] += ")"
	return s, nil
}

// testTableFunction leaves what searches the column alone to the user.
func testTableFunction(f *TableFunction, args []string, quoted bool) (string, error) {
	if len(args) > 1 && args[1] == "'alone'" {
		return "", nil
	}
	s := "SELECT " + quoteString(f.Name)
	for i, a := range f.Args {
		switch {
		case a.Query || a.Table != nil:
			s += ", (SELECT count(*) FROM (" + args[i] + "\n))"
		case a.Name != "":
			s += ", " + args[i] + " AS " + quoteName(a.Name)
		default:
			s += ", " + args[i]
		}
	}
	if quoted {
		return "query(" + quoteString(s) + ")", nil
	}
	return "found" + strings.Replace(s, "SELECT ", "(", 1) + ")", nil
}

// testData knows object tables called posters, and refuses what two of them may mean.
func testData(d *DataRef) (string, error) {
	var names []string
	for _, t := range d.Tables {
		if n := len(t.Path.Parts); n == 0 || t.Path.Parts[n-1] != "posters" {
			continue
		}
		name := t.Alias
		if name == "" {
			name = "posters"
		}
		if n := len(d.Qualifier); n == 0 || strings.EqualFold(d.Qualifier[n-1], name) {
			names = append(names, name)
		}
	}
	switch {
	case len(names) == 0:
		return "", nil
	case len(names) > 1:
		return "", &Error{Pos: d.Pos, End: d.End, Msg: "data is ambiguous", Hint: "Write its table before it"}
	}
	return "object_bytes(" + quoteName(names[0]) + ".uri)", nil
}

// found lists what a query has besides calls.
func found(src string, q *Query) string {
	var b strings.Builder
	args := func(list []Argument) {
		for _, a := range list {
			b.WriteString(" |")
			if a.Name != "" {
				b.WriteString(" " + a.Name + " =>")
			}
			switch {
			case a.Table != nil:
				b.WriteString(" table")
			case a.Query:
				b.WriteString(" query")
			case a.Const != nil:
				fmt.Fprintf(&b, " constant %d", a.Const.Kind)
			}
			b.WriteString(" " + src[a.Pos:a.End])
		}
		b.WriteString("\n")
	}
	for _, f := range q.Functions {
		b.WriteString("-- function " + f.Name)
		args(f.Args)
	}
	for _, f := range q.TableFunctions {
		b.WriteString("-- table function " + f.Name)
		args(f.Args)
	}
	for _, d := range q.Data {
		fmt.Fprintf(&b, "-- data %q of", d.Qualifier)
		for _, t := range d.Tables {
			fmt.Fprintf(&b, " %d:%s", t.Outer, t.Path)
			if t.Alias != "" {
				b.WriteString(" as " + t.Alias)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// outcome is what a golden file shows of a text.
func outcome(src string, lang Lang) string {
	var b strings.Builder
	for _, st := range Split(src, lang) {
		st.Data = strings.Contains(src, "/* data */")
		fmt.Fprintf(&b, "-- %s, terminated %v\n", st.Lang, st.Terminated)
		n, err := Parse(src, st)
		var q *Query
		if err == nil {
			var ok bool
			if q, ok = n.(*Query); !ok {
				var j bytes.Buffer
				e := json.NewEncoder(&j)
				e.SetEscapeHTML(false)
				if err := e.Encode(n); err != nil {
					panic(err)
				}
				fmt.Fprintf(&b, "%T %s", n, j.String())
				continue
			}
		}
		var t *Text
		if err == nil {
			fmt.Fprintf(&b, "-- verb %s, calls %d, untouched %v, view %v, macro %v\n", q.Verb, len(q.Calls), q.Untouched, q.InView, q.InMacro)
			b.WriteString(found(src, q))
			if q.Lang == GoogleSQL {
				continue // the analyzer reads it
			}
			t, err = testRewriter().Rewrite(src, q)
		}
		var e *Error
		switch {
		case errors.As(err, &e):
			b.WriteString(e.Render("query", src) + "\n")
		case err != nil:
			b.WriteString("error: " + err.Error() + "\n")
		default:
			b.WriteString(t.String() + "\n")
		}
	}
	return b.String()
}

// golden compares the outcomes of the cases in a folder with the .out files beside them. A .sql file holds one case, or
// several after lines of "---".
func golden(t *testing.T, dir string, lang Lang) {
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, one := range strings.Split(string(src), "\n---\n") {
				b.WriteString(one + "\n=>\n" + outcome(one, lang) + "---\n")
			}
			out := strings.TrimSuffix(file, ".sql") + ".out"
			if *update {
				if err := os.WriteFile(out, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if got := b.String(); got != string(want) {
				t.Errorf("%s differs; run with -update and read the diff\ngot:\n%s", out, got)
			}
		})
	}
}

// TestReference reads every statement of the tutorials.
func TestReference(t *testing.T) { golden(t, "reference", Auto) }

func TestParse(t *testing.T) { golden(t, "parse", Auto) }

func TestRewrite(t *testing.T) { golden(t, "rewrite", Auto) }
