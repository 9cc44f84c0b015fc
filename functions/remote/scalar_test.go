package remote

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard/internal/dispatch"
)

// call writes a call of a scalar function.
func call(s *Spec, arguments string) string {
	before, after := s.ScalarSQL(nil)
	return before + arguments + after
}

// TestScalars: the results of reference 5.10's scalar functions, and what they send.
func TestScalars(t *testing.T) {
	answer := func(text string) func(string) string {
		return func(string) string {
			return `{"candidates":[{"content":{"parts":[{"text":"` + strings.ReplaceAll(text, `"`, `\"`) + `"}]},"finishReason":"STOP"}]}`
		}
	}
	const schema = `"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"result":{"type":"%s"}},"required":["result"],"propertyOrdering":["result"]}}`
	contents := `"contents":[{"role":"user","parts":[{"text":"q"}]}]`
	tests := []struct {
		function, answer string
		options          []Option
		columns, want    string
		request          string
	}{
		{"AI.GENERATE", "duck", nil, "STRUCT(result VARCHAR, full_response JSON, status VARCHAR)", "duck | ", "{" + contents + "}"},
		{"AI.GENERATE", `{"a":"x","n":[1,2]}`, opts("output_schema", "a STRING, n ARRAY<INT64>"), "STRUCT(a VARCHAR, n BIGINT[], full_response JSON, status VARCHAR)", "x | [1 2] | ",
			"{" + contents + `,"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"a":{"type":"STRING"},"n":{"type":"ARRAY","items":{"type":"INTEGER"}}},"required":["a","n"],"propertyOrdering":["a","n"]}}}`},
		{"AI.GENERATE", "duck", opts("model_params", `{"generation_config":{"temperature":0.5}}`, "request_type", "SHARED"), "STRUCT(result VARCHAR, full_response JSON, status VARCHAR)", "duck | ",
			"{" + contents + `,"generationConfig":{"temperature":0.5}}`},
		{"AI.GENERATE_BOOL", `{"result":true}`, nil, "STRUCT(result BOOLEAN, full_response JSON, status VARCHAR)", "true | ", "{" + contents + "," + fmt.Sprintf(schema, "BOOLEAN") + "}"},
		{"AI.GENERATE_INT", `{"result":42}`, nil, "STRUCT(result BIGINT, full_response JSON, status VARCHAR)", "42 | ", "{" + contents + "," + fmt.Sprintf(schema, "INTEGER") + "}"},
		{"AI.GENERATE_DOUBLE", `{"result":0.5}`, nil, "STRUCT(result DOUBLE, full_response JSON, status VARCHAR)", "0.5 | ", "{" + contents + "," + fmt.Sprintf(schema, "NUMBER") + "}"},
		{"AI.GENERATE_INT", `{"result":9007199254740993.0}`, nil, "STRUCT(result BIGINT, full_response JSON, status VARCHAR)", "9007199254740993 | ", "{" + contents + "," + fmt.Sprintf(schema, "INTEGER") + "}"},
		{"AI.GENERATE_BOOL", `Yes.`, nil, "STRUCT(result BOOLEAN, full_response JSON, status VARCHAR)", "NULL | The answer does not follow output_schema: it is no JSON object: Yes.", "{" + contents + "," + fmt.Sprintf(schema, "BOOLEAN") + "}"},
		{"AI.GENERATE_BOOL", `null`, nil, "STRUCT(result BOOLEAN, full_response JSON, status VARCHAR)", "NULL | The answer does not follow output_schema: it is no JSON object: null", "{" + contents + "," + fmt.Sprintf(schema, "BOOLEAN") + "}"},
		{"AI.GENERATE_BOOL", `{"result":tr`, nil, "STRUCT(result BOOLEAN, full_response JSON, status VARCHAR)", `NULL | The answer does not follow output_schema: it is no valid JSON, or was cut short: {"result":tr`, "{" + contents + "," + fmt.Sprintf(schema, "BOOLEAN") + "}"},
		{"AI.GENERATE_BOOL", `{"output":true}`, nil, "STRUCT(result BOOLEAN, full_response JSON, status VARCHAR)", `NULL | The answer does not follow output_schema: it has none of the fields that were asked for: {"output":true}`, "{" + contents + "," + fmt.Sprintf(schema, "BOOLEAN") + "}"},
		{"AI.GENERATE_BOOL", `{"result":null}`, nil, "STRUCT(result BOOLEAN, full_response JSON, status VARCHAR)", "NULL | ", "{" + contents + "," + fmt.Sprintf(schema, "BOOLEAN") + "}"},
		{"AI.GENERATE_INT", `{"result":"many"}`, nil, "STRUCT(result BIGINT, full_response JSON, status VARCHAR)", `NULL | The answer does not follow output_schema: field result should be INT64, but is "many"`, "{" + contents + "," + fmt.Sprintf(schema, "INTEGER") + "}"},
	}
	for i, tt := range tests {
		t.Run(fmt.Sprint(i, tt.function), func(t *testing.T) {
			db := openDB(t)
			f := &fake{text: answer(tt.answer)}
			s := db.add(specFor(t, tt.function, geminiURL, f, tt.options...))
			rows := db.must("SELECT typeof(r), r.* EXCLUDE (full_response) FROM (SELECT " + call(s, "'q'") + " AS r)")
			if rows[0][0] != tt.columns {
				t.Errorf("type %s, want %s", rows[0][0], tt.columns)
			}
			if got := strings.Join(rows[0][1:], " | "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			sameJSON(t, f.sent[0], tt.request)
			if want := ""; tt.options != nil && tt.options[0].Name == "model_params" {
				want = "shared"
				if got := f.header["X-Vertex-AI-LLM-Request-Type"]; got != want {
					t.Errorf("request type %q, want %q", got, want)
				}
			}
			got := db.must("SELECT r.status FROM (SELECT " + call(s, "NULL") + " AS r)")
			if f.n != 1 || got[0][0] != "Invalid prompt: it is NULL or empty." {
				t.Errorf("NULL: %v and %d requests", got, f.n)
			}
		})
	}
}

// TestEmbedScalar: AI.EMBED with a title, which goes with its task only.
func TestEmbedScalar(t *testing.T) {
	for _, tt := range []struct {
		options []Option
		want    string
	}{
		{opts("title", "a title", "task_type", "RETRIEVAL_DOCUMENT"), `{"content":"q","title":"a title","task_type":"RETRIEVAL_DOCUMENT"}`},
		{opts("title", "a title"), `{"content":"q"}`},
	} {
		db := openDB(t)
		f := &fake{}
		s := db.add(specFor(t, "AI.EMBED", embeddingURL, f, tt.options...))
		got := text(db.must("SELECT typeof(r), r.result, r.status FROM (SELECT " + call(s, "'q'") + " AS r)"))
		if got != "STRUCT(result DOUBLE[], status VARCHAR) | [1 0.5] | " {
			t.Error(got)
		}
		sameJSON(t, f.sent[0], tt.want)
	}
}

// TestScalarRows: rows of a chunk are sent side by side, equal rows once, also those of other chunks; answers go to the cache,
// and budgets hold.
func TestScalarRows(t *testing.T) {
	db := openDB(t)
	db.exec("CREATE TABLE w AS SELECT 'q' || (range % 100) AS prompt FROM range(10000)")
	f := &fake{latency: 20 * time.Millisecond}
	s := specFor(t, "AI.GENERATE", geminiURL, f)
	s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{Concurrency: 64})
	db.add(s)
	ask := func(s *Spec) string {
		return "SELECT count(*) FILTER (r.status = ''), count(DISTINCT r.result) FROM (SELECT " + call(s, "prompt") + " AS r FROM w)"
	}
	if got := text(db.must(ask(s))); got != "10000 | 100" {
		t.Error(got)
	}
	if f.n != 100 || f.most < 16 || f.most > 64 { // how many meet depends on the machine
		t.Errorf("%d requests, %d at once; want 100, and up to 64", f.n, f.most)
	}

	cache := &memoryCache{}
	for run := range 2 {
		f := &fake{}
		s := specFor(t, "AI.GENERATE", geminiURL, f, opts("model_params", `{"generationConfig":{"temperature":0}}`)...)
		s.Cache = cache
		db.add(s)
		db.must(ask(s))
		if want := 100 - 100*run; f.n != want {
			t.Errorf("run %d: %d requests, want %d", run, f.n, want)
		}
	}

	f = &fake{}
	s = specFor(t, "AI.GENERATE", geminiURL, f)
	db.add(s)
	db.o.Budget = dispatch.Budget{Requests: 30}
	got := db.must("SELECT count(*) FILTER (r.status = ''), count(*) FILTER (r.status LIKE 'Not sent: the budget of this statement%') FROM (SELECT " + call(s, "prompt") + " AS r FROM w)")
	if text(got) != "3000 | 7000" || f.n != 30 {
		t.Errorf("%v, %d requests", got, f.n)
	}
}

