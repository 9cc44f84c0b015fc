package dialect

import (
	"fmt"
	"strings"
	"testing"
)

func TestLexemes(t *testing.T) {
	for _, tt := range []struct{ give, want string }{
		{"SELECT a -- b\n, `c d` /* e */ FROM (f)", "SELECT a , 'c d' FROM ( f1 )"},
		{"my-project-1.data.t", "my-project-1 . data . t"},
		{"p-1a.d x - 1 - y", "p-1a . d x - 1 - y"},
		{`r'\' x' B"y" '''z'''`, "''' ''' '''"},
		{"1.5 + .5 + 1e-5", "1 . 5 + . 5 + 1e-5"},
		{"[@p, ?]", "[ @p1 ,1 ?1 ]"},
		{"'open", "'''"}, {"", ""},
	} {
		var got []string
		for _, l := range Lexemes(tt.give) {
			s := l.Text
			if l.Quoted {
				s = "'" + s + "'"
			}
			if l.Depth > 0 && !strings.ContainsAny(s, "()[]") {
				s += fmt.Sprint(l.Depth)
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.give, s, tt.want)
		}
	}
}

func FuzzLexemes(f *testing.F) {
	f.Add("my-project-1.data a-1.5 r'x' `y`")
	f.Fuzz(func(t *testing.T, src string) {
		end := 0
		for _, l := range Lexemes(src) {
			if l.Pos < end || l.End <= l.Pos || l.End > len(src) {
				t.Fatalf("%+v behind %d in %q", l, end, src)
			}
			end = l.End
		}
	})
}
