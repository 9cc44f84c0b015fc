package dialect

import "testing"

func TestTextCalls(t *testing.T) {
	for _, c := range []struct{ give, word, want string }{
		{`SELECT * FROM ML_PREDICT('m', 'SELECT nosuch FROM w')`, "nosuch", "nosuch FROM w')"},
		{`SELECT * FROM ml_predict('m', 'SELECT ''it''''s'', nosuch')`, "nosuch", "nosuch')"},
		{`FROM ml_generate_text ( 'm' , E'SELECT \x41 \n nosuch', {'a': 1})`, "nosuch", "nosuch', {'a': 1})"},
		{`FROM ml_generate_text('m', $a$SELECT 'x', nosuch$a$, {})`, "nosuch", "nosuch$a$, {})"},
		{`FROM ML_PREDICT('m', 'SELECT ''')`, "'", "''')"},
	} {
		all := TextCalls(c.give)
		if len(all) != 1 {
			t.Errorf("%s: %d calls", c.give, len(all))
			continue
		}
		in := all[0].Input
		for at := range in.Value {
			if len(in.Value)-at >= len(c.word) && in.Value[at:at+len(c.word)] == c.word {
				if got := c.give[in.Place(c.give, at):]; got != c.want {
					t.Errorf("%s: %q, want %q", c.give, got, c.want)
				}
				break
			}
		}
	}
	for _, none := range []string{
		`SELECT 'ML_PREDICT(''m'', ''x'')'`, `FROM x.ML_PREDICT('m', 'a')`, `FROM query('m', 'x')`,
		`-- ML_PREDICT('m', 'x')`, `SELECT ML_PREDICT`,
	} {
		if all := TextCalls(none); len(all) > 0 {
			t.Errorf("%s: %+v", none, all)
		}
	}
}

// What is no literal has no place.
func TestTextCallsWithoutTexts(t *testing.T) {
	for give, want := range map[string][2]bool{
		`FROM ML_PREDICT(?, 'x')`: {false, true}, `FROM ML_PREDICT('m', 'a' || 'b')`: {true, false}, `FROM ML_PREDICT('m')`: {}, `FROM ML_PREDICT('m', 'x`: {true, false},
		`FROM ML_PREDICT(`: {}, `FROM ml_estimate('x')`: {false, true}, `FROM ml_estimate(`: {}, `FROM ML_PREDICT('m', 'x', {`: {true, true},
	} {
		all := TextCalls(give)
		if len(all) != 1 || [2]bool{all[0].Model.End > 0, all[0].Input.End > 0} != want {
			t.Errorf("%s: %+v", give, all)
		}
	}
}

func FuzzTextCalls(f *testing.F) {
	f.Add(`FROM ML_PREDICT('m', E'a\n''b')`, 2)
	f.Fuzz(func(t *testing.T, src string, at int) {
		for _, c := range TextCalls(src) {
			if c.Input.End == 0 {
				continue
			}
			if p := c.Input.Place(src, at); p < c.Input.Pos || p > c.Input.End {
				t.Errorf("%q: %d is at %d, outside of %v", src, at, p, c.Input.Span)
			}
		}
	})
}
