package extension_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
)

// emulator starts a local Vertex AI and gives a configuration whose connections lead to it.
func emulator(t testing.TB, o vertextest.Options) (*vertextest.Server, *mallard.Config) {
	t.Helper()
	s, err := vertextest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg := config(t)
	c := mallard.ConnectionConfig{Project: "my-project", Location: "us-central1", BaseURL: s.URL(), Auth: "none"}
	cfg.Connections = map[string]mallard.ConnectionConfig{"default": c, "my-connection": c}
	return s, cfg
}

const createGemini = "CREATE OR REPLACE MODEL `bqml_tutorial.gemini-vision`\n  REMOTE WITH CONNECTION DEFAULT\n  OPTIONS (ENDPOINT = 'gemini-2.5-flash');"

// table gives the rows of a query as text, the column names first.
func table(t testing.TB, db *sql.DB, query string) [][]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s\n%v", query, err)
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	all := [][]string{cols}
	for rows.Next() {
		vals := make([]any, len(cols))
		ptrs := make([]any, len(cols))
		for i := range vals {
			ptrs[i] = &vals[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			t.Fatal(err)
		}
		line := make([]string, len(cols))
		for i, v := range vals {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			line[i] = fmt.Sprint(v)
		}
		all = append(all, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestGenerateText: the columns of reference 5.3, in the order of the live service.
func TestGenerateText(t *testing.T) {
	_, cfg := emulator(t, vertextest.Options{Generate: func(_ context.Context, p vertextest.Prompt) (string, error) {
		return strings.ToUpper(p.Text), nil
	}})
	db := open(t, "", cfg)
	exec(t, db, "CREATE SCHEMA bqml_tutorial", createGemini, "CREATE TABLE p AS SELECT i AS id, 'why ' || i AS prompt FROM range(5) t(i)")
	got := table(t, db, "SELECT * FROM ML.GENERATE_TEXT(MODEL `bqml_tutorial.gemini-vision`, TABLE p, STRUCT(TRUE AS flatten_json_output)) ORDER BY id")
	want := "[ml_generate_text_llm_result ml_generate_text_rai_result ml_generate_text_status id prompt]"
	if fmt.Sprint(got[0]) != want {
		t.Errorf("columns %v, want %s", got[0], want)
	}
	if len(got) != 6 || fmt.Sprint(got[3]) != "[WHY 2 <nil>  2 why 2]" {
		t.Errorf("rows %v", got)
	}
	got = table(t, db, "SELECT * FROM ML.GENERATE_TEXT(MODEL `bqml_tutorial.gemini-vision`, TABLE p) WHERE id = 1")
	if want := "[ml_generate_text_result ml_generate_text_status id prompt]"; fmt.Sprint(got[0]) != want {
		t.Errorf("columns %v, want %s", got[0], want)
	}
	if s := one[string](t, db, "SELECT ml_generate_text_llm_result FROM ML_GENERATE_TEXT('bqml_tutorial.gemini-vision', 'FROM p', options := {'flatten_json_output': true, 'temperature': 0.5}) WHERE id = 3"); s != "WHY 3" {
		t.Errorf("plain form: %q", s)
	}
	exec(t, db, "CREATE VIEW v AS SELECT * FROM ML.GENERATE_TEXT(MODEL `bqml_tutorial.gemini-vision`, TABLE p, STRUCT(0.2 AS temperature, TRUE AS flatten_json_output))")
	if s := one[string](t, db, "SELECT ml_generate_text_llm_result FROM v WHERE id = 4"); s != "WHY 4" {
		t.Errorf("view: %q", s)
	}
}

// TestAskedOnce: a second run costs nothing, also after the file was closed; ML_CACHE_CLEAR forgets.
func TestAskedOnce(t *testing.T) {
	s, cfg := emulator(t, vertextest.Options{})
	file := filepath.Join(t.TempDir(), "m.db")
	db := open(t, file, cfg)
	exec(t, db, "CREATE SCHEMA bqml_tutorial", createGemini)
	const ask = "SELECT count(ml_generate_text_llm_result) FROM ML.GENERATE_TEXT(MODEL `bqml_tutorial.gemini-vision`, (SELECT CONCAT('q', CAST(i AS STRING)) AS prompt FROM UNNEST([1, 2, 3, 3, 3]) AS i), STRUCT(TRUE AS flatten_json_output))"
	for i, want := range []int64{3, 3, 3} {
		if n := one[int](t, db, ask); n != 5 {
			t.Errorf("run %d: %d answers", i, n)
		}
		if s.Count() != want {
			t.Errorf("run %d: %d requests so far, want %d", i, s.Count(), want)
		}
		if i == 1 {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = open(t, file, cfg)
		}
	}
	if n := one[int](t, db, "SELECT count(*) FROM ml_cache()"); n != 3 {
		t.Errorf("%d answers in ml_cache()", n)
	}
	if n := one[int](t, db, "SELECT cached FROM ml_usage()"); n < 3 {
		t.Errorf("ml_usage() counts %d cached rows", n)
	}
	if s := one[string](t, db, "SELECT ML_CACHE_CLEAR()"); s != "3 answers removed" {
		t.Error(s)
	}
	one[int](t, db, ask)
	if s.Count() != 6 {
		t.Errorf("%d requests after the cache was cleared, want 6", s.Count())
	}
}

// TestCustomEndpoint: the statements of reference 3.3, with a TensorFlow model behind the endpoint.
func TestCustomEndpoint(t *testing.T) {
	_, cfg := emulator(t, vertextest.Options{Endpoint: func(_ context.Context, id string, in []any, _ any) ([]any, error) {
		if id != "8888" {
			return nil, vertextest.ErrNoEndpoint
		}
		out := make([]any, len(in))
		for i, v := range in {
			text, _ := v.(map[string]any)["text"].(string)
			out[i] = []float64{float64(len(text)), 0.5}
		}
		return out, nil
	}})
	db := open(t, "", cfg)
	exec(t, db, "CREATE SCHEMA d", "CREATE MODEL `my-project.d.bert_sentiment`\nINPUT (text STRING) OUTPUT(scores ARRAY<FLOAT64>)\n"+
		"REMOTE WITH CONNECTION `my-project.us.my-connection`\nOPTIONS(ENDPOINT = 'https://us-central1-aiplatform.googleapis.com/v1/projects/my-project/locations/us-central1/endpoints/8888')",
		"CREATE TABLE r AS SELECT 'fine film' AS review UNION ALL SELECT NULL")
	got := table(t, db, "SELECT * FROM ML.PREDICT (MODEL `d.bert_sentiment`, (SELECT review as text FROM r WHERE review IS NOT NULL LIMIT 10000))")
	if want := "[[scores remote_model_status text] [[9 0.5] <nil> fine film]]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// TestGenerateEmbedding: the columns of reference 5.8, remote and with no cloud at all.
func TestGenerateEmbedding(t *testing.T) {
	_, cfg := emulator(t, vertextest.Options{})
	db := open(t, "", cfg)
	exec(t, db, "CREATE MODEL remote REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='text-embedding-005')",
		"CREATE MODEL local OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='"+models(t)+"/nnlm_like/*')",
		"CREATE TABLE c AS SELECT 'duck' AS content, 1 AS id UNION ALL SELECT NULL, 2")
	tests := []struct{ name, give, columns, row string }{
		{"remote", "SELECT * REPLACE (len(ml_generate_embedding_result) AS ml_generate_embedding_result) FROM ML.GENERATE_EMBEDDING(MODEL remote, TABLE c) WHERE id = 1",
			"[ml_generate_embedding_result ml_generate_embedding_statistics ml_generate_embedding_status content id]", "768"},
		{"smaller", "SELECT * REPLACE (len(ml_generate_embedding_result) AS ml_generate_embedding_result) FROM ML.GENERATE_EMBEDDING(MODEL remote, TABLE c, STRUCT(64 AS output_dimensionality)) WHERE id = 1",
			"[ml_generate_embedding_result ml_generate_embedding_statistics ml_generate_embedding_status content id]", "64"},
		{"local", "SELECT * REPLACE (len(ml_generate_embedding_result) AS ml_generate_embedding_result) FROM ML.GENERATE_EMBEDDING(MODEL local, TABLE c) WHERE id = 1",
			"[ml_generate_embedding_result ml_generate_embedding_status content id]", "50"},
		{"plain form", "SELECT * REPLACE (len(ml_generate_embedding_result) AS ml_generate_embedding_result) FROM ML_GENERATE_EMBEDDING('local', 'FROM c') WHERE id = 1",
			"[ml_generate_embedding_result ml_generate_embedding_status content id]", "50"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := table(t, db, tt.give)
			if fmt.Sprint(got[0]) != tt.columns || len(got) != 2 || got[1][0] != tt.row {
				t.Errorf("got %v, want columns %s and %s", got, tt.columns, tt.row)
			}
		})
	}
	if s := one[string](t, db, "SELECT ml_generate_embedding_status FROM ML.GENERATE_EMBEDDING(MODEL local, TABLE c) WHERE id = 2"); s != "content is NULL" {
		t.Errorf("NULL content: %q", s)
	}
}

// TestRemoteFaults: with every tenth answer a 429 and some 503s and dropped connections every row ends with its answer.
func TestRemoteFaults(t *testing.T) {
	_, cfg := emulator(t, vertextest.Options{Faults: []vertextest.Fault{{Kind: vertextest.Status, Every: 10, Status: 429}, {Kind: vertextest.Status, Every: 23}, {Kind: vertextest.Drop, Every: 41}}})
	db := open(t, "", cfg)
	exec(t, db, "CREATE SCHEMA bqml_tutorial", createGemini)
	n := one[int](t, db, "SELECT count(*) FROM ML.GENERATE_TEXT(MODEL `bqml_tutorial.gemini-vision`, (SELECT CAST(i AS STRING) AS prompt FROM UNNEST(GENERATE_ARRAY(1, 100)) AS i), STRUCT(TRUE AS flatten_json_output)) WHERE ml_generate_text_status = ''")
	if n != 100 {
		t.Errorf("%d of 100 rows have their answer", n)
	}
}

// TestRemoteErrors: each mistake is named; no secret shows anywhere.
func TestRemoteErrors(t *testing.T) {
	s, cfg := emulator(t, vertextest.Options{Token: "the-secret-token", Models: []string{"gemini-2.5-flash", "text-embedding-005"}})
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("wrong-secret-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Connections["bad"] = mallard.ConnectionConfig{Project: "p", BaseURL: s.URL(), Auth: "token", TokenFile: secret}
	cfg.Connections["far"] = mallard.ConnectionConfig{Project: "p", Auth: "none"}
	db := open(t, "", cfg)
	exec(t, db, "CREATE MODEL denied REMOTE WITH CONNECTION bad OPTIONS(ENDPOINT='gemini-2.5-flash')",
		"CREATE MODEL embed REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='text-embedding-005')",
		"CREATE MODEL blocked INPUT(text STRING) OUTPUT(x FLOAT64) REMOTE WITH CONNECTION far OPTIONS(ENDPOINT='https://evil.example/v1/projects/p/locations/l/endpoints/1')")
	tests := []struct{ name, give, want string }{
		{"unknown connection", "CREATE MODEL x REMOTE WITH CONNECTION nope OPTIONS(ENDPOINT='gemini-2.5-flash')", "there is no connection `nope`; the configuration has bad, default, far, my-connection"},
		{"no endpoint", "CREATE MODEL x REMOTE WITH CONNECTION DEFAULT OPTIONS(description='a')", "ENDPOINT"},
		{"unknown option", "CREATE MODEL x REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-2.5-flash', model_path='x')", "unknown option `model_path`"},
		{"INPUT of a wrong type", "CREATE MODEL x INPUT(a BYTES) OUTPUT(b FLOAT64) REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/1')", "column `a`: type BYTES"},
		{"wrong credentials", "SELECT * FROM ML.GENERATE_TEXT(MODEL denied, (SELECT 'a' AS prompt))", "401"},
		{"blocked host", "SELECT remote_model_status FROM ML.PREDICT(MODEL blocked, (SELECT 'a' AS text))", "host evil.example is not among the allowed hosts"},
		{"model of the wrong kind", "SELECT * FROM ML.GENERATE_TEXT(MODEL embed, (SELECT 'a' AS prompt))", "ML.GENERATE_TEXT needs a text model"},
		{"missing column", "SELECT * FROM ML.GENERATE_EMBEDDING(MODEL embed, (SELECT 'a' AS text))", "Column content is not found in the input data to the GENERATE_EMBEDDING function"},
		{"unknown argument", "SELECT * FROM ML.GENERATE_EMBEDDING(MODEL embed, (SELECT 'a' AS content), STRUCT(1 AS temperature))", "1:82: ML.GENERATE_EMBEDDING: there is no argument `temperature`"},
		{"argument out of range", "SELECT * FROM ML.GENERATE_EMBEDDING(MODEL embed, (SELECT 'a' AS content), STRUCT(9999 AS output_dimensionality))", "output_dimensionality"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := db.ExecContext(t.Context(), tt.give)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			var e *extension.Error
			if err != nil && !errors.As(err, &e) {
				t.Errorf("%T is no *extension.Error", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("a secret shows: %v", err)
			}
		})
	}
}

// TestBudget: what goes beyond the budget is not asked, and its rows say so.
func TestBudget(t *testing.T) {
	s, cfg := emulator(t, vertextest.Options{})
	cfg.Budget.StatementRequests = 3
	db := open(t, "", cfg)
	exec(t, db, "CREATE SCHEMA bqml_tutorial", createGemini)
	n := one[int](t, db, "SELECT count(*) FILTER (ml_generate_text_status LIKE '%budget%') FROM ML.GENERATE_TEXT(MODEL \"bqml_tutorial\".\"gemini-vision\", (SELECT i::VARCHAR AS prompt FROM range(10) t(i)), STRUCT(TRUE AS flatten_json_output))")
	if n != 7 || s.Count() != 3 {
		t.Errorf("%d rows are marked and %d requests were sent, want 7 and 3", n, s.Count())
	}
}

// TestEstimate: what a query would ask, before anything is asked.
func TestEstimate(t *testing.T) {
	s, cfg := emulator(t, vertextest.Options{})
	c := cfg.Connections["default"]
	c.Prices = map[string]mallard.PriceConfig{"gemini-2.5": {PerRequest: 0.5}}
	cfg.Connections["default"] = c
	db := open(t, "", cfg)
	exec(t, db, "CREATE MODEL g REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-2.5-flash')",
		"CREATE TABLE p AS SELECT 'q' || (i % 4) AS prompt FROM range(10) t(i)")
	const query = "SELECT * FROM ml_estimate('SELECT * FROM ML.GENERATE_TEXT(MODEL g, TABLE p, STRUCT(TRUE AS flatten_json_output))')"
	got := table(t, db, "SELECT function, model, rows, distinct_rows, cached, requests, money FROM ("+query+")")
	if fmt.Sprint(got[1:]) != "[[ML.GENERATE_TEXT g 10 4 0 4 2]]" || s.Count() != 0 {
		t.Errorf("%v, and %d requests were sent", got, s.Count())
	}
	exec(t, db, "CREATE TABLE done AS SELECT * FROM ML.GENERATE_TEXT(MODEL g, (FROM p WHERE prompt = 'q1'), STRUCT(TRUE AS flatten_json_output))")
	got = table(t, db, "SELECT distinct_rows, cached, requests FROM ("+query+")")
	if fmt.Sprint(got[1:]) != "[[4 1 3]]" || s.Count() != 1 {
		t.Errorf("after one answer: %v, and %d requests were sent", got, s.Count())
	}
	exec(t, db, "CREATE MODEL unpriced REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-3-pro')")
	got = table(t, db, "SELECT requests, money FROM ("+strings.Replace(query, "MODEL g", "MODEL unpriced", 1)+")")
	if fmt.Sprint(got[1:]) != "[[4 <nil>]]" {
		t.Errorf("without a price: %v", got)
	}
	if _, err := db.ExecContext(t.Context(), "SELECT * FROM ml_estimate('DROP TABLE p')"); err == nil || !strings.Contains(err.Error(), "only a SELECT can be estimated") {
		t.Errorf("DROP TABLE: %v", err)
	}
}

// TestStructPrompt: a prompt of texts and objects through SQL, as the server sees it: Cloud Storage by name, a file of this
// machine by its bytes.
func TestStructPrompt(t *testing.T) {
	var got []vertextest.Prompt
	_, cfg := emulator(t, vertextest.Options{Generate: func(_ context.Context, p vertextest.Prompt) (string, error) {
		got = append(got, p)
		return "seen", nil
	}})
	file := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(file, []byte("a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, "", cfg)
	exec(t, db, createG)
	const ref = "{'uri': '%s', 'version': NULL, 'authorizer': NULL, 'details': %s}::STRUCT(uri VARCHAR, version VARCHAR, authorizer VARCHAR, details JSON)"
	prompt := "row('Compare ', " + fmt.Sprintf(ref, "gs://b/o", `'{"gcs_metadata": {"content_type": "image/webp"}}'`) + ", ' with ', " + fmt.Sprintf(ref, file, "NULL") + ")"
	rows := table(t, db, "SELECT ml_generate_text_llm_result, ml_generate_text_status FROM ML.GENERATE_TEXT(MODEL g, (SELECT "+prompt+" AS prompt), STRUCT(TRUE AS flatten_json_output))")
	if fmt.Sprint(rows[1]) != "[seen ]" || len(got) != 1 {
		t.Fatalf("rows %v, prompts %v", rows, got)
	}
	p := got[0]
	if p.Text != "Compare  with " || len(p.Files) != 2 || p.Files[0].URI != "gs://b/o" || p.Files[0].MIME != "image/webp" || string(p.Files[1].Data) != "a picture" || p.Files[1].MIME != "image/png" {
		t.Errorf("the server saw %+v", p)
	}
}
