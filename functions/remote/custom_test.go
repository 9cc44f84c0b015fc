package remote

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/dispatch"
)

func customSpec(t testing.TB, f Service, in, out string) *Spec {
	t.Helper()
	s := specFor(t, "ML.PREDICT", endpointURL, f)
	var err error
	if s.Inputs, err = ParseColumns(in); err != nil {
		t.Fatal(err)
	}
	if s.Outputs, err = ParseColumns(out); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPredictTypes(t *testing.T) {
	f := &fake{instance: func(string) string {
		return `{"b":true,"i":9007199254740993,"f":[1.5],"n":-12.34,"s":"é\u0000x","a":[1,null,NaN],"t":["x","a longer string than twelve"],"e":[],"extra":1}`
	}}
	db := openDB(t)
	s := db.add(customSpec(t, f, "b BOOL, i INT64, f FLOAT64, n NUMERIC, s STRING, ai ARRAY<INT64>, af ARRAY<FLOAT64>, \n`as` ARRAY<STRING>",
		"b BOOL, i INT64, f FLOAT64, n NUMERIC, s STRING, a ARRAY<FLOAT64>, t ARRAY<STRING>, e ARRAY<INT64>"))
	cols, rows, err := db.query(context.Background(), "SELECT b, i, f, n, ord(s[2]) z, s[1] s, a, t, e, remote_model_status, x, typeof(n) tn FROM "+
		over(s, `SELECT 7 x, true AS B, 5::UTINYINT i, 1.25 F, 3.10::DECIMAL(9,2) n, 'q"uote' s, [1,2] ai, [1, 2]::FLOAT[2] af, ['x', NULL] AS "as"`))
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, f.sent[0], `{"b":true,"i":5,"f":1.25,"n":3.1,"s":"q\"uote","ai":[1,2],"af":[1,2],"as":["x",null]}`)
	if got := strings.Join(cols[:10], " "); got != "b i f n z s a t e remote_model_status" {
		t.Error(got)
	}
	want := "true | 9007199254740993 | 1.5 | -12.34 | 0 | é | [1 <nil> NaN] | [x a longer string than twelve] | [] | NULL | 7 | DECIMAL(38,9)"
	if got := text(rows); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestPredictColumns(t *testing.T) {
	db := openDB(t)
	f := &fake{instance: func(string) string { return `[0.1, 0.9]` }}
	s := db.add(customSpec(t, f, "text STRING", "any_name ARRAY<FLOAT64>"))
	cols, rows, err := db.query(context.Background(), "SELECT * FROM "+over(s, "SELECT 1 id, 'x' AS TEXT"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(cols, " ") + ": " + text(rows); got != "any_name remote_model_status id TEXT: [0.1 0.9] | NULL | 1 | x" {
		t.Error(got)
	}
}

// One row of a batch is wrong; its status says so, and its neighbours are right.
func TestPredictWrongAnswers(t *testing.T) {
	tests := []struct{ outputs, answer, want string }{
		{"y INT64", `"abc"`, "Invalid answer: `y` should be INT64, but is \"abc\""},
		{"y INT64", `1.5`, "Invalid answer: `y` should be INT64, but is 1.5"},
		{"y INT64", `{"z":1}`, "Invalid answer: it has the fields z, the model declares OUTPUT(y INT64)"},
		{"y INT64, z STRING", `{"y":1}`, "Invalid answer: it lacks `z`; it has y"},
		{"y INT64, z STRING", `[1,2]`, "Invalid answer: it should be an object with 2 fields, but is [1,2]"},
		{"y ARRAY<INT64>", `[1,"a"]`, "Invalid answer: `y` has an element that should be INT64, but is \"a\""},
		{"y NUMERIC", `1e60`, "Invalid answer: `y` should be NUMERIC, but is 1e60"},
	}
	for _, tt := range tests {
		db := openDB(t)
		f := &fake{instance: func(in string) string {
			if strings.Contains(in, "2") {
				return tt.answer
			}
			return map[bool]string{true: `{"y":7,"z":"q"}`, false: `7`}[strings.Contains(tt.outputs, "z")]
		}}
		if strings.Contains(tt.outputs, "ARRAY") {
			inner := f.instance
			f.instance = func(in string) string { return strings.Replace(inner(in), "7", "[7]", 1) }
		}
		s := db.add(customSpec(t, f, "x INT64", tt.outputs))
		rows := db.must("SELECT y IS NULL, remote_model_status, x FROM " + over(s, "SELECT unnest([1, 2, 3]) x"))
		want := fmt.Sprintf("false | NULL | 1\ntrue | %s | 2\nfalse | NULL | 3", tt.want)
		if got := text(rows); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
		if f.n != 1 {
			t.Errorf("%d requests", f.n)
		}
	}
}

func TestBindErrors(t *testing.T) {
	db := openDB(t)
	custom := db.add(customSpec(t, &fake{}, "x INT64, l ARRAY<STRING>", "y INT64"))
	gen := db.add(textSpec(t, &fake{}))
	tests := []struct {
		spec       *Spec
		give, want string
	}{
		{custom, "SELECT 1.5 x, ['a'] l", "Binder Error: model demo.m: input `x` wants INT64, column is DECIMAL; cast it: CAST(\"x\" AS BIGINT)"},
		{custom, "SELECT 1 x, 'a' l", "Binder Error: model demo.m: input `l` wants ARRAY<STRING>, column is VARCHAR; cast it: CAST(\"l\" AS VARCHAR[])"},
		{custom, "SELECT 1 x", `"__q" does not have a column named "l"`},
		{gen, "SELECT 'a' AS promt", `"__q" does not have a column named "prompt"`},
		{gen, "SELECT 1 AS prompt", "Binder Error: model demo.m: input `prompt` wants STRING or a STRUCT of STRING, ARRAY<STRING> and ObjectRef, column is INTEGER; cast it: CAST(\"prompt\" AS VARCHAR)"},
		{gen, "SELECT {a: 'x', b: DATE '2020-01-01'} AS prompt", "model demo.m: input `prompt` wants STRING or a STRUCT of STRING, ARRAY<STRING> and ObjectRef, column is STRUCT(a VARCHAR, b DATE)"},
	}
	for _, tt := range tests {
		_, _, err := db.query(context.Background(), "SELECT * FROM "+over(tt.spec, tt.give))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s:\n got %v\nwant %s", tt.give, err, tt.want)
		}
	}
	for v, n := range db.refs {
		if n != 0 {
			t.Errorf("spec %d has %d references left", v, n)
		}
	}
}

func TestNullAndEmptyPrompts(t *testing.T) {
	db := openDB(t)
	f := &fake{}
	s := db.add(textSpec(t, f, flat))
	got := text(db.must("SELECT ml_generate_text_llm_result, ml_generate_text_status FROM " + over(s, "SELECT unnest(['a', '', NULL, 'b']) AS prompt")))
	want := "A | \nNULL | Invalid prompt: it is NULL or empty.\nNULL | Invalid prompt: it is NULL or empty.\nB | "
	if got != want {
		t.Errorf("%s", got)
	}
	if f.n != 2 {
		t.Errorf("%d requests", f.n)
	}
	got = text(db.must("SELECT * FROM " + over(s, "SELECT NULL AS prompt")))
	if got != "NULL | NULL | Invalid prompt: it is NULL or empty. | NULL" {
		t.Error(got)
	}
	got = text(db.must("SELECT ml_generate_text_llm_result FROM " + over(s, "SELECT {a: 'x', b: ['y', 'z']} AS prompt")))
	if got != "XYZ" {
		t.Error(got)
	}
}

func TestUnflattenedIsJSON(t *testing.T) {
	db := openDB(t)
	s := db.add(textSpec(t, &fake{}))
	got := text(db.must("SELECT typeof(ml_generate_text_result), ml_generate_text_result->>'$.candidates[0].content.parts[0].text', ml_generate_text_result['candidates'][1]['content'] IS NULL FROM " + over(s, "SELECT 'a' AS prompt")))
	if !strings.HasPrefix(got, "JSON | A") {
		t.Error(got)
	}
}

func TestEmbeddingSQL(t *testing.T) {
	db := openDB(t)
	f := &fake{}
	s := db.add(specFor(t, "ML.GENERATE_EMBEDDING", embeddingURL, f))
	db.exec("CREATE TABLE w AS SELECT 'text ' || range AS content FROM range(3000)")
	cols, rows, err := db.query(context.Background(), "SELECT * FROM "+over(s, "FROM w LIMIT 2"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(cols, " "), "ml_generate_embedding_result ml_generate_embedding_statistics ml_generate_embedding_status content"; got != want {
		t.Error(got)
	}
	if got, want := text(rows), "[6 0.5] | map[token_count:3 truncated:false] |  | text 0\n[6 0.5] | map[token_count:3 truncated:false] |  | text 1"; got != want {
		t.Error(got)
	}
	f.n = 0
	db.exec("SET threads = 1") // of two threads the one with fewer rows may come first, and sends a request that is not full
	got := text(db.must("SELECT count(*), sum(ml_generate_embedding_result[1]), count(DISTINCT content) FROM " + over(s, "FROM w")))
	if got != "3000 | 25890 | 3000" {
		t.Error(got)
	}
	if f.n != 12 {
		t.Errorf("%d requests for 3000 texts", f.n)
	}
}

func TestGenerateTableSQL(t *testing.T) {
	db := openDB(t)
	f := &fake{text: func(string) string {
		return `{"candidates":[{"content":{"parts":[{"text":"{\"title\":\"T\",\"cast\":[{\"name\":\"A\",\"age\":3},{\"name\":\"B\"}],\"year\":1912}"}]}}]}`
	}}
	s := db.add(specFor(t, "AI.GENERATE_TABLE", geminiURL, f, Option{Name: "output_schema", Value: "title STRING, year INT64, cast ARRAY<STRUCT<name STRING, age INT64>>"}))
	cols, rows, err := db.query(context.Background(), "SELECT * EXCLUDE (full_response), \"cast\"[2].age IS NULL FROM "+over(s, "SELECT 'x' AS prompt"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(cols[:5], " "); got != "prompt title year cast status" {
		t.Error(got)
	}
	if got := text(rows); got != "x | T | 1912 | [map[age:3 name:A] map[age:<nil> name:B]] |  | true" {
		t.Error(got)
	}
}

func TestScalar(t *testing.T) {
	db := openDB(t)
	s := db.add(specFor(t, "AI.GENERATE", geminiURL, &fake{}))
	before, after := s.ScalarSQL(nil)
	got := text(db.must("SELECT (" + before + "'row ' || i" + after + ").result FROM range(3) t(i)"))
	if got != "ROW 0\nROW 1\nROW 2" {
		t.Error(got)
	}
	e := db.add(specFor(t, "AI.EMBED", embeddingURL, &fake{}))
	before, after = e.ScalarSQL(nil)
	if got := text(db.must("SELECT x.result, x.status FROM (SELECT " + before + "'abc'" + after + " AS x)")); got != "[3 0.5] | " {
		t.Error(got)
	}
}

// Prepared statements run again with new parameters; each run is a statement of its own.
func TestPrepared(t *testing.T) {
	db := openDB(t)
	f := &fake{}
	s := db.add(textSpec(t, f, flat))
	st, err := db.Prepare("SELECT ml_generate_text_llm_result FROM " + over(s, "SELECT ?::VARCHAR AS prompt"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for _, p := range []string{"a", "b"} {
		run := dispatch.NewStatement(context.Background(), dispatch.StatementOptions{})
		db.mu.Lock()
		db.st = run
		db.mu.Unlock()
		var got string
		if err := st.QueryRow(p).Scan(&got); err != nil || got != strings.ToUpper(p) {
			t.Errorf("%q, %v", got, err)
		}
		run.End()
	}
}

func TestNested(t *testing.T) {
	db := openDB(t)
	f := &fake{}
	s := db.add(textSpec(t, f, flat))
	inner := over(s, "SELECT 'row ' || i AS prompt FROM range(5) t(i)")
	got := text(db.must("SELECT count(*), min(ml_generate_text_llm_result) FROM " + over(s, "SELECT ml_generate_text_llm_result || '!' AS prompt FROM "+inner)))
	if got != "5 | ROW 0!" {
		t.Error(got)
	}
	got = text(db.must("SELECT sum(length(r)) FROM (SELECT (SELECT ml_generate_text_llm_result FROM " + over(s, "SELECT 'q' || t.i AS prompt") + ") r FROM range(3) t(i))"))
	if got != "6" {
		t.Error(got)
	}
}

func TestEstimate(t *testing.T) {
	db := openDB(t)
	f := &fake{}
	s := specFor(t, "ML.GENERATE_EMBEDDING", embeddingURL, f)
	s.Price = dispatch.Price{InputPerMillion: 1}
	s.Cache = &memoryCache{}
	db.add(s)
	db.must("SELECT * FROM " + over(s, "SELECT 'text ' || range AS content FROM range(100)"))
	f.n = 0
	db.o.Estimate = true
	db.must("SELECT * FROM " + over(s, "SELECT 'text ' || (range % 1000) AS content FROM range(5000)"))
	if f.n != 0 {
		t.Errorf("%d requests", f.n)
	}
	e := db.last.Estimates()
	if len(e) != 1 || e[0].Rows != 5000 || e[0].Distinct != 1000 || e[0].Cached != 100 || e[0].Requests != 4 || e[0].InputTokens < 1000 || e[0].Money <= 0 {
		t.Errorf("%+v", e)
	}
}