// TestProgress: what a shell shows while a statement runs.
func TestProgress(t *testing.T) {
	rows := prompts(1000)
	inTime(t, func() *Spec {
		s := textSpec(t, &fake{latency: time.Second, fault: func(n int, _ []string) error {
			if n%100 == 0 {
				return errBusy
			}
			return nil
		}}, flat)
		s.Connection = dispatch.NewConnection(dispatch.ConnectionOptions{Concurrency: 10})
		return s
	}, func(t *testing.T, st *dispatch.Statement, s *Spec) {
		if p := st.Progress(); p.Total || p.Rate != 0 {
			t.Errorf("before: %+v", p)
		}
		stop := make(chan struct{})
		var at30 dispatch.Progress
		go func() {
			defer close(stop)
			time.Sleep(30*time.Second + 500*time.Millisecond)
			at30 = st.Progress()
		}()
		run(t, st, s, rows)
		<-stop
		left, ok := at30.Left()
		if !at30.Total || at30.Submitted != 1000 || at30.Done < 280 || at30.Done > 300 || at30.Rate < 8 || at30.Rate > 11 || !ok || left < 60*time.Second || left > 90*time.Second || at30.Retries == 0 || at30.Tokens == 0 {
			t.Errorf("after 30 of 100 seconds: %+v, %v left", at30, left)
		}
		end := st.Progress()
		if left, ok := end.Left(); end.Done != 1000 || !ok || left != 0 || end.InFlight != 0 {
			t.Errorf("at the end: %+v, %v left", end, left)
		}
	})
}
