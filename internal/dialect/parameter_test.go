package dialect

import "testing"

// TestQuotedParameter: a parameter's name may stand in backticks in GoogleSQL, as SQLAlchemy writes it; what no name is, is an error of its place.
func TestQuotedParameter(t *testing.T) {
	for text, want := range map[string][]string{
		"SELECT @`n` + @m, 'a @`s`'": {"@`n`", "@m"},
		"SELECT @@`x`":               nil,
		"SELECT x@`n`":               {"@`n`"},
	} {
		var got []string
		for _, s := range Parameters(text, GoogleSQL) {
			got = append(got, text[s.Pos:s.End])
		}
		if len(got) != len(want) {
			t.Errorf("%s: %q, want %q", text, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: %q, want %q", text, got, want)
			}
		}
	}
	for _, text := range []string{"SELECT @``", "SELECT @`a b`", "SELECT @`a", "SELECT @`ä`"} {
		l := lexer{src: text, pos: 7, end: len(text), sql: GoogleSQL}
		if tok, _ := l.next(); tok.bad == "" {
			t.Errorf("%s is a parameter", text)
		}
	}
}
