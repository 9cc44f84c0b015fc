package dialect

import (
	"strings"
	"testing"
)

// TestDeep checks that constructs far inside each other neither exhaust the stack nor change what is not ours.
func TestDeep(t *testing.T) {
	const n = 20_000
	alone := &Rewriter{
		Function: func(*Function, bool) (*Substitution, error) { return nil, nil },
		Data:     func(*DataRef) (string, error) { return "", nil },
	}
	for name, src := range map[string]string{
		"functions":   "SELECT " + strings.Repeat("ml.distance(", n) + "a" + strings.Repeat(")", n),
		"brackets":    "SELECT ml.decode_image(data), " + strings.Repeat("(", n) + "x.data" + strings.Repeat(")", n),
		"joins":       "SELECT ml.decode_image(data) FROM " + strings.Repeat("(", n) + "a JOIN b" + strings.Repeat(")", n),
		"subqueries":  "SELECT ml.decode_image(data) " + strings.Repeat("FROM (SELECT x.data ", n) + strings.Repeat(")", n),
		"unclosed":    "SELECT ml.decode_image(data) " + strings.Repeat("FROM (SELECT x.data ", n),
		"many tables": "SELECT " + strings.Repeat("(SELECT ml.decode_image(data) FROM t"+strings.Repeat(", t", 5000)+" WHERE ", 100) + "1" + strings.Repeat(")", 100),
	} {
		st := Split(src, DuckDB)[0]
		node, err := Parse(src, st)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if out, err := alone.Rewrite(src, node.(*Query)); err != nil || out.String() != src[st.Pos:st.End] {
			t.Errorf("%s: changed, or %v", name, err)
		}
	}
	for name, src := range map[string]string{
		"table functions": "SELECT * FROM " + strings.Repeat("vector_search((SELECT * FROM ", n) + "t" + strings.Repeat("), 'v')", n),
		"calls":           "SELECT * FROM " + strings.Repeat("ML.PREDICT(MODEL m, (SELECT * FROM ", n) + "t" + strings.Repeat("))", n),
	} {
		st := Split(src, DuckDB)[0]
		node, err := Parse(src, st)
		if err == nil {
			_, err = testRewriter().Rewrite(src, node.(*Query))
		}
		if err == nil || !strings.Contains(err.Error(), "nests more than 400 levels deep") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
