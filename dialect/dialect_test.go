package dialect

import (
	"fmt"
	"testing"
)

func TestSmoke(t *testing.T) {
	for _, s := range []string{
		"select * from ml.predict(model demo.m, (select ? as x, $n y from t where a in (select z from ML.PREDICT(MODEL b, TABLE q)) -- c\n), STRUCT(0.5 AS threshold)) p join z using (a)",
		"create or replace view v as select * from ml.predict(model demo.m, (select * from ML.PREDICT(MODEL b, TABLE q)))",
		"CREATE MODEL a.b INPUT(x STRING) OUTPUT(y ARRAY<FLOAT64>) REMOTE WITH CONNECTION DEFAULT OPTIONS(a=1, b=[('a','b')],)",
	} {
		st := Split(s, Auto)[0]
		n, err := Parse(s, st)
		fmt.Printf("%+v %v\n", n, err)
		if q, ok := n.(*Query); ok {
			r := Rewriter{Expand: func(c *Call, quoted bool) (Expansion, error) {
				return Expansion{Open: "(P(", Close: "\n))", Whole: func(s string) string { return "query(" + quoteString(s) + ")" }, Casts: map[string]string{"x": "VARCHAR", "y": "INT"}}, nil
			}}
			x, err := r.Rewrite(s, q)
			fmt.Println(x, err)
		}
	}
}
